/** Schedules written by hand run on both engines, which get the same losses and gradients by different means. */
import assert from 'node:assert/strict';
import type { Engine, TrainRequest } from '../../lib/engine/engine.js';
import { whyUnavailable } from '../../lib/engine/native/addon.js';
import { createNativeEngine } from '../../lib/engine/native/engine.js';
import { createTfjsEngine } from '../../lib/engine/tfjs/backend.js';
import { checkConfig, paperConfig, type ModelConfig } from '../../lib/model/config.js';
import { initialParameters } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';

/**
 * Nothing like the paper's: two networks, three latents, y answered twice and read beside x, a latent that lags behind.
 */
const odd =
  'z1 ← fL(x + z2) (no gradient); 2 × z1 ← fL(x + y + z1); z2 ← fL(z1 + z2); y ← fH(y + z2); z1 ← fL(y + x); ' +
  'y ← fH(y + z1 + z2)';
/** No gradient reaches the embedding in the first, nor fL either in the second. */
const constant = [
  '4 × z ← net(y + x + z) (no gradient); y ← net(y + z)',
  '2 × z ← fL(y + x + z) (no gradient); y ← fH(y + z)',
];
const configOf = (schedule: string): ModelConfig =>
  checkConfig({
    ...paperConfig,
    schedule,
    hiddenSize: 8,
    heads: 2,
    innerMultiple: 1,
    sequenceLength: 5,
    puzzlePrefix: 1,
    puzzleEmbeddingSize: 8,
    vocabSize: 5,
  });
const batch: TrainRequest = {
  tokens: Int32Array.of(1, 2, 3, 4, 1, 2, 2, 3, 1, 4),
  labels: Int32Array.of(2, 2, 3, 4, 1, 3, 2, 3, 4, 4),
  puzzleIds: Int32Array.of(0, 0),
  reset: Uint8Array.of(1, 1),
  last: Uint8Array.of(0, 0),
  loss: 'stablemax',
};

/** Losses of two steps, the second on the latents of the first, and the gradients of the second. */
async function trained(
  config: ModelConfig,
  make: (config: ModelConfig) => Engine | Promise<Engine>,
): Promise<{ readonly losses: number[]; readonly gradients: ReadonlyMap<string, Float32Array> }> {
  const engine = await make(config);
  try {
    await engine.writeTensors('parameters', initialParameters(config, new Random(4)));
    const state = engine.createState(2);
    const losses = [];
    for (const reset of [batch.reset, Uint8Array.of(0, 0)])
      losses.push(...(await engine.trainStep(state, { ...batch, reset })).answerLoss);
    return {
      losses,
      gradients: new Map(
        [...(await engine.readGradients())].map(([name, { data }]) => [name, Float32Array.from(data)]),
      ),
    };
  } finally {
    engine.dispose();
  }
}

describe('a schedule of one’s own', function () {
  this.timeout(60_000);

  const native = (config: ModelConfig): Engine => createNativeEngine(config, { precision: 'float32', threads: 1 });
  const tfjs = (config: ModelConfig): Promise<Engine> => createTfjsEngine(config, { backend: 'cpu' });

  for (const schedule of [odd, ...constant])
    (whyUnavailable() === undefined ? it : it.skip)(`is the same to both engines: ${schedule}`, async () => {
      const [ours, theirs] = [await trained(configOf(schedule), native), await trained(configOf(schedule), tfjs)];
      // float32 sums in different orders, seven calls deep
      ours.losses.forEach((loss, i) =>
        assert.ok(Math.abs(loss - theirs.losses[i]!) < 1e-4, `${ours.losses.join()} and ${theirs.losses.join()}`),
      );
      assert.deepEqual([...ours.gradients.keys()].sort(), [...theirs.gradients.keys()].sort());
      for (const [name, data] of ours.gradients) {
        const other = theirs.gradients.get(name)!;
        const [norm, error] = [Math.hypot(...other), Math.hypot(...data.map((value, i) => value - other[i]!))];
        assert.ok(error <= 1e-3 * norm + 1e-7, `${name}: ${error} of ${norm}`);
      }
      if (schedule === odd) assert.ok([...ours.gradients.keys()].some((name) => name.startsWith('H_level')));
    });

  for (const schedule of constant)
    it(`has a gradient of zero where none flows: ${schedule}`, async () => {
      const { gradients } = await trained(configOf(schedule), tfjs);
      const without = [...gradients].filter(([, data]) => data.every((value) => value === 0)).map(([name]) => name);
      for (const name of ['embed_tokens.embedding_weight', 'puzzle_emb.local_weights'])
        assert.ok(without.includes(name), name);
      for (const [name, data] of gradients)
        if (name.startsWith('H_level') || name.startsWith('lm_head'))
          assert.ok(
            data.some((value) => value !== 0),
            name,
          );
      assert.equal(without.filter((name) => name.startsWith('L_level')).length, schedule.includes('fL') ? 8 : 0);
    });
});
