/** Probes: boards with one blank cell, bands of ratings, and a run that asks them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ungrouped } from '../../lib/data/dataset.js';
import { boardOfTokens } from '../../lib/data/sudoku.js';
import { change, experiment } from '../../lib/experiment/experiment.js';
import { oneBlank, probesOf } from '../../lib/experiment/probes.js';
import { runExperiment } from '../../lib/experiment/run.js';
import { loadTask } from '../../lib/experiment/task.js';
import { initialParameters } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';

const smoke = experiment('sudoku-smoke');

describe('probes', () => {
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
    const found = probesOf({ kinds: ['rating-bands'], puzzles: 4 }, rated([0, 60, 9, 0, 3]));
    assert.deepEqual(
      found.map(({ name, dataset }) => [name, [...dataset.inputs]]),
      [
        ['rating 0', [1, 4]],
        ['rating 1-9', [3]],
        ['rating 50 and more', [2]],
      ],
    );
    assert.throws(
      () => probesOf({ kinds: ['rating-bands'], puzzles: 4 }, rated()),
      /expected a set with ratings, got rated/,
    );
  });

  it('are checked, and change no run id where they are absent', () => {
    assert.throws(
      () => change(smoke, { evaluation: { probes: { kinds: ['two-blank' as 'one-blank'], puzzles: 5 } } }),
      /expected one-blank, rating-bands, got two-blank/,
    );
    assert.throws(() => change(smoke, { evaluation: { probes: { kinds: [], puzzles: 0 } } }), /whole number from 1/);
    assert.throws(
      () => change(experiment('arc-smoke'), { evaluation: { probes: { kinds: ['one-blank'], puzzles: 5 } } }),
      /expected a task of Sudoku puzzles, got arc/,
    );
    for (const { evaluation, model } of [smoke, change(smoke, {})])
      assert.deepEqual([Object.hasOwn(evaluation, 'probes'), Object.hasOwn(model, 'haltingBias')], [false, false]);
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

  it('a run that begins by wanting to halt gives its puzzles a step each, and records the probe', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'probes-'));
    const asked = change(smoke, {
      model: { haltingBias: 5, explorationProbability: 0 },
      training: { steps: 3 },
      evaluation: { every: 0, probes: { kinds: ['one-blank'], puzzles: 7 } },
    });
    const { record, engine } = await runExperiment(asked, {
      folder,
      engine: { engine: 'native', precision: 'float32', threads: 1 },
    });
    engine.dispose();
    rmSync(folder, { recursive: true });
    assert.equal(record?.probes?.['one-blank']?.puzzles, 7);
    assert.deepEqual(
      record?.curve.map(({ meanSteps }) => meanSteps),
      [1, 1, 1],
    );
  });
});
