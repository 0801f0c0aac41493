//! A model for the engine: its sizes, schedule and list of tensors.

use crate::dims::{Dims, Mixer};
use crate::net::{PARTS, Part};
use crate::simd::Level;

/// A summand of a call's input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The embedded puzzle.
    X,
    Latent(usize),
}

/// One call of the schedule: latents[write] ← nets[net](sum of read).
#[derive(Clone, Debug)]
pub struct Call {
    pub net: usize,
    pub write: usize,
    pub read: Vec<Source>,
    pub gradient: bool,
}

/// Sizes and schedule; the TypeScript side has checked the configuration.
#[derive(Clone, Debug)]
pub struct Model {
    pub sequence: usize,
    pub prefix: usize,
    pub hidden: usize,
    pub vocabulary: usize,
    pub puzzle_size: usize,
    pub puzzle_ids: usize,
    pub layers: usize,
    pub mixer: Mixer,
    pub learned_positions: bool,
    pub token_inner: usize,
    pub channel_inner: usize,
    /// Names of the latents' start values, y first if there is one.
    pub latents: Vec<String>,
    /// Names of the networks.
    pub nets: Vec<String>,
    pub calls: Vec<Call>,
    /// The latent that the heads read.
    pub answer: usize,
    /// Whether a continue value is learned, with a target from a second forward pass.
    pub learns_continue: bool,
}

/// How a tensor is trained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Trained,
    /// A latent's start value.
    Buffer,
    PuzzleTable,
}

#[derive(Clone, Debug)]
pub struct TensorSpec {
    pub name: String,
    pub shape: Vec<usize>,
    pub role: Role,
}

impl TensorSpec {
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The index of each tensor in the list; the latents' start values come first, from index 0.
#[derive(Clone, Debug)]
pub struct Places {
    pub embedding: usize,
    pub answer_head: usize,
    pub halting_weight: usize,
    pub halting_bias: usize,
    pub puzzle_table: Option<usize>,
    pub positions: Option<usize>,
    /// The first weight of the first network's first layer; PARTS weights per layer follow.
    pub networks: usize,
}

impl Model {
    /// S = P + L.
    pub fn positions(&self) -> usize {
        self.prefix + self.sequence
    }

    pub fn dims<L: Level>(&self) -> Dims {
        Dims::new::<L>(self.positions(), self.hidden, self.mixer, self.token_inner, self.channel_inner)
    }

    /// All tensors in the order of the reference's state dict, and the index of each.
    pub fn tensors<L: Level>(&self) -> (Vec<TensorSpec>, Places) {
        let mut specs = Vec::new();
        let mut add = |name: String, shape: &[usize], role: Role| -> usize {
            specs.push(TensorSpec { name, shape: shape.to_vec(), role });
            specs.len() - 1
        };
        for latent in &self.latents {
            add(latent.clone(), &[self.hidden], Role::Buffer);
        }
        let embedding = add("embed_tokens.embedding_weight".into(), &[self.vocabulary, self.hidden], Role::Trained);
        let answer_head = add("lm_head.weight".into(), &[self.vocabulary, self.hidden], Role::Trained);
        let halting_weight = add("q_head.weight".into(), &[2, self.hidden], Role::Trained);
        let halting_bias = add("q_head.bias".into(), &[2], Role::Trained);
        let puzzle_table = (self.puzzle_size > 0)
            .then(|| add("puzzle_emb.weights".into(), &[self.puzzle_ids, self.puzzle_size], Role::PuzzleTable));
        let positions = self
            .learned_positions
            .then(|| add("embed_pos.embedding_weight".into(), &[self.positions(), self.hidden], Role::Trained));
        let dims = self.dims::<L>();
        let networks = self.latents.len() + 4 + usize::from(puzzle_table.is_some()) + usize::from(positions.is_some());
        for net in &self.nets {
            for layer in 0..self.layers {
                for part in PARTS {
                    let name = match (part, self.mixer) {
                        (Part::MixerIn, Mixer::Mlp) => "mlp_t.gate_up_proj",
                        (Part::MixerOut, Mixer::Mlp) => "mlp_t.down_proj",
                        (Part::MixerIn, _) => "self_attn.qkv_proj",
                        (Part::MixerOut, _) => "self_attn.o_proj",
                        (Part::ChannelIn, _) => "mlp.gate_up_proj",
                        (Part::ChannelOut, _) => "mlp.down_proj",
                    };
                    let matrix = part.matrix::<L>(&dims);
                    add(format!("{net}.layers.{layer}.{name}.weight"), &[matrix.rows, matrix.columns], Role::Trained);
                }
            }
        }
        (specs, Places { embedding, answer_head, halting_weight, halting_bias, puzzle_table, positions, networks })
    }
}
