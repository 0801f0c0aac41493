/** The options for reading a checkpoint, and the line about assumptions made in doing so. */
import { InputError } from '../errors.js';
import { given } from '../fields.js';
import type { LoadOptions } from '../checkpoint/checkpoint.js';
import type { ModelConfig } from '../model/config.js';
import { choice, type Arguments, type Option } from './command.js';
import type { ReadSettings } from './settings.js';

export const weightsOption: Option = {
  value: 'NAME',
  about:
    'raw or average, for a file that has both online and averaged weights. ' +
    "Default: what the run's configuration says, else average",
};

const trainingOnly = 'used in training only';

/** The settings of a model that its answers depend on. */
export const usedInAnswers = {
  except: {
    gradient: trainingOnly,
    halting: trainingOnly,
    explorationProbability: trainingOnly,
    haltingBias: trainingOnly,
  },
} as const satisfies ReadSettings['model'];

/** How to read a checkpoint, given the model fields of --set. */
export function loadOptions(args: Arguments, config: Readonly<Record<string, unknown>>): LoadOptions {
  return { config, ...given({ weights: choice(args, 'weights', ['raw', 'average']) }) };
}

/** Throws InputError for fields of --set that have no effect on this model's answers, or that --steps overrides. */
export function refuseIdle(config: ModelConfig, set: Readonly<Record<string, unknown>>, args: Arguments): void {
  if ('supervisionSteps' in set && args.options['steps'] !== undefined)
    throw new InputError('--steps: expected it or --set model.supervisionSteps, got both; leave one out');
  const idle = [
    ...(config.mixer === 'mlp' ? ['heads'] : []),
    ...(config.recursion === 'direct' || config.schedule !== undefined ? ['deepRecursions', 'latentRecursions'] : []),
  ].filter((field) => field in set);
  if (idle.length > 0)
    throw new InputError(
      `--set: ${idle.map((field) => `model.${field}`).join(', ')} would change nothing: this model has none; ` +
        'leave it out',
    );
}

/** The last line of a command whose checkpoint left fields to be assumed. */
export function assumedLine(assumed: readonly string[]): string {
  return (
    `assumed: ${assumed.join(', ')}. The file does not state them. If one is wrong, the result is wrong too. ` +
    'Give them: --set model.FIELD=VALUE,…'
  );
}
