/**
 * Thinking about single puzzles, step by step: what the model answers, how right it is,
 * and when it could have stopped.
 */
import { puzzleCount, testBatches } from '../data/batches.js';
import type { Batch } from '../data/example.js';
import type { Dataset } from '../data/dataset.js';
import { puzzleAt, type Puzzle } from '../data/puzzle.js';
import { boardOfTokens, boardText, findClash, geometryOfCells } from '../data/sudoku.js';
import type { Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { anyObject, between, checkValue, given, listOf, oneOf } from '../fields.js';
import { evaluate } from './evaluate.js';
import { scoreBoard } from './metrics.js';
import { think, type Thought } from './think.js';

/** A puzzle, its right answer, and the model's answers after every supervision step. */
export interface SolvedPuzzle extends Puzzle {
  readonly thoughts: readonly Thought[];
}

/** Thinks about one puzzle. `supervisionSteps`: by default as many as the model was trained with. */
export async function thinkAbout(engine: Engine, puzzle: Puzzle, supervisionSteps?: number): Promise<SolvedPuzzle> {
  checkValue('puzzle', puzzle, anyObject);
  const { question, puzzleId } = puzzle;
  return { ...puzzle, thoughts: await think(engine, question, { puzzleId, ...given({ supervisionSteps }) }) };
}

/** One thought about a Sudoku, judged. Rows and columns count from 1. */
export interface JudgedThought {
  readonly step: number;
  /** The board, row by row, '.' for a cell without a digit. */
  readonly board: string;
  /** Cells that differ from the previous board; for the first step, from the puzzle. */
  readonly changed: readonly {
    readonly row: number;
    readonly column: number;
    readonly from: string;
    readonly to: string;
  }[];
  /** How likely the model thinks this board is right, 0 … 1. */
  readonly haltProbability: number;
  /** Why the board is no legal answer to the puzzle; null if it is one. */
  readonly illegal: string | null;
  /** Cells that agree with the exact solver's solution. */
  readonly rightCells: number;
  readonly right: boolean;
}

/**
 * Judges one thought about a Sudoku; `before` is the previous board, token ids. Throws InputError if the puzzle is no
 * Sudoku, or the boards differ in size.
 */
export function judgeSudoku(
  puzzle: Pick<Puzzle, 'question' | 'solution'>,
  before: Int32Array,
  thought: Thought,
): JudgedThought {
  checkValue('puzzle', puzzle, anyObject);
  checkValue('thought', thought, anyObject);
  const { question, solution } = puzzle;
  const { step, prediction, haltProbability } = thought;
  const cells = question?.length;
  const geometry = geometryOfCells(cells);
  if (geometry === undefined) throw new InputError(`puzzle: expected a Sudoku of 16, 36 or 81 cells, got ${cells}`);
  for (const [name, board] of Object.entries({ solution, before, prediction }))
    checkValue(`cells of ${name}`, board?.length, oneOf(cells));
  const { side } = geometry;
  const [given, old, board, answer] = [question, before, prediction, solution].map(boardOfTokens) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const digit = (value: number | undefined): string => (value === undefined || value === 0 ? '.' : String(value));
  const at = (cell: number): string => `row ${Math.floor(cell / side) + 1}, column ${(cell % side) + 1}`;
  const [blank, altered] = [board.indexOf(0), given.findIndex((value, cell) => value !== 0 && board[cell] !== value)];
  const illegal =
    blank >= 0
      ? `no digit at ${at(blank)}`
      : altered >= 0
        ? `the given ${digit(given[altered])} at ${at(altered)} was changed`
        : (findClash(board, geometry) ?? null);
  const rightCells = board.reduce((count, value, cell) => count + (value === answer[cell] ? 1 : 0), 0);
  return {
    step,
    board: boardText(board),
    changed: Array.from(board.keys())
      .filter((cell) => board[cell] !== old[cell])
      .map((cell) => ({
        row: Math.floor(cell / side) + 1,
        column: (cell % side) + 1,
        from: digit(old[cell]),
        to: digit(board[cell]),
      })),
    haltProbability,
    illegal,
    rightCells,
    right: rightCells === board.length,
  };
}

/** What comes of stopping as soon as the model is sure enough. */
export interface StoppingPoint {
  /** The halting probability at which thinking stops, 0 … 1. */
  readonly sureness: number;
  /** Share of puzzles solved, 0 … 1. */
  readonly exactAccuracy: number;
  /** Mean supervision steps used. */
  readonly meanSteps: number;
}

/**
 * Among the first `puzzles` of a data set, the solved one with the most wrong scored cells, summed over the steps; if
 * none is solved, the first. Throws InputError unless `puzzles` is a whole number of at least 1.
 */
export async function hardestThought(
  engine: Engine,
  dataset: Dataset,
  puzzles = 50,
): Promise<SolvedPuzzle & { readonly index: number }> {
  let best: { readonly index: number; readonly repairs: number } = { index: 0, repairs: -1 };
  let index = 0;
  for (const batch of testBatches(dataset, 1, puzzleCount(dataset, puzzles))) {
    const repairs = await repairsToSolve(engine, batch);
    if (repairs > best.repairs) best = { index, repairs };
    index++;
  }
  return { ...(await thinkAbout(engine, puzzleAt(dataset, best.index))), index: best.index };
}

/** Wrong scored cells, summed over all supervision steps; −1 if the final answer is wrong. */
async function repairsToSolve(engine: Engine, { tokens, labels, puzzleIds }: Batch): Promise<number> {
  const thoughts = await think(engine, tokens, { puzzleId: puzzleIds[0] ?? 0 });
  const wrong = thoughts.map(({ prediction }) => {
    const { cells, rightCells } = scoreBoard(prediction, labels, 0, labels.length);
    return cells - rightCells;
  });
  return wrong.at(-1) === 0 ? wrong.reduce((sum, count) => sum + count, 0) : -1;
}

/**
 * The effect of stopping as soon as the model is sure enough, for several degrees of sureness (0 … 1), on the first
 * `puzzles` of a data set; one evaluation each. A puzzle it is never sure of gets all its steps. Throws InputError for
 * a sureness outside 0 … 1, and unless `puzzles` is a whole number of at least 1.
 */
export async function stopWhenSure(
  engine: Engine,
  dataset: Dataset,
  degrees: readonly number[],
  puzzles?: number,
): Promise<StoppingPoint[]> {
  checkValue('sureness', degrees, listOf(between(0, 1), 1));
  const points: StoppingPoint[] = [];
  for (const sureness of degrees) {
    const haltAbove = Math.log(sureness / (1 - sureness));
    const { exactAccuracy, meanSteps = NaN } = await evaluate(engine, dataset, { haltAbove, ...given({ puzzles }) });
    points.push({ sureness, exactAccuracy: exactAccuracy.at(-1) ?? NaN, meanSteps });
  }
  return points;
}
