//! Compares every kernel at every level with a naive version in double precision, over odd sizes.
//!
//! Levels that this CPU lacks are listed on standard error, past the test runner's capture.
//! The software levels replace them in testing bfloat16's layouts and the tile product,
//! but not AVX-512's own instructions.

use std::io::Write;
use std::sync::Once;

use crate::buffer::Buffer;
use crate::epilogue::{
    Add, AttentionWeights, GateColumns, GateColumnsGradient, GateRows, GateRowsGradient, Scaled, ScoreGradient, ToRows,
    ToScaledRows,
};
use crate::isa::LEVELS;
use crate::linear::{Linear, LinearGradient};
use crate::muon::Muon;
use crate::optimizer::{Rule, Step, Update};
use crate::pointwise::{
    AddTo, DotRows, NormColumns, NormColumnsGradient, NormRows, NormRowsGradient, Rotate, Softmax, Sum, ToPanels,
    ToRowsOf, TransposeToPanels,
};
use crate::product::{Left, Product, Right, panel_length, panels_length};
use crate::simd::{Element, Level};

/// Pseudo-random numbers.
pub struct Numbers(u32);

impl Numbers {
    pub fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(2_654_435_761).wrapping_add(12_345))
    }

    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 16
    }

    /// 1 … most.
    pub fn size(&mut self, most: usize) -> usize {
        1 + self.next() as usize % most
    }

    /// In −1 … 1, exact in bfloat16: both precisions then start from the same operands.
    pub fn values(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| ((self.next() % 129) as f32 - 64.0) / 64.0).collect()
    }
}

/// Lists the levels that are not tested on this CPU, once per run.
pub fn name_absent_levels() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let absent: Vec<_> = LEVELS.iter().filter(|level| !level.detected()).map(|level| level.name()).collect();
        if !absent.is_empty() {
            // Not eprintln!, whose output the test runner hides when a test passes.
            writeln!(std::io::stderr(), "levels that this CPU lacks, NOT tested: {}", absent.join(", "))
                .expect("stderr is open");
        }
    });
}

/// Tests each named function at every level of this CPU and at the software levels.
macro_rules! test_at_every_level {
    ($($name:ident)*) => {
        mod at_every_level {
            $(#[test]
            fn $name() {
                $crate::kernel_tests::name_absent_levels();
                super::$name::<$crate::portable::Portable>();
                super::$name::<$crate::soft::SoftVectors>();
                super::$name::<$crate::soft::SoftAmx>();
                #[cfg(target_arch = "x86_64")]
                {
                    use $crate::{isa::Isa, x86};
                    if Isa::Avx2.detected() {
                        super::$name::<x86::Avx2>();
                    }
                    if Isa::Avx512.detected() {
                        super::$name::<x86::Avx512>();
                    }
                    if Isa::Avx512Bf16.detected() {
                        super::$name::<x86::Avx512Bf16>();
                    }
                    if Isa::Amx.detected() {
                        super::$name::<x86::Amx>();
                    }
                }
            })*
        }
    };
}
pub(crate) use test_at_every_level;

test_at_every_level! {
    products gated_columns gated_columns_backwards gated_rows gated_rows_backwards attention_weights score_gradients
    sums norms_of_rows norms_of_columns changes_of_layout rotations softmaxes small_pointwise heads optimizer_steps
    muon_steps exponentials
}

/// Half a unit in the last place of an operand, plus the level's approximations.
fn rounding<L: Level>() -> f64 {
    if L::E::PAIR == 1 { 1e-6 } else { 4.5e-3 }
}

/// Panics unless `mine` is within the level's rounding of `exact`, plus `slack` for float32 sums.
fn close<L: Level>(what: &str, mine: f32, exact: f64, slack: f64) {
    let error = (f64::from(mine) - exact).abs();
    assert!(error <= rounding::<L>() * exact.abs() + slack, "{}, {what}: {mine} against {exact}", L::NAME);
}

fn rows_of<L: Level>(values: &[f32], columns: usize, stride: usize) -> Buffer<L::E> {
    let rows = values.len() / columns;
    let mut out = Buffer::<L::E>::zeros((rows + 1).next_multiple_of(2) * stride + L::NR);
    for (i, &value) in values.iter().enumerate() {
        out[i / columns * stride + i % columns] = L::E::from_f32(value);
    }
    out
}

/// Offset of (k, n) in panels.
fn in_panels<L: Level>(panel: usize, k: usize, n: usize) -> usize {
    let pair = L::E::PAIR;
    n / L::NR * panel + k / pair * L::NR * pair + n % L::NR * pair + k % pair
}

/// [depth × columns] values as panels that are `panel` elements long.
fn panels_of<L: Level>(values: &[f32], columns: usize, panel: usize) -> Buffer<L::E> {
    let mut out = Buffer::<L::E>::zeros(columns.div_ceil(L::NR) * panel);
    for (i, &value) in values.iter().enumerate() {
        out[in_panels::<L>(panel, i / columns, i % columns)] = L::E::from_f32(value);
    }
    out
}

/// [rows × depth]·[depth × columns], by three loops.
fn multiplied(a: &[f32], b: &[f32], depth: usize, columns: usize) -> Vec<f64> {
    let at = |i: usize| {
        let (m, n) = (i / columns, i % columns);
        (0..depth).map(|k| f64::from(a[m * depth + k]) * f64::from(b[k * columns + n])).sum()
    };
    (0..a.len() / depth * columns).map(at).collect()
}

fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
    let rows = values.len() / columns;
    (0..values.len()).map(|i| values[i % rows * columns + i / rows]).collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// silu(gate)·up, and its derivatives by gate and by up times d.
fn swiglu(gate: f64, up: f64, d: f64) -> (f64, f64, f64) {
    let s = sigmoid(gate);
    (gate * s * up, d * up * (s + gate * s * (1.0 - s)), d * gate * s)
}

/// Rows, depth and columns: edge cases of every block size, then random ones.
fn shapes(seed: u32) -> Vec<(usize, usize, usize)> {
    let mut numbers = Numbers::new(seed);
    let edges = [
        (1, 1, 1),
        (2, 3, 5),
        (7, 13, 17),
        (12, 32, 32),
        (13, 33, 31),
        (33, 31, 65),
        (38, 97, 48),
        (64, 64, 33),
        (97, 62, 16),
    ];
    edges.into_iter().chain((0..8).map(|_| (numbers.size(70), numbers.size(100), numbers.size(90)))).collect()
}

/// Products of both layouts of the left operand into sums, scaled rows, rows of operands, and groups of panels.
fn products<L: Level>() {
    for (seed, (rows, depth, columns)) in shapes(1).into_iter().enumerate() {
        let mut numbers = Numbers::new(seed as u32);
        let (a, b) = (numbers.values(rows * depth), numbers.values(depth * columns));
        let exact = multiplied(&a, &b, depth, columns);
        let what = |kind: &str, i: usize| format!("{kind} of {rows}×{depth}×{columns} at {i}");
        // A sum of `depth` products below 1 in float32.
        let slack = depth as f64 * 2e-6;
        let a_stride = depth.next_multiple_of(2) + 2;
        let left_rows = rows_of::<L>(&a, depth, a_stride);
        let left_panel = panel_length::<L>(depth);
        let left_panels = panels_of::<L>(&transposed(&a, depth), rows, left_panel);
        let panel = panel_length::<L>(depth) + L::NR * L::E::PAIR;
        let right_data = panels_of::<L>(&b, columns, panel);
        let right = Right { data: &right_data, panel, columns };
        let lefts = [
            Left::Rows { data: &left_rows, stride: a_stride },
            Left::Columns { data: &left_panels, panel: left_panel },
        ];
        let stride = columns.next_multiple_of(L::NR);
        let even = rows.next_multiple_of(2);
        for left in lefts {
            for rows_outer in [false, true] {
                // One row more than is written, which must stay unchanged; rows are whole vectors wide, as gradients'.
                let narrow = columns.next_multiple_of(L::LANES);
                let mut sums = vec![0.5f32; even * narrow + 7];
                L::enter(Product::<L, _> {
                    left,
                    rows,
                    right,
                    depth,
                    rows_outer,
                    epilogue: Add::to(&mut sums, narrow),
                });
                for (i, exact) in exact.iter().enumerate() {
                    close::<L>(&what("sums", i), sums[i / columns * narrow + i % columns] - 0.5, *exact, slack + 1e-7);
                }
                assert!(sums[even * narrow..].iter().all(|&value| value == 0.5), "{}: wrote beyond the end", L::NAME);
            }
        }
        let left = lefts[0];
        let mut out = vec![0.0f32; even * stride];
        L::enter(Product::<L, _> {
            left,
            rows,
            right,
            depth,
            rows_outer: false,
            epilogue: Scaled { out: &mut out, stride, scale: 0.25 },
        });
        let mut operands = Buffer::<L::E>::zeros(even * (stride + 3) + L::NR);
        let epilogue = ToRows { out: &mut operands, stride: stride + 3 };
        L::enter(Product::<L, _> { left, rows, right, depth, rows_outer: true, epilogue });
        let (scale, mut by_row) = (numbers.values(even), Buffer::<L::E>::zeros(even * (stride + 3) + L::NR));
        let epilogue = ToScaledRows { scale: &scale, out: &mut by_row, stride: stride + 3, column: 3 };
        L::enter(Product::<L, _> { left, rows, right, depth, rows_outer: false, epilogue });
        for (i, exact) in exact.iter().enumerate() {
            let (m, n) = (i / columns, i % columns);
            close::<L>(&what("scaled", i), out[m * stride + n], 0.25 * exact, slack);
            close::<L>(
                &what("scaled by row", i),
                by_row[m * (stride + 3) + 3 + n].to_f32(),
                exact * f64::from(scale[m]),
                slack,
            );
            close::<L>(&what("operands", i), operands[m * (stride + 3) + n].to_f32(), *exact, slack);
        }
        // Two panels a group.
        let groups = stride / L::NR;
        let mut grouped = vec![0.0f32; groups.div_ceil(2) * even * 2 * L::NR];
        let epilogue = Add { sums: &mut grouped, stride: 2 * L::NR, group: 2, group_stride: even * 2 * L::NR };
        L::enter(Product::<L, _> {
            left,
            rows,
            right: Right { columns: stride, ..right },
            depth,
            rows_outer: false,
            epilogue,
        });
        for (i, exact) in exact.iter().enumerate() {
            let (m, n) = (i / columns, i % columns);
            let at = n / (2 * L::NR) * even * 2 * L::NR + m * 2 * L::NR + n % (2 * L::NR);
            close::<L>(&what("groups", i), grouped[at], *exact, slack);
        }
    }
}

