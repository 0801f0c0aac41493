/** The parts of trm-lab data that obtain puzzles: import, get and build. */
import path from 'node:path';
import {
  checkRatings,
  contentOf,
  fetchable,
  fetchPublished,
  isContentOf,
  placeFile,
  publishedFiles,
  type PuzzleKind,
} from '../data/published.js';
import { writeReferenceFolder } from '../data/reference-format.js';
import { hardDistance } from '../data/maze-generator.js';
import { InputError } from '../errors.js';
import { checkNewFolder } from '../user-file.js';
import { checkTask } from '../experiment/task.js';
import { anyNumber, numberOf, text, unreadWhere, type Arguments, type Option, type Out } from './command.js';
import { notFor } from './data-uses.js';
import { loadShown } from './experiment-options.js';
import { Progress } from '../progress.js';

/** The size of a set is checked with its task. */
const anySize = [0, anyNumber] as const;

export const buildOptions: Readonly<Record<string, Option>> = {
  ...unreadWhere(notFor('build sudoku', 'build maze'), {
    source: {
      value: 'NAME',
      about:
        'build sudoku: generated, public-domain or sudoku-extreme; build maze: generated or maze-hard. ' +
        'Default generated',
    },
    train: { value: 'N', range: anySize, about: 'build sudoku|maze: training puzzles. Default 1000, as in the paper' },
    test: {
      value: 'N',
      range: anySize,
      about: 'build sudoku|maze: test puzzles, 0 for all of a published set. Default 1000',
    },
    'min-difficulty': {
      value: 'N',
      range: anySize,
      about:
        'build sudoku: minimum rating (guesses) of all puzzles but the test puzzles of sudoku-extreme, default any; ' +
        'build maze: minimum steps from S to G, default as hard as Maze-Hard',
    },
  }),
  ...unreadWhere(notFor('build sudoku'), {
    copies: {
      value: 'N',
      range: anySize,
      about: 'build sudoku: augmented copies of each training puzzle. Default 0; the paper has 1000 (650 MB)',
    },
  }),
  ...unreadWhere(notFor('build maze'), {
    dihedral: {
      about: 'build maze: all eight rotations and reflections of each training maze, relabelled by the label rule',
    },
  }),
};

/** Builds a set by its seed and writes it in the reference's form. */
export async function buildPuzzles(kind: PuzzleKind, args: Arguments, out: Out): Promise<number> {
  const folder = text(args, 'out');
  if (folder === undefined) throw new InputError('data build: expected --out FOLDER');
  const whole = (name: string, fallback: number): number => numberOf(args, name) ?? fallback;
  const common = {
    kind,
    source: text(args, 'source') ?? 'generated',
    trainPuzzles: whole('train', 1000),
    testPuzzles: whole('test', 1000),
    validationPuzzles: 0,
    seed: whole('seed', 0),
  };
  const side = numberOf(args, 'side') ?? (kind === 'sudoku' ? 9 : 30);
  const task = checkTask(
    kind === 'sudoku'
      ? { ...common, side, augmentations: whole('copies', 0), minDifficulty: whole('min-difficulty', 0) }
      : {
          ...common,
          side,
          augmentation: args.options['dihedral'] === true ? 'dihedral' : 'none',
          leastDistance: whole('min-difficulty', hardDistance(side)),
        },
  );
  checkNewFolder(folder);
  const { train, test } = await loadShown(task, 'generating');
  const progress = new Progress();
  const built = writeReferenceFolder(
    folder,
    { train, test },
    {
      types: { train: kind === 'sudoku' ? 'int64' : 'uint8' },
      onProgress: (done, total) => progress.update('writing', 'groups', done, total),
    },
  );
  for (const split of ['train', 'test'] as const) {
    const { groups, puzzles, examples } = built[split];
    out.line(
      `${split}: ${groups.toLocaleString('en')} groups, ${puzzles.toLocaleString('en')} puzzles, ` +
        `${examples.toLocaleString('en')} examples`,
    );
  }
  out.line(`sha256 over all files ${built.sha256}`);
  out.result({ task, folder, ...built });
  return 0;
}

/** How to train on unpublished puzzles. */
const ownPuzzles: Readonly<Record<PuzzleKind, string>> = {
  sudoku: 'to train on your own Sudokus, give train --set task.source=file,task.file=FILE (docs/own-data.md)',
  maze: 'to train on your own mazes, give a folder of the Python builders: --set task.kind=folder,task.folder=FOLDER',
};

/**
 * Checks a user's copy of a published file puzzle by puzzle, recognises it by its content, and puts it where the kit
 * reads it.
 */
export async function importFile(kind: PuzzleKind, named: string, out: Out): Promise<number> {
  const file = path.resolve(named);
  const progress = new Progress();
  const content = await contentOf(file, kind, (done) => progress.update('checking', 'puzzles', done, Infinity));
  const published = publishedFiles.find((each) => each.kind === kind && isContentOf(content, each));
  if (published === undefined) {
    throw new InputError(
      `${path.basename(file)}: ${content.puzzles} sound puzzles, but expected the content of one of ${publishedFiles
        .filter((each) => each.kind === kind)
        .map(({ name, puzzles }) => `${name} (${puzzles})`)
        .join(', ')}; ${ownPuzzles[kind]}`,
    );
  }
  checkRatings(path.basename(file), content, published);
  const placed = await placeFile(file, published.name);
  out.line(
    `${path.basename(file)}: ${content.puzzles} sound puzzles, the content of ${published.name}; ` +
      `now in ${path.dirname(placed)}`,
  );
  out.result({ file: path.basename(file), name: published.name, folder: path.dirname(placed), ...content });
  return 0;
}

/** Downloads a published data set from its public home. */
export async function getPublished(set: string, out: Out): Promise<number> {
  const files = Object.hasOwn(fetchable, set) ? fetchable[set] : undefined;
  if (files === undefined)
    throw new InputError(`data get: expected ${Object.keys(fetchable).join(' or ')}, got ${set}`);
  const progress = new Progress();
  const placed: string[] = [];
  for (const file of files) {
    placed.push(
      await fetchPublished(
        file,
        (what, done, total) =>
          progress.update(`${what === 'bytes' ? 'fetching' : 'checking'} ${file.name}`, what, done, total),
        (from, to) => out.note(`${from} redirects to ${to}`),
      ),
    );
    out.line(
      `${file.name}: ${file.puzzles.toLocaleString('en')} sound ` +
        `puzzles${file.sha256 === undefined ? '' : ', content as expected'}`,
    );
  }
  out.result({ set, files: placed });
  return 0;
}
