//! The operations between products: sums of latents, RMSNorm over rows and over columns,
//! rotary positions, softmax, changes of layout.
//!
//! Float32 activations are rows [positions × width], `stride` values apart;
//! the columns from `width` to `stride` are zero.

use crate::product::panel_length;
use crate::simd::{Element, Lanes, Work};

/// RMSNorm's ε (spec §1.8).
const EPSILON: f32 = 1e-5;

/// Panics unless `values` hold `rows` rows.
fn holds<T>(what: &str, values: &[T], rows: usize, stride: usize) {
    assert!(rows * stride <= values.len(), "{what}: expected {rows} rows of {stride}, got {} values", values.len());
}

/// Number of vectors in a row; panics unless they fill it.
fn vectors<L: Lanes>(stride: usize) -> usize {
    assert!(stride.is_multiple_of(L::LANES), "a row of {stride} values is not whole vectors of {}", L::LANES);
    stride / L::LANES
}

/// out = the sum of sources from left to right, as float32 and as operands.
pub struct Sum<'a, E> {
    pub sources: &'a [&'a [f32]],
    pub out: &'a mut [f32],
    pub rows: &'a mut [E],
}

impl<L: Lanes> Work<L> for Sum<'_, L::E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run(self) {
        let count = vectors::<L>(self.out.len());
        assert!(
            self.sources.iter().all(|s| s.len() >= self.out.len())
                && self.rows.len() >= self.out.len()
                && !self.sources.is_empty()
        );
        for i in 0..count {
            let at = i * L::LANES;
            // SAFETY: all are at least as long as `out`, checked above.
            unsafe {
                let mut sum = L::load(self.sources[0].as_ptr().add(at));
                for source in &self.sources[1..] {
                    sum = L::add(sum, L::load(source.as_ptr().add(at)));
                }
                L::store(self.out.as_mut_ptr().add(at), sum);
                L::store_elements(self.rows.as_mut_ptr().add(at), sum);
            }
        }
    }
}

/// RMSNorm of each row: x ← x·rsqrt(mean(x²) + ε).
pub struct NormRows<'a, E> {
    pub x: &'a mut [f32],
    pub count: usize,
    pub width: usize,
    pub stride: usize,
    /// The result as operands.
    pub rows: &'a mut [E],
    /// rsqrt of each row, for the backward pass.
    pub inverse: &'a mut [f32],
}

impl<L: Lanes> Work<L> for NormRows<'_, L::E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run(self) {
        let count = vectors::<L>(self.stride);
        holds("x", self.x, self.count, self.stride);
        holds("rows", self.rows, self.count, self.stride);
        holds("inverse", self.inverse, self.count, 1);
        for row in 0..self.count {
            // SAFETY: row < count, checked above.
            unsafe {
                let x = self.x.as_mut_ptr().add(row * self.stride);
                let out = self.rows.as_mut_ptr().add(row * self.stride);
                let mut squares = L::splat(0.0);
                for i in 0..count {
                    let value = L::load(x.add(i * L::LANES));
                    squares = L::fma(value, value, squares);
                }
                let inverse = 1.0 / (L::sum(squares) / self.width as f32 + EPSILON).sqrt();
                self.inverse[row] = inverse;
                for i in 0..count {
                    let value = L::mul(L::load(x.add(i * L::LANES)), L::splat(inverse));
                    L::store(x.add(i * L::LANES), value);
                    L::store_elements(out.add(i * L::LANES), value);
                }
            }
        }
    }
}

/// Backward through [`NormRows`]: d ← r·(d − y·mean(d·y)), y the norm's result, r its rsqrt.
pub struct NormRowsGradient<'a, E> {
    pub d: &'a mut [f32],
    pub count: usize,
    pub width: usize,
    pub stride: usize,
    pub y: &'a [E],
    pub inverse: &'a [f32],
    /// The result as operands.
    pub rows: &'a mut [E],
}

