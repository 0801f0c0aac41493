//! The engine at one instruction level: owns parameters, gradients, moments and averages, and runs steps on threads.

use std::collections::HashMap;

use crate::buffer::{OutOfMemory, caught, filled, try_filled};
use crate::dims::Dims;
use crate::model::{Model, Places, Role, TensorSpec};
use crate::muon::Muon;
use crate::net::{LayerWeights, PARTS};
use crate::optimizer::{Rule, Step, Update, sign_sgd};
use crate::simd::Level;
use crate::team::run_all;
use crate::worker::{Gradients, Inputs, Outputs, TrainInputs, Values, Worker};

/// Rows of activations that a thread processes at a time: few enough for its caches,
/// enough to reuse every loaded weight, of which a wide network has more.
fn group_rows(hidden: usize) -> usize {
    (3 * hidden / 4).clamp(96, 384)
}

/// Weights for inference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weights {
    Raw,
    Average,
}

/// Sets of tensors that can be read and written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Parameters,
    Average,
    FirstMoment,
    SecondMoment,
}

/// What went wrong in a step.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// Wrong sizes or ids from the caller.
    Input(String),
    /// A loss or gradient that is NaN or infinite.
    NotFinite(String),
    Memory(OutOfMemory),
}

impl From<OutOfMemory> for Failure {
    fn from(error: OutOfMemory) -> Self {
        Failure::Memory(error)
    }
}

/// The inputs of a step, for B seats.
pub struct Request {
    pub tokens: Vec<i32>,
    pub puzzle_ids: Vec<i32>,
    pub reset: Vec<u8>,
    pub want_logits: bool,
}

/// Further inputs of a training step.
pub struct TrainRequest {
    pub labels: Vec<i32>,
    pub last: Vec<u8>,
    pub loss: crate::loss::CrossEntropy,
}

/// The results of a step; those of training are empty after inference.
#[derive(Default)]
pub struct Reply {
    pub predictions: Vec<i32>,
    pub halt_logits: Vec<f32>,
    pub continue_logits: Vec<f32>,
    pub logits: Vec<f32>,
    pub answer_loss: Vec<f64>,
    pub halt_loss: Vec<f64>,
    pub continue_loss: Vec<f64>,
    pub continue_targets: Vec<f32>,
}

/// The puzzle table's part of an update.
#[derive(Clone, Copy, Debug)]
pub struct PuzzleStep {
    pub learning_rate: f64,
    pub weight_decay: f64,
}

/// An engine at any level.
pub trait AnyEngine: Send {
    fn specs(&self) -> &[TensorSpec];
    fn create_state(&mut self, batch: usize) -> Result<u32, Failure>;
    fn dispose_state(&mut self, state: u32);
    /// One latent of a state, [B × S × D].
    fn latent(&mut self, state: u32, latent: usize) -> Result<&mut Vec<f32>, Failure>;
    fn infer(&mut self, state: u32, request: &Request, weights: Weights) -> Result<Reply, Failure>;
    fn train(&mut self, state: u32, request: &Request, train: &TrainRequest) -> Result<Reply, Failure>;
    fn update(&mut self, step: Step, puzzles: PuzzleStep) -> Result<(), Failure>;
    fn tensor(&self, kind: Kind, index: usize) -> &[f32];
    fn write_tensor(&mut self, kind: Kind, index: usize, values: &[f32]) -> Result<(), Failure>;
    /// Gradient of the last training step; empty before the first.
    fn gradient(&self, index: usize) -> &[f32];
    fn puzzle_gradients(&self) -> &[f32];
}

struct State {
    batch: usize,
    latents: Vec<Vec<f32>>,
}

/// Weights packed for the products.
struct Packed<L: Level> {
    nets: Vec<Vec<LayerWeights<L>>>,
    /// Whether the parameters have changed since packing.
    stale: bool,
}

pub struct Engine<L: Level> {
    model: Model,
    dims: Dims,
    threads: usize,
    specs: Vec<TensorSpec>,
    places: Places,
    parameters: Vec<Vec<f32>>,
    /// These four have trained tensors only; the places of others are empty.
    average: Vec<Vec<f32>>,
    first: Vec<Vec<f32>>,
    second: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
    puzzle_gradients: Vec<f32>,
    /// Puzzle ids of the last training step, until an update uses it.
    pending: Option<Vec<i32>>,
    raw: Packed<L>,
    averaged: Option<Packed<L>>,
    workers: Vec<Worker<L>>,
    states: HashMap<u32, State>,
    next_state: u32,
}

