/** Closing evaluations: boards with one blank cell, bands of ratings, and a run that asks for them. */
import assert from 'node:assert/strict';
import { ungrouped } from '../../lib/data/dataset.js';
import { boardOfTokens } from '../../lib/data/sudoku.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { closingPuzzles, oneBlank, type ClosingEvaluation } from '../../lib/experiment/closing.js';
import { closingEvaluation } from '../../lib/experiment/record.js';
import { runExperiment } from '../../lib/experiment/run.js';
import { loadTask } from '../../lib/experiment/task.js';
import { initialParameters } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';
import { newFolder } from '../new-folder.js';

const smoke = experiment('sudoku-smoke');

describe('closing evaluations', () => {
  it('one blank cell: the solution but for one cell that was open, not always the same', async () => {
    const { test } = await loadTask(smoke.task);
    const easy = oneBlank(test, 15);
    assert.equal(easy.examples, 15);
    const places = new Set<number>();
    for (let i = 0; i < 15; i++) {
      const [before, now, label] = [test.inputs, easy.inputs, easy.labels].map((all) =>
        boardOfTokens(all.subarray(16 * i, 16 * (i + 1))),
      ) as [Uint8Array, Uint8Array, Uint8Array];
      assert.deepEqual(label, boardOfTokens(test.labels.subarray(16 * i, 16 * (i + 1))));
      const blank = [...now.keys()].filter((cell) => now[cell] !== label[cell]);
      assert.equal(blank.length, 1);
      assert.equal(now[blank[0]!], 0);
      assert.equal(before[blank[0]!], 0, 'the cell was open');
      places.add(blank[0]!);
    }
    assert.ok(places.size > 5);
    assert.equal(oneBlank(test, 15).sha256, easy.sha256, 'the same every time');
  });

  it('rating bands: every puzzle in one band, empty bands left out, sets without ratings refused', () => {
    const rated = (ratings?: readonly number[]): ReturnType<typeof ungrouped> =>
      ungrouped(
        [1, 2, 3, 4, 5].map((token) => ({ input: Uint8Array.of(token), label: Uint8Array.of(token) })),
        { name: 'rated', note: '', width: 1, height: 1, vocabSize: 6, ...(ratings === undefined ? {} : { ratings }) },
      );
    const bands = experiment('sudoku-extreme-desk').evaluation.closing.filter(({ ratings }) => ratings !== undefined);
    const set = rated([0, 60, 9, 0, 3]);
    const found = bands.map((band) => [band.name, closingPuzzles({ ...band, puzzles: 4 }, set, set)] as const);
    assert.deepEqual(
      found.map(([name, dataset]) => [name, dataset === undefined ? 'none' : [...dataset.inputs]]),
      [
        ['rating-0', [1, 4]],
        ['rating-1-9', [3]],
        ['rating-10-49', 'none'],
        ['rating-50-and-more', [2]],
      ],
    );
    const easy = closingPuzzles({ ...bands[3]!, on: 'one-blank', puzzles: 4 }, set, set);
    assert.deepEqual([...easy!.labels], [2], 'a blank cell each, of this band only');
    assert.throws(() => closingPuzzles(bands[0]!, rated(), rated()), /expected a set with ratings, got rated/);
  });

  it('are checked one by one', () => {
    const asked = (...closing: unknown[]): unknown =>
      change(smoke, { evaluation: { closing: closing as ClosingEvaluation[] } });
    const good = { name: 'again', on: 'scored', puzzles: 5 };
    assert.ok(asked(good, { ...good, name: 'raw', weights: 'raw', supervisionSteps: 3, ratings: [1, null] }));
    for (const [wrong, message] of [
      [{ ...good, on: 'two-blank' }, /closing\[0\]: on: expected scored, training or one-blank, got "two-blank"/],
      [{ ...good, puzzles: -1 }, /puzzles: expected a whole number from 0, got -1/],
      [{ ...good, steps: 3 }, /unknown field steps/],
      [{ ...good, name: '<b>' }, /name: expected letters, digits and -/],
      [{ ...good, puzzleIds: 'none' }, /puzzleIds: expected blank or shuffled, or nothing, got "none"/],
      [{ ...good, weights: 'average' }, /weights: expected raw/],
      ...[[5, 5], [5], ['5', 6], [5, NaN], 5, null].map(
        (ratings) => [{ ...good, ratings }, /closing\[0\]: ratings: expected \[least, below\], /] as const,
      ),
      [{ ...good, votes: 0 }, /votes: expected .* of an ARC task/],
      [null, /closing: expected in place 0 an object, got \[null\]/],
    ] as const)
      assert.throws(() => asked(wrong), message);
    assert.throws(() => asked(good, good), /expected each name once, got again twice/);
    assert.throws(
      () => change(experiment('arc-smoke'), { evaluation: { closing: [{ name: 'x', on: 'one-blank', puzzles: 5 }] } }),
      /expected a task of Sudokus for one-blank, got arc/,
    );
    assert.throws(
      () => change(smoke, { evaluation: { closing: 'all' as never } }),
      /evaluation: closing: expected a list, got "all"/,
    );
  });

  it('a halting bias starts both halting heads, −5 without one', () => {
    const bias = (changes: { haltingBias?: number }): number[] => [
      ...initialParameters(change(smoke, { model: changes }).model, new Random(0)).get('q_head.bias')!.data,
    ];
    assert.deepEqual(
      [bias({}), bias({ haltingBias: 5 }), bias({ haltingBias: 0 })],
      [
        [-5, -5],
        [5, 5],
        [0, 0],
      ],
    );
    assert.throws(
      () => change(smoke, { model: { haltingBias: 50 } }),
      /haltingBias: expected a number from -20 to 20, or nothing, got 50/,
    );
  });

  it('a run that begins by wanting to halt gives its puzzles a step each, and records what was asked', async () => {
    const folder = newFolder();
    const asked = change(smoke, {
      model: { haltingBias: 5, explorationProbability: 0 },
      training: { steps: 3 },
      evaluation: { every: 0, closing: [{ name: 'easy', on: 'one-blank', puzzles: 7 }] },
    });
    const { record, engine } = await runExperiment(asked, {
      folder,
      engine: { engine: 'native', precision: 'float32', threads: 1 },
    });
    engine.dispose();
    assert.ok(record !== undefined);
    assert.equal(closingEvaluation(record, 'easy')?.puzzles, 7);
    assert.deepEqual(
      record.curve.map(({ meanSteps }) => meanSteps),
      [1, 1, 1],
    );
  });
});
