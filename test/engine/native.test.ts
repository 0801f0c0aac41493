/** The native engine against PyTorch's numbers at every instruction level of this CPU, and against itself. */
import assert from 'node:assert/strict';
import type { Engine } from '../../lib/engine/engine.js';
import { chooseLevel, detectedLevels, fastestLevel, levels, whyUnavailable } from '../../lib/engine/native/addon.js';
import { createNativeEngine, type NativeOptions } from '../../lib/engine/native/engine.js';
import { InputError } from '../../lib/errors.js';
import type { ModelConfig } from '../../lib/model/config.js';
import { initialParameters } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';
import { fixtures, goldenNames, replayFixture, replayGolden } from './golden.js';
import { odd, request, update } from './small.js';

async function started(config: ModelConfig, options: NativeOptions): Promise<Engine> {
  const engine = createNativeEngine(config, options);
  await engine.writeTensors('parameters', initialParameters(config, new Random(1)));
  return engine;
}

/** Runs at one instruction level. */
async function at<Result>(level: string, act: () => Promise<Result>): Promise<Result> {
  const before = process.env['TRM_LAB_ISA'];
  process.env['TRM_LAB_ISA'] = level;
  try {
    return await act();
  } finally {
    if (before === undefined) delete process.env['TRM_LAB_ISA'];
    else process.env['TRM_LAB_ISA'] = before;
  }
}

