/** A training's course: it starts once, ends with its last step, and is of a model that takes its puzzles. */
import assert from 'node:assert/strict';
import { ungrouped } from '../../lib/data/dataset.js';
import { createEngine } from '../../lib/engine/create.js';
import { paperConfig } from '../../lib/model/config.js';
import { paperTraining } from '../../lib/train/options.js';
import { averagedWeights, Trainer } from '../../lib/train/trainer.js';

const config = { ...paperConfig, hiddenSize: 8, heads: 2, puzzleEmbeddingSize: 8, vocabSize: 4, sequenceLength: 4 };
const puzzles = ungrouped([{ input: Uint8Array.of(1, 2, 3, 1), label: Uint8Array.of(3, 2, 3, 3) }], {
  ...{ name: 'one', note: '', width: 2, height: 2, vocabSize: 4 },
});

describe('a trainer', function () {
  this.timeout(60_000);

  it('is started once, makes the steps that it was given, and no more', async () => {
    const engine = await createEngine(config, { engine: 'tfjs', backend: 'cpu' });
    const options = { ...paperTraining, batchSize: 2, steps: 2, warmupSteps: 0, emaRate: 0.5 };
    const trainer = new Trainer(engine, puzzles, options, 0);
    options.steps = 9; // too late: it has a copy
    await assert.rejects(trainer.trainStep(), /^InputError: trainer: expected start or restore before the first step$/);
    await trainer.start();
    await assert.rejects(trainer.start(), /^InputError: trainer: expected start once/);
    assert.deepEqual([trainer.step, trainer.done], [0, false]);
    await trainer.trainStep();
    const state = await trainer.snapshot();
    await trainer.trainStep();
    assert.deepEqual([trainer.step, trainer.done], [2, true]);
    await assert.rejects(trainer.trainStep(), /^InputError: trainer: expected 2 steps in all, got another one$/);
    const end = await averagedWeights(engine);
    await assert.rejects(averagedWeights({ engine } as never), /^InputError: engine: expected one, such as engine of/);
    await trainer.restore(state);
    await trainer.trainStep();
    assert.deepEqual(await averagedWeights(engine), end);
    const average = await engine.readTensors('average');
    assert.deepEqual(end.get('lm_head.weight'), average.get('lm_head.weight'));
    assert.notDeepEqual(end.get('lm_head.weight'), (await engine.readTensors('parameters')).get('lm_head.weight'));
    trainer.dispose();
    engine.dispose();
  });

  it('makes one step after another: one refused takes no puzzle and leaves the run as it was', async () => {
    const options = { ...paperTraining, batchSize: 2, steps: 3, warmupSteps: 0 };
    const ends = [];
    for (const overlapping of [false, true]) {
      const engine = await createEngine(config, { engine: 'tfjs', backend: 'cpu' });
      const trainer = new Trainer(engine, puzzles, options, 0);
      await trainer.start();
      const first = trainer.trainStep();
      if (overlapping)
        await assert.rejects(trainer.trainStep(), /^InputError: trainer: expected one step after another/);
      await first;
      await trainer.trainStep();
      ends.push(await trainer.snapshot());
      engine.dispose();
    }
    assert.deepEqual(ends[1], ends[0]);
  });

  it('trains its own weights, not those of another one that was started on its engine', async () => {
    const engine = await createEngine(config, { engine: 'tfjs', backend: 'cpu' });
    const options = { ...paperTraining, batchSize: 2, steps: 3 };
    const [one, two] = [0, 1].map((seed) => new Trainer(engine, puzzles, options, seed)) as [Trainer, Trainer];
    await one.start();
    const state = await one.snapshot();
    await two.start();
    for (const call of [() => one.trainStep(), () => one.snapshot()])
      await assert.rejects(call, /^InputError: trainer: another Trainer was started on its engine/);
    await two.trainStep();
    await one.restore(state);
    await one.trainStep();
    await assert.rejects(two.trainStep(), /another Trainer/);
    engine.dispose();
  });

  it('goes back to a whole snapshot only, and stays where it is for another', async () => {
    const engine = await createEngine(config, { engine: 'tfjs', backend: 'cpu' });
    const trainer = new Trainer(engine, puzzles, { ...paperTraining, batchSize: 2, steps: 3 }, 0);
    await trainer.start();
    const start = await trainer.snapshot();
    await trainer.trainStep();
    const now = await trainer.snapshot();
    const withPuzzles = (other: object): object => ({
      ...start,
      carry: { ...start.carry, puzzles: { ...start.carry.puzzles, ...other } },
    });
    for (const [wrong, says] of [
      [undefined, /^snapshot: expected an object, got undefined/],
      [{}, /step: expected a whole number from 0, got undefined; carry: expected an object, got undefined; stream: /],
      [{ ...start, carry: undefined }, /^snapshot: carry: expected an object, got undefined$/],
      [{ ...start, carry: { ...start.carry, steps: new Int32Array(3) } }, /steps: an Int32Array of 2/],
      [withPuzzles({ tokens: new Int32Array(8).fill(4) }), /tokens: expected whole numbers from 0 and below 4, got 4/],
      [withPuzzles({ labels: new Int32Array(8).fill(-99) }), /labels: expected .* below 4, got -99/],
      [withPuzzles({ puzzleIds: new Int32Array(2).fill(-1) }), /puzzleIds: expected .* below 1, got -1/],
      [{ ...start, carry: { ...start.carry, halted: new Uint8Array(2).fill(2) } }, /halted: .* below 2, got 2/],
      [{ ...start, stream: { pass: 0 } }, /position: a whole number from 0/],
      [{ ...start, tensors: new Map([...start.tensors].slice(1)) }, /snapshot: parameters: expected a Map by names/],
      [{ ...start, latents: new Map() }, /latent y: expected a Float32Array, got undefined/],
    ] as const)
      await assert.rejects(trainer.restore(wrong as never), { name: 'InputError', message: says });
    assert.deepEqual(await trainer.snapshot(), now);
    engine.dispose();
  });

  it('is of a model that takes its puzzles', async () => {
    const engine = await createEngine({ ...config, sequenceLength: 16 }, { engine: 'tfjs', backend: 'cpu' });
    const options = { ...paperTraining, batchSize: 2, steps: 2 };
    assert.throws(() => new Trainer(engine, puzzles, options, 0), /one: expected sequenceLength 16, as the model has/);
    engine.dispose();
  });
});
