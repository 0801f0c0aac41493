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
    await trainer.restore(state);
    await trainer.trainStep();
    assert.deepEqual(await averagedWeights(engine), end);
    const average = await engine.readTensors('average');
    assert.deepEqual(end.get('lm_head.weight'), average.get('lm_head.weight'));
    assert.notDeepEqual(end.get('lm_head.weight'), (await engine.readTensors('parameters')).get('lm_head.weight'));
    trainer.dispose();
    engine.dispose();
  });

  it('is of a model that takes its puzzles', async () => {
    const engine = await createEngine({ ...config, sequenceLength: 16 }, { engine: 'tfjs', backend: 'cpu' });
    const options = { ...paperTraining, batchSize: 2, steps: 2 };
    assert.throws(() => new Trainer(engine, puzzles, options, 0), /one: expected sequenceLength 16, as the model has/);
    engine.dispose();
  });
});
