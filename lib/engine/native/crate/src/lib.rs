//! The native engine of trm-lab: a TRM's schedule, forwards and backwards, in cache-sized buffers.

// A block's vectors and their target addresses share an index.
#![allow(clippy::needless_range_loop)]

#[cfg(target_arch = "x86_64")]
pub mod amx;
pub mod attention;
#[cfg(not(test))] // needs Node's symbols
mod binding;
pub mod buffer;
pub mod channel_mixer;
mod denormals;
pub mod dims;
pub mod engine;
pub mod epilogue;
#[cfg(test)]
mod gradient_tests;
pub mod isa;
#[cfg(test)]
mod kernel_tests;
pub mod linear;
pub mod loss;
pub mod model;
pub mod muon;
pub mod net;
pub mod optimizer;
pub mod peak;
pub mod pointwise;
pub mod portable;
pub mod product;
pub mod shared;
pub mod simd;
#[cfg(test)]
mod soft;
pub mod swiglu;
pub mod team;
pub mod tiles;
pub mod token_mixer;
pub mod weights;
pub mod worker;
#[cfg(target_arch = "x86_64")]
pub mod x86;
