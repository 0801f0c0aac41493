/** trm-lab report: tables, figures and their indexes from the records in data/ and bench/results, nothing else. */
import path from 'node:path';
import { InputError } from '../errors.js';
import { projectRoot } from '../files.js';
import { reportSources, writeReports } from '../report/files.js';
import type { Command } from './command.js';

export const report: Command = {
  name: 'report',
  summary: 'Rebuild tables, figures and indexes from the records in data/ and bench/results.',
  positionals: '',
  count: [0, 0],
  options: {},
  example: 'npm run report',
  minutes: 'half a minute',

  async run(_args, out) {
    const sources = reportSources();
    if (sources.records.length === 0)
      throw new InputError('data/runs: expected at least one record, got none; train with --record');
    const files = await writeReports(sources);
    for (const file of files) out.line(path.relative(process.cwd(), path.join(projectRoot(), file)));
    out.result({ records: sources.records.map(({ id }) => id), files });
    return 0;
  },
};
