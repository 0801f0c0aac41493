//! Runs one thread's share of a supervision step: each group of its seats goes
//! through the whole schedule, forwards and backwards.

use crate::buffer::{Buffer, filled};
use crate::dims::Dims;
use crate::linear::{Linear, LinearGradient};
use crate::loss::{CrossEntropy, IGNORED, argmax, binary_cross_entropy, cross_entropy, sigmoid};
use crate::model::{Model, Source};
use crate::net::{self, LayerGradients, LayerWeights, Scratch, Tape};
use crate::pointwise::{AddTo, Sum};
use crate::simd::Level;

/// 1/√2 as the reference writes it (spec §1.3).
const POSITION_FACTOR: f32 = 0.707_106_77;

/// The weights of a step: the networks' matrices packed, other tensors unchanged.
pub struct Values<'a, L: Level> {
    pub starts: Vec<&'a [f32]>,
    pub embedding: &'a [f32],
    pub answer_head: &'a [f32],
    pub halting_weight: &'a [f32],
    pub halting_bias: &'a [f32],
    pub puzzle_table: Option<&'a [f32]>,
    pub positions: Option<&'a [f32]>,
    pub nets: &'a [Vec<LayerWeights<L>>],
}

/// The inputs of a step, for the seats of the batch or of a thread's share.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    pub tokens: &'a [i32],
    pub puzzle_ids: &'a [i32],
    pub reset: &'a [u8],
    pub train: Option<TrainInputs<'a>>,
}

impl Inputs<'_> {
    /// Takes the first `seats` off the `left` seats that are here.
    pub fn take(&mut self, seats: usize, left: usize) -> Self {
        Self {
            tokens: front(&mut self.tokens, seats, left),
            puzzle_ids: front(&mut self.puzzle_ids, seats, left),
            reset: front(&mut self.reset, seats, left),
            train: self.train.as_mut().map(|train| TrainInputs {
                labels: front(&mut train.labels, seats, left),
                last: front(&mut train.last, seats, left),
                ..*train
            }),
        }
    }
}

fn front<'a, T>(items: &mut &'a [T], seats: usize, left: usize) -> &'a [T] {
    let (front, rest) = items.split_at(items.len() / left * seats);
    *items = rest;
    front
}

/// Further inputs of a training step.
#[derive(Clone, Copy)]
pub struct TrainInputs<'a> {
    pub labels: &'a [i32],
    pub last: &'a [u8],
    pub loss: CrossEntropy,
    /// Seats of the whole batch: the loss is the mean over them.
    pub batch: usize,
}

/// Where the results of the batch or of a thread's share go; those of training are empty for inference.
pub struct Outputs<'a> {
    /// The seats' latents, [seats × S × D] each.
    pub latents: Vec<&'a mut [f32]>,
    pub predictions: &'a mut [i32],
    pub halt_logits: &'a mut [f32],
    pub continue_logits: &'a mut [f32],
    /// Empty if not asked for.
    pub logits: &'a mut [f32],
    pub answer_loss: &'a mut [f64],
    pub halt_loss: &'a mut [f64],
    pub continue_loss: &'a mut [f64],
    pub continue_targets: &'a mut [f32],
    /// Gradients of the puzzle rows, [seats × puzzle size].
    pub puzzle_gradients: &'a mut [f32],
}

impl<'a> Outputs<'a> {
    /// Takes the first `seats` off the `left` seats that are here.
    pub fn take(&mut self, seats: usize, left: usize) -> Outputs<'a> {
        Outputs {
            latents: self.latents.iter_mut().map(|latent| front_mut(latent, seats, left)).collect(),
            predictions: front_mut(&mut self.predictions, seats, left),
            halt_logits: front_mut(&mut self.halt_logits, seats, left),
            continue_logits: front_mut(&mut self.continue_logits, seats, left),
            logits: front_mut(&mut self.logits, seats, left),
            answer_loss: front_mut(&mut self.answer_loss, seats, left),
            halt_loss: front_mut(&mut self.halt_loss, seats, left),
            continue_loss: front_mut(&mut self.continue_loss, seats, left),
            continue_targets: front_mut(&mut self.continue_targets, seats, left),
            puzzle_gradients: front_mut(&mut self.puzzle_gradients, seats, left),
        }
    }
}

fn front_mut<'a, T>(items: &mut &'a mut [T], seats: usize, left: usize) -> &'a mut [T] {
    let len = items.len() / left * seats;
    let (front, rest) = std::mem::take(items).split_at_mut(len);
    *items = rest;
    front
}

