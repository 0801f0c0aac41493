/** The best results: the model that solves the most of each kind of puzzle, worked by hand. */
import assert from 'node:assert/strict';
import type { RunRecord } from '../../lib/experiment/record.js';
import type { ModelConfig } from '../../lib/model/config.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { atBaseRate, atEqualCost, rowExperiment } from '../../lib/experiment/rows.js';
import { variant } from '../../lib/experiment/variants.js';
import { bestResults, bestTable, headline, modelRows } from '../../lib/report/best.js';
import { record, recordOf } from './records.js';

const extreme = { side: 9, source: 'sudoku-extreme', scale: 'desk' } as const;

describe('best results', () => {
  const records = [
    record({ ...extreme, name: 'weak', exactAccuracy: [0.1, 0.3] }),
    record({ ...extreme, name: 'strong', seed: 0, exactAccuracy: [0.2, 0.5] }),
    record({ ...extreme, name: 'strong', seed: 1, exactAccuracy: [0.2, 0.7] }),
    record({ ...extreme, name: 'smoke', scale: 'smoke', exactAccuracy: [1, 1] }),
    record({ name: 'small', exactAccuracy: [0.9, 0.95] }),
  ];

  it('are those of the best mean over seeds; the paper’s benchmarks come first, run or not; no smoke', () => {
    assert.deepEqual(
      bestResults(records).map(({ puzzles, paper, ours }) => [puzzles, paper, ours.map(({ id }) => id)]),
      [
        ['Sudoku-Extreme, 9×9', 0.874, ['strong-seed0', 'strong-seed1']],
        ['Maze-Hard, 30×30', 0.853, []],
        ['ARC-AGI-1, two tries', 0.446, []],
        ['ARC-AGI-2, two tries', 0.078, []],
        ['Sudoku, 4×4', null, ['small-seed0']],
      ],
    );
  });

  it('name models in the paper’s words, or by their experiment where the paper has none', () => {
    const label = (made: RunRecord): string => bestTable([made]).split('\n').at(-3)?.split(' | ')[3] ?? '';
    const own = (variant: string | null, model: Partial<ModelConfig> = {}): RunRecord => {
      const made = record({ name: 'mine', exactAccuracy: [0.5] });
      return { ...made, experiment: { ...made.experiment, variant, model: { ...made.experiment.model, ...model } } };
    };
    const names: [RunRecord, string][] = [
      [own('trm', { deepRecursions: 2, latentRecursions: 1 }), 'TRM (T = 2, n = 1)'],
      [own(null), 'TRM (T = 3, n = 6)'],
      [own(null, { mixer: 'attention', positions: 'rotary' }), 'TRM w/ self-attention'],
      [own('trm-act'), 'TRM w/ ACT'],
      [own('trm-no-ema'), 'TRM no EMA'],
      [own('hrm'), 'HRM'],
      [own('direct'), 'Direct pred'],
      [own(null, { separateNets: true }), 'mine'],
      [own(null, { schedule: 'y ← net(y)' }), 'mine'],
    ];
    for (const [made, name] of names) assert.equal(label(made), name);
  });

  it('of one name on Sudoku-Extreme are told apart by their rate or their base', () => {
    const [desk, study] = [experiment('sudoku-extreme-desk'), experiment('sudoku-extreme-desk-study')];
    const [t2, hrm] = [variant('trm-t2-n2'), variant('hrm')];
    const made = [
      rowExperiment(study, t2),
      atBaseRate(study, t2)!,
      rowExperiment(desk, hrm),
      rowExperiment(study, hrm),
    ];
    assert.deepEqual(
      modelRows(made.map((each) => recordOf(each, 0, [0.5]))).map(({ row }) => row.label),
      ['TRM w/ T = 2, n = 2, rate 0.008', 'TRM w/ T = 2, n = 2, desk-study', 'HRM, desk', 'HRM, desk-study'],
    );
  });

  it('say how long a training was where that is not its base’s', () => {
    const study = experiment('sudoku-6x6-study');
    const label = (experiment: RunRecord['experiment']): string | undefined =>
      bestTable([recordOf(experiment, 0, [0.5])]).match(/Sudoku, 6×6.*? \| (TRM.*?) \|/)?.[1];
    const row = variant('trm-one-step-gradient');
    assert.equal(label(atEqualCost(study, row)!), 'TRM w/ 1-step gradient, 1,260 steps');
    assert.equal(label(rowExperiment(study, row)), 'TRM w/ 1-step gradient');
  });

  it('name puzzles by the file they come from, and by how hard they are', () => {
    const named = (changes: Partial<RunRecord['experiment']['task']>): string | undefined => {
      const made = record({ exactAccuracy: [0.5] });
      const task = { ...made.experiment.task, ...changes } as RunRecord['experiment']['task'];
      return bestResults([{ ...made, experiment: { ...made.experiment, task } }])
        .filter(({ ours }) => ours.length > 0)
        .map(({ puzzles, paper }) => `${puzzles}: ${paper}`)
        .join();
    };
    const arc = { kind: 'arc', set: 'file', file: '/of/mine.json', canvas: 30, maxTasks: 0 } as const;
    assert.equal(named(arc), 'ARC of mine.json, two tries: null', 'not the paper’s 7.8');
    assert.equal(named({ ...arc, canvas: 7 }), 'ARC of mine.json tasks within 7×7, two tries: null');
    assert.equal(named({ ...arc, set: 'arc2' }), 'ARC-AGI-2, two tries: 0.078');
    const ofTraining = { ...arc, set: 'arc1', testSubset: 'training' } as const;
    assert.equal(named(ofTraining), 'ARC-AGI-1 training tasks within 30×30, two tries: null', 'not the benchmark');
    const held = { ...arc, set: 'arc1', validationTasks: 60 } as const;
    assert.equal(named(held), 'ARC-AGI-1 tasks within 30×30, two tries: null', 'not all of its tasks');
    assert.equal(named({ side: 9, source: 'file', file: 'mine.csv' }), 'Sudoku, 9×9 of mine.csv: null');
    assert.equal(
      named({ kind: 'maze', source: 'generated', side: 11, leastDistance: 20 }),
      'mazes, 11×11, 20+ steps: null',
    );
  });

  it('tries that were scored on validation puzzles do not count', () => {
    const [small] = records.slice(-1);
    assert.ok(small !== undefined);
    const tried = {
      ...small,
      experiment: { ...small.experiment, evaluation: { ...small.experiment.evaluation, split: 'validation' as const } },
    };
    assert.equal(bestResults([tried]).length, 4);
  });

  it('as a table and as sentences', () => {
    assert.match(
      bestTable(records),
      /^\| Sudoku-Extreme.* 60\.0\u00A0±\u00A014\.1\u00A0% \| TRM \(T = 3, n = 6\) \| 1 \| 10 s \| 2 \| 300 \|$/m,
    );
    assert.match(bestTable(records), /^\| Maze-Hard, 30×30 \| 85\.3\u00A0% \| not run \|( {2}\|){5}$/m);
    assert.equal(
      headline(records),
      'Our best model for Sudoku-Extreme has 1 parameters. Its training took 10 s (native). ' +
        'It solves 60.0 ± 14.1 % of 300 test puzzles; the paper’s model solves 87.4 %.',
    );
    assert.equal(headline([]), 'No model was trained on Sudoku-Extreme yet.');
  });
});
