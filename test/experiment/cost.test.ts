/** Costs: worked out by hand from calls and puzzles, and equal to what a finished run has counted. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../../lib/errors.js';
import type { EngineOptions } from '../../lib/engine/create.js';
import { loadBackend, tf } from '../../lib/engine/tfjs/backend.js';
import { checkShared, expectedBytes, measuredSpeed, runCost } from '../../lib/experiment/cost.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { describe as describeModel } from '../../lib/model/describe.js';
import { defaultJobs, runSweep } from '../../lib/sweep/sweep.js';
import { runExperiment } from '../../lib/experiment/run.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

/** sudoku-smoke: hidden 16, 16 cells and one prefix token; inner sizes are multiples of 256. */
const smoke = experiment('sudoku-smoke');
const call = 2 * 2 * (16 * 17 * 3 * 256 + 17 * 16 * 3 * 256); // two layers, 2 FLOP a multiply-add

describe('cost of a run', () => {
  it('counts calls forward and backward, and every supervision step of every evaluation', () => {
    const { training, evaluation } = runCost(smoke);
    assert.equal(training, call * (21 + 2 * 7) * 8 * 20);
    // one evaluation on the way, 10 puzzles; the final one, all 20; then 10 each with raw weights, of the training set
    // and with one blank cell; 10 puzzles for 20 steps
    assert.equal(evaluation, call * 21 * (16 * (10 + 20 + 10 + 10 + 10) + 20 * 10));
  });

  it('counts no more puzzles than there are', () => {
    assert.equal(runCost(smoke, { train: 5, scored: 4 }).evaluation, call * 21 * (16 * (4 + 4 + 4 + 5 + 4) + 20 * 4));
    assert.equal(runCost(change(smoke, { evaluation: { every: 0, closing: [] } })).evaluation, call * 21 * 16 * 20);
    for (const puzzles of [0, 1000]) {
      const all = { every: 0, closing: [{ name: 'all', on: 'training', puzzles }] } as const;
      assert.equal(runCost(change(smoke, { evaluation: all })).evaluation, call * 21 * 16 * (20 + 40), `${puzzles}`);
    }
  });

  it("is the paper's 2·10¹⁸ FLOP for the paper's run (spec §1.14)", () => {
    const { training } = runCost(experiment('sudoku-extreme-paper'));
    assert.ok(training > 1.9e18 && training < 2.3e18, String(training));
  });

  it('a run says how far it is by the same count: up to 1, never back', async () => {
    const folder = newFolder();
    const shares: number[] = [];
    const outcome = await runExperiment(smoke, {
      folder,
      engine: { engine: 'native', threads: 1 },
      onProgress: ({ share }) => void shares.push(share),
    });
    outcome.engine.dispose();
    assert.ok(
      shares.every((share, i) => share <= 1 && share >= (shares[i - 1] ?? 0)),
      String(shares),
    );
    assert.ok((shares.at(-1) ?? 0) > 0.97 && (shares[0] ?? 1) < 0.05, String(shares));
  });

  it('runs as many at once as cores and half the free memory hold, and one at least', () => {
    const bytes = expectedBytes(smoke);
    assert.ok(bytes > 350e6 && bytes < 360e6, String(bytes));
    const free = (processes: number): number => 2 * processes * bytes + 1;
    assert.equal(defaultJobs([smoke], { threads: 1 }, 8, free(100)), 8);
    assert.equal(defaultJobs([smoke], { threads: 3 }, 8, free(100)), 2);
    assert.equal(defaultJobs([smoke], { threads: 1 }, 8, free(3)), 3);
    assert.equal(defaultJobs([smoke], { threads: 16 }, 8, 0), 1);
    assert.equal(defaultJobs([], { threads: 1 }, 4, free(100)), 4);
    // Free memory of the machine says nothing of a GPU's.
    assert.equal(defaultJobs([smoke], { engine: 'torch', threads: 1 }, 8, free(100)), 1);
    assert.ok(defaultJobs([smoke], { engine: 'torch', torch: { device: 'cpu' } }, 8, free(100)) > 1);
    const paper = experiment('sudoku-extreme-paper');
    const activations = expectedBytes(paper, { engine: 'tfjs' }) - expectedBytes(paper);
    assert.ok(Math.abs(activations - 1.6e9) < 1, 'the tfjs engine cuts batches to four bytes times its budget');
    const third = change(smoke, { model: { schedule: 'z1 ← net(x); z2 ← net(z1); y ← net(y + z2)' } });
    const { batchSize } = smoke.training;
    const latent = 4 * batchSize * (16 + smoke.model.puzzlePrefix) * smoke.model.hiddenSize;
    const start = 2 * 4 * smoke.model.hiddenSize;
    assert.equal(expectedBytes(third) - bytes, 3 * latent + start, 'one latent more than y and z, and its start');
  });

  it('on torch also takes what the ranks hold, on a CPU with all that the backward pass needs', () => {
    const paper = experiment('sudoku-extreme-paper');
    const { weightBytes, activationBytes } = describeModel(paper.model, { batchSize: 768 });
    const on = (torch: EngineOptions['torch'], precision?: 'bf16'): number =>
      expectedBytes(paper, { engine: 'torch', precision, torch });
    const gpu = on({ device: 'cuda' }) - expectedBytes(paper);
    assert.equal(gpu, 700e6); // a process with PyTorch; the rest lies on the device
    // y and z of 97 positions × 512 numbers, before and after a step
    const latents = 768 * 97 * 512 * 2 * 2 * 4;
    const cpu = on({ device: 'cpu' }) - on({ device: 'cuda' });
    assert.ok(Math.abs(cpu - weightBytes - latents - activationBytes) < 1, String(cpu));
    assert.ok(Math.abs(cpu - weightBytes - 2 * (on({ device: 'cpu' }, 'bf16') - on({}) - weightBytes)) < 1);
    assert.ok(Math.abs(on({ device: 'cpu', devices: 2 }) - on({ device: 'cpu' }) - 700e6 - weightBytes) < 1);
    assert.ok(on({ device: 'cpu', torchrun: '--nnodes=2' }) < on({ device: 'cpu' }) - 0.4 * activationBytes);
  });

  it('refuses a batch that ranks cannot share evenly, before anything is loaded', async () => {
    const folder = path.join(newFolder(), 'none');
    const uneven = change(smoke, { training: { batchSize: 32 } });
    const engine = { engine: 'torch', torch: { devices: 3 } } as const;
    await assert.rejects(
      runExperiment(uneven, { folder, engine }),
      new InputError(
        'sudoku-smoke: expected a batch that 3 ranks share evenly (one a device), got 32; ' +
          'set training.batchSize to 30 or 33, or choose another number of --devices',
      ),
    );
    assert.ok(!existsSync(folder));
    await assert.rejects(
      runSweep([{ experiment: uneven, seed: 0 }], { engine, folder }),
      /set training\.batchSize to 30 or/,
    );
    checkShared(uneven, { engine: 'torch', torch: { devices: 2, torchrun: '--nnodes 2' } });
  });

  it('refuses a run that no memory of this machine holds, in numbers and before anything is written', async () => {
    const folder = path.join(newFolder(), 'none');
    // 65,536 × 1024 seats of 17 positions of 16 numbers, for y and z: 36.5 billion numbers of four bytes, thrice.
    const large = change(smoke, { training: { batchSize: 65_536, interleavedBatches: 1024 } });
    await assert.rejects(
      runExperiment(large, { folder }),
      inputError(
        /^sudoku-smoke: expected .* at most the [\d,.]+ GB .* got 438\.\d GB; set a smaller training\.batchSize/,
      ),
    );
    assert.ok(!existsSync(folder));
  });

  it('leaves nothing of an engine that it cannot measure', async () => {
    await loadBackend('cpu');
    const { numTensors } = tf.memory();
    await assert.rejects(
      measuredSpeed({ ...smoke, training: { ...smoke.training, batchSize: 0 } }, { engine: 'tfjs', backend: 'cpu' }),
      /batch size: expected a whole number from 1 to 65536, got 0/,
    );
    assert.equal(tf.memory().numTensors, numTensors);
  });

  it('measures a speed that a computer can have', async () => {
    const { flopPerSecond, engine } = await measuredSpeed(smoke, { engine: 'native', threads: 1 });
    assert.ok(flopPerSecond > 1e7 && flopPerSecond < 1e14, `${flopPerSecond} FLOP/s`);
    assert.match(engine, /^native /);
  });
});