impl<L: Lanes> Work<L> for NormRowsGradient<'_, L::E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run(self) {
        let count = vectors::<L>(self.stride);
        holds("d", self.d, self.count, self.stride);
        holds("y", self.y, self.count, self.stride);
        holds("rows", self.rows, self.count, self.stride);
        holds("inverse", self.inverse, self.count, 1);
        for row in 0..self.count {
            // SAFETY: row < count, checked above.
            unsafe {
                let d = self.d.as_mut_ptr().add(row * self.stride);
                let y = self.y.as_ptr().add(row * self.stride);
                let out = self.rows.as_mut_ptr().add(row * self.stride);
                let mut along = L::splat(0.0);
                for i in 0..count {
                    along = L::fma(L::load(d.add(i * L::LANES)), L::load_elements(y.add(i * L::LANES)), along);
                }
                let mean = L::splat(L::sum(along) / self.width as f32);
                let inverse = L::splat(self.inverse[row]);
                for i in 0..count {
                    let at = i * L::LANES;
                    let value = L::mul(L::fnma(L::load_elements(y.add(at)), mean, L::load(d.add(at))), inverse);
                    L::store(d.add(at), value);
                    L::store_elements(out.add(at), value);
                }
            }
        }
    }
}

/// RMSNorm of each column over the positions (the token mixer's, spec §1.9).
pub struct NormColumns<'a, E> {
    pub x: &'a mut [f32],
    pub positions: usize,
    pub stride: usize,
    /// The result as operands.
    pub rows: &'a mut [E],
    /// rsqrt of each column, `stride` of them.
    pub inverse: &'a mut [f32],
}

impl<L: Lanes> Work<L> for NormColumns<'_, L::E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run(self) {
        let count = vectors::<L>(self.stride);
        holds("x", self.x, self.positions, self.stride);
        holds("rows", self.rows, self.positions, self.stride);
        holds("inverse", self.inverse, 1, self.stride);
        for i in 0..count {
            // SAFETY: column vector i < count of every position, checked above.
            unsafe {
                let x = self.x.as_mut_ptr().add(i * L::LANES);
                let out = self.rows.as_mut_ptr().add(i * L::LANES);
                // Two independent sums hide the latency of the multiply-add.
                let mut squares = [L::splat(0.0); 2];
                for position in 0..self.positions {
                    let value = L::load(x.add(position * self.stride));
                    squares[position % 2] = L::fma(value, value, squares[position % 2]);
                }
                let mean = L::mul(L::add(squares[0], squares[1]), L::splat(1.0 / self.positions as f32));
                let inverse = L::div(L::splat(1.0), L::sqrt(L::add(mean, L::splat(EPSILON))));
                L::store(self.inverse.as_mut_ptr().add(i * L::LANES), inverse);
                for position in 0..self.positions {
                    let at = position * self.stride;
                    let value = L::mul(L::load(x.add(at)), inverse);
                    L::store(x.add(at), value);
                    L::store_elements(out.add(at), value);
                }
            }
        }
    }
}

/// Backward through [`NormColumns`].
pub struct NormColumnsGradient<'a, E> {
    pub d: &'a mut [f32],
    pub positions: usize,
    pub stride: usize,
    pub y: &'a [E],
    pub inverse: &'a [f32],
    /// The result as operands.
    pub rows: &'a mut [E],
}

impl<L: Lanes> Work<L> for NormColumnsGradient<'_, L::E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run(self) {
        let count = vectors::<L>(self.stride);
        holds("d", self.d, self.positions, self.stride);
        holds("y", self.y, self.positions, self.stride);
        holds("rows", self.rows, self.positions, self.stride);
        holds("inverse", self.inverse, 1, self.stride);
        for i in 0..count {
            // SAFETY: column vector i < count of every position, checked above.
            unsafe {
                let d = self.d.as_mut_ptr().add(i * L::LANES);
                let y = self.y.as_ptr().add(i * L::LANES);
                let out = self.rows.as_mut_ptr().add(i * L::LANES);
                let mut along = [L::splat(0.0); 2];
                for position in 0..self.positions {
                    let at = position * self.stride;
                    along[position % 2] = L::fma(L::load(d.add(at)), L::load_elements(y.add(at)), along[position % 2]);
                }
                let mean = L::mul(L::add(along[0], along[1]), L::splat(1.0 / self.positions as f32));
                let inverse = L::load(self.inverse.as_ptr().add(i * L::LANES));
                for position in 0..self.positions {
                    let at = position * self.stride;
                    let value = L::mul(L::fnma(L::load_elements(y.add(at)), mean, L::load(d.add(at))), inverse);
                    L::store(d.add(at), value);
                    L::store_elements(out.add(at), value);
                }
            }
        }
    }
}

