/** A task as plain data: for each kind, its checks, its data sets, and the model sizes it determines. */
import { arcDataset, arcFiles, arcPuzzleIds, defaultSubsets, type ArcSetOptions } from '../data/arc-sets.js';
import { arcTokens, longestSide } from '../data/arc.js';
import { emptyLike, withHash, type Dataset } from '../data/dataset.js';
import { mazeDataset, type MazeSetOptions } from '../data/maze-sets.js';
import { mazeVocabulary } from '../data/maze.js';
import { readReferenceFolder, referenceShape } from '../data/reference-format.js';
import type { Split, Splits } from '../data/splits.js';
import { sudokuDataset, type SudokuSetOptions } from '../data/sudoku-sets.js';
import { InputError, show, StoppedError } from '../errors.js';
import {
  anyObject,
  callback,
  checkFields,
  checkValue,
  oneOf,
  optional,
  pathText,
  stopAsked,
  whole,
  type Fields,
} from '../fields.js';
import type { ModelConfig } from '../model/config.js';
import { hashOf } from './sealed.js';

/** Sudoku: which boards, how many, and how many augmented copies of each training puzzle. */
export interface SudokuTask extends SudokuSetOptions {
  readonly kind: 'sudoku';
}

/** ARC: which tasks, on what canvas, and in how many versions each. */
export interface ArcTaskOptions extends ArcSetOptions {
  readonly kind: 'arc';
}

/** Mazes: how large, how far from start to goal, how many, and whether training turns and mirrors them. */
export interface MazeTask extends MazeSetOptions {
  readonly kind: 'maze';
}

/**
 * A data set on disk in the reference's form (lib/data/reference-format.ts), as its Python builders or `trm-lab data
 * build` leave it.
 */
export interface FolderTask {
  readonly kind: 'folder';
  /** Its path, or its name in a data folder; with a name, records are the same on every machine. */
  readonly folder: string;
}

export type Task = SudokuTask | ArcTaskOptions | MazeTask | FolderTask;

/** The data sets of a task. */
export type TaskData = Splits<Dataset>;

/** For data that loadTask loaded: the hash of its task, and that of its boards. */
const origins = new WeakMap<TaskData, { readonly task: string; readonly content: string }>();

const contentOf = (data: TaskData): string =>
  hashOf(Object.entries(data).map(([split, set]) => [split, set.sha256, withHash(set).sha256]));

/** Everything that differs between kinds of tasks. */
interface Kind<Options extends Task> {
  /** Allowed values of each field but the kind. */
  readonly fields: Fields<Omit<Options, 'kind'>>;
  /** Contradictions between fields that are each valid. */
  contradictions(task: Options): string[];
  /** `onProgress` is told of puzzles that take long to generate. */
  load(task: Options, onProgress?: (done: number, total: number) => void): Promise<TaskData>;
  shape(task: Options): Pick<ModelConfig, 'vocabSize' | 'sequenceLength' | 'puzzleIds'>;
  /** The field that gives a split its puzzles; absent if none does. */
  readonly fieldOf: Partial<Record<Split, string>>;
  /** About how many puzzles the task asks for in a split; 0 if the data alone decides. */
  asked(task: Options, split: Split): number;
}

/** More than any published set has, and no more than memory holds. */
const mostPuzzles = 4_000_000;

/** The fields of Sudokus and mazes that give each split its puzzles. */
const puzzleFields = { train: 'trainPuzzles', test: 'testPuzzles', validation: 'validationPuzzles' } as const;

/** A file must be named if the puzzles come from one, and only then: else nothing would read it. */
const fileAsAsked = (where: string, isAsked: boolean, file: string | undefined): string[] => {
  if (isAsked === (file !== undefined)) return [];
  return [
    `${where}: expected ${isAsked ? 'a file' : 'no file'}, got ${show(file)}; ` +
      `${isAsked ? 'name it in task.file' : 'task.file is read with source or set file alone'}`,
  ];
};

