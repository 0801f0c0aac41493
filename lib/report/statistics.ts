/** Means over seeds, what they are worth, and whether two models differ: Student's t, as jStat computes it. */
import { createRequire } from 'node:module';
import { InputError } from '../errors.js';
import { checkValue, listOf, number } from '../fields.js';

interface StudentT {
  cdf(t: number, degrees: number): number;
  inv(p: number, degrees: number): number;
}

// jStat is CommonJS and has no types of its own.
const { studentt, spearmancoeff } = (
  createRequire(import.meta.url)('jstat') as {
    readonly jStat: { readonly studentt: StudentT; spearmancoeff(left: number[], right: number[]): number };
  }
).jStat;

/** What n values say of the mean they scatter about. */
export interface Spread {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation; null for one value. */
  readonly deviation: number | null;
  /** 95 % confidence interval of the mean; null for one value. */
  readonly interval: readonly [low: number, high: number] | null;
}

/** Mean, spread and 95 % interval. Throws InputError for no values. */
export function spreadOf(values: readonly number[]): Spread {
  checkValue('spread', values, listOf(number));
  const n = values.length;
  if (n === 0) throw new InputError('spread: expected at least one value, got none');
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { n, mean, deviation: null, interval: null };
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const half = (studentt.inv(0.975, n - 1) * deviation) / Math.sqrt(n);
  return { n, mean, deviation, interval: [mean - half, mean + half] };
}

/** Shares differ by whole puzzles, so a smaller spread is rounding. */
const rounding = 1e-9;

/** A paired t-test. */
export interface PairedTest {
  readonly n: number;
  /** Mean of left − right, and its 95 % confidence interval. */
  readonly difference: number;
  readonly interval: readonly [low: number, high: number];
  /** Two-sided. */
  readonly p: number;
}

/**
 * Whether left and right differ, paired (same seed); null for fewer than two pairs. If all pairs differ by the same
 * amount, to 1e-9, the spread is unknown: p is 1, and the interval is infinite, or [0, 0] if the amount is 0. Throws
 * InputError for unequal lengths, and for values that are no numbers.
 */
export function pairedTest(left: readonly number[], right: readonly number[]): PairedTest | null {
  checkPairs(left, right);
  if (left.length < 2) return null;
  const { n, mean, deviation, interval } = spreadOf(left.map((value, i) => value - right[i]!));
  if (deviation === null || interval === null || deviation < rounding)
    return { n, difference: mean, interval: Math.abs(mean) < rounding ? [0, 0] : [-Infinity, Infinity], p: 1 };
  const t = (mean / deviation) * Math.sqrt(n);
  return { n, difference: mean, interval, p: 2 * studentt.cdf(-Math.abs(t), n - 1) };
}

function checkPairs(left: readonly number[], right: readonly number[]): void {
  checkValue('left', left, listOf(number));
  checkValue('right', right, listOf(number));
  if (left.length !== right.length)
    throw new InputError(`expected as many values on both sides, got ${left.length} and ${right.length}`);
}

/** Holm's correction: the adjusted p value of each of several tests, in the order given. */
export function holm(values: readonly number[]): number[] {
  const ascending = values.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const corrected = [...values];
  let least = 0;
  ascending.forEach(({ p, index }, rank) => {
    least = Math.max(least, Math.min(1, (values.length - rank) * p));
    corrected[index] = least;
  });
  return corrected;
}

/**
 * Spearman's rank correlation, −1 … 1, and the probability that unrelated ranks correlate as strongly (two-sided, by
 * Student's t); null for fewer than three pairs, and where all values of a side are the same. Throws InputError for
 * unequal lengths.
 */
export function rankCorrelation(
  left: readonly number[],
  right: readonly number[],
): { readonly rho: number; readonly p: number } | null {
  checkPairs(left, right);
  if (left.length < 3 || [left, right].some((side) => new Set(side).size === 1)) return null;
  const [rho, degrees] = [spearmancoeff([...left], [...right]), left.length - 2];
  const p = Math.abs(rho) >= 1 ? 0 : 2 * studentt.cdf(-Math.abs(rho) * Math.sqrt(degrees / (1 - rho ** 2)), degrees);
  return { rho, p };
}

/** Standard error of a share that was counted over so many puzzles, 0 … 1. */
export function samplingError(share: number, puzzles: number): number {
  return Math.sqrt((share * (1 - share)) / puzzles);
}

/** 95 % interval (Wilson's) of a share, 0 … 1, of which `count` of `all` were counted. */
export function binomialInterval(count: number, all: number): readonly [low: number, high: number] {
  const [z, share] = [1.959964, count / all];
  const centre = (share + z ** 2 / (2 * all)) / (1 + z ** 2 / all);
  const half = (z * Math.sqrt((share * (1 - share)) / all + (z / (2 * all)) ** 2)) / (1 + z ** 2 / all);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** A two-sample Kolmogorov–Smirnov test. */
export interface DistributionTest {
  /** Largest distance between the two distribution functions, 0 … 1. */
  readonly distance: number;
  /** Probability of so large a distance between samples of one distribution, for large samples; ties make it larger. */
  readonly p: number;
}

/** Whether two samples may come from one distribution. Throws InputError for an empty one, and what is no number. */
export function sameDistribution(left: readonly number[], right: readonly number[]): DistributionTest {
  checkValue('left', left, listOf(number, 1));
  checkValue('right', right, listOf(number, 1));
  const [a, b] = [left, right].map((values) => [...values].sort((x, y) => x - y)) as [number[], number[]];
  let distance = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const value = Math.min(a[i]!, b[j]!);
    while (a[i] === value) i++;
    while (b[j] === value) j++;
    distance = Math.max(distance, Math.abs(i / a.length - j / b.length));
  }
  const scaled = distance * Math.sqrt((a.length * b.length) / (a.length + b.length));
  let p = 0; // Kolmogorov: 2 Σ (−1)^(k−1) exp(−2 k² λ²)
  for (let k = 1; k <= 100; k++) p += 2 * (-1) ** (k - 1) * Math.exp(-2 * (k * scaled) ** 2);
  return { distance, p: scaled < 0.2 ? 1 : Math.min(1, Math.max(0, p)) };
}
