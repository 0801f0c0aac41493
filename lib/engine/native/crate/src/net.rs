//! A network: its layers' weights, one call forwards, one call backwards.

use crate::attention::{self, Rotary};
use crate::buffer::Buffer;
use crate::channel_mixer;
use crate::dims::{Dims, Mixer};
use crate::shared::Shared;
use crate::simd::Level;
use crate::swiglu;
use crate::token_mixer;
use crate::weights::{Matrix, PackedMatrix};

/// One layer's weights, packed for the products, in the order of [`PARTS`].
pub struct LayerWeights<L: Level> {
    packed: [PackedMatrix<L>; 4],
}

/// A layer's four weights, in the reference's order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    MixerIn,
    MixerOut,
    ChannelIn,
    ChannelOut,
}

pub const PARTS: [Part; 4] = [Part::MixerIn, Part::MixerOut, Part::ChannelIn, Part::ChannelOut];

impl Part {
    pub fn matrix<L: Level>(self, dims: &Dims) -> Matrix {
        match self {
            Part::MixerIn => dims.mixer_in(),
            Part::MixerOut => dims.mixer_out(),
            Part::ChannelIn => dims.channel_in::<L>(),
            Part::ChannelOut => dims.channel_out(),
        }
    }
}

impl<L: Level> LayerWeights<L> {
    /// Zeroed buffers; `backward` for weights of backward passes.
    pub fn new(dims: &Dims, backward: bool) -> Self {
        let over_positions = |part| dims.mixer == Mixer::Mlp && matches!(part, Part::MixerIn | Part::MixerOut);
        Self { packed: PARTS.map(|part| PackedMatrix::new(part.matrix::<L>(dims), over_positions(part), backward)) }
    }

    /// Packs new values of one weight.
    pub fn pack(&mut self, part: Part, weight: &[f32]) {
        self.packed[part as usize].pack(weight);
    }

    fn mixer(&self) -> [&PackedMatrix<L>; 2] {
        [&self.packed[Part::MixerIn as usize], &self.packed[Part::MixerOut as usize]]
    }

    fn channel(&self) -> [&PackedMatrix<L>; 2] {
        [&self.packed[Part::ChannelIn as usize], &self.packed[Part::ChannelOut as usize]]
    }
}

/// Gradient sums of one layer in the order of [`PARTS`], each padded as [`Matrix::gradient_shape`] says.
pub struct LayerGradients {
    sums: [Buffer<f32>; 4],
}

impl LayerGradients {
    pub fn new<L: Level>(dims: &Dims) -> Self {
        Self {
            sums: PARTS.map(|part| {
                let (rows, stride) = part.matrix::<L>(dims).gradient_shape::<L>();
                Buffer::zeros(rows * stride)
            }),
        }
    }

    pub fn part(&self, part: Part) -> &[f32] {
        &self.sums[part as usize]
    }

    pub fn clear(&mut self) {
        self.sums.iter_mut().for_each(|sums| sums.fill(0.0));
    }
}

enum MixerTape<L: Level> {
    Mlp(swiglu::Tape<L>),
    Attention(attention::Tape<L>),
}

struct LayerTape<L: Level> {
    input: Buffer<L::E>,
    mixer: MixerTape<L>,
    middle: Buffer<L::E>,
    channel: swiglu::Tape<L>,
}

/// What one call keeps for its backward pass: every sub-layer's input and other needs.
pub struct Tape<L: Level> {
    layers: Vec<LayerTape<L>>,
    output: Buffer<L::E>,
}

impl<L: Level> Tape<L> {
    /// `keep` is false for calls without gradient, whose layers share one set of buffers.
    pub fn new(dims: &Dims, layers: usize, samples: usize, keep: bool) -> Self {
        let activations = || Buffer::zeros(dims.rows(samples) * dims.stride);
        let layer = || LayerTape {
            input: activations(),
            mixer: match dims.mixer {
                Mixer::Mlp => MixerTape::Mlp(swiglu::Tape::over_positions(dims, samples, keep)),
                Mixer::Attention { heads, .. } => MixerTape::Attention(attention::Tape::new(dims, samples, heads)),
            },
            middle: activations(),
            channel: swiglu::Tape::over_channels(dims, samples, keep),
        };
        Self { layers: (0..if keep { layers } else { 1 }).map(|_| layer()).collect(), output: activations() }
    }