/// A thread's gradient sums, in the reference's order except for the layers'.
pub struct Gradients {
    pub nets: Vec<Vec<LayerGradients>>,
    pub embedding: Vec<f32>,
    pub answer_head: Vec<f32>,
    pub halting_weight: Vec<f32>,
    pub halting_bias: Vec<f32>,
    pub positions: Vec<f32>,
}

impl Gradients {
    fn new<L: Level>(model: &Model, dims: &Dims) -> Self {
        let table = || filled(0.0, model.vocabulary * model.hidden);
        Self {
            nets: model
                .nets
                .iter()
                .map(|_| (0..model.layers).map(|_| LayerGradients::new::<L>(dims)).collect())
                .collect(),
            embedding: table(),
            answer_head: table(),
            halting_weight: vec![0.0; 2 * model.hidden],
            halting_bias: vec![0.0; 2],
            positions: filled(0.0, if model.learned_positions { model.positions() * model.hidden } else { 0 }),
        }
    }

    fn clear(&mut self) {
        self.nets.iter_mut().flatten().for_each(LayerGradients::clear);
        for sums in [
            &mut self.embedding,
            &mut self.answer_head,
            &mut self.halting_weight,
            &mut self.halting_bias,
            &mut self.positions,
        ] {
            sums.fill(0.0);
        }
    }
}

/// Buffers that only training needs.
struct TrainBuffers<L: Level> {
    /// One for each call with gradient.
    tapes: Vec<Tape<L>>,
    /// The derivative by each latent, and whether it has one.
    d_latents: Vec<(Buffer<f32>, bool)>,
    d_x: Buffer<f32>,
    d: Buffer<f32>,
    d_logits: Vec<f32>,
    gradients: Gradients,
    /// Latents of the extra step that gives the continue target.
    ahead: Vec<Buffer<f32>>,
}

/// A thread's buffers, allocated once and reused for every step.
pub struct Worker<L: Level> {
    model: Model,
    dims: Dims,
    group: usize,
    scratch: Scratch<L>,
    /// For calls without gradient.
    tape: Tape<L>,
    latents: Vec<Buffer<f32>>,
    x: Buffer<f32>,
    h: Buffer<f32>,
    logits: Vec<f32>,
    buffers: Option<TrainBuffers<L>>,
}

impl<L: Level> Worker<L> {
    /// `group`: puzzles that go through the schedule together.
    pub fn new(model: &Model, group: usize, buffers: bool) -> Self {
        let dims = model.dims::<L>();
        let activations = || Buffer::<f32>::zeros(dims.rows(group) * dims.stride);
        let latents = || model.latents.iter().map(|_| activations()).collect::<Vec<_>>();
        let calls = model.calls.iter().filter(|call| call.gradient).count();
        Self {
            scratch: Scratch::new(&dims, group, buffers),
            tape: Tape::new(&dims, model.layers, group, false),
            latents: latents(),
            x: activations(),
            h: activations(),
            logits: filled(0.0, group * model.sequence * model.vocabulary),
            buffers: buffers.then(|| TrainBuffers {
                tapes: (0..calls).map(|_| Tape::new(&dims, model.layers, group, true)).collect(),
                d_latents: model.latents.iter().map(|_| (activations(), false)).collect(),
                d_x: activations(),
                d: activations(),
                d_logits: filled(0.0, group * model.sequence * model.vocabulary),
                gradients: Gradients::new::<L>(model, &dims),
                ahead: if model.learns_continue { latents() } else { Vec::new() },
            }),
            model: model.clone(),
            dims,
            group,
        }
    }

    /// Puzzles that go through the schedule together.
    pub fn group(&self) -> usize {
        self.group
    }

    /// Whether it has the buffers for the backward pass.
    pub fn trains(&self) -> bool {
        self.buffers.is_some()
    }

    /// Gradient sums of the last share, if this worker trains.
    pub fn gradients(&self) -> Option<&Gradients> {
        self.buffers.as_ref().map(|buffers| &buffers.gradients)
    }

    /// Runs a share: all its seats, a group at a time.
    pub fn run(&mut self, values: &Values<L>, inputs: Inputs, outputs: &mut Outputs) {
        if let Some(buffers) = &mut self.buffers {
            buffers.gradients.clear();
        }
        let seats = inputs.reset.len();
        for first in (0..seats).step_by(self.group) {
            self.run_group(values, inputs, outputs, first, self.group.min(seats - first));
        }
    }

