/** Statistics of sets of Sudokus. */
import { InputError } from '../errors.js';
import { exampleOf, ratingsOf, type Dataset } from './dataset.js';
import { kindOfSet } from './forms.js';

/** Number of givens of every Sudoku of a set. Throws InputError for other sets, and so does summarizeSudokus. */
export function givenCounts(dataset: Dataset): number[] {
  const kind = kindOfSet(dataset);
  const { name, vocabSize, width, height } = dataset;
  if (kind !== 'sudoku')
    throw new InputError(`${name}: expected a set of Sudokus, got ${vocabSize} tokens on ${width} × ${height}`);
  return Array.from({ length: dataset.examples }, (_, i) =>
    exampleOf(dataset, i).input.reduce((count, token) => count + (token > 1 ? 1 : 0), 0),
  );
}

/** A data set's row of a table. */
export type SetSummary = Readonly<
  Record<'set' | 'puzzles' | 'cells' | 'givens (mean)' | 'rating (mean)' | 'copies' | 'sha256', string | number>
>;

/** The mean of some values to `digits` decimals; a dash for no values. */
export function meanOf(values: readonly number[], digits: number): number | string {
  if (values.length === 0) return '–';
  return Number((values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(digits));
}

/** A Sudoku set in one row. */
export function summarizeSudokus(dataset: Dataset): SetSummary {
  const givens = givenCounts(dataset);
  return {
    set: dataset.name,
    puzzles: dataset.examples,
    cells: dataset.sequenceLength,
    'givens (mean)': meanOf(givens, 2),
    'rating (mean)': meanOf(dataset.ratings === null ? [] : ratingsOf(dataset), 2),
    copies: dataset.augmentation?.copies ?? 0,
    sha256: dataset.sha256.slice(0, 12),
  };
}
