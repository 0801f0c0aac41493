//! A network: its layers' weights, one call forwards, one call backwards.

use crate::attention::{self, Rotary};
use crate::buffer::Buffer;
use crate::channel_mixer::{self, Shared};
use crate::dims::{Dims, Mixer};
use crate::simd::Level;
use crate::token_mixer;
use crate::weights::Matrix;

enum MixerWeights<L: Level> {
    Mlp(token_mixer::Weights<L>),
    Attention(attention::Weights<L>),
}

/// One layer's weights in the forms that the products read.
pub struct LayerWeights<L: Level> {
    mixer: MixerWeights<L>,
    channel: channel_mixer::Weights<L>,
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
    /// Room; `backward` only for weights that are trained with.
    pub fn new(dims: &Dims, backward: bool) -> Self {
        Self {
            mixer: match dims.mixer {
                Mixer::Mlp => MixerWeights::Mlp(token_mixer::Weights::new(dims, backward)),
                Mixer::Attention { .. } => MixerWeights::Attention(attention::Weights::new(dims, backward)),
            },
            channel: channel_mixer::Weights::new(dims, backward),
        }
    }

    /// Takes over new values of one weight.
    pub fn pack(&mut self, dims: &Dims, part: Part, weight: &[f32]) {
        match (part, &mut self.mixer) {
            (Part::MixerIn | Part::MixerOut, MixerWeights::Mlp(weights)) => {
                weights.pack(dims, part == Part::MixerIn, weight)
            }
            (Part::MixerIn | Part::MixerOut, MixerWeights::Attention(weights)) => {
                weights.pack(dims, part == Part::MixerIn, weight)
            }
            (Part::ChannelIn | Part::ChannelOut, _) => self.channel.pack(dims, part == Part::ChannelIn, weight),
        }
    }
}

/// Gradient sums of one layer, in the padded order of [`Matrix::gradient_shape`].
pub struct LayerGradients {
    mixer_in: Buffer<f32>,
    mixer_out: Buffer<f32>,
    channel: channel_mixer::Gradients,
}

impl LayerGradients {
    pub fn new<L: Level>(dims: &Dims) -> Self {
        let room = |matrix: Matrix| {
            let (rows, stride) = matrix.gradient_shape::<L>();
            Buffer::zeros(rows * stride)
        };
        Self {
            mixer_in: room(dims.mixer_in()),
            mixer_out: room(dims.mixer_out()),
            channel: channel_mixer::Gradients::new::<L>(dims),
        }
    }

    pub fn part(&self, part: Part) -> &[f32] {
        match part {
            Part::MixerIn => &self.mixer_in,
            Part::MixerOut => &self.mixer_out,
            Part::ChannelIn => &self.channel.gate_up,
            Part::ChannelOut => &self.channel.down,
        }
    }

    pub fn clear(&mut self) {
        for sums in [&mut self.mixer_in, &mut self.mixer_out, &mut self.channel.gate_up, &mut self.channel.down] {
            sums.fill(0.0);
        }
    }
}

enum MixerTape<L: Level> {
    Mlp(token_mixer::Tape<L>),
    Attention(attention::Tape<L>),
}

struct LayerTape<L: Level> {
    input: Buffer<L::E>,
    mixer: MixerTape<L>,
    middle: Buffer<L::E>,
    channel: channel_mixer::Tape<L>,
}

/// What one call leaves behind for its backward pass: every sub-layer's input and what else it needs.
pub struct Tape<L: Level> {
    layers: Vec<LayerTape<L>>,
    output: Buffer<L::E>,
}

impl<L: Level> Tape<L> {
    /// `keep` false: the tape of calls without gradient; its layers share one set of buffers.
    pub fn new(dims: &Dims, layers: usize, samples: usize, keep: bool) -> Self {
        let activations = || Buffer::zeros(dims.rows(samples) * dims.stride);
        let layer = || LayerTape {
            input: activations(),
            mixer: match dims.mixer {
                Mixer::Mlp => MixerTape::Mlp(token_mixer::Tape::new(dims, samples, keep)),
                Mixer::Attention { heads, .. } => MixerTape::Attention(attention::Tape::new(dims, samples, heads)),
            },
            middle: activations(),
            channel: channel_mixer::Tape::new(dims, samples, keep),
        };
        Self { layers: (0..if keep { layers } else { 1 }).map(|_| layer()).collect(), output: activations() }
    }

    /// Where the call's input goes, as operands.
    pub fn input(&mut self) -> &mut [L::E] {
        &mut self.layers[0].input
    }
}

#[allow(clippy::large_enum_variant)] // one a thread
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

/// h [samples·S × stride] ← net(h); the tape already holds h as operands.
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
        match (&layer.mixer, mixer, &mut scratch.mixer) {
            (MixerWeights::Mlp(weights), MixerTape::Mlp(tape), MixerScratch::Mlp(scratch)) => {
                token_mixer::forward(dims, samples, weights, h, input, middle, tape, scratch);
            }
            (
                MixerWeights::Attention(weights),
                MixerTape::Attention(tape),
                MixerScratch::Attention(scratch, rotary),
            ) => {
                attention::forward(dims, samples, weights, rotary, h, input, middle, tape, scratch);
            }
            _ => unreachable!("weights, tape and scratch are made for one mixer"),
        }
        let output = match after.first_mut() {
            Some(next) => &mut next.input,
            None if index + 1 < weights.len() => input,
            None => &mut tape.output,
        };
        channel_mixer::forward(dims, samples, &layer.channel, h, middle, output, channel, &mut scratch.channel);
    }
}

/// d ← the derivative with respect to the call's input, from that with respect to its output; adds to the gradients.
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
        let (layer, gradients, at) = (&weights[index], &mut gradients[index], &tape.layers[index]);
        let output = tape.layers.get(index + 1).map_or(&tape.output, |next| &next.input);
        channel_mixer::backward(
            dims,
            samples,
            &layer.channel,
            d,
            &at.middle,
            output,
            &at.channel,
            &mut gradients.channel,
            &mut scratch.channel,
            shared,
        );
        let (first, second) = (&mut gradients.mixer_in, &mut gradients.mixer_out);
        match (&layer.mixer, &at.mixer, &mut scratch.mixer) {
            (MixerWeights::Mlp(weights), MixerTape::Mlp(tape), MixerScratch::Mlp(scratch)) => {
                token_mixer::backward(
                    dims, samples, weights, d, &at.input, &at.middle, tape, first, second, scratch, shared,
                );
            }
            (
                MixerWeights::Attention(weights),
                MixerTape::Attention(tape),
                MixerScratch::Attention(scratch, rotary),
            ) => {
                attention::backward(
                    dims, samples, weights, rotary, d, &at.input, &at.middle, tape, first, second, scratch, shared,
                );
            }
            _ => unreachable!("weights, tape and scratch are made for one mixer"),
        }
    }
}
