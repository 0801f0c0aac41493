//! The Node API of the engine: plain arrays in and out, steps on another thread, and no panic reaches Node.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{AsyncTask, Float32Array, Float64Array, Int32Array, Uint8Array};
use napi::{Env, Error, Result, Status, Task};
use napi_derive::napi;

use crate::buffer::{OutOfMemory, try_filled};
use crate::dims::Mixer;
use crate::engine::{AnyEngine, Failure, Kind, PuzzleStep, Reply, Request, TrainRequest, Weights};
use crate::isa::{Isa, LEVELS};
use crate::loss::CrossEntropy;
use crate::model::{Call, Model, Source};
use crate::optimizer::{Rule, Step};

/// One call of the schedule; `read` holds latents by number, −1 for x.
#[napi(object)]
pub struct CallSpec {
    pub net: u32,
    pub write: u32,
    pub read: Vec<i32>,
    pub gradient: bool,
}

/// A model's configuration and schedule.
#[napi(object)]
pub struct ModelSpec {
    pub sequence: u32,
    pub prefix: u32,
    pub hidden: u32,
    pub vocabulary: u32,
    pub puzzle_size: u32,
    pub puzzle_ids: u32,
    pub layers: u32,
    /// 0 for the MLP over positions.
    pub heads: u32,
    pub rotary: bool,
    pub learned_positions: bool,
    pub token_inner: u32,
    pub channel_inner: u32,
    pub latents: Vec<String>,
    pub nets: Vec<String>,
    pub calls: Vec<CallSpec>,
    pub answer: u32,
    pub learns_continue: bool,
}

/// A step's results; arrays that were not asked for are empty.
#[napi(object)]
pub struct StepReply {
    pub predictions: Int32Array,
    pub halt_logits: Float32Array,
    pub continue_logits: Float32Array,
    pub logits: Float32Array,
    pub answer_loss: Float64Array,
    pub halt_loss: Float64Array,
    pub continue_loss: Float64Array,
    pub continue_targets: Float32Array,
}

/// The numbers of an optimizer step.
#[napi(object)]
pub struct UpdateSpec {
    /// adam-atan2, adamw or muon.
    pub optimizer: String,
    pub count: u32,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub ema_rate: f64,
    pub puzzle_learning_rate: f64,
    pub puzzle_weight_decay: f64,
}

/// Names of the levels that this CPU supports, the most capable first.
#[napi]
pub fn levels() -> Vec<String> {
    LEVELS.iter().filter(|level| level.detected()).map(|level| level.name().into()).collect()
}

/// GFLOP/s of products whose operands stay in the cache, on `threads` threads together.
#[napi]
pub fn product_peak(level: String, threads: u32) -> Result<f64> {
    guarded(|| Ok(isa(&level)?.peak(threads_of(threads)?)))
}

/// The engine; None once it has been disposed of.
type Shared = Arc<Mutex<Option<Box<dyn AnyEngine>>>>;

/// More threads would be a mistake: each has its own buffers.
const MOST_THREADS: u32 = 1024;
/// Most seats of a batch.
const MOST_SEATS: i64 = 65_536;

/// An engine at one level.
#[napi]
pub struct NativeEngine {
    engine: Shared,
}

#[napi]
impl NativeEngine {
    #[napi(constructor)]
    pub fn new(spec: ModelSpec, level: String, threads: u32) -> Result<Self> {
        guarded(|| {
            let engine = isa(&level)?
                .engine(model(spec)?, threads_of(threads)?)
                .ok_or_else(|| Error::new(Status::InvalidArg, format!("this CPU has no {level}")))?;
            Ok(Self { engine: Arc::new(Mutex::new(Some(engine))) })
        })
    }

    /// Names of all tensors, in the order of their numbers.
    #[napi]
    pub fn tensor_names(&self) -> Result<Vec<String>> {
        self.with(|engine| Ok(engine.specs().iter().map(|spec| spec.name.clone()).collect()))
    }

