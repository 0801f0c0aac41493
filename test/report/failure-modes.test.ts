/** The table of failure modes: each number from the record it stands for. */
import assert from 'node:assert/strict';
import { experiment } from '../../lib/experiment/experiments.js';
import { failureModeRuns, failureModes } from '../../lib/experiment/failure-modes.js';
import type { RunRecord } from '../../lib/experiment/record.js';
import { failureModesTable } from '../../lib/report/failure-modes.js';
import { withoutRuns } from '../../lib/report/tables.js';
import { planFailureModes } from '../../lib/sweep/plan.js';
import { recordOf } from './records.js';

const [plain, zero, five, arc] = failureModeRuns('laptop') as [
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

describe('failure modes', () => {
  it('ask for a single blank cell, for other halting biases, and for the ARC row of Table 5', () => {
    assert.ok(plain.evaluation.closing.some(({ on }) => on === 'one-blank'));
    assert.deepEqual(
      [plain, zero, five].map(({ model }) => model.haltingBias),
      [undefined, 0, 5],
    );
    assert.deepEqual(
      { ...zero, name: '', failureMode: null, model: { ...zero.model, haltingBias: undefined } },
      { ...experiment('sudoku-6x6-study'), name: '', model: { ...zero.model, haltingBias: undefined } },
    );
    assert.equal(arc.name, 'arc-7x7-study-trm-attention');
    assert.ok(arc.evaluation.closing.some(({ puzzleIds }) => puzzleIds === 'blank'));
    assert.equal(planFailureModes('laptop', 2).length, 8);
    assert.deepEqual(
      [plain, zero, five, arc].map(({ failureMode }) => failureMode),
      [null, 'halting-bias-0', 'halting-bias-5', null],
    );
  });

  it('become rows: the share in each case, over seeds, and the steps that training puzzles were given', () => {
    const records = [
      { ...recordOf(plain, 0, [0, 0.75]), closing: { 'one-blank': scored(0.25, 500) }, curve: curve(4) },
      { ...recordOf(plain, 1, [0, 0.875]), closing: { 'one-blank': scored(0.5, 500) }, curve: curve(6) },
      { ...recordOf(five, 0, [0, 0.125]), curve: curve(1) },
      {
        ...recordOf(arc, 0, [0, 0.5]),
        closing: {
          training: scored(0.875),
          'scored-blank-ids': scored(0.0625),
          'training-blank-ids': scored(0.03125),
        },
      },
      recordOf(experiment('sudoku-6x6-study'), 0, [0, 1]), // no case of any
    ];
    const { rows } = withoutRuns(failureModesTable(records, 'laptop'));
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
    assert.deepEqual(failureModesTable(records, 'smoke').rows, [], 'scales are not mixed');
    assert.equal(failureModesTable(records, 'laptop').rows[0]?.at(-1), `${plain.name}-seed0 ${plain.name}-seed1`);
    assert.equal(failureModes.length, 3);
  });
});
