/** The generator against its published algorithm, and the distributions it promises. */
import assert from 'node:assert/strict';
import { InputError } from '../lib/errors.js';
import { Random } from '../lib/random.js';

/** xoshiro128** as its authors write it, in whole-number arithmetic without bit tricks. */
function* published(seed: number): Generator<number> {
  const mod = 2n ** 32n;
  const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) % mod;
  const mix = (z: bigint): bigint => {
    z = ((z ^ (z >> 16n)) * 0x21f0aaadn) % mod;
    z = ((z ^ (z >> 15n)) * 0x735a2d97n) % mod;
    return z ^ (z >> 15n);
  };
  const s = [1n, 2n, 3n, 4n].map((i) => mix((BigInt(seed) + i * 0x9e3779b9n) % mod));
  for (;;) {
    yield Number((rotate((s[1]! * 5n) % mod, 7n) * 9n) % mod);
    const t = (s[1]! << 9n) % mod;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotate(s[3]!, 11n);
  }
}

describe('Random', () => {
  it('is xoshiro128** seeded by splitmix32', () => {
    for (const seed of [0, 1, 0xffffffff]) {
      const random = new Random(seed);
      const reference = published(seed);
      for (let i = 0; i < 200; i++) assert.equal(random.uint32(), reference.next().value, `seed ${seed}, draw ${i}`);
    }
  });

  it('forks by label, whatever was drawn before', () => {
    const parent = new Random(5);
    const early = parent.fork('a').uint32();
    parent.uint32();
    assert.equal(parent.fork('a').uint32(), early);
    const labels = ['a', 'b', 'ab', 1, '1', 2, ''];
    assert.equal(new Set(labels.map((label) => parent.fork(label).uint32())).size, labels.length);
    assert.notEqual(new Random(6).fork('a').uint32(), early);
  });

  it('draws whole numbers evenly (χ², 6 degrees of freedom, 1 in 10,000)', () => {
    const counts = new Array<number>(7).fill(0);
    const random = new Random(1);
    for (let i = 0; i < 70_000; i++) counts[random.integer(7)]!++;
    const chi2 = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    assert.ok(chi2 < 27.9, `χ² ${chi2}`);
  });

  it('favours no number where n does not divide 2³²', () => {
    const random = new Random(5);
    const n = 3 * 2 ** 30; // the rest of a division would make the lowest third twice as likely
    const low =
      Array.from({ length: 30_000 }, () => random.integer(n)).filter((value) => value < 2 ** 30).length / 30_000;
    assert.ok(Math.abs(low - 1 / 3) < 0.0136, `share of the lowest third: ${low}`); // five standard deviations
    for (const bad of [0, -1, 1.5, 2 ** 33]) assert.throws(() => random.integer(bad), InputError);
    for (const bad of [-1, 0.5, 2 ** 32, NaN]) assert.throws(() => new Random(bad), InputError);
  });

  it('draws from what there is to draw from', () => {
    const random = new Random(6);
    for (const bad of [undefined, NaN, -0.1, 1.1, 'x'] as never[]) {
      assert.throws(() => random.bernoulli(bad), InputError);
      assert.throws(() => random.permutation(bad), InputError);
      assert.throws(() => random.pick(bad), InputError);
      assert.throws(() => random.shuffle(bad), InputError);
    }
    for (const bad of [undefined, NaN, '1'] as never[]) assert.throws(() => random.truncatedNormal(bad), InputError);
    assert.throws(() => random.permutation('3' as never), InputError);
    assert.throws(() => random.pick([]), InputError);
    assert.deepEqual([random.permutation(0).length, random.bernoulli(1), random.bernoulli(0)], [0, true, false]);
  });

  it('permutes three things in each of six orders equally often', () => {
    const random = new Random(2);
    const counts = new Map<string, number>();
    for (let i = 0; i < 60_000; i++) {
      const order = random.permutation(3).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    assert.equal(counts.size, 6);
    // four standard deviations
    for (const count of counts.values()) assert.ok(Math.abs(count - 10_000) < 400, `${count}`);
  });

  it('has the moments of the normal and of the corrected truncated normal (spec §1.2)', () => {
    const random = new Random(3);
    const n = 200_000;
    const moments = (draw: () => number): { mean: number; std: number; largest: number } => {
      const values = Array.from({ length: n }, draw);
      const mean = values.reduce((a, b) => a + b, 0) / n;
      return {
        mean,
        std: Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n),
        largest: values.reduce((most, x) => Math.max(most, Math.abs(x)), 0),
      };
    };
    const normal = moments(() => random.normal());
    assert.ok(Math.abs(normal.mean) < 0.01 && Math.abs(normal.std - 1) < 0.01, JSON.stringify(normal));
    const truncated = moments(() => random.truncatedNormal(0.5));
    assert.ok(Math.abs(truncated.mean) < 0.005 && Math.abs(truncated.std - 0.5) < 0.004, JSON.stringify(truncated));
    assert.ok(truncated.largest <= 0.5 * 2.273694468677113, `${truncated.largest}`);
  });
});
