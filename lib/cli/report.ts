/** trm-lab report: tables and figures from the records in data/runs, nothing else. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../errors.js';
import { readRecords, type RunRecord } from '../experiment/record.js';
import { projectRoot, writeFileAtomic } from '../files.js';
import { accuracyVersusCycles } from '../report/figures.js';
import { saveFigure } from '../report/plotly.js';
import { resultsTable } from '../report/tables.js';
import type { Command } from './command.js';

export const report: Command = {
  name: 'report',
  summary: 'Rebuild the results table in the README and the figures from the records in data/runs.',
  positionals: '',
  count: [0, 0],
  options: {},
  example: 'npm run report',
  minutes: 'seconds',

  async run(_args, out) {
    const records = readRecords(path.join(projectRoot(), 'data', 'runs'));
    if (records.length === 0) throw new InputError('data/runs: expected at least one record, got none; train with --record');
    const readme = path.join(projectRoot(), 'README.md');
    writeFileAtomic(readme, withResults(readFileSync(readme, 'utf8'), records));
    out.line(resultsTable(records));
    const figure = await saveFigure('accuracy-versus-cycles', accuracyVersusCycles(records));
    out.line(`figure: ${path.relative(process.cwd(), figure)}`);
    out.result({ records: records.map(({ id }) => id) });
    return 0;
  },
};

/** A text with its results section, between the two markers, made anew from the records. Throws InputError if a marker is missing. */
export function withResults(text: string, records: readonly RunRecord[]): string {
  const [begin, end] = ['<!-- results -->', '<!-- /results -->'];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new InputError(`README.md: expected the lines ${begin} and ${end}, got ${from < 0 ? 'no first one' : 'no second one after it'}; put them where the table belongs`);
  return `${text.slice(0, from + begin.length)}\n${resultsTable(records)}\n${text.slice(to)}`;
}