impl<L: Level> Engine<L> {
    pub fn new(model: Model, threads: usize) -> Self {
        let dims = model.dims::<L>();
        let (specs, places) = model.tensors::<L>();
        let all = || specs.iter().map(|spec| filled(0.0, spec.len())).collect::<Vec<_>>();
        let trained = || {
            specs
                .iter()
                .map(|spec| filled(0.0, if spec.role == Role::Trained { spec.len() } else { 0 }))
                .collect::<Vec<_>>()
        };
        Self {
            parameters: all(),
            average: trained(),
            first: trained(),
            second: trained(),
            gradients: trained(),
            puzzle_gradients: Vec::new(),
            pending: None,
            raw: Packed { nets: layers(&model, &dims, true), stale: true },
            averaged: None,
            workers: Vec::new(),
            states: HashMap::new(),
            next_state: 0,
            threads,
            dims,
            specs,
            places,
            model,
        }
    }

    /// The tensors of a kind of weights: for Average, averages where they exist, else parameters.
    fn tensors(&self, weights: Weights) -> Vec<&[f32]> {
        self.parameters
            .iter()
            .zip(&self.average)
            .map(
                |(parameter, average)| {
                    if weights == Weights::Average && !average.is_empty() { &average[..] } else { &parameter[..] }
                },
            )
            .collect()
    }

    /// Packs the weights if they changed since.
    fn pack(&mut self, weights: Weights) {
        let mut packed = match weights {
            Weights::Raw => std::mem::replace(&mut self.raw, Packed { nets: Vec::new(), stale: true }),
            Weights::Average => self
                .averaged
                .take()
                .unwrap_or_else(|| Packed { nets: layers(&self.model, &self.dims, false), stale: true }),
        };
        if packed.stale {
            let tensors = self.tensors(weights);
            let networks = self.places.networks;
            let mut jobs = Vec::new();
            for (index, layer) in packed.nets.iter_mut().flatten().enumerate() {
                let tensors = &tensors[networks + index * PARTS.len()..][..PARTS.len()];
                jobs.push(move || {
                    for (part, tensor) in PARTS.into_iter().zip(tensors) {
                        layer.pack(part, tensor);
                    }
                });
            }
            run_all(self.threads, jobs);
            packed.stale = false;
        }
        match weights {
            Weights::Raw => self.raw = packed,
            Weights::Average => self.averaged = Some(packed),
        }
    }

    fn check(&self, state: u32, request: &Request, train: Option<&TrainRequest>) -> Result<usize, Failure> {
        let state = self.states.get(&state).ok_or_else(|| Failure::Input("the latent state was disposed".into()))?;
        let (batch, cells) = (state.batch, self.model.sequence);
        let expect = |what: &str, expected: usize, got: usize| {
            if expected == got {
                return Ok(());
            }
            Err(Failure::Input(format!("{what}: expected {expected} values for {batch} seats, got {got}")))
        };
        expect("tokens", batch * cells, request.tokens.len())?;
        expect("puzzleIds", batch, request.puzzle_ids.len())?;
        expect("reset", batch, request.reset.len())?;
        let vocabulary = self.model.vocabulary as i32;
        if let Some(token) = request.tokens.iter().find(|&&token| token < 0 || token >= vocabulary) {
            return Err(Failure::Input(format!("tokens: expected ids 0 … {}, got {token}", vocabulary - 1)));
        }
        let ids = self.model.puzzle_ids as i32;
        if let Some(id) = request.puzzle_ids.iter().find(|&&id| id < 0 || id >= ids) {
            return Err(Failure::Input(format!("puzzleIds: expected 0 … {}, got {id}", ids - 1)));
        }
        let Some(train) = train else { return Ok(batch) };
        expect("labels", batch * cells, train.labels.len())?;
        expect("last", batch, train.last.len())?;
        let fits = |label: i32| label == crate::loss::IGNORED || (0..vocabulary).contains(&label);
        if let Some(label) = train.labels.iter().find(|&&label| !fits(label)) {
            return Err(Failure::Input(format!("labels: expected ids 0 … {} or -100, got {label}", vocabulary - 1)));
        }
        Ok(batch)
    }