    #[napi]
    pub fn create_state(&self, batch: i64) -> Result<u32> {
        if !(1..=MOST_SEATS).contains(&batch) {
            return Err(Error::new(Status::InvalidArg, format!("seats: expected 1 to {MOST_SEATS}, got {batch}")));
        }
        self.with(|engine| engine.create_state(batch as usize))
    }

    #[napi]
    pub fn dispose_state(&self, state: u32) {
        if let Some(engine) = self.held().as_mut() {
            engine.dispose_state(state);
        }
    }

    /// Frees the engine's memory at once, even if it is broken. Later calls fail, except this one and `disposeState`.
    #[napi]
    pub fn dispose(&self) {
        *self.held() = None;
    }

    #[napi]
    pub fn read_latent(&self, state: u32, latent: u32) -> Result<Float32Array> {
        self.with(|engine| copied(engine.latent(state, latent as usize)?))
    }

    #[napi]
    pub fn write_latent(&self, state: u32, latent: u32, values: Float32Array) -> Result<()> {
        self.with(|engine| {
            let to = engine.latent(state, latent as usize)?;
            if to.len() != values.len() {
                return Err(Failure::Input(format!(
                    "latent {latent}: expected {} values, got {}",
                    to.len(),
                    values.len()
                )));
            }
            to.copy_from_slice(&values);
            Ok(())
        })
    }

    /// kind: 0 parameters, 1 average, 2 first moment, 3 second moment, 4 gradient.
    #[napi]
    pub fn read_tensor(&self, kind: u32, index: u32) -> Result<Float32Array> {
        self.with(|engine| {
            let index = known(engine.as_ref(), index)?;
            copied(if kind == 4 { engine.gradient(index) } else { engine.tensor(kind_of(kind)?, index) })
        })
    }

    #[napi]
    pub fn write_tensor(&self, kind: u32, index: u32, values: Float32Array) -> Result<()> {
        self.with(|engine| engine.write_tensor(kind_of(kind)?, index as usize, &values))
    }

    /// Gradients of the seats' own puzzle rows, [B × puzzle size].
    #[napi]
    pub fn read_puzzle_gradients(&self) -> Result<Float32Array> {
        self.with(|engine| copied(engine.puzzle_gradients()))
    }

    #[napi]
    pub fn update(&self, spec: UpdateSpec) -> Result<()> {
        let step = Step {
            rule: rule_of(&spec.optimizer)?,
            count: spec.count,
            learning_rate: spec.learning_rate,
            weight_decay: spec.weight_decay,
            beta1: spec.beta1,
            beta2: spec.beta2,
            ema_rate: spec.ema_rate,
        };
        let puzzles = PuzzleStep { learning_rate: spec.puzzle_learning_rate, weight_decay: spec.puzzle_weight_decay };
        self.with(|engine| engine.update(step, puzzles))
    }

    #[napi]
    pub fn infer(
        &self,
        state: u32,
        tokens: Int32Array,
        puzzle_ids: Int32Array,
        reset: Uint8Array,
        averaged: bool,
        want_logits: bool,
    ) -> AsyncTask<StepTask> {
        let request = request(&tokens, &puzzle_ids, &reset, want_logits);
        let weights = if averaged { Weights::Average } else { Weights::Raw };
        AsyncTask::new(StepTask { engine: self.engine.clone(), state, request, train: None, weights })
    }

