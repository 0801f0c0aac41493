/** Schedules written by hand, and a short training by one of them, which the tests of all engines share. */
import assert from 'node:assert/strict';
import type { Engine, TrainRequest } from '../../lib/engine/engine.js';
import { checkConfig, paperConfig, type ModelConfig } from '../../lib/model/config.js';
import { initialParameters } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';

/**
 * Nothing like the paper's: two networks, three latents, y answered twice and read beside x, a latent that lags behind.
 */
export const odd =
  'z1 ← fL(x + z2) (no gradient); 2 × z1 ← fL(x + y + z1); z2 ← fL(z1 + z2); y ← fH(y + z2); z1 ← fL(y + x); ' +
  'y ← fH(y + z1 + z2)';
/** No gradient reaches the embedding in the first, nor fL either in the second. */
export const constant = [
  '4 × z ← net(y + x + z) (no gradient); y ← net(y + z)',
  '2 × z ← fL(y + x + z) (no gradient); y ← fH(y + z)',
];
export const configOf = (schedule: string): ModelConfig =>
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

interface Trained {
  readonly losses: number[];
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** Losses of two steps, the second on the latents of the first, and the gradients of the second. */
export async function trained(
  config: ModelConfig,
  make: (config: ModelConfig) => Engine | Promise<Engine>,
): Promise<Trained> {
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

/** Fails unless two engines got the same, but for float32 sums in different orders, seven calls deep. */
export function assertSame(ours: Trained, theirs: Trained): void {
  ours.losses.forEach((loss, i) =>
    assert.ok(Math.abs(loss - theirs.losses[i]!) < 1e-4, `${ours.losses.join()} and ${theirs.losses.join()}`),
  );
  assert.deepEqual([...ours.gradients.keys()].sort(), [...theirs.gradients.keys()].sort());
  for (const [name, data] of ours.gradients) {
    const other = theirs.gradients.get(name)!;
    const [norm, error] = [Math.hypot(...other), Math.hypot(...data.map((value, i) => value - other[i]!))];
    assert.ok(error <= 1e-3 * norm + 1e-7, `${name}: ${error} of ${norm}`);
  }
}
