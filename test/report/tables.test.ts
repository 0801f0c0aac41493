/** Tables: whole strings, the same for the same rows. */
import assert from 'node:assert/strict';
import { change, type ExperimentChanges } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import type { RunRecord } from '../../lib/experiment/record.js';
import { ablationTable } from '../../lib/report/ablation.js';
import { accuracyVersusCycles } from '../../lib/report/figures.js';
import { recordRows } from '../../lib/report/frames.js';
import { searchTable } from '../../lib/report/searches.js';
import { costVersusAccuracy } from '../../lib/report/study-figures.js';
import {
  groupedBySeed,
  labelledRuns,
  meanAndSpread,
  resultsMarkdown,
  resultsTable,
  tableOfRows,
  toCsv,
  toMarkdown,
} from '../../lib/report/tables.js';
import type { ModelConfig } from '../../lib/model/config.js';
import { record, recordOf } from './records.js';

const table = tableOfRows([
  { name: 'a|b', right: 3 },
  { name: 'say "x, y"', right: 12, note: '<new>' },
]);

describe('tables', () => {
  it('Markdown: pipes are escaped, numbers stand to the right, missing values are dashes', () => {
    assert.equal(
      toMarkdown(table),
      ['| name | right | note |', '| :--- | ---: | :--- |', '| a\\|b | 3 | – |', '| say "x, y" | 12 | &lt;new> |'].join(
        '\n',
      ),
    );
  });

  it('seeds of one experiment stand in one row, whatever the order of its fields and the words about it', () => {
    const first = record({ exactAccuracy: [0.5] });
    const { name, about: _, ...rest } = first.experiment;
    const second = { ...first, seed: first.seed + 1, experiment: { ...rest, about: 'said anew', name } };
    const other = { ...first, experiment: { ...first.experiment, base: 'another' } };
    assert.deepEqual(
      groupedBySeed([first, other, second]).map((group) => group.length),
      [2, 1],
    );
    const warm = { ...second, id: 'warm', start: '5e6f7a8b9c' };
    assert.match(resultsTable([first, warm]), /^\| sudoku-4x4, from weights 5e6f7a8b \| .* \| 1 \|/m);
  });

  it('two experiments with one name are told apart by the settings in which they differ', () => {
    const plain = record({ exactAccuracy: [0.5] });
    const { training, model } = plain.experiment;
    const changed = {
      ...plain,
      id: 'changed',
      experiment: { ...plain.experiment, training: { ...training, learningRate: 0.5 }, model: { ...model, layers: 3 } },
    };
    const settings = ({ experiment }: typeof plain): string =>
      `, layers ${experiment.model.layers}, learningRate ${experiment.training.learningRate}`;
    for (const names of [
      labelledRuns([changed, plain]).map(({ row }) => row.label),
      accuracyVersusCycles([changed, plain]).data.map(({ name }) => name),
      [...resultsTable([changed, plain]).matchAll(/^\| (sudoku-4x4[^|]*) \|/gm)].map(([, name]) => name),
    ])
      assert.deepEqual(names, [`sudoku-4x4${settings(changed)}`, `sudoku-4x4${settings(plain)}`]);
  });

  it('supervision steps of the model and of the training are two settings', () => {
    const runs = [
      { model: { supervisionSteps: 8 } },
      { training: { supervisionSteps: 8 } },
      { model: { supervisionSteps: 8 }, training: { supervisionSteps: 4 } },
    ].map((changes, i) => ({ ...recordOf(experiment('sudoku-smoke', changes), 0, [0.5]), id: `run-${i}` }));
    assert.equal(experiment('sudoku-smoke').model.supervisionSteps, 16);
    assert.deepEqual(
      labelledRuns(runs).map(({ row }) => row.label),
      [
        'sudoku-smoke, N_sup 8, training.supervisionSteps none',
        'sudoku-smoke, N_sup 16, training.supervisionSteps 8',
        'sudoku-smoke, N_sup 8, training.supervisionSteps 4',
      ],
    );
  });

  it('rows of one name say as much as tells them apart: source or base, then settings of the training', () => {
    const of = (base: string, changes: ExperimentChanges = {}): RunRecord =>
      recordOf(change(experiment(base, { variant: 'trm-t2-n2' }), changes), 0, [0.5]);
    const longer = { training: { steps: 99 } };
    const runs = [
      of('sudoku-extreme-desk-study'),
      of('sudoku-6x6-study'),
      of('sudoku-6x6-study', { ...longer, evaluation: { every: 33 } }),
      of('sudoku-6x6-study', { training: { learningRate: 0.5 } }),
      of('sudoku-6x6-study', { ...longer, evaluation: { every: 11 } }),
    ].map((run, i) => ({ ...run, id: `run-${i}` }));
    const { steps } = runs[1]!.experiment.training;
    const name = 'w/ T = 2, n = 2 on sudoku';
    const labels = labelledRuns(runs).map(({ row }) => row.label);
    assert.deepEqual(labels, [
      `${name}-extreme-desk-study`,
      `${name}-6x6-study, steps ${steps}`,
      `${name}-6x6-study, steps 99, every 33`,
      `${name}-6x6-study, rate 0.5`,
      `${name}-6x6-study, steps 99, every 11`,
    ]);
  });

  it('no records, and a run that is given twice, are refused', () => {
    const one = record({ exactAccuracy: [0.5] });
    for (const read of [resultsTable, labelledRuns, recordRows, searchTable, accuracyVersusCycles]) {
      assert.throws(
        () => read([one, one]),
        /^InputError: records: expected every run once, got sudoku-4x4-seed0 (in float32 )?twice/,
      );
      for (const none of [undefined, [undefined], [{}]])
        assert.throws(() => read(none as never), /^InputError: records: expected .*, got/);
    }
  });

  it('on ARC what the vote solved has its own words, and no first cycle beside it', () => {
    const vote = { tasks: 20, pairs: 26, votes: 442, passAt: { 1: 0.125, 2: 0.5 }, exactAccuracy: 0.25 };
    const voted = {
      ...recordOf(experiment('arc-7x7-study'), 0, [0.1, 0.25]),
      closing: { vote: { ...vote, supervisionSteps: 4, seconds: 1 } },
    };
    assert.match(resultsTable([voted]), /50\.0.%[^]*^Share of test tasks solved in two tries by a vote/m);
    const both = resultsTable([voted, record({ exactAccuracy: [0.5] })]);
    assert.match(both, /^Share of test puzzles fully solved .*, on ARC of test tasks solved in two tries by/m);
    const [row] = recordRows([voted]);
    assert.deepEqual([row?.['firstCycle'], row?.['lastCycle']], [null, 0.5]);
    const plan = [{ experiment: voted.experiment, seed: 0 }];
    assert.match(ablationTable(plan, [voted]), /\| – \| 50\.0.%[^]*^Share of 20 test tasks solved in two tries by/m);
    const figure = costVersusAccuracy(labelledRuns([voted]));
    assert.deepEqual(figure.data[0]?.y, [50]);
    assert.match(JSON.stringify(figure.layout['yaxis']), /Test tasks solved in two tries/);
  });

  it('a name in a record is text in Markdown, whatever it holds', () => {
    const name = '<img src=x onerror=alert(1)></script><script>alert(2)</script> ![x](http://y) a\\|b\r\n| c &lt;';
    const sound = record({ exactAccuracy: [0.5] });
    const hostile = { ...sound, data: { ...sound.data, test: { ...sound.data.test, name } } };
    const markdown = resultsTable([hostile]);
    assert.doesNotMatch(markdown, /<[a-z/!?]/i);
    assert.doesNotMatch(markdown, /\]\(/);
    const rows = markdown.split('\n').filter((line) => line.startsWith('|'));
    assert.equal(rows.length, 3);
    for (const row of rows) assert.equal(row.replaceAll('\\|', '').split('|').length - 2, 7, row);
    assert.match(markdown, /a&#92;\\\|b {2}\\\| c &amp;lt;/);
    assert.equal(toMarkdown(tableOfRows([{ a: 'TRM <sup>1</sup>' }])).includes('<sup>1</sup>'), true);
  });

  it('CSV: cells with commas or quotes are quoted', () => {
    assert.equal(toCsv(table), 'name,right,note\na|b,3,–\n"say ""x, y""",12,<new>\n');
    for (const write of [toCsv, toMarkdown])
      assert.throws(() => write([{ a: 1 }] as never), /table: expected an object; rows of plain values become one by/);
    for (const write of [toCsv, toMarkdown])
      assert.throws(
        () => write({ columns: ['a', 'b'], rows: [['1'], ['1', '2', '3']] }),
        /as many cells a row as columns/,
      );
    assert.throws(() => tableOfRows([5] as never), /rows: expected in place 0 an object, got \[5\]/);
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
        '| sudoku-4x4 | – | 91.0\u00A0±\u00A01.4\u00A0% | laptop | 2 | 300 | 4×4 generated (300 for training) |',
        '',
        'Share of test puzzles fully solved after the last supervision step, ' +
          'with EMA weights where a run averages them; ' +
          '± is the standard deviation over seeds.',
        '',
        '4×4 has only 288 solution grids, and augmentation can reach all of them: ' +
          'this shows learning, not generalisation.',
      ].join('\n'),
    );
  });

  it('results: the paper’s number is starred unless data and scale are the paper’s', () => {
    const paperRow = (parts: Parameters<typeof record>[0]): string | undefined =>
      resultsTable([record(parts)]).split('\n')[2];
    const common = { name: 'sudoku-9x9', side: 9, exactAccuracy: [0.125] } as const;
    assert.equal(
      paperRow({ ...common, source: 'public-domain' }),
      '| sudoku-9x9 | 87.4\u00A0%* | 12.5\u00A0% | laptop | 1 | 300 | public-domain (300 for training) |',
    );
    assert.equal(
      paperRow({ ...common, source: 'sudoku-extreme', scale: 'paper' }),
      '| sudoku-9x9 | 87.4\u00A0% | 12.5\u00A0% | paper | 1 | 300 | sudoku-extreme (300 for training) |',
    );
  });

  it(
    'results: below the paper’s scale a model with fewer recursions stands beside the paper’s TRM, ' +
      'at it only the paper’s own',
    () => {
      const paperCell = (scale: 'laptop' | 'paper', model: Partial<ModelConfig>): string | undefined => {
        const made = record({ name: 'sudoku-9x9', side: 9, source: 'sudoku-extreme', scale, exactAccuracy: [0.125] });
        return resultsTable([
          { ...made, experiment: { ...made.experiment, model: { ...made.experiment.model, ...model } } },
        ])
          .split('\n')[2]
          ?.split(' | ')[1];
      };
      assert.deepEqual(
        [
          paperCell('laptop', { latentRecursions: 2 }),
          paperCell('paper', { latentRecursions: 2 }),
          paperCell('paper', {}),
          paperCell('laptop', { layers: 4 }),
        ],
        ['87.4\u00A0%*', '–', '87.4\u00A0%', '–'],
      );
    },
  );

  it('results: a model with a block or a schedule of its own is none of the paper’s', () => {
    const made = record({ name: 'sudoku-9x9', side: 9, source: 'sudoku-extreme', exactAccuracy: [0.125] });
    const paperCell = (own: Partial<typeof made>): string | undefined =>
      resultsTable([{ ...made, ...own }])
        .split('\n')[2]
        ?.split(' | ')[1];
    const scheduled = { ...made.experiment, model: { ...made.experiment.model, schedule: 'y ← net(y)' } };
    assert.deepEqual(
      [
        paperCell({}),
        paperCell({ block: 'ab'.repeat(32) }),
        paperCell({ experiment: scheduled }),
        paperCell({ experiment: { ...scheduled, variant: 'trm' } }),
      ],
      ['87.4\u00A0%*', '–', '–', '–'],
    );
  });

  it('results: no table holds two scales', () => {
    const lines = resultsTable([
      record({ exactAccuracy: [0.5] }),
      record({ name: 'big', scale: 'desk', exactAccuracy: [0.25] }),
    ]).split('\n');
    assert.equal(lines.filter((line) => line.startsWith('| experiment ')).length, 2);
    assert.deepEqual(
      lines.filter((line) => /^\| (sudoku|big)/.test(line)).map((line) => line.split(' | ')[3]),
      ['laptop', 'desk'],
    );
    assert.notEqual(
      lines.findIndex((line) => line.startsWith('| big')),
      lines.findIndex((line) => line.startsWith('| sudoku')) + 1,
    );
  });

  it('results: validation puzzles are called so', () => {
    const made = record({ exactAccuracy: [0.5] });
    const { experiment: own } = made;
    const validated = {
      ...made,
      experiment: { ...own, evaluation: { ...own.evaluation, split: 'validation' as const } },
    };
    assert.match(resultsTable([made]), /^Share of test puzzles fully solved/m);
    assert.match(resultsTable([validated]), /^Share of validation puzzles fully solved/m);
    assert.match(resultsTable([{ ...validated, id: 'v' }, made]), /^Share of test or validation puzzles fully solved/m);
  });

  it('results: a row without a record says so', () => {
    const line = resultsMarkdown([
      { name: 'HRM', paper: 0.55, sameData: false, ours: [], scale: 'laptop', puzzles: null, data: '–' },
    ]).split('\n')[2];
    assert.equal(line, '| HRM | 55.0\u00A0%* | not run | laptop | – | – | – |');
  });
});
