/** The part of trm-lab evaluate that finds the puzzles which a checkpoint is scored on. */
import { hasExtreme } from '../data/sudoku-sets.js';
import { InputError } from '../errors.js';
import { change, type Experiment } from '../experiment/experiment.js';
import { experiments } from '../experiment/experiments.js';
import type { OpenModel } from '../experiment/open.js';
import { checkTask, type Task } from '../experiment/task.js';
import type { ModelConfig } from '../model/config.js';
import { text, type Arguments } from './command.js';
import { readChanges, readExperiment } from './experiment-options.js';

/** Puzzles to score, and whose choice they are. */
export interface ChosenTask {
  readonly task: Task;
  readonly chosenBy: string;
}

/**
 * The experiment that is asked for, else the task that the checkpoint names, else the first experiment of the
 * checkpoint's shape; with the changes of --set. Throws InputError where none fits.
 */
export function taskToScore(args: Arguments, { config, metadata }: OpenModel): ChosenTask {
  const asked = text(args, 'experiment');
  if (asked !== undefined) return { task: readExperiment(args).task, chosenBy: `experiment ${asked}` };
  const named = namedTask(metadata);
  const changed = (task: Task, base: Experiment): Task => change({ ...base, task }, taskChanges(args)).task;
  const fitting = Object.values(experiments).find(({ model }) => sameShape(model, config));
  if (named !== undefined) {
    const { run = 'unknown' } = metadata;
    if (named.kind !== 'sudoku' || named.source !== 'sudoku-extreme' || hasExtreme() || fitting === undefined)
      return { task: changed(named, anyExperiment()), chosenBy: `the checkpoint, of run ${run}` };
    return {
      task: changed(fitting.task, fitting),
      chosenBy: `experiment ${fitting.name}: the checkpoint names Sudoku-Extreme, which is not at hand (TRM_DATA)`,
    };
  }
  if (fitting === undefined)
    throw new InputError(
      `the checkpoint names no task, and no experiment has puzzles of ${config.sequenceLength} cells and ` +
        `${config.vocabSize} tokens; name one with --experiment and --set task…`,
    );
  return {
    task: changed(fitting.task, fitting),
    chosenBy: `experiment ${fitting.name}, the first of this shape: the checkpoint names none`,
  };
}

/** The task that a checkpoint was trained on, if its file says. Throws InputError where it says what is none. */
function namedTask({ task }: OpenModel['metadata']): Task | undefined {
  if (task === undefined) return undefined;
  try {
    return checkTask(JSON.parse(task));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof InputError)
      throw new InputError(`the task that the checkpoint names is none: ${error.message}; name one with --experiment`);
    throw error;
  }
}

function taskChanges(args: Arguments): { readonly task?: Readonly<Record<string, unknown>> } {
  const { task } = readChanges(args);
  return task === undefined ? {} : { task };
}

function sameShape(a: ModelConfig, b: ModelConfig): boolean {
  return a.sequenceLength === b.sequenceLength && a.vocabSize === b.vocabSize;
}

function anyExperiment(): Experiment {
  const [first] = Object.values(experiments);
  if (first === undefined) throw new Error('there are experiments');
  return first;
}
