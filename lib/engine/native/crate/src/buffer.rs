//! Memory: vectors whose allocation may fail without ending the process, and buffers aligned to cache lines.

use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// An allocation of `bytes` bytes failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfMemory {
    pub bytes: usize,
}

/// `len` times a value, or an error where Rust's own vectors would abort the process.
pub fn try_filled<T: Clone>(value: T, len: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut values = Vec::new();
    values.try_reserve_exact(len).map_err(|_| OutOfMemory { bytes: len.saturating_mul(size_of::<T>()) })?;
    values.resize(len, value);
    Ok(values)
}

/// As [`try_filled`], for use deep inside a step: unwinds with [`OutOfMemory`], which the binding turns into an error.
pub fn filled<T: Clone>(value: T, len: usize) -> Vec<T> {
    try_filled(value, len).unwrap_or_else(|error| resume_unwind(Box::new(error)))
}

/// Runs `prepare` and returns what [`filled`] unwinds with, for work that leaves nothing half done when memory ends.
pub fn caught<T>(prepare: impl FnOnce() -> T) -> Result<T, OutOfMemory> {
    catch_unwind(AssertUnwindSafe(prepare)).map_err(|panic| match panic.downcast::<OutOfMemory>() {
        Ok(error) => *error,
        Err(panic) => resume_unwind(panic),
    })
}

/// One cache line. Buffers are made of lines, so that each starts on one.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Types for which all bit patterns are values and zero bytes mean zero.
///
/// # Safety
/// Only for plain numbers of at most 64 bytes whose size divides 64.
pub unsafe trait Plain: Copy + Send + Sync + 'static {}
// SAFETY: plain numbers.
unsafe impl Plain for f32 {}

/// A vector of numbers that starts on a cache line.
pub struct Buffer<T: Plain> {
    lines: Vec<Line>,
    len: usize,
    marker: std::marker::PhantomData<T>,
}

impl<T: Plain> Buffer<T> {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let lines = len.div_ceil(64 / size_of::<T>());
        Self { lines: filled(Line([0; 64]), lines), len, marker: std::marker::PhantomData }
    }
}

impl<T: Plain> Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // SAFETY: `lines` holds at least `len` values of a plain type, aligned and initialised.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl<T: Plain> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_cannot_be_had_is_an_error() {
        let bytes = 1usize << 60;
        assert_eq!(try_filled(0u8, bytes), Err(OutOfMemory { bytes }));
        assert_eq!(try_filled(0.0f32, usize::MAX), Err(OutOfMemory { bytes: usize::MAX }));
        assert_eq!(caught(|| Buffer::<f32>::zeros(bytes).len()), Err(OutOfMemory { bytes: 4 * bytes }));
    }

    #[test]
    fn buffers_start_on_a_cache_line_and_at_zero() {
        for len in [0, 1, 15, 16, 17, 1000] {
            let buffer = Buffer::<f32>::zeros(len);
            assert_eq!((buffer.len(), buffer.as_ptr() as usize % 64), (len, 0));
            assert!(buffer.iter().all(|value| value.to_bits() == 0));
        }
    }
}
