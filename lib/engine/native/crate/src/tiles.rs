//! Products in matrix tiles: blocks of up to 32 × 32 sums in four tile registers, generic over the six instructions.
//!
//! A tile holds up to 16 rows of 64 bytes: 16 × 16 float32 sums, 16 rows of 32 bfloat16 (A),
//! or 16 pairs of rows of 16 bfloat16 (B). Panels already interleave pairs of the summed index,
//! so a B tile is loaded from them as it is.

use crate::simd::Bf16;

/// Rows of a tile.
pub const ROWS: usize = 16;
/// Bytes of a tile's row.
const ROW_BYTES: usize = 64;
/// Pairs of the summed index that one multiplication of tiles consumes.
pub const PAIRS: usize = 16;
/// Bytes from one pair of a panel to the next: a panel is two tiles wide.
const PANEL_BYTES: usize = 2 * ROW_BYTES;

// Registers 0 … 3 hold the sums: upper left, upper right, lower left, lower right.
/// Operands with 16 pairs.
const A: u8 = 4;
const B: u8 = 5;
/// Operands with the remaining pairs at the end, which have other shapes.
const A_END: u8 = 6;
const B_END: u8 = 7;

/// The shapes of the eight registers, as `ldtilecfg` takes them.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Config(pub [u8; 64]);

impl Config {
    /// For blocks of 2·`half` rows whose summed index has `end` pairs (0 … 15) after the whole tiles.
    pub fn of(half: usize, end: usize) -> Self {
        assert!((1..=ROWS).contains(&half) && end < PAIRS, "no tiles of {half} rows with {end} pairs left");
        let mut bytes = [0; 64];
        bytes[0] = 1; // palette
        let mut shape = |register: u8, rows: usize, row_bytes: usize| {
            // From byte 16 on, 16 bits per register for the bytes of a row; from byte 48 on, 8 bits for its rows.
            // Zeros make a register unusable.
            bytes[16 + 2 * register as usize] = if rows == 0 { 0 } else { row_bytes as u8 };
            bytes[48 + register as usize] = if row_bytes == 0 { 0 } else { rows as u8 };
        };
        for sums in 0..4 {
            shape(sums, half, ROW_BYTES);
        }
        shape(A, half, ROW_BYTES);
        shape(B, PAIRS, ROW_BYTES);
        shape(A_END, half, 4 * end);
        shape(B_END, end, ROW_BYTES);
        Self(bytes)
    }
}

/// The tile instructions. Each thread has its own registers.
///
/// # Safety
/// The CPU must have them, and the process must be allowed to use them. A register must have a shape, memory must hold
/// its rows at their stride, and nothing else may use the registers between `configure` and `release`.
#[allow(clippy::missing_safety_doc)] // one condition for all, stated above
pub trait Tiles: 'static {
    /// Whether the level computes products in tiles.
    const PRESENT: bool;
    /// Sets the shapes of all registers, and their contents to zero.
    unsafe fn configure(config: &Config);
    /// Releases the registers, which makes context switches of the thread cheaper.
    unsafe fn release();
    unsafe fn zero<const REGISTER: u8>();
    /// Loads rows that are `stride` bytes apart.
    unsafe fn load<const REGISTER: u8>(from: *const u8, stride: usize);
    unsafe fn store<const REGISTER: u8>(to: *mut u8, stride: usize);
    /// sums[m][n] += Σ over pairs k of a[m][2k]·b[k][2n] + a[m][2k + 1]·b[k][2n + 1], float32 accumulation.
    unsafe fn dot<const SUMS: u8, const LEFT: u8, const RIGHT: u8>();
}

/// For levels that compute products in vectors.
pub struct NoTiles;

impl Tiles for NoTiles {
    const PRESENT: bool = false;
    unsafe fn configure(_: &Config) {
        unreachable!("no tiles")
    }
    unsafe fn release() {
        unreachable!("no tiles")
    }
    unsafe fn zero<const REGISTER: u8>() {
        unreachable!("no tiles")
    }
    unsafe fn load<const REGISTER: u8>(_: *const u8, _: usize) {
        unreachable!("no tiles")
    }
    unsafe fn store<const REGISTER: u8>(_: *mut u8, _: usize) {
        unreachable!("no tiles")
    }
    unsafe fn dot<const SUMS: u8, const LEFT: u8, const RIGHT: u8>() {
        unreachable!("no tiles")
    }
}

/// Memory for a block's sums, in rows of V·16.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Sums(pub [f32; 2 * ROWS * 2 * ROWS]);

impl Sums {
    pub fn zeros() -> Self {
        Self([0.0; 2 * ROWS * 2 * ROWS])
    }
}

/// Sums of a block of 2·`half` rows and V tiles of columns over `steps` pairs, into rows of `out`.
///
/// # Safety
/// Configured by [`Config::of`] (half, steps mod 16);
/// `half` rows of a0 and of a1, `row` elements apart, hold `steps` pairs; b holds `steps` pairs of a panel.
#[inline(always)]
pub unsafe fn block<T: Tiles, const V: usize>(
    a0: *const Bf16,
    a1: *const Bf16,
    row: usize,
    b: *const Bf16,
    steps: usize,
    half: usize,
    out: &mut Sums,
) {
    let (a0, a1, b) = (a0.cast::<u8>(), a1.cast::<u8>(), b.cast::<u8>());
    let row = row * size_of::<Bf16>();
    // SAFETY: the caller's.
    unsafe {
        T::zero::<0>();
        T::zero::<2>();
        if V == 2 {
            T::zero::<1>();
            T::zero::<3>();
        }
        let whole = steps / PAIRS;
        for k in 0..whole {
            let (along, b) = (k * ROW_BYTES, b.add(k * PAIRS * PANEL_BYTES));
            multiply::<T, A, B, V>(a0.add(along), a1.add(along), row, b);
        }
        if !steps.is_multiple_of(PAIRS) {
            let (along, b) = (whole * ROW_BYTES, b.add(whole * PAIRS * PANEL_BYTES));
            multiply::<T, A_END, B_END, V>(a0.add(along), a1.add(along), row, b);
        }
        let (out, stride) = (out.0.as_mut_ptr().cast::<u8>(), V * ROW_BYTES);
        T::store::<0>(out, stride);
        T::store::<2>(out.add(half * stride), stride);
        if V == 2 {
            T::store::<1>(out.add(ROW_BYTES), stride);
            T::store::<3>(out.add(half * stride + ROW_BYTES), stride);
        }
    }
}

/// Adds one tile's depth to the sums: five loads for four multiplications, each of which takes as long as two loads.
///
/// # Safety
/// As [`block`].
#[inline(always)]
unsafe fn multiply<T: Tiles, const LEFT: u8, const RIGHT: u8, const V: usize>(
    a0: *const u8,
    a1: *const u8,
    row: usize,
    b: *const u8,
) {
    // SAFETY: the caller's.
    unsafe {
        T::load::<LEFT>(a0, row);
        if V == 2 {
            T::load::<RIGHT>(b.add(ROW_BYTES), PANEL_BYTES);
            T::dot::<1, LEFT, RIGHT>();
        }
        T::load::<RIGHT>(b, PANEL_BYTES);
        T::dot::<0, LEFT, RIGHT>();
        T::load::<LEFT>(a1, row);
        T::dot::<2, LEFT, RIGHT>();
        if V == 2 {
            T::load::<RIGHT>(b.add(ROW_BYTES), PANEL_BYTES);
            T::dot::<3, LEFT, RIGHT>();
        }
    }
}
