/** Training, test and validation parts of one source, and the error for a source with too few puzzles. */
import { InputError } from '../errors.js';

/** The parts for training, for testing, and for choosing configurations. */
export interface Splits<Part> {
  readonly train: Part;
  readonly test: Part;
  readonly validation: Part;
}

/** The name of a split. */
export type Split = keyof Splits<unknown>;

/** Puzzles of each split. */
export interface SplitSizes {
  readonly trainPuzzles: number;
  readonly testPuzzles: number;
  readonly validationPuzzles: number;
}

/** Makes each split from its name. */
export function eachSplit<Part>(make: (split: Split) => Part): Splits<Part> {
  return { train: make('train'), test: make('test'), validation: make('validation') };
}

/** Puzzles of all splits. */
export function sizeOfAll({ trainPuzzles, testPuzzles, validationPuzzles }: SplitSizes): number {
  return trainPuzzles + testPuzzles + validationPuzzles;
}

/** Cuts a pool in three: training puzzles first, then test, then validation. */
export function cutPool<Item>(pool: readonly Item[], sizes: SplitSizes): Splits<readonly Item[]> {
  const { trainPuzzles, testPuzzles } = sizes;
  return {
    train: pool.slice(0, trainPuzzles),
    test: pool.slice(trainPuzzles, trainPuzzles + testPuzzles),
    validation: pool.slice(trainPuzzles + testPuzzles, sizeOfAll(sizes)),
  };
}

/** Throws InputError where a published source `holds` fewer puzzles for a split than `asked`. */
export function checkHolds(source: string, puzzles: string, holds: Splits<number>, asked: SplitSizes): void {
  for (const [what, got, expected] of [
    ['training', holds.train, asked.trainPuzzles],
    ['test', holds.test, asked.testPuzzles],
    ['validation', holds.validation, asked.validationPuzzles],
  ] as const)
    if (got < expected)
      throw new InputError(`${source}: expected at most ${got} ${what} ${puzzles}, got ${expected}; ask for fewer`);
}
