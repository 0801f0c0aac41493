/** The part of trm-lab evaluate that chooses the puzzles to score a checkpoint on. */
import type { Dataset } from '../data/dataset.js';
import { kindOfFile, loadPuzzleFile } from '../data/puzzle-file.js';
import { checkAnswer, hasSeveralSolutions } from '../data/set-check.js';
import { hasExtreme } from '../data/sudoku-sets.js';
import { InputError, reasonOf } from '../errors.js';
import { experiments } from '../experiment/experiments.js';
import type { OpenModel } from '../experiment/open.js';
import { changeTask, checkTask, type Task } from '../experiment/task.js';
import { kitCommand, userFile } from '../files.js';
import type { ModelConfig } from '../model/config.js';
import { Progress } from '../progress.js';
import { choice, text, type Arguments } from './command.js';
import { loadShown, readChanges, readExperiment } from './experiment-options.js';

/** The puzzles to score, and a phrase on what chose them. */
export interface ChosenData {
  readonly dataset: Dataset;
  readonly chosenBy: string;
  /** The task of which they are a split, and its training puzzles; absent for a file of puzzles. */
  readonly from?: { readonly task: Task; readonly train: Dataset };
}

/** A task to score, and a phrase on what chose it. */
export interface ChosenTask {
  readonly task: Task;
  readonly chosenBy: string;
}

/**
 * The puzzles of --file, else those of the requested task, or, without a model, of the experiment. Of a Sudoku file
 * only the first `puzzles` are read. Throws InputError if none fit.
 */
export async function dataToScore(
  args: Arguments,
  model: OpenModel | undefined,
  puzzles: number | undefined,
): Promise<ChosenData> {
  const split = choice(args, 'split', ['train', 'test', 'validation']);
  const file = text(args, 'file');
  const kind = file === undefined ? undefined : await kindOfFile(userFile(file));
  const idle = Object.keys(readChanges(args).task ?? {}).filter((field) => field !== 'side'); // a model's size
  if (file !== undefined && kind !== 'arc' && idle.length > 0)
    throw new InputError(
      `--set: expected no ${idle.map((field) => `task.${field}`).join(', ')} with --file ${file}, which says which ` +
        'puzzles to score; leave it out',
    );
  if (file !== undefined && (kind === 'sudoku' || kind === 'maze')) {
    if (split !== undefined)
      throw new InputError(`--split: expected none with ${file}, all of whose puzzles are scored`);
    return { dataset: await loadPuzzleFile(file, puzzles), chosenBy: `--file ${file}` };
  }
  const chosen =
    model === undefined ? { task: readExperiment(args).task, chosenBy: 'the experiment' } : taskToScore(args, model);
  const { task, chosenBy } =
    file === undefined ? chosen : { task: taskOfFile(file, kind, chosen.task), chosenBy: `--file ${file}` };
  const data = await loadShown(task, 'preparing');
  const set = data[split ?? 'test'];
  const dataset = task.kind === 'folder' ? { ...set, note: noteOfFolder(set, puzzles ?? set.examples) } : set;
  return { dataset, chosenBy, from: { task, train: data.train } };
}

/**
 * A folder's note, with the first of its answers that breaks the rules of Sudoku or of mazes, and the number of Sudokus
 * with several solutions.
 */
function noteOfFolder(set: Dataset, puzzles: number): string {
  if (set.ignore !== null) return set.note; // answers with hidden cells cannot be checked
  const progress = new Progress();
  const count = Math.min(puzzles, set.examples);
  let wrong = '';
  let several = 0;
  for (let i = 0; i < count; i++) {
    try {
      checkAnswer(set, i);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      wrong ||= `${error.message}; scored as it stands.`;
    }
    if (hasSeveralSolutions(set, i)) several++;
    progress.update('checking', 'answers', i + 1, count);
  }
  const ambiguous =
    several === 0 ? '' : `${several} of ${count} Sudokus have several solutions; only the folder's counts as right.`;
  return [set.note, wrong, ambiguous].filter((part) => part !== '').join(' ');
}

/** The task of a path: a folder is a task itself; ARC tasks get the layout of those that the checkpoint knows. */
function taskOfFile(file: string, kind: string | undefined, known: Task): Task {
  if (kind === 'folder') return checkTask({ kind, folder: file });
  if (known.kind !== 'arc')
    throw new InputError(
      `--file: expected puzzles as the checkpoint's, of kind ${known.kind}, got JSON or a folder, which is read as ` +
        `ARC tasks (${kitCommand} data check ${file})`,
    );
  return changeTask(known, { set: 'file', file, maxTasks: 0, validationTasks: 0 });
}

/** The task of --experiment, else the checkpoint's own task with the changes of --set. */
function taskToScore(args: Arguments, model: OpenModel): ChosenTask {
  const asked = text(args, 'experiment');
  if (asked !== undefined) return { task: readExperiment(args).task, chosenBy: `experiment ${asked}` };
  const { task, chosenBy } = taskOfCheckpoint(model);
  const { task: changes } = readChanges(args);
  if (changes === undefined) return { task, chosenBy };
  return { task: changeTask(task, changes), chosenBy: `${chosenBy}, with the changes of --set` };
}

/**
 * The task that a checkpoint names, else that of the first experiment of its shape. Throws InputError where none fits.
 */
export function taskOfCheckpoint({ config, metadata }: Pick<OpenModel, 'config' | 'metadata'>): ChosenTask {
  const named = namedTask(metadata);
  const fitting = Object.values(experiments).find(({ model }) => sameShape(model, config));
  if (named !== undefined) {
    const { run = 'unknown' } = metadata;
    if (named.kind !== 'sudoku' || named.source !== 'sudoku-extreme' || hasExtreme() || fitting === undefined)
      return { task: named, chosenBy: `the checkpoint (run ${reasonOf(run.slice(0, 200))})` };
    return {
      task: fitting.task,
      chosenBy: `experiment ${fitting.name}: the checkpoint names Sudoku-Extreme, which is not installed (TRM_DATA)`,
    };
  }
  if (fitting === undefined)
    throw new InputError(
      `the checkpoint names no task, and no experiment has puzzles of ${config.sequenceLength} cells and ` +
        `${config.vocabSize} tokens; name one with --experiment and --set task…`,
    );
  return {
    task: fitting.task,
    chosenBy: `experiment ${fitting.name}, the first of this shape: the checkpoint names none`,
  };
}

/** The task that a checkpoint was trained on, if its file names one. Throws InputError if that is invalid. */
export function namedTask({ task }: OpenModel['metadata']): Task | undefined {
  if (task === undefined) return undefined;
  try {
    return checkTask(JSON.parse(task));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof InputError)
      throw new InputError(`the checkpoint names an invalid task: ${error.message}; name one with --experiment`);
    throw error;
  }
}

function sameShape(a: ModelConfig, b: ModelConfig): boolean {
  return a.sequenceLength === b.sequenceLength && a.vocabSize === b.vocabSize;
}
