/** The messages between page and worker: the page starts jobs, requests each one's next result, and ends them. */
import type { Thinking } from '../train/seats.js';

/** The engine's backends, in the order in which they are tried. */
export type Backend = 'wasm' | 'webgl' | 'webgpu';

/** Think about one puzzle, one cycle for each result, without end. */
export interface ThinkJob {
  readonly kind: 'think';
  /** Address of the weights. */
  readonly model: string;
  /** Token ids, [L]. */
  readonly puzzle: Int32Array;
}

/** Look for an answer that the model is sure of, in one form of the puzzle after another. */
export interface SearchJob {
  readonly kind: 'search';
  readonly model: string;
  readonly puzzle: Int32Array;
  readonly forms: 'sudoku' | 'grid';
  readonly most: number;
  readonly supervisionSteps: number;
  readonly seats: number;
  /** The halting logit above which the model is sure. */
  readonly threshold: number;
}

/** Think about many puzzles, one cycle at a time, without end; each result is of `seats` puzzles. */
export interface ManyJob {
  readonly kind: 'many';
  readonly model: string;
  readonly puzzles: readonly Int32Array[];
  /** Puzzles a part. */
  readonly seats: number;
}

export type Job = ThinkJob | SearchJob | ManyJob;

/** One cycle of one puzzle. */
export interface ThinkResult {
  /** The board the model would answer now, token ids, [L]. */
  readonly prediction: Int32Array;
  /** How sure the halting head is of it; 0 is even odds. */
  readonly haltLogit: number;
}

/** One cycle of a part of many puzzles. */
export interface ManyResult {
  /** From 1. */
  readonly cycle: number;
  /** The part's first puzzle. */
  readonly from: number;
  readonly results: readonly ThinkResult[];
}

/** What each kind of job yields. */
export interface Results {
  readonly think: ThinkResult;
  readonly search: Thinking;
  readonly many: ManyResult;
}

/** From the page. Every request gets one answer, with its id. */
export type Request =
  | { readonly id: number; readonly call: 'open'; readonly backend: Backend }
  | { readonly id: number; readonly call: 'load'; readonly model: string }
  | { readonly id: number; readonly call: 'start'; readonly job: Job }
  | { readonly id: number; readonly call: 'next'; readonly job: number }
  | { readonly id: number; readonly call: 'stop'; readonly job: number }
  | { readonly id: number; readonly call: 'memory' };

/** From the worker. A load tells its progress in bytes before it is answered. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly id: number; readonly loaded: number; readonly total: number };

/** The memory that the engine uses. */
export interface Memory {
  readonly tensors: number;
  readonly bytes: number;
}
