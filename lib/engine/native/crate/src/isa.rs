//! Detects the instruction levels of this CPU, and makes an engine at one of them.

use crate::engine::{AnyEngine, Engine};
use crate::model::Model;
use crate::portable::Portable;
use crate::simd::Level;

/// An instruction level, the most capable first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isa {
    Amx,
    Avx512Bf16,
    Avx512,
    Avx2,
    Portable,
}

pub const LEVELS: [Isa; 5] = [Isa::Amx, Isa::Avx512Bf16, Isa::Avx512, Isa::Avx2, Isa::Portable];

impl Isa {
    pub fn name(self) -> &'static str {
        match self {
            Isa::Amx => "amx",
            Isa::Avx512Bf16 => "avx512bf16",
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Portable => Portable::NAME,
        }
    }

    /// Whether this CPU has it.
    pub fn detected(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = avx2
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            match self {
                Isa::Amx => avx512 && is_x86_feature_detected!("avx512bf16") && crate::amx::permitted(),
                Isa::Avx512Bf16 => avx512 && is_x86_feature_detected!("avx512bf16"),
                Isa::Avx512 => avx512,
                Isa::Avx2 => avx2,
                Isa::Portable => true,
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            self == Isa::Portable
        }
    }

    /// Measured GFLOP/s of products in the L1 cache; 0 if the CPU lacks the level.
    pub fn peak(self, threads: usize) -> f64 {
        if !self.detected() {
            return 0.0;
        }
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Amx => crate::peak::peak::<crate::x86::Amx>(threads),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Bf16 => crate::peak::peak::<crate::x86::Avx512Bf16>(threads),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => crate::peak::peak::<crate::x86::Avx512>(threads),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => crate::peak::peak::<crate::x86::Avx2>(threads),
            Isa::Portable => crate::peak::peak::<Portable>(threads),
            #[cfg(not(target_arch = "x86_64"))]
            _ => 0.0,
        }
    }

    /// An engine at this level; None if the CPU lacks it.
    pub fn engine(self, model: Model, threads: usize) -> Option<Box<dyn AnyEngine>> {
        if !self.detected() {
            return None;
        }
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Amx => Some(Box::new(Engine::<crate::x86::Amx>::new(model, threads))),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Bf16 => Some(Box::new(Engine::<crate::x86::Avx512Bf16>::new(model, threads))),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Some(Box::new(Engine::<crate::x86::Avx512>::new(model, threads))),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Some(Box::new(Engine::<crate::x86::Avx2>::new(model, threads))),
            Isa::Portable => Some(Box::new(Engine::<Portable>::new(model, threads))),
            #[cfg(not(target_arch = "x86_64"))]
            _ => None,
        }
    }
}