    #[napi]
    #[allow(clippy::too_many_arguments)] // one flat call; the TypeScript side has the named fields
    pub fn train(
        &self,
        state: u32,
        tokens: Int32Array,
        puzzle_ids: Int32Array,
        reset: Uint8Array,
        labels: Int32Array,
        last: Uint8Array,
        softmax: bool,
        want_logits: bool,
    ) -> AsyncTask<StepTask> {
        let request = request(&tokens, &puzzle_ids, &reset, want_logits);
        let loss = if softmax { CrossEntropy::Softmax } else { CrossEntropy::Stablemax };
        let train = Some(TrainRequest { labels: labels.to_vec(), last: last.to_vec(), loss });
        AsyncTask::new(StepTask { engine: self.engine.clone(), state, request, train, weights: Weights::Raw })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Box<dyn AnyEngine>) -> std::result::Result<T, Failure>) -> Result<T> {
        guarded(|| act(present(&mut *lock(&self.engine)?)?).map_err(failed))
    }

    /// The engine, even if a panic has broken it.
    fn held(&self) -> MutexGuard<'_, Option<Box<dyn AnyEngine>>> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One supervision step on a thread of Node's pool, so that it does not block the event loop.
pub struct StepTask {
    engine: Shared,
    state: u32,
    request: Request,
    train: Option<TrainRequest>,
    weights: Weights,
}

impl Task for StepTask {
    type Output = Reply;
    type JsValue = StepReply;

    fn compute(&mut self) -> Result<Reply> {
        guarded(|| {
            let mut held = lock(&self.engine)?;
            let engine = present(&mut held)?;
            match &self.train {
                Some(train) => engine.train(self.state, &self.request, train),
                None => engine.infer(self.state, &self.request, self.weights),
            }
            .map_err(failed)
        })
    }

    fn resolve(&mut self, _env: Env, reply: Reply) -> Result<StepReply> {
        Ok(StepReply {
            predictions: reply.predictions.into(),
            halt_logits: reply.halt_logits.into(),
            continue_logits: reply.continue_logits.into(),
            logits: reply.logits.into(),
            answer_loss: reply.answer_loss.into(),
            halt_loss: reply.halt_loss.into(),
            continue_loss: reply.continue_loss.into(),
            continue_targets: reply.continue_targets.into(),
        })
    }
}

fn request(tokens: &[i32], puzzle_ids: &[i32], reset: &[u8], want_logits: bool) -> Request {
    Request { tokens: tokens.to_vec(), puzzle_ids: puzzle_ids.to_vec(), reset: reset.to_vec(), want_logits }
}

/// Turns a panic into an error. The panic poisons the engine's lock, so that all later calls fail.
fn guarded<T>(act: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        if let Some(error) = panic.downcast_ref::<OutOfMemory>() {
            return Err(out_of_memory(*error));
        }
        let text =
            panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()));
        Err(Error::new(
            Status::GenericFailure,
            format!("the native engine broke: {}", text.unwrap_or_else(|| "unknown cause".into())),
        ))
    })
}

fn lock(engine: &Shared) -> Result<MutexGuard<'_, Option<Box<dyn AnyEngine>>>> {
    engine.lock().map_err(|_| {
        Error::new(Status::GenericFailure, "the native engine broke in an earlier step; make a new one".to_string())
    })
}

fn copied(values: &[f32]) -> std::result::Result<Float32Array, Failure> {
    let mut copy = try_filled(0.0, values.len())?;
    copy.copy_from_slice(values);
    Ok(copy.into())
}

fn present(engine: &mut Option<Box<dyn AnyEngine>>) -> Result<&mut Box<dyn AnyEngine>> {
    engine.as_mut().ok_or_else(|| Error::new(Status::GenericFailure, "the native engine was disposed of".to_string()))
}

fn threads_of(threads: u32) -> Result<usize> {
    if (1..=MOST_THREADS).contains(&threads) {
        Ok(threads as usize)
    } else {
        Err(Error::new(Status::InvalidArg, format!("threads: expected 1 to {MOST_THREADS}, got {threads}")))
    }
}

fn out_of_memory(OutOfMemory { bytes }: OutOfMemory) -> Error {
    let needed = if bytes < 100_000_000 {
        format!("{} MB", bytes.div_ceil(1_000_000))
    } else {
        format!("{:.1} GB", bytes as f64 / 1e9)
    };
    Error::new(
        Status::InvalidArg,
        format!("memory: expected {needed} more, got none; use a smaller model, batch or number of threads"),
    )
}

