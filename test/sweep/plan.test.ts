/** Plans of runs: whole tables, paired seeds, and searches that never see a test puzzle. */
import assert from 'node:assert/strict';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import {
  planAblation,
  planFailureModes,
  plannedSeeds,
  planSearch,
  planTable,
  tableBases,
  type SearchAxis,
} from '../../lib/sweep/plan.js';
import { runCost } from '../../lib/experiment/cost.js';
import { variantExperiment } from '../../lib/experiment/rows.js';
import { rowsOfTable, variant } from '../../lib/experiment/variants.js';
import { initialParameters } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';

describe('plans', () => {
  it('a table is every row with every seed, a whole table after the other', () => {
    const rows = rowsOfTable(1).length;
    const plan = planTable(1, 'laptop', 3);
    assert.equal(plan.length, 3 * rows);
    assert.deepEqual(
      plan.slice(0, rows).map(({ seed }) => seed),
      new Array(rows).fill(0),
    );
    assert.deepEqual(new Set(plan.map(({ experiment: { scale } }) => scale)), new Set(['laptop']));
    assert.equal(new Set(plan.map(({ experiment: { name }, seed }) => `${name} ${seed}`)).size, plan.length);
  });

  it('refuses a number of seeds that there cannot be', () => {
    for (const seeds of [0, -3, 2.5, NaN]) {
      const refused = { name: 'InputError', message: `seeds: expected a whole number from 1, got ${seeds}` };
      assert.throws(() => planTable(1, 'laptop', seeds), refused);
      assert.throws(() => planSearch(experiment('sudoku-6x6-study'), [], seeds), refused);
      assert.throws(() => planFailureModes('laptop', seeds), refused);
    }
    assert.throws(() => planSearch(undefined as never, [], 1), /experiment: expected one, such as/);
    assert.throws(() => planAblation(undefined as never, []), /experiment: expected one, such as/);
    assert.throws(() => planSearch(experiment('sudoku-6x6-study'), {} as never, 1), /axes: expected a list/);
    for (const axis of [{ part: 'modle' }, { values: [] }, { value: [1] }])
      assert.throws(
        () =>
          planSearch(
            experiment('sudoku-6x6-study'),
            [{ part: 'model', field: 'layers', values: [1], ...axis } as SearchAxis],
            1,
          ),
        /^InputError: axis of a search: /,
      );
    const axis = { part: 'model', field: 'layers', values: [1] } as const;
    const twice = { ...axis, values: [2, 2] };
    for (const [axes, says] of [
      [[axis, { ...axis, values: [2] }], /search: expected model\.layers once, got it twice/],
      [[twice], /search: expected different values of model\.layers, got \[2, 2\]/],
    ] as const)
      assert.throws(() => planSearch(experiment('sudoku-6x6-study'), axes, 1), says);
    assert.throws(
      () => planFailureModes('desk', 1),
      /^InputError: failure modes: expected scale smoke or laptop, got desk$/,
    );
  });

  it('Table 1 at the desk has the paper’s recursions, three seeds, and no runs of its own for the raw weights', () => {
    const base = experiment('sudoku-extreme-desk-study');
    assert.deepEqual(tableBases(1, 'desk').at(-1), base);
    assert.deepEqual([base.model.deepRecursions, base.model.latentRecursions], [3, 6]);
    assert.equal(plannedSeeds(1, base), 3);
    const plan = planTable(1, 'desk', 3, undefined, { base: base.name });
    const atOtherRates = plan.filter(({ experiment: { name } }) => name.endsWith('-base-rate'));
    assert.deepEqual(
      atOtherRates.map(({ experiment: { variant: id, training } }) => [id, training.learningRate]),
      [0, 1, 2].flatMap(() =>
        ['trm-act', 'trm-separate-nets', 'trm-t2-n2'].map((id) => [id, base.training.learningRate]),
      ),
    );
    assert.equal(plan.length - atOtherRates.length, 3 * (rowsOfTable(1).length - 1));
    assert.ok(plan.every(({ experiment: { base: name, variant: id } }) => name === base.name && id !== 'trm-no-ema'));
  });

  it('rows can be picked, and a row that the table has not is refused with those it has', () => {
    assert.deepEqual(
      planTable(1, 'laptop', 1, ['hrm', 'trm']).map(({ experiment: { variant: id } }) => id),
      ['hrm', 'trm'],
    );
    assert.throws(
      () => planTable(2, 'laptop', 1, ['hrm']),
      /expected rows among trm, trm-multi-z, trm-multi-z-7, trm-single-z, got hrm/,
    );
    assert.deepEqual(
      planTable(4, 'laptop', 1, ['direct'], { base: 'maze-11x11-study' }).map(({ experiment: { name } }) => name),
      ['maze-11x11-study-direct'],
    );
    assert.throws(
      () => planTable(4, 'laptop', 1, undefined, { base: 'maze-12x12' }),
      /expected a base among sudoku-6x6-study, maze-11x11-study, got maze-12x12/,
    );
    for (const [only, choice, says] of [
      ['trm', {}, /only: expected a list of at least 1, or nothing, got "trm"/],
      [[], {}, /only: expected a list of at least 1, or nothing, got \[\]/],
      [undefined, { budget: 'costs' }, /budget: expected steps or cost, or nothing, got "costs"/],
      [undefined, { bases: 'x' }, /unknown field bases \(did you mean base\?\)/],
    ] as const)
      assert.throws(() => planTable(1, 'laptop', 1, only as never, choice as never), says);
    assert.throws(() => planTable(6 as never, 'laptop', 1), /table: expected 1, 2, 3, 4 or 5, got 6/);
    assert.throws(() => tableBases(1, 'huge'), /expected one of smoke, laptop, desk, paper, got huge/);
    for (const table of [2, 3, 5] as const)
      assert.throws(
        () => tableBases(table, 'desk'),
        /expected one of the scales smoke, laptop, paper, for which there/,
      );
  });

  it('at equal cost a table is the rows that cost less a step, each for as many FLOP as the base', () => {
    const [base] = tableBases(1, 'laptop');
    const ids = ['trm-t2-n2', 'trm-one-step-gradient'];
    const plan = planTable(1, 'laptop', 2, undefined, { budget: 'cost' });
    assert.deepEqual(plan.map(({ experiment: { variant: id } }) => id).sort(), [...ids, ...ids].sort());
    const [direct] = planTable(4, 'laptop', 1, ['direct'], { budget: 'cost' });
    const { training } = runCost(variantExperiment(base!, variant('trm')));
    for (const { experiment: longer } of [...plan, direct!])
      assert.ok(Math.abs(runCost(longer).training / training - 1) < 1e-3, longer.name);
    assert.throws(
      () => planTable(2, 'laptop', 1, undefined, { budget: 'cost' }),
      /expected rows that are run at equal cost, got none/,
    );
  });

  it("an ablation of one's own is the base and every row with every seed, in the paper's words", () => {
    const base = experiment('sudoku-4x4');
    const plan = planAblation(base, ['hrm', { name: 'deeper', model: { T: 3, n: 6, act: true } }], [4, 7]);
    assert.deepEqual(
      plan.map(({ experiment: { name, variant: id }, seed }) => [name, id, seed]),
      [4, 7].flatMap((seed) => [
        ['sudoku-4x4', null, seed],
        ['sudoku-4x4-hrm', 'hrm', seed],
        ['deeper', null, seed],
      ]),
    );
    assert.deepEqual(
      planAblation(base, []).map(({ seed }) => seed),
      [0, 1],
    );
    const { deepRecursions, latentRecursions, halting } = plan[2]!.experiment.model;
    assert.deepEqual([deepRecursions, latentRecursions, halting], [3, 6, 'halt-or-continue']);
    assert.deepEqual(plan[1]?.experiment.model, variantExperiment(base, variant('hrm')).model);
    for (const [rows, seeds, says] of [
      [['hmr'], [0], /hrm/],
      [[{ name: 'sudoku-4x4', model: { n: 3 } }], [0], /a name of its own/],
      [[{ name: 'w/ more', model: { n: 3 } }], [0], /without slashes/],
      [[{ name: 'both', model: { n: 3, latentRecursions: 3 } }], [0], /n.*latentRecursions|latentRecursions.*n/],
      [[], [-1], /seeds: expected in place 0 a whole number from 0, got \[-1\]/],
      [[], [], /seeds: expected a list of at least 1, got \[\]/],
      [[], [3, 3], /seeds: expected each seed once, got \[3, 3\]/],
      [[], 3, /seeds: expected a list of at least 1, got 3/],
      ['trm-act', [0], /ablation: expected a list, got "trm-act"/],
      [[undefined], [0], /ablation: expected in place 0 the id of a row, or changes with a name, got \[undefined\]/],
    ] as const)
      assert.throws(() => planAblation(base, rows as never, seeds as never), says);
    const onValidation = change(base, { evaluation: { split: 'validation' } });
    assert.throws(
      () => planAblation(onValidation, []),
      /^InputError: ablation of sudoku-4x4: expected a task with validation puzzles, got none; set /,
    );
  });

  it('a row keeps the task, the size and the budget of its base', () => {
    const base = experiment('sudoku-6x6');
    const { task, model, training, evaluation } = variantExperiment(base, variant('trm-no-ema'));
    assert.deepEqual([task, evaluation, model], [base.task, base.evaluation, base.model]);
    assert.deepEqual(training, { ...base.training, emaRate: 0 });
  });

  it('one seed gives variants the same initial weights where names and shapes agree', () => {
    const base = experiment('sudoku-6x6');
    const weights = ['trm', 'trm-4-layers'].map((id) =>
      initialParameters(variantExperiment(base, variant(id)).model, new Random(1).fork('weights')),
    );
    const shared = [...weights[0]!].filter(
      ([name, { shape }]) => JSON.stringify(weights[1]!.get(name)?.shape) === JSON.stringify(shape),
    );
    assert.ok(shared.length >= 8);
    for (const [name, { data }] of shared) assert.deepEqual(data, weights[1]!.get(name)!.data, name);
  });

  it('a search is every combination, scored on validation puzzles only', () => {
    const axes = [
      { part: 'training', field: 'learningRate', values: [1e-3, 2e-3] },
      { part: 'model', field: 'layers', values: [1, 2] },
    ] as const;
    const plan = planSearch(experiment('sudoku-6x6'), axes, 2);
    assert.equal(plan.length, 8);
    assert.ok(plan.every(({ experiment: { evaluation } }) => evaluation.split === 'validation'));
    assert.deepEqual(
      plan.slice(0, 4).map(({ experiment: { training, model } }) => [training.learningRate, model.layers]),
      [
        [1e-3, 1],
        [1e-3, 2],
        [2e-3, 1],
        [2e-3, 2],
      ],
    );
    assert.deepEqual(
      [...new Set(plan.map(({ experiment: { name, base } }) => `${name} of ${base}`))],
      ['sudoku-6x6-search of sudoku-6x6'],
    );
    for (const [base, field] of [
      [experiment('sudoku-4x4'), 'validationPuzzles'],
      [experiment('arc-smoke', { task: { validationTasks: 0 } }), 'validationTasks'],
      [experiment('sudoku-6x6'), 'validationPuzzles'],
    ] as const)
      assert.throws(
        () => planSearch(base, [...axes, { part: 'task', field, values: [1, 0] }], 1),
        new RegExp(`got none; set task\\.${field}, or name another experiment, such as sudoku-6x6$`),
      );
    assert.equal(
      planSearch(experiment('sudoku-4x4'), [{ part: 'task', field: 'validationPuzzles', values: [9] }], 1).length,
      1,
    );
  });
});
