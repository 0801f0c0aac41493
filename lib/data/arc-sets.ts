/** ARC data sets: their tasks, which pairs are for training and which for testing, and their puzzle ids. */
import { InputError, reasonOf } from '../errors.js';
import path from 'node:path';
import { dataFile, userFile } from '../files.js';
import { Random } from '../random.js';
import { arcTokens, layPair, longestSide, type ArcTask } from './arc.js';
import { readArcTasks } from './arc-json.js';
import { ArcDraws, ArcVersions, type ArcEntry } from './arc-versions.js';
import { withHash, type Dataset } from './dataset.js';
import { eachSplit, type Split, type Splits } from './splits.js';
import { plural } from '../words.js';

/** The parts an ARC set is made of. */
export type ArcSubset = 'training' | 'evaluation' | 'evaluation-official' | 'concept';

/** Files of each set's parts under data/arc, with their number of tasks. The paper evaluates on `evaluation`. */
export const arcFiles: Readonly<
  Record<'arc1' | 'arc2', Readonly<Partial<Record<ArcSubset, { readonly file: string; readonly tasks: number }>>>>
> = {
  arc1: {
    training: { file: 'arc1_training.json.gz', tasks: 400 },
    evaluation: { file: 'arc1_evaluation.json.gz', tasks: 400 },
    concept: { file: 'conceptarc.json.gz', tasks: 160 },
  },
  arc2: {
    training: { file: 'arc2_training.json.gz', tasks: 1000 },
    evaluation: { file: 'arc2_evaluation_kaggle_trm.json.gz', tasks: 120 },
    'evaluation-official': { file: 'arc2_evaluation_official.json.gz', tasks: 120 },
    concept: { file: 'conceptarc.json.gz', tasks: 160 },
  },
};

/** The choice of ARC data sets, as plain data. */
export interface ArcSetOptions {
  /**
   * ARC-AGI-1 or -2; never both, because most evaluation tasks of the first are training tasks of the second. Or
   * `file`: your own tasks, whose demonstrations are the training set and whose test pairs are the test set.
   */
  readonly set: 'arc1' | 'arc2' | 'file';
  /**
   * For set `file`: the path of a file or folder in any form that arc-json.ts reads, or its name in a data folder.
   */
  readonly file?: string;
  /** Side of the canvas, 1 to 30; tasks with a grid that does not fit are left out. Paper: 30. */
  readonly canvas: number;
  /** The parts to use, in this order. Default: training, evaluation, concept, as in the paper. */
  readonly subsets?: readonly ArcSubset[];
  /** The part whose test pairs are the test set; those of all other parts are training pairs. Default: evaluation. */
  readonly testSubset?: ArcSubset;
  /** Use only this many tasks of each part: those with the fewest cells. 0 or absent: all. */
  readonly maxTasks?: number;
  /**
   * This many of the tasks whose test pairs would be the test set, drawn by the seed, are for validation instead.
   * Default 0.
   */
  readonly validationTasks?: number;
  /** Versions of each task besides the original, if it has that many. Paper: 1,000. */
  readonly augmentations: number;
  /** Seed for versions, offsets and validation tasks. */
  readonly seed: number;
}

/** An ARC data set: its puzzles are tasks, and its versions know their augmentations. */
export interface ArcDataset extends Dataset {
  readonly versions: ArcVersions;
}

/** Whether a data set is one of ARC tasks. */
export function isArcDataset(dataset: Dataset): dataset is ArcDataset {
  return dataset.versions instanceof ArcVersions;
}

/** The parts of a set by default. */
export const defaultSubsets: readonly ArcSubset[] = ['training', 'evaluation', 'concept'];

/** The tasks of a set, in the order of their puzzle ids, with the split that each one's test pairs go to. */
export function arcTasks(options: ArcSetOptions): { readonly task: ArcTask; readonly testsFor: Split }[] {
  const { set, canvas, testSubset = 'evaluation', maxTasks = 0, validationTasks = 0, seed } = options;
  const taken = partsOf(options).flatMap(({ file, subset }) => {
    const fitting = readArcTasks(file).filter((task) => largestSide(task) <= canvas);
    const smallest = new Set(
      [...fitting]
        .sort((a, b) => cellsOf(a) - cellsOf(b) || (a.id < b.id ? -1 : 1))
        .slice(0, maxTasks === 0 ? undefined : maxTasks),
    );
    return fitting
      .filter((task) => smallest.has(task))
      .map((task) => ({ task, scored: (set === 'file' || subset === testSubset) && task.test.length > 0 }));
  });
  const scored = taken.filter((each) => each.scored).map(({ task }) => task.id);
  if (scored.length === 0)
    throw new InputError(`ARC: expected at least one task with test pairs that fits ${canvas}×${canvas}, got none`);
  if (validationTasks > 0 && validationTasks >= scored.length)
    throw new InputError(
      `ARC: expected fewer than ${scored.length} validation tasks, ` +
        `the tasks of ${set === 'file' ? 'the file' : testSubset} that fit, got ${validationTasks}`,
    );
  const validation = new Set(new Random(seed).fork('arc validation').shuffle(scored).slice(0, validationTasks));
  return taken.map(({ task, scored: isScored }) => ({
    task,
    testsFor: !isScored ? 'train' : validation.has(task.id) ? 'validation' : 'test',
  }));
}

/** The files of a set, in the order of their tasks. */
function partsOf({ set, file = '', subsets = defaultSubsets }: ArcSetOptions): {
  readonly file: string;
  readonly subset?: ArcSubset;
}[] {
  if (set === 'file') return [{ file: userFile(file) }];
  return subsets.map((subset) => {
    const source = arcFiles[set][subset];
    if (source === undefined)
      throw new InputError(
        `ARC: expected parts of ${set} among ${Object.keys(arcFiles[set]).join(', ')}, got ${subset}`,
      );
    return { file: dataFile(`arc/${source.file}`), subset };
  });
}

