/**
 * Tables of lessons and searches: each number from the record it stands for, nothing from a test set where something
 * was chosen.
 */
import assert from 'node:assert/strict';
import { change, experiment } from '../../lib/experiment/experiment.js';
import { failureRuns, failures, isFailure, planFailures } from '../../lib/sweep/failures.js';
import { planSearch } from '../../lib/sweep/plan.js';
import type { RunRecord } from '../../lib/experiment/record.js';
import {
  failuresTable,
  precisionPairs,
  precisionTable,
  ratingsTable,
  searchTable,
  withoutRuns,
} from '../../lib/report/lessons.js';
import { recordOf } from './records.js';

const [plain, zero, five, arc] = failureRuns('laptop') as [
  RunRecord['experiment'],
  RunRecord['experiment'],
  RunRecord['experiment'],
  RunRecord['experiment'],
];
const scored = (share: number, puzzles = 300): RunRecord['evaluations'][number] => ({
  ...recordOf(plain, 0, [0, share]).evaluations[0]!,
  puzzles,
});
const curve = (meanSteps: number): RunRecord['curve'] => [
  { step: 1, answerLoss: 1, haltLoss: 1, exactAccuracy: null, cellAccuracy: null, meanSteps },
];

describe('lessons', () => {
  it('ask for a single blank cell, for other halting biases, and for the ARC row of Table 5', () => {
    assert.deepEqual(plain.evaluation.probes, { kinds: ['one-blank'], puzzles: 500 });
    assert.deepEqual(
      [plain, zero, five].map(({ model }) => model.haltingBias),
      [undefined, 0, 5],
    );
    assert.deepEqual(
      { ...zero, name: '', model: { ...zero.model, haltingBias: undefined } },
      { ...experiment('sudoku-6x6-study'), name: '', model: { ...zero.model, haltingBias: undefined } },
    );
    assert.equal(arc.name, 'arc-7x7-study-trm-attention');
    assert.equal(arc.evaluation.otherIds, true);
    assert.equal(planFailures('laptop', 2).length, 8);
    assert.deepEqual(
      [plain, arc].map((each) => isFailure(recordOf(each, 0, [1]))),
      [true, false],
    );
  });

  it('become rows: the share in each case, over seeds, and the steps that training puzzles were given', () => {
    const records = [
      { ...recordOf(plain, 0, [0, 0.75]), probes: { 'one-blank': scored(0.25, 500) }, curve: curve(4) },
      { ...recordOf(plain, 1, [0, 0.875]), probes: { 'one-blank': scored(0.5, 500) }, curve: curve(6) },
      { ...recordOf(five, 0, [0, 0.125]), curve: curve(1) },
      {
        ...recordOf(arc, 0, [0, 0.5]),
        onTraining: scored(0.875),
        otherIds: { blank: { scored: scored(0.0625), training: scored(0.03125) } },
      },
      recordOf(experiment('sudoku-6x6-study'), 0, [0, 1]), // no lesson
    ];
    const { rows } = withoutRuns(failuresTable(records, 'laptop'));
    assert.deepEqual(rows, [
      ['one-blank', 'ordinary puzzles', '81.3 ± 8.8 %', '2', '300', '5.0', 'arXiv 2601.10679'],
      ['one-blank', 'one blank cell', '37.5 ± 17.7 %', '2', '500', '5.0', 'arXiv 2601.10679'],
      ['halting-bias', 'bias −5, the paper’s', '81.3 ± 8.8 %', '2', '300', '5.0', 'arXiv 2604.21999'],
      ['halting-bias', 'bias 0', 'not run', '–', '–', '–', 'arXiv 2604.21999'],
      ['halting-bias', 'bias +5', '12.5 %', '1', '300', '1.0', 'arXiv 2604.21999'],
      ['puzzle-id', 'training examples, own id', '87.5 %', '1', '300', '–', 'arXiv 2512.11847'],
      ['puzzle-id', 'training examples, blank id', '3.1 %', '1', '300', '–', 'arXiv 2512.11847'],
      ['puzzle-id', 'training examples, another’s id', 'not run', '–', '–', '–', 'arXiv 2512.11847'],
      ['puzzle-id', 'test pairs, own id', '50.0 %', '1', '300', '–', 'arXiv 2512.11847'],
      ['puzzle-id', 'test pairs, blank id', '6.3 %', '1', '300', '–', 'arXiv 2512.11847'],
      ['puzzle-id', 'test pairs, another’s id', 'not run', '–', '–', '–', 'arXiv 2512.11847'],
    ]);
    assert.deepEqual(failuresTable(records, 'smoke').rows, [], 'scales are not mixed');
    assert.equal(failuresTable(records, 'laptop').rows[0]?.at(-1), `${plain.name}-seed0 ${plain.name}-seed1`);
    assert.equal(failures.length, 3);
  });
});

