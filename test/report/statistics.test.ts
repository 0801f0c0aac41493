/** Statistics against values from tables and worked by hand. */
import assert from 'node:assert/strict';
import { pairedTest, sameDistribution, spreadOf } from '../../lib/report/statistics.js';

describe('statistics', () => {
  it('one value has a mean and nothing else', () => {
    assert.deepEqual(spreadOf([0.5]), { n: 1, mean: 0.5, deviation: null, interval: null });
    assert.throws(() => spreadOf([]), RangeError);
  });

  it('the interval is mean ± t · s / √n, with t = 4.303 for three values', () => {
    const { mean, deviation, interval } = spreadOf([1, 2, 3]);
    assert.equal(mean, 2);
    assert.equal(deviation, 1);
    assert.ok(
      interval !== null &&
        Math.abs(interval[0] - (2 - 4.302653 / Math.sqrt(3))) < 1e-5 &&
        Math.abs(interval[1] - (2 + 4.302653 / Math.sqrt(3))) < 1e-5,
    );
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

  it('tells distributions apart as Kolmogorov’s table has it: λ = 1 is p = 0.27, λ = 1.358 is 0.05', () => {
    // eight and eight values, of which half of the right lie beyond all others: distance 1/2, λ = 1/2 · √(64/16) = 1
    const left = [1, 2, 3, 4, 5, 6, 7, 8];
    const { distance, p } = sameDistribution(left, [1, 2, 3, 4, 15, 16, 17, 18]);
    assert.equal(distance, 0.5);
    assert.ok(Math.abs(p - 0.26999967) < 1e-7, String(p));
    assert.deepEqual(sameDistribution(left, left), { distance: 0, p: 1 });
    assert.equal(sameDistribution([1, 1, 1], [2, 2]).distance, 1); // ties go together
    const many = Array.from({ length: 1000 }, (_, i) => i);
    assert.ok(
      Math.abs(
        sameDistribution(
          many,
          many.map((i) => i + 60.7),
        ).p - 0.05,
      ) < 0.003,
    ); // 61 / 1000 · √500 = 1.364
  });
});
