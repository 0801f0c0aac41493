/** Statistics against values from tables and worked by hand. */
import assert from 'node:assert/strict';
import { pairedTest, spreadOf } from '../../lib/report/statistics.js';

describe('statistics', () => {
  it('one value has a mean and nothing else', () => {
    assert.deepEqual(spreadOf([0.5]), { n: 1, mean: 0.5, deviation: null, interval: null });
    assert.throws(() => spreadOf([]), RangeError);
  });

  it('the interval is mean ± t · s / √n, with t = 4.303 for three values', () => {
    const { mean, deviation, interval } = spreadOf([1, 2, 3]);
    assert.equal(mean, 2);
    assert.equal(deviation, 1);
    assert.ok(interval !== null && Math.abs(interval[0] - (2 - 4.302653 / Math.sqrt(3))) < 1e-5 && Math.abs(interval[1] - (2 + 4.302653 / Math.sqrt(3))) < 1e-5);
  });

  it('a paired test has the p of the table: t = 4.303 with two degrees is 0.05', () => {
    // differences with mean t·s/√3: 1 − d, 1, 1 + d has s = d, t = √3/d
    const d = Math.sqrt(3) / 4.302653;
    const test = pairedTest([1 - d, 1, 1 + d], [0, 0, 0]);
    assert.ok(test !== null && Math.abs(test.p - 0.05) < 1e-6 && Math.abs(test.difference - 1) < 1e-12);
  });

  it('says nothing of fewer than two pairs, and does not divide by a spread of nothing', () => {
    assert.equal(pairedTest([1], [0]), null);
    assert.deepEqual(pairedTest([1, 1], [1, 1]), { n: 2, difference: 0, p: 1 });
    assert.throws(() => pairedTest([1, 2], [1]), RangeError);
  });
});
