/** Learning rates against the reference's, and the checks on training options. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../../lib/files.js';
import { checkTraining, paperTraining, rateFactor, updateRequest } from '../../lib/train/options.js';

const golden = JSON.parse(readFileSync(path.join(projectRoot(), 'test', 'reference', 'golden.json'), 'utf8')) as {
  primitives: Record<string, readonly { step: number; ratio1: number; ratio0_1: number }[]>;
};

describe('training options', () => {
  const rates = Object.entries(golden.primitives).find(([name]) => name.startsWith('lr'))?.[1] ?? [];

  it("gives the reference's learning rate at every listed step", () => {
    assert.ok(rates.length >= 8);
    for (const { step, ratio1, ratio0_1 } of rates) {
      const close = (mine: number, theirs: number): void =>
        assert.ok(Math.abs(mine - theirs) <= 1e-12 * theirs, `step ${step}: ${mine} against ${theirs}`);
      close(updateRequest(step, paperTraining).learningRate, ratio1);
      close(updateRequest(step, { ...paperTraining, finalRateRatio: 0.1 }).learningRate, ratio0_1);
    }
  });

  it('holds the rate until the decaying part begins', () => {
    const options = { ...paperTraining, steps: 1000, warmupSteps: 100, decayFraction: 0.5, finalRateRatio: 0 };
    assert.equal(rateFactor(550, options), 1);
    assert.ok(Math.abs(rateFactor(775, options) - 0.5) < 1e-12);
    assert.ok(rateFactor(1000, options) < 1e-12);
    assert.equal(rateFactor(1000, { ...options, decayFraction: 0 }), 1, 'no part decays, so the last step does not');
    assert.equal(rateFactor(100, { ...options, steps: 100, decayFraction: 1 }), 1, 'as in the reference');
  });

  it('refuses unknown and impossible fields, all at once', () => {
    assert.throws(
      () => checkTraining({ ...paperTraining, batchSize: 0, learningRat: 1 }),
      /unknown field learningRat.*batchSize: expected a whole number/,
    );
    assert.throws(() => checkTraining({ ...paperTraining, learningRate: NaN }), /learningRate: expected/);
  });
});
