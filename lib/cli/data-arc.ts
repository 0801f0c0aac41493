/**
 * The parts of trm-lab data that are for ARC: build a set in the reference's format, check a file of tasks,
 * show a set's splits.
 */
import path from 'node:path';
import type { ArcPair } from '../data/arc.js';
import { readArcTasks } from '../data/arc-json.js';
import { arcOverlap, repeatedTasks, samePairs } from '../data/arc-overlap.js';
import { buildArc } from '../data/arc-build.js';
import { isArcDataset, largestSide, type ArcDataset } from '../data/arc-sets.js';
import { InputError } from '../errors.js';
import { checkTask, type TaskData } from '../experiment/task.js';
import { numberOf, seedOf, seedOption, text, unreadWhere, type Arguments, type Option, type Out } from './command.js';
import { notFor } from './data-uses.js';
import { Progress } from '../progress.js';

export const arcBuildOptions: Readonly<Record<string, Option>> = {
  ...unreadWhere(notFor('build arc1', 'build arc2'), {
    augmentations: {
      value: 'N',
      range: [0, 2000],
      about:
        'build arc1|arc2: versions of each task besides the original. Default 1000, as in the paper: ' +
        'arc1 takes 7 GB on disk, half a gigabyte of memory and two and a half minutes; arc2 takes 10 GB',
    },
    canvas: {
      value: 'N',
      range: [1, 30],
      about: 'build arc1|arc2: side of the canvas; tasks that do not fit are left out. Default 30',
    },
  }),
  ...unreadWhere(notFor('build sudoku', 'build maze', 'build arc1', 'build arc2'), {
    out: { value: 'FOLDER', about: 'build: where the data set goes; a new or empty folder' },
    seed: seedOption('build: seed of the drawn puzzles, the versions and their offsets'),
  }),
};

/** Builds ARC-AGI-1 or -2 with ConceptARC, all versions and offsets, as the reference's builder does. */
export function buildArcSet(set: 'arc1' | 'arc2', args: Arguments, out: Out): number {
  const folder = text(args, 'out');
  if (folder === undefined) throw new InputError('data build: expected --out FOLDER');
  const task = checkTask({
    kind: 'arc',
    set,
    canvas: numberOf(args, 'canvas') ?? 30,
    augmentations: numberOf(args, 'augmentations') ?? 1000,
    seed: seedOf(args),
  });
  if (task.kind !== 'arc') throw new Error('an ARC task is one');
  const progress = new Progress();
  const built = buildArc(task, folder, ({ stage, done, total }) =>
    progress.update(stage, stage === 'drawing versions' ? 'tasks' : 'puzzles', done, total),
  );
  for (const split of ['train', 'test'] as const) {
    const { groups, puzzles, examples } = built[split];
    out.line(
      `${split}: ${groups.toLocaleString('en')} groups, ${puzzles.toLocaleString('en')} puzzles, ` +
        `${examples.toLocaleString('en')} examples, ${(examples / puzzles).toFixed(4)} a puzzle`,
    );
  }
  out.line(
    `${built.ids.toLocaleString('en')} puzzle ids, the blank one included; ${built.full} tasks have all their versions`,
  );
  out.line(
    `peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB; sha256 over all files ${built.sha256}`,
  );
  out.result({ set, folder, ...built, peakMemory: process.resourceUsage().maxRSS * 1024 });
  return 0;
}

/** Every task must be whole: pairs, grids of 1 to 30 rows and columns, colours 0 to 9. */
export function checkArc(file: string, out: Out): number {
  const name = path.basename(file);
  const tasks = readArcTasks(file);
  const pairs = {
    train: tasks.reduce((sum, { train }) => sum + train.length, 0),
    test: tasks.reduce((sum, { test }) => sum + test.length, 0),
  };
  const sides = tasks.map(largestSide);
  const within10 = sides.filter((side) => side <= 10).length;
  const shown = tasks.filter(({ train, test }) => samePairs(train, test) > 0).length;
  const result = {
    file: name,
    tasks: tasks.length,
    ...pairs,
    largestSide: Math.max(...sides),
    within10,
    repeated: repeatedTasks(tasks),
    testPairsShown: shown,
  };
  out.line(
    `${name}: ${tasks.length} tasks, ${pairs.train} demonstration and ${pairs.test} test pairs, every grid sound; ` +
      `largest side ${result.largestSide}, ${within10} tasks fit 10×10`,
  );
  out.line(`${result.repeated} tasks repeat another, ${shown} have a test pair among their demonstrations`);
  out.result(result);
  return 0;
}

/** "set ARC train · tasks 400 · …": a row in a line of text. */
export function rowText(row: Readonly<Record<string, string | number>>): string {
  return Object.entries(row)
    .map(([key, value]) => `${key} ${value}`)
    .join(' · ');
}

/** Splits of an ARC task and what they share. */
export function showArc({ train, test, validation }: TaskData, out: Out): number {
  const sets = [train, test, validation].filter(isArcDataset).filter(({ examples }) => examples > 0);
  const [first] = sets;
  if (first === undefined) throw new Error('an ARC task has a training set');
  const summaries = sets.map(({ name, versions, examples, puzzleIds, sha256 }) => ({
    set: name,
    tasks: versions.entries.length,
    pairs: examples,
    puzzleIds,
    sha256: sha256.slice(0, 12),
  }));
  const pairsOf = ({ versions }: ArcDataset): ArcPair[] => versions.entries.flatMap(({ pairs }) => pairs);
  const overlaps = sets.slice(1).map((set) => ({ set: set.name, ...arcOverlap(pairsOf(first), pairsOf(set)) }));
  for (const summary of summaries) out.line(rowText(summary));
  for (const { set, pairs, same, equivalent } of overlaps)
    out.line(
      `${set}: of ${pairs} pairs, ${same} are among the training pairs as they are, ` +
        `${equivalent} in some orientation or colouring`,
    );
  if (first.note !== '') out.line(first.note);
  out.result({ sets: summaries, overlaps });
  return 0;
}