/**
 * Rows of the puzzle table for a set, the blank id included: an upper bound, known without reading the published
 * files.
 */
export function arcPuzzleIds(options: ArcSetOptions): number {
  const { set, file = '', subsets = defaultSubsets, maxTasks = 0, augmentations } = options;
  const counts =
    set === 'file' ? [readArcTasks(userFile(file)).length] : subsets.map((subset) => arcFiles[set][subset]?.tasks ?? 0);
  const tasks = counts.reduce((sum, most) => sum + (maxTasks === 0 ? most : Math.min(most, maxTasks)), 0);
  return 1 + tasks * (1 + augmentations);
}

/**
 * Train, test and validation sets. The training set has the demonstration pairs of every task, at random offsets.
 * Test pairs go to the split `testsFor`: for training likewise, else at offset (0, 0). A task has the same ids in every
 * split. Memory holds the original pairs and ten bytes a version; versions are made when a batch or a vote needs them.
 */
export function arcDataset(options: ArcSetOptions): Splits<ArcDataset> {
  const { set, file = '', canvas, augmentations, maxTasks = 0, seed } = options;
  const of = set === 'file' ? ` ${path.basename(file)}` : `-AGI-${set === 'arc1' ? 1 : 2}`;
  const tasks = arcTasks(options);
  const leftOut = tooLargeNote(options);
  const random = new Random(seed).fork('arc');
  const draws = new ArcDraws(augmentations, random.fork('versions'));
  return eachSplit((name) => {
    const entries = tasks.flatMap(({ task, testsFor }, index): ArcEntry[] => {
      const pairs =
        name === 'train'
          ? [...task.train, ...(testsFor === 'train' ? task.test : [])]
          : testsFor === name
            ? task.test
            : [];
      return pairs.length === 0 ? [] : [{ task, index, pairs }];
    });
    const versions = new ArcVersions(entries, canvas, draws, name === 'train' ? random.fork('offsets') : null);
    return originals(entries, versions, {
      name:
        `ARC${of} ${name}${canvas === longestSide ? '' : ` within ${canvas}×${canvas}`}` +
        `${maxTasks === 0 ? '' : `, ${entries.length} small tasks`}`,
      note: [noteOnArc(options), leftOut].filter((each) => each !== '').join(' '),
      puzzleIds: arcPuzzleIds(options),
      draw: `versions ${augmentations} seed ${seed}\n`,
    });
  });
}

/** The note that belongs to every result on less than all tasks; '' for all tasks. */
export function noteOnArc({ canvas, maxTasks = 0, testSubset }: ArcSetOptions): string {
  if (canvas === longestSide && maxTasks === 0) return '';
  const smallest = maxTasks === 0 ? '' : `, the ${maxTasks} smallest of each part`;
  const part = testSubset === 'training' ? "ARC's public training tasks" : 'ARC tasks';
  return (
    `Only ${part} whose grids all fit ${canvas}×${canvas}${smallest}: ` +
    'easier than ARC as a whole, so not comparable with published numbers.'
  );
}

/** Which tasks of a file are larger than the canvas; '' for none, and for published sets. */
function tooLargeNote({ set, file = '', canvas }: ArcSetOptions): string {
  if (set !== 'file') return '';
  const tasks = readArcTasks(userFile(file));
  const large = tasks.filter((task) => largestSide(task) > canvas).map(({ id }) => reasonOf(id.slice(0, 40)));
  if (large.length === 0) return '';
  const named = large.slice(0, 5).join(', ') + (large.length > 5 ? ' and others' : '');
  return `Left out as too large: ${large.length} of the file's ${plural(tasks.length, 'task')} (${named}).`;
}

/** A split's original pairs at offset (0, 0) as a data set; each task is one puzzle and one group. */
function originals(
  entries: readonly ArcEntry[],
  versions: ArcVersions,
  about: { readonly name: string; readonly note: string; readonly puzzleIds: number; readonly draw: string },
): ArcDataset {
  const side = versions.canvas;
  const examples = entries.flatMap(({ pairs }) => pairs.map((pair) => layPair(pair, side)));
  const inputs = new Uint8Array(examples.length * side ** 2);
  const labels = new Uint8Array(examples.length * side ** 2);
  examples.forEach(({ input, label }, i) => {
    inputs.set(input, i * side ** 2);
    labels.set(label, i * side ** 2);
  });
  let first = 0;
  const { draw, ...rest } = about;
  return withHash(
    {
      ...rest,
      width: side,
      height: side,
      vocabSize: arcTokens.vocabSize,
      sequenceLength: side ** 2,
      examples: examples.length,
      inputs,
      labels,
      ignore: arcTokens.pad,
      puzzleOffsets: Int32Array.of(0, ...entries.map(({ pairs }) => (first += pairs.length))),
      groupOffsets: Int32Array.from({ length: entries.length + 1 }, (_, i) => i),
      ids: Int32Array.from(entries, (_, puzzle) => versions.id(puzzle, 0)),
      ratings: null,
      augmentation: null,
      versions,
    },
    draw,
  );
}

/** The longest side of a task's grids. */
export function largestSide({ train, test }: ArcTask): number {
  return Math.max(
    ...[...train, ...test].flatMap(({ input, output }) => [input.rows, input.columns, output.rows, output.columns]),
  );
}

function cellsOf({ train, test }: ArcTask): number {
  return [...train, ...test].reduce((sum, { input, output }) => sum + input.cells.length + output.cells.length, 0);
}
