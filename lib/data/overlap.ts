/** The overlap of a training and a test set: puzzles that are in both, identical or equivalent by symmetry. */
import { createHash } from 'node:crypto';
import { InputError } from '../errors.js';
import { exampleOf, type Dataset } from './dataset.js';
import { kindOfSet } from './forms.js';
import { canonicalMaze } from './maze.js';
import { canonicalSudoku } from './sudoku-canonical.js';
import { boardOfTokens, geometryOfCells } from './sudoku.js';

/** The test puzzles that the training set has: identical ones, and all that renaming, turning or moving lines give. */
export type Overlap = Readonly<{
  set: string;
  'test puzzles': number;
  'in the training set': number;
  'there in disguise': number;
}>;

/**
 * Counts the test puzzles that are in the training set, identical and up to symmetry, of which other puzzles than
 * Sudokus and mazes have none; a puzzle takes up to a third of a millisecond. Throws InputError unless both sets have
 * one size and vocabulary.
 */
export function overlapOf(
  train: Dataset,
  test: Dataset,
  onProgress: (done: number, total: number) => void = () => undefined,
): Overlap {
  const [kind, kindOfTest] = [kindOfSet(train), kindOfSet(test)];
  if (test.sequenceLength !== train.sequenceLength || test.vocabSize !== train.vocabSize)
    throw new InputError(
      `overlap: expected two sets of puzzles of one kind and size, got ${train.name} and ${test.name}`,
    );
  const form = (set: Dataset, i: number): string => canonicalForm(kind === kindOfTest ? kind : 'other', set, i);
  const [known, disguises] = [new Set<string>(), new Set<string>()];
  const total = train.examples + test.examples;
  for (let i = 0; i < train.examples; i++) {
    known.add(canonicalForm('other', train, i));
    disguises.add(form(train, i));
    onProgress(i + 1, total);
  }
  let [same, disguised] = [0, 0];
  for (let i = 0; i < test.examples; i++) {
    if (known.has(canonicalForm('other', test, i))) same++;
    if (disguises.has(form(test, i))) disguised++;
    onProgress(train.examples + i + 1, total);
  }
  return {
    set: test.name,
    'test puzzles': test.examples,
    'in the training set': same,
    'there in disguise': disguised,
  };
}

/**
 * A text that equivalent puzzles of a kind share; for 9×9 Sudokus it is that of the solution. Other puzzles share it
 * only if they are equal; it is a hash then, as ARC sets have millions of large questions.
 */
export function canonicalForm(kind: ReturnType<typeof kindOfSet>, set: Dataset, i: number): string {
  const { input, label } = exampleOf(set, i);
  const geometry = kind === 'sudoku' ? geometryOfCells(input.length) : undefined;
  if (geometry !== undefined)
    return canonicalSudoku({ question: boardOfTokens(input), answer: boardOfTokens(label) }, geometry);
  return kind === 'maze' ? canonicalMaze(input) : createHash('sha256').update(input).digest('base64');
}
