/** The overlap of a training and a test set: puzzles that are in both, identical or equivalent by symmetry. */
import { InputError } from '../errors.js';
import { exampleOf, type Dataset } from './dataset.js';
import { kindOfSet } from './forms.js';
import { canonicalMaze } from './maze.js';
import { canonicalBoard, canonicalSolution } from './sudoku-canonical.js';
import { boardOfTokens, geometryOfCells } from './sudoku.js';

/** The test puzzles that the training set has: identical ones, and all that renaming, turning or moving lines give. */
export type Overlap = Readonly<{
  set: string;
  'test puzzles': number;
  'in the training set': number;
  'there in disguise': number;
}>;

/**
 * Counts the test puzzles that are in the training set, identical and up to symmetry; a puzzle takes up to a third of a
 * millisecond. Throws InputError unless both are sets of Sudokus, or both of mazes, of one size.
 */
export function overlapOf(train: Dataset, test: Dataset): Overlap {
  const [form, kind] = [canonicalForm(train), kindOfSet(test)];
  if (form === undefined || kind !== kindOfSet(train) || test.sequenceLength !== train.sequenceLength)
    throw new InputError(
      `overlap: expected two sets of Sudokus, or of mazes, of one size, got ${train.name} and ${test.name}`,
    );
  const [known, disguises] = [new Set<string>(), new Set<string>()];
  for (let i = 0; i < train.examples; i++) {
    known.add(String(exampleOf(train, i).input));
    disguises.add(form(train, i));
  }
  let [same, disguised] = [0, 0];
  for (let i = 0; i < test.examples; i++) {
    if (known.has(String(exampleOf(test, i).input))) same++;
    if (disguises.has(form(test, i))) disguised++;
  }
  return {
    set: test.name,
    'test puzzles': test.examples,
    'in the training set': same,
    'there in disguise': disguised,
  };
}

/**
 * A text that is the same for all equivalent puzzles. For 9×9 Sudokus it is that of the solution, which is quick to
 * find: equivalent puzzles have equivalent solutions. Undefined for sets of other puzzles.
 */
function canonicalForm(set: Dataset): ((set: Dataset, i: number) => string) | undefined {
  const kind = kindOfSet(set);
  const geometry = geometryOfCells(set.sequenceLength);
  if (kind === 'maze') return (mazes, i) => canonicalMaze(exampleOf(mazes, i).input);
  if (kind !== 'sudoku' || geometry === undefined) return undefined;
  return geometry.side === 9
    ? (sudokus, i) => canonicalSolution(boardOfTokens(exampleOf(sudokus, i).label), geometry)
    : (sudokus, i) => canonicalBoard(boardOfTokens(exampleOf(sudokus, i).input), geometry);
}
