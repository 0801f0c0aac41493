/** Schedules against the paper's loops written out by hand. */
import assert from 'node:assert/strict';
import { paperConfig, type ModelConfig } from '../../lib/model/config.js';
import { buildSchedule, effectiveDepth } from '../../lib/model/schedule.js';

/** "z←net(y+x+z)*" for each call; the star marks gradient. */
function written(changes: Partial<ModelConfig>): string[] {
  return buildSchedule({ ...paperConfig, ...changes }).calls.map(({ net, write, read, gradient }) => `${write}←${net}(${read.join('+')})${gradient ? '*' : ''}`);
}

describe('schedule', () => {
  it('of TRM is T recursions of n z-updates and a y-update, gradient in the last only', () => {
    assert.deepEqual(written({ deepRecursions: 2, latentRecursions: 2 }), ['z←net(y+x+z)', 'z←net(y+x+z)', 'y←net(y+z)', 'z←net(y+x+z)*', 'z←net(y+x+z)*', 'y←net(y+z)*']);
  });

  it('of HRM at T = n = 2 is L L H L | L H with two networks (spec §6)', () => {
    assert.deepEqual(written({ recursion: 'hrm', deepRecursions: 2, latentRecursions: 2, separateNets: true, gradient: 'one-step' }), [
      'z←fL(y+x+z)',
      'z←fL(y+x+z)',
      'y←fH(y+z)',
      'z←fL(y+x+z)',
      'z←fL(y+x+z)*',
      'y←fH(y+z)*',
    ]);
  });

  it('of one latent leaves the puzzle out of the last call of a recursion', () => {
    assert.deepEqual(written({ recursion: 'single-z', deepRecursions: 1, latentRecursions: 2 }), ['z←net(x+z)*', 'z←net(x+z)*', 'z←net(z)*']);
  });

  it('of several latents refines them in turn from the sum of all', () => {
    assert.deepEqual(written({ recursion: 'multi-z', latentCount: 2, deepRecursions: 1, latentRecursions: 2 }), ['z1←net(z1+z2+y+x)*', 'z2←net(z1+z2+y+x)*', 'y←net(z1+z2+y)*']);
  });

  it('of direct prediction is one call', () => {
    assert.deepEqual(written({ recursion: 'direct' }), ['y←fH(y+x)*']);
  });

  it("has the depth of the paper's Table 1", () => {
    assert.equal(effectiveDepth(paperConfig), 42);
    assert.equal(effectiveDepth({ ...paperConfig, layers: 4, latentRecursions: 3 }), 48);
    assert.equal(effectiveDepth({ ...paperConfig, deepRecursions: 2, latentRecursions: 2 }), 12);
    assert.equal(effectiveDepth({ ...paperConfig, recursion: 'hrm', layers: 4, deepRecursions: 2, latentRecursions: 2, separateNets: true, gradient: 'one-step' }), 24);
  });
});
