//! The matrix product of all layers: computes C = A·B block by block in registers,
//! and does the element-wise work before a block leaves them.
//!
//! Two layouts of operands. *Rows*: row-major, the summed index contiguous. *Panels*: NR columns at a time,
//! PAIR consecutive values of the summed index adjacent for each column (element (k, n) of a panel lies at
//! (k / PAIR)·NR·PAIR + n·PAIR + k mod PAIR). A is read from either, B from panels. All sides are padded with zeros:
//! rows to an even number, the summed index to PAIR, columns to NR.
//!
//! A level without tiles keeps a block's sums in vectors throughout.
//! A level with tiles computes larger blocks in them, stores the sums,
//! and hands them to the epilogue in pieces of a vector block's size.

use crate::buffer::Buffer;
use crate::simd::{Bf16, Element, Lanes, Work};
use crate::tiles::{self, Config, Sums, Tiles};

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
    /// As Rows, but a block has rows r … of the first half and rows half + r …
    /// of the second half: gates and their ups.
    Gated { data: &'a [E], stride: usize, half: usize },
    /// Row m of A is column m of panels of `panel` elements each.
    Columns { data: &'a [E], panel: usize },
}

/// The right operand B in panels of `panel` elements each.
#[derive(Clone, Copy)]
pub struct Right<'a, E> {
    pub data: &'a [E],
    pub panel: usize,
    pub columns: usize,
}

/// What happens to a block of C while it is in registers.
pub trait Epilogue<L: Lanes> {
    /// Blocks are a multiple of this many rows.
    const UNIT: usize = 2;
    /// Whether blocks have gates in their upper and ups in their lower half ([`Left::Gated`]).
    const GATED: bool = false;
    /// Whether the last panel may be half as wide.
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
    /// Loop over A's rows outside and B's panels inside, instead of the reverse:
    /// the outer operand is read from memory only once.
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
    /// Splits rows into blocks of at most MR rows, as evenly as possible:
    /// a short block at the end would waste the vector unit.
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
            Left::Rows { stride, .. } => {
                split(0, self.rows, &|row, height| (row * stride, (row + height / 2) * stride))
            }
            // `row` counts gates and ups, so a block starts at row / 2 in each half.
            Left::Gated { stride, half, .. } => {
                split(0, self.rows, &|row, _| (row / 2 * stride, (half + row / 2) * stride))
            }
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
    unsafe fn run(mut self) {
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
        assert!(
            right_end <= self.right.data.len(),
            "right operand: ends at {right_end}, the buffer at {}",
            self.right.data.len()
        );
        let covered = strips.last().map_or(0, |s| (s.row + s.height) as usize);
        self.epilogue.check(covered, panels);

        let narrow = P::HALF_PANELS && self.right.columns - (panels - 1) * L::NR <= L::LANES;
        // SAFETY: both operands were checked above for all strips and panels, the epilogue by its own check.
        unsafe {
            if L::Tiles::PRESENT {
                self.in_tiles(&strips, Operand { data: left.as_ptr(), row, step }, steps, panels, narrow);
            } else {
                self.in_vectors(&strips, Operand { data: left.as_ptr(), row, step }, steps, panels, narrow);
            }
        }
    }
}

/// A as a pointer; rows of a strip's half are `row` elements apart, operands within a row `step` elements.
#[derive(Clone, Copy)]
struct Operand<E> {
    data: *const E,
    row: usize,
    step: usize,
}

