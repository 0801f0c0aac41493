/** trm-lab failure-modes: the small experiments that show where these models break. */
import path from 'node:path';
import { failureModes, failureScales } from '../experiment/failure-modes.js';
import { readRecords } from '../experiment/record.js';
import { planFailureModes } from '../sweep/plan.js';
import { plannedRecords } from '../sweep/sweep.js';
import { projectRoot } from '../files.js';
import { failureModeNotes, failureModesTable } from '../report/failure-modes.js';
import { toMarkdown, withoutRuns } from '../report/tables.js';
import { choice, integer, text, type Command } from './command.js';
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
    const folder = path.join(projectRoot(), 'data', 'runs');
    const code = await sweep(plan, args, out, folder);
    const records = await plannedRecords(plan, readRecords(path.resolve(text(args, 'records') ?? folder)));
    if (records.length > 0)
      out.line([toMarkdown(withoutRuns(failureModesTable(records, scale))), ...failureModeNotes()].join('\n\n'));
    return code;
  },
};
