//! The native engine of trm-lab.
pub mod buffer;
pub mod epilogue;
pub mod portable;
pub mod product;
pub mod simd;
#[cfg(target_arch = "x86_64")]
pub mod x86;
