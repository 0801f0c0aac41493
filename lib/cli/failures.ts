/** trm-lab failures: the small experiments that show where these models break. */
import path from 'node:path';
import { failures, failureScales, planFailures } from '../sweep/failures.js';
import { readRecords } from '../experiment/record.js';
import { plannedRecords } from '../sweep/sweep.js';
import { projectRoot } from '../files.js';
import { failureNotes, failuresTable, withoutRuns } from '../report/lessons.js';
import { toMarkdown } from '../report/tables.js';
import { choice, integer, text, type Command } from './command.js';
import { engineOptions } from './engine-options.js';
import { sweep, sweepOptions } from './sweep-progress.js';

export const failuresCommand: Command = {
  name: 'failures',
  summary: `Failures that teach, each a small experiment with a record: ${failures.map(({ id }) => id).join(', ')}.`,
  positionals: '',
  count: [0, 0],
  options: {
    scale: { type: 'string', value: 'NAME', about: `${failureScales.join(' or ')}. Default laptop` },
    seeds: { type: 'string', value: 'N', about: 'seeds 0 … N−1 of every run, 1 to 100. Default 1' },
    ...sweepOptions,
    ...engineOptions,
  },
  example: 'trm-lab failures --scale laptop',
  minutes: 'a quarter of an hour; Ctrl-C at any time, the same command goes on',

  async run(args, out) {
    const scale = choice(args, 'scale', failureScales) ?? 'laptop';
    const plan = planFailures(scale, integer(args, 'seeds', 1, 100) ?? 1);
    const folder = path.join(projectRoot(), 'data', 'runs');
    const code = await sweep(plan, args, out, folder);
    const records = await plannedRecords(plan, readRecords(path.resolve(text(args, 'records') ?? folder)));
    if (records.length > 0)
      out.line([toMarkdown(withoutRuns(failuresTable(records, scale))), ...failureNotes()].join('\n\n'));
    return code;
  },
};
