/** The table of precisions: runs paired by experiment and seed. */
import assert from 'node:assert/strict';
import { experiment } from '../../lib/experiment/experiments.js';
import type { RunRecord } from '../../lib/experiment/record.js';
import { precisionPairs, precisionTable } from '../../lib/report/precision.js';
import { withoutRuns } from '../../lib/report/tables.js';
import { recordOf } from './records.js';

const scored = (share: number, puzzles = 300): RunRecord['evaluations'][number] => ({
  ...recordOf(experiment('sudoku-6x6'), 0, [0, share]).evaluations[0]!,
  puzzles,
});

describe('precision table', () => {
  it('pairs runs of one experiment and seed in two precisions, evaluation by evaluation', () => {
    const made = (precision: string, seed: number, shares: readonly number[]): RunRecord => {
      const own = recordOf(experiment('sudoku-6x6'), seed, [0]);
      return {
        ...own,
        sittings: [{ ...own.sittings[0]!, precision }],
        evaluations: shares.map((share, i) => ({ ...scored(share, 500), step: 250 * (i + 1) })),
      };
    };
    const records = [made('bf16', 0, [0.25, 0.75]), made('bf16', 1, [0.5, 1]), made('float32', 2, [0, 0])];
    const again = [made('float32', 0, [0.25, 0.5]), made('float32', 1, [0.25, 1]), made('float32', 2, [0, 0])];
    // differences 0 and 25: t = 1, so p = ½ with one degree of freedom
    assert.deepEqual(withoutRuns(precisionTable(records, again)).rows, [
      ['sudoku-6x6', '250', '37.5 ± 17.7 %', '25.0 ± 0.0 %', '+12.5', '0.500', '2', '500'],
      ['sudoku-6x6', '500', '87.5 ± 17.7 %', '75.0 ± 35.4 %', '+12.5', '0.500', '2', '500'],
    ]);
    assert.deepEqual(
      precisionPairs(records, again).map(({ name, bf16, float32 }) => [name, bf16.length, float32.length]),
      [['sudoku-6x6', 2, 2]],
    );
    // differences −50, −49 and −50: t = −149 with two degrees, p = 0.00004
    const sure = [0, 0.01, 0].map(
      (share, seed) => [made('bf16', seed, [share]), made('float32', seed, [0.5])] as const,
    );
    const [row] = precisionTable(
      sure.map(([bf16]) => bf16),
      sure.map(([, float32]) => float32),
    ).rows;
    assert.deepEqual(row?.slice(4, 6), ['−49.7', '< 0.001']);
    assert.throws(
      () => precisionTable(records, [made('bf16', 0, [1])]),
      /data\/precision: expected records of float32 runs/,
    );
  });
});
