/** trm-lab failure-modes: the small experiments that show where these models break. */
import { failureModes, failureScales } from '../experiment/failure-modes.js';
import { planFailureModes } from '../sweep/plan.js';
import { failureModesReport } from '../report/runs.js';
import { choice, integer, type Command } from './command.js';
import { engineOptions } from './engine-options.js';
import { sweep, sweepOptions } from './sweep-progress.js';

export const failureModesCommand: Command = {
  name: 'failure-modes',
  summary:
    'Failure modes that others found, each tried by small runs with records: ' +
    `${failureModes.map(({ id }) => id).join(', ')}.`,
  positionals: '',
  count: [0, 0],
  options: {
    scale: { type: 'string', value: 'NAME', about: `${failureScales.join(' or ')}. Default laptop` },
    seeds: { type: 'string', value: 'N', about: 'seeds 0 … N−1 of every run, 1 to 100. Default 1' },
    ...sweepOptions,
    ...engineOptions,
  },
  example: 'trm-lab failure-modes --scale laptop',
  minutes: 'a quarter of an hour; Ctrl-C at any time, the same command goes on',

  async run(args, out) {
    const scale = choice(args, 'scale', failureScales) ?? 'laptop';
    const plan = planFailureModes(scale, integer(args, 'seeds', 1, 100) ?? 1);
    return sweep(plan, args, out, {
      records: 'data/runs',
      reports: (records) => [failureModesReport(scale, records)],
    });
  },
};
