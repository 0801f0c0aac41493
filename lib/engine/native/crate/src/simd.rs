//! The vector operations of an instruction level as one trait, so that every kernel is written only once.

use crate::buffer::Plain;
use crate::tiles::Tiles;

/// Element type of a product's operands: float32, or bfloat16 in pairs.
pub trait Element: Plain + Default {
    /// Consecutive values of the summed index that one multiply-add consumes: 1 for float32, 2 for bfloat16.
    const PAIR: usize;
    fn from_f32(value: f32) -> Self;
    fn to_f32(self) -> f32;
}

impl Element for f32 {
    const PAIR: usize = 1;
    fn from_f32(value: f32) -> Self {
        value
    }
    fn to_f32(self) -> f32 {
        self
    }
}

/// bfloat16: the upper half of a float32.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
#[repr(transparent)]
pub struct Bf16(pub u16);

// SAFETY: a plain number.
unsafe impl Plain for Bf16 {}

impl Element for Bf16 {
    const PAIR: usize = 2;
    /// Rounds to nearest, ties to even; NaN stays NaN.
    fn from_f32(value: f32) -> Self {
        let bits = value.to_bits();
        if value.is_nan() {
            return Bf16((bits >> 16) as u16 | 0x40);
        }
        Bf16(((bits + 0x7fff + ((bits >> 16) & 1)) >> 16) as u16)
    }
    fn to_f32(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }
}

/// A vector unit. `F` holds LANES float32 values; `B` holds the operands of LANES multiply-adds.
///
/// # Safety
/// Methods may use instructions of the level, so they may run only inside [`Level::enter`].
/// Pointers must be valid for the values named; they need no alignment beyond the element's.
#[allow(clippy::missing_safety_doc)] // one condition for all methods, stated above
pub trait Lanes: Sized + 'static {
    type E: Element;
    type F: Copy;
    type B: Copy;
    const LANES: usize;
    /// Rows of the accumulator block of a product; even. Its columns are [`Lanes::NR`].
    const MR: usize;
    /// Columns of a panel: two vectors.
    const NR: usize = 2 * Self::LANES;
    /// The tiles that compute products; [`crate::tiles::NoTiles`] if vectors do.
    type Tiles: Tiles;

    unsafe fn splat(value: f32) -> Self::F;
    unsafe fn load(from: *const f32) -> Self::F;
    unsafe fn store(to: *mut f32, value: Self::F);
    unsafe fn add(a: Self::F, b: Self::F) -> Self::F;
    unsafe fn sub(a: Self::F, b: Self::F) -> Self::F;
    unsafe fn mul(a: Self::F, b: Self::F) -> Self::F;
    unsafe fn div(a: Self::F, b: Self::F) -> Self::F;
    unsafe fn max(a: Self::F, b: Self::F) -> Self::F;
    unsafe fn sqrt(a: Self::F) -> Self::F;
    /// a·b + c.
    unsafe fn fma(a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// c − a·b.
    unsafe fn fnma(a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// Lanes of `yes` where a > b, else of `no`.
    unsafe fn where_greater(a: Self::F, b: Self::F, yes: Self::F, no: Self::F) -> Self::F;
    /// To the nearest whole number.
    unsafe fn round(a: Self::F) -> Self::F;
    /// a·2^n for whole n in −126 … 127.
    unsafe fn scale(a: Self::F, n: Self::F) -> Self::F;
    /// The sum of all lanes, in an order that is fixed for the level.
    unsafe fn sum(a: Self::F) -> f32;
    /// The largest lane.
    unsafe fn largest(a: Self::F) -> f32;

    /// Loads operands of LANES columns: LANES·PAIR elements.
    unsafe fn load_operand(from: *const Self::E) -> Self::B;
    /// Loads PAIR elements and repeats them for every column.
    unsafe fn broadcast(from: *const Self::E) -> Self::B;
    /// sum + Σ over PAIR of a·b, accumulated in float32.
    unsafe fn dot(sum: Self::F, a: Self::B, b: Self::B) -> Self::F;
    /// Loads LANES elements as float32.
    unsafe fn load_elements(from: *const Self::E) -> Self::F;
    /// Stores LANES elements, rounded.
    unsafe fn store_elements(to: *mut Self::E, value: Self::F);
    /// Stores 2·LANES elements, rounded.
    unsafe fn store_two(to: *mut Self::E, first: Self::F, second: Self::F);
    /// Stores LANES columns of rows k and k + 1 of a panel whose row k (even) starts at `to`.
    unsafe fn store_pair(to: *mut Self::E, row: Self::F, next: Self::F);
    /// The reverse of `store_pair`.
    unsafe fn load_pair(from: *const Self::E) -> (Self::F, Self::F);

    /// Transposes a LANES × LANES block of 32-bit units (PAIR elements each); strides in elements.
    #[inline(always)]
    unsafe fn transpose(from: *const Self::E, stride: usize, to: *mut Self::E, to_stride: usize) {
        for row in 0..Self::LANES {
            for unit in 0..Self::LANES {
                // SAFETY: the caller's condition; unaligned access.
                unsafe {
                    let value = from.add(row * stride).cast::<u32>().add(unit).read_unaligned();
                    to.add(unit * to_stride).cast::<u32>().add(row).write_unaligned(value);
                }
            }
        }
    }

    /// e^x, within 3 units in the last place.
    #[inline(always)]
    unsafe fn exp(x: Self::F) -> Self::F {
        // SAFETY: the caller's condition.
        unsafe {
            // x = n·ln 2 + r with |r| ≤ ½ ln 2; e^r by a polynomial of degree 7 (the classic single-precision one).
            let top = Self::splat(88.02);
            let bottom = Self::splat(-87.33);
            let x = Self::where_greater(x, top, top, Self::where_greater(bottom, x, bottom, x));
            let n = Self::round(Self::mul(x, Self::splat(std::f32::consts::LOG2_E)));
            let r = Self::fnma(n, Self::splat(0.693_359_4), x);
            let r = Self::fnma(n, Self::splat(-2.121_944_4e-4), r);
            let mut p = Self::splat(1.987_569_1e-4);
            for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
                p = Self::fma(p, r, Self::splat(c));
            }
            let e = Self::add(Self::fma(Self::mul(p, r), r, r), Self::splat(1.0));
            Self::scale(e, n)
        }
    }

    /// 1 / (1 + e^−x).
    #[inline(always)]
    unsafe fn sigmoid(x: Self::F) -> Self::F {
        // SAFETY: the caller's condition.
        unsafe {
            let one = Self::splat(1.0);
            Self::div(one, Self::add(one, Self::exp(Self::sub(Self::splat(0.0), x))))
        }
    }
}

/// Work that is generic over levels. `run` and all functions with vectors that it calls must be `#[inline(always)]`.
pub trait Work<L: Lanes> {
    type Output;
    /// Does the work. Must check all sizes before it uses a raw pointer.
    ///
    /// # Safety
    /// Only [`Level::enter`] may call it: there the level's instructions exist, as every method of `L` requires.
    unsafe fn run(self) -> Self::Output;
}

/// A vector unit that can be entered.
///
/// [`Level::enter`] for a level that the CPU lacks is undefined behaviour;
/// only `isa::Isa` chooses levels, among those that it detected.
pub trait Level: Lanes {
    const NAME: &'static str;
    /// Runs the work compiled for this level's instructions.
    fn enter<W: Work<Self>>(work: W) -> W::Output;
}
