/** trm-lab report: tables and figures from the records in data/runs, nothing else. */
import path from 'node:path';
import { readRecords } from '../experiment/record.js';
import { projectRoot, writeFileAtomic } from '../files.js';
import { accuracyVersusCycles } from '../report/figures.js';
import { saveFigure } from '../report/plotly.js';
import { resultsTable } from '../report/tables.js';
import type { Command } from './command.js';

export const report: Command = {
  name: 'report',
  summary: 'Rebuild the tables and figures under figures/ from the records in data/runs.',
  positionals: '',
  count: [0, 0],
  options: {},
  example: 'npm run report',
  minutes: 'seconds',

  async run(_args, out) {
    const records = readRecords(path.join(projectRoot(), 'data', 'runs'));
    const table = resultsTable(records);
    writeFileAtomic(path.join(projectRoot(), 'figures', 'results.md'), `${table}\n`);
    out.line(table);
    if (records.length > 0) {
      const figure = await saveFigure('accuracy-versus-cycles', accuracyVersusCycles(records));
      out.line(`figure: ${path.relative(process.cwd(), figure)}`);
    }
    out.result({ records: records.map(({ id }) => id) });
    return 0;
  },
};
