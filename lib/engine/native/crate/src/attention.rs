//! The attention mixer: h ← rms(h + Attention(h)) (spec §1.6), forwards and backwards, by blocks of queries.

use crate::buffer::{Buffer, filled};
use crate::dims::{Dims, Mixer};
use crate::epilogue::{Add, AttentionWeights, Scaled, ScoreGradient, ToRows, ToScaledRows};
use crate::pointwise::{DotRows, NormRows, Rotate, Softmax, ToPanels, ToRowsOf, TransposeToPanels};
use crate::product::{Left, Product, Right, panel_length, panels_length};
use crate::shared::Shared;
use crate::simd::Level;
use crate::weights::PackedMatrix;

/// Queries of a block: their scores against all keys stay in the cache.
const QUERIES: usize = 48;

/// Logsumexp of the spare query, which makes its weights as good as zero.
const NO_QUERY: f32 = 1e30;

/// cos and sin of every position's angles, [S × head/2] each (spec §1.5).
pub struct Rotary {
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Rotary {
    pub fn new(dims: &Dims) -> Self {
        let half = dims.head_size() / 2;
        let angles: Vec<f32> = (0..dims.positions)
            .flat_map(|position| {
                (0..half).map(move |j| {
                    let frequency = 1.0 / 10000f32.powf(2.0 * j as f32 / (2 * half) as f32);
                    position as f32 * frequency
                })
            })
            .collect();
        Self { cos: angles.iter().map(|a| a.cos()).collect(), sin: angles.iter().map(|a| a.sin()).collect() }
    }
}

/// What the backward pass needs of a forward pass in addition to input and output.
pub struct Tape<L: Level> {
    /// Queries, keys, values of all heads side by side, rotated.
    qkv: Buffer<L::E>,
    /// The heads' results side by side.
    results: Buffer<L::E>,
    /// [samples × heads × S rounded up to even].
    logsumexp: Vec<f32>,
    inverse: Buffer<f32>,
}

impl<L: Level> Tape<L> {
    pub fn new(dims: &Dims, samples: usize, heads: usize) -> Self {
        let rows = dims.rows(samples);
        Self {
            // The kernels read a head that is smaller than a panel past its end.
            qkv: Buffer::zeros(rows * dims.qkv_stride::<L>() + L::NR),
            results: Buffer::zeros(rows * dims.heads_stride::<L>() + L::NR),
            logsumexp: filled(NO_QUERY, samples * heads * dims.positions.next_multiple_of(2)),
            inverse: Buffer::zeros(rows),
        }
    }
}

/// Intermediates of one call.
pub struct Scratch<L: Level> {
    keys: Buffer<L::E>,
    keys_transposed: Buffer<L::E>,
    values: Buffer<L::E>,
    values_transposed: Buffer<L::E>,
    /// Queries × keys.
    scores: Buffer<f32>,
    weights: Buffer<L::E>,
    /// The factor that makes each query's weights sum to 1.
    inverse: Vec<f32>,
    weight_panels: Buffer<L::E>,
    score_panels: Buffer<L::E>,
    query_panels: Buffer<L::E>,
    result_panels: Buffer<L::E>,
    d_results: Buffer<L::E>,
    d_queries: Buffer<f32>,
    d_keys: Buffer<f32>,
    d_values: Buffer<f32>,
    d_qkv: Buffer<L::E>,
    d_qkv_panels: Buffer<L::E>,
    delta: Vec<f32>,
}

impl<L: Level> Scratch<L> {
    pub fn new(dims: &Dims, samples: usize, backward: bool) -> Self {
        let (rows, positions, head) = (dims.rows(samples), dims.positions, dims.head_size());
        let head_stride = head.next_multiple_of(L::NR);
        let keys = positions.next_multiple_of(L::NR);
        let queries = QUERIES.min(positions.next_multiple_of(2));
        let if_backward = |len: usize| Buffer::zeros(if backward { len } else { 0 });
        Self {
            keys: if_backward(panels_length::<L>(positions, head)),
            keys_transposed: Buffer::zeros(panels_length::<L>(head, positions)),
            values: Buffer::zeros(panels_length::<L>(positions, head)),
            values_transposed: if_backward(panels_length::<L>(head, positions)),
            scores: Buffer::zeros(queries * keys),
            weights: Buffer::zeros(queries * keys),
            inverse: vec![0.0; queries],
            weight_panels: if_backward(panels_length::<L>(queries, keys)),
            score_panels: if_backward(panels_length::<L>(queries, keys)),
            query_panels: if_backward(panels_length::<L>(queries, head)),
            result_panels: if_backward(panels_length::<L>(queries, head)),
            d_results: if_backward(rows * dims.heads_stride::<L>() + L::NR),
            d_queries: Buffer::zeros(if backward { queries * head_stride } else { 0 }),
            d_keys: Buffer::zeros(if backward { (keys + 2) * head_stride } else { 0 }),
            d_values: Buffer::zeros(if backward { (keys + 2) * head_stride } else { 0 }),
            d_qkv: if_backward(rows * dims.qkv_stride::<L>()),
            d_qkv_panels: if_backward(panels_length::<L>(rows, dims.qkv_stride::<L>())),
            delta: vec![0.0; if backward { positions + 2 } else { 0 }],
        }
    }
}

fn heads_of(dims: &Dims) -> (usize, bool) {
    match dims.mixer {
        Mixer::Attention { heads, rotary } => (heads, rotary),
        Mixer::Mlp => unreachable!("attention is called for attention only"),
    }
}

/// The blocks of queries of one sample, as (first, count).
fn query_blocks(positions: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..positions).step_by(QUERIES).map(move |from| (from, QUERIES.min(positions - from)))
}

