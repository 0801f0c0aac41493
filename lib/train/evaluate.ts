/** Thinking without learning: a model's answers after each supervision step, scored over a data set or traced for one puzzle. */
import type { Dataset } from '../data/dataset.js';
import { testBatches } from '../data/batches.js';
import type { Engine, InferResult, LatentState, Weights } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { scoreBoard } from './metrics.js';

/** Accuracies after each supervision step 1 … N, 0 … 1; index 0 is the first step. */
export interface StepAccuracies {
  /** Share of boards whose every scored cell is right: the number in the paper's tables. */
  readonly exactAccuracy: readonly number[];
  /** Mean over boards of the share of right cells. */
  readonly cellAccuracy: readonly number[];
  /** Share of boards about which the halting head is right (logit ≥ 0 exactly when the board is right). */
  readonly haltingAccuracy: readonly number[];
}

/** One evaluation of a model. */
export interface Evaluation extends StepAccuracies {
  /** Puzzles scored. */
  readonly puzzles: number;
  /** Supervision steps thought for each puzzle. All of them: halting is for training only (spec §2.2). */
  readonly supervisionSteps: number;
  readonly seconds: number;
}

/** How to evaluate. */
export interface EvaluateOptions {
  /** Default average, the EMA weights the paper evaluates. */
  readonly weights?: Weights;
  /** Puzzles thought about at once. Default 128. */
  readonly batchSize?: number;
  /** Supervision steps. Default: the model's. More than it was trained with is allowed. */
  readonly supervisionSteps?: number;
  /** Score only the first so many puzzles of the set. Default all. */
  readonly puzzles?: number;
  /** Which puzzle embedding the model gets: the puzzle's own (default), the blank one, or that of the next puzzle of the set. */
  readonly puzzleIds?: PuzzleIdMode;
  /** Called after every supervision step of every batch. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  /** Polled after every supervision step; true ends the evaluation with an Interrupted error. */
  readonly shouldStop?: () => boolean;
}

/** Own, or none, or a wrong one: how much of an answer is known from the puzzle's id alone. */
export type PuzzleIdMode = 'own' | 'blank' | 'shuffled';

/** Thrown when the caller asked to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Scores a model on a data set, after every supervision step. */
export async function evaluate(engine: Engine, dataset: Dataset, options: EvaluateOptions = {}): Promise<Evaluation> {
  const { weights = 'average', batchSize = 128, supervisionSteps = engine.config.supervisionSteps } = options;
  const puzzles = Math.min(options.puzzles ?? dataset.examples, dataset.examples);
  const length = dataset.sequenceLength;
  const exact = new Float64Array(supervisionSteps);
  const cells = new Float64Array(supervisionSteps);
  const halting = new Float64Array(supervisionSteps);
  const idFor = idsInstead(dataset, options.puzzleIds ?? 'own');
  const started = performance.now();
  let done = 0;
  for (const own of testBatches(dataset, batchSize, puzzles)) {
    const batch = { ...own, puzzleIds: own.puzzleIds.map(idFor) };
    const size = batch.puzzleIds.length;
    const state = engine.createState(size);
    try {
      for (let step = 0; step < supervisionSteps; step++) {
        const answer = await thinkOnce(engine, state, batch, step, weights);
        for (let seat = 0; seat < size; seat++) {
          const score = scoreBoard(answer.predictions, batch.labels, seat, length);
          exact[step]! += score.exact ? 1 : 0;
          cells[step]! += score.cells === 0 ? 1 : score.rightCells / score.cells;
          halting[step]! += ((answer.haltLogits[seat] ?? NaN) >= 0) === score.exact ? 1 : 0;
        }
        options.onProgress?.({ done: done + (size * (step + 1)) / supervisionSteps, total: puzzles });
        if (options.shouldStop?.() === true) throw new Interrupted('evaluation stopped');
      }
    } finally {
      state.dispose();
    }
    done += size;
  }
  const mean = (sums: Float64Array): number[] => Array.from(sums, (sum) => sum / done);
  return {
    puzzles: done,
    supervisionSteps,
    exactAccuracy: mean(exact),
    cellAccuracy: mean(cells),
    haltingAccuracy: mean(halting),
    seconds: (performance.now() - started) / 1000,
  };
}

/** What the model answers after one supervision step. */
export interface Thought {
  /** Supervision step, from 1. */
  readonly step: number;
  /** The board it would answer now, token ids, [L]. */
  readonly prediction: Int32Array;
  /** How likely the model thinks this board is right, 0 … 1. */
  readonly haltProbability: number;
}

/** Thinks about one puzzle (token ids, [L]) and returns the answer after every supervision step. */
export async function think(
  engine: Engine,
  tokens: Int32Array,
  options: { readonly puzzleId?: number; readonly supervisionSteps?: number; readonly weights?: Weights } = {},
): Promise<Thought[]> {
  const { puzzleId = 0, supervisionSteps = engine.config.supervisionSteps, weights = 'average' } = options;
  const state = engine.createState(1);
  const thoughts: Thought[] = [];
  try {
    for (let step = 0; step < supervisionSteps; step++) {
      const answer = await thinkOnce(engine, state, { tokens, puzzleIds: Int32Array.of(puzzleId) }, step, weights);
      thoughts.push({ step: step + 1, prediction: answer.predictions, haltProbability: 1 / (1 + Math.exp(-(answer.haltLogits[0] ?? NaN))) });
    }
  } finally {
    state.dispose();
  }
  return thoughts;
}

/** The id that stands in for each puzzle id. Throws InputError where no other puzzle could lend its own. */
function idsInstead({ name, ids }: Dataset, mode: PuzzleIdMode): (id: number) => number {
  if (mode === 'own') return (id) => id;
  if (mode === 'blank') return () => 0;
  if (new Set(ids).size < 2) throw new InputError(`${name}: expected puzzles with ids of their own to exchange, got one id for all; shuffled ids are for ARC`);
  const next = new Map(Array.from(ids, (id, puzzle) => [id, ids[(puzzle + 1) % ids.length] ?? 0]));
  return (id) => next.get(id) ?? 0;
}

/** One supervision step for seats that all started together: the first step resets their latents. */
export function thinkOnce(engine: Engine, state: LatentState, puzzles: { readonly tokens: Int32Array; readonly puzzleIds: Int32Array }, step: number, weights: Weights): Promise<InferResult> {
  const reset = new Uint8Array(state.batchSize).fill(step === 0 ? 1 : 0);
  return engine.inferStep(state, { tokens: puzzles.tokens, puzzleIds: puzzles.puzzleIds, reset, weights });
}
