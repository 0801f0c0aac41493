/** Metrics on boards scored by hand. */
import assert from 'node:assert/strict';
import { addMetrics, noMetrics, scoreBoard, stepMetrics } from '../../lib/train/metrics.js';

const predictions = Int32Array.of(1, 2, 3, /* */ 1, 9, 9, /* */ 5, 5, 5);
const labels = Int32Array.of(1, 2, 3, /* */ 1, 2, -100, /* */ -100, -100, -100);

describe('metrics', () => {
  it('scores labelled cells only, and calls a board without any exact', () => {
    assert.deepEqual(scoreBoard(predictions, labels, 0, 3), { cells: 3, rightCells: 3, exact: true });
    assert.deepEqual(scoreBoard(predictions, labels, 1, 3), { cells: 2, rightCells: 1, exact: false });
    assert.deepEqual(scoreBoard(predictions, labels, 2, 3), { cells: 0, rightCells: 0, exact: true });
  });

  it('counts a seat for accuracies only when it halts and has a scored cell, and for losses always', () => {
    const result = {
      predictions,
      haltLogits: Float32Array.of(0, 1, 1), // 0 counts as "I am right" here, though halting asks for more than 0
      continueLogits: new Float32Array(3),
      answerLoss: Float64Array.of(0.5, 1, 0),
      haltLoss: Float64Array.of(0.1, 0.2, 0.3),
      continueLoss: new Float64Array(3),
    };
    const after = {
      puzzles: { tokens: labels, labels, puzzleIds: new Int32Array(3) },
      steps: Int32Array.of(4, 2, 16),
      halted: Uint8Array.of(1, 1, 1),
    };
    const all = stepMetrics(result, after);
    assert.deepEqual(
      { ...all, haltLoss: 0 },
      {
        count: 2,
        cellAccuracy: 1.5,
        exactAccuracy: 1,
        haltingAccuracy: 1,
        steps: 6,
        answerLoss: 1.5,
        haltLoss: 0,
        continueLoss: 0,
      },
    );
    const some = stepMetrics(result, { ...after, halted: Uint8Array.of(0, 1, 0) });
    assert.equal(some.count, 1);
    assert.equal(some.answerLoss, 1.5);
    assert.deepEqual(addMetrics(noMetrics, all), all);
  });
});
