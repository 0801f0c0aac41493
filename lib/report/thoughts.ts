/** Puzzles worth looking at: what a model thinks about one of a data set, and which of them it thinks about longest. */
import { testBatches } from '../data/batches.js';
import type { Dataset } from '../data/dataset.js';
import type { Batch, Engine } from '../engine/engine.js';
import { think, type Thought } from '../train/evaluate.js';
import type { StoppingPoint } from './figures.js';
import { puzzleAt, type Puzzle } from './puzzles.js';

/** A puzzle, its right answer, and the model's answers after every supervision step. */
export interface SolvedPuzzle extends Puzzle {
  readonly thoughts: readonly Thought[];
}

/** Thinks about one puzzle. `supervisionSteps`: by default as many as the model was trained with. */
export async function thinkAbout(engine: Engine, puzzle: Puzzle, supervisionSteps = engine.config.supervisionSteps): Promise<SolvedPuzzle> {
  return { ...puzzle, thoughts: await think(engine, puzzle.question, { puzzleId: puzzle.puzzleId, supervisionSteps }) };
}

/** Among the first `puzzles` of a data set, the solved one that took the most supervision steps; unsolved ones only if none is solved. */
export async function longestThought(engine: Engine, dataset: Dataset, puzzles = 50): Promise<SolvedPuzzle & { readonly index: number }> {
  let best: { readonly index: number; readonly steps: number } = { index: 0, steps: -1 };
  let index = 0;
  for (const batch of testBatches(dataset, 1, Math.min(puzzles, dataset.examples))) {
    const steps = await stepsToSolve(engine, batch);
    if (steps > best.steps) best = { index, steps };
    index++;
  }
  return { ...(await thinkAbout(engine, puzzleAt(dataset, best.index))), index: best.index };
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
