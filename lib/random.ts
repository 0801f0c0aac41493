/** The kit's only source of randomness: a seeded generator that can be forked by name. */
import { InputError, show } from './errors.js';
import { checkValue, whole } from './fields.js';

/**
 * xoshiro128** (Blackman and Vigna, 2018), seeded through splitmix32: a seed gives the same stream on every machine.
 * `fork(label)` gives an independent stream, which depends on the seed and the label only,
 * never on how much was drawn.
 */
export class Random {
  readonly #key: number;
  readonly #state: Uint32Array;
  #spareNormal: number | undefined;

  /** `seed`: a whole number, 0 to 2³² − 1. Throws InputError for any other. */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff)
      throw new InputError(`seed: expected a whole number from 0 to 4294967295, got ${seed}`);
    this.#key = seed;
    this.#state = new Uint32Array(4);
    let mixed = seed;
    for (let i = 0; i < 4; i++) {
      mixed = (mixed + 0x9e3779b9) | 0;
      this.#state[i] = mix(mixed);
    }
  }

  /** An independent stream for this seed and label. */
  fork(label: string | number): Random {
    // FNV-1a over the label, started from the mixed seed, then mixed once more.
    let hash = mix(this.#key ^ 0x811c9dc5);
    for (const byte of utf8.encode(`${typeof label}:${label}`)) hash = Math.imul(hash ^ byte, 0x01000193);
    return new Random(mix(hash));
  }

  /** A whole number, 0 to 2³² − 1. */
  uint32(): number {
    const s = this.#state;
    const [s0, s1, s2, s3] = [s[0]!, s[1]!, s[2]!, s[3]!]; // by index: destructuring a typed array is ten times slower
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    s[2] = s2 ^ s0;
    s[3] = s3 ^ s1;
    s[1] = s1 ^ s[2];
    s[0] = s0 ^ s[3];
    s[2] ^= s1 << 9;
    s[3] = rotate(s[3], 11);
    return result;
  }

  /** 0 ≤ u < 1, 53 bits. */
  uniform(): number {
    return ((this.uint32() >>> 5) * 0x4000000 + (this.uint32() >>> 6)) / 0x20000000000000;
  }

  /** A whole number, 0 to n − 1, each equally likely. */
  integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 0x100000000)
      throw new InputError(`integer: expected a whole number from 1 to 4294967296, got ${show(n)}`);
    const limit = 0x100000000 - (0x100000000 % n); // values from here on would favour small results
    for (;;) {
      const value = this.uint32();
      if (value < limit) return value % n;
    }
  }

  /** True with probability p. */
  bernoulli(p: number): boolean {
    if (!(p >= 0 && p <= 1)) throw new InputError(`bernoulli: expected a number from 0 to 1, got ${show(p)}`);
    return this.uniform() < p;
  }

  /** Standard normal (Box–Muller). */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /**
   * Truncated normal whose standard deviation after truncation is exactly `std` (spec §1.2):
   * a normal with standard deviation 1.1368… · std, truncated at twice that.
   */
  truncatedNormal(std: number): number {
    if (!Number.isFinite(std)) throw new InputError(`truncatedNormal: expected a number, got ${show(std)}`);
    for (;;) {
      const value = this.normal();
      if (Math.abs(value) <= 2) return value * truncationCorrection * std;
    }
  }

  /** One of the items. */
  pick<Item>(items: readonly Item[]): Item {
    checkItems('pick', items, 1);
    return items[this.integer(items.length)] as Item;
  }

  /** Puts the items into random order, in place, and returns them (Fisher–Yates). */
  shuffle<Items extends Int32Array | unknown[]>(items: Items): Items {
    checkItems('shuffle', items, 0);
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const item = items[i];
      items[i] = items[j];
      items[j] = item;
    }
    return items;
  }

  /** 0 … n − 1 in random order. */
  permutation(n: number): Int32Array {
    checkValue('permutation', n, whole(0));
    return this.shuffle(Int32Array.from({ length: n }, (_, i) => i));
  }
}

function checkItems(call: string, items: Int32Array | readonly unknown[], least: number): void {
  if ((Array.isArray(items) || ArrayBuffer.isView(items)) && items.length >= least) return;
  throw new InputError(`${call}: expected a list of at least ${least}, got ${show(items)}`);
}

const utf8 = new TextEncoder();

/** 1 / (standard deviation of a standard normal truncated at ±2). */
const truncationCorrection = 1.1368472343385565;

/** The finaliser of splitmix32: every bit of the input reaches every bit of the output. */
function mix(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