const kinds: { readonly [Name in Task['kind']]: Kind<Extract<Task, { kind: Name }>> } = {
  sudoku: {
    fields: {
      side: oneOf(4, 6, 9),
      source: oneOf('generated', 'public-domain', 'sudoku-extreme', 'file'),
      file: optional(pathText),
      trainPuzzles: whole(1, mostPuzzles),
      testPuzzles: whole(0, mostPuzzles),
      validationPuzzles: whole(0, mostPuzzles),
      augmentations: whole(0, mostPuzzles),
      minDifficulty: whole(0),
      seed: whole(0),
    },
    contradictions: ({ source, side, file }) => [
      ...(source !== 'generated' && source !== 'file' && side !== 9
        ? [`source ${source}: expected side 9, got ${side}`]
        : []),
      ...fileAsAsked(`source ${source}`, source === 'file', file),
    ],
    load: sudokuDataset,
    shape: ({ side }) => ({ vocabSize: side + 2, sequenceLength: side ** 2, puzzleIds: 1 }),
    fieldOf: puzzleFields,
    asked: (task, split) => task[puzzleFields[split]] || (split === 'test' ? 422_786 : 0), // Sudoku-Extreme's
  },
  maze: {
    fields: {
      side: whole(6, 30),
      source: oneOf('generated', 'maze-hard'),
      leastDistance: whole(1, 30 ** 2),
      trainPuzzles: whole(1, mostPuzzles),
      testPuzzles: whole(0, mostPuzzles),
      validationPuzzles: whole(0, mostPuzzles),
      augmentation: oneOf('none', 'dihedral'),
      seed: whole(0),
    },
    contradictions: ({ source, side }) =>
      source === 'maze-hard' && side !== 30 ? [`source maze-hard: expected side 30, got ${side}`] : [],
    load: mazeDataset,
    shape: ({ side }) => ({ vocabSize: mazeVocabulary, sequenceLength: side ** 2, puzzleIds: 1 }),
    fieldOf: puzzleFields,
    asked: (task, split) => task[puzzleFields[split]] || (split === 'test' ? 1000 : 0), // Maze-Hard's
  },
  folder: {
    fields: { folder: pathText },
    contradictions: () => [],
    load: ({ folder }) =>
      Promise.resolve().then(() => {
        const { train, test } = readReferenceFolder(folder);
        // The format has no validation set.
        const validation = { ...emptyLike(test), name: test.name.replace(/test$/, 'validation') };
        return { train, test, validation };
      }),
    shape: ({ folder }) => referenceShape(folder),
    fieldOf: {},
    asked: () => 0,
  },
  arc: {
    fields: {
      set: oneOf('arc1', 'arc2', 'file'),
      file: optional(pathText),
      canvas: whole(1, longestSide),
      augmentations: whole(0, 2000),
      seed: whole(0),
      subsets: optional((value) =>
        Array.isArray(value) && value.length > 0 && new Set(value).size === value.length
          ? undefined
          : 'a list of parts, each once',
      ),
      testSubset: optional((value) => (typeof value === 'string' ? undefined : 'the name of a part')),
      maxTasks: optional(whole(0)),
      validationTasks: optional(whole(0)),
    },
    contradictions: (task) => {
      const { set, file, subsets = defaultSubsets, testSubset = 'evaluation' } = task;
      const problems = fileAsAsked(`set ${set}`, set === 'file', file);
      if (set === 'file')
        return 'subsets' in task || 'testSubset' in task
          ? [...problems, 'subsets, testSubset: expected none with set file, all of whose tasks are taken and tested']
          : problems;
      const parts = Object.keys(arcFiles[set]).join(', ');
      return [
        ...problems,
        ...subsets
          .filter((subset) => !Object.hasOwn(arcFiles[set], subset))
          .map((subset) => `subsets: expected parts of ${set}, which are ${parts}, got ${show(subset)}`),
        ...(subsets.includes(testSubset)
          ? []
          : [`testSubset: expected one of the subsets ${subsets.join(', ')}, got ${testSubset}`]),
        ...(subsets.includes('evaluation') && subsets.includes('evaluation-official')
          ? ['subsets: expected evaluation or evaluation-official, got both, which are the same tasks']
          : []),
      ];
    },
    load: (task) => Promise.resolve().then(() => arcDataset(task)),
    shape: (task) => ({
      vocabSize: arcTokens.vocabSize,
      sequenceLength: task.canvas ** 2,
      puzzleIds: arcPuzzleIds(task),
    }),
    fieldOf: { validation: 'validationTasks' },
    asked: (task, split) => {
      const { set, maxTasks = 0, testSubset = 'evaluation', validationTasks = 0 } = task;
      // Puzzles are tasks, but in training their pairs, about four of each task.
      if (split === 'train') return (4 * (arcPuzzleIds(task) - 1)) / (1 + task.augmentations);
      if (split === 'validation') return validationTasks;
      if (set === 'file') return maxTasks === 0 ? 0 : Math.max(0, maxTasks - validationTasks);
      return (maxTasks === 0 ? (arcFiles[set][testSubset]?.tasks ?? 0) : maxTasks) - validationTasks;
    },
  },
};