/// h [samples·S × stride] ← rms(h + Attention(input));
/// `input` is h as operands, `output` receives the result as operands.
#[allow(clippy::too_many_arguments)]
pub fn forward<L: Level>(
    dims: &Dims,
    samples: usize,
    [qkv, out]: [&PackedMatrix<L>; 2],
    rotary: &Rotary,
    h: &mut [f32],
    input: &[L::E],
    output: &mut [L::E],
    tape: &mut Tape<L>,
    scratch: &mut Scratch<L>,
) {
    let (positions, stride, hidden, head) = (dims.positions, dims.stride, dims.hidden, dims.head_size());
    let rows = samples * positions;
    let (heads, rotate) = heads_of(dims);
    let (qkv_stride, heads_stride) = (dims.qkv_stride::<L>(), dims.heads_stride::<L>());
    L::enter(Product::<L, _> {
        left: Left::Rows { data: input, stride },
        rows,
        right: qkv.right_transposed(),
        depth: hidden,
        rows_outer: false,
        epilogue: ToRows { out: &mut tape.qkv, stride: qkv_stride },
    });
    if rotate {
        rotate_queries_and_keys::<L>(dims, rows, rotary, &mut tape.qkv, false);
    }
    let keys = positions.next_multiple_of(L::NR);
    let scale = 1.0 / (head as f32).sqrt();
    let even = positions.next_multiple_of(2);
    for sample in 0..samples {
        let first = sample * positions;
        for index in 0..heads {
            let query_at = first * qkv_stride + index * head;
            L::enter(TransposeToPanels {
                rows: &tape.qkv[query_at + hidden..],
                stride: qkv_stride,
                columns: positions,
                depth: head,
                out: &mut scratch.keys_transposed,
                panel: panel_length::<L>(head),
            });
            L::enter(ToPanels {
                rows: &tape.qkv[query_at + 2 * hidden..],
                stride: qkv_stride,
                depth: positions,
                columns: head.next_multiple_of(L::LANES),
                out: &mut scratch.values,
                panel: panel_length::<L>(positions),
            });
            for (from, count) in query_blocks(positions) {
                L::enter(Product::<L, _> {
                    left: Left::Rows { data: &tape.qkv[query_at + from * qkv_stride..], stride: qkv_stride },
                    rows: count,
                    right: Right { data: &scratch.keys_transposed, panel: panel_length::<L>(head), columns: positions },
                    depth: head,
                    rows_outer: false,
                    epilogue: Scaled { out: &mut scratch.scores, stride: keys, scale },
                });
                L::enter(Softmax {
                    scores: &mut scratch.scores,
                    stride: keys,
                    count,
                    keys: positions,
                    out: &mut scratch.weights,
                    inverse: &mut scratch.inverse,
                    logsumexp: &mut tape.logsumexp[(sample * heads + index) * even + from..],
                });
                L::enter(Product::<L, _> {
                    left: Left::Rows { data: &scratch.weights, stride: keys },
                    rows: count,
                    right: Right { data: &scratch.values, panel: panel_length::<L>(positions), columns: head },
                    depth: positions,
                    rows_outer: false,
                    epilogue: ToScaledRows {
                        scale: &scratch.inverse,
                        out: &mut tape.results[(first + from) * heads_stride..],
                        stride: heads_stride,
                        column: index * head,
                    },
                });
            }
        }
    }
    L::enter(Product::<L, _> {
        left: Left::Rows { data: &tape.results, stride: heads_stride },
        rows,
        right: out.right_transposed(),
        depth: hidden,
        rows_outer: false,
        epilogue: Add::to(h, stride),
    });
    L::enter(NormRows { x: h, count: rows, width: hidden, stride, rows: output, inverse: &mut tape.inverse });
}

