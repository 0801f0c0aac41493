//! The second half of every layer: h ← rms(h + SwiGLU(h)) over the channels of each token, forwards and backwards.

use crate::buffer::Buffer;
use crate::dims::Dims;
use crate::epilogue::{Add, GateColumns, GateColumnsGradient};
use crate::pointwise::{NormRows, ToPanels};
use crate::product::{Left, Product, Right, panel_length, panels_length};
use crate::shared::Shared;
use crate::simd::Level;
use crate::swiglu::Tape;
use crate::weights::PackedMatrix;

/// Intermediates of one call.
pub struct Scratch<L: Level> {
    activated: Buffer<L::E>,
    d_rows: Buffer<L::E>,
    d_panels: Buffer<L::E>,
    activated_panels: Buffer<L::E>,
}

impl<L: Level> Scratch<L> {
    pub fn new(dims: &Dims, samples: usize, backward: bool) -> Self {
        let (rows, inner) = (dims.rows(samples), dims.channel_inner_padded);
        let if_backward = |len: usize| Buffer::zeros(if backward { len } else { 0 });
        Self {
            activated: Buffer::zeros(rows * inner),
            d_rows: if_backward(rows * 2 * inner),
            d_panels: if_backward(panels_length::<L>(rows, 2 * inner)),
            activated_panels: if_backward(panels_length::<L>(rows, inner)),
        }
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
    let rows = samples * dims.positions;
    let inner = dims.channel_inner_padded;
    let saved = if tape.gates_and_ups.is_empty() { None } else { Some(&mut tape.gates_and_ups[..]) };
    L::enter(Product::<L, _> {
        left: Left::Rows { data: input, stride: dims.stride },
        rows,
        right: gate_up.right_transposed(),
        depth: dims.hidden,
        rows_outer: false,
        epilogue: GateColumns { out: &mut scratch.activated, stride: inner, saved },
    });
    L::enter(Product::<L, _> {
        left: Left::Rows { data: &scratch.activated, stride: inner },
        rows,
        right: down.right_transposed(),
        depth: dims.channel_inner,
        rows_outer: false,
        epilogue: Add::to(h, dims.stride),
    });
    L::enter(NormRows {
        x: h,
        count: rows,
        width: dims.hidden,
        stride: dims.stride,
        rows: output,
        inverse: &mut tape.inverse,
    });
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
    let rows = samples * dims.positions;
    let (stride, inner) = (dims.stride, dims.channel_inner_padded);
    let panel = panel_length::<L>(dims.rows(samples));
    shared.through_norm(dims, samples, d, output, &tape.inverse);
    L::enter(Product::<L, _> {
        left: Left::Rows { data: &shared.rows, stride },
        rows,
        right: down.right(),
        depth: dims.hidden,
        rows_outer: false,
        epilogue: GateColumnsGradient {
            saved: &tape.gates_and_ups,
            inner,
            rows: &mut scratch.d_rows,
            panels: &mut scratch.d_panels,
            activated: &mut scratch.activated_panels,
            panel,
        },
    });
    L::enter(ToPanels { rows: &shared.rows, stride, depth: rows, columns: stride, out: &mut shared.panels, panel });
    L::enter(ToPanels { rows: input, stride, depth: rows, columns: stride, out: &mut shared.input_panels, panel });
    L::enter(Product::<L, _> {
        left: Left::Columns { data: &shared.panels, panel },
        rows: dims.hidden,
        right: Right { data: &scratch.activated_panels, panel, columns: dims.channel_inner },
        depth: rows,
        rows_outer: false,
        epilogue: Add::to(down_gradient, dims.channel_out().gradient_shape::<L>().1),
    });
    L::enter(Product::<L, _> {
        left: Left::Columns { data: &scratch.d_panels, panel },
        rows: 2 * inner,
        right: Right { data: &shared.input_panels, panel, columns: dims.hidden },
        depth: rows,
        rows_outer: true,
        epilogue: Add::to(gate_up_gradient, dims.channel_in::<L>().gradient_shape::<L>().1),
    });
    L::enter(Product::<L, _> {
        left: Left::Rows { data: &scratch.d_rows, stride: 2 * inner },
        rows,
        right: gate_up.right(),
        depth: 2 * inner,
        rows_outer: false,
        epilogue: Add::to(d, stride),
    });
}
