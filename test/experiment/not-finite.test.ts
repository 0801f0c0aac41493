/** A run whose numbers overflow stops with the step, what is not finite, and the checkpoints to go back to. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { NotFiniteError } from '../../lib/engine/engine.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { runExperiment } from '../../lib/experiment/run.js';
import { loadCheckpoint } from '../../lib/checkpoint/checkpoint.js';
import { readSnapshot } from '../../lib/train/snapshot.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

describe('a run whose numbers overflow', () => {
  const folder = newFolder();

  // Each update multiplies the weights by 1 − 10·10: after some they pass the largest float32.
  const wild = change(experiment('sudoku-smoke'), {
    model: { layers: 1, innerMultiple: 8, deepRecursions: 1, latentRecursions: 1 },
    training: { steps: 40, learningRate: 10, weightDecay: 10, warmupSteps: 0 },
    evaluation: { every: 0, finalPuzzles: 10, closing: [] },
  });
  const tame = change(wild, { training: { learningRate: 1e-3, weightDecay: 0.1, steps: 4 } });
  const engine = { engine: 'native', precision: 'float32', threads: 1 } as const;

  it('names the step, the tensor or loss, and checkpoints from before, of which a tamer run starts', async () => {
    const states = path.join(folder, 'wild');
    let done = 0;
    const run = runExperiment(wild, {
      folder: states,
      engine,
      checkpointEvery: 2,
      onProgress: (progress) => void (done = progress.done),
    });
    const failure: unknown = await run.catch((error: unknown) => error);
    assert.ok(failure instanceof NotFiniteError);
    const [first = '', second = '', third = ''] = failure.message.split('; ').slice(-3);
    const found = (pattern: RegExp, text: string): string[] =>
      pattern.exec(text)?.slice(1) ?? assert.fail(failure.message);
    const [step, what] = found(/^step (\d+) of .*?: (.*)$/, first);
    const [before, beforeStep, last, lastStep] = found(
      /^the checkpoint from before is (.*) \(step (\d+)\), the last one (.*) \(step (\d+)\)$/,
      second,
    );
    const [from, rate] = found(/^start a new run from it: --from (.*) --set training.learningRate=(.*)$/, third);
    assert.equal(Number(step), done + 1);
    assert.match(what!, /the .*(loss|gradient) of .*(not finite|NaN|inf)/);
    assert.equal(Number(lastStep), done - (done % 2));
    assert.equal(Number(beforeStep), Number(lastStep) - 2, 'the regular checkpoint before the last');
    assert.deepEqual([from, rate], [before, '5']);
    assert.deepEqual(
      [before, last].map((file) => readSnapshot(file!, wild.model, 8).snapshot.step),
      [Number(beforeStep), Number(lastStep)],
    );

    // The new run's first step is that of the old weights, and it is another run than one from nothing.
    const calm = change(tame, { training: { learningRate: 0, weightDecay: 0 } });
    const [again, plain] = [
      await runExperiment(calm, { folder: path.join(folder, 'again'), engine, from: before! }),
      await runExperiment(calm, { folder: path.join(folder, 'plain'), engine }),
    ];
    const weights = (await again.engine.readTensors('parameters')).get('lm_head.weight')!.data;
    const { tensors } = readSnapshot(before!, wild.model, 8).snapshot;
    assert.deepEqual(weights, tensors.get('parameters')!.get('lm_head.weight')!.data);
    assert.notEqual(again.id, plain.id);
    assert.match(again.record!.start!, /^[0-9a-f]{64}$/);
    assert.ok(!('start' in plain.record!));
    assert.equal(again.engine.optimizerSteps, 4);
    for (const outcome of [again, plain]) outcome.engine.dispose();
    // What is only kept against an overflow goes with the end of a run.
    assert.deepEqual(
      readdirSync(again.folder).filter((name) => name.startsWith('state')),
      ['state.safetensors'],
    );
  });

  it('a run starts from any checkpoint of its model, and is refused one of another', async () => {
    const first = await runExperiment(tame, { folder: path.join(folder, 'first'), engine });
    const model = path.join(first.folder, 'model.safetensors');
    const second = await runExperiment(tame, { folder: path.join(folder, 'second'), engine, from: model });
    const saved = loadCheckpoint(model).tensors;
    const resumed = { folder: second.folder, engine, from: model, resume: true } as const;
    assert.deepEqual((await runExperiment(tame, resumed)).record, second.record);
    await assert.rejects(
      runExperiment(tame, { ...resumed, from: undefined as never }),
      /expected a state of run .*, got one of .*; choose another folder/,
    );
    assert.equal(saved.size, (await second.engine.readTensors('parameters')).size);
    const wider = change(tame, { model: { hiddenSize: 32 } });
    await assert.rejects(
      runExperiment(wider, { folder: path.join(folder, 'wider'), engine, from: model }),
      inputError(/embedding_weight: expected \[\d+, 32\], got \[\d+, 16\]/),
    );
    const state = path.join(first.folder, 'state.safetensors');
    await assert.rejects(
      runExperiment(wider, { folder: path.join(folder, 'wider'), engine, from: state }),
      /InputError: .*state\.safetensors: .*expected shape \[32\] of F32, got \[16\] of F32/,
    );
    assert.ok(!existsSync(path.join(folder, 'wider')));
    for (const outcome of [first, second]) outcome.engine.dispose();
  });
});