    /// Seats of each thread, in order; threads without a seat are left out.
    fn shares(&self, batch: usize) -> Vec<usize> {
        let threads = self.threads.min(batch);
        (0..threads).map(|i| (i + 1) * batch / threads - i * batch / threads).collect()
    }

    fn make_workers(&mut self, shares: &[usize], training: bool) {
        let fitting = (group_rows(self.dims.hidden) / self.dims.positions).max(1);
        let group = fitting.min(shares.iter().copied().max().unwrap_or(1));
        self.workers.truncate(shares.len());
        for index in 0..shares.len() {
            let make = || Worker::new(&self.model, group, training);
            match self.workers.get_mut(index) {
                Some(worker) if worker.group() >= group && (worker.trains() || !training) => {}
                Some(worker) => *worker = make(),
                None => self.workers.push(make()),
            }
        }
    }

    /// The reply to B seats, all zeros.
    fn reply(&self, batch: usize, want_logits: bool, trains: bool) -> Reply {
        let cells = batch * self.model.sequence;
        let seats = |wanted: bool| if wanted { batch } else { 0 };
        Reply {
            predictions: filled(0, cells),
            halt_logits: vec![0.0; batch],
            continue_logits: vec![0.0; batch],
            logits: filled(0.0, if want_logits { cells * self.model.vocabulary } else { 0 }),
            answer_loss: vec![0.0; seats(trains)],
            halt_loss: vec![0.0; seats(trains)],
            continue_loss: vec![0.0; seats(trains)],
            continue_targets: vec![0.0; seats(trains && self.model.learns_continue)],
        }
    }