/// Packs rows [depth × columns] as panels of a right operand whose summed index is the row.
pub struct ToPanels<'a, E> {
    pub rows: &'a [E],
    pub stride: usize,
    pub depth: usize,
    /// A multiple of LANES; an odd one leaves half of the last panel unchanged.
    pub columns: usize,
    pub out: &'a mut [E],
    pub panel: usize,
}

impl<L: Lanes> Work<L> for ToPanels<'_, L::E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run(self) {
        let count = vectors::<L>(self.columns);
        if self.depth == 0 || count == 0 {
            return;
        }
        assert!(
            (self.depth - 1) * self.stride + self.columns <= self.rows.len(),
            "rows: too short for {} × {}",
            self.depth,
            self.columns
        );
        assert!(
            panel_length::<L>(self.depth) <= self.panel && self.columns.div_ceil(L::NR) * self.panel <= self.out.len(),
            "out: too short"
        );
        for i in 0..count {
            // SAFETY: rows < depth and vectors < count were checked above for both sides.
            unsafe {
                let from = self.rows.as_ptr().add(i * L::LANES);
                let to = self.out.as_mut_ptr().add(i / 2 * self.panel + i % 2 * L::LANES * L::E::PAIR);
                if L::E::PAIR == 1 {
                    for k in 0..self.depth {
                        L::store_elements(to.add(k * L::NR), L::load_elements(from.add(k * self.stride)));
                    }
                    continue;
                }
                for k in (0..self.depth / 2 * 2).step_by(2) {
                    let row = from.add(k * self.stride);
                    L::store_pair(to.add(k * L::NR), L::load_elements(row), L::load_elements(row.add(self.stride)));
                }
                if self.depth % 2 == 1 {
                    let k = self.depth - 1;
                    L::store_pair(to.add(k * L::NR), L::load_elements(from.add(k * self.stride)), L::splat(0.0));
                }
            }
        }
    }
}

/// Packs rows [columns × depth] as panels of a right operand whose summed index runs along the rows.
pub struct TransposeToPanels<'a, E> {
    pub rows: &'a [E],
    pub stride: usize,
    pub columns: usize,
    /// A multiple of PAIR.
    pub depth: usize,
    pub out: &'a mut [E],
    pub panel: usize,
}

impl<L: Lanes> Work<L> for TransposeToPanels<'_, L::E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run(self) {
        let pair = L::E::PAIR;
        if self.columns == 0 || self.depth == 0 {
            return;
        }
        assert!(self.depth.is_multiple_of(pair), "depth {} is not a multiple of {pair}", self.depth);
        assert!((self.columns - 1) * self.stride + self.depth <= self.rows.len(), "rows: too short");
        let panels = self.columns.div_ceil(L::NR);
        assert!(
            (panels - 1) * self.panel + self.depth * L::NR <= self.out.len()
                && (panels == 1 || self.depth * L::NR <= self.panel),
            "out: too short"
        );
        // PAIR elements move as one 32-bit unit.
        let units = self.depth / pair;
        for first in (0..self.columns).step_by(L::LANES) {
            let width = L::LANES.min(self.columns - first);
            // SAFETY: columns and units are within what was checked above; unaligned access.
            unsafe {
                let from = self.rows.as_ptr().add(first * self.stride);
                let to = self.out.as_mut_ptr().add(first / L::NR * self.panel + first % L::NR * pair).cast::<u32>();
                let mut done = 0;
                if width == L::LANES {
                    while done + L::LANES <= units {
                        L::transpose(from.add(done * pair), self.stride, to.add(done * L::NR).cast(), L::NR * pair);
                        done += L::LANES;
                    }
                }
                for n in 0..width {
                    let row = from.add(n * self.stride).cast::<u32>();
                    for unit in done..units {
                        to.add(unit * L::NR + n).write_unaligned(row.add(unit).read_unaligned());
                    }
                }
            }
        }
    }
}

