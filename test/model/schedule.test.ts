/** Schedules against the paper's loops written out by hand. */
import assert from 'node:assert/strict';
import { InputError } from '../../lib/errors.js';
import { checkConfig, paperConfig, type ModelConfig } from '../../lib/model/config.js';
import { buildSchedule, effectiveDepth } from '../../lib/model/schedule.js';
import { inputError } from '../input-error.js';

/** "z←net(y+x+z)*" for each call; the star marks gradient. */
function written(changes: Partial<ModelConfig>): string[] {
  return buildSchedule({ ...paperConfig, ...changes }).calls.map(
    ({ net, write, read, gradient }) => `${write}←${net}(${read.join('+')})${gradient ? '*' : ''}`,
  );
}

describe('schedule', () => {
  it('of TRM is T recursions of n z-updates and a y-update, gradient in the last only', () => {
    assert.deepEqual(written({ deepRecursions: 2, latentRecursions: 2 }), [
      'z←net(y+x+z)',
      'z←net(y+x+z)',
      'y←net(y+z)',
      'z←net(y+x+z)*',
      'z←net(y+x+z)*',
      'y←net(y+z)*',
    ]);
  });

  it('of HRM at T = n = 2 is L L H L | L H with two networks (spec §6)', () => {
    assert.deepEqual(
      written({ recursion: 'hrm', deepRecursions: 2, latentRecursions: 2, separateNets: true, gradient: 'one-step' }),
      ['z←fL(y+x+z)', 'z←fL(y+x+z)', 'y←fH(y+z)', 'z←fL(y+x+z)', 'z←fL(y+x+z)*', 'y←fH(y+z)*'],
    );
  });

  it('of one latent leaves the puzzle out of the last call of a recursion', () => {
    assert.deepEqual(written({ recursion: 'single-z', deepRecursions: 1, latentRecursions: 2 }), [
      'z←net(x+z)*',
      'z←net(x+z)*',
      'z←net(z)*',
    ]);
  });

  it('of several latents refines them in turn from the sum of all', () => {
    assert.deepEqual(written({ recursion: 'multi-z', latentCount: 2, deepRecursions: 1, latentRecursions: 2 }), [
      'z1←net(z1+z2+y+x)*',
      'z2←net(z1+z2+y+x)*',
      'y←net(z1+z2+y)*',
    ]);
  });

  it('of direct prediction is one call', () => {
    assert.deepEqual(written({ recursion: 'direct' }), ['y←fH(y+x)*']);
  });

  it("has the depth of the paper's Table 1", () => {
    assert.equal(effectiveDepth(paperConfig), 42);
    assert.equal(effectiveDepth({ ...paperConfig, layers: 4, latentRecursions: 3 }), 48);
    assert.equal(effectiveDepth({ ...paperConfig, deepRecursions: 2, latentRecursions: 2 }), 12);
    assert.equal(
      effectiveDepth({
        ...paperConfig,
        recursion: 'hrm',
        layers: 4,
        deepRecursions: 2,
        latentRecursions: 2,
        separateNets: true,
        gradient: 'one-step',
      }),
      24,
    );
  });

  it('of one’s own is what its lines say: numbers repeat, gradient only where it is not denied', () => {
    const text =
      '4 × z ← net(y + x + z)  (no gradient)\n y = net(y+z) (no gradient); 2 * z <- net(y + x + z)\ny ← net(y + z)';
    const of = (schedule: string): string[] => written(checkConfig({ ...paperConfig, schedule }));
    assert.deepEqual(of(text), [
      ...Array<string>(4).fill('z←net(y+x+z)'),
      'y←net(y+z)',
      'z←net(y+x+z)*',
      'z←net(y+x+z)*',
      'y←net(y+z)*',
    ]);
    // the paper's, written out, is the paper's: the same calls, latents, networks and answer
    const paper =
      '6 × z ← net(y + x + z) (no gradient); y ← net(y + z) (no gradient);'.repeat(2) +
      '6 × z ← net(y + x + z); y ← net(y + z)';
    assert.deepEqual(buildSchedule({ ...paperConfig, schedule: paper }), buildSchedule(paperConfig));
    const two = buildSchedule({ ...paperConfig, schedule: 'y ← fH(x + z2); z2 ← fL(y + z1); z1 ← fL(x + y)' });
    assert.deepEqual([two.latents, two.nets, two.answer], [['y', 'z1', 'z2'], ['fL', 'fH'], 'y']);
    assert.equal(buildSchedule({ ...paperConfig, schedule: 'z ← net(x + z)' }).answer, 'z');
  });

  it('is refused where there is no such configuration', () => {
    for (const bad of [{ recursion: 'trn' }, { deepRecursions: 2.5 }, { layers: NaN }, { T: 5 }, { schedule: 5 }])
      assert.throws(() => effectiveDepth({ ...paperConfig, ...bad } as ModelConfig), InputError, JSON.stringify(bad));
  });

  it('of one’s own is refused with the reason where it makes no model', () => {
    const refusal = (schedule: string, why: RegExp): void =>
      assert.throws(() => checkConfig({ ...paperConfig, schedule }), inputError(why), schedule);
    refusal('z := net(x)', /expected lines like .*, got "z := net\(x\)"/);
    refusal('z ← net(x + q)', /expected to read x, y, z or z1, z2, …, got "q"/);
    refusal('z ← net(x + x)', /every source once/);
    refusal('y ← net(x + z)', /none that writes z/);
    refusal('y ← net(y)', /reads x, the puzzle, got none/);
    refusal('y ← net(x) (no gradient)', /with gradient that writes the answer y/);
    refusal('y ← net(x); z ← net(y) (no gradient)', /without gradient before those with it/);
    refusal('z ← fL(x); y ← net(z)', /one network, net, or two/);
    refusal('5000 × y ← net(x)', /1 to 4096 calls/);
    refusal('', /reads x/);
    assert.throws(
      () => checkConfig({ ...paperConfig, schedule: 'y ← net(x)', separateNets: true }),
      /without separateNets/,
    );
    assert.throws(() => checkConfig({ ...paperConfig, schedule: 3 }), /schedule: expected text, or nothing, got 3/);
  });
});