/// Index of gate or up `i` among columns of LANES gates, LANES ups and so on.
fn alternating<L: Level>(i: usize, up: bool) -> usize {
    i / L::LANES * L::NR + usize::from(up) * L::LANES + i % L::LANES
}

fn gated_columns<L: Level>() {
    for (seed, (rows, depth, inner)) in shapes(2).into_iter().enumerate() {
        let mut numbers = Numbers::new(seed as u32);
        let padded = inner.next_multiple_of(L::NR);
        let (a, gates, ups) =
            (numbers.values(rows * depth), numbers.values(depth * inner), numbers.values(depth * inner));
        let mut b = vec![0.0; depth * 2 * padded];
        for (i, (&gate, &up)) in gates.iter().zip(&ups).enumerate() {
            b[i / inner * 2 * padded + alternating::<L>(i % inner, false)] = gate;
            b[i / inner * 2 * padded + alternating::<L>(i % inner, true)] = up;
        }
        let panel = panel_length::<L>(depth);
        let (right, stride) = (panels_of::<L>(&b, 2 * padded, panel), depth.next_multiple_of(2));
        let left = rows_of::<L>(&a, depth, stride);
        let even = rows.next_multiple_of(2);
        let (mut out, mut saved) = (Buffer::<L::E>::zeros(even * padded), Buffer::<L::E>::zeros(even * 2 * padded));
        L::enter(Product::<L, _> {
            left: Left::Rows { data: &left, stride },
            rows,
            right: Right { data: &right, panel, columns: 2 * padded },
            depth,
            rows_outer: false,
            epilogue: GateColumns { out: &mut out, stride: padded, saved: Some(&mut saved) },
        });
        let (gate, up) = (multiplied(&a, &gates, depth, inner), multiplied(&a, &ups, depth, inner));
        for i in 0..rows * inner {
            let (m, n) = (i / inner, i % inner);
            let slack = 1e-5 * (1.0 + gate[i].abs()) * (1.0 + up[i].abs());
            close::<L>("silu(gate)·up", out[m * padded + n].to_f32(), swiglu(gate[i], up[i], 0.0).0, slack);
            close::<L>("gate", saved[m * 2 * padded + alternating::<L>(n, false)].to_f32(), gate[i], slack);
            close::<L>("up", saved[m * 2 * padded + alternating::<L>(n, true)].to_f32(), up[i], slack);
        }
    }
}

fn gated_columns_backwards<L: Level>() {
    for (seed, (rows, depth, inner)) in shapes(3).into_iter().enumerate() {
        let mut numbers = Numbers::new(seed as u32);
        let padded = inner.next_multiple_of(L::NR);
        let (a, b, gates) =
            (numbers.values(rows * depth), numbers.values(depth * inner), numbers.values(rows * 2 * padded));
        let (panel, stride) = (panel_length::<L>(depth), depth.next_multiple_of(2));
        let (left, right) = (rows_of::<L>(&a, depth, stride), panels_of::<L>(&b, inner, panel));
        let saved = rows_of::<L>(&gates, 2 * padded, 2 * padded);
        let even = rows.next_multiple_of(2);
        let by_token = panel_length::<L>(even);
        let mut out_rows = Buffer::<L::E>::zeros(even * 2 * padded);
        let mut out_panels = Buffer::<L::E>::zeros(panels_length::<L>(even, 2 * padded));
        let mut activated = Buffer::<L::E>::zeros(panels_length::<L>(even, padded));
        L::enter(Product::<L, _> {
            left: Left::Rows { data: &left, stride },
            rows,
            right: Right { data: &right, panel, columns: inner },
            depth,
            rows_outer: false,
            epilogue: GateColumnsGradient {
                saved: &saved,
                inner: padded,
                rows: &mut out_rows,
                panels: &mut out_panels,
                activated: &mut activated,
                panel: by_token,
            },
        });
        let d = multiplied(&a, &b, depth, inner);
        for i in 0..rows * inner {
            let (m, n) = (i / inner, i % inner);
            let (g, u) = (alternating::<L>(n, false), alternating::<L>(n, true));
            let (a, d_gate, d_up) = swiglu(gates[m * 2 * padded + g].into(), gates[m * 2 * padded + u].into(), d[i]);
            let slack = 1e-5 * (1.0 + d[i].abs());
            close::<L>("d gate", out_rows[m * 2 * padded + g].to_f32(), d_gate, slack);
            close::<L>("d up", out_rows[m * 2 * padded + u].to_f32(), d_up, slack);
            close::<L>("d gate in panels", out_panels[in_panels::<L>(by_token, m, g)].to_f32(), d_gate, slack);
            close::<L>("d up in panels", out_panels[in_panels::<L>(by_token, m, u)].to_f32(), d_up, slack);
            close::<L>("activated", activated[in_panels::<L>(by_token, m, n)].to_f32(), a, slack);
        }
    }
}

