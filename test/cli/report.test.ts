/** The README's results, and the tables and figures in figures/, are those of the records. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  benchRecords,
  reportFigures,
  reportFiles,
  reportSources,
  reportTables,
  withReports,
} from '../../lib/cli/report.js';
import { experiment } from '../../lib/experiment/experiment.js';
import { variantExperiment } from '../../lib/sweep/plan.js';
import { readRecords, writeRecord } from '../../lib/experiment/record.js';
import { variant } from '../../lib/experiment/variants.js';
import { projectRoot } from '../../lib/files.js';
import { toHtml } from '../../lib/report/draw/plotly.js';
import { record, recordOf } from '../report/records.js';

describe('report', () => {
  const sources = reportSources();
  const { records } = sources;
  const readme = readFileSync(path.join(projectRoot(), 'README.md'), 'utf8');

  it('has records to report', () => assert.ok(records.length > 0));

  it('left a README whose tables are what the records say: run npm run report after adding one', () => {
    assert.equal(withReports(readme, records, benchRecords()), readme);
  });

  it('left figures/ with tables and figures that are what the records say, and none of records that are gone', () => {
    const folder = path.join(projectRoot(), 'figures');
    const lagging = (name: string, content: string): string[] =>
      existsSync(path.join(folder, name)) && readFileSync(path.join(folder, name), 'utf8') === content ? [] : [name];
    const tables = reportTables(sources);
    const figures = reportFigures(sources);
    // A picture's pixels depend on the machine's fonts; the page beside it holds the figure itself.
    const late = [
      ...tables.flatMap(([name, text]) => lagging(name, text)),
      ...figures.flatMap(([name, figure]) => lagging(`${name}.html`, toHtml(name, figure))),
    ];
    assert.deepEqual(late, [], 'run npm run report');
    for (const [name] of figures)
      for (const ending of ['png', 'svg'])
        assert.ok(existsSync(path.join(folder, `${name}.${ending}`)), `${name}.${ending} is missing`);
    const known = new Set([
      ...tables.map(([name]) => name),
      ...figures.flatMap(([name]) => ['png', 'svg', 'html'].map((ending) => `${name}.${ending}`)),
    ]);
    const ofRuns =
      /^((figure-)?table-\d|depth|cost|learning|halting|training-versus-test|longer)-.*-(study|desk|paper)\./;
    const ofOthers = /^(failures-|ratings-|search\.|precision[.-])/;
    const written = readdirSync(folder).filter((name) => ofRuns.test(name) || ofOthers.test(name));
    assert.deepEqual(
      written.filter((name) => !known.has(name)),
      [],
    );
  });

  it('makes every file from the records alone, to the same bytes the second time', async function () {
    this.timeout(60_000);
    const data = mkdtempSync(path.join(os.tmpdir(), 'report-'));
    try {
      const row = variantExperiment(experiment('sudoku-6x6-study'), variant('trm-single-z'));
      for (const each of [record({ exactAccuracy: [0.5, 0.75] }), recordOf(row, 0, [0.5]), recordOf(row, 1, [0.25])])
        writeRecord(path.join(data, `${each.id}.json`), each);
      const first = await reportFiles({ records: readRecords(data) });
      assert.equal(new Set(first.map(([name]) => name)).size, first.length, 'two files of one name');
      assert.deepEqual(
        first.map(([name]) => name),
        [
          ...['accuracy-versus-cycles', 'figure-table-2-sudoku-6x6-study'].flatMap((name) =>
            ['png', 'svg', 'html'].map((ending) => `${name}.${ending}`),
          ),
          ...['md', 'csv', 'html'].map((ending) => `table-2-sudoku-6x6-study.${ending}`),
        ],
      );
      const csv = first.find(([name]) => name.endsWith('.csv'))?.[1];
      // mean of 0.5 and 0.25, deviation 0.25/√2, interval ± 12.706 · 0.125
      const line =
        /^trm-single-z,TRM single z \(1 feature\),0\.719,0\.375,0\.1768,-1\.2133,1\.9633,2,300,42,1,\d+,(.*)$/m;
      const seeds = [0, 1].map((seed) => `sudoku-6x6-study-trm-single-z-seed${seed}`);
      assert.equal(line.exec(String(csv))?.[1], seeds.join(' '));
      assert.deepEqual(await reportFiles({ records: readRecords(data) }), first);
    } finally {
      rmSync(data, { recursive: true });
    }
  });

  it('changes nothing outside its markers, and refuses a text without them', () => {
    const marked = ['results', 'desk', 'table-1', 'table-2', 'table-3', 'bench'].map(
      (name) => `<!-- ${name} -->\nold\n<!-- /${name} -->\n`,
    );
    const text = `before\n${marked.join('between\n')}after\n`;
    const changed = withReports(text, records, []);
    assert.ok(changed.startsWith('before\n<!-- results -->\n') && changed.endsWith('\n<!-- /bench -->\nafter\n'));
    assert.ok(changed.includes('\n<!-- /results -->\nbetween\n<!-- desk -->\n') && !changed.includes('old'));
    assert.throws(() => withReports('nothing', records, []), /README\.md: expected the lines/);
  });
});
