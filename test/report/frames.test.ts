/** Data frames: rows in, groups that leave missing values out, tables out. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { dataFrame, recordRows, tableOfFrame, type FrameRow } from '../../lib/report/frames.js';
import { toMarkdown } from '../../lib/report/tables.js';
import { recordOf } from './records.js';
import { inputError } from '../input-error.js';

/** Of two values of a, one is known, of b none; c has 2, 4 and 9: mean 5, a variance of (9 + 1 + 16) / 2. */
const rows: readonly FrameRow[] = [
  { group: 'a', value: 1 },
  { group: 'a', value: null },
  { group: 'b', value: null },
  ...[2, 4, 9].map((value) => ({ group: 'c', value })),
];

describe('data frames', () => {
  it('rows go in, are grouped, and come out as a table', () => {
    const frame = dataFrame([
      { variant: 'a', exact: 0.25 },
      { variant: 'b', exact: 0.125 },
      { variant: 'a', exact: 0.75 },
    ]);
    const means = frame.groupby(['variant']).col(['exact']).mean();
    assert.equal(
      toMarkdown(tableOfFrame(means, 3)),
      ['| variant | exact_mean |', '| :--- | ---: |', '| a | 0.5 |', '| b | 0.125 |'].join('\n'),
    );
  });

  it('a missing value counts for nothing in a group, and one value has no deviation', () => {
    const values = dataFrame(rows).groupby(['group']).col(['value']);
    assert.deepEqual(values.mean().values, [
      ['a', 1],
      ['b', null],
      ['c', 5],
    ]);
    assert.deepEqual(values.count().values, [
      ['a', 1],
      ['b', 0],
      ['c', 3],
    ]);
    assert.deepEqual(values.var().values, [
      ['a', null],
      ['b', null],
      ['c', 13],
    ]);
    assert.deepEqual(values.min().values, [
      ['a', 1],
      ['b', null],
      ['c', 2],
    ]);
  });

  it('describe leaves missing values out', () => {
    const described = dataFrame(rows.slice(2)).describe();
    assert.deepEqual(described.columns, ['value']);
    assert.deepEqual(described.index, ['count', 'mean', 'std', 'min', 'median', 'max', 'var']);
    assert.deepEqual((described.values as number[][]).flat(), [3, 5, Math.sqrt(13), 2, 4, 9, 13]);
  });

  it('fields of another order keep their values, and no two groups are one', () => {
    const frame = dataFrame([
      { a: 'a-b', b: 'c', value: 1 },
      { value: 2, b: 'b-c', a: 'a' },
    ]);
    const groups = frame.groupby(['a', 'b']);
    assert.deepEqual(groups.col(['value']).sum().values, [
      ['a-b', 'c', 1],
      ['a', 'b-c', 2],
    ]);
    assert.deepEqual(groups.getGroup(['a', 'b-c']).column('value').values, [2]);
  });

  it('rows with other fields than the first are refused, the row named', () => {
    for (const ragged of [{ a: 3, b: 4 }, { b: 1 }, {}, { a: undefined }])
      assert.throws(() => dataFrame([{ a: 1 }, ragged] as never), inputError(/fields of the first, a; row 2 has/));
  });

  it("is a table with rounded numbers where a cell's last value is shown, and so is what danfojs makes of it", () => {
    const frame = dataFrame(rows);
    assert.throws(() => tableOfFrame(frame, -1), /digits: expected a whole number from 0 to 100, got -1/);
    assert.equal(
      inspect(frame.groupby(['group']).col(['value']).std()),
      ['group  value_std', 'a              –', 'b              –', 'c         3.6056'].join('\n'),
    );
    assert.match(inspect(dataFrame(Array.from({ length: 52 }, (_, i) => ({ i })))), /\n49\n… and 2 more rows$/);
  });

  it('records come as rows in the words of the paper', () => {
    const withAct = change(experiment('sudoku-extreme-paper'), { model: { halting: 'halt-or-continue' } });
    const [row] = recordRows([recordOf(withAct, 3, [0.25, 0.5])]);
    const { T, n, layers, mixer, act, depth, seed, firstCycle, lastCycle } = row ?? assert.fail();
    assert.deepEqual(
      { T, n, layers, mixer, act, depth, seed, firstCycle, lastCycle },
      { T: 3, n: 6, layers: 2, mixer: 'mlp', act: true, depth: 42, seed: 3, firstCycle: 0.25, lastCycle: 0.5 },
    );
    const record = recordOf(withAct, 3, [0.25, 0.5]);
    const again = {
      ...record,
      sittings: record.sittings.map((sitting) => ({ ...sitting, precision: 'bf16' as const })),
    };
    assert.deepEqual(
      recordRows([record, again]).map(({ precision }) => precision),
      ['float32', 'bf16'],
    );
    assert.throws(() => recordRows([record, record]), /expected every run once, got .*-seed3 in float32 twice/);
  });
});