fn gated_rows<L: Level>() {
    for (seed, (inner, depth, columns)) in shapes(4).into_iter().enumerate() {
        let mut numbers = Numbers::new(seed as u32);
        let (padded, wide) = (inner.next_multiple_of(L::NR), columns.next_multiple_of(L::NR));
        let (gates, ups, b) =
            (numbers.values(inner * depth), numbers.values(inner * depth), numbers.values(depth * columns));
        let mut a = vec![0.0; 2 * padded * depth];
        a[..inner * depth].copy_from_slice(&gates);
        a[padded * depth..][..inner * depth].copy_from_slice(&ups);
        let (panel, stride) = (panel_length::<L>(depth), depth.next_multiple_of(2));
        let (left, right) = (rows_of::<L>(&a, depth, stride), panels_of::<L>(&b, columns, panel));
        let out_panel = panel_length::<L>(padded);
        let mut out = Buffer::<L::E>::zeros(panels_length::<L>(padded, wide));
        let mut saved = Buffer::<L::E>::zeros(2 * padded * wide);
        L::enter(Product::<L, _> {
            left: Left::Gated { data: &left, stride, half: padded },
            rows: 2 * inner,
            right: Right { data: &right, panel, columns },
            depth,
            rows_outer: true,
            epilogue: GateRows {
                out: &mut out,
                panel: out_panel,
                inner: padded,
                saved: Some(&mut saved),
                stride: wide,
            },
        });
        let (gate, up) = (multiplied(&gates, &b, depth, columns), multiplied(&ups, &b, depth, columns));
        for i in 0..inner * columns {
            let (m, n) = (i / columns, i % columns);
            let slack = 1e-5 * (1.0 + gate[i].abs()) * (1.0 + up[i].abs());
            close::<L>(
                "silu(gate)·up",
                out[in_panels::<L>(out_panel, m, n)].to_f32(),
                swiglu(gate[i], up[i], 0.0).0,
                slack,
            );
            close::<L>("gate", saved[m * wide + n].to_f32(), gate[i], slack);
            close::<L>("up", saved[(padded + m) * wide + n].to_f32(), up[i], slack);
        }
    }
}

fn gated_rows_backwards<L: Level>() {
    for (seed, (inner, depth, columns)) in shapes(5).into_iter().enumerate() {
        let mut numbers = Numbers::new(seed as u32);
        let (padded, wide) = (inner.next_multiple_of(L::NR), columns.next_multiple_of(L::NR));
        let (a, b, gates) =
            (numbers.values(inner * depth), numbers.values(depth * columns), numbers.values(2 * padded * wide));
        let (panel, stride) = (panel_length::<L>(depth), depth.next_multiple_of(2));
        let (left, right) = (rows_of::<L>(&a, depth, stride), panels_of::<L>(&b, columns, panel));
        let saved = rows_of::<L>(&gates, wide, wide);
        let out_panel = panel_length::<L>(2 * padded);
        let mut rows = Buffer::<L::E>::zeros(2 * padded * wide);
        let mut panels = Buffer::<L::E>::zeros(panels_length::<L>(2 * padded, wide));
        let mut activated = Buffer::<L::E>::zeros(padded * wide);
        L::enter(Product::<L, _> {
            left: Left::Rows { data: &left, stride },
            rows: inner,
            right: Right { data: &right, panel, columns },
            depth,
            rows_outer: true,
            epilogue: GateRowsGradient {
                saved: &saved,
                inner: padded,
                stride: wide,
                rows: &mut rows,
                panels: &mut panels,
                panel: out_panel,
                activated: &mut activated,
            },
        });
        let d = multiplied(&a, &b, depth, columns);
        for i in 0..inner * columns {
            let (m, n) = (i / columns, i % columns);
            let (a, d_gate, d_up) = swiglu(gates[m * wide + n].into(), gates[(padded + m) * wide + n].into(), d[i]);
            let slack = 1e-5 * (1.0 + d[i].abs());
            close::<L>("d gate", rows[m * wide + n].to_f32(), d_gate, slack);
            close::<L>("d up", rows[(padded + m) * wide + n].to_f32(), d_up, slack);
            close::<L>("d gate in panels", panels[in_panels::<L>(out_panel, m, n)].to_f32(), d_gate, slack);
            close::<L>("d up in panels", panels[in_panels::<L>(out_panel, padded + m, n)].to_f32(), d_up, slack);
            close::<L>("activated", activated[m * wide + n].to_f32(), a, slack);
        }
    }
}

fn attention_weights<L: Level>() {
    for (seed, (queries, depth, keys)) in shapes(6).into_iter().enumerate() {
        let mut numbers = Numbers::new(seed as u32);
        let (a, b, logsumexp) =
            (numbers.values(queries * depth), numbers.values(depth * keys), numbers.values(queries + 1));
        let (panel, stride, wide) = (panel_length::<L>(depth), depth.next_multiple_of(2), keys.next_multiple_of(L::NR));
        let (left, right) = (rows_of::<L>(&a, depth, stride), panels_of::<L>(&b, keys, panel));
        let even = queries.next_multiple_of(2);
        let out_panel = panel_length::<L>(even);
        let mut out = Buffer::<L::E>::zeros(panels_length::<L>(even, keys));
        L::enter(Product::<L, _> {
            left: Left::Rows { data: &left, stride },
            rows: queries,
            right: Right { data: &right, panel, columns: keys },
            depth,
            rows_outer: false,
            epilogue: AttentionWeights { scale: 0.125, logsumexp: &logsumexp, keys, out: &mut out, panel: out_panel },
        });
        let scores = multiplied(&a, &b, depth, keys);
        for i in 0..queries * wide {
            let (m, n) = (i / wide, i % wide);
            let exact = if n < keys { (0.125 * scores[m * keys + n] - f64::from(logsumexp[m])).exp() } else { 0.0 };
            close::<L>("attention weight", out[in_panels::<L>(out_panel, m, n)].to_f32(), exact, 1e-5 * exact);
        }
    }
}

