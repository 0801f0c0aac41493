/** Puzzles worth looking at: what a model thinks about one of a data set, and which of them it thinks about longest. */
import { testBatches } from '../data/batches.js';
import type { Dataset } from '../data/dataset.js';
import type { Batch, Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { think, type Thought } from '../train/evaluate.js';
import type { StoppingPoint } from './figures.js';

/** A puzzle of a data set and its right answer. */
export interface SetPuzzle {
  /** Place in the data set, from 0. */
  readonly index: number;
  /** Token ids, [L]. */
  readonly question: Int32Array;
  readonly solution: Int32Array;
  /** Row of the model's puzzle table. */
  readonly puzzleId: number;
}

/** And the answers after every supervision step. */
export interface SolvedPuzzle extends SetPuzzle {
  readonly thoughts: readonly Thought[];
}

/** Puzzle `index` of a data set, as it stands, not augmented. Throws InputError if there is none. */
export function puzzleAt(dataset: Dataset, index: number): SetPuzzle {
  if (!Number.isInteger(index) || index < 0 || index >= dataset.examples) throw new InputError(`puzzle: expected 0 to ${dataset.examples - 1}, got ${index}`);
  let at = 0;
  for (const { tokens, labels, puzzleIds } of testBatches(dataset, 1, index + 1)) {
    if (at++ === index) return { index, question: tokens, solution: labels, puzzleId: puzzleIds[0] ?? 0 };
  }
  throw new Error(`the data set said ${dataset.examples} examples and gave ${at}`);
}

/** Thinks about puzzle `index` of a data set. Throws InputError if there is none. */
export async function thinkAbout(engine: Engine, dataset: Dataset, index: number): Promise<SolvedPuzzle> {
  const puzzle = puzzleAt(dataset, index);
  return { ...puzzle, thoughts: await think(engine, puzzle.question, { puzzleId: puzzle.puzzleId }) };
}

/** Among the first `puzzles` of a data set, the solved one that took the most supervision steps; unsolved ones only if none is solved. */
export async function longestThought(engine: Engine, dataset: Dataset, puzzles = 50): Promise<SolvedPuzzle> {
  let best: { readonly index: number; readonly steps: number } = { index: 0, steps: -1 };
  let index = 0;
  for (const batch of testBatches(dataset, 1, Math.min(puzzles, dataset.examples))) {
    const steps = await stepsToSolve(engine, batch);
    if (steps > best.steps) best = { index, steps };
    index++;
  }
  return thinkAbout(engine, dataset, best.index);
}

/** Supervision steps until the answer is right and stays so; 0 if it is not right in the end. */
async function stepsToSolve(engine: Engine, { tokens, labels, puzzleIds }: Batch): Promise<number> {
  const thoughts = await think(engine, tokens, { puzzleId: puzzleIds[0] ?? 0 });
  const right = thoughts.map(({ prediction }) => prediction.every((token, i) => token === labels[i]));
  return right.at(-1) === true ? right.lastIndexOf(false) + 2 : 0;
}

/**
 * What comes of stopping as soon as the model is sure enough, for several degrees of sureness (0 … 1), over the first
 * `puzzles` of a data set. A puzzle it is never sure about is thought about to the end.
 */
export async function stopWhenSure(engine: Engine, dataset: Dataset, degrees: readonly number[], puzzles = dataset.examples): Promise<StoppingPoint[]> {
  const sums = degrees.map((sureness) => ({ sureness, solved: 0, steps: 0 }));
  let count = 0;
  for (const { tokens, labels, puzzleIds } of testBatches(dataset, 1, puzzles)) {
    const thoughts = await think(engine, tokens, { puzzleId: puzzleIds[0] ?? 0 });
    for (const sum of sums) {
      const last = thoughts.find(({ haltProbability }) => haltProbability >= sum.sureness) ?? thoughts.at(-1);
      if (last === undefined) continue;
      sum.steps += last.step;
      sum.solved += last.prediction.every((token, i) => token === labels[i]) ? 1 : 0;
    }
    count++;
  }
  return sums.map(({ sureness, solved, steps }) => ({ sureness, exactAccuracy: solved / count, meanSteps: steps / count }));
}
