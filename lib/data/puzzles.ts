/** Data sets to look at: single puzzles, their disguises, and what can be counted about a set. */
import { testBatches } from './batches.js';
import { augmentedCopy, exampleOf, type Dataset } from './dataset.js';
import { canonicalBoard, canonicalSolution } from './sudoku-canonical.js';
import type { Puzzle } from './puzzle.js';
import { boardOfTokens, geometryOfCells, type SudokuGeometry } from './sudoku.js';
import { InputError } from '../errors.js';

/** Puzzle `index` of a data set, as it stands, not augmented. Throws InputError if there is none. */
export function puzzleAt(dataset: Dataset, index: number): Puzzle {
  if (!Number.isInteger(index) || index < 0 || index >= dataset.examples)
    throw new InputError(`puzzle: expected 0 to ${dataset.examples - 1}, got ${index}`);
  let at = 0;
  for (const { tokens, labels, puzzleIds } of testBatches(dataset, 1, index + 1)) {
    if (at++ === index) return { question: tokens, solution: labels, puzzleId: puzzleIds[0] ?? 0 };
  }
  throw new Error(`the data set said ${dataset.examples} examples and gave ${at}`);
}

/**
 * Puzzle `index` of a data set of ungrouped puzzles as training sees it: the first `count` of its augmented copies.
 * Throws InputError for a set that is not augmented.
 */
export function augmentedCopies(dataset: Dataset, index: number, count: number): Puzzle[] {
  const { augmentation } = dataset;
  if (augmentation === null)
    throw new InputError(`${dataset.name}: expected a set with augmentation, got one without; take the training set`);
  const { puzzleId } = puzzleAt(dataset, index);
  return Array.from({ length: Math.min(count, augmentation.copies) }, (_, copy) => {
    const { input, label } = augmentedCopy(augmentation, exampleOf(dataset, index), index, copy + 1);
    return { question: Int32Array.from(input), solution: Int32Array.from(label), puzzleId };
  });
}

/** Givens of every Sudoku of a set. */
export function givenCounts(dataset: Dataset): number[] {
  return Array.from({ length: dataset.examples }, (_, i) =>
    exampleOf(dataset, i).input.reduce((count, token) => count + (token > 1 ? 1 : 0), 0),
  );
}

/** Difficulty of every example as its source rates it. Throws InputError for a set without ratings. */
export function ratingsOf(dataset: Dataset): number[] {
  if (dataset.ratings === null) throw new InputError(`${dataset.name}: expected a set with ratings, got one without`);
  return Array.from(dataset.ratings);
}

/** How much of a test set the training set gives away: as it stands, and by renaming, turning or moving lines. */
export type Overlap = Readonly<{
  set: string;
  'test puzzles': number;
  'in the training set': number;
  'there in disguise': number;
}>;

/**
 * Counts the test Sudokus that are training puzzles, as they stand and in disguise (9×9: at most so many, solutions are
 * compared).
 */
export function sudokuOverlap(train: Dataset, test: Dataset, name = test.name): Overlap {
  const geometry = geometryOfCells(test.sequenceLength);
  if (geometry === undefined || train.sequenceLength !== test.sequenceLength)
    throw new InputError(
      `overlap: expected two sets of Sudokus of one size, got ${train.sequenceLength} and ${test.sequenceLength} cells`,
    );
  const asTheyAre = new Set(boardsOf(train).map(({ question }) => String(question)));
  const forms = new Set(boardsOf(train).map((boards) => canonicalForm(boards, geometry)));
  const tests = boardsOf(test);
  return {
    set: name,
    'test puzzles': test.examples,
    'in the training set': tests.filter(({ question }) => asTheyAre.has(String(question))).length,
    'there in disguise': tests.filter((boards) => forms.has(canonicalForm(boards, geometry))).length,
  };
}

interface Boards {
  readonly question: Uint8Array;
  readonly solution: Uint8Array;
}

function boardsOf(dataset: Dataset): Boards[] {
  return Array.from({ length: dataset.examples }, (_, i) => {
    const { input, label } = exampleOf(dataset, i);
    return { question: boardOfTokens(input), solution: boardOfTokens(label) };
  });
}

/**
 * The same for equivalent puzzles. Of a 9×9 the solution decides: its form is quick to find, and equivalent puzzles
 * have equivalent solutions.
 */
function canonicalForm({ question, solution }: Boards, geometry: SudokuGeometry): string {
  return geometry.side === 9 ? canonicalSolution(solution, geometry) : canonicalBoard(question, geometry);
}

/** What a table says about a data set. */
export type SetSummary = Readonly<
  Record<'set' | 'puzzles' | 'cells' | 'givens (mean)' | 'rating (mean)' | 'copies' | 'sha256', string | number>
>;

/** A Sudoku set in one row. */
export function summarizeSudokus(dataset: Dataset): SetSummary {
  const mean = (values: readonly number[]): number =>
    Number((values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2));
  return {
    set: dataset.name,
    puzzles: dataset.examples,
    cells: dataset.sequenceLength,
    'givens (mean)': mean(givenCounts(dataset)),
    'rating (mean)': dataset.ratings === null ? '–' : mean(ratingsOf(dataset)),
    copies: dataset.augmentation?.copies ?? 0,
    sha256: dataset.sha256.slice(0, 12),
  };
}
