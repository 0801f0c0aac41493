/** The kind of a data set's puzzles, and the equivalent forms in which they may be written. */
import { InputError } from '../errors.js';
import { checkDataset, type Dataset } from './dataset.js';
import { gridForms, sudokuForms, type Forms, type SudokuChanges } from './relabelling.js';
import { geometryOfCells } from './sudoku.js';

/**
 * The kind of a set's puzzles. Sudokus are recognised by their cells and tokens, mazes by their alternative criterion;
 * both have every cell scored. Throws InputError for what is not a data set, or one whose parts disagree.
 */
export function kindOfSet(dataset: Dataset): 'sudoku' | 'maze' | 'other' {
  checkDataset(dataset);
  const { ignore, vocabSize, sequenceLength, alternative } = dataset;
  if (ignore !== null) return 'other';
  if (vocabSize === Math.sqrt(sequenceLength) + 2 && geometryOfCells(sequenceLength) !== undefined) return 'sudoku';
  return alternative === undefined ? 'other' : 'maze';
}

/**
 * The forms of a set's puzzles. Sudoku: digits renamed, lines moved, or both (`changes`), at random. Mazes: the eight
 * orientations; the label rule's choice among shortest paths changes with them, so other forms may lower exact match
 * and still find valid paths. Throws InputError for other sets.
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
