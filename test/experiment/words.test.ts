/** The paper's words T, n, N_sup, act, and its rows by id, stand for the long names everywhere. */
import assert from 'node:assert/strict';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { variantExperiment } from '../../lib/experiment/rows.js';
import { longNames } from '../../lib/experiment/words.js';
import { inputError } from '../input-error.js';

const base = experiment('sudoku-smoke');

describe("the paper's words", () => {
  it('T, n, N_sup and act are the long names', () => {
    const { model } = change(base, { model: { T: 2, n: 4, N_sup: 8, act: true } });
    assert.deepEqual(
      [model.deepRecursions, model.latentRecursions, model.supervisionSteps, model.halting],
      [2, 4, 8, 'halt-or-continue'],
    );
    assert.equal(change(base, { model: { act: false } }).model.halting, 'halt');
    assert.ok(!('T' in model) && !('act' in model), 'a record has the long names alone');
  });

  it('a row is its model and training at the base’s size, with a name of its own', () => {
    const hrm = change(base, { variant: 'hrm' });
    assert.deepEqual([hrm.name, hrm.variant, hrm.model.recursion], ['sudoku-smoke-hrm', 'hrm', 'hrm']);
    assert.deepEqual([hrm.model.hiddenSize, hrm.training.emaRate, hrm.training.steps], [16, 0, base.training.steps]);
    assert.deepEqual(hrm, variantExperiment(base, { id: 'hrm' }));
    assert.equal(change(base, { variant: 'hrm', model: { T: 1 } }).model.deepRecursions, 1, 'changes come on top');
  });

  it('are refused where both names are said, with the nearest known name where there is none', () => {
    for (const [changes, message] of [
      [{ model: { T: 2, deepRecursions: 3 } }, /expected T or deepRecursions, which are one, got both/],
      [{ model: { act: 'yes' } }, /model\.act: expected true or false, got "yes"/],
      [{ model: { T: 0 } }, /deepRecursions: expected a whole number from 1 to 64, got 0/],
      [{ variant: 'hmr' }, /variant: expected one of hrm, .*got "hmr" \(did you mean hrm\?\)/],
      [{ model: { layrs: 3 } }, /unknown field layrs \(did you mean layers\?\)/],
      [{ model: 'attention' }, /model: expected an object of changes, or nothing, got "attention"/],
      [{ model: null }, /model: expected an object of changes, or nothing, got null/],
      [{ variant: 5 }, /variant: expected text, or null, or nothing, got 5/],
      [{ name: '..' }, /name: expected a name without slashes, of .* on one line, or nothing, got ".."/],
      [{ training: { steps: {} } }, /steps: .*got an object/],
      [{ evaluation: { every: { a: 1 } } }, /evaluation: every: expected a whole number from 0, got an object/],
    ] as const)
      assert.throws(() => change(base, changes as object), inputError(message), String(message));
    assert.deepEqual(Object.keys(longNames(JSON.parse('{"__proto__": 1}') as Record<string, unknown>)), ['__proto__']);
  });
});