    fn run_group(&mut self, values: &Values<L>, inputs: Inputs, outputs: &mut Outputs, first: usize, samples: usize) {
        self.load(values, inputs, outputs, first, samples);
        self.embed(values, inputs, first, samples);
        let mut buffers = if inputs.train.is_some() { self.buffers.take() } else { None };
        let tapes = buffers.as_mut().map_or(&mut [][..], |buffers| &mut buffers.tapes);
        self.forward(values, samples, tapes);
        self.store(outputs, first, samples);
        self.heads(values, outputs, first, samples);
        if let (Some(train), Some(buffers)) = (inputs.train, &mut buffers) {
            if self.model.learns_continue {
                self.continue_targets(values, buffers, train, outputs, first, samples);
            }
            self.losses(values, buffers, train, outputs, first, samples);
            self.backward(values, buffers, samples);
            self.embedding_gradient(buffers, inputs, outputs, first, samples);
        }
        if buffers.is_some() {
            self.buffers = buffers;
        }
    }

    /// Loads the carried latents, or the start values for seats with reset.
    fn load(&mut self, values: &Values<L>, inputs: Inputs, outputs: &Outputs, first: usize, samples: usize) {
        let (width, stride, positions) = (self.dims.hidden, self.dims.stride, self.dims.positions);
        for ((latent, carried), start) in self.latents.iter_mut().zip(&outputs.latents).zip(&values.starts) {
            for sample in 0..samples {
                let seat = first + sample;
                for position in 0..positions {
                    let to = &mut latent[(sample * positions + position) * stride..][..width];
                    if inputs.reset[seat] == 1 {
                        to.copy_from_slice(start);
                    } else {
                        to.copy_from_slice(&carried[(seat * positions + position) * width..][..width]);
                    }
                }
            }
        }
    }

    /// Stores the latents for the next step.
    fn store(&self, outputs: &mut Outputs, first: usize, samples: usize) {
        let (width, stride, positions) = (self.dims.hidden, self.dims.stride, self.dims.positions);
        for (latent, carried) in self.latents.iter().zip(&mut outputs.latents) {
            for row in 0..samples * positions {
                let to = (first * positions + row) * width;
                carried[to..to + width].copy_from_slice(&latent[row * stride..][..width]);
            }
        }
    }

    /// x [samples·S × stride] = √D · (puzzle row, then tokens), mixed with learned positions if any (spec §1.3).
    fn embed(&mut self, values: &Values<L>, inputs: Inputs, first: usize, samples: usize) {
        let (width, stride, positions) = (self.dims.hidden, self.dims.stride, self.dims.positions);
        let scale = (width as f32).sqrt();
        for sample in 0..samples {
            let seat = first + sample;
            for position in 0..positions {
                let to = &mut self.x[(sample * positions + position) * stride..][..width];
                if position >= self.model.prefix {
                    let token = inputs.tokens[seat * self.model.sequence + position - self.model.prefix] as usize;
                    to.copy_from_slice(&values.embedding[token * width..][..width]);
                } else {
                    to.fill(0.0);
                    if let Some(table) = values.puzzle_table {
                        let size = self.model.puzzle_size;
                        let row = &table[inputs.puzzle_ids[seat] as usize * size..][..size];
                        let part = &row[(position * width).min(size)..((position + 1) * width).min(size)];
                        to[..part.len()].copy_from_slice(part);
                    }
                }
                if let Some(table) = values.positions {
                    for (x, p) in to.iter_mut().zip(&table[position * width..][..width]) {
                        *x = POSITION_FACTOR * (*x + p);
                    }
                }
                to.iter_mut().for_each(|x| *x *= scale);
            }
        }
    }

    /// The forward pass of the schedule. `tapes` record the calls with gradient; if empty, nothing is kept.
    fn forward(&mut self, values: &Values<L>, samples: usize, tapes: &mut [Tape<L>]) {
        let used = samples * self.dims.positions * self.dims.stride;
        let mut tapes = tapes.iter_mut();
        for call in &self.model.calls {
            let kept = if call.gradient { tapes.next() } else { None };
            let tape = kept.unwrap_or(&mut self.tape);
            let sources: Vec<&[f32]> = call
                .read
                .iter()
                .map(|source| match source {
                    Source::X => &self.x[..],
                    Source::Latent(latent) => &self.latents[*latent][..],
                })
                .collect();
            L::enter(Sum { sources: &sources, out: &mut self.h[..used], rows: tape.input() });
            net::forward(&self.dims, samples, &values.nets[call.net], &mut self.h, tape, &mut self.scratch);
            std::mem::swap(&mut self.h, &mut self.latents[call.write]);
        }
    }

