//! The level that runs everywhere: four lanes of plain Rust that compilers turn into SSE2 or NEON.

use crate::simd::{Lanes, Level, Work};

pub struct Portable;

type F4 = [f32; 4];

#[inline(always)]
fn each(a: F4, b: F4, f: impl Fn(f32, f32) -> f32) -> F4 {
    [f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])]
}

impl Lanes for Portable {
    type E = f32;
    type F = F4;
    type B = F4;
    const LANES: usize = 4;
    const MR: usize = 4;
    const APPROXIMATE: bool = false;

    #[inline(always)]
    unsafe fn splat(value: f32) -> F4 {
        [value; 4]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> F4 {
        // SAFETY: four values are readable (trait condition).
        unsafe { from.cast::<F4>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: F4) {
        // SAFETY: four values are writable (trait condition).
        unsafe { to.cast::<F4>().write_unaligned(value) }
    }
    #[inline(always)]
    unsafe fn add(a: F4, b: F4) -> F4 {
        each(a, b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(a: F4, b: F4) -> F4 {
        each(a, b, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(a: F4, b: F4) -> F4 {
        each(a, b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(a: F4, b: F4) -> F4 {
        each(a, b, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn max(a: F4, b: F4) -> F4 {
        each(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn sqrt(a: F4) -> F4 {
        each(a, a, |a, _| a.sqrt())
    }
    #[inline(always)]
    unsafe fn fma(a: F4, b: F4, c: F4) -> F4 {
        each(each(a, b, |a, b| a * b), c, |ab, c| ab + c)
    }
    #[inline(always)]
    unsafe fn fnma(a: F4, b: F4, c: F4) -> F4 {
        each(each(a, b, |a, b| a * b), c, |ab, c| c - ab)
    }
    #[inline(always)]
    unsafe fn where_greater(a: F4, b: F4, yes: F4, no: F4) -> F4 {
        let pick = |i: usize| if a[i] > b[i] { yes[i] } else { no[i] };
        [pick(0), pick(1), pick(2), pick(3)]
    }
    #[inline(always)]
    unsafe fn round(a: F4) -> F4 {
        // Adding and taking away 1.5·2^23 rounds to nearest for |a| < 2^22, without a library call.
        each(a, a, |a, _| (a + 12_582_912.0) - 12_582_912.0)
    }
    #[inline(always)]
    unsafe fn scale(a: F4, n: F4) -> F4 {
        each(a, n, |a, n| a * f32::from_bits((((n as i32) + 127) << 23) as u32))
    }
    #[inline(always)]
    unsafe fn sum(a: F4) -> f32 {
        (a[0] + a[2]) + (a[1] + a[3])
    }
    #[inline(always)]
    unsafe fn largest(a: F4) -> f32 {
        a[0].max(a[1]).max(a[2].max(a[3]))
    }
    #[inline(always)]
    unsafe fn load_operand(from: *const f32) -> F4 {
        // SAFETY: trait condition.
        unsafe { Self::load(from) }
    }
    #[inline(always)]
    unsafe fn broadcast(from: *const f32) -> F4 {
        // SAFETY: trait condition.
        unsafe { [*from; 4] }
    }
    #[inline(always)]
    unsafe fn dot(sum: F4, a: F4, b: F4) -> F4 {
        // SAFETY: trait condition.
        unsafe { Self::fma(a, b, sum) }
    }
    #[inline(always)]
    unsafe fn load_elements(from: *const f32) -> F4 {
        // SAFETY: trait condition.
        unsafe { Self::load(from) }
    }
    #[inline(always)]
    unsafe fn store_elements(to: *mut f32, value: F4) {
        // SAFETY: trait condition.
        unsafe { Self::store(to, value) }
    }
    #[inline(always)]
    unsafe fn store_two(to: *mut f32, first: F4, second: F4) {
        // SAFETY: trait condition.
        unsafe {
            Self::store(to, first);
            Self::store(to.add(4), second);
        }
    }
    #[inline(always)]
    unsafe fn store_pair(to: *mut f32, row: F4, next: F4) {
        // SAFETY: trait condition.
        unsafe {
            Self::store(to, row);
            Self::store(to.add(Self::NR), next);
        }
    }
    #[inline(always)]
    unsafe fn load_pair(from: *const f32) -> (F4, F4) {
        // SAFETY: trait condition.
        unsafe { (Self::load(from), Self::load(from.add(Self::NR))) }
    }
}

impl Level for Portable {
    const NAME: &'static str = "portable";
    fn enter<W: Work<Self>>(work: W) -> W::Output {
        work.run()
    }
}
