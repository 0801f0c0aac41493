/** An ablation of one's own: rows in the plan's order, and differences that a hand can check. */
import assert from 'node:assert/strict';
import { experiment } from '../../lib/experiment/experiments.js';
import type { RunRecord } from '../../lib/experiment/record.js';
import { ablationRecords, ablationRows, ablationTable, ablationText } from '../../lib/report/ablation.js';
import { costVersusAccuracy } from '../../lib/report/study-figures.js';
import { planAblation } from '../../lib/sweep/plan.js';
import { recordOf } from './records.js';
import { inputError } from '../input-error.js';

const base = experiment('sudoku-6x6', { name: 'mine', model: { T: 2, n: 2 } });
const plan = planAblation(base, [{ name: 'n = 4', model: { n: 4 } }, 'trm-act', 'hrm'], [0, 1]);
const [mine, longer, act] = plan.map(({ experiment: each }) => each);
const records = [
  recordOf(act!, 0, [0, 0.25]),
  recordOf(longer!, 1, [0.25, 0.75]),
  recordOf(mine!, 1, [0.25, 0.5]),
  recordOf(longer!, 0, [0.5, 0.875]),
  recordOf(mine!, 0, [0.25, 0.625]),
  recordOf({ ...mine!, training: { ...mine!.training, steps: 7 } }, 2, [1, 1]), // another trial of the same name
];

describe('ablation', () => {
  it('has its rows in the order of the plan, each with the records of exactly its experiment', () => {
    assert.deepEqual(
      ablationRows(plan, records).map(({ row, records: own }) => [row.label, own.map(({ seed }) => seed)]),
      [
        ['mine', [0, 1]],
        ['n = 4', [0, 1]],
        ['w/ ACT', [0]],
        ['HRM', []],
      ],
    );
  });

  it('has the seeds of the plan, no run that began with other weights, and one set of puzzles', () => {
    const warm = { ...recordOf(mine!, 1, [1, 1]), id: 'mine-seed1-abc', start: 'abc' };
    const more = { ...recordOf(mine!, 2, [1, 1]), id: 'mine-seed2-more' };
    assert.deepEqual(ablationRows(plan, [...records, warm, more]), ablationRows(plan, records));
    const [first] = records.filter(({ experiment: { name } }) => name === 'mine');
    const { train, test } = first!.data;
    for (const data of [
      { train: { ...train, sha256: 'changed' }, test },
      { train, test: { ...test, sha256: 'changed' } },
    ])
      assert.throws(
        () => ablationTable(plan, [...records, { ...more, id: 'mine-seed2-later', data }]),
        inputError(/mine: expected runs on the same puzzles, got mine-seed1 and mine-seed2-later, .* move/),
      );
  });

  it('refuses a run that is given twice, and two experiments of one name', () => {
    assert.throws(() => ablationRows(plan, [...records, records[0]!]), /expected every run once, got .*-seed0 twice/);
    const other = { seed: 0, experiment: { ...longer!, name: 'mine' } };
    assert.throws(() => ablationText([...plan, other]), /two different ones named mine; give one of them another name/);
    for (const none of [undefined, [{}]])
      assert.throws(() => ablationText(none as never), /InputError: plan: expected .*, got/);
  });

  it('says what each row changes, and gives its records in that order', () => {
    const lines = ablationText(plan).split('\n');
    assert.deepEqual(lines.slice(0, 3), [
      'mine: the base; 8 runs, seeds 0, 1',
      'n = 4: model.latentRecursions 2 → 4',
      'w/ ACT: model.halting halt → halt-or-continue',
    ]);
    assert.match(lines[3] ?? '', /^HRM: .*model\.mixer mlp → attention.*training\.emaRate 0\.99 → 0$/);
    assert.deepEqual(
      ablationRecords(plan, records).map(({ seed }) => seed),
      [0, 1, 0, 1, 0],
    );
  });

  it('compares no scores of different puzzles, or of different numbers of them', () => {
    const changed = records.map((record) =>
      record.experiment === longer
        ? { ...record, data: { ...record.data, test: { ...record.data.test, sha256: 'others' } } }
        : record,
    );
    const table = ablationTable(plan, changed);
    assert.match(table, /\| n = 4 \|.* \| 81\.3.* \| – \| – \| 2 \|\n/);
    assert.match(table, /\n\nScored on different puzzles from the base, so not compared: n = 4\.$/);
  });

  it('says what each row is, and its difference to the base, paired by seed', () => {
    const lines = ablationTable(plan, records).split('\n');
    const cells = lines.slice(2, 6).map((line) => line.slice(2, -2).split(' | '));
    assert.deepEqual(cells[0]?.slice(1, 7), ['2', '2', '2', 'mlp', 'no', '12']);
    assert.deepEqual(cells[3]?.slice(1, 7), ['2', '2', '4', 'attention', 'yes', '24']);
    // Both seeds gain a quarter, so nothing is known of the spread.
    assert.deepEqual(cells[1]?.slice(-3), ['+25.0', '1.000', '2']);
    assert.deepEqual(
      cells.map((row) => row.slice(8, 10)),
      [
        ['25.0\u00A0±\u00A00.0\u00A0%', '56.3\u00A0±\u00A08.8\u00A0%'],
        ['37.5\u00A0±\u00A017.7\u00A0%', '81.3\u00A0±\u00A08.8\u00A0%'],
        ['0.0\u00A0%', '25.0\u00A0%'],
        ['not run', 'not run'],
      ],
    );
    assert.match(lines.at(-1) ?? '', /^Share of 300 test puzzles fully solved/);
  });

  it('corrects p for the number of rows', () => {
    const seeds = (of: (typeof plan)[number]['experiment'], ...ends: number[]): RunRecord[] =>
      ends.map((end, seed) => recordOf(of, seed, [end]));
    const three = [...seeds(mine!, 0.5, 0.6), ...seeds(longer!, 0.6, 0.8), ...seeds(act!, 0.6, 0.6)];
    const lines = ablationTable(plan, three).split('\n').slice(2, 6);
    // Differences 0.1, 0.2 and 0.1, 0: t = 3 and 1 with one degree of freedom, p = 0.205 and 0.5. Holm doubles one.
    assert.deepEqual(
      lines.map((line) => line.slice(2, -2).split(' | ').at(-2)),
      ['–', '0.410', '0.500', '–'],
    );
  });

  it('goes into the figure of what accuracy costs', () => {
    const { data } = costVersusAccuracy(ablationRows(plan, records));
    assert.deepEqual(
      data.map(({ name, y }) => [name, y]),
      [
        ['mine', [56.25]],
        ['n = 4', [81.25]],
        ['w/ ACT', [25]],
      ],
    );
  });
});
