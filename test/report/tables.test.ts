/** Tables: whole strings, the same for the same rows. */
import assert from 'node:assert/strict';
import { dataFrame, tableOfFrame } from '../../lib/report/frames.js';
import { comparedRows, meanAndSpread, paperTable, resultsMarkdown, resultsTable, sameTask, tableOfRows, toCsv, toMarkdown, toTableHtml } from '../../lib/report/tables.js';
import { record } from './records.js';

const table = tableOfRows([{ name: 'a|b', right: 3 }, { name: 'say "x, y"', right: 12, note: '<new>' }]);

describe('tables', () => {
  it('Markdown: pipes are escaped, numbers stand to the right, missing values are dashes', () => {
    assert.equal(toMarkdown(table), ['| name | right | note |', '| :--- | ---: | :--- |', '| a\\|b | 3 | – |', '| say "x, y" | 12 | <new> |'].join('\n'));
  });

  it('CSV: cells with commas or quotes are quoted', () => {
    assert.equal(toCsv(table), 'name,right,note\na|b,3,–\n"say ""x, y""",12,<new>\n');
  });

  it('HTML: text is escaped', () => {
    assert.equal(
      toTableHtml(table),
      [
        '<table>', '<thead>', '<tr><th>name</th><th style="text-align:right">right</th><th>note</th></tr>', '</thead>', '<tbody>',
        '<tr><td>a|b</td><td style="text-align:right">3</td><td>–</td></tr>',
        '<tr><td>say "x, y"</td><td style="text-align:right">12</td><td>&lt;new&gt;</td></tr>',
        '</tbody>', '</table>',
      ].join('\n'),
    );
  });

  it('mean and spread: one decimal, sample standard deviation, "not run" for nothing', () => {
    assert.equal(meanAndSpread([]), 'not run');
    assert.equal(meanAndSpread([0.8744]), '87.4 %');
    assert.equal(meanAndSpread([0.5, 0.6, 0.7]), '60.0 ± 10.0 %');
  });

  it('results: seeds of one experiment are one row; other boards have no number in the paper', () => {
    const records = [0, 1].map((seed) => record({ seed, exactAccuracy: [0.5, 0.9 + 0.02 * seed] }));
    assert.equal(
      resultsTable(records),
      [
        '| experiment | paper | ours | scale | seeds | puzzles scored | data |',
        '| :--- | :--- | ---: | :--- | ---: | ---: | :--- |',
        '| sudoku-4x4 | – | 91.0 ± 1.4 % | laptop | 2 | 300 | 4×4 generated (300 for training) |',
        '',
        'Share of test puzzles solved whole, after the last supervision step, EMA weights; ± is the standard deviation over seeds.',
        '',
        '4×4 has only 288 solution grids, all within reach of augmentation: this shows learning, not generalisation.',
      ].join('\n'),
    );
  });

  it('results: the paper’s number is starred unless data and scale are the paper’s', () => {
    const paperRow = (parts: Parameters<typeof record>[0]): string | undefined => resultsTable([record(parts)]).split('\n')[2];
    const common = { name: 'sudoku-9x9', side: 9, exactAccuracy: [0.125] } as const;
    assert.equal(paperRow({ ...common, source: 'public-domain' }), '| sudoku-9x9 | 87.4 %* | 12.5 % | laptop | 1 | 300 | public-domain (300 for training) |');
    assert.equal(paperRow({ ...common, source: 'sudoku-extreme', scale: 'paper' }), '| sudoku-9x9 | 87.4 % | 12.5 % | paper | 1 | 300 | sudoku-extreme (300 for training) |');
  });

  it('a table of the paper: our seeds beside its numbers, "not run" where there is no record, its oddities below', () => {
    const runs = [0, 1].map((seed) => record({ variant: 'trm-single-z', seed, exactAccuracy: [0.1, 0.5 + 0.1 * seed] }));
    assert.equal(
      paperTable(2, [...runs, record({ exactAccuracy: [0.875] })]),
      [
        '| model | paper, Sudoku-Extreme | ours | seeds | puzzles scored | depth | our parameters |',
        '| :--- | ---: | ---: | ---: | ---: | ---: | ---: |',
        '| TRM y, z (2 features) | 87.4 % | 87.5 % | 1 | 300 | 42 | 1 |',
        '| TRM multi-scale z (n + 1 = 7 features) | 77.6 % | not run | – | – | – | – |',
        '| TRM multi-scale z (n + 1 = 7 features) | 77.6 % | not run | – | – | – | – |',
        '| TRM single z (1 feature) | 71.9 % | 55.0 ± 7.1 % | 2 | 300 | 42 | 1 |',
        '',
        'Ours: 4×4 generated, scale laptop. Beside the paper’s numbers, not against them: boards and sizes differ.',
        '',
        '4×4 has only 288 solution grids, all within reach of augmentation: this shows learning, not generalisation.',
      ].join('\n'),
    );
    const lines = paperTable(1, []).split('\n');
    assert.equal(lines[2], '| HRM <sup>1</sup> | 55.0 % | not run | – | – | 24 | – |');
    assert.deepEqual(lines.slice(-3), ['Nothing was run yet.', '', "<sup>1</sup> the HRM paper's number, not rerun"]);
  });

  it('a table holds one task at one scale', () => {
    const [small, large, smoke] = [record({ exactAccuracy: [1] }), record({ side: 6, exactAccuracy: [1] }), record({ scale: 'smoke', exactAccuracy: [1] })];
    assert.deepEqual(sameTask([small, large, smoke], small.experiment), [small]);
  });

  it('the same rows for a figure', () => {
    const rows = comparedRows(2, [record({ exactAccuracy: [0.5, 0.875] })]);
    assert.deepEqual([rows[0], rows[3]], [{ name: 'TRM y, z (2 features)', paper: 0.8740000000000001, ours: [0.875] }, { name: 'TRM single z (1 feature)', paper: 0.7190000000000001, ours: [] }]);
  });

  it('results: a row without a record says so', () => {
    const line = resultsMarkdown([{ name: 'HRM', paper: 0.55, sameData: false, ours: [], scale: 'laptop', puzzles: null, data: '–' }]).split('\n')[2];
    assert.equal(line, '| HRM | 55.0 %* | not run | laptop | – | – | – |');
  });
});

describe('data frames', () => {
  it('rows go in, are grouped, and come out as a table', () => {
    const frame = dataFrame([{ variant: 'a', exact: 0.25 }, { variant: 'b', exact: 0.125 }, { variant: 'a', exact: 0.75 }]);
    const means = frame.groupby(['variant']).col(['exact']).mean();
    assert.equal(toMarkdown(tableOfFrame(means, 3)), ['| variant | exact_mean |', '| :--- | ---: |', '| a | 0.5 |', '| b | 0.125 |'].join('\n'));
  });
});