describe('native engine', function () {
  this.timeout(120_000);
  const missing = whyUnavailable();
  if (missing !== undefined) {
    it(`is not here: ${missing}`, () => assert.throws(() => createNativeEngine(odd), InputError));
    return;
  }
  const here = detectedLevels();
  const absent = levels.filter((level) => !here.includes(level));
  console.log(
    `      levels of this CPU: ${here.join(', ')}; levels that this CPU lacks, NOT tested: ` +
      `${absent.join(', ') || 'none'}`,
  );
  const float32Levels = here.filter((level) => level !== 'avx512bf16' && level !== 'amx');

  for (const level of float32Levels) {
    for (const name of fixtures) {
      it(`agrees with PyTorch on ${name} at ${level}`, () =>
        at(level, async () => {
          const engine = await replayFixture(name, async (config) =>
            createNativeEngine(config, { precision: 'float32' }),
          );
          assert.equal(engine, `native ${level}`);
        }));
    }
    for (const name of goldenNames('f32')) {
      it(`agrees with PyTorch on golden ${name} at ${level}`, () =>
        at(level, () =>
          replayGolden(name, async (config) => createNativeEngine(config, { precision: 'float32' }), {
            loss: 1e-5,
            logits: 2e-4,
            gradients: 1e-3,
          }),
        ));
    }
  }

  for (const level of here.filter((each) => each === 'avx512bf16' || each === 'amx')) {
    for (const name of goldenNames('bf16')) {
      // bfloat16 keeps 8 bits: one rounding is 0.4 %. PyTorch rounds every activation, we only the operands of
      // products, so the two differ by the roundings of some forty layers: a percent or two of the loss,
      // tenths of a logit.
      it(`agrees with PyTorch's bfloat16 on golden ${name} at ${level}`, () =>
        at(level, () =>
          replayGolden(name, async (config) => createNativeEngine(config, { precision: 'bf16' }), {
            loss: 0.02,
            logits: 0.15,
            gradients: 0.2,
          }),
        ));
    }
  }

  it('gives nearly the same losses and gradients at every level, at odd sizes, for both mixers', async () => {
    for (const config of [
      odd,
      { ...odd, mixer: 'attention' as const, positions: 'rotary' as const },
      { ...odd, positions: 'learned' as const, mixer: 'attention' as const },
    ]) {
      const results = new Map<string, { loss: number; gradients: Map<string, Float32Array> }>();
      for (const level of here) {
        await at(level, async () => {
          const engine = await started(config, { threads: 2 });
          const { answerLoss } = await engine.trainStep(engine.createState(5), request(config, 5, 2));
          results.set(level, {
            loss: answerLoss.reduce((a, b) => a + b, 0),
            gradients: new Map([...(await engine.readGradients())].map(([name, { data }]) => [name, data])),
          });
        });
      }
      const portable = results.get('portable')!;
      for (const [level, { loss, gradients }] of results) {
        const exact = float32Levels.includes(level as (typeof float32Levels)[number]);
        assert.ok(
          Math.abs(loss - portable.loss) < (exact ? 1e-5 : 0.02) * portable.loss,
          `${level}: ${loss} against ${portable.loss}`,
        );
        for (const [name, data] of gradients) {
          const reference = portable.gradients.get(name)!;
          const norm = Math.sqrt(reference.reduce((sum, value) => sum + value * value, 0));
          const error = Math.sqrt(data.reduce((sum, value, i) => sum + (value - reference[i]!) ** 2, 0));
          // Sums in another order, then seven calls deep: 1e-3. bfloat16 operands: rounded by 0.4 %, through 42
          // layers whose random weights expand differences: a fifth of the gradient's length, measured.
          assert.ok(error <= (exact ? 1e-3 : 0.3) * norm + 1e-7, `${level}, ${name}: ${error} of ${norm}`);
        }
      }
    }
  });

  it('gives the same bytes for the same seed and threads, and nearly the same for other threads', async () => {
    const run = async (threads: number): Promise<Float32Array> => {
      const engine = await started(odd, { threads });
      const state = engine.createState(7);
      for (let step = 0; step < 3; step++) {
        await engine.trainStep(state, { ...request(odd, 7, step), reset: new Uint8Array(7).fill(step === 0 ? 1 : 0) });
        await engine.update(update);
      }
      return (await engine.readTensors('parameters')).get('L_level.layers.1.mlp.down_proj.weight')!.data;
    };
    const [first, again, single] = [await run(2), await run(2), await run(1)];
    assert.deepEqual(first, again);
    const difference = Math.sqrt(first.reduce((sum, value, i) => sum + (value - single[i]!) ** 2, 0) / first.length);
    assert.ok(difference < 1e-4, `${difference}`); // a tenth of one optimizer step
  });

  it('does not grow with the number of steps', async () => {
    const small = { ...odd, sequenceLength: 16, latentRecursions: 1 };
    const engine = await started(small, { threads: 2 });
    const state = engine.createState(16);
    const batch = request(small, 16, 3);
    const steps = async (count: number): Promise<number> => {
      for (let i = 0; i < count; i++) {
        await engine.trainStep(state, batch);
        await engine.update(update);
      }
      return process.memoryUsage().rss;
    };
    const before = await steps(300);
    const after = await steps(1500);
    // the garbage collector's slack
    assert.ok(after - before < 30e6, `grew by ${((after - before) / 1e6).toFixed(1)} MB in 1,500 steps`);
  });

  it('refuses what does not fit and stops at what is not finite, with the parameters as they were', async () => {
    const engine = await started(odd, {});
    const state = engine.createState(2);
    const good = request(odd, 2, 4);
    await assert.rejects(engine.trainStep(state, { ...good, tokens: good.tokens.subarray(1) }), InputError);
    await assert.rejects(
      engine.trainStep(state, { ...good, tokens: good.tokens.map(() => 7) }),
      /tokens\[0\]: expected 0 to 6, got 7/,
    );
    const before = await engine.readTensors('parameters');
    await assert.rejects(
      engine.update(update),
      new InputError('update needs the gradients of a training step; call trainStep first'),
    );
    await state.write(new Map([...(await state.read())].map(([id, data]) => [id, data.fill(3e38)])));
    await assert.rejects(engine.trainStep(state, { ...good, reset: new Uint8Array(2) }), { name: 'NotFiniteError' });
    assert.deepEqual(await engine.readTensors('parameters'), before);
    await engine.trainStep(state, good); // reset seats start clean
    await engine.update(update);
  });

  it('takes the fastest level, which on Intel without AMX is float32', () => {
    const zen4 = ['avx512bf16', 'avx512', 'avx2', 'portable'] as const;
    assert.equal(fastestLevel(zen4, 'AMD EPYC 9B14'), 'avx512bf16');
    assert.equal(fastestLevel(zen4, 'Intel(R) Xeon(R) Processor'), 'avx512');
    assert.equal(fastestLevel(['amx', ...zen4], 'Intel(R) Xeon(R) Processor'), 'amx');
    assert.equal(fastestLevel(['avx2', 'portable'], 'Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz'), 'avx2');
  });

  it('is held to a level by TRM_LAB_ISA, and refuses one that this CPU lacks', async () => {
    for (const level of here) await at(level, async () => assert.equal(chooseLevel('auto').level, level));
    for (const level of absent)
      await at(level, async () =>
        assert.throws(
          () => chooseLevel('auto'),
          new RegExp(`TRM_LAB_ISA: expected one of ${here.join(', ')} on this CPU, got ${level}`),
        ),
      );
    await at('avx1024', async () =>
      assert.throws(() => chooseLevel('auto'), /TRM_LAB_ISA: expected one of .*got avx1024/),
    );
    await at('portable', async () => assert.throws(() => chooseLevel('bf16'), /precision bf16: expected a CPU with/));
  });
});
