/** The torch engine on a CPU against the published code and against the other engines (npm run test:torch). */
import assert from 'node:assert/strict';
import type { Engine } from '../../lib/engine/engine.js';
import { createNativeEngine } from '../../lib/engine/native/engine.js';
import { createTorchEngine } from '../../lib/engine/torch/engine.js';
import { memoryLimit } from '../../lib/engine/memory.js';
import { InputError } from '../../lib/errors.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { loadTask } from '../../lib/experiment/task.js';
import { initialParameters } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';
import { Trainer, type TrainerSnapshot } from '../../lib/train/trainer.js';
import { fixtures, goldenNames, replayFixture, replayGolden } from '../engine/golden.js';
import { assertSame, configOf, constant, odd as ownSchedule, trained } from '../engine/own-schedules.js';
import { distance, odd, request, update } from './small.js';
import { inputError } from '../input-error.js';

describe('torch engine', function () {
  this.timeout(120_000);

  for (const name of fixtures) {
    it(`agrees with the published code on ${name}`, async () => {
      const engine = await replayFixture(name, (config) =>
        createTorchEngine(config, { device: 'cpu', precision: 'float32', threads: 1 }),
      );
      assert.match(engine, /^torch 2\.\S+ cpu$/);
    });
  }

  for (const name of [...goldenNames('f32'), ...goldenNames('bf16')]) {
    // bfloat16 is PyTorch's own here, rounded where the published code rounds: nearer than the native engine's.
    const tolerance = name.includes('bf16')
      ? { loss: 2e-3, logits: 0.05, gradients: 0.05 }
      : { loss: 1e-5, logits: 2e-4, gradients: 1e-3 };
    it(`agrees with the published code on golden ${name}`, () =>
      replayGolden(
        name,
        (config) =>
          createTorchEngine(config, {
            device: 'cpu',
            precision: name.includes('bf16') ? 'bf16' : 'float32',
            threads: 1,
          }),
        tolerance,
      ));
  }

  for (const schedule of [ownSchedule, ...constant])
    it(`runs a schedule of one's own as the native engine does: ${schedule}`, async () => {
      const config = configOf(schedule);
      assertSame(
        await trained(config, () => createTorchEngine(config, { device: 'cpu', threads: 1 })),
        await trained(config, () => createNativeEngine(config, { precision: 'float32', threads: 1 })),
      );
    });

  it('takes a run over from the native engine to the last bit, and gives it back', async () => {
    // Shallow: where rounding passes through forty layers, nine steps multiply it to percents.
    const { model, training, task } = change(experiment('sudoku-smoke'), {
      model: { layers: 1, innerMultiple: 8, deepRecursions: 1, latentRecursions: 1 },
      training: { steps: 9 },
    });
    const { train } = await loadTask(task);
    const native = (): Engine => createNativeEngine(model, { precision: 'float32', threads: 1 });
    const torch = (): Promise<Engine> => createTorchEngine(model, { device: 'cpu', threads: 1 });
    /** Three sittings of three steps each, one engine after the other; the losses of all nine steps. */
    const run = async (makers: readonly (() => Engine | Promise<Engine>)[]): Promise<number[]> => {
      const losses: number[] = [];
      let snapshot: TrainerSnapshot | undefined;
      for (const make of makers) {
        const engine = await make();
        const trainer = new Trainer(engine, train, training, 0);
        if (snapshot === undefined) await trainer.start();
        else {
          await trainer.restore(snapshot);
          assert.deepEqual(await trainer.snapshot(), snapshot);
        }
        for (let step = 0; step < 3; step++) losses.push((await trainer.trainStep()).answerLoss);
        snapshot = await trainer.snapshot();
        trainer.dispose();
        engine.dispose();
      }
      return losses;
    };
    const [mixed, alone] = [await run([native, torch, native]), await run([native, native, native])];
    // Sums in another order; where a gradient is nothing but rounding, its weight takes another small step.
    mixed.forEach((loss, i) => assert.ok(Math.abs(loss - alone[i]!) < 1e-3 * alone[i]!, `${loss}, ${alone[i]}`));
  });

  it('refuses what does not fit and stops at what is not finite, with the parameters as they were', async () => {
    const engine = await createTorchEngine(odd, { device: 'cpu', threads: 1 });
    await engine.writeTensors('parameters', initialParameters(odd, new Random(1)));
    const state = engine.createState(2);
    await assert.rejects(engine.readGradients(), inputError(/^gradients: expected a training step first/));
    const good = request(odd, 2, 0);
    await assert.rejects(engine.trainStep(state, { ...good, tokens: good.tokens.subarray(1) }), InputError);
    await assert.rejects(
      engine.update(update),
      new InputError('update needs the gradients of a training step; call trainStep first'),
    );
    const before = await engine.readTensors('parameters');
    await state.write(new Map([...(await state.read())].map(([id, data]) => [id, data.fill(3e38)])));
    await assert.rejects(engine.trainStep(state, { ...good, reset: new Uint8Array(2) }), { name: 'NotFiniteError' });
    await assert.rejects(engine.update(update), /call trainStep first/);
    assert.deepEqual(await engine.readTensors('parameters'), before);
    await engine.trainStep(state, good); // reset seats start clean
    await engine.update(update);
    engine.dispose();
  });

  it('refuses seats that no memory here holds, with the number and before the worker tries', async () => {
    // Latents alone: 15 positions, y and z, before and after, in float32. So wide that fewer than 65,536 seats fill it.
    const bytesPerChannel = 15 * 2 * 2 * 4;
    const hiddenSize = 64 * Math.ceil(memoryLimit() / (40_000 * bytesPerChannel) / 64);
    const wide = { ...odd, hiddenSize, latentRecursions: 1 };
    const engine = await createTorchEngine(wide, { device: 'cpu', threads: 1 });
    await engine.writeTensors('parameters', initialParameters(wide, new Random(0)));
    const seats = Math.ceil((memoryLimit() / (hiddenSize * bytesPerChannel)) * 1.01);
    assert.throws(() => engine.createState(seats), inputError(`a batch of ${seats}: expected to need`));
    const few = Math.floor(seats / 2);
    await assert.rejects(
      engine.trainStep(engine.createState(few), request(wide, few, 0)),
      /^InputError: a batch of \d+: expected to need at most the [\d.,]+ GB of memory that this process may use, got/,
    );
    engine.dispose();
  });

  it('writes what it was given when it was called', async () => {
    // A tensor that no pipe takes at once.
    const config = { ...odd, puzzleIds: 20_000 };
    const engine = await createTorchEngine(config, { device: 'cpu', threads: 1 });
    const given = initialParameters(config, new Random(1));
    const tensors = structuredClone(given);
    const writing = engine.writeTensors('parameters', given);
    for (const { data } of given.values()) data.fill(9);
    await writing;
    assert.deepEqual(await engine.readTensors('parameters'), tensors);
    const state = engine.createState(200);
    const [latents, mine] = [await state.read(), await state.read()];
    const replacing = state.write(mine);
    for (const values of mine.values()) values.fill(9);
    await replacing;
    assert.deepEqual(await state.read(), latents);
    engine.dispose();
  });

  it('steps as the native engine does with every optimizer and both losses', async () => {
    const torch = await createTorchEngine(odd, { device: 'cpu', threads: 1 });
    const native = createNativeEngine(odd, { precision: 'float32', threads: 1 });
    for (const optimizer of ['adam-atan2', 'adamw', 'muon'] as const) {
      for (const loss of ['stablemax', 'softmax'] as const) {
        const results = [];
        for (const engine of [torch, native]) {
          await engine.writeTensors('parameters', initialParameters(odd, new Random(1)));
          const state = engine.createState(4);
          const { answerLoss, predictions } = await engine.trainStep(state, { ...request(odd, 4, 0), loss });
          await engine.update({ ...update, optimizer });
          results.push({ answerLoss, predictions, parameters: await engine.readTensors('parameters') });
          state.dispose();
        }
        const [ours, theirs] = results as [(typeof results)[0], (typeof results)[0]];
        ours.answerLoss.forEach((value, i) => assert.ok(Math.abs(value - theirs.answerLoss[i]!) < 1e-5 * value, loss));
        assert.deepEqual(ours.predictions, theirs.predictions);
        for (const [name, { data }] of ours.parameters) {
          const error = distance(data, theirs.parameters.get(name)!.data);
          // One step of 1e-3 on weights of 0.15: a gradient of the wrong sign in one entry of a hundred would show.
          assert.ok(error < (optimizer === 'muon' ? 2e-3 : 1e-3), `${optimizer}, ${loss}, ${name}: ${error}`);
        }
      }
    }
    torch.dispose();
  });
});
