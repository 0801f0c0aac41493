/** The options by which a command names an experiment and changes it. */
import { InputError } from '../errors.js';
import type { Experiment, ExperimentChanges } from '../experiment/experiment.js';
import { experiment, experiments } from '../experiment/experiments.js';
import { text, type Arguments, type Option } from './command.js';

export const experimentOptions: Readonly<Record<string, Option>> = {
  experiment: { type: 'string', value: 'NAME', about: `${Object.keys(experiments).join(', ')}. Default sudoku-4x4` },
  set: {
    type: 'string',
    value: 'A.B=V,…',
    about: 'changes, e.g. training.steps=300,model.mixer=attention,task.source=sudoku-extreme',
  },
};

/** The experiment a command line names. Throws InputError for unknown names, fields and values. */
export function readExperiment(args: Arguments): Experiment {
  return experiment(text(args, 'experiment') ?? 'sudoku-4x4', readChanges(text(args, 'set') ?? ''));
}

/**
 * Reads "training.steps=300,model.mixer=attention"; values are JSON where they can be, else words.
 * A comma inside a JSON value is no end.
 */
export function readChanges(list: string): ExperimentChanges {
  const changes: Record<string, Record<string, unknown>> = {};
  for (const item of list.split(/,(?=\s*(?:[a-z]+\.\w+\s*=|$))/).filter((written) => written.trim() !== '')) {
    const { part, field, parsed } = readField(item);
    (changes[part] ??= {})[field] = parsed;
  }
  return changes as ExperimentChanges;
}

/** Reads one "training.steps=300". Throws InputError for anything else. */
export function readField(item: string): {
  readonly part: 'task' | 'model' | 'training' | 'evaluation';
  readonly field: string;
  readonly value: string;
  readonly parsed: unknown;
} {
  const match = /^\s*(task|model|training|evaluation)\.(\w+)=(.+?)\s*$/.exec(item);
  if (match === null)
    throw new InputError(`expected task|model|training|evaluation.FIELD=VALUE, got ${JSON.stringify(item)}`);
  const [, part, field = '', value = ''] = match;
  return { part: part as 'task', field, value, parsed: jsonOrWord(value) };
}

function jsonOrWord(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch (error) {
    if (error instanceof SyntaxError) return value; // a word such as attention
    throw error;
  }
}
