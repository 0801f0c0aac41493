/** Whoever dies, worker, rank or parent: one error with the last checkpoint, no process left, the run goes on. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { EngineOptions } from '../../lib/engine/create.js';
import { createTorchEngine } from '../../lib/engine/torch/engine.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { change } from '../../lib/experiment/experiment.js';
import { runExperiment } from '../../lib/experiment/run.js';
import { initialParameters } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';
import { left, odd, request, workers } from './small.js';
import { newFolder } from '../new-folder.js';

const small = change(experiment('sudoku-smoke'), {
  model: { layers: 1, innerMultiple: 8, deepRecursions: 1, latentRecursions: 1 },
  training: { steps: 12 },
  evaluation: { every: 0, finalPuzzles: 4 },
});

describe('torch engine, when a process dies', function () {
  this.timeout(120_000);
  const folder = newFolder();
  afterEach(async () => assert.deepEqual(await left(), []));

  const on = (devices: number): EngineOptions => ({
    engine: 'torch',
    precision: 'float32',
    threads: 1,
    torch: { device: 'cpu', devices },
  });

  /** Runs to the end, or until `act` at step 7 makes it fail; checkpoints are at steps 4, 8 and 12. */
  async function run(name: string, engine: EngineOptions, act: () => void = () => undefined): Promise<number[]> {
    const outcome = await runExperiment(small, {
      folder: path.join(folder, name),
      engine,
      resume: true,
      checkpointEvery: 4,
      onProgress: ({ phase, done }) => (phase === 'training' && done === 7 ? act() : undefined),
    });
    outcome.engine.dispose();
    return outcome.curve.map(({ answerLoss }) => answerLoss);
  }

  it('a killed worker is one error with the checkpoint, from which another engine goes on', async () => {
    const kill = (): void => workers().forEach(({ pid }) => process.kill(pid, 'SIGKILL'));
    await assert.rejects(run('worker', on(1), kill), (error: Error) => {
      assert.equal(error.name, 'EngineLostError');
      assert.match(
        error.message,
        /: the torch worker ended \(SIGKILL\).*; the last good checkpoint is .*state\.safeten/,
      );
      return true;
    });
    const resumed = await run('worker', { engine: 'native', precision: 'float32', threads: 1 });
    const whole = await run('whole', { engine: 'native', precision: 'float32', threads: 1 });
    assert.equal(resumed.length, whole.length);
    // Twelve steps of sums in another order; a step moves the loss by percents.
    resumed.forEach((loss, i) => assert.ok(Math.abs(loss - whole[i]!) < 1e-3 * whole[i]!, `${loss}, ${whole[i]}`));
  });

  it('a killed rank ends the run, and another number of ranks goes on from the checkpoint', async () => {
    const kill = (): void => {
      const ranks = workers().filter(({ line }) => !line.includes('torch.distributed.run'));
      assert.equal(ranks.length, 2);
      process.kill(ranks[1]!.pid, 'SIGKILL');
    };
    await assert.rejects(run('rank', on(2), kill), (error: Error) => {
      assert.equal(error.name, 'EngineLostError');
      assert.match(error.message, /: the torch worker ended \(.*the last good checkpoint is .*state\.safetensors/);
      return true;
    });
    assert.deepEqual(await left(), []);
    const resumed = await run('rank', on(1));
    const whole = await run('whole', { engine: 'native', precision: 'float32', threads: 1 });
    assert.equal(resumed.length, whole.length);
    resumed.forEach((loss, i) => assert.ok(Math.abs(loss - whole[i]!) < 1e-3 * whole[i]!, `${loss}, ${whole[i]}`));
  });

  for (const devices of [1, 2]) {
    it(`a killed parent leaves none of ${devices} ranks behind`, async () => {
      const parent = fork(path.join(import.meta.dirname, 'holder.js'), [String(devices)]);
      await new Promise((resolve) => parent.once('message', resolve));
      assert.equal(workers().length, devices === 1 ? 1 : 3); // torchrun is one more
      parent.kill('SIGKILL');
      assert.deepEqual(await left(), []);
    });
  }

  it('a missing device is one error', async () => {
    await assert.rejects(
      createTorchEngine(odd, { device: 'cuda:99' }),
      /^InputError: the torch worker ended \(exit code 1\): ValueError: expected a device that this machine/,
    );
  });

  it('what it is asked after its end is refused with the same words', async () => {
    const engine = await createTorchEngine(odd, { device: 'cpu', threads: 1 });
    await engine.writeTensors('parameters', initialParameters(odd, new Random(0)));
    const state = engine.createState(2);
    await engine.trainStep(state, request(odd, 2, 0));
    workers().forEach(({ pid }) => process.kill(pid, 'SIGTERM'));
    await assert.rejects(engine.readGradients(), /^EngineLostError: the torch worker ended \(SIGTERM\)/);
    await assert.rejects(engine.inferStep(state, { ...request(odd, 2, 0), weights: 'raw' }), /ended \(SIGTERM\)/);
    state.dispose();
    engine.dispose();
    assert.equal(existsSync(folder), true);
  });
});
