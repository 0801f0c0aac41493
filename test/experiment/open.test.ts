/** The checkpoints that come with the kit, on puzzles that the generator makes now. */
import assert from 'node:assert/strict';
import { sudokuDataset } from '../../lib/data/sudoku-sets.js';
import { InputError } from '../../lib/errors.js';
import { openModel, shippedCheckpoint } from '../../lib/experiment/open.js';
import { evaluate } from '../../lib/train/evaluate.js';

describe('shipped checkpoints', function () {
  this.timeout(60_000);
  for (const [side, least] of [
    [4, 0.9],
    [6, 0.9],
    [9, 0.8],
  ] as const) {
    it(`solve new ${side}×${side} puzzles: at least ${100 * least} % of 60`, async () => {
      const { test } = await sudokuDataset({
        side,
        source: 'generated',
        trainPuzzles: 1,
        testPuzzles: 60,
        validationPuzzles: 0,
        augmentations: 0,
        minDifficulty: 0,
        seed: 77,
      });
      const { engine } = await openModel(shippedCheckpoint(side * side), {});
      const { exactAccuracy } = await evaluate(engine, test, { puzzles: 60 });
      engine.dispose();
      assert.ok(exactAccuracy.at(-1)! >= least, `after each step: ${exactAccuracy.join(' ')}`);
    });
  }

  it('open with other recursions, by the paper’s words or the long names', async () => {
    const file = shippedCheckpoint(16);
    for (const config of [
      { T: 2, n: 5 },
      { deepRecursions: 2, latentRecursions: 5 },
    ]) {
      const { engine, config: opened } = await openModel(file, {}, { config });
      engine.dispose();
      assert.deepEqual([opened.deepRecursions, opened.latentRecursions], [2, 5]);
    }
    await assert.rejects(openModel(file, {}, { config: { n: 0 } }), /latentRecursions: expected a whole number from 1/);
    await assert.rejects(openModel(file, {}, { config: { n: 2, latentRecursions: 2 } }), /expected n or latentRec/);
  });

  it('are not opened with options that there are not, or for puzzles of another length', async () => {
    const file = shippedCheckpoint(16);
    for (const [options, load, says] of [
      [{}, 7, /checkpoint: expected an object, got 7/],
      [{}, () => 0, /checkpoint: expected an object, got a function/],
      [null, {}, /engine options: expected an object, got null/],
      [{}, { cells: 81 }, /expected puzzles of 16 cells and 6 tokens, got 81 cells/],
    ] as const)
      await assert.rejects(openModel(file, options as never, load as never), says);
  });

  it('are missing for other boards, which is said', () => {
    for (const cells of [256, 80, NaN])
      assert.throws(
        () => shippedCheckpoint(cells),
        new InputError(`cells: expected 16, 36 or 81, those of a Sudoku, got ${cells}`),
      );
  });
});
