/** Whether a run learned, and whether its halting head says anything: cases worked by hand. */
import assert from 'node:assert/strict';
import { experiment } from '../../lib/experiment/experiments.js';
import { haltingHead, learned } from '../../lib/experiment/learned.js';
import type { Evaluation } from '../../lib/train/evaluate.js';
import { recordOf } from '../report/records.js';

function evaluation(exact: readonly number[], halting: readonly number[], deviation?: number): Evaluation {
  return {
    puzzles: 100,
    supervisionSteps: exact.length,
    exactAccuracy: exact,
    cellAccuracy: exact,
    haltingAccuracy: halting,
    ...(deviation === undefined ? {} : { haltLogit: { mean: [0], deviation: [deviation] } }),
    seconds: 1,
  };
}

describe('learned', () => {
  const base = experiment('sudoku-6x6'); // chance is one cell in six
  const run = (exact: number, cells: number): ReturnType<typeof recordOf> => {
    const record = recordOf(base, 0, [exact]);
    return { ...record, evaluations: [{ ...record.evaluations[0]!, cellAccuracy: [cells] }] };
  };

  it('needs two boards in a hundred and cells above chance, on the mean over seeds', () => {
    assert.equal(learned([run(0.5, 0.9)]), true);
    assert.equal(learned([run(0.01, 0.9)]), false);
    assert.equal(learned([run(0.05, 1 / 6)]), false);
    assert.equal(learned([run(0, 0.5), run(0.06, 0.5)]), true);
    assert.equal(learned([]), false);
  });
});

describe('halting head', () => {
  it('that says the same to every puzzle is right just where they are all solved, or all not', () => {
    assert.equal(haltingHead(evaluation([0.3, 0.9], [0.7, 0.9])), 'constant');
    assert.equal(haltingHead(evaluation([0.3, 0.9], [0.7, 0.95])), 'varies');
    assert.equal(haltingHead(evaluation([0, 1], [1, 1])), 'unknown');
  });

  it('is judged by its logits where they were kept', () => {
    assert.equal(haltingHead(evaluation([0, 1], [1, 1], 0.05)), 'constant');
    assert.equal(haltingHead(evaluation([0.3, 0.9], [0.7, 0.9], 3)), 'varies');
  });
});