describe('ratings table', () => {
  it('has a row for each band of each model that was asked, seeds together', () => {
    const records = [0, 1].map((seed) => ({
      ...recordOf(plain, seed, [1]),
      probes: { 'one-blank': scored(1), 'rating 0': scored(0.5 + seed / 4, 40), 'rating 10-49': scored(0.25, 8) },
    }));
    const { rows } = withoutRuns(ratingsTable([...records, recordOf(zero, 0, [1])]));
    assert.deepEqual(rows, [
      [plain.name, 'laptop', '0', '40', '62.5 ± 17.7 %', '2'],
      [plain.name, 'laptop', '10-49', '8', '25.0 ± 0.0 %', '2'],
    ]);
  });
});

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
        searchTable([recordOf(slow, 0, [0.25]), recordOf(own, 0, [0.5]), recordOf(own, 1, [0.75])]),
      );
      assert.deepEqual(columns.slice(0, 4), [
        'experiment',
        'settings, where others than its own',
        'taken',
        'validation puzzles solved',
      ]);
      assert.deepEqual(rows, [
        [base.name, 'as it is', 'yes', '62.5 ± 17.7 %', '62.5 ± 17.7 %', '300', '2', '600', '10'],
        [base.name, `training.learningRate ${rate / 2}`, '–', '25.0 %', '25.0 %', '300', '1', '600', '10'],
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
        name: 'sudoku-6x6-study-0a1b2c3d-search-learningRate-1',
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
        'training.interleavedBatches none, training.supervisionCurriculum [[0.5,1],[0.8,2]]',
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
      evaluations: [
        {
          ...own.evaluations[0]!,
          arc: {
            tasks: 20,
            pairs: 26,
            votes: 442,
            passAt: { 1: 0.125, 2: 0.5 },
            exactAccuracy: 0.25,
            supervisionSteps: 4,
            seconds: 1,
          },
        },
      ],
    };
    assert.deepEqual(searchTable([voted]).rows[0]?.slice(0, 6), [
      'arc-7x7-study',
      'as it is',
      'yes',
      '50.0 %',
      '25.0 %',
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

describe('precision table', () => {
  it('pairs runs of one experiment and seed in two precisions, evaluation by evaluation', () => {
    const made = (precision: string, seed: number, shares: readonly number[]): RunRecord => {
      const own = recordOf(experiment('sudoku-6x6'), seed, [0]);
      return {
        ...own,
        provenance: { ...own.provenance, precision },
        evaluations: shares.map((share, i) => ({ ...scored(share, 500), step: 250 * (i + 1) })),
      };
    };
    const records = [made('bf16', 0, [0.25, 0.75]), made('bf16', 1, [0.5, 1]), made('float32', 2, [0, 0])];
    const again = [made('float32', 0, [0.25, 0.5]), made('float32', 1, [0.25, 1]), made('float32', 2, [0, 0])];
    // differences 0 and 25: t = 1, so p = ½ with one degree of freedom
    assert.deepEqual(withoutRuns(precisionTable(records, again)).rows, [
      ['sudoku-6x6', '250', '37.5 ± 17.7 %', '25.0 ± 0.0 %', '12.5', '0.500', '2', '500'],
      ['sudoku-6x6', '500', '87.5 ± 17.7 %', '75.0 ± 35.4 %', '12.5', '0.500', '2', '500'],
    ]);
    assert.deepEqual(
      precisionPairs(records, again).map(({ name, bf16, float32 }) => [name, bf16.length, float32.length]),
      [['sudoku-6x6', 2, 2]],
    );
    assert.throws(
      () => precisionTable(records, [made('bf16', 0, [1])]),
      /data\/precision: expected records of float32 runs/,
    );
  });
});
