/** The error that is reported of a quantity: the one that takes most of its tolerance. */
import assert from 'node:assert/strict';
import { Errors } from '../../lib/train/reference-errors.js';

const one = (value: number): Float32Array => Float32Array.of(value);

describe('errors of a quantity', () => {
  it('a larger error within a loose tolerance does not hide one beyond a tight tolerance', () => {
    for (const tight of [0.25, 0]) {
      const errors = new Errors();
      errors.absolute('loss', one(0.5), one(0), tight);
      errors.absolute('loss', one(2), one(0), 4);
      assert.deepEqual(errors.report(), [{ quantity: 'loss', error: 0.5, tolerance: tight, passed: false }]);
    }
  });

  it('of several the worst is reported: beyond no tolerance the largest, NaN before all', () => {
    const errors = new Errors();
    for (const value of [1, 3, 2]) errors.absolute('tokens', [value], [0], 0);
    errors.absolute('logits', one(NaN), one(0), 1);
    errors.absolute('logits', one(9), one(0), 1);
    assert.deepEqual(
      errors.report().map(({ error, passed }) => [error, passed]),
      [
        [3, false],
        [Infinity, false],
      ],
    );
  });
});