fn score_gradients<L: Level>() {
    for (seed, (queries, depth, keys)) in shapes(7).into_iter().enumerate() {
        let mut numbers = Numbers::new(seed as u32);
        let even = queries.next_multiple_of(2);
        let (a, b, delta) = (numbers.values(queries * depth), numbers.values(depth * keys), numbers.values(even));
        let weights = numbers.values(even * keys);
        let (panel, stride, wide) = (panel_length::<L>(depth), depth.next_multiple_of(2), keys.next_multiple_of(L::NR));
        let (left, right) = (rows_of::<L>(&a, depth, stride), panels_of::<L>(&b, keys, panel));
        let out_panel = panel_length::<L>(even);
        let weight_panels = panels_of::<L>(&weights, keys, out_panel);
        let (mut rows, mut panels) =
            (Buffer::<L::E>::zeros(even * wide), Buffer::<L::E>::zeros(panels_length::<L>(even, keys)));
        L::enter(Product::<L, _> {
            left: Left::Rows { data: &left, stride },
            rows: queries,
            right: Right { data: &right, panel, columns: keys },
            depth,
            rows_outer: false,
            epilogue: ScoreGradient {
                weights: &weight_panels,
                panel: out_panel,
                delta: &delta,
                scale: 0.25,
                rows: &mut rows,
                stride: wide,
                panels: &mut panels,
            },
        });
        let c = multiplied(&a, &b, depth, keys);
        for i in 0..queries * keys {
            let (m, n) = (i / keys, i % keys);
            let exact = 0.25 * f64::from(weights[i]) * (c[i] - f64::from(delta[m]));
            close::<L>("d score", rows[m * wide + n].to_f32(), exact, 1e-5 * (1.0 + c[i].abs()));
            close::<L>(
                "d score in panels",
                panels[in_panels::<L>(out_panel, m, n)].to_f32(),
                exact,
                1e-5 * (1.0 + c[i].abs()),
            );
        }
    }
}

fn sums<L: Level>() {
    let mut numbers = Numbers::new(8);
    for vectors in [1, 2, 7] {
        let len = vectors * L::LANES;
        let sources = [numbers.values(len), numbers.values(len + 3), numbers.values(len)];
        for count in 1..=3 {
            let (mut out, mut rows) = (vec![9.0f32; len], Buffer::<L::E>::zeros(len));
            let slices: Vec<&[f32]> = sources[..count].iter().map(|source| &source[..]).collect();
            L::enter(Sum { sources: &slices, out: &mut out, rows: &mut rows });
            for i in 0..len {
                let exact: f64 = slices.iter().map(|source| f64::from(source[i])).sum();
                assert_eq!(f64::from(out[i]), exact, "{}", L::NAME); // exact in float32
                close::<L>("sum as operand", rows[i].to_f32(), exact, 0.0);
            }
        }
    }
}

/// RMSNorm of vectors, and its derivative d ← r·(d − y·mean(d·y)) with y as the level stores it.
fn norm(x: &[f64]) -> (Vec<f64>, f64) {
    let inverse = 1.0 / (x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64 + 1e-5).sqrt();
    (x.iter().map(|x| x * inverse).collect(), inverse)
}

fn norm_gradient(d: &[f64], y: &[f64], inverse: f64) -> Vec<f64> {
    let mean = d.iter().zip(y).map(|(d, y)| d * y).sum::<f64>() / d.len() as f64;
    d.iter().zip(y).map(|(d, y)| inverse * (d - y * mean)).collect()
}

fn norms_of_rows<L: Level>() {
    let mut numbers = Numbers::new(9);
    for (count, width) in [(1, 1usize), (3, 5), (7, 31), (5, 64), (2, 97)] {
        let stride = width.next_multiple_of(L::NR);
        let (values, d_values) = (numbers.values(count * width), numbers.values(count * width));
        let spread = |values: &[f32]| {
            let mut out = vec![0.0f32; count * stride];
            for (i, &value) in values.iter().enumerate() {
                out[i / width * stride + i % width] = value;
            }
            out
        };
        let (mut x, mut d, mut inverse) = (spread(&values), spread(&d_values), vec![0.0f32; count]);
        let (mut y, mut d_rows) = (Buffer::<L::E>::zeros(count * stride), Buffer::<L::E>::zeros(count * stride));
        L::enter(NormRows { x: &mut x, count, width, stride, rows: &mut y, inverse: &mut inverse });
        L::enter(NormRowsGradient { d: &mut d, count, width, stride, y: &y, inverse: &inverse, rows: &mut d_rows });
        for row in 0..count {
            let wide = |values: &[f32]| {
                values[row * width..][..width].iter().map(|&value| f64::from(value)).collect::<Vec<_>>()
            };
            let (exact, exact_inverse) = norm(&wide(&values));
            let stored: Vec<f64> = y[row * stride..][..width].iter().map(|y| f64::from(y.to_f32())).collect();
            let exact_d = norm_gradient(&wide(&d_values), &stored, exact_inverse);
            close::<L>("inverse", inverse[row], exact_inverse, 1e-6 * exact_inverse);
            for i in 0..width {
                let at = row * stride + i;
                assert!(
                    (f64::from(x[at]) - exact[i]).abs() < 2e-6 * (1.0 + exact[i].abs()),
                    "{}: {} against {}",
                    L::NAME,
                    x[at],
                    exact[i]
                );
                close::<L>("norm as operand", y[at].to_f32(), exact[i], 1e-6);
                assert!(
                    (f64::from(d[at]) - exact_d[i]).abs() < 1e-5 * exact_inverse,
                    "{}: {} against {}",
                    L::NAME,
                    d[at],
                    exact_d[i]
                );
                close::<L>("d as operand", d_rows[at].to_f32(), exact_d[i], 1e-5 * exact_inverse);
            }
        }
    }
}

