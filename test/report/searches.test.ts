/** The table of searches: each number from the record it stands for, nothing from a test set. */
import assert from 'node:assert/strict';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import type { RunRecord } from '../../lib/experiment/record.js';
import { searchTable } from '../../lib/report/searches.js';
import { withoutRuns } from '../../lib/report/tables.js';
import { planSearch } from '../../lib/sweep/plan.js';
import { recordOf } from './records.js';

describe('search table', () => {
  const base = experiment('sudoku-6x6-study');
  const { learningRate: rate, interleavedBatches: batches } = base.training;
  const tries = (rates: readonly number[]): RunRecord['experiment'][] =>
    planSearch(base, [{ part: 'training', field: 'learningRate', values: rates }], 1).map(
      ({ experiment: each }) => each,
    );
  const [slow, own] = tries([rate / 2, rate]) as [RunRecord['experiment'], RunRecord['experiment']];

  it(
    'ranks the tries by validation puzzles, seeds of one try together, ' +
      'and names the settings that are not the experiment’s own',
    () => {
      const { columns, rows } = withoutRuns(
        searchTable([{ ...recordOf(slow, 0, [0.25]), id: 'slow' }, recordOf(own, 0, [0.5]), recordOf(own, 1, [0.75])]),
      );
      assert.deepEqual(columns.slice(0, 4), [
        'experiment',
        'settings, where others than its own',
        'taken',
        'validation puzzles solved',
      ]);
      assert.deepEqual(rows, [
        [base.name, 'as it is', 'yes', '62.5 ± 17.7 %', '62.5 ± 17.7 %', 'constant', '300', '2', '600', '10'],
        [base.name, `training.learningRate ${rate / 2}`, '–', '25.0 %', '25.0 %', 'constant', '300', '1', '600', '10'],
      ]);
    },
  );

  it(
    'knows the experiment that a try of a changed one began with, tells fields that the try lacks, ' +
      'and lists as they are written',
    () => {
      const { interleavedBatches: _, ...before } = base.training;
      const old = {
        ...slow,
        training: {
          ...before,
          supervisionCurriculum: [
            [0.5, 1],
            [0.8, 2],
          ],
        } as const,
      };
      assert.ok(batches !== undefined);
      assert.deepEqual(searchTable([recordOf(old, 0, [0.25])]).rows[0]?.slice(0, 3), [
        base.name,
        'training.supervisionCurriculum [[0.5,1],[0.8,2]], training.interleavedBatches none',
        '–',
      ]);
    },
  );

  it('counts on ARC the tasks that were solved in two tries of the vote, as Table 5 does', () => {
    const tried = planSearch(
      experiment('arc-7x7-study'),
      [{ part: 'training', field: 'steps', values: [5000] }],
      1,
    )[0]!;
    const own = recordOf(tried.experiment, 0, [0.25]);
    const voted = {
      ...own,
      closing: {
        vote: {
          tasks: 20,
          pairs: 26,
          votes: 442,
          passAt: { 1: 0.125, 2: 0.5 },
          exactAccuracy: 0.25,
          supervisionSteps: 4,
          seconds: 1,
        },
      },
    };
    assert.deepEqual(searchTable([voted]).rows[0]?.slice(0, 7), [
      'arc-7x7-study',
      'as it is',
      'yes',
      '50.0 %',
      '25.0 %',
      'constant',
      '20',
    ]);
  });

  it('refuses by name a try that was scored on test puzzles', () => {
    assert.throws(
      () => searchTable([recordOf(change(slow, { evaluation: { split: 'test' } }), 0, [0.25])]),
      /record sudoku-6x6-study-search-.*: expected a try scored on validation puzzles, got test/,
    );
  });
});