    fn values(&self, weights: Weights) -> Values<'_, L> {
        let tensors = self.tensors(weights);
        let packed = match weights {
            Weights::Raw => &self.raw,
            Weights::Average => self.averaged.as_ref().unwrap_or(&self.raw),
        };
        Values {
            starts: tensors[..self.model.latents.len()].to_vec(),
            embedding: tensors[self.places.embedding],
            answer_head: tensors[self.places.answer_head],
            halting_weight: tensors[self.places.halting_weight],
            halting_bias: tensors[self.places.halting_bias],
            puzzle_table: self.places.puzzle_table.map(|place| tensors[place]),
            positions: self.places.positions.map(|place| tensors[place]),
            nets: &packed.nets,
        }
    }

    /// One supervision step, every thread with its share of the seats. If there is no memory for it, all is as before.
    fn step(
        &mut self,
        state: u32,
        request: &Request,
        train: Option<&TrainRequest>,
        weights: Weights,
    ) -> Result<Reply, Failure> {
        let batch = self.check(state, request, train)?;
        let trains = train.is_some();
        let shares = self.shares(batch);
        let (mut reply, mut puzzle_gradients) = caught(|| {
            self.pack(weights);
            self.make_workers(&shares, trains);
            let puzzle_gradients = filled(0.0, if trains { batch * self.model.puzzle_size } else { 0 });
            (self.reply(batch, request.want_logits, trains), puzzle_gradients)
        })?;
        let mut workers = std::mem::take(&mut self.workers);
        let mut carried =
            self.states.remove(&state).ok_or_else(|| Failure::Input("the latent state was disposed".into()))?;
        let mut inputs = Inputs {
            tokens: &request.tokens,
            puzzle_ids: &request.puzzle_ids,
            reset: &request.reset,
            train: train.map(|train| TrainInputs { labels: &train.labels, last: &train.last, loss: train.loss, batch }),
        };
        let mut outputs = Outputs {
            latents: carried.latents.iter_mut().map(|latent| &mut latent[..]).collect(),
            predictions: &mut reply.predictions,
            halt_logits: &mut reply.halt_logits,
            continue_logits: &mut reply.continue_logits,
            logits: &mut reply.logits,
            answer_loss: &mut reply.answer_loss,
            halt_loss: &mut reply.halt_loss,
            continue_loss: &mut reply.continue_loss,
            continue_targets: &mut reply.continue_targets,
            puzzle_gradients: &mut puzzle_gradients,
        };
        let values = self.values(weights);
        let mut jobs = Vec::new();
        let mut left = batch;
        for (worker, &seats) in workers.iter_mut().zip(&shares) {
            let (share, mut results) = (inputs.take(seats, left), outputs.take(seats, left));
            left -= seats;
            let values = &values;
            jobs.push(move || worker.run(values, share, &mut results));
        }
        run_all(shares.len(), jobs);
        drop(outputs);
        // Buffers that held NaN may keep it in their padding, and 0·NaN is NaN:
        // the next step then gets new ones.
        if reply.halt_logits.iter().all(|logit| logit.is_finite()) {
            self.workers = workers;
        }
        self.states.insert(state, carried);
        if trains {
            self.pending = None;
            self.puzzle_gradients = puzzle_gradients;
            if let Err(failure) = finite_losses(&reply).and_then(|()| self.gather()) {
                self.workers.clear();
                return Err(failure);
            }
            self.pending = Some(request.puzzle_ids.clone());
        }
        Ok(reply)
    }

    /// Sums the threads' gradients in a fixed order, into the reference's layout.
    fn gather(&mut self) -> Result<(), Failure> {
        let sums: Vec<&Gradients> = self.workers.iter().filter_map(Worker::gradients).collect();
        let (dims, places, specs, layers) = (&self.dims, &self.places, &self.specs, self.model.layers);
        let mut finite = vec![true; specs.len()];
        let mut jobs = Vec::new();
        for (index, (out, finite)) in self.gradients.iter_mut().zip(&mut finite).enumerate() {
            if specs[index].role != Role::Trained {
                continue;
            }
            let sums = &sums;
            jobs.push(move || {
                if index >= places.networks {
                    let (at, part) =
                        ((index - places.networks) / PARTS.len(), PARTS[(index - places.networks) % PARTS.len()]);
                    let padded: Vec<&[f32]> =
                        sums.iter().map(|sums| sums.nets[at / layers][at % layers].part(part)).collect();
                    part.matrix::<L>(dims).gather::<L>(&padded, out);
                } else {
                    for (thread, sums) in sums.iter().enumerate() {
                        let from = match index {
                            i if i == places.embedding => &sums.embedding,
                            i if i == places.answer_head => &sums.answer_head,
                            i if i == places.halting_weight => &sums.halting_weight,
                            i if i == places.halting_bias => &sums.halting_bias,
                            _ => &sums.positions,
                        };
                        out.iter_mut()
                            .zip(from)
                            .for_each(|(out, &from)| *out = if thread == 0 { from } else { *out + from });
                    }
                }
                // Any NaN or infinity makes this sum NaN.
                *finite = out.iter().map(|value| value * 0.0).sum::<f32>() == 0.0;
            });
        }
        run_all(self.threads, jobs);
        if let Some(index) = finite.iter().position(|finite| !finite) {
            return Err(Failure::NotFinite(format!("the gradient of {} is not finite", specs[index].name)));
        }
        if self.puzzle_gradients.iter().any(|value| !value.is_finite()) {
            return Err(Failure::NotFinite("the gradient of puzzle_emb.local_weights is not finite".into()));
        }
        Ok(())
    }
}

/// Allocates the packed weights of all networks.
fn layers<L: Level>(model: &Model, dims: &Dims, backward: bool) -> Vec<Vec<LayerWeights<L>>> {
    model.nets.iter().map(|_| (0..model.layers).map(|_| LayerWeights::new(dims, backward)).collect()).collect()
}

fn finite_losses(reply: &Reply) -> Result<(), Failure> {
    for (what, losses) in
        [("answer", &reply.answer_loss), ("halting", &reply.halt_loss), ("continue", &reply.continue_loss)]
    {
        if let Some(seat) = losses.iter().position(|loss| !loss.is_finite()) {
            return Err(Failure::NotFinite(format!("the {what} loss of seat {seat} is {}", losses[seat])));
        }
    }
    Ok(())
}

impl<L: Level> AnyEngine for Engine<L> {
    fn specs(&self) -> &[TensorSpec] {
        &self.specs
    }

    fn create_state(&mut self, batch: usize) -> Result<u32, Failure> {
        let size = batch * self.dims.positions * self.dims.hidden;
        let latents = self.model.latents.iter().map(|_| try_filled(0.0, size)).collect::<Result<_, _>>()?;
        self.next_state += 1;
        self.states.insert(self.next_state, State { batch, latents });
        Ok(self.next_state)
    }

