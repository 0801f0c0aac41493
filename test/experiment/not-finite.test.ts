/** A run whose numbers overflow stops with the step, what is not finite, and the checkpoint to go back to. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { NotFiniteError } from '../../lib/engine/engine.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { runExperiment } from '../../lib/experiment/run.js';

describe('a run whose numbers overflow', () => {
  let folder = '';
  before(() => void (folder = mkdtempSync(path.join(os.tmpdir(), 'overflow-'))));
  after(() => rmSync(folder, { recursive: true }));

  it('names the step, the tensor or loss, and the last good checkpoint', async () => {
    // Each update multiplies the weights by 1 − 10·100: after a dozen they pass the largest float32.
    const wild = change(experiment('sudoku-smoke'), {
      model: { layers: 1, innerMultiple: 8, deepRecursions: 1, latentRecursions: 1 },
      training: { steps: 40, learningRate: 10, weightDecay: 100, warmupSteps: 0 },
      evaluation: { every: 0 },
    });
    let done = 0;
    const run = runExperiment(wild, {
      folder,
      engine: { engine: 'native', precision: 'float32', threads: 1 },
      checkpointEvery: 2,
      onProgress: (progress) => void (done = progress.done),
    });
    await assert.rejects(run, (error: unknown) => {
      assert.ok(error instanceof NotFiniteError);
      const [first = '', last = '', remedy] = error.message.split(/; (?=the last good|try a lower)/);
      const [, step, what] = /^step (\d+) of .*?: (the .*? (?:loss|gradient) of .*)$/.exec(first) ?? [];
      const [, checkpoint] = /^the last good checkpoint is (.*)$/.exec(last) ?? [];
      assert.equal(remedy, 'try a lower learning rate');
      assert.equal(Number(step), done + 1, error.message);
      assert.ok(done >= 2 && done < 40);
      assert.match(what ?? '', /not finite|NaN|inf/);
      assert.ok(existsSync(checkpoint ?? ''), error.message);
      return true;
    });
  });
});