impl<L: Lanes, P: Epilogue<L>> Product<'_, L, P> {
    /// # Safety
    /// Operands and outputs hold every strip and panel; inside the level.
    #[inline(always)]
    unsafe fn in_vectors(&mut self, strips: &[Strip], a: Operand<L::E>, steps: usize, panels: usize, narrow: bool) {
        let (outer, inner) = if self.rows_outer { (strips.len(), panels) } else { (panels, strips.len()) };
        for o in 0..outer {
            for i in 0..inner {
                let (strip, panel) = if self.rows_outer { (strips[o], i) } else { (strips[i], o) };
                // SAFETY: the caller's.
                unsafe {
                    let (a0, a1) = (a.data.add(strip.first), a.data.add(strip.second));
                    let b = self.right.data.as_ptr().add(panel * self.right.panel);
                    let at = Place { row: strip.row as usize, panel };
                    if P::HALF_PANELS && narrow && panel + 1 == panels {
                        pick_height::<L, P, 1>(&mut self.epilogue, strip.height, a0, a1, a.row, a.step, b, steps, at);
                    } else {
                        pick_height::<L, P, 2>(&mut self.epilogue, strip.height, a0, a1, a.row, a.step, b, steps, at);
                    }
                }
            }
        }
    }

    /// # Safety
    /// As [`Product::in_vectors`].
    #[inline(always)]
    unsafe fn in_tiles(&mut self, strips: &[Strip], a: Operand<L::E>, steps: usize, panels: usize, narrow: bool) {
        // Tiles need a row's operands side by side, but panels have those of a column apart:
        // a strip of columns is transposed, once for all panels of B.
        let columns = matches!(self.left, Left::Columns { .. });
        let stride = steps * L::E::PAIR;
        let mut turned = Buffer::<L::E>::zeros(if columns { L::MR * stride } else { 0 });
        let rows_outer = self.rows_outer || columns;
        let mut sums = Sums::zeros();
        // Strips of one height go together: changing the shapes of the tiles takes as long as a small block.
        for strips in strips.chunk_by(|one, next| one.height == next.height) {
            let half = strips[0].height as usize / 2;
            // SAFETY: the caller is inside a level with tiles.
            unsafe { L::Tiles::configure(&Config::of(half, steps % tiles::PAIRS)) };
            let (outer, inner) = if rows_outer { (strips.len(), panels) } else { (panels, strips.len()) };
            for o in 0..outer {
                for i in 0..inner {
                    let (strip, panel) = if rows_outer { (strips[o], i) } else { (strips[i], o) };
                    // SAFETY: the caller's; `turned` holds MR rows.
                    unsafe {
                        let (a0, a1, row) = if columns {
                            if i == 0 {
                                let from = a.data.add(strip.first);
                                transpose_strip::<L>(from, a.step, 2 * half, steps, &mut turned, stride);
                            }
                            (turned.as_ptr(), turned.as_ptr().add(half * stride), stride)
                        } else {
                            (a.data.add(strip.first), a.data.add(strip.second), a.row)
                        };
                        let (a0, a1) = (a0.cast::<Bf16>(), a1.cast::<Bf16>());
                        let b = self.right.data.as_ptr().add(panel * self.right.panel).cast::<Bf16>();
                        let at = Place { row: strip.row as usize, panel };
                        if P::HALF_PANELS && narrow && panel + 1 == panels {
                            tiles::block::<L::Tiles, 1>(a0, a1, row, b, steps, half, &mut sums);
                            hand_over::<L, P, 1>(&mut self.epilogue, &sums, half, at);
                        } else {
                            tiles::block::<L::Tiles, 2>(a0, a1, row, b, steps, half, &mut sums);
                            hand_over::<L, P, 2>(&mut self.epilogue, &sums, half, at);
                        }
                    }
                }
            }
        }
        // SAFETY: the caller's.
        unsafe { L::Tiles::release() };
    }
}

/// Transposes a strip of panels, whose pairs of the summed index are `step` elements apart, to rows `stride` apart.
///
/// # Safety
/// `from` holds `height` columns of `steps` pairs, `out` as many rows; inside the level.
#[inline(always)]
unsafe fn transpose_strip<L: Lanes>(
    from: *const L::E,
    step: usize,
    height: usize,
    steps: usize,
    out: &mut [L::E],
    stride: usize,
) {
    let pair = L::E::PAIR;
    let whole = steps / L::LANES * L::LANES;
    for row in (0..height).step_by(L::LANES) {
        let rows = L::LANES.min(height - row);
        let done = if rows == L::LANES { whole } else { 0 };
        // SAFETY: rows < height and pairs < steps on both sides; unaligned access.
        unsafe {
            let (from, out) = (from.add(row * pair), out.as_mut_ptr().add(row * stride));
            for k in (0..done).step_by(L::LANES) {
                L::transpose(from.add(k * step), step, out.add(k * pair), stride);
            }
            for k in done..steps {
                for m in 0..rows {
                    let value = from.add(k * step).cast::<u32>().add(m).read_unaligned();
                    out.add(m * stride).cast::<u32>().add(k).write_unaligned(value);
                }
            }
        }
    }
}