fn norms_of_columns<L: Level>() {
    let mut numbers = Numbers::new(10);
    for (positions, columns) in [(1, 1), (2, 5), (37, 33), (82, 20)] {
        let stride = usize::next_multiple_of(columns, L::NR);
        let (values, d_values) = (numbers.values(positions * stride), numbers.values(positions * stride));
        let (mut x, mut d, mut inverse) = (values.clone(), d_values.clone(), vec![0.0f32; stride]);
        let (mut y, mut d_rows) =
            (Buffer::<L::E>::zeros(positions * stride), Buffer::<L::E>::zeros(positions * stride));
        L::enter(NormColumns { x: &mut x, positions, stride, rows: &mut y, inverse: &mut inverse });
        L::enter(NormColumnsGradient { d: &mut d, positions, stride, y: &y, inverse: &inverse, rows: &mut d_rows });
        for column in 0..stride {
            let wide =
                |values: &[f32]| (0..positions).map(|p| f64::from(values[p * stride + column])).collect::<Vec<_>>();
            let (exact, exact_inverse) = norm(&wide(&values));
            let stored: Vec<f64> = (0..positions).map(|p| f64::from(y[p * stride + column].to_f32())).collect();
            let exact_d = norm_gradient(&wide(&d_values), &stored, exact_inverse);
            for p in 0..positions {
                let at = p * stride + column;
                assert!(
                    (f64::from(x[at]) - exact[p]).abs() < 2e-6 * (1.0 + exact[p].abs()),
                    "{}: {} against {}",
                    L::NAME,
                    x[at],
                    exact[p]
                );
                close::<L>("norm as operand", y[at].to_f32(), exact[p], 1e-6);
                assert!(
                    (f64::from(d[at]) - exact_d[p]).abs() < 1e-5 * exact_inverse,
                    "{}: {} against {}",
                    L::NAME,
                    d[at],
                    exact_d[p]
                );
                close::<L>("d as operand", d_rows[at].to_f32(), exact_d[p], 1e-5 * exact_inverse);
            }
        }
    }
}

fn changes_of_layout<L: Level>() {
    let mut numbers = Numbers::new(11);
    for (rows, columns) in [(1usize, 1usize), (2, 3), (7, 17), (33, 31), (37, 64), (82, 45)] {
        let stride = columns.next_multiple_of(L::NR);
        let values = numbers.values(rows * columns);
        let data = rows_of::<L>(&values, columns, stride);
        let panel = panel_length::<L>(rows) + L::NR * L::E::PAIR;
        let mut out = Buffer::<L::E>::zeros(stride / L::NR * panel);
        out.fill(L::E::from_f32(7.0));
        L::enter(ToPanels { rows: &data, stride, depth: rows, columns: stride, out: &mut out, panel });
        let depth = columns.next_multiple_of(L::E::PAIR);
        let across = panel_length::<L>(depth);
        let mut turned = Buffer::<L::E>::zeros(panels_length::<L>(depth, rows));
        L::enter(TransposeToPanels { rows: &data, stride, columns: rows, depth, out: &mut turned, panel: across });
        for (i, &value) in values.iter().enumerate() {
            let (m, n) = (i / columns, i % columns);
            assert_eq!(out[in_panels::<L>(panel, m, n)].to_f32(), value, "{}: ({m}, {n}) of panels", L::NAME);
            assert_eq!(
                turned[in_panels::<L>(across, n, m)].to_f32(),
                value,
                "{}: ({m}, {n}) of transposed panels",
                L::NAME
            );
        }
        for k in rows..rows.next_multiple_of(L::E::PAIR) {
            assert_eq!(out[in_panels::<L>(panel, k, 0)].to_f32(), 0.0, "{}: the pair of the last row", L::NAME);
        }
    }
}

fn rotations<L: Level>() {
    let mut numbers = Numbers::new(12);
    for (positions, samples, heads, half) in [(1, 1, 1, 1), (5, 2, 2, 11), (7, 1, 3, 16), (3, 2, 1, 35)] {
        let (count, width) = (positions * samples, heads * 2 * half);
        let stride = width + 5;
        let values = numbers.values(count * width);
        let angles = numbers.values(positions * half);
        let (cos, sin): (Vec<f32>, Vec<f32>) = angles.iter().map(|a| (a.cos(), a.sin())).unzip();
        for back in [false, true] {
            let mut rows = rows_of::<L>(&values, width, stride);
            L::enter(Rotate { rows: &mut rows, stride, positions, count, heads, half, cos: &cos, sin: &sin, back });
            for (i, &value) in values.iter().enumerate() {
                let (row, at) = (i / width, i % width);
                let (j, second) = (at % half, at / half % 2 == 1);
                let angle = f64::from(angles[row % positions * half + j]) * if back { -1.0 } else { 1.0 };
                let other = f64::from(values[if second { i - half } else { i + half }]);
                let exact = f64::from(value) * angle.cos() + if second { other } else { -other } * angle.sin();
                close::<L>("rotated", rows[row * stride + at].to_f32(), exact, 1e-6);
            }
        }
    }
}

