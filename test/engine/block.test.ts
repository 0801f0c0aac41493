/** A block of one's own on the tfjs engine: against the kit's, against finite differences, and in records. */
import type { Tensor } from '@tensorflow/tfjs-core';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../lib/engine/create.js';
import type { Engine, TrainRequest } from '../../lib/engine/engine.js';
import { loadBackend, tf } from '../../lib/engine/tfjs/backend.js';
import type { Block } from '../../lib/engine/tfjs/block.js';
import { TfjsEngine } from '../../lib/engine/tfjs/engine.js';
import { InputError } from '../../lib/errors.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { openModel } from '../../lib/experiment/open.js';
import { readRecord } from '../../lib/experiment/record.js';
import { runExperiment } from '../../lib/experiment/run.js';
import { paperConfig, type ModelConfig } from '../../lib/model/config.js';
import { initialParameters, type TensorMap } from '../../lib/model/parameters.js';
import { buildSchedule } from '../../lib/model/schedule.js';
import { Random } from '../../lib/random.js';
import { ablationRecords } from '../../lib/report/ablation.js';
import { resultsTable } from '../../lib/report/tables.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

const cli = fileURLToPath(new URL('../../lib/cli.js', import.meta.url));

/** One deep recursion: no call is without gradient, so finite differences see what autodiff sees. */
const tiny: ModelConfig = {
  ...paperConfig,
  deepRecursions: 1,
  latentRecursions: 2,
  hiddenSize: 8,
  heads: 2,
  expansion: 1,
  innerMultiple: 4,
  vocabSize: 5,
  sequenceLength: 5,
  puzzlePrefix: 0,
  puzzleEmbeddingSize: 0,
  puzzleIds: 1,
};

/** The feed-forward half with any activation of the gate; with SiLU it is the kit's. */
const gated =
  (activation: (gate: Tensor) => Tensor): Block =>
  (start, { tf: own, layers, weights, mix, linear, rmsNorm }) =>
    layers.reduce((before, layer) => {
      const h = mix(layer, before);
      const [gate, up] = own.split(linear(h, weights(`${layer}.mlp.gate_up_proj.weight`)), 2, 2);
      return rmsNorm(h.add(linear(activation(gate!).mul(up!), weights(`${layer}.mlp.down_proj.weight`))));
    }, start);
const tanh = gated((gate) => tf.tanh(gate));

function batch(): TrainRequest {
  const tokens = Int32Array.from({ length: 10 }, (_, i) => (3 * i) % 5);
  return {
    tokens,
    labels: tokens.map((token) => (token + 1) % 5),
    puzzleIds: new Int32Array(2),
    reset: new Uint8Array(2).fill(1),
    last: new Uint8Array(2),
    loss: 'stablemax',
  };
}

function start(config: ModelConfig): TensorMap {
  const random = new Random(1);
  return new Map(
    [...initialParameters(config, random)].map(([name, { shape, data }]) => [
      name,
      { shape, data: name.startsWith('q_head') ? data.map(() => random.normal() * 0.3) : data },
    ]),
  );
}

/** The loss of one step from given weights. */
async function lossOf(engine: Engine, tensors: TensorMap): Promise<number> {
  await engine.writeTensors('parameters', tensors);
  const state = engine.createState(2);
  const { answerLoss, haltLoss } = await engine.trainStep(state, batch());
  state.dispose();
  return [...answerLoss].reduce((sum, each, seat) => sum + each + 0.5 * haltLoss[seat]!, 0) / 2;
}

async function stepOf(config: ModelConfig, block?: Block): Promise<{ loss: number; gradients: TensorMap }> {
  const engine = await createEngine(config, { engine: 'tfjs', block });
  const loss = await lossOf(engine, start(config));
  const gradients = await engine.readGradients();
  engine.dispose();
  return { loss, gradients };
}

