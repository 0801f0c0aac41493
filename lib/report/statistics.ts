/** Means over seeds, what they are worth, and whether two models differ: Student's t, as jStat computes it. */
import { createRequire } from 'node:module';

interface StudentT {
  cdf(t: number, degrees: number): number;
  inv(p: number, degrees: number): number;
}

// jStat is CommonJS and has no types of its own.
const { studentt } = (createRequire(import.meta.url)('jstat') as { readonly jStat: { readonly studentt: StudentT } }).jStat;

/** What n values say of the mean they scatter about. */
export interface Spread {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation; null for one value. */
  readonly deviation: number | null;
  /** 95 % confidence interval of the mean; null for one value. */
  readonly interval: readonly [low: number, high: number] | null;
}

/** Mean, spread and 95 % interval of at least one value. */
export function spreadOf(values: readonly number[]): Spread {
  const n = values.length;
  if (n === 0) throw new RangeError('the spread of no values');
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { n, mean, deviation: null, interval: null };
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const half = (studentt.inv(0.975, n - 1) * deviation) / Math.sqrt(n);
  return { n, mean, deviation, interval: [mean - half, mean + half] };
}

/** A paired t-test. */
export interface PairedTest {
  readonly n: number;
  /** Mean of left − right. */
  readonly difference: number;
  /** Two-sided. */
  readonly p: number;
}

/** Whether left and right differ, pair by pair (same seed); null for fewer than two pairs. Throws RangeError for unequal lengths. */
export function pairedTest(left: readonly number[], right: readonly number[]): PairedTest | null {
  if (left.length !== right.length) throw new RangeError(`expected as many values on both sides, got ${left.length} and ${right.length}`);
  if (left.length < 2) return null;
  const { n, mean, deviation } = spreadOf(left.map((value, i) => value - (right[i] ?? NaN)));
  if (deviation === null || deviation === 0) return { n, difference: mean, p: mean === 0 ? 1 : 0 };
  const t = (mean / deviation) * Math.sqrt(n);
  return { n, difference: mean, p: 2 * (1 - studentt.cdf(Math.abs(t), n - 1)) };
}