/**
 * Loads or generates a task's data sets. Throws InputError as checkTask, and if a file is missing or damaged;
 * StoppedError if `shouldStop`, asked before each call of `onProgress`, returns true.
 */
export async function loadTask(
  task: Task,
  onProgress?: (done: number, total: number) => void,
  shouldStop?: () => boolean,
): Promise<TaskData> {
  for (const [name, given] of Object.entries({ onProgress, shouldStop })) checkValue(name, given, optional(callback));
  const data = await kindOf(checkTask(task)).load(task, (done, total) => {
    if (stopAsked(shouldStop)) throw new StoppedError('stopped while its puzzles were prepared; nothing was begun');
    onProgress?.(done, total);
  });
  origins.set(data, { task: hashOf(task), content: contentOf(data) });
  return data;
}

/** Throws InputError unless loadTask made the data of this task: a record would name other puzzles than its run had. */
export function checkOrigin(data: TaskData, task: Task): void {
  const origin = origins.get(data);
  if (origin?.task === hashOf(task) && origin.content === contentOf(data)) return;
  const got =
    origin === undefined ? 'other data' : origin.task === hashOf(task) ? 'that, changed since' : 'that of another task';
  throw new InputError(
    `data: expected what loadTask gives for the experiment's own task, got ${got}; leave it out, or load it with ` +
      'loadTask',
  );
}

/** The fields of a model that a task determines. */
export function taskShape(task: Task): Pick<ModelConfig, 'vocabSize' | 'sequenceLength' | 'puzzleIds'> {
  return kindOf(task).shape(task);
}

/** Whether only a file that the task names tells its shape. */
export function shapeIsInFile(task: Task): boolean {
  return task.kind === 'folder' || (task.kind === 'arc' && task.set === 'file');
}

/**
 * About how many puzzles a task asks for in a split, before its data is read; 0 for none, or if only the data can tell
 * (a folder).
 */
export function puzzlesAskedFor(task: Task, split: Split): number {
  return kindOf(task).asked(task, split);
}

/** For an error about a split without puzzles, before another remedy: "set task.testPuzzles, or "; '' if none can. */
export function settingFor(task: Task, split: Split): string {
  const field = kindOf(task).fieldOf[split];
  return field === undefined ? '' : `set task.${field}, or `;
}

/** The kinds of tasks, each with the allowed values of its fields. */
export const taskFields: Readonly<Record<Task['kind'], Fields>> = {
  sudoku: kinds.sudoku.fields,
  maze: kinds.maze.fields,
  arc: kinds.arc.fields,
  folder: kinds.folder.fields,
};

/** Checks a task from any source. Throws InputError naming every unknown, missing or impossible field. */
export function checkTask(candidate: Readonly<Record<string, unknown>> | Task): Task {
  checkValue('task', candidate, anyObject);
  const { kind: name } = candidate;
  if (typeof name !== 'string' || !Object.hasOwn(kinds, name))
    throw new InputError(`task: kind: expected ${Object.keys(kinds).join(', ')}, got ${show(name)}`);
  const { fields, contradictions } = kindOf(candidate as Task);
  return checkFields('task', candidate, { kind: oneOf(name), ...fields } as Fields<Task>, contradictions);
}

/**
 * A task with other values. A base of another kind contributes nothing. With another source or set, the base's file is
 * dropped; if the new set is a file, so are its subsets.
 */
export function changeTask(base: Task, changes: Readonly<Record<string, unknown>>): Task {
  if (changes['kind'] !== undefined && changes['kind'] !== base.kind) return checkTask({ ...changes });
  const kept: Record<string, unknown> = { ...base };
  const changesTo = (field: string): unknown =>
    changes[field] === undefined || changes[field] === kept[field] ? undefined : changes[field];
  if (changesTo('source') !== undefined || changesTo('set') !== undefined) delete kept['file'];
  if (changesTo('set') === 'file') for (const part of ['subsets', 'testSubset']) delete kept[part];
  return checkTask({ ...kept, ...changes });
}

/** Says once what the compiler cannot see: a task's kind selects the functions made for it. */
function kindOf(task: Task): Kind<Task> {
  return kinds[task.kind] as unknown as Kind<Task>;
}
