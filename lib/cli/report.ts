/** trm-lab report: tables, figures and their indexes from the project's records, or a table and figure of any. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../errors.js';
import { readRecord, recordsSoFar } from '../experiment/record.js';
import { runFiles } from '../experiment/run-folder.js';
import { recordFiles } from '../experiment/sealed.js';
import { projectRoot, shownPath } from '../files.js';
import { reportSources, writeReports } from '../report/files.js';
import { recordsReport, writeRunsReports } from '../report/runs.js';
import { plural } from '../words.js';
import type { Command, Out } from './command.js';
import { recordsFolder } from './sweep-progress.js';

export const report: Command = {
  name: 'report',
  summary:
    'Rebuild tables, figures and indexes from the records in data/ and bench/results; or report any folder of records.',
  positionals: '',
  count: [0, 0],
  options: {
    records: {
      value: 'DIR',
      about:
        'report only these: a folder of records, or a run’s own folder. Writes a table (Markdown, CSV) and a figure ' +
        'of accuracy versus cycles into it (for the project’s own data, into build/reports) and nothing else',
    },
  },
  example: 'report',
  minutes: 'half a minute',

  async run(args, out) {
    const folder = recordsFolder(args);
    if (folder !== undefined) return reportFolder(folder, out);
    const sources = reportSources();
    if (sources.records.length === 0)
      throw new InputError('data/runs: expected at least one record, got none; train with --record');
    const files = await writeReports(sources);
    for (const file of files) out.line(shownPath(path.join(projectRoot(), file)));
    out.result({ records: sources.records.map(({ id }) => id), files });
    return 0;
  },
};

/** JSON files that a run leaves in its folder. */
const ofRun = /^(record|progress|claim|evaluation-[0-9a-f]+)\.json$/;

async function reportFolder(folder: string, out: Out): Promise<number> {
  if (!existsSync(folder)) throw new InputError(`--records: folder not found: ${shownPath(folder)}; check the path`);
  // A run's own folder holds other files beside its record.
  const own = runFiles(folder).record;
  const records = existsSync(own) ? [readRecord(own)] : recordsSoFar(folder);
  const others = recordFiles(folder).filter((file) => !ofRun.test(path.basename(file))).length;
  if (existsSync(own) && others > 0)
    out.note(
      `${shownPath(folder)} has a record.json, so it is a run's own folder: ${plural(others, 'other file')} left out`,
    );
  if (records.length === 0)
    throw new InputError(
      `--records: expected records in ${shownPath(folder)}, got none; ` +
        'a run writes one as record.json, ablate --records DIR writes them to a folder',
    );
  const made = recordsReport(`${path.basename(folder) || 'records'}-report`, records);
  const files = (await writeRunsReports(folder, [made])).map(shownPath);
  out.line(made.markdown);
  for (const file of files) out.line(`${file.endsWith('.png') ? 'figure' : 'table'}: ${file}`);
  out.result({ records: records.map(({ id }) => id), files });
  return 0;
}