    /// Answer and halting logits from the answer latent.
    fn heads(&mut self, values: &Values<L>, outputs: &mut Outputs, first: usize, samples: usize) {
        let (stride, positions, cells) = (self.dims.stride, self.dims.positions, self.model.sequence);
        let y = &self.latents[self.model.answer];
        for sample in 0..samples {
            let seat = first + sample;
            let start = sample * positions * stride;
            let logits = &mut self.logits[sample * cells * self.model.vocabulary..][..cells * self.model.vocabulary];
            L::enter(Linear {
                x: &y[start + self.model.prefix * stride..],
                stride,
                width: self.dims.hidden,
                weight: values.answer_head,
                outputs: self.model.vocabulary,
                out: logits,
            });
            for (prediction, logits) in
                outputs.predictions[seat * cells..].iter_mut().zip(logits.chunks_exact(self.model.vocabulary))
            {
                *prediction = argmax(logits) as i32;
            }
            if !outputs.logits.is_empty() {
                outputs.logits[seat * logits.len()..][..logits.len()].copy_from_slice(logits);
            }
            (outputs.halt_logits[seat], outputs.continue_logits[seat]) = self.halting(values, &y[start..]);
        }
    }

    /// The halting and the continue logit, from position 0.
    fn halting(&self, values: &Values<L>, y: &[f32]) -> (f32, f32) {
        let mut out = [0.0; 2];
        let (stride, width) = (self.dims.stride, self.dims.hidden);
        L::enter(Linear { x: y, stride, width, weight: values.halting_weight, outputs: 2, out: &mut out });
        (out[0] + values.halting_bias[0], out[1] + values.halting_bias[1])
    }

    /// Continue targets: one more supervision step from the new latents, without gradient (spec §2.3).
    fn continue_targets(
        &mut self,
        values: &Values<L>,
        buffers: &mut TrainBuffers<L>,
        train: TrainInputs,
        outputs: &mut Outputs,
        first: usize,
        samples: usize,
    ) {
        for (ahead, latent) in buffers.ahead.iter_mut().zip(&self.latents) {
            ahead.copy_from_slice(latent);
        }
        std::mem::swap(&mut buffers.ahead, &mut self.latents);
        self.forward(values, samples, &mut []);
        for sample in 0..samples {
            let y = &self.latents[self.model.answer][sample * self.dims.positions * self.dims.stride..];
            let (halt_logit, continue_logit) = self.halting(values, y);
            let seat = first + sample;
            let best = if train.last[seat] == 1 { halt_logit } else { halt_logit.max(continue_logit) };
            outputs.continue_targets[seat] = sigmoid(f64::from(best)) as f32;
        }
        std::mem::swap(&mut buffers.ahead, &mut self.latents);
    }

    /// Losses and their derivative by the answer latent; adds to the heads' gradients (spec §3).
    fn losses(
        &mut self,
        values: &Values<L>,
        buffers: &mut TrainBuffers<L>,
        train: TrainInputs,
        outputs: &mut Outputs,
        first: usize,
        samples: usize,
    ) {
        let (stride, positions, width) = (self.dims.stride, self.dims.positions, self.dims.hidden);
        let (cells, vocabulary) = (self.model.sequence, self.model.vocabulary);
        let y = &self.latents[self.model.answer];
        for (d, present) in &mut buffers.d_latents {
            d.fill(0.0);
            *present = false;
        }
        let (d_y, present) = &mut buffers.d_latents[self.model.answer];
        *present = true;
        for sample in 0..samples {
            let seat = first + sample;
            let labels = &train.labels[seat * cells..][..cells];
            let predictions = &outputs.predictions[seat * cells..][..cells];
            let scored = labels.iter().filter(|&&label| label != IGNORED).count().max(1) as f64;
            let right =
                labels.iter().zip(predictions).all(|(label, prediction)| *label == IGNORED || label == prediction);
            let logits = self.logits[sample * cells * vocabulary..].chunks_exact(vocabulary);
            let d_logits = &mut buffers.d_logits[sample * cells * vocabulary..][..cells * vocabulary];
            let mut total = 0.0;
            for ((logits, d), &label) in logits.zip(d_logits.chunks_exact_mut(vocabulary)).zip(labels) {
                if label == IGNORED {
                    d.fill(0.0);
                } else {
                    total += cross_entropy(train.loss, logits, label as usize, 1.0 / (scored * train.batch as f64), d);
                }
            }
            outputs.answer_loss[seat] = total / scored;
            let start = sample * positions * stride;
            L::enter(LinearGradient {
                x: &y[start + self.model.prefix * stride..],
                stride,
                width,
                weight: values.answer_head,
                outputs: vocabulary,
                d: d_logits,
                d_x: &mut d_y[start + self.model.prefix * stride..],
                d_weight: &mut buffers.gradients.answer_head,
            });

            let (halt_loss, d_halt) = binary_cross_entropy(outputs.halt_logits[seat], if right { 1.0 } else { 0.0 });
            outputs.halt_loss[seat] = halt_loss;
            let mut d_continue = 0.0;
            if self.model.learns_continue {
                (outputs.continue_loss[seat], d_continue) =
                    binary_cross_entropy(outputs.continue_logits[seat], f64::from(outputs.continue_targets[seat]));
            }
            let half = 0.5 / train.batch as f64;
            let d = [(half * d_halt) as f32, (half * d_continue) as f32];
            L::enter(LinearGradient {
                x: &y[start..],
                stride,
                width,
                weight: values.halting_weight,
                outputs: 2,
                d: &d,
                d_x: &mut d_y[start..],
                d_weight: &mut buffers.gradients.halting_weight,
            });
            buffers.gradients.halting_bias.iter_mut().zip(d).for_each(|(sum, d)| *sum += d);
        }
    }

