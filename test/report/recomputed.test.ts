/**
 * Verdicts of two tables once more by another way: from the files of data/runs, with Student's t as an integral over
 * its density and a correction that is written as Holm has it in words.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../../lib/files.js';
import { readRecords } from '../../lib/experiment/record.js';
import { orderings } from '../../lib/report/orderings.js';
import { rawWeightsText } from '../../lib/report/raw-weights.js';
import { paperTableRows } from '../../lib/report/paper-rows.js';
import { tableBases } from '../../lib/sweep/plan.js';

/** P(|T| > t) with so many degrees of freedom: what the density has beyond t, by Simpson's rule in u = 1 / x. */
function tailOf(t: number, degrees: number): number {
  const density = (x: number): number => (1 + (x * x) / degrees) ** (-(degrees + 1) / 2);
  const integral = (f: (x: number) => number, from: number, to: number): number => {
    const [n, h] = [2_000, (to - from) / 2_000];
    let sum = f(from) + f(to);
    for (let i = 1; i < n; i++) sum += (i % 2 === 1 ? 4 : 2) * f(from + i * h);
    return (sum * h) / 3;
  };
  const beyond = (limit: number): number =>
    integral((u) => (u === 0 ? 0 : density(1 / u) / u ** 2), 0, 1 / Math.max(limit, 1)) +
    (limit < 1 ? integral(density, limit, 1) : 0);
  return beyond(t) / beyond(0);
}

/** The t that is exceeded in one case of twenty, by halving. */
function criticalValue(degrees: number): number {
  let [low, high] = [0, 100];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (tailOf(middle, degrees) > 0.05) low = middle;
    else high = middle;
  }
  return low;
}

type Raw = { readonly experiment: { readonly name: string }; readonly seed: number } & Readonly<
  Record<'evaluations', readonly { readonly exactAccuracy: readonly number[] }[]>
> & { readonly closing: Readonly<Record<string, { readonly exactAccuracy: readonly number[] }>> };

describe('verdicts recomputed', () => {
  const folder = path.join(projectRoot(), 'data', 'runs');
  const raw = readdirSync(folder)
    .filter((file) => file.startsWith('sudoku-6x6-study-') && file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Raw);
  /** Shares by seed of the runs of one name, of their averaged or their raw weights. */
  const sharesOf = (name: string, seeds: number, weights: 'averaged' | 'raw' = 'averaged'): Map<number, number> =>
    new Map(
      raw
        .filter(({ experiment, seed }) => experiment.name === `sudoku-6x6-study-${name}` && seed < seeds)
        .map(({ seed, evaluations, closing }) => [
          seed,
          (weights === 'raw' ? closing['raw-weights'] : evaluations.at(-1))!.exactAccuracy.at(-1)!,
        ]),
    );

  it('knows the critical values of the tables: 2.776 for four degrees, 2.262 for nine', () => {
    assert.ok(Math.abs(criticalValue(4) - 2.776445) < 1e-5, String(criticalValue(4)));
    assert.ok(Math.abs(criticalValue(9) - 2.262157) < 1e-5, String(criticalValue(9)));
  });

  for (const [table, count] of [
    [1, 9],
    [4, 4],
  ] as const)
    it(`Table ${table}: differences and intervals of the weights as trained`, () => {
      const [base] = tableBases(table, 'laptop');
      const rows = paperTableRows(table, base!, readRecords('data/runs'));
      const lines = rawWeightsText(rows)
        .split('\n')
        .filter((line) => line.startsWith('| '))
        .slice(3) // the head, the rule and the first row
        .map((line) => line.slice(2, -2).split(' | '));
      assert.equal(lines.length, count, 'every row but the one that is of raw weights anyway, and those at equal cost');
      for (const [label = '', , difference, interval, seeds] of lines) {
        const row = rows.find(({ row: { label: own } }) => label.replace(/, [\d,]+ steps$/, '') === own)!;
        const name = `${row.variant}${label.endsWith(' steps') ? '-equal-cost' : ''}`;
        const [left, right] = [sharesOf('trm', Number(seeds), 'raw'), sharesOf(name, Number(seeds), 'raw')];
        assert.deepEqual([left.size, right.size], [Number(seeds), Number(seeds)], label);
        const differences = [...left].map(([seed, share]) => 100 * (share - right.get(seed)!));
        const mean = differences.reduce((sum, each) => sum + each, 0) / left.size;
        const variance = differences.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (left.size - 1);
        const half = criticalValue(left.size - 1) * Math.sqrt(variance / left.size);
        const printed = [difference!, ...interval!.split(' to ')].map((text) => Number(text.replace('−', '-')));
        [mean, mean - half, mean + half].forEach((value, i) =>
          assert.ok(Math.abs(value - printed[i]!) < 0.0501, `${label}: ${printed[i]} for ${value}`),
        );
      }
    });

  for (const [table, seeds] of [
    [1, 10],
    [4, 5],
  ] as const)
    it(`Table ${table}: differences, intervals and p of every judged ordering`, () => {
      const [base] = tableBases(table, 'laptop');
      const rows = paperTableRows(table, base!, readRecords('data/runs'));
      const judged = orderings(rows).filter(({ p }) => p !== null);
      const nameOf = (label: string): string => rows.find(({ row }) => row.label === label)!.variant;
      const shares = (label: string): Map<number, number> =>
        nameOf(label) === 'trm-no-ema' ? sharesOf('trm', seeds, 'raw') : sharesOf(nameOf(label), seeds);
      const again = judged.map(({ better, worse }) => {
        const [left, right] = [shares(better), shares(worse)];
        assert.deepEqual([left.size, right.size], [seeds, seeds], `${better}, ${worse}`);
        const differences = [...left].map(([seed, share]) => share - right.get(seed)!);
        const mean = differences.reduce((sum, each) => sum + each, 0) / seeds;
        const variance = differences.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (seeds - 1);
        const error = Math.sqrt(variance / seeds);
        return { mean, half: criticalValue(seeds - 1) * error, p: tailOf(Math.abs(mean / error), seeds - 1) };
      });
      assert.ok(table !== 1 || judged.length >= 7, `only ${judged.length} orderings are judged`);
      judged.forEach(({ worse, ours, p }, i) => {
        const { mean, half, p: plain } = again[i]!;
        const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 + 1e-4 * Math.abs(b);
        assert.ok(close(ours!.difference, mean), worse);
        assert.ok(close(ours!.interval[0], mean - half) && close(ours!.interval[1], mean + half), worse);
        assert.ok(close(ours!.p, plain), `${worse}: p ${ours!.p} for ${plain}`);
        // A p counts as often as there are p values that are no smaller, and no less than a smaller one does.
        const counted = again
          .filter((other) => other.p <= plain)
          .map((other) => Math.min(1, other.p * again.filter((third) => third.p >= other.p).length));
        assert.ok(close(p!, Math.max(...counted)), `${worse}: corrected p ${p} for ${Math.max(...counted)}`);
      });
    });
});
