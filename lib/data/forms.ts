/** The forms in which the puzzles of a data set may be written, and by what its kind is told. */
import { InputError } from '../errors.js';
import { checkDataset, type Dataset } from './dataset.js';
import { gridForms, sudokuForms, type Forms, type SudokuChanges } from './relabelling.js';
import { geometryOfCells } from './sudoku.js';

/**
 * Sudokus by their cells and tokens, mazes by their alternative answers; both are scored whole. Throws InputError for
 * what is no data set, or one whose parts disagree.
 */
export function kindOfSet(dataset: Dataset): 'sudoku' | 'maze' | 'other' {
  checkDataset(dataset);
  const { ignore, vocabSize, sequenceLength, alternative } = dataset;
  if (ignore !== null) return 'other';
  if (vocabSize === Math.sqrt(sequenceLength) + 2 && geometryOfCells(sequenceLength) !== undefined) return 'sudoku';
  return alternative === undefined ? 'other' : 'maze';
}

/**
 * The forms of a set's puzzles. Sudoku: digits renamed, lines moved, or both (`changes`), without end. Mazes: turned
 * and mirrored; among equally short paths the set's answer depends on the order of directions, which a turn changes, so
 * other forms may cost exact answers and still find valid paths. Throws InputError for other sets.
 */
export function formsOf(dataset: Dataset, changes: SudokuChanges = 'both'): Forms {
  const kind = kindOfSet(dataset);
  if (kind === 'maze') return gridForms(dataset.width, dataset.vocabSize);
  const geometry = kind === 'sudoku' ? geometryOfCells(dataset.sequenceLength) : undefined;
  if (geometry === undefined)
    throw new InputError(
      `forms: expected Sudoku puzzles or mazes, got ${dataset.name}; the versions of ARC tasks vote by themselves`,
    );
  return sudokuForms(geometry, changes);
}
