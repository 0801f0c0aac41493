/** What can be counted about sets of Sudokus, and about two of them. */
import { InputError } from '../errors.js';
import { exampleOf, ratingsOf, type Dataset } from './dataset.js';
import { kindOfSet } from './forms.js';
import { canonicalBoard, canonicalSolution } from './sudoku-canonical.js';
import { boardOfTokens, geometryOfCells, type SudokuGeometry } from './sudoku.js';

/** Givens of every Sudoku of a set. Throws InputError for a set of others, as all below do. */
export function givenCounts(dataset: Dataset): number[] {
  const { name, vocabSize, width, height } = dataset;
  if (kindOfSet(dataset) !== 'sudoku')
    throw new InputError(`${name}: expected a set of Sudokus, got ${vocabSize} tokens on ${width} × ${height}`);
  return Array.from({ length: dataset.examples }, (_, i) =>
    exampleOf(dataset, i).input.reduce((count, token) => count + (token > 1 ? 1 : 0), 0),
  );
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
  const other = [train, test].some((set) => kindOfSet(set) !== 'sudoku');
  if (geometry === undefined || other || train.sequenceLength !== test.sequenceLength)
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
