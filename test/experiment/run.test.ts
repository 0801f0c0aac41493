/** Runs: stopped at any step they go on to the same record, with every evaluation that an unbroken run makes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { change, experiment } from '../../lib/experiment/experiment.js';
import type { RunRecord } from '../../lib/experiment/record.js';
import { runExperiment } from '../../lib/experiment/run.js';

const small = change(experiment('sudoku-smoke'), { model: { layers: 1, innerMultiple: 8, deepRecursions: 1, latentRecursions: 1 }, training: { steps: 6 }, evaluation: { every: 2, puzzles: 4, finalPuzzles: 6, trainingPuzzles: 4, longer: { supervisionSteps: 17, puzzles: 4 } } });

describe('run', () => {
  let folder = '';
  before(() => void (folder = mkdtempSync(path.join(os.tmpdir(), 'run-'))));
  after(() => rmSync(folder, { recursive: true }));

  /** Runs in a folder of its own, asked to stop once, after `stopAt` steps; then to the end. */
  async function record(stopAt: number): Promise<RunRecord | undefined> {
    for (let sitting = 0; ; sitting++) {
      let done = 0;
      const { record: written, engine } = await runExperiment(small, {
        folder: path.join(folder, String(stopAt)), engine: { engine: 'native', precision: 'float32', threads: 1 }, resume: true,
        onProgress: (progress) => void (done = progress.phase === 'training' ? progress.done : done),
        shouldStop: () => sitting === 0 && done === stopAt,
      });
      engine.dispose();
      if (written !== undefined || sitting === 1) return written;
    }
  }

  it('asked to stop at any step, also one at which an evaluation is due, makes the same record', async () => {
    const results = ({ curve, evaluations, onTraining, longer }: RunRecord): unknown =>
      JSON.parse(JSON.stringify({ curve, evaluations, onTraining, longer }, (key, value: unknown) => (key === 'seconds' ? 0 : value)));
    const whole = await record(-1);
    assert.ok(whole !== undefined);
    assert.deepEqual(whole.evaluations.map(({ step, puzzles }) => [step, puzzles]), [[2, 4], [4, 4], [6, 6]]);
    for (let stopAt = 1; stopAt <= 5; stopAt++) {
      const stopped = await record(stopAt);
      assert.ok(stopped !== undefined);
      assert.deepEqual(results(stopped), results(whole), `stopped after step ${stopAt}`);
    }
  });
});
