/** The committed tables, figures and indexes are those of the records. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { experiment } from '../../lib/experiment/experiments.js';
import { readRecords, writeRecord } from '../../lib/experiment/record.js';
import { projectRoot } from '../../lib/files.js';
import { fingerprintIn, fingerprintOf } from '../../lib/report/draw/plotly.js';
import { reportFigures, reportSources, reportTables, reportTexts, withReports } from '../../lib/report/files.js';
import { variantExperiment } from '../../lib/experiment/rows.js';
import { variant } from '../../lib/experiment/variants.js';
import { record, recordOf } from './records.js';
import { newFolder } from '../new-folder.js';

const inProject = (file: string): string => path.join(projectRoot(), file);

describe('report files', () => {
  const sources = reportSources();

  it('there are records to report', () => assert.ok(sources.records.length > 0));

  it('README, results, tables and indexes are what the records say: run npm run report after adding one', () => {
    const late = reportTexts(sources)
      .filter(([file, text]) => !existsSync(inProject(file)) || readFileSync(inProject(file), 'utf8') !== text)
      .map(([file]) => file);
    assert.deepEqual(late, [], 'run npm run report');
  });

  it('every picture was drawn from the figure that the records make', async () => {
    const late: string[] = [];
    for (const { name, figure } of reportFigures(sources)) {
      const file = inProject(`figures/${name}.png`);
      const drawn = existsSync(file) ? await fingerprintIn(readFileSync(file)) : undefined;
      if (drawn !== fingerprintOf(figure)) late.push(name);
    }
    assert.deepEqual(late, [], 'run npm run report');
  });

  it('figures/ holds nothing else: no page, no SVG, no table of records that are gone, no picture of nothing', () => {
    const index = readFileSync(inProject('figures/README.md'), 'utf8');
    const tables = reportTables(sources).flatMap(({ name }) => [`${name}.md`, `${name}.csv`]);
    const unknown = readdirSync(inProject('figures')).filter((file) =>
      /\.(png|gif)$/.test(file) ? !index.includes(`\n### ${file}\n`) : file !== 'README.md' && !tables.includes(file),
    );
    assert.deepEqual(unknown, []);
  });

  it('no two files have one name', () => {
    const names = [...reportTables(sources).flatMap(({ name }) => [`${name}.md`, `${name}.csv`])].concat(
      reportFigures(sources).map(({ name }) => `${name}.png`),
    );
    assert.equal(new Set(names).size, names.length);
  });

  it('makes every table and figure from the records alone, the same the second time', () => {
    const data = newFolder();
    const row = variantExperiment(experiment('sudoku-6x6-study'), variant('trm-single-z'));
    for (const each of [record({ exactAccuracy: [0.5, 0.75] }), recordOf(row, 0, [0.5]), recordOf(row, 1, [0.25])])
      writeRecord(path.join(data, `${each.id}.json`), each);
    const [figures, tables] = [reportFigures, reportTables].map((make) => make({ records: readRecords(data) }));
    assert.deepEqual(
      figures?.map(({ name, records }) => [name, records.length]),
      [
        ['accuracy-versus-cycles', 1],
        ['table-2-sudoku-6x6-study', 2],
      ],
    );
    const [table] = reportTables({ records: readRecords(data) });
    assert.equal(table?.name, 'table-2-sudoku-6x6-study');
    // mean of 0.5 and 0.25, deviation 0.25/√2, interval ± 12.706 · 0.125
    const line =
      /^trm-single-z,TRM single z \(1 feature\),0\.719,0\.375,0\.1768,-1\.2133,1\.9633,2,300,42,1,\d+,(.*)$/m;
    const seeds = [0, 1].map((seed) => `sudoku-6x6-study-trm-single-z-seed${seed}`);
    assert.equal(line.exec(table?.csv ?? '')?.[1], seeds.join(' '));
    assert.deepEqual(reportTables({ records: readRecords(data) }), tables);
    assert.deepEqual(reportFigures({ records: readRecords(data) }), figures);
  });

  it('an index beside records is no record', () => {
    const data = newFolder();
    writeRecord(path.join(data, 'one.json'), record({ exactAccuracy: [0.5] }));
    const [before] = [readRecords(data)];
    writeRecord(path.join(data, 'README.md'), record({ exactAccuracy: [0.75] }));
    assert.deepEqual(readRecords(data), before);
  });

  it('changes nothing outside its markers, and refuses a text without them', () => {
    const text = 'before\n<!-- a -->\nold\n<!-- /a -->\nbetween\n<!-- b -->\nold\n<!-- /b -->\nafter\n';
    assert.equal(
      withReports('README.md', text, { a: 'first', b: 'second' }),
      'before\n<!-- a -->\nfirst\n<!-- /a -->\nbetween\n<!-- b -->\nsecond\n<!-- /b -->\nafter\n',
    );
    assert.throws(
      () => withReports('docs/results.md', 'nothing', { a: '' }),
      /docs\/results\.md: expected the lines <!-- a -->/,
    );
  });
});