    /// Where the call's input goes, as operands.
    pub fn input(&mut self) -> &mut [L::E] {
        &mut self.layers[0].input
    }
}

#[allow(clippy::large_enum_variant)] // one per thread
enum MixerScratch<L: Level> {
    Mlp(token_mixer::Scratch<L>),
    Attention(attention::Scratch<L>, Rotary),
}

/// A thread's intermediates for one call of any network.
pub struct Scratch<L: Level> {
    mixer: MixerScratch<L>,
    channel: channel_mixer::Scratch<L>,
    /// For the backward pass only.
    shared: Option<Shared<L>>,
}

impl<L: Level> Scratch<L> {
    pub fn new(dims: &Dims, samples: usize, backward: bool) -> Self {
        Self {
            mixer: match dims.mixer {
                Mixer::Mlp => MixerScratch::Mlp(token_mixer::Scratch::new(dims, samples, backward)),
                Mixer::Attention { .. } => {
                    MixerScratch::Attention(attention::Scratch::new(dims, samples, backward), Rotary::new(dims))
                }
            },
            channel: channel_mixer::Scratch::new(dims, samples, backward),
            shared: backward.then(|| Shared::new(dims, samples)),
        }
    }
}

/// h [samples·S × stride] ← net(h); the tape must already hold h as operands.
pub fn forward<L: Level>(
    dims: &Dims,
    samples: usize,
    weights: &[LayerWeights<L>],
    h: &mut [f32],
    tape: &mut Tape<L>,
    scratch: &mut Scratch<L>,
) {
    let kept = tape.layers.len() == weights.len();
    for (index, layer) in weights.iter().enumerate() {
        let (before, after) = tape.layers.split_at_mut(if kept { index + 1 } else { 1 });
        let Some(LayerTape { input, mixer, middle, channel }) = before.last_mut() else { return };
        match (mixer, &mut scratch.mixer) {
            (MixerTape::Mlp(tape), MixerScratch::Mlp(scratch)) => {
                token_mixer::forward(dims, samples, layer.mixer(), h, input, middle, tape, scratch);
            }
            (MixerTape::Attention(tape), MixerScratch::Attention(scratch, rotary)) => {
                attention::forward(dims, samples, layer.mixer(), rotary, h, input, middle, tape, scratch);
            }
            _ => unreachable!("tape and scratch are made for one mixer"),
        }
        let output = match after.first_mut() {
            Some(next) => &mut next.input,
            None if index + 1 < weights.len() => input,
            None => &mut tape.output,
        };
        channel_mixer::forward(dims, samples, layer.channel(), h, middle, output, channel, &mut scratch.channel);
    }
}

/// Replaces d, the derivative by the call's output, by the derivative by its input; adds to the gradients.
pub fn backward<L: Level>(
    dims: &Dims,
    samples: usize,
    weights: &[LayerWeights<L>],
    d: &mut [f32],
    tape: &Tape<L>,
    gradients: &mut [LayerGradients],
    scratch: &mut Scratch<L>,
) {
    let shared = scratch.shared.as_mut().expect("scratch was made for the backward pass");
    for index in (0..weights.len()).rev() {
        let (layer, at) = (&weights[index], &tape.layers[index]);
        let output = tape.layers.get(index + 1).map_or(&tape.output, |next| &next.input);
        let [mixer_in, mixer_out, channel_in, channel_out] = &mut gradients[index].sums;
        channel_mixer::backward(
            dims,
            samples,
            layer.channel(),
            d,
            &at.middle,
            output,
            &at.channel,
            channel_in,
            channel_out,
            &mut scratch.channel,
            shared,
        );
        let (weights, input, output) = (layer.mixer(), &at.input, &at.middle);
        match (&at.mixer, &mut scratch.mixer) {
            (MixerTape::Mlp(tape), MixerScratch::Mlp(scratch)) => {
                token_mixer::backward(
                    dims, samples, weights, d, input, output, tape, mixer_in, mixer_out, scratch, shared,
                );
            }
            (MixerTape::Attention(tape), MixerScratch::Attention(scratch, rotary)) => {
                attention::backward(
                    dims, samples, weights, rotary, d, input, output, tape, mixer_in, mixer_out, scratch, shared,
                );
            }
            _ => unreachable!("tape and scratch are made for one mixer"),
        }
    }
}
