/** A run's curve as CSV: every point and every evaluation in the line of its step. */
import assert from 'node:assert/strict';
import { curveCsv } from '../../lib/experiment/curve-csv.js';

describe('curve.csv', () => {
  it('has a line a step, empty where nothing was measured', () => {
    const point = { answerLoss: 1.5, haltLoss: 0.25, exactAccuracy: null, cellAccuracy: 0.5, meanSteps: 2 };
    const scores = { puzzles: 1, supervisionSteps: 2, haltingAccuracy: [0, 1], seconds: 1 };
    assert.equal(
      curveCsv(
        [
          { step: 10, ...point },
          { step: 20, ...point, exactAccuracy: 0 },
        ],
        [{ step: 15, exactAccuracy: [0.5, 0.75], cellAccuracy: [0.8, 0.9], ...scores }],
      ),
      [
        'step,answerLoss,haltLoss,exactAccuracy,cellAccuracy,meanSteps,evaluatedExact,evaluatedCells',
        '10,1.5,0.25,,0.5,2,,',
        '15,,,,,,0.75,0.9',
        '20,1.5,0.25,0,0.5,2,,',
        '',
      ].join('\n'),
    );
  });
});
