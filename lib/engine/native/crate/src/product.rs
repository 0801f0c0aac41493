//! One matrix product for everything: C = A·B block by block in registers, with the element-wise work done before a block leaves them.
//!
//! Two layouts of operands. *Rows*: row-major, the summed index contiguous. *Panels*: NR columns at a time,
//! PAIR consecutive values of the summed index adjacent for each column (element (k, n) of a panel lies at
//! (k / PAIR)·NR·PAIR + n·PAIR + k mod PAIR). A is read from either, B from panels. All sides are padded with zeros:
//! rows to an even number, the summed index to PAIR, columns to NR.

use crate::simd::{Element, Lanes, Work};

/// Elements of one panel for a summed index of length `depth`.
pub fn panel_length<L: Lanes>(depth: usize) -> usize {
    depth.next_multiple_of(L::E::PAIR) * L::NR
}

/// Elements of all panels of a [depth × columns] operand.
pub fn panels_length<L: Lanes>(depth: usize, columns: usize) -> usize {
    columns.div_ceil(L::NR) * panel_length::<L>(depth)
}

/// The left operand A.
#[derive(Clone, Copy)]
pub enum Left<'a, E> {
    /// Row m at m·stride.
    Rows { data: &'a [E], stride: usize },
    /// As Rows, for a block that holds rows r … of the first half and rows half + r … of the second: gates and their ups.
    Gated { data: &'a [E], stride: usize, half: usize },
    /// Row m of A is column m of panels that are `panel` elements long.
    Columns { data: &'a [E], panel: usize },
}

/// The right operand B in panels that are `panel` elements long.
#[derive(Clone, Copy)]
pub struct Right<'a, E> {
    pub data: &'a [E],
    pub panel: usize,
    pub columns: usize,
}

/// What is done with a block of C while it is in registers.
pub trait Epilogue<L: Lanes> {
    /// Blocks are a multiple of this many rows.
    const UNIT: usize = 2;
    /// Blocks hold gates in their upper and ups in their lower half ([`Left::Gated`]).
    const GATED: bool = false;
    /// The last panel may be half as wide.
    const HALF_PANELS: bool = false;
    /// Panics unless every write for `rows` × `panels` stays inside the outputs.
    fn check(&self, rows: usize, panels: usize);
    /// Takes the block of C at (row, panel·NR); for gated products `row` counts the first half's rows.
    ///
    /// # Safety
    /// Inside [`crate::simd::Level::enter`], after `check` passed, with the block inside the checked range.
    unsafe fn apply<const M: usize, const V: usize>(&mut self, row: usize, panel: usize, block: &[[L::F; V]; M]);
}

/// C [rows × right.columns] = A [rows × depth]·B [depth × columns], handed to the epilogue.
pub struct Product<'a, L: Lanes, P> {
    pub left: Left<'a, L::E>,
    pub rows: usize,
    pub right: Right<'a, L::E>,
    pub depth: usize,
    /// Keep a block of A's rows and walk B's panels, instead of the other way round: for the operand that is read once from afar.
    pub rows_outer: bool,
    pub epilogue: P,
}

/// A block's address in A.
#[derive(Clone, Copy)]
struct Strip {
    first: usize,
    second: usize,
    row: u32,
    height: u32,
}

impl<L: Lanes, P: Epilogue<L>> Product<'_, L, P> {
    /// Splits rows into blocks of at most MR rows, as even as can be: a short block at the end would waste the vector unit.
    fn strips(&self) -> Vec<Strip> {
        let mut strips = Vec::with_capacity(self.rows / L::MR + 8);
        let mut split = |from: usize, rows: usize, locate: &dyn Fn(usize, usize) -> (usize, usize)| {
            let units = rows.div_ceil(P::UNIT);
            let blocks = units.div_ceil(L::MR / P::UNIT);
            let mut row = from;
            for block in 0..blocks {
                let height = (units / blocks + usize::from(block < units % blocks)) * P::UNIT;
                let (first, second) = locate(row, height);
                strips.push(Strip { first, second, row: row as u32, height: height as u32 });
                row += height;
            }
        };
        match self.left {
            Left::Rows { stride, .. } => split(0, self.rows, &|row, height| (row * stride, (row + height / 2) * stride)),
            // Rows advance by half a height: gates only.
            Left::Gated { stride, half, .. } => split(0, self.rows, &|row, _| (row / 2 * stride, (half + row / 2) * stride)),
            Left::Columns { panel, .. } => {
                for from in (0..self.rows).step_by(L::NR) {
                    let pair = L::E::PAIR;
                    split(from, L::NR.min(self.rows - from), &|row, height| {
                        let first = row / L::NR * panel + row % L::NR * pair;
                        (first, first + height / 2 * pair)
                    });
                }
            }
        }
        strips
    }
}

