/** A data set in memory: examples as token ids, in the reference's groups, and their augmentation. */
import { createHash } from 'node:crypto';
import { InputError, show } from '../errors.js';
import { given } from '../fields.js';
import type { Random } from '../random.js';
import type { Example } from './example.js';

/** Makes augmented copies of an example: legal puzzles with the right answer. */
export interface Augmentation {
  /** Copies of each puzzle, the original not counted. */
  readonly copies: number;
  /** Fixes the set of copies. */
  readonly random: Random;
  /** Copy `copy`, 1 … copies; `random` is that copy's own stream. */
  apply(example: Example, random: Random, copy: number): Example;
}

/** Copy 1, 2, … of a puzzle's example, always the same: training, export and display see identical copies. */
export function augmentedCopy(
  { apply, random }: Augmentation,
  example: Example,
  puzzle: number,
  copy: number,
): Example {
  return apply(example, random.fork(puzzle).fork(copy), copy);
}

/** A criterion besides exact match, for puzzles that have several right answers. */
export interface Alternative {
  /** For tables, e.g. "valid shortest path". */
  readonly name: string;
  /** Whether an answer meets it; token ids, [L] each. */
  accepts(question: ArrayLike<number>, answer: ArrayLike<number>): boolean;
}

/**
 * Versions of whole puzzles, each with its own puzzle id. A version is made when it is drawn, so that a set of millions
 * of examples needs only the memory of its originals. Version 0 is the original. For sets with one puzzle a group.
 */
export interface PuzzleVersions {
  /** Versions of a puzzle, the original included. */
  count(puzzle: number): number;
  id(puzzle: number, version: number): number;
  /** The examples of one version, always the same, in the original's order. */
  examples(puzzle: number, version: number): Example[];
}

/**
 * Examples of one split. Groups hold puzzles, puzzles hold examples (spec §5.1): an epoch visits every group once and
 * takes one of its puzzles. Sudoku and mazes have one puzzle a group, and one example a puzzle. A set is checked
 * on first use only, so its arrays must not change after it is made.
 */
export interface Dataset {
  readonly name: string;
  /** What a reader must know to interpret its results; '' for nothing. */
  readonly note: string;
  readonly width: number;
  readonly height: number;
  /** V: token ids are 0 … V−1, 0 is padding. */
  readonly vocabSize: number;
  /** L. */
  readonly sequenceLength: number;
  /** Rows of the puzzle table this set needs, the blank id 0 included. */
  readonly puzzleIds: number;
  /** N. */
  readonly examples: number;
  /** Questions and answers, token ids, [N, L] each. */
  readonly inputs: Uint8Array;
  readonly labels: Uint8Array;
  /** The label that is not scored, or null if all are. */
  readonly ignore: number | null;
  /** First example of each puzzle, [puzzles + 1], and first puzzle of each group, [groups + 1]. */
  readonly puzzleOffsets: Int32Array;
  readonly groupOffsets: Int32Array;
  /** Puzzle id of each puzzle, [puzzles]. */
  readonly ids: Int32Array;
  /** Difficulty of each example as its source rates it, [N], or null. */
  readonly ratings: Float64Array | null;
  readonly augmentation: Augmentation | null;
  /** Versions of its puzzles with their own ids, which training draws from; absent if there are none. */
  readonly versions?: PuzzleVersions;
  /** Scored in addition to exact match; absent where a puzzle has only one answer. */
  readonly alternative?: Alternative;
  /** Hash of inputs, labels and grouping: two sets with the same hash are the same data. */
  readonly sha256: string;
}

/** A data set whose every example is its own puzzle and group, with puzzle id 0: Sudoku and mazes. */
export function ungrouped(
  examples: readonly Example[],
  about: Pick<Dataset, 'name' | 'note' | 'width' | 'height' | 'vocabSize'> & {
    readonly ratings?: readonly number[];
    readonly augmentation?: Augmentation | null;
    readonly alternative?: Alternative;
  },
): Dataset {
  const sequenceLength = about.width * about.height;
  const inputs = new Uint8Array(examples.length * sequenceLength);
  const labels = new Uint8Array(examples.length * sequenceLength);
  examples.forEach(({ input, label }, i) => {
    inputs.set(input, i * sequenceLength);
    labels.set(label, i * sequenceLength);
  });
  const offsets = Int32Array.from({ length: examples.length + 1 }, (_, i) => i);
  const { ratings, augmentation = null, ...rest } = about;
  return withHash({
    ...rest,
    sequenceLength,
    puzzleIds: 1,
    examples: examples.length,
    inputs,
    labels,
    ignore: null,
    puzzleOffsets: offsets,
    groupOffsets: offsets,
    ids: new Int32Array(examples.length),
    ratings: ratings === undefined ? null : Float64Array.from(ratings),
    augmentation,
  });
}