    /// The backward pass of the schedule: from the answer's derivative to those of x and the weights.
    fn backward(&mut self, values: &Values<L>, buffers: &mut TrainBuffers<L>, samples: usize) {
        let used = samples * self.dims.positions * self.dims.stride;
        buffers.d_x.fill(0.0);
        let mut tapes = buffers.tapes.iter().rev();
        let from = self.model.calls.iter().position(|call| call.gradient).unwrap_or(self.model.calls.len());
        for call in self.model.calls[from..].iter().rev() {
            // Before this call, the latent that it overwrites had another value, whose derivative starts at zero.
            let (d_write, present) = &mut buffers.d_latents[call.write];
            let reaches = std::mem::replace(present, false);
            std::mem::swap(d_write, &mut buffers.d);
            d_write.fill(0.0);
            let tape = if call.gradient { tapes.next() } else { None };
            let Some(tape) = tape.filter(|_| reaches) else { continue };
            let gradients = &mut buffers.gradients.nets[call.net];
            net::backward(
                &self.dims,
                samples,
                &values.nets[call.net],
                &mut buffers.d,
                tape,
                gradients,
                &mut self.scratch,
            );
            for source in &call.read {
                let to = match source {
                    Source::X => &mut buffers.d_x,
                    Source::Latent(latent) => {
                        buffers.d_latents[*latent].1 = true;
                        &mut buffers.d_latents[*latent].0
                    }
                };
                L::enter(AddTo { to: &mut to[..used], from: &buffers.d });
            }
        }
    }

    /// Adds x's derivative to the gradients of embedding and positions, and writes those of the puzzle rows.
    fn embedding_gradient(
        &self,
        buffers: &mut TrainBuffers<L>,
        inputs: Inputs,
        outputs: &mut Outputs,
        first: usize,
        samples: usize,
    ) {
        let (width, stride, positions) = (self.dims.hidden, self.dims.stride, self.dims.positions);
        let size = self.model.puzzle_size;
        let learned = self.model.learned_positions;
        let scale = (width as f32).sqrt() * if learned { POSITION_FACTOR } else { 1.0 };
        let add = |to: &mut [f32], from: &[f32]| to.iter_mut().zip(from).for_each(|(to, from)| *to += scale * from);
        for sample in 0..samples {
            let seat = first + sample;
            for position in 0..positions {
                let d = &buffers.d_x[(sample * positions + position) * stride..][..width];
                if learned {
                    add(&mut buffers.gradients.positions[position * width..][..width], d);
                }
                if position >= self.model.prefix {
                    let token = inputs.tokens[seat * self.model.sequence + position - self.model.prefix] as usize;
                    add(&mut buffers.gradients.embedding[token * width..][..width], d);
                } else {
                    let row = &mut outputs.puzzle_gradients[seat * size..][..size];
                    let part = &mut row[(position * width).min(size)..((position + 1) * width).min(size)];
                    part.iter_mut().zip(d).for_each(|(to, d)| *to = scale * d);
                }
            }
        }
    }
}