    fn dispose_state(&mut self, state: u32) {
        self.states.remove(&state);
    }

    fn latent(&mut self, state: u32, latent: usize) -> Result<&mut Vec<f32>, Failure> {
        let state =
            self.states.get_mut(&state).ok_or_else(|| Failure::Input("the latent state was disposed".into()))?;
        state.latents.get_mut(latent).ok_or_else(|| Failure::Input(format!("there is no latent {latent}")))
    }

    fn infer(&mut self, state: u32, request: &Request, weights: Weights) -> Result<Reply, Failure> {
        self.step(state, request, None, weights)
    }

    fn train(&mut self, state: u32, request: &Request, train: &TrainRequest) -> Result<Reply, Failure> {
        self.step(state, request, Some(train), Weights::Raw)
    }

    fn update(&mut self, step: Step, puzzles: PuzzleStep) -> Result<(), Failure> {
        let Some(ids) = self.pending.take() else {
            return Err(Failure::Input("update needs the gradients of a training step; call trainStep first".into()));
        };
        if let Some(table) = self.places.puzzle_table {
            let (size, gradients) = (self.model.puzzle_size, &self.puzzle_gradients);
            sign_sgd(&mut self.parameters[table], size, &ids, gradients, puzzles.learning_rate, puzzles.weight_decay);
        }
        // Pieces small enough to share among threads; values are updated independently.
        const PIECE: usize = 65_536;
        let mut jobs: Vec<Box<dyn FnOnce() + Send + '_>> = Vec::new();
        let moments = self.first.iter_mut().zip(&mut self.second).zip(&mut self.average);
        for (place, ((parameter, gradient), ((first, second), average))) in
            self.parameters.iter_mut().zip(&self.gradients).zip(moments).enumerate()
        {
            if gradient.is_empty() {
                continue;
            }
            if step.rule == Rule::Muon && place >= self.places.networks {
                let [rows, columns] = self.specs[place].shape[..] else {
                    unreachable!("a network's weights are matrices")
                };
                jobs.push(Box::new(move || {
                    L::enter(Muon { step, rows, columns, parameter, gradient, first, average })
                }));
                continue;
            }
            let pieces = parameter.chunks_mut(PIECE).zip(gradient.chunks(PIECE));
            let moments = first.chunks_mut(PIECE).zip(second.chunks_mut(PIECE)).zip(average.chunks_mut(PIECE));
            for ((parameter, gradient), ((first, second), average)) in pieces.zip(moments) {
                jobs.push(Box::new(move || L::enter(Update { step, parameter, gradient, first, second, average })));
            }
        }
        run_all(self.threads, jobs);
        self.raw.stale = true;
        if let Some(averaged) = &mut self.averaged {
            averaged.stale = true;
        }
        Ok(())
    }

    fn tensor(&self, kind: Kind, index: usize) -> &[f32] {
        match kind {
            Kind::Parameters => &self.parameters[index],
            Kind::Average => &self.average[index],
            Kind::FirstMoment => &self.first[index],
            Kind::SecondMoment => &self.second[index],
        }
    }

    fn write_tensor(&mut self, kind: Kind, index: usize, values: &[f32]) -> Result<(), Failure> {
        let to = match kind {
            Kind::Parameters => &mut self.parameters,
            Kind::Average => &mut self.average,
            Kind::FirstMoment => &mut self.first,
            Kind::SecondMoment => &mut self.second,
        };
        let to = to.get_mut(index).ok_or_else(|| Failure::Input(format!("there is no tensor {index}")))?;
        if to.len() != values.len() {
            return Err(Failure::Input(format!(
                "{}: expected {} values, got {}",
                self.specs[index].name,
                to.len(),
                values.len()
            )));
        }
        to.copy_from_slice(values);
        self.pending = None;
        self.raw.stale = true;
        if let Some(averaged) = &mut self.averaged {
            averaged.stale = true;
        }
        Ok(())
    }

    fn gradient(&self, index: usize) -> &[f32] {
        &self.gradients[index]
    }

    fn puzzle_gradients(&self) -> &[f32] {
        &self.puzzle_gradients
    }
}
