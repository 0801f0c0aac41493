/** Costs: worked out by hand from calls and puzzles, and equal to what a finished run has counted. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { InputError } from '../../lib/errors.js';
import { expectedBytes, measuredSpeed, runCost } from '../../lib/experiment/cost.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { defaultJobs } from '../../lib/sweep/sweep.js';
import { runExperiment } from '../../lib/experiment/run.js';

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
  });

  it("is the paper's 2·10¹⁸ FLOP for the paper's run (spec §1.14)", () => {
    const { training } = runCost(experiment('sudoku-extreme-paper'));
    assert.ok(training > 1.9e18 && training < 2.3e18, String(training));
  });

  it('a run says how far it is by the same count: up to 1, never back', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'cost-'));
    const shares: number[] = [];
    const outcome = await runExperiment(smoke, {
      folder,
      engine: { engine: 'native', threads: 1 },
      onProgress: ({ share }) => void shares.push(share),
    });
    outcome.engine.dispose();
    rmSync(folder, { recursive: true });
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
    const paper = experiment('sudoku-extreme-paper');
    const activations = expectedBytes(paper, { engine: 'tfjs' }) - expectedBytes(paper);
    assert.ok(Math.abs(activations - 1.6e9) < 1, 'the tfjs engine cuts batches to four bytes times its budget');
  });

  it('refuses a run that no memory of this machine holds, in numbers and before anything is written', async () => {
    const folder = path.join(os.tmpdir(), 'trm-lab-too-large');
    // 65,536 × 1024 seats of 17 positions of 16 numbers, for y and z: 36.5 billion numbers of four bytes, thrice.
    const large = change(smoke, { training: { batchSize: 65_536, interleavedBatches: 1024 } });
    await assert.rejects(
      runExperiment(large, { folder }),
      (error) =>
        error instanceof InputError &&
        /^sudoku-smoke: expected .* at most the [\d,.]+ GB .* got 438\.\d GB; set a smaller training\.batchSize/.test(
          error.message,
        ),
    );
    assert.ok(!existsSync(folder));
  });

  it('measures a speed that a computer can have', async () => {
    const { flopPerSecond, engine } = await measuredSpeed(smoke, { engine: 'native', threads: 1 });
    assert.ok(flopPerSecond > 1e7 && flopPerSecond < 1e14, `${flopPerSecond} FLOP/s`);
    assert.match(engine, /^native /);
  });
});
