/** What can be counted about sets of Sudokus. */
import { InputError } from '../errors.js';
import { exampleOf, ratingsOf, type Dataset } from './dataset.js';
import { kindOfSet } from './forms.js';

/** Givens of every Sudoku of a set. Throws InputError for a set of others, as all below do. */
export function givenCounts(dataset: Dataset): number[] {
  const { name, vocabSize, width, height } = dataset;
  if (kindOfSet(dataset) !== 'sudoku')
    throw new InputError(`${name}: expected a set of Sudokus, got ${vocabSize} tokens on ${width} × ${height}`);
  return Array.from({ length: dataset.examples }, (_, i) =>
    exampleOf(dataset, i).input.reduce((count, token) => count + (token > 1 ? 1 : 0), 0),
  );
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