impl<L: Lanes, P: Epilogue<L>> Work<L> for Product<'_, L, P> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let pair = L::E::PAIR;
        let steps = self.depth.div_ceil(pair);
        let panels = self.right.columns.div_ceil(L::NR);
        let strips = self.strips();
        let (left, row, step) = match self.left {
            Left::Rows { data, stride } | Left::Gated { data, stride, .. } => (data, stride, pair),
            Left::Columns { data, .. } => (data, pair, L::NR * pair),
        };
        if strips.is_empty() || panels == 0 || steps == 0 {
            return;
        }
        let reach = (steps - 1) * step + pair;
        for strip in &strips {
            let half = strip.height as usize / 2;
            let last = strip.first.max(strip.second) + (half - 1) * row + reach;
            assert!(last <= left.len(), "left operand: a block ends at {last}, the buffer at {}", left.len());
        }
        let right_end = (panels - 1) * self.right.panel + steps * L::NR * pair;
        assert!(right_end <= self.right.data.len(), "right operand: ends at {right_end}, the buffer at {}", self.right.data.len());
        let covered = strips.last().map_or(0, |s| (s.row + s.height) as usize);
        self.epilogue.check(covered, panels);

        let narrow = P::HALF_PANELS && self.right.columns - (panels - 1) * L::NR <= L::LANES;
        let (outer, inner) = if self.rows_outer { (strips.len(), panels) } else { (panels, strips.len()) };
        for o in 0..outer {
            for i in 0..inner {
                let (strip, panel) = if self.rows_outer { (strips[o], i) } else { (strips[i], o) };
                // SAFETY: both operands were checked above for every strip and panel, the epilogue by its own check.
                unsafe {
                    let a0 = left.as_ptr().add(strip.first);
                    let a1 = left.as_ptr().add(strip.second);
                    let b = self.right.data.as_ptr().add(panel * self.right.panel);
                    let at = Place { row: strip.row as usize, panel };
                    if P::HALF_PANELS && narrow && panel + 1 == panels {
                        pick_height::<L, P, 1>(&mut self.epilogue, strip.height, a0, a1, row, step, b, steps, at);
                    } else {
                        pick_height::<L, P, 2>(&mut self.epilogue, strip.height, a0, a1, row, step, b, steps, at);
                    }
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Place {
    row: usize,
    panel: usize,
}

/// Runs the kernel compiled for the strip's height.
///
/// # Safety
/// As [`block`] and [`Epilogue::apply`].
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn pick_height<L: Lanes, P: Epilogue<L>, const V: usize>(
    epilogue: &mut P,
    height: u32,
    a0: *const L::E,
    a1: *const L::E,
    row: usize,
    step: usize,
    b: *const L::E,
    steps: usize,
    at: Place,
) {
    macro_rules! heights {
        ($($m:literal)*) => {
            match height {
                $($m if $m <= L::MR => {
                    // SAFETY: the caller's.
                    unsafe {
                        let sums = block::<L, $m, V>(a0, a1, row, step, b, steps);
                        let first = if P::GATED { at.row / 2 } else { at.row };
                        epilogue.apply::<$m, V>(first, at.panel, &sums);
                    }
                })*
                _ => unreachable!("strips are at most MR rows high"),
            }
        };
    }
    heights!(12 10 8 6 4 2)
}

/// Sums of an M × V·LANES block of C over `steps` multiply-adds.
///
/// # Safety
/// Rows i·row of a0 and a1 (i < M/2) hold an operand at every s·step, s < steps; b holds steps·NR·PAIR elements.
#[inline(always)]
unsafe fn block<L: Lanes, const M: usize, const V: usize>(
    mut a0: *const L::E,
    mut a1: *const L::E,
    row: usize,
    step: usize,
    mut b: *const L::E,
    steps: usize,
) -> [[L::F; V]; M] {
    // SAFETY: the caller's.
    unsafe {
        let mut sums = [[L::splat(0.0); V]; M];
        for _ in 0..steps {
            let mut columns = [L::load_operand(b); V];
            for (v, column) in columns.iter_mut().enumerate().skip(1) {
                *column = L::load_operand(b.add(v * L::LANES * L::E::PAIR));
            }
            for (m, sums) in sums.iter_mut().enumerate() {
                let a = L::broadcast(if m < M / 2 { a0.add(m * row) } else { a1.add((m - M / 2) * row) });
                for v in 0..V {
                    sums[v] = L::dot(sums[v], a, columns[v]);
                }
            }
            a0 = a0.add(step);
            a1 = a1.add(step);
            b = b.add(L::NR * L::E::PAIR);
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Buffer;
    use crate::epilogue::Add;
    use crate::isa::{Isa, LEVELS};
    use crate::portable::Portable;
    use crate::simd::Level;

    /// Numbers without pattern in −1 … 1, exact in bfloat16: both precisions then compute the same products.
    fn values(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (((state >> 16) % 129) as f32 - 64.0) / 64.0
            })
            .collect()
    }

    /// Every shape up to odd edges: C += A·B against three loops.
    fn agrees<L: Level>() {
        for (rows, depth, columns) in [(1, 1, 1), (2, 3, 5), (7, 13, 17), (12, 32, 32), (13, 33, 31), (29, 7, 65), (38, 97, 48), (64, 64, 33)] {
            let (a, b) = (values(rows * depth, 1), values(depth * columns, 2));
            let stride = depth.next_multiple_of(L::E::PAIR);
            let mut left = Buffer::<L::E>::zeros(rows.next_multiple_of(2) * stride);
            for m in 0..rows {
                for k in 0..depth {
                    left[m * stride + k] = L::E::from_f32(a[m * depth + k]);
                }
            }
            let panel = panel_length::<L>(depth);
            let mut right = Buffer::<L::E>::zeros(panels_length::<L>(depth, columns));
            let pair = L::E::PAIR;
            for k in 0..depth {
                for n in 0..columns {
                    right[n / L::NR * panel + k / pair * L::NR * pair + n % L::NR * pair + k % pair] = L::E::from_f32(b[k * columns + n]);
                }
            }
            let c_stride = columns.next_multiple_of(L::NR);
            let mut c = vec![0.5; rows.next_multiple_of(2) * c_stride];
            for rows_outer in [false, true] {
                L::enter(Product::<L, _> {
                    left: Left::Rows { data: &left, stride },
                    rows,
                    right: Right { data: &right, panel, columns },
                    depth,
                    rows_outer,
                    epilogue: Add::to(&mut c, c_stride),
                });
            }
            for m in 0..rows {
                for n in 0..columns {
                    let product: f64 = (0..depth).map(|k| f64::from(a[m * depth + k]) * f64::from(b[k * columns + n])).sum();
                    let (mine, expected) = (f64::from(c[m * c_stride + n]), 0.5 + 2.0 * product);
                    // Sums of up to 97 products below 1 in float32: 97 · 2⁻²⁴ · 97 at worst.
                    assert!((mine - expected).abs() < 6e-4, "{} {rows}×{depth}×{columns} ({m}, {n}): {mine} against {expected}", L::NAME);
                }
            }
        }
    }

    #[test]
    fn products_agree_with_three_loops_at_every_level() {
        for level in LEVELS {
            if !level.detected() {
                println!("{}: not on this CPU", level.name());
                continue;
            }
            match level {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512Bf16 => agrees::<crate::x86::Avx512Bf16>(),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => agrees::<crate::x86::Avx512>(),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => agrees::<crate::x86::Avx2>(),
                _ => agrees::<Portable>(),
            }
        }
    }
}
