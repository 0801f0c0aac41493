/** The table of failure modes: each number from the record it stands for. */
import assert from 'node:assert/strict';
import { change } from '../../lib/experiment/experiment.js';
import { atEqualCost, rowExperiment } from '../../lib/experiment/rows.js';
import { variant } from '../../lib/experiment/variants.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { failureModeRuns, failureModes } from '../../lib/experiment/failure-modes.js';
import type { RunRecord } from '../../lib/experiment/record.js';
import { learningCurves } from '../../lib/report/study-figures.js';
import { failureModesReport } from '../../lib/report/runs.js';
import { failureModeNotes, failureModesTable, overfittingRows } from '../../lib/report/failure-modes.js';
import { withoutRuns } from '../../lib/report/tables.js';
import { planFailureModes } from '../../lib/sweep/plan.js';
import { recordOf } from './records.js';

const [plain, zero, five, arc, two, four] = failureModeRuns('laptop') as [
  RunRecord['experiment'],
  RunRecord['experiment'],
  RunRecord['experiment'],
  RunRecord['experiment'],
  RunRecord['experiment'],
  RunRecord['experiment'],
];
const [plainBase, direct] = [experiment('sudoku-6x6-study'), variant('direct')];
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
    assert.equal(arc.name, 'arc-10x10-study-trm-attention');
    assert.ok(arc.evaluation.closing.some(({ puzzleIds }) => puzzleIds === 'blank'));
    assert.equal(planFailureModes('laptop', 2).length, 18);
    assert.deepEqual(
      planFailureModes('laptop', 1, ['over-fitting']).map(({ experiment: { name } }) => name),
      ['sudoku-6x6-study-over-fitting-2-layers', 'sudoku-6x6-study-over-fitting-4-layers'],
    );
    assert.deepEqual(
      [two, four].map(({ model: { layers, latentRecursions } }) => [layers, latentRecursions]),
      [
        [2, 6],
        [4, 3],
      ],
    );
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
      ...[rowExperiment(plainBase, direct), atEqualCost(plainBase, direct)!].map((row, i) => ({
        ...recordOf(row, 0, [0, 1]),
        closing: { 'one-blank': scored(0.125 + i / 2) }, // the second is at another budget: no case either
      })),
    ];
    const { rows } = withoutRuns(failureModesTable(records, 'laptop'));
    assert.deepEqual(rows, [
      ['one-blank', 'TRM, ordinary puzzles', '81.3 ± 8.8 %', '75.0 %', '2', '300', '5.0', 'arXiv 2601.10679'],
      ['one-blank', 'TRM, one blank cell', '37.5 ± 17.7 %', '25.0 %', '2', '500', '5.0', 'arXiv 2601.10679'],
      ['one-blank', 'HRM, one blank cell', 'not run', '–', '–', '–', '–', 'arXiv 2601.10679'],
      ['one-blank', 'TRM-Att, one blank cell', 'not run', '–', '–', '–', '–', 'arXiv 2601.10679'],
      ['one-blank', 'direct prediction, one blank cell', '12.5 %', '12.5 %', '1', '300', '–', 'arXiv 2601.10679'],
      ['halting-bias', 'bias −5, the paper’s', '81.3 ± 8.8 %', '75.0 %', '2', '300', '5.0', 'arXiv 2604.21999'],
      ['halting-bias', 'bias 0', 'not run', '–', '–', '–', '–', 'arXiv 2604.21999'],
      ['halting-bias', 'bias +5', '12.5 %', '12.5 %', '1', '300', '1.0', 'arXiv 2604.21999'],
      ['puzzle-id', 'TRM-Att, training examples, own id', '87.5 %', '87.5 %', '1', '300', '–', 'arXiv 2512.11847'],
      ['puzzle-id', 'TRM-Att, training examples, blank id', '3.1 %', '3.1 %', '1', '300', '–', 'arXiv 2512.11847'],
      ['puzzle-id', 'TRM-Att, training examples, another’s id', 'not run', '–', '–', '–', '–', 'arXiv 2512.11847'],
      ['puzzle-id', 'TRM-Att, test pairs, own id', '50.0 %', '50.0 %', '1', '300', '–', 'arXiv 2512.11847'],
      ['puzzle-id', 'TRM-Att, test pairs, blank id', '6.3 %', '6.3 %', '1', '300', '–', 'arXiv 2512.11847'],
      ['puzzle-id', 'TRM-Att, test pairs, another’s id', 'not run', '–', '–', '–', '–', 'arXiv 2512.11847'],
    ]);
    assert.deepEqual(failureModesTable(records, 'smoke').rows, [], 'scales are not mixed');
    assert.equal(failureModesTable(records, 'laptop').rows[0]?.at(-1), `${plain.name}-seed0 ${plain.name}-seed1`);
    assert.equal(failureModes.length, 4);
    const maze = change(experiment('maze-11x11-study'), { variant: 'trm' });
    const [first] = failureModesTable([...records, recordOf(maze, 3, [0, 0])], 'laptop').rows;
    assert.equal(first?.[4], '2', 'another task is no case');
  });

  it('are drawn from the runs made for them, whatever else lies in the folder', () => {
    const [own, maze] = [recordOf(zero, 0, [0, 0.5]), recordOf(experiment('maze-11x11-study'), 0, [0, 1])];
    const { markdown, figure } = failureModesReport('laptop', [maze, own], [own]);
    assert.match(markdown, /^\| halting-bias \| bias 0 \| 50\.0.%/m);
    assert.deepEqual(
      figure.data.map(({ name }) => name),
      [zero.name],
    );
  });

  it('hold the loss of four layers from training to new puzzles against that of two, over training', () => {
    const record = (experiment: RunRecord['experiment'], seed: number, training: number, fresh: number): RunRecord => {
      const made = [0.1, fresh].map((share, i) => ({
        ...scored(share),
        step: 900 * (i + 1),
        training: scored(training),
      }));
      return { ...recordOf(experiment, seed, [0, fresh]), evaluations: made };
    };
    const records = [
      record(two, 0, 0.9, 0.6),
      record(two, 1, 0.9, 0.65),
      record(four, 0, 1, 0.4),
      record(four, 1, 1, 0.5),
      record(four, 2, 1, 0),
    ];
    // the seeds that both have: losses of 0.6 − 0.3 and 0.5 − 0.25 points, new puzzles 0.2 and 0.15
    const notes = failureModeNotes(records, 'laptop').slice(-2);
    assert.match(notes[0] ?? '', /four layers minus two layers: \+27\.5 points, 95 % interval −4\.3 to \+59\.3/);
    assert.match(notes[1] ?? '', /two layers minus four layers: \+17\.5 points/);
    assert.deepEqual(failureModeNotes([], 'laptop').length, 1 + failureModes.length);
    const curves = overfittingRows(records, 'laptop').map(({ row, records: own }) => [
      row.label,
      own[0]?.evaluations.map(({ step, exactAccuracy }) => [step, exactAccuracy.at(-1)]),
    ]);
    const drawn = learningCurves(overfittingRows(records, 'laptop')).data.filter(
      ({ mode }) => mode === 'lines+markers',
    );
    assert.deepEqual(
      drawn.map(({ name }) => name),
      curves.map(([label]) => label),
    );
    assert.deepEqual(curves.slice(0, 2), [
      [
        '2 layers, training puzzles',
        [
          [900, 0.9],
          [1800, 0.9],
        ],
      ],
      [
        '2 layers, new puzzles',
        [
          [900, 0.1],
          [1800, 0.6],
        ],
      ],
    ]);
  });
});
