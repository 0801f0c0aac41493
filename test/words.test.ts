/** Counts in words, and words in lines. */
import assert from 'node:assert/strict';
import { countsText, plural, wrapped } from '../lib/words.js';

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

describe('text in lines', () => {
  it('breaks at spaces, at the last that fits; a word that is too long stands whole', () => {
    assert.equal(wrapped('one two three four', 9), 'one two\nthree\nfour');
    assert.equal(wrapped('one two', 7), 'one two');
    assert.equal(wrapped('an uninterrupted word', 5), 'an\nuninterrupted\nword');
    assert.equal(wrapped('run --a 1 --b 2', 9, ' \\\n  '), 'run --a 1 \\\n  --b 2');
  });
});