/// Rotates each head's halves of rows by the position's angle: (a, b) ← (a·cos − b·sin, b·cos + a·sin) (spec §1.5).
pub struct Rotate<'a, E> {
    pub rows: &'a mut [E],
    pub stride: usize,
    /// Positions of one puzzle; row r is at position r mod positions.
    pub positions: usize,
    pub count: usize,
    /// Heads side by side from the row's start, `half`·2 values each.
    pub heads: usize,
    pub half: usize,
    /// [positions × half].
    pub cos: &'a [f32],
    pub sin: &'a [f32],
    /// Whether to rotate back, for the backward pass.
    pub back: bool,
}

impl<L: Lanes> Work<L> for Rotate<'_, L::E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run(self) {
        holds("rows", self.rows, self.count, self.stride);
        assert!(self.heads * 2 * self.half <= self.stride, "heads do not fit in a row");
        for row in 0..self.count {
            let table = row % self.positions * self.half;
            let (cos, sin) = (&self.cos[table..table + self.half], &self.sin[table..table + self.half]);
            for head in 0..self.heads {
                let start = row * self.stride + head * 2 * self.half;
                let (a, b) = self.rows[start..start + 2 * self.half].split_at_mut(self.half);
                let whole = self.half / L::LANES * L::LANES;
                for i in (0..whole).step_by(L::LANES) {
                    // SAFETY: i + LANES ≤ half, the length of all four slices.
                    unsafe {
                        let (c, s) = (L::load(cos.as_ptr().add(i)), L::load(sin.as_ptr().add(i)));
                        let s = if self.back { L::sub(L::splat(0.0), s) } else { s };
                        let (first, second) =
                            (L::load_elements(a.as_ptr().add(i)), L::load_elements(b.as_ptr().add(i)));
                        L::store_elements(a.as_mut_ptr().add(i), L::fnma(second, s, L::mul(first, c)));
                        L::store_elements(b.as_mut_ptr().add(i), L::fma(first, s, L::mul(second, c)));
                    }
                }
                for i in whole..self.half {
                    let s = if self.back { -sin[i] } else { sin[i] };
                    let (first, second) = (a[i].to_f32(), b[i].to_f32());
                    a[i] = L::E::from_f32(first * cos[i] - second * s);
                    b[i] = L::E::from_f32(second * cos[i] + first * s);
                }
            }
        }
    }
}

/// A score whose exponential is zero (1e-38 at float32 levels), and that `exp` can handle, unlike −∞.
const NO_SCORE: f32 = -1e30;

/// exp(score − the row's largest) of rows of scores into rows of operands, 0 beyond the last key.
/// The product that uses the weights divides by the sums, which saves a pass.
pub struct Softmax<'a, E> {
    /// [count × stride]; what lies beyond the last key is overwritten.
    pub scores: &'a mut [f32],
    pub stride: usize,
    pub count: usize,
    pub keys: usize,
    pub out: &'a mut [E],
    /// 1 / Σ of each row of `out`.
    pub inverse: &'a mut [f32],
    /// log Σ exp(score) of each row, for the backward pass.
    pub logsumexp: &'a mut [f32],
}

