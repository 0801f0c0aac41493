//! What the two SwiGLUs, over positions and over channels, keep of a forward pass for the backward pass.

use crate::buffer::Buffer;
use crate::dims::Dims;
use crate::simd::Level;

/// The layer's own tape holds input and output.
pub struct Tape<L: Level> {
    /// Empty for calls without gradient, which keep nothing.
    pub gates_and_ups: Buffer<L::E>,
    /// 1/√(mean square + ε) of each normalised vector.
    pub inverse: Buffer<f32>,
}

impl<L: Level> Tape<L> {
    pub fn over_positions(dims: &Dims, samples: usize, keep: bool) -> Self {
        let columns = samples * dims.stride;
        Self::new(2 * dims.token_inner_padded * columns, columns, keep)
    }

    pub fn over_channels(dims: &Dims, samples: usize, keep: bool) -> Self {
        let rows = dims.rows(samples);
        Self::new(rows * 2 * dims.channel_inner_padded, rows, keep)
    }

    fn new(gates_and_ups: usize, vectors: usize, keep: bool) -> Self {
        Self { gates_and_ups: Buffer::zeros(if keep { gates_and_ups } else { 0 }), inverse: Buffer::zeros(vectors) }
    }
}
