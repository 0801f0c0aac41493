//! Buffers that the backward passes of all sub-layers share.

use crate::buffer::Buffer;
use crate::dims::Dims;
use crate::pointwise::NormRowsGradient;
use crate::product::panels_length;
use crate::simd::Level;

/// The derivative d in both layouts, and a sub-layer's input as panels.
pub struct Shared<L: Level> {
    /// d as rows [samples·S × stride].
    pub rows: Buffer<L::E>,
    /// d as panels over tokens.
    pub panels: Buffer<L::E>,
    /// A sub-layer's input as panels over tokens.
    pub input_panels: Buffer<L::E>,
}

impl<L: Level> Shared<L> {
    pub fn new(dims: &Dims, samples: usize) -> Self {
        let rows = dims.rows(samples);
        let panels = panels_length::<L>(rows, dims.heads_stride::<L>());
        Self {
            rows: Buffer::zeros(rows * dims.stride),
            panels: Buffer::zeros(panels),
            input_panels: Buffer::zeros(panels),
        }
    }

    /// Takes d back through the norm over channels, in place and as operands in `rows`. `output` is the norm's result.
    pub fn through_norm(&mut self, dims: &Dims, samples: usize, d: &mut [f32], output: &[L::E], inverse: &[f32]) {
        let (stride, count) = (dims.stride, samples * dims.positions);
        L::enter(NormRowsGradient { d, count, width: dims.hidden, stride, y: output, inverse, rows: &mut self.rows });
        // The spare row after the last pair may hold values of a larger group.
        self.rows[count * stride..][..stride].fill(Default::default());
    }
}
