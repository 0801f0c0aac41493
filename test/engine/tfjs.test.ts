/** The tfjs engine against PyTorch's numbers, finite differences, and itself. */
import assert from 'node:assert/strict';
import type { Engine, TrainRequest } from '../../lib/engine/engine.js';
import { createTfjsEngine, loadBackend, tf, type Backend } from '../../lib/engine/tfjs/backend.js';
import { TfjsEngine } from '../../lib/engine/tfjs/engine.js';
import { InputError } from '../../lib/errors.js';
import { paperConfig, type ModelConfig } from '../../lib/model/config.js';
import { initialParameters, type Tensor } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';
import { fixtures, goldenNames, replayFixture, replayGolden } from './golden.js';
import { request, update } from './small.js';
import { inputError } from '../input-error.js';

/** A model small enough for finite differences: two layers, two recursions, five cells. */
const tiny: ModelConfig = {
  ...paperConfig,
  deepRecursions: 2,
  latentRecursions: 2,
  hiddenSize: 8,
  heads: 2,
  expansion: 1,
  innerMultiple: 4,
  vocabSize: 5,
  sequenceLength: 5,
  puzzlePrefix: 2,
  puzzleEmbeddingSize: 8,
  puzzleIds: 3,
  supervisionSteps: 4,
};
const attentive: ModelConfig = { ...tiny, mixer: 'attention', positions: 'rotary' };

/** An engine whose heads are not zero, so that every tensor has a gradient. */
async function started(config: ModelConfig, made?: Engine): Promise<Engine> {
  const engine = made ?? (await createTfjsEngine(config));
  const random = new Random(1);
  const tensors = new Map(
    [...initialParameters(config, random)].map(([name, { shape, data }]) => [
      name,
      {
        shape,
        data: name.startsWith('q_head') || name.startsWith('puzzle') ? data.map(() => random.normal() * 0.3) : data,
      },
    ]),
  );
  await engine.writeTensors('parameters', tensors);
  return engine;
}

