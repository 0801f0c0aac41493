/** The interface of an engine, which owns parameters, latents, gradients and moments, and turns tokens into results. */
import type { Batch } from '../data/example.js';
import { BrokenError } from '../errors.js';
import type { ModelConfig } from '../model/config.js';
import type { ParameterSpec, TensorMap } from '../model/parameters.js';
import type { LatentId, Schedule } from '../model/calls.js';

/** A loss or gradient became NaN or infinite; the message names the tensor. */
export class NotFiniteError extends BrokenError {
  override readonly name = 'NotFiniteError';
}

/** The process or device that an engine computes on is gone. Its content is lost; the engine must not be used again. */
export class EngineLostError extends BrokenError {
  override readonly name = 'EngineLostError';
}

/** Weights for inference: as trained, or their moving average (EMA). Both use the current puzzle table. */
export type Weights = 'raw' | 'average';

/**
 * Sets of tensors that an engine holds, by the reference's names. All sets except parameters have trained tensors only.
 * Parameters come first, because writing them resets the others.
 */
export const tensorKinds = ['parameters', 'average', 'firstMoment', 'secondMoment'] as const;
export type TensorKind = (typeof tensorKinds)[number];

/** The tensors of a kind: all for parameters, the trained ones for other kinds. */
export function tensorsOf(kind: TensorKind, specs: readonly ParameterSpec[]): readonly ParameterSpec[] {
  return kind === 'parameters' ? specs : specs.filter(({ role }) => role === 'trained');
}

/** The name of the gradient of the seats' puzzle embeddings, one row a seat (spec §1.4). */
export const localWeights = 'puzzle_emb.local_weights';

/** Precision of the network's products. Norms, softmax, losses, weights and moments are float32 or better in both. */
export type Precision = 'float32' | 'bf16';

/** One supervision step of inference. A training request may be given: its labels, last and loss are ignored. */
export interface InferRequest {
  /** Token ids 0 … V−1, [B, L]; in a Sudoku 1 is an empty cell, and the digit d is d + 1. */
  readonly tokens: Int32Array;
  /** Row of the puzzle table, [B]; 0 where puzzles have no row of their own. */
  readonly puzzleIds: Int32Array;
  /** 1 where the latents restart from their start values before this step, [B]. */
  readonly reset: Uint8Array;
  readonly weights: Weights;
  /** Return the logits of every token too. Default false. */
  readonly wantLogits?: boolean;
}

/** The results of a supervision step. */
export interface InferResult {
  /** Most likely token of every cell among the whole vocabulary, the lowest id on a tie, [B, L]. */
  readonly predictions: Int32Array;
  /** Halting logits, [B]: above 0, the model takes its answer for right. */
  readonly haltLogits: Float32Array;
  /** Continue logits, [B]; meaningful only for halting 'halt-or-continue'. */
  readonly continueLogits: Float32Array;
  /** [B, L, V] where asked for. */
  readonly logits?: Float32Array;
}

/** One supervision step of training with the raw weights: forward pass, losses and new gradients. */
export interface TrainRequest extends Batch {
  /** 1 where the latents restart from their start values before this step, [B]. */
  readonly reset: Uint8Array;
  /** 1 where this is the seat's last permitted supervision step, which changes its continue target (spec §2.3), [B]. */
  readonly last: Uint8Array;
  /** Cross-entropy of the answer. Paper: stablemax. */
  readonly loss: 'stablemax' | 'softmax';
  readonly wantLogits?: boolean;
}

/** Results of a training step. The total loss is the mean over seats of answer + ½(halt + continue). */
export interface TrainResult extends InferResult {
  /** Mean cross-entropy over the seat's scored cells, [B]. */
  readonly answerLoss: Float64Array;
  /** Binary cross-entropy of the halting logit against "every scored cell is right", [B]. */
  readonly haltLoss: Float64Array;
  /** Binary cross-entropy of the continue logit against its target, [B]; 0 where continue is not learned. */
  readonly continueLoss: Float64Array;
  /** Targets of continue, 0 … 1: how sure the model is one step later (spec §2.3), [B]. For 'halt-or-continue' only. */
  readonly continueTargets?: Float32Array;
}

/**
 * One optimizer step (spec §4): SignSGD on the puzzle rows of the last training step,
 * then the optimizer on the rest, then EMA.
 */
export interface UpdateRequest {
  /** muon: the networks' matrices by Muon, all other tensors by AdamATan2, at one learning rate. */
  readonly optimizer: 'adam-atan2' | 'adamw' | 'muon';
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Decays of the first and of the second moment. */
  readonly beta1: number;
  readonly beta2: number;
  readonly puzzleLearningRate: number;
  readonly puzzleWeightDecay: number;
  /** average ← emaRate·average + (1 − emaRate)·parameter; with 0 the average equals the parameters. */
  readonly emaRate: number;
}

/** The latents of B seats, held by the engine between supervision steps. */
export interface LatentState {
  readonly batchSize: number;
  /** Copies of all latents, each [B, S, D]. */
  read(): Promise<ReadonlyMap<LatentId, Float32Array>>;
  /** Replaces all latents; the map must hold each one, [B, S, D]. */
  write(latents: ReadonlyMap<LatentId, Float32Array>): Promise<void>;
  /** Frees the memory; the state must not be used again. */
  dispose(): void;
}

/**
 * An engine for one model. Steps, updates and writes must not overlap.
 * Every method checks its arguments (InputError) and copies their arrays when it is called.
 * NotFiniteError means that a loss or gradient is NaN or infinite; the parameters are then unchanged.
 * After EngineLostError the engine is unusable.
 */
export interface Engine {
  /** For records and messages, e.g. "native avx512bf16" or "tfjs tensorflow". */
  readonly description: string;
  readonly kind: 'native' | 'tfjs' | 'torch';
  /** A frozen copy. */
  readonly config: ModelConfig;
  readonly schedule: Schedule;
  readonly precision: Precision;
  /** Number of threads; null where a backend decides. */
  readonly threads: number | null;

  /** Latents of B seats for this engine. Their content is undefined until the first step with reset. */
  createState(batchSize: number): LatentState;
  trainStep(state: LatentState, request: TrainRequest): Promise<TrainResult>;
  update(request: UpdateRequest): Promise<void>;
  inferStep(state: LatentState, request: InferRequest): Promise<InferResult>;

  /** Optimizer steps made so far (t of AdamATan2's bias correction). */
  readonly optimizerSteps: number;
  /** Copies of all tensors of a kind. */
  readTensors(kind: TensorKind): Promise<TensorMap>;
  /**
   * Replaces all tensors of a kind; the map must have each one with its shape (else InputError names the problems, and
   * nothing changes). Writing 'parameters' also sets the average to them and clears moments and optimizerSteps, for a
   * fresh start.
   */
  writeTensors(kind: TensorKind, tensors: TensorMap): Promise<void>;
  /** For resuming, after all four kinds have been written. */
  setOptimizerSteps(steps: number): void;
  /**
   * Gradients of the last training step by name, trained tensors only,
   * and `localWeights` [B, puzzleEmbeddingSize], one row a seat. Writing tensors of any kind forgets them.
   */
  readGradients(): Promise<TensorMap>;
  dispose(): void;
}
