//! The MLP mixer: u ← rms(u + SwiGLU(u)) over the positions of each channel (spec §1.9), forwards and backwards.
//!
//! The forward pass transposes nothing: weights are the left operand, the channels of all samples the columns.

use crate::buffer::Buffer;
use crate::dims::Dims;
use crate::epilogue::{Add, GateRows, GateRowsGradient};
use crate::pointwise::{NormColumns, NormColumnsGradient, ToPanels, TransposeToPanels};
use crate::product::{Left, Product, Right, panel_length, panels_length};
use crate::shared::Shared;
use crate::simd::Level;
use crate::swiglu::Tape;
use crate::weights::PackedMatrix;

/// Intermediates of one call for up to `samples` puzzles.
pub struct Scratch<L: Level> {
    samples: usize,
    /// The input or the derivative as panels over positions [S × samples·stride].
    columns: Buffer<L::E>,
    /// silu(gate)·up as panels [inner × samples·stride].
    activated: Buffer<L::E>,
    d_rows: Buffer<L::E>,
    d_panels: Buffer<L::E>,
    activated_rows: Buffer<L::E>,
    /// Input and derivative as panels over channels [samples·stride × S].
    input_by_channel: Buffer<L::E>,
    d_by_channel: Buffer<L::E>,
}

impl<L: Level> Scratch<L> {
    pub fn new(dims: &Dims, samples: usize, backward: bool) -> Self {
        let (inner, columns) = (dims.token_inner_padded, samples * dims.stride);
        let if_backward = |len: usize| Buffer::zeros(if backward { len } else { 0 });
        Self {
            samples,
            columns: Buffer::zeros(panels_length::<L>(dims.positions, columns)),
            activated: Buffer::zeros(panels_length::<L>(inner, columns)),
            d_rows: if_backward(2 * inner * columns),
            d_panels: if_backward(panels_length::<L>(2 * inner, columns)),
            activated_rows: if_backward(inner * columns),
            input_by_channel: if_backward(panels_length::<L>(columns, dims.positions)),
            d_by_channel: if_backward(panels_length::<L>(columns, dims.positions)),
        }
    }
}

/// Packs each sample's rows as panels over its positions, with the channels of all samples side by side.
fn to_columns<L: Level>(dims: &Dims, samples: usize, rows: &[L::E], out: &mut [L::E]) {
    let panel = panel_length::<L>(dims.positions);
    for sample in 0..samples {
        L::enter(ToPanels {
            rows: &rows[sample * dims.positions * dims.stride..],
            stride: dims.stride,
            depth: dims.positions,
            columns: dims.stride,
            out: &mut out[sample * dims.stride / L::NR * panel..],
            panel,
        });
    }
}

/// Packs each sample's rows as panels over its channels; the summed index runs through the channels of all samples.
fn by_channel<L: Level>(dims: &Dims, samples: usize, capacity: usize, rows: &[L::E], out: &mut [L::E]) {
    for sample in 0..samples {
        L::enter(TransposeToPanels {
            rows: &rows[sample * dims.positions * dims.stride..],
            stride: dims.stride,
            columns: dims.positions,
            depth: dims.stride,
            out: &mut out[sample * dims.stride * L::NR..],
            panel: panel_length::<L>(capacity * dims.stride),
        });
    }
}