fn softmaxes<L: Level>() {
    let mut numbers = Numbers::new(13);
    for (count, keys) in [(1, 1), (3, 7), (2, 33), (5, 64), (4, 101)] {
        let stride = usize::next_multiple_of(keys, L::NR);
        // Scores up to ±40: the largest must be subtracted first.
        let values: Vec<f32> = numbers.values(count * stride).into_iter().map(|value| 40.0 * value).collect();
        let (mut scores, mut out) = (values.clone(), Buffer::<L::E>::zeros(count * stride));
        let (mut inverse, mut logsumexp) = (vec![0.0f32; count], vec![0.0f32; count]);
        L::enter(Softmax {
            scores: &mut scores,
            stride,
            count,
            keys,
            out: &mut out,
            inverse: &mut inverse,
            logsumexp: &mut logsumexp,
        });
        for row in 0..count {
            let scores: Vec<f64> = values[row * stride..][..keys].iter().map(|&score| f64::from(score)).collect();
            let total: f64 = scores.iter().map(|score| score.exp()).sum();
            assert!(
                (f64::from(logsumexp[row]) - total.ln()).abs() < 2e-4,
                "{}: {} against {}",
                L::NAME,
                logsumexp[row],
                total.ln()
            );
            for n in 0..stride {
                let exact = if n < keys { scores[n].exp() / total } else { 0.0 };
                close::<L>("softmax", out[row * stride + n].to_f32() * inverse[row], exact, 3e-6 * exact + 1e-30);
            }
        }
    }
}

fn small_pointwise<L: Level>() {
    let mut numbers = Numbers::new(14);
    for (count, width) in [(1, 1), (4, 7), (3, 33), (2, 64)] {
        let (stride, vectors) = (width + 3, count * L::LANES);
        let (a, b) = (numbers.values(count * width), numbers.values(count * width));
        let mut dots = vec![0.0f32; count];
        let (a_rows, b_rows) = (rows_of::<L>(&a, width, stride), rows_of::<L>(&b, width, stride));
        L::enter(DotRows { a: &a_rows, a_stride: stride, b: &b_rows, b_stride: stride, width, out: &mut dots });
        let mut rows = Buffer::<L::E>::zeros(count * stride);
        L::enter(ToRowsOf { from: &a, from_stride: width, to: &mut rows, to_stride: stride, count, width });
        for row in 0..count {
            let exact: f64 = (0..width).map(|i| f64::from(a[row * width + i]) * f64::from(b[row * width + i])).sum();
            assert!((f64::from(dots[row]) - exact).abs() < 1e-5, "{}: {} against {exact}", L::NAME, dots[row]);
            for i in 0..width {
                assert_eq!(rows[row * stride + i].to_f32(), a[row * width + i], "{}", L::NAME);
            }
        }
        let (from, before) = (numbers.values(vectors), numbers.values(vectors));
        let mut to = before.clone();
        L::enter(AddTo { to: &mut to, from: &from });
        for i in 0..vectors {
            assert_eq!(to[i], before[i] + from[i], "{}", L::NAME); // exact in float32
        }
    }
}

fn heads<L: Level>() {
    let mut numbers = Numbers::new(15);
    for (count, width, outputs) in [(1, 1, 1), (3, 7, 2), (5, 64, 11), (4, 45, 3)] {
        let stride = width + 4;
        let (x, weight, d) =
            (numbers.values(count * stride), numbers.values(outputs * width), numbers.values(count * outputs));
        let mut out = vec![0.0f32; count * outputs];
        L::enter(Linear { x: &x, stride, width, weight: &weight, outputs, out: &mut out });
        let (mut d_x, mut d_weight) = (vec![1.0f32; count * stride], vec![2.0f32; outputs * width]);
        L::enter(LinearGradient {
            x: &x,
            stride,
            width,
            weight: &weight,
            outputs,
            d: &d,
            d_x: &mut d_x,
            d_weight: &mut d_weight,
        });
        let same = |what: &str, mine: f32, exact: f64| {
            assert!((f64::from(mine) - exact).abs() < 2e-5, "{}, {what}: {mine} against {exact}", L::NAME)
        };
        for m in 0..count {
            for o in 0..outputs {
                same(
                    "out",
                    out[m * outputs + o],
                    (0..width).map(|i| f64::from(x[m * stride + i]) * f64::from(weight[o * width + i])).sum(),
                );
            }
            for i in 0..width {
                let exact: f64 =
                    (0..outputs).map(|o| f64::from(d[m * outputs + o]) * f64::from(weight[o * width + i])).sum();
                same("d x", d_x[m * stride + i], 1.0 + exact);
            }
        }
        for o in 0..outputs {
            for i in 0..width {
                let exact: f64 = (0..count).map(|m| f64::from(d[m * outputs + o]) * f64::from(x[m * stride + i])).sum();
                same("d weight", d_weight[o * width + i], 2.0 + exact);
            }
        }
    }
}

