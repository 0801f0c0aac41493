/**
 * Augmented versions of ARC tasks: distinct, drawn once, each with its own puzzle id, and laid on the canvas on demand.
 */
import { hash } from 'node:crypto';
import type { Random } from '../random.js';
import {
  augmentGrid,
  drawAugmentation,
  layPair,
  noAugmentation,
  type ArcAugmentation,
  type ArcPair,
  type ArcTask,
} from './arc.js';
import { turnGrid } from './grid.js';
import type { PuzzleVersions } from './dataset.js';
import type { Example } from './example.js';

/** Drawing a task's versions stops after this many trials for each version wanted (spec §5.5). */
const trialsPerVersion = 5;
/** Bytes of one version: its orientation, and what the colours 1 … 9 become. */
const packed = 10;

/**
 * The versions of tasks, drawn when a task is first asked for. A task has up to `augmentations` of them, all different
 * from the original and from one another; it has fewer if its colours are few or its grids symmetric. They depend on
 * the task and the seed only.
 */
export class ArcDraws {
  readonly augmentations: number;
  readonly #random: Random;
  readonly #drawn = new Map<string, Uint8Array>();

  constructor(augmentations: number, random: Random) {
    this.augmentations = augmentations;
    this.#random = random;
  }

  /** Versions of a task, the original included. */
  count(task: ArcTask): number {
    return 1 + this.#of(task).length / packed;
  }

  /** The augmentation that makes version 0 (the original), 1, … of a task. */
  augmentation(task: ArcTask, version: number): ArcAugmentation {
    if (version === 0) return noAugmentation;
    const bytes = this.#of(task).subarray((version - 1) * packed, version * packed);
    const [dihedral] = bytes;
    if (dihedral === undefined)
      throw new RangeError(`version: expected 0 to ${this.count(task) - 1} of task ${task.id}, got ${version}`);
    const colours = bytes.slice();
    colours[0] = 0;
    return { dihedral, colours };
  }

  #of(task: ArcTask): Uint8Array {
    const known = this.#drawn.get(task.id);
    if (known !== undefined) return known;
    const drawn = drawVersions(task, this.augmentations, this.#random.fork(task.id));
    this.#drawn.set(task.id, drawn);
    return drawn;
  }
}

/** Distinct versions of a task, packed. */
function drawVersions(task: ArcTask, wanted: number, random: Random): Uint8Array {
  const hashed = taskHasher(task);
  const seen = new Set([hashed(noAugmentation)]);
  const versions = new Uint8Array(wanted * packed);
  let found = 0;
  for (let trial = 0; found < wanted && trial < trialsPerVersion * wanted; trial++) {
    const augmentation = drawAugmentation(random);
    const key = hashed(augmentation);
    if (seen.has(key)) continue;
    seen.add(key);
    versions.set(augmentation.colours, found * packed);
    versions[found * packed] = augmentation.dihedral;
    found++;
  }
  return versions.slice(0, found * packed);
}

/**
 * Gives the key of a task's version: the sorted SHA-256 of all its pairs, test pairs included. Two versions have the
 * same key exactly when they have the same pairs in any order.
 */
function taskHasher({ train, test }: ArcTask): (augmentation: ArcAugmentation) => string {
  const pairs = [...train, ...test];
  // The eight orientations of every pair, turned once: sizes of input and output, then their cells.
  const turned = Array.from({ length: 8 }, (_, dihedral) =>
    pairs.map(({ input, output }) => {
      const [a, b] = [turnGrid(input, dihedral), turnGrid(output, dihedral)];
      return Uint8Array.of(a.rows, a.columns, b.rows, b.columns, ...a.cells, ...b.cells);
    }),
  );
  const scratch = new Uint8Array(Math.max(...turned[0]!.map(({ length }) => length)));
  return ({ dihedral, colours }) =>
    turned[dihedral]!.map((bytes) => {
      for (let i = 0; i < bytes.length; i++) scratch[i] = i < 4 ? bytes[i]! : colours[bytes[i]!]!;
      return hash('sha256', scratch.subarray(0, bytes.length), 'binary');
    })
      .sort()
      .join('');
}

/** One puzzle of a split: a task, its index among all tasks of the set, and its pairs in this split. */
export interface ArcEntry {
  readonly task: ArcTask;
  readonly index: number;
  readonly pairs: readonly ArcPair[];
}

/** The versions of a split's puzzles. Task i's version v has puzzle id 1 + i·(1 + augmentations) + v in every split. */
export class ArcVersions implements PuzzleVersions {
  readonly entries: readonly ArcEntry[];
  readonly canvas: number;
  readonly #draws: ArcDraws;
  readonly #offsets: Random | null;

  /** `offsets` draws where pairs lie on the canvas, except for one pair of each version; null: all lie at (0, 0). */
  constructor(entries: readonly ArcEntry[], canvas: number, draws: ArcDraws, offsets: Random | null) {
    this.entries = entries;
    this.canvas = canvas;
    this.#draws = draws;
    this.#offsets = offsets;
  }

  count(puzzle: number): number {
    return this.#draws.count(this.#entry(puzzle).task);
  }

  id(puzzle: number, version: number): number {
    return 1 + this.#entry(puzzle).index * (1 + this.#draws.augmentations) + version;
  }

  augmentation(puzzle: number, version: number): ArcAugmentation {
    return this.#draws.augmentation(this.#entry(puzzle).task, version);
  }

  examples(puzzle: number, version: number): Example[] {
    const { task, pairs } = this.#entry(puzzle);
    const augmentation = this.augmentation(puzzle, version);
    const augmented = pairs.map(({ input, output }) => ({
      input: augmentGrid(input, augmentation),
      output: augmentGrid(output, augmentation),
    }));
    if (this.#offsets === null) return augmented.map((pair) => layPair(pair, this.canvas));
    const random = this.#offsets.fork(task.id).fork(version);
    const fixed = random.integer(pairs.length); // one pair always lies at (0, 0), as test pairs do
    return augmented.map((pair, i) => {
      const row = random.integer(this.canvas - Math.max(pair.input.rows, pair.output.rows) + 1);
      const column = random.integer(this.canvas - Math.max(pair.input.columns, pair.output.columns) + 1);
      return i === fixed ? layPair(pair, this.canvas) : layPair(pair, this.canvas, row, column);
    });
  }

  #entry(puzzle: number): ArcEntry {
    const entry = this.entries[puzzle];
    if (entry === undefined) throw new RangeError(`puzzle: expected 0 to ${this.entries.length - 1}, got ${puzzle}`);
    return entry;
  }
}
