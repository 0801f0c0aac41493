/**
 * Batches: for training, a resumable stream by the reference's epoch rule; for testing, all examples in order.
 */
import { InputError, show } from '../errors.js';
import { checkCounts } from '../fields.js';
import type { Random } from '../random.js';
import { augmentedCopy, checkDataset, exampleOf, type Dataset } from './dataset.js';
import { ignoredLabel, type Batch, type Example } from './example.js';

/** A position in a stream; plain JSON. */
export interface BatchStreamState {
  /** Passes before this one, and groups already taken from this one. */
  readonly pass: number;
  readonly position: number;
}

/**
 * An endless stream of training batches (spec §5.6). A pass is several epochs, each a new random order of all groups. A
 * group gives one puzzle with all its examples in random order; examples beyond a full batch are dropped, and so is an
 * incomplete batch at the end of a pass. Every draw depends on the seed and the position in the stream only.
 */
export class BatchStream {
  readonly #dataset: Dataset;
  readonly #batchSize: number;
  readonly #epochsPerPass: number;
  readonly #random: Random;
  #pass = 0;
  #position = 0;
  #order: Int32Array;

  /** `epochsPerPass`: 1 or more, raised where a pass would not fill one batch. Default 10. */
  constructor(
    dataset: Dataset,
    options: { readonly batchSize: number; readonly random: Random; readonly epochsPerPass?: number },
  ) {
    checkDataset(dataset);
    const groups = dataset.groupOffsets.length - 1;
    if (groups < 1) throw new InputError(`${dataset.name}: expected at least one training puzzle, got none`);
    this.#dataset = dataset;
    this.#batchSize = options.batchSize;
    this.#epochsPerPass = Math.max(options.epochsPerPass ?? 10, Math.ceil(options.batchSize / groups));
    this.#random = options.random;
    this.#order = this.#orderOf(0);
  }

  /** The next B examples. */
  next(): Batch {
    const start = { pass: this.#pass, position: this.#position };
    const examples: { example: Example; id: number }[] = [];
    while (examples.length < this.#batchSize) {
      const group = this.#order[this.#position];
      if (group === undefined) {
        // The pass is over: its last, incomplete batch is dropped.
        if (start.position === 0 && start.pass === this.#pass && examples.length === 0)
          throw new Error('a pass without examples');
        examples.length = 0;
        this.restore({ pass: this.#pass + 1, position: 0 });
        continue;
      }
      const random = this.#random.fork(this.#pass).fork(this.#position++);
      for (const drawn of this.#draw(group, random)) if (examples.length < this.#batchSize) examples.push(drawn);
    }
    return toBatch(this.#dataset, examples);
  }

  state(): BatchStreamState {
    return { pass: this.#pass, position: this.#position };
  }

  /** Goes to a position in the stream. Throws InputError for an invalid one. */
  restore(state: BatchStreamState): void {
    const { pass, position } = state ?? {};
    if (!Number.isInteger(pass) || !Number.isInteger(position) || pass < 0 || position < 0)
      throw new InputError(`batch stream: expected a pass and a position, got ${show([pass, position])}`);
    this.#pass = pass;
    this.#position = position;
    this.#order = this.#orderOf(pass);
  }

  /** The groups of a pass: a random order of all groups for each epoch. */
  #orderOf(pass: number): Int32Array {
    const groups = this.#dataset.groupOffsets.length - 1;
    const random = this.#random.fork('order').fork(pass);
    const order = new Int32Array(groups * this.#epochsPerPass);
    for (let epoch = 0; epoch < this.#epochsPerPass; epoch++) order.set(random.permutation(groups), epoch * groups);
    return order;
  }

  /** All examples of a random puzzle of a group, in random order; originals and copies are equally likely. */
  #draw(group: number, random: Random): { example: Example; id: number }[] {
    const { groupOffsets, puzzleOffsets, ids, augmentation, versions: made } = this.#dataset;
    const firstPuzzle = groupOffsets[group] ?? 0;
    if (made !== undefined) {
      const version = random.integer(made.count(firstPuzzle));
      const examples = made.examples(firstPuzzle, version);
      return Array.from(random.permutation(examples.length), (i) => ({
        example: examples[i]!,
        id: made.id(firstPuzzle, version),
      }));
    }
    const puzzles = (groupOffsets[group + 1] ?? 0) - firstPuzzle;
    const versions = 1 + (augmentation?.copies ?? 0);
    const drawn = random.integer(puzzles * versions);
    const puzzle = firstPuzzle + Math.floor(drawn / versions);
    const version = drawn % versions;
    const first = puzzleOffsets[puzzle] ?? 0;
    const count = (puzzleOffsets[puzzle + 1] ?? 0) - first;
    return Array.from(random.permutation(count), (i) => {
      const original = exampleOf(this.#dataset, first + i);
      const example =
        version === 0 || augmentation === null ? original : augmentedCopy(augmentation, original, puzzle, version);
      return { example, id: ids[puzzle] ?? 0 };
    });
  }
}

/**
 * The number of puzzles to evaluate: the first `puzzles` of a data set, or all. Throws InputError for an impossible
 * number.
 */
export function puzzleCount(dataset: Dataset, puzzles?: number): number {
  checkDataset(dataset);
  const { name, examples, note } = dataset;
  if (examples === 0)
    throw new InputError(`${name}: expected puzzles to evaluate, got none${note === '' ? '' : `. ${note}`}`);
  if (puzzles === undefined) return examples;
  checkCounts({ puzzles });
  return Math.min(puzzles, examples);
}

/** All examples, or the first `limit`, in order, in batches of `batchSize`; the last one may be smaller. */
export function* testBatches(dataset: Dataset, batchSize: number, limit = dataset.examples): Generator<Batch> {
  const end = Math.min(limit, dataset.examples);
  const idOf = new Int32Array(dataset.examples);
  dataset.ids.forEach((id, puzzle) => idOf.fill(id, dataset.puzzleOffsets[puzzle], dataset.puzzleOffsets[puzzle + 1]));
  for (let from = 0; from < end; from += batchSize) {
    const count = Math.min(batchSize, end - from);
    yield toBatch(
      dataset,
      Array.from({ length: count }, (_, i) => ({ example: exampleOf(dataset, from + i), id: idOf[from + i] ?? 0 })),
    );
  }
}

/** Examples, each with the id of its puzzle, as one batch; cells that do not count are labelled so. */
export function toBatch(
  { sequenceLength: L, ignore }: Pick<Dataset, 'sequenceLength' | 'ignore'>,
  examples: readonly { readonly example: Example; readonly id: number }[],
): Batch {
  const tokens = new Int32Array(examples.length * L);
  const labels = new Int32Array(examples.length * L);
  examples.forEach(({ example }, i) => {
    tokens.set(example.input, i * L);
    labels.set(example.label, i * L);
  });
  if (ignore !== null) for (let i = 0; i < labels.length; i++) if (labels[i] === ignore) labels[i] = ignoredLabel;
  return { tokens, labels, puzzleIds: Int32Array.from(examples, ({ id }) => id) };
}
