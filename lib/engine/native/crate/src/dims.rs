//! The sizes of a model: those of the configuration, and padded ones for the kernels.

use crate::simd::Lanes;
use crate::weights::{Matrix, Order};

/// How tokens mix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mixer {
    /// A SwiGLU over the positions.
    Mlp,
    /// Self-attention, with rotary positions or without.
    Attention { heads: usize, rotary: bool },
}

/// Sizes of one layer. Symbols: S positions, D hidden.
#[derive(Clone, Copy, Debug)]
pub struct Dims {
    pub positions: usize,
    pub hidden: usize,
    pub mixer: Mixer,
    /// Inner size of the SwiGLU over positions.
    pub token_inner: usize,
    /// Inner size of the SwiGLU over channels.
    pub channel_inner: usize,
    /// Values between rows of activations: D padded to a panel.
    pub stride: usize,
    pub token_inner_padded: usize,
    pub channel_inner_padded: usize,
}

impl Dims {
    pub fn new<L: Lanes>(
        positions: usize,
        hidden: usize,
        mixer: Mixer,
        token_inner: usize,
        channel_inner: usize,
    ) -> Self {
        Self {
            positions,
            hidden,
            mixer,
            token_inner,
            channel_inner,
            stride: hidden.next_multiple_of(L::NR),
            token_inner_padded: token_inner.next_multiple_of(L::NR),
            channel_inner_padded: channel_inner.next_multiple_of(L::NR),
        }
    }

    /// Rows of a buffer for `samples` puzzles, at least one of them spare, since products write pairs of rows.
    pub fn rows(&self, samples: usize) -> usize {
        (samples * self.positions + 1).next_multiple_of(2)
    }

    pub fn head_size(&self) -> usize {
        match self.mixer {
            Mixer::Mlp => 0,
            Mixer::Attention { heads, .. } => self.hidden / heads,
        }
    }

    /// Values between rows that hold queries, keys and values side by side.
    pub fn qkv_stride<L: Lanes>(&self) -> usize {
        (3 * self.hidden).next_multiple_of(L::NR)
    }

    /// Values between rows that hold the heads' results side by side; each head writes whole panels from its column on.
    pub fn heads_stride<L: Lanes>(&self) -> usize {
        (self.hidden + L::NR).next_multiple_of(L::NR)
    }

    /// The mixer's first weight: gates and ups, or queries, keys and values.
    pub fn mixer_in(&self) -> Matrix {
        match self.mixer {
            Mixer::Mlp => Matrix {
                rows: 2 * self.token_inner,
                columns: self.positions,
                padded: 2 * self.token_inner_padded,
                order: Order::Halves { inner: self.token_inner, padded: self.token_inner_padded },
                transposed_gradient: false,
            },
            Mixer::Attention { .. } => self.plain(3 * self.hidden, self.hidden, 3 * self.hidden),
        }
    }

    /// The mixer's second weight: down, or the projection of the heads' results.
    pub fn mixer_out(&self) -> Matrix {
        match self.mixer {
            Mixer::Mlp => {
                Matrix { transposed_gradient: true, ..self.plain(self.positions, self.token_inner, self.positions) }
            }
            Mixer::Attention { .. } => self.plain(self.hidden, self.hidden, self.hidden),
        }
    }

    /// Gates and ups of the SwiGLU over channels.
    pub fn channel_in<L: Lanes>(&self) -> Matrix {
        Matrix {
            rows: 2 * self.channel_inner,
            columns: self.hidden,
            padded: 2 * self.channel_inner_padded,
            order: Order::Alternating { inner: self.channel_inner, lanes: L::LANES },
            transposed_gradient: false,
        }
    }

    pub fn channel_out(&self) -> Matrix {
        self.plain(self.hidden, self.channel_inner, self.hidden)
    }

    fn plain(&self, rows: usize, columns: usize, padded: usize) -> Matrix {
        Matrix { rows, columns, padded, order: Order::Plain, transposed_gradient: false }
    }
}
