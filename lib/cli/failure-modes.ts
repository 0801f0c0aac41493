/** trm-lab failure-modes: the small experiments that show where these models break. */
import { didYouMean, InputError, show } from '../errors.js';
import { failureModeIds, failureScales } from '../experiment/failure-modes.js';
import { planFailureModes } from '../sweep/plan.js';
import { failureModesReport } from '../report/runs.js';
import { choice, numberOf, text, type Command } from './command.js';
import { engineOptions } from './engine-options.js';
import { sweep, sweepOptions } from './sweep-progress.js';

export const failureModesCommand: Command = {
  name: 'failure-modes',
  summary: `Test for known failure modes with small recorded runs: ${failureModeIds.join(', ')}.`,
  positionals: '',
  count: [0, 0],
  options: {
    scale: { value: 'NAME', about: `${failureScales.join(' or ')}. Default laptop` },
    seeds: { value: 'N', range: [1, 100], about: 'seeds 0 … N−1 of every run. Default 1' },
    only: { value: 'ID,…', about: 'only these failure modes' },
    ...sweepOptions,
    ...engineOptions,
  },
  example: 'failure-modes --scale laptop',
  minutes: 'a quarter of an hour; Ctrl-C stops it, the same command continues',

  async run(args, out) {
    const scale = choice(args, 'scale', failureScales) ?? 'laptop';
    const named = text(args, 'only')?.split(',');
    const only = named?.map((id) => failureModeIds.find((known) => known === id) ?? unknownMode(id));
    const plan = planFailureModes(scale, numberOf(args, 'seeds') ?? 1, only);
    return sweep(plan, args, out, {
      records: 'data/runs',
      reports: (own, all) => [failureModesReport(scale, all, own)],
    });
  },
};

function unknownMode(id: string): never {
  throw new InputError(
    `failure-modes: expected --only of ${failureModeIds.join(', ')}, got ${show(id)}${didYouMean(id, failureModeIds)}`,
  );
}