fn rotate_queries_and_keys<L: Level>(dims: &Dims, count: usize, rotary: &Rotary, rows: &mut [L::E], back: bool) {
    let (heads, _) = heads_of(dims);
    L::enter(Rotate {
        rows,
        stride: dims.qkv_stride::<L>(),
        positions: dims.positions,
        count,
        heads: 2 * heads,
        half: dims.head_size() / 2,
        cos: &rotary.cos,
        sin: &rotary.sin,
        back,
    });
}

/// Replaces d, the derivative by the output, by the derivative by the input h; adds to the gradients.
#[allow(clippy::too_many_arguments)]
pub fn backward<L: Level>(
    dims: &Dims,
    samples: usize,
    [qkv, out]: [&PackedMatrix<L>; 2],
    rotary: &Rotary,
    d: &mut [f32],
    input: &[L::E],
    output: &[L::E],
    tape: &Tape<L>,
    qkv_gradient: &mut [f32],
    out_gradient: &mut [f32],
    scratch: &mut Scratch<L>,
    shared: &mut Shared<L>,
) {
    let (stride, hidden, rows) = (dims.stride, dims.hidden, samples * dims.positions);
    let (qkv_stride, heads_stride) = (dims.qkv_stride::<L>(), dims.heads_stride::<L>());
    let panel = panel_length::<L>(dims.rows(samples));
    shared.through_norm(dims, samples, d, output, &tape.inverse);
    L::enter(Product::<L, _> {
        left: Left::Rows { data: &shared.rows, stride },
        rows,
        right: out.right(),
        depth: hidden,
        rows_outer: false,
        epilogue: ToRows { out: &mut scratch.d_results, stride: heads_stride },
    });
    L::enter(ToPanels { rows: &shared.rows, stride, depth: rows, columns: stride, out: &mut shared.panels, panel });
    L::enter(ToPanels {
        rows: &tape.results,
        stride: heads_stride,
        depth: rows,
        columns: stride,
        out: &mut shared.input_panels,
        panel,
    });
    L::enter(Product::<L, _> {
        left: Left::Columns { data: &shared.panels, panel },
        rows: hidden,
        right: Right { data: &shared.input_panels, panel, columns: hidden },
        depth: rows,
        rows_outer: false,
        epilogue: Add::to(out_gradient, dims.mixer_out().gradient_shape::<L>().1),
    });
    for sample in 0..samples {
        for head in 0..heads_of(dims).0 {
            backward_head::<L>(dims, sample, head, tape, scratch);
        }
    }
    if heads_of(dims).1 {
        rotate_queries_and_keys::<L>(dims, rows, rotary, &mut scratch.d_qkv, true);
    }
    L::enter(ToPanels {
        rows: &scratch.d_qkv,
        stride: qkv_stride,
        depth: rows,
        columns: qkv_stride,
        out: &mut scratch.d_qkv_panels,
        panel,
    });
    L::enter(ToPanels { rows: input, stride, depth: rows, columns: stride, out: &mut shared.input_panels, panel });
    L::enter(Product::<L, _> {
        left: Left::Columns { data: &scratch.d_qkv_panels, panel },
        rows: 3 * hidden,
        right: Right { data: &shared.input_panels, panel, columns: hidden },
        depth: rows,
        rows_outer: true,
        epilogue: Add::to(qkv_gradient, dims.mixer_in().gradient_shape::<L>().1),
    });
    L::enter(Product::<L, _> {
        left: Left::Rows { data: &scratch.d_qkv, stride: qkv_stride },
        rows,
        right: qkv.right(),
        depth: 3 * hidden,
        rows_outer: false,
        epilogue: Add::to(d, stride),
    });
}

