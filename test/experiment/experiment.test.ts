/** Experiments are data: changes are checked, and what the task fixes follows the task. */
import assert from 'node:assert/strict';
import { differences } from '../../lib/experiment/differences.js';
import { describeExperiment } from '../../lib/experiment/describe.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiment, experiments } from '../../lib/experiment/experiments.js';
import { variants } from '../../lib/experiment/variants.js';
import { paperConfig } from '../../lib/model/config.js';
import { parameterCount } from '../../lib/model/parameters.js';
import { tableBases } from '../../lib/sweep/plan.js';
import { paperTraining } from '../../lib/train/options.js';
import { inputError } from '../input-error.js';

describe('experiment', () => {
  it("has the paper's model at the paper's scale: 5,028,866 parameters (spec §1.13)", () => {
    assert.equal(parameterCount(experiment('sudoku-extreme-paper').model), 5_028_866);
  });

  it("has the paper's network on Maze-Hard, attention with n = 4: 6,822,914 parameters (spec §1.13, §4.5)", () => {
    const { model, training } = experiment('maze-hard-paper');
    assert.equal(parameterCount(model), 6_822_914);
    assert.deepEqual(
      [model.latentRecursions, model.deepRecursions, training.steps, training.batchSize, training.weightDecay],
      [4, 3, 65_104, 768, 1],
    );
  });

  it('has at desk scale the size of the first untuned attempt: 384 thousand parameters, 1,000 official puzzles', () => {
    const { model, task } = experiment('sudoku-extreme-desk');
    assert.equal(Math.round(parameterCount(model) / 1000), 384);
    assert.ok(task.kind === 'sudoku');
    assert.deepEqual([task.trainPuzzles, task.testPuzzles, model.hiddenSize], [1000, 2000, 128]);
  });

  it('names in its description what its training has beyond the paper', () => {
    const more = { training: { interleavedBatches: 128 } };
    assert.match(
      describeExperiment(experiment('sudoku-extreme-desk', more)),
      /, muon, .*, EMA 0\.999, 1 supervision step a puzzle, 4 after 60 % of the steps, 128 interleaved batches$/m,
    );
    assert.match(
      describeExperiment(experiment('sudoku-9x9')),
      /, 1 supervision step a puzzle, 4 after 60 % of the steps, 64 interleaved batches$/,
    );
    assert.match(describeExperiment(experiment('sudoku-extreme-paper')), /, EMA 0\.999$/);
    const papers = Object.values(experiments).filter(({ scale }) => scale === 'paper');
    for (const { name, model, training } of papers) {
      const { optimizer, finalRateRatio, supervisionSteps, supervisionCurriculum, interleavedBatches } = training;
      assert.deepEqual([optimizer, finalRateRatio, model.explorationProbability], ['adam-atan2', 1, 0.1], name);
      assert.deepEqual([supervisionSteps, supervisionCurriculum, interleavedBatches], Array(3).fill(undefined), name);
    }
  });

  it('says in its description what was changed, and only then', () => {
    const changed = describeExperiment(experiment('sudoku-4x4', { task: { side: 6 }, training: { steps: 1 } }));
    assert.match(changed, /^training: 1 step of 64 puzzles/m);
    assert.equal(
      changed.split('\n')[3],
      'changed: task.side 4 → 6, model.vocabSize 6 → 8, model.sequenceLength 16 → 36, training.steps 550 → 1',
    );
    assert.equal(describeExperiment(experiment('sudoku-4x4')).split('\n').length, 3);
  });

  it('refuses a setting of the model that nothing would read', () => {
    const own = experiment('sudoku-4x4', { model: { schedule: '3 × z ← net(y + x + z); y ← net(y + z)' } });
    const direct = experiment('sudoku-4x4', { variant: 'direct' });
    for (const [base, model, message] of [
      [own, { latentRecursions: 5 }, /model\.latentRecursions: expected none beside a schedule, .* got 5/],
      [own, { T: 5 }, /model\.deepRecursions: expected none beside a schedule, .* got 5/],
      [own, { gradient: 'one-step' }, /model\.gradient: expected none beside a schedule, .* got "one-step"/],
      [direct, { n: 7 }, /model\.latentRecursions: expected none beside recursion direct, .* got 7/],
      [direct, { gradient: 'one-step' }, /model\.gradient: expected none beside recursion direct, .* got "one-step"/],
    ] as const)
      assert.throws(() => change(base, { model }), inputError(message));
    assert.equal(change(own, { model: { ...own.model, layers: 2 } }).model.layers, 2, 'what it has already may stand');
  });

  it('asks which positions attention is to have: nothing is guessed, and none only where it is said', () => {
    const mixer = 'attention' as const;
    assert.throws(
      () => experiment('sudoku-4x4', { model: { mixer } }),
      inputError(/expected model\.positions beside it: rotary, as in/),
    );
    for (const positions of ['rotary', 'learned', 'none'] as const)
      assert.equal(experiment('sudoku-4x4', { model: { mixer, positions } }).model.positions, positions);
    assert.equal(experiment('sudoku-4x4', { variant: 'trm-attention', model: { mixer } }).model.positions, 'rotary');
    assert.equal(experiment('maze-11x11-study', { model: { mixer, layers: 1 } }).model.positions, 'rotary');
  });

  it('takes a row of the paper on a plain base only: two rows on each other would be recorded as the second', () => {
    const hrm = experiment('sudoku-6x6', { variant: 'hrm' });
    for (const changes of [{ variant: 'trm' }, { variant: 'hrm' }])
      assert.throws(() => change(hrm, changes), /expected none on sudoku-6x6-hrm, which is row hrm already, got /);
    assert.equal(change(hrm, { variant: null, name: 'mine' }).variant, null);
  });

  it('refuses sizes of a model that are not its task’s', () => {
    for (const field of ['vocabSize', 'sequenceLength', 'puzzleIds'] as const)
      assert.throws(
        () => experiment('sudoku-4x4', { model: { [field]: 9 } }),
        /expected \d+, which its task fixes, got 9/,
      );
    assert.equal(experiment('sudoku-4x4', { model: { vocabSize: 6 } }).model.vocabSize, 6);
  });

  it('gives the model the vocabulary and length of its task', () => {
    for (const { task, model } of Object.values(experiments)) {
      assert.ok(task.kind !== 'folder', 'no experiment depends on a folder of the user');
      assert.equal(model.vocabSize, task.kind === 'sudoku' ? task.side + 2 : { maze: 6, arc: 12 }[task.kind]);
      assert.equal(model.sequenceLength, (task.kind === 'arc' ? task.canvas : task.side) ** 2);
    }
  });

  it('changes fields without touching the base', () => {
    const base = experiment('sudoku-4x4');
    const changed = change(base, { training: { steps: 7 }, model: { mixer: 'attention', positions: 'rotary' } });
    assert.equal(changed.training.steps, 7);
    assert.equal(changed.model.mixer, 'attention');
    assert.notEqual(base.training.steps, 7);
  });

  it('stays what it is: nobody can change a named one, or the paper’s, in place', () => {
    for (const named of [...Object.values(experiments), experiments, ...variants, paperConfig, paperTraining])
      for (const part of [named, ...Object.values(named)]) assert.ok(Object.isFrozen(part));
    assert.throws(() => ((tableBases(1, 'smoke')[0]!.training as { steps: number }).steps = 3), TypeError);
  });

  it('takes nothing from the base where the task is of another kind', () => {
    const { task } = experiment('sudoku-4x4', {
      task: {
        kind: 'maze',
        side: 7,
        source: 'generated',
        leastDistance: 8,
        trainPuzzles: 5,
        testPuzzles: 5,
        validationPuzzles: 0,
        augmentation: 'none',
        seed: 0,
      },
    });
    assert.deepEqual([task.kind, 'augmentations' in task], ['maze', false]);
  });

  it('another kind of task drops the closing evaluations that were about the old one', () => {
    const { evaluation } = experiment('sudoku-extreme-desk', { task: { ...experiment('maze-7x7').task } });
    assert.deepEqual(evaluation.closing, []);
  });

  it('differences are the fields that differ, with both values', () => {
    const base = experiment('sudoku-4x4');
    const other = change(base, { training: { steps: 7 }, evaluation: { closing: [] } });
    assert.deepEqual(differences(base, other), [{ part: 'training', field: 'steps', from: 550, to: 7 }]);
    assert.deepEqual(differences(base, base), []);
  });

  it('refuses unknown names, fields and impossible values in words', () => {
    assert.throws(() => experiment('sudoku-5x5'), /expected one of sudoku-4x4, .*got sudoku-5x5/);
    assert.throws(
      () => experiment('sudoku-4x4', { training: { step: 7 } as object }),
      /training options: unknown field step \(did you mean steps\?\), expected one of .*steps/,
    );
    assert.throws(
      () => experiment('sudoku-4x4', { evaluation: { trainingPuzzles: 0 } }),
      /trainingPuzzles: expected a whole number from 1, or nothing, got 0/,
    );
    assert.throws(
      () => experiment('sudoku-4x4', { model: { hiddenSize: 0 } }),
      /hiddenSize: expected a whole number from 2/,
    );
    assert.throws(
      () => experiment('sudoku-4x4', { task: { source: 'sudoku-extreme' } }),
      /source sudoku-extreme: expected side 9/,
    );
    assert.throws(() => experiment('sudoku-4x4', { modell: {} } as object), /experiment: unknown field modell/);
    assert.throws(() => experiment(undefined as never), /expected one of sudoku-4x4, .*got undefined/);
    assert.throws(() => describeExperiment(undefined as never), /expected one, such as .*, got undefined/);
    assert.throws(() => change('sudoku-4x4' as never, {}), /expected one, such as .*, got "sudoku-4x4"/);
  });
});
