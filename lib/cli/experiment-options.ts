/** The options that name an experiment and change it. */
import { InputError, show, unknownFields } from '../errors.js';
import { isObject } from '../fields.js';
import { readJson } from '../json.js';
import { change, type Experiment, type ExperimentChanges } from '../experiment/experiment.js';
import { experiment } from '../experiment/experiments.js';
import { loadTask, type Task, type TaskData } from '../experiment/task.js';
import { Progress } from '../progress.js';
import { atBaseRate, rowExperiment, variantExperiment } from '../experiment/rows.js';
import { variant } from '../experiment/variants.js';
import { longNames } from '../experiment/words.js';
import { readUserFile } from '../user-file.js';
import { text, type Arguments, type Option } from './command.js';
import { differences, parts } from '../experiment/differences.js';
import { everyField, readSettings, type ReadSettings, type Settings } from './settings.js';

const nothing: Settings = {};

/** All settings of an experiment. */
export const wholeExperiment: ReadSettings = {
  task: everyField,
  model: everyField,
  training: everyField,
  evaluation: everyField,
};

/**
 * --experiment and --set, for a command that reads the settings `read`, such as those of `example`; `otherwise`: what
 * it takes without --experiment.
 */
export function experimentOptions(
  read: (args: Arguments) => ReadSettings = () => wholeExperiment,
  example = 'training.steps=300,model.gradient=one-step',
  otherwise = 'Default sudoku-4x4',
): Readonly<Record<'experiment' | 'set', Option>> {
  return {
    experiment: {
      value: 'NAME',
      about: `an experiment that describe --experiments lists. ${otherwise}`,
    },
    set: {
      value: 'A.B=V,…',
      about: `settings to change, e.g. ${example}; describe --settings lists all`,
      settings: read,
    },
  };
}

export const variantOption: Option = {
  value: 'ID',
  about: "make the experiment that row of the paper's tables (describe --all), e.g. hrm",
};

export const configOption: Option = {
  value: 'FILE',
  about:
    'a JSON object with any of experiment, variant, task, model, training, evaluation, e.g. ' +
    '{"variant": "hrm", "training": {"steps": 300}}; options on the command line override it',
};

/** The changes of --set. */
export function readChanges(args: Arguments): Settings {
  return readSettings(text(args, 'set') ?? '');
}

/**
 * The experiment that --config, --experiment, --variant and --set name; later ones override earlier ones. Throws
 * InputError for unknown names, fields and values.
 */
export function readExperiment(args: Arguments): Experiment {
  const file = text(args, 'config');
  const config = file === undefined ? { changes: nothing } : readConfig(file);
  const base = experiment(text(args, 'experiment') ?? config.experiment ?? 'sudoku-4x4');
  const row = text(args, 'variant') ?? config.variant;
  const set = readChanges(args);
  const changes = Object.fromEntries(
    parts
      .map((part) => [part, { ...config.changes[part], ...set[part] }] as const)
      .filter(([, fields]) => Object.keys(fields).length > 0),
  ) as ExperimentChanges;
  if (row === undefined) return change(base, changes);
  const named = variant(row);
  const changed = change(variantExperiment(base, named), changes);
  const trainsAs = (other: Experiment): boolean =>
    differences(change(other, { task: changes.task ?? {} }), changed).every(
      ({ part }) => part !== 'model' && part !== 'training',
    );
  // The table has a row of its own rate also at its base's, under another name.
  const slow = atBaseRate(base, named);
  if (slow !== undefined && trainsAs(slow)) return change(changed, { name: slow.name });
  // A row with a changed model or training is not that row any more, unless those are the ones of its table.
  return trainsAs(rowExperiment(base, named)) ? changed : change(changed, { variant: null });
}

/** Loads the data sets of a task and shows progress. Throws as loadTask. */
export async function loadShown(task: Task, stage: string, shouldStop?: () => boolean): Promise<TaskData> {
  const progress = new Progress();
  return loadTask(task, (done, total) => progress.update(stage, 'puzzles', done, total), shouldStop);
}

const configBytes = 1e6;

/** Reads a file of settings. Throws InputError if it is no JSON object, or has unknown fields. */
function readConfig(file: string): {
  readonly experiment?: string;
  readonly variant?: string;
  readonly changes: Settings;
} {
  const complain = (problem: string): never => {
    throw new InputError(`${file}: ${problem}`);
  };
  const expected = 'expected a JSON object such as {"training": {"steps": 300}}';
  const json = readUserFile(file, configBytes)
    .toString('utf8')
    .replace(/^\ufeff/, '');
  const content = readJson(json, (reason) => complain(`${expected}: ${reason}`), { levels: 8 });
  if (!isObject(content)) return complain(`${expected}, got ${show(content)}`);
  const problems = unknownFields(content, ['experiment', 'variant', ...parts]);
  if (problems[0] !== undefined) return complain(problems[0]);
  const changes: Settings = {};
  for (const part of parts) {
    const fields = content[part];
    if (fields === undefined) continue;
    changes[part] = isObject(fields) ? fields : complain(`${part}: expected an object of fields`);
  }
  if (changes.model !== undefined) changes.model = { ...longNames(changes.model) }; // as --set has them
  const word = (name: 'experiment' | 'variant'): object => {
    const value = content[name];
    if (value === undefined || typeof value === 'string') return value === undefined ? {} : { [name]: value };
    return complain(`${name}: expected a name`);
  };
  return { ...word('experiment'), ...word('variant'), changes };
}