/// h [samples·S × stride] ← rms(h + SwiGLU(input)); `input` is h as operands, `output` receives the result as operands.
#[allow(clippy::too_many_arguments)]
pub fn forward<L: Level>(
    dims: &Dims,
    samples: usize,
    [gate_up, down]: [&PackedMatrix<L>; 2],
    h: &mut [f32],
    input: &[L::E],
    output: &mut [L::E],
    tape: &mut Tape<L>,
    scratch: &mut Scratch<L>,
) {
    let (positions, stride, inner) = (dims.positions, dims.stride, dims.token_inner_padded);
    let columns = samples * stride;
    to_columns::<L>(dims, samples, input, &mut scratch.columns);
    let saved = if tape.gates_and_ups.is_empty() { None } else { Some(&mut tape.gates_and_ups[..]) };
    let activated_panel = panel_length::<L>(inner);
    L::enter(Product::<L, _> {
        left: gate_up.left_gated(inner),
        rows: 2 * dims.token_inner,
        right: Right { data: &scratch.columns, panel: panel_length::<L>(positions), columns },
        depth: positions,
        rows_outer: true,
        epilogue: GateRows {
            out: &mut scratch.activated,
            panel: activated_panel,
            inner,
            saved,
            stride: scratch.samples * stride,
        },
    });
    L::enter(Product::<L, _> {
        left: down.left(),
        rows: positions,
        right: Right { data: &scratch.activated, panel: activated_panel, columns },
        depth: dims.token_inner,
        rows_outer: false,
        epilogue: Add { sums: h, stride, group: stride / L::NR, group_stride: positions * stride },
    });
    for sample in 0..samples {
        let at = sample * positions * stride;
        L::enter(NormColumns {
            x: &mut h[at..],
            positions,
            stride,
            rows: &mut output[at..],
            inverse: &mut tape.inverse[sample * stride..],
        });
    }
}

/// Replaces d, the derivative by the output, by the derivative by the input h; adds to the gradients.
#[allow(clippy::too_many_arguments)]
pub fn backward<L: Level>(
    dims: &Dims,
    samples: usize,
    [gate_up, down]: [&PackedMatrix<L>; 2],
    d: &mut [f32],
    input: &[L::E],
    output: &[L::E],
    tape: &Tape<L>,
    gate_up_gradient: &mut [f32],
    down_gradient: &mut [f32],
    scratch: &mut Scratch<L>,
    shared: &mut Shared<L>,
) {
    let (positions, stride, inner) = (dims.positions, dims.stride, dims.token_inner_padded);
    let columns = samples * stride;
    let capacity = scratch.samples;
    for sample in 0..samples {
        let at = sample * positions * stride;
        L::enter(NormColumnsGradient {
            d: &mut d[at..],
            positions,
            stride,
            y: &output[at..],
            inverse: &tape.inverse[sample * stride..],
            rows: &mut shared.rows[at..],
        });
    }
    to_columns::<L>(dims, samples, &shared.rows, &mut scratch.columns);
    let d_panel = panel_length::<L>(2 * inner);
    L::enter(Product::<L, _> {
        left: down.left_transposed(),
        rows: dims.token_inner,
        right: Right { data: &scratch.columns, panel: panel_length::<L>(positions), columns },
        depth: positions,
        rows_outer: true,
        epilogue: GateRowsGradient {
            saved: &tape.gates_and_ups,
            inner,
            stride: capacity * stride,
            rows: &mut scratch.d_rows,
            panels: &mut scratch.d_panels,
            panel: d_panel,
            activated: &mut scratch.activated_rows,
        },
    });
    by_channel::<L>(dims, samples, capacity, input, &mut scratch.input_by_channel);
    by_channel::<L>(dims, samples, capacity, &shared.rows, &mut scratch.d_by_channel);
    let by_channel_panel = panel_length::<L>(capacity * stride);
    L::enter(Product::<L, _> {
        left: Left::Rows { data: &scratch.activated_rows, stride: capacity * stride },
        rows: dims.token_inner,
        right: Right { data: &scratch.d_by_channel, panel: by_channel_panel, columns: positions },
        depth: columns,
        rows_outer: false,
        epilogue: Add::to(down_gradient, dims.mixer_out().gradient_shape::<L>().1),
    });
    L::enter(Product::<L, _> {
        left: Left::Rows { data: &scratch.d_rows, stride: capacity * stride },
        rows: 2 * inner,
        right: Right { data: &scratch.input_by_channel, panel: by_channel_panel, columns: positions },
        depth: columns,
        rows_outer: false,
        epilogue: Add::to(gate_up_gradient, dims.mixer_in().gradient_shape::<L>().1),
    });
    L::enter(Product::<L, _> {
        left: gate_up.left_transposed(),
        rows: positions,
        right: Right { data: &scratch.d_panels, panel: d_panel, columns },
        depth: 2 * inner,
        rows_outer: false,
        epilogue: Add { sums: d, stride, group: stride / L::NR, group_stride: positions * stride },
    });
}
