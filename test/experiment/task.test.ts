/** Tasks as data: each kind checks its own fields, and its data sets have the shape it promises. */
import assert from 'node:assert/strict';
import { StoppedError } from '../../lib/errors.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import {
  checkTask,
  loadTask,
  puzzlesAskedFor,
  settingFor,
  taskFields,
  taskShape,
  type Task,
} from '../../lib/experiment/task.js';

const arc = {
  kind: 'arc',
  set: 'arc1',
  canvas: 10,
  maxTasks: 8,
  validationTasks: 3,
  augmentations: 5,
  seed: 0,
} as const;

const never = 100_000; // more puzzles than a second makes

describe('task', () => {
  for (const task of [
    experiment('sudoku-4x4', { task: { trainPuzzles: never } }).task,
    experiment('maze-7x7', { task: { trainPuzzles: never } }).task,
  ])
    it(`stops while ${task.kind} puzzles are made, as soon as it is asked to`, async () => {
      let asked = false;
      setTimeout(() => (asked = true), 20); // heard only where the loop lets others have a turn
      await assert.rejects(
        loadTask(task, undefined, () => asked),
        (error) => error instanceof StoppedError && /stopped while its puzzles were prepared/.test(error.message),
      );
    });

  it('is checked by its kind, and what is wrong is named', async () => {
    const { task: sudoku } = experiment('sudoku-4x4');
    assert.equal(checkTask(arc), arc);
    for (const [bad, expected] of [
      [null, /task: expected an object, got null/],
      [{ ...arc, kind: 'chess' }, /kind: expected sudoku, .*arc.*, got "chess"/],
      [{ ...arc, kind: 'toString' }, /kind: expected/],
      [{ ...arc, side: 4 }, /unknown field side/],
      [{ ...arc, canvas: 31 }, /canvas: expected a whole number from 1 to 30, got 31/],
      [{ ...arc, set: 'arc3' }, /set: expected arc1, arc2 or file, got "arc3"/],
      [{ ...arc, subsets: [] }, /subsets: expected a list of parts, each once/],
      [
        { ...arc, subsets: ['evaluation-official'] },
        /expected parts of arc1, which are training, evaluation, concept, got "evaluation-official"/,
      ],
      [{ ...arc, subsets: ['training'] }, /testSubset: expected one of the subsets training, got evaluation/],
      [{ ...arc, set: 'arc2', subsets: ['evaluation', 'evaluation-official'] }, /which are the same tasks/],
      [{ ...sudoku, side: 5 }, /side: expected 4, 6 or 9, got 5/],
      [
        { ...sudoku, trainPuzzles: 0, seed: -1 },
        /trainPuzzles: expected a whole number from 1 to 4000000, got 0; seed: expected a whole number from 0, got -1/,
      ],
      [{ ...sudoku, canvas: 10 }, /unknown field canvas/],
    ] as const) {
      assert.throws(() => checkTask(bad as never), expected);
      await assert.rejects(loadTask(bad as never), expected);
    }
  });

  it('is loaded with functions only to watch and to stop it', async () => {
    const { task } = experiment('sudoku-smoke');
    await assert.rejects(loadTask(task, 5 as never), /onProgress: expected a function, or nothing, got 5/);
    await assert.rejects(loadTask(task, undefined, true as never), /shouldStop: expected a function, or nothing/);
  });

  it('promises the shape that its data has, whatever the kind', async () => {
    const small = change(experiment('sudoku-smoke'), {}).task;
    for (const task of [small, arc] as Task[]) {
      const { vocabSize, sequenceLength, puzzleIds } = taskShape(task);
      const sets = await loadTask(task);
      for (const { vocabSize: V, sequenceLength: L, puzzleIds: rows, inputs, labels, ids } of [
        sets.train,
        sets.test,
        sets.validation,
      ]) {
        assert.deepEqual([V, L, rows], [vocabSize, sequenceLength, puzzleIds]);
        assert.ok(
          inputs.every((token) => token < vocabSize) &&
            labels.every((token) => token < vocabSize) &&
            ids.every((id) => id < puzzleIds),
        );
      }
      assert.equal(sets.validation.groupOffsets.length - 1, puzzlesAskedFor(task, 'validation'));
      assert.equal(sets.test.groupOffsets.length - 1, puzzlesAskedFor(task, 'test'));
      const [trained, asked] = [sets.train.examples, puzzlesAskedFor(task, 'train')];
      assert.ok(task.kind === 'arc' ? asked > 0.7 * trained && asked < 1.4 * trained : asked === trained, `${asked}`);
    }
  });

  it('names the field that gives a split puzzles, if it has one', () => {
    const kinds = ['sudoku-4x4', 'maze-7x7'].map((name) => experiment(name).task);
    const named = [...kinds, arc, { kind: 'folder', folder: 'x' } as const].map((task) =>
      (['test', 'validation'] as const).map((split) => {
        const [, field] = /^set task\.(\w+), or $/.exec(settingFor(task, split)) ?? [];
        return field === undefined ? settingFor(task, split) : field in taskFields[task.kind] && field;
      }),
    );
    assert.deepEqual(named, [
      ['testPuzzles', 'validationPuzzles'],
      ['testPuzzles', 'validationPuzzles'],
      ['', 'validationTasks'],
      ['', ''],
    ]);
  });
});