/// The error of a failure; the TypeScript side distinguishes Input from NotFinite by its code.
fn failed(failure: Failure) -> Error {
    match failure {
        Failure::Input(message) => Error::new(Status::InvalidArg, message),
        Failure::NotFinite(message) => Error::new(Status::NumberExpected, message),
        Failure::Memory(error) => out_of_memory(error),
    }
}

fn isa(level: &str) -> Result<Isa> {
    LEVELS.into_iter().find(|isa| isa.name() == level && isa.detected()).ok_or_else(|| {
        Error::new(Status::InvalidArg, format!("level: expected one of {}, got {level}", levels().join(", ")))
    })
}

fn kind_of(kind: u32) -> std::result::Result<Kind, Failure> {
    match kind {
        0 => Ok(Kind::Parameters),
        1 => Ok(Kind::Average),
        2 => Ok(Kind::FirstMoment),
        3 => Ok(Kind::SecondMoment),
        _ => Err(Failure::Input(format!("kind: expected 0 to 3, got {kind}"))),
    }
}

fn rule_of(optimizer: &str) -> Result<Rule> {
    match optimizer {
        "adam-atan2" => Ok(Rule::AdamAtan2),
        "adamw" => Ok(Rule::AdamW),
        "muon" => Ok(Rule::Muon),
        _ => Err(Error::new(
            Status::InvalidArg,
            format!("optimizer: expected adam-atan2, adamw or muon, got {optimizer}"),
        )),
    }
}

fn known(engine: &dyn AnyEngine, index: u32) -> std::result::Result<usize, Failure> {
    let count = engine.specs().len();
    if (index as usize) < count {
        Ok(index as usize)
    } else {
        Err(Failure::Input(format!("tensor: expected 0 to {}, got {index}", count - 1)))
    }
}

/// The model of a specification. Checks only that its numbers are in range; the TypeScript side checks configurations.
fn model(spec: ModelSpec) -> Result<Model> {
    let (latents, nets) = (spec.latents.len(), spec.nets.len());
    let wrong = |what: &str| Error::new(Status::InvalidArg, format!("model: {what} out of range"));
    let mut calls = Vec::new();
    for call in spec.calls {
        if call.net as usize >= nets || call.write as usize >= latents || call.read.is_empty() {
            return Err(wrong("a call"));
        }
        let read = call
            .read
            .iter()
            .map(|&source| match source {
                -1 => Ok(Source::X),
                latent if (latent as usize) < latents => Ok(Source::Latent(latent as usize)),
                _ => Err(wrong("a call's source")),
            })
            .collect::<Result<Vec<_>>>()?;
        calls.push(Call { net: call.net as usize, write: call.write as usize, read, gradient: call.gradient });
    }
    if spec.answer as usize >= latents
        || (spec.heads > 0 && !spec.hidden.is_multiple_of(spec.heads))
        || spec.hidden == 0
        || spec.sequence == 0
    {
        return Err(wrong("sizes"));
    }
    Ok(Model {
        sequence: spec.sequence as usize,
        prefix: spec.prefix as usize,
        hidden: spec.hidden as usize,
        vocabulary: spec.vocabulary as usize,
        puzzle_size: spec.puzzle_size as usize,
        puzzle_ids: spec.puzzle_ids as usize,
        layers: spec.layers as usize,
        mixer: if spec.heads == 0 {
            Mixer::Mlp
        } else {
            Mixer::Attention { heads: spec.heads as usize, rotary: spec.rotary }
        },
        learned_positions: spec.learned_positions,
        token_inner: spec.token_inner as usize,
        channel_inner: spec.channel_inner as usize,
        latents: spec.latents,
        nets: spec.nets,
        calls,
        answer: spec.answer as usize,
        learns_continue: spec.learns_continue,
    })
}
