/** Accuracy by rating: each number from the record it stands for. */
import assert from 'node:assert/strict';
import { experiment } from '../../lib/experiment/experiments.js';
import type { RunRecord } from '../../lib/experiment/record.js';
import { ratingsTable } from '../../lib/report/ratings.js';
import { withoutRuns } from '../../lib/report/tables.js';
import { recordOf } from './records.js';

const desk = experiment('sudoku-extreme-desk');
const scored = (share: number, puzzles = 300): RunRecord['evaluations'][number] => ({
  ...recordOf(desk, 0, [0, share]).evaluations[0]!,
  puzzles,
});

describe('ratings table', () => {
  it('has a row for each band of each model that was asked, seeds together', () => {
    const records = [0, 1].map((seed) => ({
      ...recordOf(desk, seed, [1]),
      closing: { training: scored(1), 'rating-0': scored(0.5 + seed / 4, 40), 'rating-10-49': scored(0.25, 8) },
    }));
    const { rows } = withoutRuns(ratingsTable([...records, recordOf(experiment('sudoku-4x4'), 0, [1])]));
    assert.deepEqual(rows, [
      [desk.name, 'desk', '0', '40', '62.5 ± 17.7 %', '2'],
      [desk.name, 'desk', '10–49', '8', '25.0 ± 0.0 %', '2'],
    ]);
  });
});