describe('a block of one’s own', function () {
  this.timeout(120_000);

  for (const [name, config] of [
    ['MLP', tiny],
    ['attention', { ...tiny, mixer: 'attention', positions: 'rotary' }],
  ] as const) {
    it(`that is the kit's, whole or from its parts, has its loss and gradients, ${name}`, async () => {
      const kit = await stepOf(config);
      for (const block of [
        ((h, { original }) => original(h)) satisfies Block,
        gated((gate) => gate.mul(tf.sigmoid(gate))),
      ]) {
        const own = await stepOf(config, block);
        assert.equal(own.loss, kit.loss);
        assert.deepEqual(own.gradients, kit.gradients);
      }
    });
  }

  it('gives other numbers with tanh, and the gradient of central differences in every tensor', async () => {
    assert.notEqual((await stepOf(tiny)).loss, (await stepOf(tiny, tanh)).loss);
    const engine = await createEngine(tiny, { block: tanh });
    assert.match(engine.description, /^tfjs .*, own block$/);
    const base = start(tiny);
    await lossOf(engine, base);
    for (const [name, { data }] of await engine.readGradients()) {
      const random = new Random(3).fork(name);
      const direction = Float32Array.from(data, () => random.normal());
      const old = base.get(name)!;
      const shifted = (by: number): Promise<number> =>
        lossOf(
          engine,
          new Map([...base, [name, { shape: old.shape, data: old.data.map((each, i) => each + by * direction[i]!) }]]),
        );
      const slope = async (h: number): Promise<number> => ((await shifted(h)) - (await shifted(-h))) / (2 * h);
      const h = 1e-2 / Math.sqrt(data.length);
      const expected = (4 * (await slope(h / 2)) - (await slope(h))) / 3; // removes the error in h²
      const mine = data.reduce((sum, each, i) => sum + each * direction[i]!, 0);
      // float32 losses are good to 1e-7, and h is about 1e-3: the slope to a few times 1e-4.
      assert.ok(Math.abs(mine - expected) < 2e-3 + 0.01 * Math.abs(expected), `${name}: ${mine} against ${expected}`);
    }
    engine.dispose();
  });

  it('is refused with another engine, and where its result has another shape', async () => {
    await assert.rejects(createEngine(tiny, { engine: 'native', block: tanh }), InputError);
    await assert.rejects(
      stepOf(tiny, (h) => h.slice([0, 0, 0], [-1, -1, 4])),
      inputError(/expected float32 \[2, 5, 8\].*got float32 \[2, 5, 4\]/),
    );
  });

  it('with a mistake costs a step, and no memory: neither off the tape, nor on it, nor on the way back', async () => {
    const config = { ...tiny, deepRecursions: 2, puzzlePrefix: 1, puzzleEmbeddingSize: 8 };
    const before = tf.memory().numTensors;
    const lastCall = 2 * buildSchedule(config).calls.length; // of the second seat: one is computed at a time
    for (const wrongAt of [1, lastCall, Infinity]) {
      let calls = 0;
      const block: Block = (h, { original }) => {
        if (++calls === wrongAt) throw new Error('a mistake');
        return wrongAt === Infinity ? original(h).add(tf.topk(h, 1).values) : original(h);
      };
      const engine = new TfjsEngine(config, await loadBackend(), 1, block);
      await assert.rejects(lossOf(engine, start(config)), /a mistake|gradient/);
      engine.dispose();
      assert.equal(tf.memory().numTensors, before, `${wrongAt}`);
    }
  });

  it('is named in the record, the tables and the checkpoint of a run, which is none of a plan', async () => {
    const folder = newFolder();
    const base = change(experiment('sudoku-4x4'), {
      training: { steps: 2, batchSize: 4 },
      evaluation: { every: 0, finalPuzzles: 4 },
    });
    const outcome = await runExperiment(base, { engine: { block: tanh }, folder });
    outcome.engine.dispose();
    const record = readRecord(path.join(folder, 'record.json'));
    assert.match(record.block!, /^[0-9a-f]{64}$/);
    assert.match(resultsTable([record]), new RegExp(`sudoku-4x4, own block ${record.block!.slice(0, 8)}`));
    assert.deepEqual(ablationRecords([{ experiment: base, seed: 0 }], [record]), []);
    const plain = await runExperiment(base, { engine: { engine: 'tfjs' }, folder: path.join(folder, 'plain') });
    plain.engine.dispose();
    assert.ok(!('block' in plain.record!));
    assert.notEqual(plain.id, record.id);
    assert.equal(ablationRecords([{ experiment: base, seed: 0 }], [plain.record!]).length, 1);
    const model = path.join(folder, 'model.safetensors');
    await assert.rejects(openModel(model), /expected the block that it was trained with/);
    (await openModel(model, { block: tanh })).engine.dispose();

    const state = path.join(folder, 'state.safetensors');
    const converted = path.join(folder, 'converted.safetensors');
    const told = spawnSync(process.execPath, [cli, 'convert', model, converted], { encoding: 'utf8' });
    assert.match(told.stdout, new RegExp(`trained with a custom block \\(SHA-256 ${record.block!.slice(0, 8)}`));
    for (const from of [model, state, converted]) {
      const start = { from, folder: path.join(folder, 'started') };
      const refused = /expected the block that it was trained with .* got the kit's own/;
      await assert.rejects(runExperiment(base, start), refused);
      assert.ok(!existsSync(start.folder), 'nothing is left behind');
      const other: Block = (h, { original }) => original(h);
      await assert.rejects(runExperiment(base, { ...start, engine: { block: other } }), /got another; give that/);
    }
    const line = ['train', '--experiment', 'sudoku-4x4', '--from', converted];
    const { status, stderr } = spawnSync(process.execPath, [cli, ...line], { encoding: 'utf8' });
    assert.equal(status, 2);
    assert.match(stderr, /^error: .*expected the block that it was trained with/m);
    const onward = { engine: { block: tanh }, from: state, folder: path.join(folder, 'onward') };
    const second = await runExperiment(base, onward);
    second.engine.dispose();
    assert.equal(second.record!.block, record.block);
    assert.ok(second.record!.start !== undefined);
  });
});
