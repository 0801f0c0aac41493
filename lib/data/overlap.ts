/** What a training set gives away of a test set: puzzles that are in both, as they stand or in disguise. */
import { InputError } from '../errors.js';
import { exampleOf, type Dataset } from './dataset.js';
import { kindOfSet } from './forms.js';
import { canonicalMaze } from './maze.js';
import { canonicalBoard, canonicalSolution } from './sudoku-canonical.js';
import { boardOfTokens, geometryOfCells } from './sudoku.js';

/** How much of a test set the training set gives away: as it stands, and by renaming, turning or moving lines. */
export type Overlap = Readonly<{
  set: string;
  'test puzzles': number;
  'in the training set': number;
  'there in disguise': number;
}>;

/**
 * Counts the test puzzles that are training puzzles, as they stand and in disguise, at up to a third of a millisecond a
 * puzzle. Throws InputError for what are not two sets of Sudokus, or of mazes, of one size.
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
 * A text that is the same for a puzzle in all its disguises. Of a 9×9 Sudoku its solution decides: that form is quick
 * to find, and equivalent puzzles have equivalent solutions. Undefined for sets of other puzzles.
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
