/** Which experiments use what the paper has not. */
import assert from 'node:assert/strict';
import { experiment, experiments } from '../../lib/experiment/experiments.js';
import { beyondTable } from '../../lib/report/beyond.js';

describe('options beyond the paper', () => {
  const rows = new Map(beyondTable().rows.map(([name = '', ...options]) => [name, options]));

  it('an experiment at the paper’s scale uses none, a smoke test is not listed', () => {
    for (const { name, scale } of Object.values(experiments))
      if (scale === 'paper' || scale === 'smoke') assert.equal(rows.get(name), undefined, name);
  });

  it('an experiment trained with Muon, first for one step a puzzle, says so', () => {
    const { optimizer, supervisionSteps, supervisionCurriculum } = experiment('sudoku-9x9').training;
    assert.deepEqual([optimizer, supervisionSteps, supervisionCurriculum], ['muon', 4, [[0.6, 1]]]);
    assert.deepEqual(rows.get('sudoku-9x9'), ['muon', '100 %', '1 up to 0.6, then 4', '64', '–']);
  });
});