/// Hands the sums of a block of 2·half rows to the epilogue, eight rows at a time.
///
/// # Safety
/// As [`Epilogue::apply`]; `sums` holds the block.
#[inline(always)]
unsafe fn hand_over<L: Lanes, P: Epilogue<L>, const V: usize>(epilogue: &mut P, sums: &Sums, half: usize, at: Place) {
    // SAFETY: the caller's.
    unsafe {
        for done in (0..2 * half).step_by(8) {
            match (2 * half - done).min(8) {
                8 => hand_rows::<L, P, 8, V>(epilogue, sums, half, done, at),
                6 => hand_rows::<L, P, 6, V>(epilogue, sums, half, done, at),
                4 => hand_rows::<L, P, 4, V>(epilogue, sums, half, done, at),
                _ => hand_rows::<L, P, 2, V>(epilogue, sums, half, done, at),
            }
        }
    }
}

/// Hands the next M rows of a block's sums, after `done`, to the epilogue; of gated blocks, M/2 gates and their ups.
///
/// # Safety
/// As [`hand_over`].
#[inline(always)]
unsafe fn hand_rows<L: Lanes, P: Epilogue<L>, const M: usize, const V: usize>(
    epilogue: &mut P,
    sums: &Sums,
    half: usize,
    done: usize,
    at: Place,
) {
    // SAFETY: the caller's.
    unsafe {
        let mut block = [[L::splat(0.0); V]; M];
        for (m, row) in block.iter_mut().enumerate() {
            let from = match P::GATED {
                true => m / (M / 2) * half + done / 2 + m % (M / 2),
                false => done + m,
            };
            for (v, value) in row.iter_mut().enumerate() {
                *value = L::load(sums.0.as_ptr().add((from * V + v) * L::LANES));
            }
        }
        let first = if P::GATED { (at.row + done) / 2 } else { at.row + done };
        epilogue.apply::<M, V>(first, at.panel, &block);
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

/// Computes one full block of MR × NR sums repeatedly, to measure the peak of the vector or tile unit.
/// `a` holds MR rows of `depth`, `b` one panel.
pub struct BlockRun<'a, E> {
    pub a: &'a [E],
    pub b: &'a [E],
    pub depth: usize,
    pub repeats: usize,
}

impl<L: Lanes> Work<L> for BlockRun<'_, L::E> {
    type Output = ();

    #[inline(always)]
    unsafe fn run(self) {
        let (steps, step, half) = (self.depth / L::E::PAIR, L::E::PAIR, L::MR / 2);
        assert!(
            self.depth.is_multiple_of(L::E::PAIR)
                && self.a.len() >= L::MR * self.depth
                && self.b.len() >= panel_length::<L>(self.depth)
        );
        let mut sums = Sums::zeros();
        // SAFETY: MR rows and one panel, checked above.
        unsafe {
            let (a0, a1, b) = (self.a.as_ptr(), self.a.as_ptr().add(half * self.depth), self.b.as_ptr());
            if L::Tiles::PRESENT {
                L::Tiles::configure(&Config::of(half, steps % tiles::PAIRS));
                for _ in 0..self.repeats {
                    tiles::block::<L::Tiles, 2>(a0.cast(), a1.cast(), self.depth, b.cast(), steps, half, &mut sums);
                    std::hint::black_box(&sums);
                }
                L::Tiles::release();
                return;
            }
            macro_rules! heights {
                ($($m:literal)*) => {
                    match L::MR {
                        $($m => for _ in 0..self.repeats {
                            let block = block::<L, $m, 2>(std::hint::black_box(a0), a1, self.depth, step, b, steps);
                            for (m, row) in block.iter().enumerate() {
                                L::store(sums.0.as_mut_ptr().add(2 * m * L::LANES), row[0]);
                                L::store(sums.0.as_mut_ptr().add((2 * m + 1) * L::LANES), row[1]);
                            }
                            std::hint::black_box(&sums);
                        },)*
                        _ => unreachable!("no level has blocks of {} rows", L::MR),
                    }
                };
            }
            heights!(12 6 4);
        }
    }
}
