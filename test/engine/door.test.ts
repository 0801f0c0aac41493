/** The door of the engines: what does not fit is refused in words, by all of them alike, before they compute. */
import assert from 'node:assert/strict';
import { createEngine, type EngineOptions } from '../../lib/engine/create.js';
import type { Engine, InferRequest, TrainRequest, UpdateRequest } from '../../lib/engine/engine.js';
import { whyUnavailable } from '../../lib/engine/native/addon.js';
import { tf } from '../../lib/engine/tfjs/backend.js';
import { InputError } from '../../lib/errors.js';
import { initialParameters } from '../../lib/model/parameters.js';
import type { ModelConfig } from '../../lib/model/config.js';
import { Random } from '../../lib/random.js';
import { odd, request, update } from './small.js';

const engines: readonly EngineOptions[] = [
  { engine: 'tfjs', backend: 'cpu' },
  ...(whyUnavailable() === undefined ? [{ engine: 'native', precision: 'float32', threads: 1 } as const] : []),
];

for (const options of engines)
  describe(`the door of the ${options.engine} engine`, function () {
    this.timeout(60_000);
    let engine: Engine;
    const started = async (config: ModelConfig = odd): Promise<Engine> => {
      const made = await createEngine(config, options);
      await made.writeTensors('parameters', initialParameters(config, new Random(1)));
      return made;
    };
    const { labels: _, last: __, loss: ___, ...seats } = request(odd, 2, 0);
    const think: InferRequest = { ...seats, weights: 'raw' };
    const refused = async (call: () => Promise<unknown>, says: RegExp): Promise<void> =>
      assert.rejects(call, (error) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, says);
        return true;
      });
    before(async () => {
      engine = await started();
    });
    after(() => engine.dispose());

    it('takes no words and no arrays that there are not', async () => {
      const state = engine.createState(2);
      for (const [changes, says] of [
        [{ weights: 'avg' }, /weights: expected raw or average, got "avg"/],
        [{ weights: undefined }, /weights: expected raw or average, got undefined/],
        [{ wantLogit: true }, /unknown field wantLogit \(did you mean wantLogits\?\)/],
        [{ wantLogits: 'yes' }, /wantLogits: expected true or false, or nothing, got "yes"/],
        [{ tokens: Array.from(think.tokens) }, /tokens: expected an Int32Array, got a list/],
        [{ tokens: Float32Array.from(think.tokens) }, /tokens: expected an Int32Array, got an object/],
        [{ tokens: undefined }, /tokens: expected an Int32Array, got undefined/],
        [{ reset: Uint8Array.of(1, 2) }, /reset\[1\]: expected 0 to 1, got 2/],
        [{ labels: 'x', last: 3 }, /labels: expected an Int32Array, or nothing, got "x"; last: expected a Uint8Array/],
      ] as const)
        await refused(() => engine.inferStep(state, { ...think, ...changes } as never), says);
      const learn: TrainRequest = request(odd, 2, 0);
      for (const [changes, says] of [
        [{ loss: 'softmx' }, /loss: expected stablemax or softmax, got "softmx"/],
        [{ last: Uint8Array.of(0, 255) }, /last\[1\]: expected 0 to 1, got 255/],
      ] as const)
        await refused(() => engine.trainStep(state, { ...learn, ...changes } as never), says);
      await refused(() => engine.readTensors('gradients' as never), /kind of tensors: expected parameters, average/);
      state.dispose();
    });

    it('lets no number through that would harm the weights', async () => {
      const state = engine.createState(2);
      await engine.trainStep(state, request(odd, 2, 0));
      const before = await engine.readTensors('parameters');
      for (const [field, value] of [
        ...([NaN, Infinity, -1, '0.001', undefined] as const).map((each) => ['learningRate', each] as const),
        ...([NaN, 7, 1] as const).map((each) => ['emaRate', each] as const),
        ...([NaN, -0.1, 1] as const).map((each) => ['beta1', each] as const),
        ...([NaN, -1] as const).map((each) => ['weightDecay', each] as const),
        ['optimizer', 'adam'] as const,
        ['lr', 0.1] as const,
      ])
        await refused(
          () => engine.update({ ...update, [field]: value } as UpdateRequest),
          new RegExp(`^update: (unknown field )?${field}`),
        );
      for (const steps of [-1, 0.5, 'x']) assert.throws(() => engine.setOptimizerSteps(steps as number), InputError);
      assert.deepEqual([engine.optimizerSteps, await engine.readTensors('parameters')], [0, before]);
      await engine.update(update); // the gradients are still there
      await engine.writeTensors('parameters', before);
      state.dispose();
    });

    it('writes the tensors of its model, each of them and no other', async () => {
      const own = new Map(await engine.readTensors('parameters'));
      own.set('lm_head.bias', { shape: [7], data: new Float32Array(7) });
      await refused(() => engine.writeTensors('parameters', own), /^parameters: lm_head\.bias is none of them$/);
    });

    it('writes float32 numbers, all or none of them', async () => {
      const before = await engine.readTensors('parameters');
      const last = [...before.keys()].at(-1)!;
      const { shape, data } = before.get(last)!;
      for (const wrong of [
        { shape, data: Float64Array.from(data) },
        { shape, data: Array.from(data) },
        { shape, data: Int32Array.from(data) },
        { shape },
        { data },
        null,
      ]) {
        const zeros = [...before].map(([name, old]) => [name, { ...old, data: new Float32Array(old.data.length) }]);
        const tensors = new Map([...zeros, [last, wrong]] as never) as never;
        await refused(() => engine.writeTensors('parameters', tensors), /expected a shape and data in a Float32Array/);
      }
      assert.deepEqual(await engine.readTensors('parameters'), before);
      const state = engine.createState(1);
      const latents = new Map([...(await state.read())].map(([id, values]) => [id, values.slice().fill(2)]));
      await state.write(latents);
      for (const [id, values, says] of [
        ['z', Float64Array.from(latents.get('z')!), /latent z: expected a Float32Array, got an object/],
        ['z', latents.get('z')!.map(() => NaN), /latent z holds NaN or infinity/],
        ['w', latents.get('z')!, /latents: expected y or z, got "w"/],
      ] as const)
        await refused(() => state.write(new Map([...latents, [id, values]] as never) as never), says);
      assert.deepEqual(await state.read(), latents);
      state.dispose();
    });

    it('steps the states that it made, while they are there', async () => {
      const other = await started();
      const [mine, theirs] = [engine.createState(2), other.createState(2)];
      const says = /latents: expected a state that createState of this engine made, got an object/;
      await refused(() => engine.inferStep(theirs, think), says);
      await refused(() => engine.inferStep({} as never, think), says);
      await engine.inferStep(mine, think);
      mine.dispose();
      mine.dispose();
      for (const call of [() => engine.inferStep(mine, think), () => mine.read(), () => mine.write(new Map())])
        await refused(call, /latents: the state was disposed of, or its engine; make another one/);
      other.dispose();
      other.dispose();
      await refused(() => theirs.read(), /the state was disposed of, or its engine/);
      for (const call of [
        () => other.inferStep(theirs, think),
        () => other.readTensors('parameters'),
        () => other.readGradients(),
        () => other.update(update),
        async () => other.createState(2),
      ])
        await refused(call, /engine: it was disposed of; make another one/);
    });

    it('thinks with parameters only, not with the zeros that it is made with', async () => {
      const empty = await createEngine(odd, options);
      await refused(() => empty.inferStep(empty.createState(2), think), /expected parameters, got none yet/);
      empty.dispose();
    });

    it('has gradients of a training step only, until tensors are written', async () => {
      const made = await started();
      const says = /^gradients: expected a training step first, got none; call trainStep$/;
      await refused(() => made.readGradients(), says);
      await made.trainStep(made.createState(2), request(odd, 2, 0));
      const gradients = await made.readGradients();
      await made.update(update);
      assert.deepEqual(await made.readGradients(), gradients);
      await made.writeTensors('parameters', await made.readTensors('parameters'));
      await refused(() => made.readGradients(), says);
      made.dispose();
    });

    it('makes one call after another, with what it was given when it was called', async () => {
      const state = engine.createState(2);
      const { predictions, haltLogits } = await engine.inferStep(state, think);
      const tokens = think.tokens.slice();
      const latents = await state.read();
      const first = engine.inferStep(state, { ...think, tokens });
      tokens.fill(0);
      await refused(() => engine.inferStep(state, think), /expected one call after another, got one during another/);
      for (const call of [() => engine.update(update), () => state.read(), () => state.write(latents)])
        await refused(call, /expected one call after another/);
      const answer = await first;
      assert.deepEqual([answer.predictions, answer.haltLogits], [predictions, haltLogits]);
      await engine.inferStep(state, think); // it is free again
      state.dispose();
    });

    it('disposed of during a step, lets it end, and frees its memory then', async () => {
      const before = tf.memory().numTensors;
      const made = await started();
      const [one, two] = [made.createState(2), made.createState(2)];
      const step = made.inferStep(one, think);
      one.dispose();
      made.dispose();
      assert.equal((await step).haltLogits.length, 2);
      for (const call of [() => made.inferStep(two, think), () => two.read()]) await refused(call, /disposed of/);
      assert.equal(tf.memory().numTensors, before);
    });

    it('copies what it is given, and no more of a large array than its part', async () => {
      const state = engine.createState(2);
      const { predictions } = await engine.inferStep(state, think);
      const shared = new Int32Array(new SharedArrayBuffer(4 * (think.tokens.length + 5)), 20);
      shared.set(think.tokens);
      for (const tokens of [shared, Int32Array.of(9, ...think.tokens, 9).subarray(1, -1)]) {
        const step = engine.inferStep(state, { ...think, tokens });
        tokens.fill(0);
        assert.deepEqual((await step).predictions, predictions);
      }
      const tensors = await engine.readTensors('parameters');
      const given = new Map([...tensors].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]));
      const writing = engine.writeTensors('parameters', given);
      for (const { data } of given.values()) data.fill(9);
      await writing;
      assert.deepEqual(await engine.readTensors('parameters'), tensors);
      for (const [name, { data }] of await engine.readTensors('average'))
        assert.deepEqual(data, tensors.get(name)!.data, name);
      const latents = await state.read();
      const fill = (map: typeof latents): void => map.forEach((values) => values.fill(9));
      const mine = new Map([...latents].map(([id, values]) => [id, values.slice()]));
      const replacing = state.write(mine);
      fill(mine);
      await replacing;
      fill(await state.read());
      assert.deepEqual(await state.read(), latents);
      for (const what of [{}, undefined, [1]] as never[]) {
        await refused(() => engine.writeTensors('parameters', what), /^parameters: expected a Map by names, got /);
        await refused(() => state.write(what), /^latents: expected a Map by names, got /);
      }
      state.dispose();
    });

    it('keeps a configuration of its own, which nobody changes', async () => {
      const config = { ...odd };
      const made = await started(config);
      config.latentRecursions = 6;
      assert.equal(made.config.latentRecursions, odd.latentRecursions);
      assert.throws(() => Object.assign(made.config, { layers: 1 }), TypeError);
      made.dispose();
    });
  });
