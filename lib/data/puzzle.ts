/** One puzzle with its right answer: from a data set, augmented as in training, or your own. */
import { InputError } from '../errors.js';
import { checkCounts } from '../fields.js';
import { augmentedCopy, checkDataset, exampleOf, type Dataset } from './dataset.js';
import { ignoredLabel } from './example.js';
import { onlySolution } from './sudoku-solver.js';
import { readBoard } from './board-text.js';
import { sudokuGeometry, tokensOfBoard } from './sudoku.js';

/** A puzzle and its right answer. */
export interface Puzzle {
  /** Token ids, [L]: of a Sudoku 1 for an empty cell, d + 1 for the digit d (spec §5.1). */
  readonly question: Int32Array;
  /** Token ids, [L]; −100 for a cell that is not scored. */
  readonly solution: Int32Array;
  /** Row of the model's puzzle table. */
  readonly puzzleId: number;
}

/**
 * Your own Sudoku, in one line or row by row, with or without frames; '.', '0', '_', '?', '*', 'x' or '-' for
 * empty cells. The exact solver finds its answer. Throws InputError for another size, another character, or a board
 * without exactly one solution.
 */
export function ownSudoku(text: string): Puzzle {
  const board = readBoard(text);
  const answer = onlySolution(board, sudokuGeometry(Math.sqrt(board.length)));
  return {
    question: Int32Array.from(tokensOfBoard(board)),
    solution: Int32Array.from(tokensOfBoard(answer)),
    puzzleId: 0,
  };
}

/** Puzzle `index` of a data set, not augmented. Throws InputError if there is none. */
export function puzzleAt(dataset: Dataset, index: number): Puzzle {
  checkDataset(dataset);
  if (!Number.isInteger(index) || index < 0 || index >= dataset.examples)
    throw new InputError(`puzzle: expected 0 to ${dataset.examples - 1}, got ${index}`);
  const { input, label } = exampleOf(dataset, index);
  return {
    question: Int32Array.from(input),
    solution: Int32Array.from(label, (token) => (token === dataset.ignore ? ignoredLabel : token)),
    puzzleId: dataset.ids[dataset.puzzleOffsets.findIndex((first) => first > index) - 1]!,
  };
}

/**
 * The first `count` augmented copies of puzzle `index`, or all if there are fewer, as training sees them; for sets of
 * ungrouped puzzles. Throws InputError for a set that is not augmented, or a count that is not whole or below 1.
 */
export function augmentedCopies(dataset: Dataset, index: number, count: number): Puzzle[] {
  checkDataset(dataset);
  checkCounts({ count });
  const { augmentation } = dataset;
  if (augmentation === null)
    throw new InputError(`${dataset.name}: expected a set with augmentation, got one without; take the training set`);
  const { puzzleId } = puzzleAt(dataset, index);
  return Array.from({ length: Math.min(count, augmentation.copies) }, (_, copy) => {
    const { input, label } = augmentedCopy(augmentation, exampleOf(dataset, index), index, copy + 1);
    return { question: Int32Array.from(input), solution: Int32Array.from(label), puzzleId };
  });
}
