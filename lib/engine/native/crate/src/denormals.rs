//! Denormal numbers, those below 1.2e-38, count as zero: an x86 processor takes a hundred times longer for them.
//! Weights get there: under weight decay, one without gradient shrinks at every step.

/// While this lives, its thread takes denormal numbers as zero and makes none.
pub struct DenormalsAreZero {
    #[cfg(target_arch = "x86_64")]
    before: u32,
}

#[cfg(target_arch = "x86_64")]
impl DenormalsAreZero {
    /// FTZ, bit 15 of MXCSR, and DAZ, bit 6.
    const BITS: u32 = 1 << 15 | 1 << 6;

    pub fn here() -> Self {
        let before = mxcsr();
        set_mxcsr(before | Self::BITS);
        Self { before }
    }
}

#[cfg(target_arch = "x86_64")]
impl Drop for DenormalsAreZero {
    fn drop(&mut self) {
        set_mxcsr(self.before);
    }
}

/// Other processors compute with denormal numbers at full speed.
#[cfg(not(target_arch = "x86_64"))]
impl DenormalsAreZero {
    pub fn here() -> Self {
        Self {}
    }
}

#[cfg(target_arch = "x86_64")]
fn mxcsr() -> u32 {
    let mut word = 0u32;
    // SAFETY: stores the register to `word`.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &mut word, options(nostack, preserves_flags)) };
    word
}

#[cfg(target_arch = "x86_64")]
fn set_mxcsr(word: u32) {
    // SAFETY: loads a word that this register had, but for the two bits; rounding and exceptions stay as they are.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &word, options(nostack, preserves_flags)) };
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::team::run_all;
    use std::hint::black_box;

    #[test]
    fn jobs_take_denormal_numbers_as_zero_and_their_threads_are_left_as_they_were() {
        let half = || black_box(f32::MIN_POSITIVE) * black_box(0.5);
        for threads in [1, 3] {
            let mut halves = [1.0f32; 8];
            run_all(threads, halves.iter_mut().map(|out| move || *out = half()).collect());
            assert_eq!(halves, [0.0; 8]);
            assert!(half() > 0.0);
        }
        let outer = DenormalsAreZero::here();
        drop(DenormalsAreZero::here());
        assert_eq!(half(), 0.0);
        drop(outer);
        assert!(half() > 0.0);
    }
}