/// Derivatives of one head's queries, keys and values. The weights are recomputed from the saved logsumexp.
fn backward_head<L: Level>(dims: &Dims, sample: usize, index: usize, tape: &Tape<L>, scratch: &mut Scratch<L>) {
    let (positions, hidden, head) = (dims.positions, dims.hidden, dims.head_size());
    let (qkv_stride, heads_stride) = (dims.qkv_stride::<L>(), dims.heads_stride::<L>());
    let (first, even) = (sample * positions, positions.next_multiple_of(2));
    let (query_at, result_at) = (first * qkv_stride + index * head, first * heads_stride + index * head);
    pack_keys_and_values::<L>(dims, &tape.qkv[query_at + hidden..], scratch);
    // Σ over keys of weight · d weight = d result · result.
    L::enter(DotRows {
        a: &scratch.d_results[result_at..],
        a_stride: heads_stride,
        b: &tape.results[result_at..],
        b_stride: heads_stride,
        width: head,
        out: &mut scratch.delta[..positions],
    });
    scratch.delta[positions..].fill(0.0);
    scratch.d_keys.fill(0.0);
    scratch.d_values.fill(0.0);
    let logsumexp = &tape.logsumexp[(sample * heads_of(dims).0 + index) * even..][..even];
    for (from, count) in query_blocks(positions) {
        let query_at = query_at + from * qkv_stride;
        let result_at = result_at + from * heads_stride;
        backward_block::<L>(dims, (from, count), &tape.qkv[query_at..], result_at, logsumexp, scratch);
        keep::<L>(dims, &scratch.d_queries, &mut scratch.d_qkv[query_at..], count);
    }
    keep::<L>(dims, &scratch.d_keys, &mut scratch.d_qkv[query_at + hidden..], positions);
    keep::<L>(dims, &scratch.d_values, &mut scratch.d_qkv[query_at + 2 * hidden..], positions);
}

/// Packs one head's keys and values for its products. `rows`: from its first key on.
fn pack_keys_and_values<L: Level>(dims: &Dims, rows: &[L::E], scratch: &mut Scratch<L>) {
    let (positions, head, qkv_stride) = (dims.positions, dims.head_size(), dims.qkv_stride::<L>());
    let transposed = |rows, out| TransposeToPanels::<L::E> {
        rows,
        stride: qkv_stride,
        columns: positions,
        depth: head,
        out,
        panel: panel_length::<L>(head),
    };
    L::enter(transposed(rows, &mut scratch.keys_transposed));
    L::enter(transposed(&rows[dims.hidden..], &mut scratch.values_transposed));
    L::enter(ToPanels {
        rows,
        stride: qkv_stride,
        depth: positions,
        columns: head.next_multiple_of(L::LANES),
        out: &mut scratch.keys,
        panel: panel_length::<L>(positions),
    });
}

