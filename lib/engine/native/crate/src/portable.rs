//! The level that runs everywhere: four lanes in plain Rust, which the compiler turns into SSE2 or NEON.

use crate::simd::{Lanes, Level, Work};
use crate::tiles::NoTiles;

pub struct Portable;

/// Arithmetic of $lanes float32 values as an array.
macro_rules! array_arithmetic {
    ($lanes:literal) => {
        type F = [f32; $lanes];
        const LANES: usize = $lanes;

        #[inline(always)]
        unsafe fn splat(value: f32) -> Self::F {
            [value; $lanes]
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self::F {
            // SAFETY: LANES values are readable (trait condition).
            unsafe { from.cast::<Self::F>().read_unaligned() }
        }
        #[inline(always)]
        unsafe fn store(to: *mut f32, value: Self::F) {
            // SAFETY: LANES values are writable (trait condition).
            unsafe { to.cast::<Self::F>().write_unaligned(value) }
        }
        #[inline(always)]
        unsafe fn add(a: Self::F, b: Self::F) -> Self::F {
            std::array::from_fn(|i| a[i] + b[i])
        }
        #[inline(always)]
        unsafe fn sub(a: Self::F, b: Self::F) -> Self::F {
            std::array::from_fn(|i| a[i] - b[i])
        }
        #[inline(always)]
        unsafe fn mul(a: Self::F, b: Self::F) -> Self::F {
            std::array::from_fn(|i| a[i] * b[i])
        }
        #[inline(always)]
        unsafe fn div(a: Self::F, b: Self::F) -> Self::F {
            std::array::from_fn(|i| a[i] / b[i])
        }
        #[inline(always)]
        unsafe fn max(a: Self::F, b: Self::F) -> Self::F {
            std::array::from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
        }
        #[inline(always)]
        unsafe fn sqrt(a: Self::F) -> Self::F {
            std::array::from_fn(|i| a[i].sqrt())
        }
        #[inline(always)]
        unsafe fn fma(a: Self::F, b: Self::F, c: Self::F) -> Self::F {
            std::array::from_fn(|i| a[i] * b[i] + c[i])
        }
        #[inline(always)]
        unsafe fn fnma(a: Self::F, b: Self::F, c: Self::F) -> Self::F {
            std::array::from_fn(|i| c[i] - a[i] * b[i])
        }
        #[inline(always)]
        unsafe fn where_greater(a: Self::F, b: Self::F, yes: Self::F, no: Self::F) -> Self::F {
            std::array::from_fn(|i| if a[i] > b[i] { yes[i] } else { no[i] })
        }
        #[inline(always)]
        unsafe fn round(a: Self::F) -> Self::F {
            // Adding and subtracting 1.5·2^23 rounds to nearest for |a| < 2^22, without a library call.
            std::array::from_fn(|i| (a[i] + 12_582_912.0) - 12_582_912.0)
        }
        #[inline(always)]
        unsafe fn scale(a: Self::F, n: Self::F) -> Self::F {
            std::array::from_fn(|i| a[i] * f32::from_bits((((n[i] as i32) + 127) << 23) as u32))
        }
        #[inline(always)]
        unsafe fn sum(a: Self::F) -> f32 {
            let mut halves = a;
            let mut width = $lanes / 2;
            while width > 0 {
                for i in 0..width {
                    halves[i] += halves[i + width];
                }
                width /= 2;
            }
            halves[0]
        }
        #[inline(always)]
        unsafe fn largest(a: Self::F) -> f32 {
            a.into_iter().fold(f32::NEG_INFINITY, f32::max)
        }
    };
}
#[cfg(test)] // for the tests' software levels
pub(crate) use array_arithmetic;

impl Lanes for Portable {
    type E = f32;
    type B = [f32; 4];
    type Tiles = NoTiles;
    const MR: usize = 4;
    array_arithmetic!(4);

    #[inline(always)]
    unsafe fn load_operand(from: *const f32) -> [f32; 4] {
        // SAFETY: trait condition.
        unsafe { Self::load(from) }
    }
    #[inline(always)]
    unsafe fn broadcast(from: *const f32) -> [f32; 4] {
        // SAFETY: trait condition.
        unsafe { [*from; 4] }
    }
    #[inline(always)]
    unsafe fn dot(sum: [f32; 4], a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        // SAFETY: trait condition.
        unsafe { Self::fma(a, b, sum) }
    }
    #[inline(always)]
    unsafe fn load_elements(from: *const f32) -> [f32; 4] {
        // SAFETY: trait condition.
        unsafe { Self::load(from) }
    }
    #[inline(always)]
    unsafe fn store_elements(to: *mut f32, value: [f32; 4]) {
        // SAFETY: trait condition.
        unsafe { Self::store(to, value) }
    }
    #[inline(always)]
    unsafe fn store_two(to: *mut f32, first: [f32; 4], second: [f32; 4]) {
        // SAFETY: trait condition.
        unsafe {
            Self::store(to, first);
            Self::store(to.add(4), second);
        }
    }
    #[inline(always)]
    unsafe fn store_pair(to: *mut f32, row: [f32; 4], next: [f32; 4]) {
        // SAFETY: trait condition.
        unsafe {
            Self::store(to, row);
            Self::store(to.add(Self::NR), next);
        }
    }
    #[inline(always)]
    unsafe fn load_pair(from: *const f32) -> ([f32; 4], [f32; 4]) {
        // SAFETY: trait condition.
        unsafe { (Self::load(from), Self::load(from.add(Self::NR))) }
    }
}

impl Level for Portable {
    const NAME: &'static str = "portable";
    fn enter<W: Work<Self>>(work: W) -> W::Output {
        // SAFETY: this level needs no instructions of its own.
        unsafe { work.run() }
    }
}
