/** Counts in words. */
import assert from 'node:assert/strict';
import { countsText, plural } from '../lib/words.js';

describe('a count in words', () => {
  it('is one of a thing, or many, with the thousands apart', () => {
    assert.deepEqual(
      [plural(0, 'run'), plural(1, 'run'), plural(1260, 'run'), plural(1, 'pass'), plural(2, 'pass')],
      ['0 runs', '1 run', '1,260 runs', '1 pass', '2 passes'],
    );
  });

  it('of several counts is each once, or the least and the most', () => {
    assert.deepEqual(
      [countsText([500]), countsText([500, 200, 500]), countsText([1000, 10_000, 300])],
      ['500', '200 or 500', '300 to 10,000'],
    );
  });
});