impl<L: Lanes> Work<L> for Softmax<'_, L::E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run(self) {
        let count = vectors::<L>(self.stride);
        holds("scores", self.scores, self.count, self.stride);
        holds("out", self.out, self.count, self.stride);
        holds("inverse", self.inverse, self.count, 1);
        holds("logsumexp", self.logsumexp, self.count, 1);
        assert!(self.keys <= self.stride && count.is_multiple_of(2));
        for row in 0..self.count {
            let scores = &mut self.scores[row * self.stride..][..self.stride];
            scores[self.keys..].fill(NO_SCORE);
            // SAFETY: vectors < count of one row, checked above; count is even.
            unsafe {
                let scores = scores.as_ptr();
                let out = self.out.as_mut_ptr().add(row * self.stride);
                // Two independent maxima and sums hide the latency.
                let mut top = [L::load(scores), L::load(scores.add(L::LANES))];
                for i in (2..count).step_by(2) {
                    top[0] = L::max(top[0], L::load(scores.add(i * L::LANES)));
                    top[1] = L::max(top[1], L::load(scores.add((i + 1) * L::LANES)));
                }
                let top = L::largest(L::max(top[0], top[1]));
                let mut totals = [L::splat(0.0); 2];
                for i in (0..count).step_by(2) {
                    let one = L::exp(L::sub(L::load(scores.add(i * L::LANES)), L::splat(top)));
                    let two = L::exp(L::sub(L::load(scores.add((i + 1) * L::LANES)), L::splat(top)));
                    totals = [L::add(totals[0], one), L::add(totals[1], two)];
                    L::store_two(out.add(i * L::LANES), one, two);
                }
                let total = L::sum(L::add(totals[0], totals[1]));
                self.inverse[row] = 1.0 / total;
                self.logsumexp[row] = top + total.ln();
            }
            let out = &mut self.out[row * self.stride..][..self.stride];
            out[self.keys..].fill(L::E::default());
        }
    }
}

/// out[row] = Σ a·b over `width` values of each row.
pub struct DotRows<'a, E> {
    pub a: &'a [E],
    pub a_stride: usize,
    pub b: &'a [E],
    pub b_stride: usize,
    pub width: usize,
    pub out: &'a mut [f32],
}

impl<L: Lanes> Work<L> for DotRows<'_, L::E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run(self) {
        let whole = self.width / L::LANES;
        for (row, out) in self.out.iter_mut().enumerate() {
            let a = &self.a[row * self.a_stride..][..self.width];
            let b = &self.b[row * self.b_stride..][..self.width];
            // SAFETY: whole·LANES ≤ width, the length of both.
            *out = unsafe {
                let mut sum = L::splat(0.0);
                for i in 0..whole {
                    let at = i * L::LANES;
                    sum = L::fma(L::load_elements(a.as_ptr().add(at)), L::load_elements(b.as_ptr().add(at)), sum);
                }
                L::sum(sum)
            };
            for i in whole * L::LANES..self.width {
                *out += a[i].to_f32() * b[i].to_f32();
            }
        }
    }
}

/// to += from, whole vectors.
pub struct AddTo<'a> {
    pub to: &'a mut [f32],
    pub from: &'a [f32],
}

impl<L: Lanes> Work<L> for AddTo<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run(self) {
        assert!(self.from.len() >= self.to.len());
        for i in 0..vectors::<L>(self.to.len()) {
            // SAFETY: i·LANES + LANES ≤ the length of both.
            unsafe {
                let to = self.to.as_mut_ptr().add(i * L::LANES);
                L::store(to, L::add(L::load(to), L::load(self.from.as_ptr().add(i * L::LANES))));
            }
        }
    }
}

/// Copies float32 rows of `width` values to rows of operands, rounded; columns beyond `width` stay unchanged.
pub struct ToRowsOf<'a, E> {
    pub from: &'a [f32],
    pub from_stride: usize,
    pub to: &'a mut [E],
    pub to_stride: usize,
    pub count: usize,
    pub width: usize,
}

impl<L: Lanes> Work<L> for ToRowsOf<'_, L::E> {
    type Output = ();
    #[inline(always)]
    unsafe fn run(self) {
        let whole = self.width / L::LANES;
        for row in 0..self.count {
            let from = &self.from[row * self.from_stride..][..self.width];
            let to = &mut self.to[row * self.to_stride..][..self.width];
            for i in 0..whole {
                // SAFETY: whole·LANES ≤ width, the length of both.
                unsafe {
                    L::store_elements(to.as_mut_ptr().add(i * L::LANES), L::load(from.as_ptr().add(i * L::LANES)))
                };
            }
            for i in whole * L::LANES..self.width {
                to[i] = L::E::from_f32(from[i]);
            }
        }
    }
}