/** Completes a data set with the hash of its content; `also` is what else the hash covers. */
export function withHash<Parts extends Omit<Dataset, 'sha256'>>(
  dataset: Parts,
  also = '',
): Parts & Pick<Dataset, 'sha256'> {
  const hash = createHash('sha256');
  hash.update(also);
  hash.update(
    `${dataset.vocabSize} ${dataset.width} ${dataset.height} ` +
      `${dataset.ignore ?? ''} ${dataset.augmentation?.copies ?? 0}\n`,
  );
  for (const part of [dataset.inputs, dataset.labels, dataset.puzzleOffsets, dataset.groupOffsets, dataset.ids]) {
    hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }
  return { ...dataset, sha256: hash.digest('hex') };
}

/** Data sets that have passed checkDataset; they do not change. */
const whole = new WeakSet<Dataset>();

/** Throws InputError for what is not a data set, such as a task's Splits, and for one whose parts disagree. */
export function checkDataset(dataset: Dataset): void {
  if (!(dataset?.inputs instanceof Uint8Array))
    throw new InputError(`data set: expected one, such as test of what loadTask gives, got ${show(dataset)}`);
  if (whole.has(dataset)) return;
  const { name, vocabSize, sequenceLength, puzzleIds, examples, inputs, labels, ignore, ratings } = dataset;
  const { puzzleOffsets, groupOffsets, ids } = dataset;
  for (const [part, values] of Object.entries({ labels, puzzleOffsets, groupOffsets, ids }))
    if (!ArrayBuffer.isView(values))
      throw new InputError(`${name}: ${part}: expected a typed array, got ${show(values)}`);
  // A plain loop: a set may have a hundred million tokens.
  const below = (values: ArrayLike<number>, most: number, besides?: number | null): boolean => {
    for (let i = 0; i < values.length; i++)
      if (!(values[i]! >= 0 && values[i]! < most) && values[i] !== besides) return false;
    return true;
  };
  const divides = (offsets: Int32Array, count: number): boolean =>
    offsets[0] === 0 && offsets.at(-1) === count && offsets.every((at, i) => i === 0 || at > offsets[i - 1]!);
  const problem = [
    [inputs.length === examples * sequenceLength, `${examples} × ${sequenceLength} inputs`],
    [labels.length === inputs.length, `as many labels as inputs, ${inputs.length}`],
    [below(inputs, vocabSize), `inputs below its vocabulary of ${vocabSize}`],
    [below(labels, vocabSize, ignore), `labels below its vocabulary of ${vocabSize}`],
    [
      divides(puzzleOffsets, examples),
      `puzzleOffsets that rise from 0 to its ${examples} examples, at least one a puzzle`,
    ],
    [
      divides(groupOffsets, ids.length),
      `groupOffsets that rise from 0 to its ${ids.length} puzzles, at least one a group`,
    ],
    [puzzleOffsets.length === ids.length + 1, `a place in puzzleOffsets for each of its ${ids.length} puzzles`],
    [below(ids, puzzleIds), `ids below ${puzzleIds}`],
    [ratings === null || ratings.length === examples, `a rating for each of its ${examples} examples, or null`],
  ].find(([right]) => right === false);
  if (problem !== undefined) throw new InputError(`${name}: expected ${problem[1]}; the data set's parts disagree`);
  whole.add(dataset);
}

/** Throws InputError unless a model's sequence length and vocabulary fit a data set. */
export function checkFits(
  dataset: Dataset,
  model: { readonly sequenceLength: number; readonly vocabSize: number },
): void {
  for (const field of ['sequenceLength', 'vocabSize'] as const)
    if (dataset[field] !== model[field])
      throw new InputError(
        `${dataset.name}: expected ${field} ${model[field]}, as the model has, got ${dataset[field]}`,
      );
}

/** Example i of a data set: views, not copies. */
export function exampleOf(dataset: Dataset, i: number): Example {
  const { inputs, labels, sequenceLength: L } = dataset;
  return { input: inputs.subarray(i * L, (i + 1) * L), label: labels.subarray(i * L, (i + 1) * L) };
}

/** Difficulty of every example as its source rates it. Throws InputError for a set without ratings. */
export function ratingsOf(dataset: Dataset): number[] {
  checkDataset(dataset);
  if (dataset.ratings === null) throw new InputError(`${dataset.name}: expected a set with ratings, got one without`);
  return Array.from(dataset.ratings);
}

/** A data set of some examples of another one, ungrouped. */
export function someOf(dataset: Dataset, members: readonly number[], name = dataset.name): Dataset {
  const { note, width, height, vocabSize, ratings, alternative } = dataset;
  return ungrouped(
    members.map((i) => exampleOf(dataset, i)),
    {
      ...{ name, note, width, height, vocabSize },
      ...given({ alternative, ratings: ratings === null ? undefined : members.map((i) => ratings[i] ?? NaN) }),
    },
  );
}

/** A data set of the same shape without examples. */
export function emptyLike(dataset: Dataset): Dataset {
  const { sha256: _, ...rest } = dataset;
  const none = new Uint8Array(0);
  return withHash({
    ...rest,
    examples: 0,
    inputs: none,
    labels: none,
    puzzleOffsets: new Int32Array(1),
    groupOffsets: new Int32Array(1),
    ids: new Int32Array(0),
    ratings: null,
  });
}