fn optimizer_steps<L: Level>() {
    let mut numbers = Numbers::new(16);
    for rule in [Rule::AdamAtan2, Rule::AdamW] {
        for len in [1, 3, 16, 45] {
            let [start, gradient, m, average] =
                [numbers.values(len), numbers.values(len), numbers.values(len), numbers.values(len)];
            let v: Vec<f32> = numbers.values(len).iter().map(|v| v.abs() + 0.1).collect();
            let step =
                Step { rule, count: 3, learning_rate: 0.01, weight_decay: 0.5, beta1: 0.9, beta2: 0.95, ema_rate: 0.9 };
            let (mut p, mut first, mut second, mut ema) = (start.clone(), m.clone(), v.clone(), average.clone());
            L::enter(Update {
                step,
                parameter: &mut p,
                gradient: &gradient,
                first: &mut first,
                second: &mut second,
                average: &mut ema,
            });
            for i in 0..len {
                let [start, g, m, v, average] = [start[i], gradient[i], m[i], v[i], average[i]].map(f64::from);
                let (m, v) = (m + 0.1 * (g - m), v + 0.05 * (g * g - v));
                let deviation = (v / (1.0 - 0.95f64.powi(3))).sqrt();
                let direction = if rule == Rule::AdamW { m / (deviation + 1e-8) } else { m.atan2(deviation) };
                let exact = start * (1.0 - 0.01 * 0.5) - 0.01 / (1.0 - 0.9f64.powi(3)) * direction;
                for (what, mine, exact) in [
                    ("p", p[i], exact),
                    ("m", first[i], m),
                    ("v", second[i], v),
                    ("average", ema[i], 0.9 * average + 0.1 * exact),
                ] {
                    assert!((f64::from(mine) - exact).abs() < 1e-6, "{}, {what}: {mine} against {exact}", L::NAME);
                }
            }
        }
    }
}

/// Newton–Schulz acts on singular values only: UΣVᵀ becomes Uσ(Σ)Vᵀ.
/// For a matrix of rank one, this test computes the polynomial σ of the single singular value.
fn muon_steps<L: Level>() {
    let mut numbers = Numbers::new(17);
    for (rows, columns) in [(1, 1), (3, 7), (40, 21), (33, 64)] {
        let [start, average, left, right] =
            [rows * columns, rows * columns, rows, columns].map(|len| numbers.values(len));
        let gradient: Vec<f32> = (0..rows * columns).map(|i| left[i / columns] * right[i % columns]).collect();
        let step = Step {
            rule: Rule::Muon,
            count: 1,
            learning_rate: 0.01,
            weight_decay: 0.5,
            beta1: 0.9,
            beta2: 0.95,
            ema_rate: 0.9,
        };
        let (mut p, mut first, mut ema) = (start.clone(), vec![0.0; rows * columns], average.clone());
        L::enter(Muon {
            step,
            rows,
            columns,
            parameter: &mut p,
            gradient: &gradient,
            first: &mut first,
            average: &mut ema,
        });
        let sigma = (0..5).fold(1.0f64, |s, _| 3.4445 * s - 4.775 * s.powi(3) + 2.0315 * s.powi(5));
        let norm = gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        let rate = 0.01 * 0.2 * (rows.max(columns) as f64).sqrt() * sigma / norm;
        for i in 0..rows * columns {
            let [start, g, average] = [start[i], gradient[i], average[i]].map(f64::from);
            let exact = start * (1.0 - 0.01 * 0.5) - rate * g;
            for (what, mine, exact) in
                [("p", p[i], exact), ("m", first[i], 0.1 * g), ("average", ema[i], 0.9 * average + 0.1 * exact)]
            {
                assert!(
                    (f64::from(mine) - exact).abs() < 2e-6,
                    "{}, {rows}×{columns}, {what}: {mine} against {exact}",
                    L::NAME
                );
            }
        }
    }
}

struct Exponential(f32);
impl<L: Level> crate::simd::Work<L> for Exponential {
    type Output = (f32, f32);
    #[inline(always)]
    unsafe fn run(self) -> (f32, f32) {
        let mut out = [[0.0f32; 16]; 2];
        // SAFETY: each array holds a vector.
        unsafe {
            L::store(out[0].as_mut_ptr(), L::exp(L::splat(self.0)));
            L::store(out[1].as_mut_ptr(), L::sigmoid(L::splat(self.0)));
        }
        (out[0][0], out[1][0])
    }
}

/// Within three units in the last place of float32 or, for levels that round operands to bfloat16,
/// within a thirtieth of that rounding.
fn exponentials<L: Level>() {
    let tolerance = if L::E::PAIR == 1 { 4e-7 } else { 1.3e-4 };
    for i in -800..=800 {
        let x = i as f32 * 0.1;
        let (exp, sigmoid) = L::enter(Exponential(x));
        let exact = f64::from(x).exp();
        assert!((f64::from(exp) - exact).abs() <= tolerance * exact, "{}: exp({x}) = {exp}, expected {exact}", L::NAME);
        let exact = self::sigmoid(x.into());
        assert!(
            (f64::from(sigmoid) - exact).abs() <= tolerance * exact + 1e-38,
            "{}: sigmoid({x}) = {sigmoid}, expected {exact}",
            L::NAME
        );
    }
}