/// Derivatives of the queries `from` to `from + count` of one head; adds to those of its keys and values. `queries`
/// begins with the first of them, as does `scratch.d_results` from `result_at` on; `logsumexp` is of all queries.
fn backward_block<L: Level>(
    dims: &Dims,
    (from, count): (usize, usize),
    queries: &[L::E],
    result_at: usize,
    logsumexp: &[f32],
    scratch: &mut Scratch<L>,
) {
    let (positions, head) = (dims.positions, dims.head_size());
    let (qkv_stride, heads_stride) = (dims.qkv_stride::<L>(), dims.heads_stride::<L>());
    let (keys, head_stride) = (positions.next_multiple_of(L::NR), head.next_multiple_of(L::NR));
    let (depth_panel, position_panel) = (panel_length::<L>(head), panel_length::<L>(positions));
    let query_panel = panel_length::<L>(QUERIES.min(positions.next_multiple_of(2)));
    let scale = 1.0 / (head as f32).sqrt();
    let columns = head.next_multiple_of(L::LANES);
    let d_results = &scratch.d_results[result_at..];
    L::enter(Product::<L, _> {
        left: Left::Rows { data: queries, stride: qkv_stride },
        rows: count,
        right: Right { data: &scratch.keys_transposed, panel: depth_panel, columns: positions },
        depth: head,
        rows_outer: false,
        epilogue: AttentionWeights {
            scale,
            logsumexp: &logsumexp[from..],
            keys: positions,
            out: &mut scratch.weight_panels,
            panel: query_panel,
        },
    });
    L::enter(Product::<L, _> {
        left: Left::Rows { data: d_results, stride: heads_stride },
        rows: count,
        right: Right { data: &scratch.values_transposed, panel: depth_panel, columns: positions },
        depth: head,
        rows_outer: false,
        epilogue: ScoreGradient {
            weights: &scratch.weight_panels,
            panel: query_panel,
            delta: &scratch.delta[from..],
            scale,
            rows: &mut scratch.weights,
            stride: keys,
            panels: &mut scratch.score_panels,
        },
    });
    L::enter(ToPanels {
        rows: d_results,
        stride: heads_stride,
        depth: count,
        columns,
        out: &mut scratch.result_panels,
        panel: query_panel,
    });
    L::enter(ToPanels {
        rows: queries,
        stride: qkv_stride,
        depth: count,
        columns,
        out: &mut scratch.query_panels,
        panel: query_panel,
    });
    let by_key = |left, right, sums| Product::<L, _> {
        left: Left::Columns { data: left, panel: query_panel },
        rows: positions,
        right: Right { data: right, panel: query_panel, columns: head },
        depth: count,
        rows_outer: false,
        epilogue: Add::to(sums, head_stride),
    };
    L::enter(by_key(&scratch.weight_panels, &scratch.result_panels, &mut scratch.d_values));
    L::enter(by_key(&scratch.score_panels, &scratch.query_panels, &mut scratch.d_keys));
    L::enter(Product::<L, _> {
        left: Left::Rows { data: &scratch.weights, stride: keys },
        rows: count,
        right: Right { data: &scratch.keys, panel: position_panel, columns: head },
        depth: positions,
        rows_outer: false,
        epilogue: Scaled { out: &mut scratch.d_queries, stride: head_stride, scale: 1.0 },
    });
}

/// Copies the derivatives of one head to their columns of all heads' rows.
fn keep<L: Level>(dims: &Dims, from: &[f32], to: &mut [L::E], count: usize) {
    let head = dims.head_size();
    L::enter(ToRowsOf {
        from,
        from_stride: head.next_multiple_of(L::NR),
        to,
        to_stride: dims.qkv_stride::<L>(),
        count,
        width: head,
    });
}
