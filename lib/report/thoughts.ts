/** Puzzles worth looking at: what a model thinks about one of a data set, and which of them it thinks about longest. */
import { testBatches } from '../data/batches.js';
import type { Dataset } from '../data/dataset.js';
import type { Batch, Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { think, type Thought } from '../train/evaluate.js';

/** A puzzle, its right answer, and the answers after every supervision step. */
export interface SolvedPuzzle {
  /** Place in the data set, from 0. */
  readonly index: number;
  /** Token ids, [L]. */
  readonly question: Int32Array;
  readonly solution: Int32Array;
  readonly thoughts: readonly Thought[];
}

/** Thinks about puzzle `index` of a data set. Throws InputError if there is none. */
export async function thinkAbout(engine: Engine, dataset: Dataset, index: number): Promise<SolvedPuzzle> {
  if (!Number.isInteger(index) || index < 0 || index >= dataset.examples) throw new InputError(`puzzle: expected 0 to ${dataset.examples - 1}, got ${index}`);
  let at = 0;
  for (const { tokens, labels, puzzleIds } of testBatches(dataset, 1, index + 1)) {
    if (at++ < index) continue;
    const thoughts = await think(engine, tokens, { puzzleId: puzzleIds[0] ?? 0 });
    return { index, question: tokens, solution: labels, thoughts };
  }
  throw new Error(`the data set said ${dataset.examples} examples and gave ${at}`);
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
