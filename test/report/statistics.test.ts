/** Statistics against values from tables and worked by hand. */
import assert from 'node:assert/strict';
import { InputError } from '../../lib/errors.js';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../../lib/files.js';
import {
  holm,
  pairedTest,
  rankCorrelation,
  sameDistribution,
  samplingError,
  spreadOf,
} from '../../lib/report/statistics.js';

interface Scipy {
  readonly pairs: readonly (Readonly<Record<'left' | 'right', number[]>> &
    Readonly<Record<'difference' | 'low' | 'high' | 'p', number>>)[];
  readonly adjusted: readonly number[];
  readonly ranks: readonly { readonly left: number[]; readonly right: number[]; readonly rho: number }[];
}
const scipy = JSON.parse(
  readFileSync(path.join(projectRoot(), 'test', 'report', 'fixtures', 'statistics-scipy.json'), 'utf8'),
) as Scipy;

describe('statistics', () => {
  it('one value has a mean and nothing else', () => {
    assert.deepEqual(spreadOf([0.5]), { n: 1, mean: 0.5, deviation: null, interval: null });
    assert.throws(() => spreadOf([]), InputError);
    assert.throws(() => spreadOf([0.5, 'a' as never]), InputError);
    assert.throws(() => spreadOf([0.5, NaN]), InputError);
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
    assert.deepEqual(pairedTest([1, 1], [1, 1]), { n: 2, difference: 0, interval: [0, 0], p: 1 });
    const { p, interval, difference } = pairedTest([0.62, 0.6, 0.34], [0.52, 0.5, 0.24])!; // ten points each
    assert.deepEqual([p, interval, difference.toFixed(9)], [1, [-Infinity, Infinity], '0.100000000']);
    assert.throws(() => pairedTest([1, 2], [1]), InputError);
    for (const none of [null, '1', true, NaN]) {
      assert.throws(() => pairedTest([1, 2], [1, none as never]), /right: expected in place 1 a number/);
      assert.throws(() => sameDistribution([none as never], [1]), /left: expected in place 0 a number/);
    }
  });

  it('agrees with SciPy on intervals, p, Holm and ranks (statistics-scipy.json says how it was made)', () => {
    const { pairs, adjusted, ranks } = scipy;
    const tests = pairs.map(({ left, right }) => pairedTest(left, right)!);
    tests.forEach((test, i) => {
      const { difference, low, high, p } = pairs[i]!;
      const ours = [test.difference, ...test.interval, test.p];
      for (const [j, value] of [difference, low, high, p].entries())
        assert.ok(Math.abs(ours[j]! - value) <= 1e-9 + 1e-7 * Math.abs(value), `pair ${i}: ${ours[j]} for ${value}`);
    });
    holm(tests.map(({ p }) => p)).forEach((p, i) => assert.ok(Math.abs(p - adjusted[i]!) < 1e-8));
    for (const { left, right, rho } of ranks) assert.ok(Math.abs(rankCorrelation(left, right)!.rho - rho) < 1e-9);
  });

  it('a rank correlation has the p of all orders of eight ranks, but for what Student’s t leaves out', () => {
    const orders = (items: readonly number[]): number[][] =>
      items.length === 0
        ? [[]]
        : items.flatMap((item) => orders(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
    const ranks = [1, 2, 3, 4, 5, 6, 7, 8];
    const all = orders(ranks);
    // ρ = 1 − 6 Σ d² / (n (n² − 1)) without ties
    const rho = (order: readonly number[]): number =>
      1 - (6 * order.reduce((sum, rank, i) => sum + (rank - ranks[i]!) ** 2, 0)) / (8 * 63);
    for (const order of [
      [3, 1, 2, 7, 8, 5, 4, 6],
      [8, 1, 2, 3, 4, 5, 6, 7],
      [1, 2, 4, 3, 6, 5, 8, 7],
    ]) {
      const tested = rankCorrelation(ranks, order)!;
      const exact = all.filter((other) => Math.abs(rho(other)) >= Math.abs(rho(order)) - 1e-9).length / all.length;
      assert.ok(Math.abs(tested.rho - rho(order)) < 1e-12);
      assert.ok(Math.abs(tested.p - exact) < 0.02, `${tested.p} for ${exact}`);
    }
    assert.deepEqual(rankCorrelation([1, 2, 3], [3, 2, 1]), { rho: -1, p: 0 });
  });

  it('Holm by hand: the smallest of three counts thrice, none becomes smaller than one before it', () => {
    assert.deepEqual(holm([0.04, 0.01, 0.03]), [0.06, 0.03, 0.06]);
    assert.deepEqual(holm([0.9, 0.8]), [1, 1]);
    assert.equal(rankCorrelation([1, 2], [1, 2]), null);
    // ranks that do not vary correlate with nothing: 0 / 0
    assert.equal(rankCorrelation([1, 2, 3], [5, 5, 5]), null);
    assert.equal(rankCorrelation([5, 5, 5], [1, 2, 3]), null);
    assert.equal(samplingError(0.5, 100), 0.05);
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