describe('tfjs engine', function () {
  this.timeout(120_000);
  let best: Backend = 'cpu';
  before(async () => {
    best = await loadBackend();
    if (best !== 'tensorflow') console.log(`      (tfjs-node does not load here: tested on ${best})`);
  });

  it('has the reference fixtures at hand', () => assert.equal(fixtures.length, 10));

  for (const name of fixtures) {
    it(`agrees with PyTorch on ${name}`, async () => {
      await replayFixture(name, (config) => createTfjsEngine(config, { backend: best }));
    });
  }

  for (const name of ['trm-mlp', 'trm-attention']) {
    it(`agrees with PyTorch on ${name} on wasm`, async () => {
      const engine = await replayFixture(name, (config) => createTfjsEngine(config, { backend: 'wasm' }));
      assert.equal(engine, 'tfjs wasm');
    });
  }

  // With one deep recursion no call is without gradient: finite differences then see what autodiff sees.
  for (const [name, config] of [
    ['MLP', { ...tiny, deepRecursions: 1 }],
    ['attention', { ...attentive, deepRecursions: 1 }],
  ] as const) {
    it(`has the gradient that finite differences give, ${name}, in a random direction of every tensor`, async () => {
      const engine = await started(config);
      const state = engine.createState(3);
      const batch = request(config, 3, 2);
      const lossAt = async (parameters: ReadonlyMap<string, Tensor>): Promise<number> => {
        await engine.writeTensors('parameters', parameters);
        const { answerLoss, haltLoss } = await engine.trainStep(state, batch);
        return [...answerLoss].reduce((sum, each, seat) => sum + each + 0.5 * haltLoss[seat]!, 0) / 3;
      };
      const base = await engine.readTensors('parameters');
      await lossAt(base);
      for (const [tensor, { data }] of await engine.readGradients()) {
        if (tensor === 'puzzle_emb.local_weights') continue;
        const random = new Random(3).fork(tensor);
        const direction = Float32Array.from(data, () => random.normal());
        const old = base.get(tensor)!;
        const slope = async (h: number): Promise<number> => {
          const shifted = (by: number): Promise<number> =>
            lossAt(
              new Map([
                ...base,
                [tensor, { shape: old.shape, data: old.data.map((value, i) => value + by * direction[i]!) }],
              ]),
            );
          return ((await shifted(h)) - (await shifted(-h))) / (2 * h);
        };
        const h = 1e-2 / Math.sqrt(data.length);
        const expected = (4 * (await slope(h / 2)) - (await slope(h))) / 3; // removes the error in h²
        const mine = data.reduce((sum, value, i) => sum + value * direction[i]!, 0);
        // float32 losses are good to 1e-7, and h is about 1e-3: the slope to a few times 1e-4.
        assert.ok(
          Math.abs(mine - expected) < 2e-3 + 0.01 * Math.abs(expected),
          `${tensor}: ${mine} against ${expected}`,
        );
      }
      engine.dispose();
    });
  }

  it('computes a batch in parts as it does at once, where activations do not fit', async () => {
    const config: ModelConfig = { ...tiny, separateNets: true, halting: 'halt-or-continue' };
    const batch = { ...request(config, 5, 7), last: Uint8Array.of(0, 1, 0, 0, 1), wantLogits: true };
    const run = async (engine: Engine): Promise<{ numbers: Map<string, ArrayLike<number>>; parts: number }> => {
      await started(config, engine);
      const state = engine.createState(5);
      const first = await engine.trainStep(state, batch);
      const gradients = await engine.readGradients();
      await engine.update(update);
      // The second step goes on from the latents of the first: those of all parts, in their seats.
      const { kernels } = await tf.profile(async () => {
        await engine.trainStep(state, { ...batch, reset: Uint8Array.of(0, 0, 1, 0, 0) });
        return tf.scalar(0);
      });
      const numbers = new Map<string, ArrayLike<number>>([
        ...Object.entries(first),
        ...[...gradients].map(([name, { data }]) => [`gradient of ${name}`, data] as const),
        ...(await state.read()),
      ]);
      engine.dispose();
      // Tokens are embedded once for the calls without gradient and once for those with it.
      return { numbers, parts: kernels.filter(({ name }) => name === 'OneHot').length / 2 };
    };
    const atOnce = await run(new TfjsEngine(config, best));
    const inParts = await run(new TfjsEngine(config, best, 1)); // no room for more than a seat
    assert.deepEqual([atOnce.parts, inParts.parts], [1, 5]);
    assert.deepEqual([...inParts.numbers.keys()], [...atOnce.numbers.keys()]);
    for (const [name, values] of atOnce.numbers) {
      // float32 sums of five parts in another order. Latents follow an update made of them, and that of Adam-atan2 can
      // change its sign with a gradient near zero: some CPUs differ by 1.2e-4.
      const tolerance = ['y', 'z'].includes(name) ? 1e-3 : 1e-4;
      Array.from(inParts.numbers.get(name)!).forEach((value, i) =>
        assert.ok(Math.abs(value - values[i]!) < tolerance, `${name}[${i}]: ${value} in parts, ${values[i]} at once`),
      );
    }
  });

  it('leaves the event loop its turn between steps, so that a run can be interrupted', async () => {
    const engine = await started(tiny);
    const state = engine.createState(1);
    let turns = 0;
    const count = (): void => void turns++;
    for (let step = 0; step < 3; step++) {
      setImmediate(count);
      await engine.inferStep(state, { ...request(tiny, 1, 0), weights: 'raw' });
    }
    assert.equal(turns, 3);
    state.dispose();
    engine.dispose();
  });

  it('leaves the number of tensors as it was, whatever it does', async () => {
    for (const config of [tiny, { ...attentive, halting: 'halt-or-continue' as const, separateNets: true }]) {
      const engine = await started(config);
      const state = engine.createState(3);
      const batch = request(config, 3, 6);
      const turn = async (): Promise<number> => {
        await engine.trainStep(state, { ...batch, reset: new Uint8Array(3) });
        await engine.update(update);
        const other = engine.createState(3);
        await engine.inferStep(other, { ...batch, weights: 'average' });
        other.dispose();
        await state.write(await state.read());
        return tf.memory().numTensors;
      };
      const first = await turn();
      for (let i = 0; i < 3; i++) assert.equal(await turn(), first);
      state.dispose();
      engine.dispose();
    }
  });

  it('restarts a seat from the start values even after latents that overflow', async () => {
    const engine = await started(tiny);
    const [clean, dirty] = [engine.createState(2), engine.createState(2)];
    await dirty.write(new Map([...(await dirty.read())].map(([id, data]) => [id, data.fill(3e38)])));
    const infer = { ...request(tiny, 2, 7), weights: 'raw' as const, wantLogits: true };
    assert.deepEqual((await engine.inferStep(dirty, infer)).logits, (await engine.inferStep(clean, infer)).logits);
    engine.dispose();
  });

  it('refuses what does not fit, in words, and changes nothing', async () => {
    const engine = await started(tiny);
    const state = engine.createState(2);
    const good = request(tiny, 2, 8);
    const refused = (changes: Partial<TrainRequest>, message: RegExp): Promise<void> =>
      assert.rejects(engine.trainStep(state, { ...good, ...changes }), inputError(message));
    await refused({ tokens: good.tokens.subarray(1) }, /tokens: expected 10 numbers, got 9/);
    await refused({ tokens: good.tokens.map(() => 5) }, /tokens\[0\]: expected 0 to 4, got 5/);
    await refused({ puzzleIds: Int32Array.of(0, 3) }, /puzzleIds\[1\]: expected 0 to 2, got 3/);
    await refused({ labels: good.labels.map(() => -1) }, /labels\[0\]/);
    const latents = await state.read();
    for (const [wrong, message] of [
      [
        new Map([...latents, ['z' as const, new Float32Array(3)]]),
        /^InputError: latent z: expected 112 numbers, got 3$/,
      ],
      [new Map([['z' as const, latents.get('z')!]]), /^InputError: latent y: expected a Float32Array, got undefined$/],
    ] as const)
      await assert.rejects(state.write(wrong), message);
    assert.deepEqual(await state.read(), latents);
    const tensors = new Map(await engine.readTensors('parameters'));
    tensors.set('lm_head.weight', { shape: [1], data: new Float32Array(1) });
    tensors.delete('H_init');
    await assert.rejects(
      engine.writeTensors('parameters', tensors),
      /H_init is missing; lm_head\.weight: expected shape \[5, 8\], got \[1\]/,
    );
    await assert.rejects(createTfjsEngine(tiny, { backend: 'webgl' as Backend }), InputError);
    engine.dispose();
  });

  it('learns from a training step once, and only while its gradients are those of the parameters', async () => {
    const engine = await started(tiny);
    const state = engine.createState(2);
    const good = request(tiny, 2, 8);
    const refused = async (): Promise<void> => {
      const [steps, parameters] = [engine.optimizerSteps, await engine.readTensors('parameters')];
      await assert.rejects(
        engine.update(update),
        new InputError('update needs the gradients of a training step; call trainStep first'),
      );
      assert.equal(engine.optimizerSteps, steps);
      assert.deepEqual(await engine.readTensors('parameters'), parameters);
    };
    await refused();
    await engine.trainStep(state, good);
    await engine.update(update);
    await refused();
    await engine.trainStep(state, good);
    await engine.writeTensors('average', await engine.readTensors('average'));
    await refused();
    await engine.trainStep(state, good);
    await state.write(new Map([...(await state.read())].map(([id, data]) => [id, data.fill(3e38)])));
    await assert.rejects(engine.trainStep(state, { ...good, reset: new Uint8Array(2) }), { name: 'NotFiniteError' });
    await refused();
    engine.dispose();
  });

  it('stops at a loss that is not finite, naming it, with the parameters as they were', async () => {
    const engine = await started(tiny);
    const state = engine.createState(2);
    const before = await engine.readTensors('parameters');
    await state.write(new Map([...(await state.read())].map(([id, data]) => [id, data.fill(3e38)])));
    await assert.rejects(engine.trainStep(state, { ...request(tiny, 2, 9), reset: new Uint8Array(2) }), {
      name: 'NotFiniteError',
      message: /answerLoss/,
    });
    assert.deepEqual(await engine.readTensors('parameters'), before);
    engine.dispose();
  });
});

describe("tfjs engine on golden.json's formula models", function () {
  this.timeout(60_000);
  it('has six of them in float32', () => assert.equal(goldenNames('f32').length, 6));
  for (const name of goldenNames('f32')) {
    // Spec §10: perturbing all weights by 1e-7 moves the first loss by 3e-7, a gradient's sum of squares by 2e-5,
    // of their size.
    it(`agrees with PyTorch on ${name}`, () =>
      replayGolden(name, (config) => createTfjsEngine(config), { loss: 1e-5, logits: 2e-4, gradients: 1e-3 }));
  }
});
