/** Data sets put together by hand: their parts must agree, whoever made them. */
import assert from 'node:assert/strict';
import { checkDataset, checkFits, ungrouped, withHash, type Dataset } from '../../lib/data/dataset.js';
import { inputError } from '../input-error.js';

/** Two boards of 2×2 with tokens 1 … 3. */
const sound = ungrouped(
  [
    { input: Uint8Array.of(1, 2, 3, 1), label: Uint8Array.of(3, 2, 3, 3) },
    { input: Uint8Array.of(2, 1, 1, 3), label: Uint8Array.of(2, 3, 3, 3) },
  ],
  { name: 'two', note: '', width: 2, height: 2, vocabSize: 4 },
);

describe('a data set', () => {
  it('is whole: its parts are of one size and of one vocabulary', () => {
    checkDataset(sound);
    checkDataset(withHash({ ...sound, ignore: 9, labels: sound.labels.map((label, i) => (i === 0 ? 9 : label)) }));
    for (const [changes, says] of [
      [{ examples: 3 }, /two: expected 3 × 4 inputs; the data set's parts disagree/],
      [{ labels: sound.labels.subarray(1) }, /expected as many labels as inputs, 8/],
      [{ vocabSize: 3 }, /expected inputs below its vocabulary of 3/],
      [{ labels: sound.labels.map(() => 9) }, /expected labels below its vocabulary of 4/],
      [{ puzzleOffsets: Int32Array.of(0, 2, 1) }, /expected puzzleOffsets that rise from 0 to its 2 examples/],
      [{ groupOffsets: Int32Array.of(0, 1) }, /expected groupOffsets that rise from 0 to its 2 puzzles/],
      [{ puzzleOffsets: Int32Array.of(0, 0, 2) }, /puzzleOffsets .*, at least one a puzzle/],
      [{ groupOffsets: Int32Array.of(0, 0, 2) }, /groupOffsets .*, at least one a group/],
      [{ ids: Int32Array.of(0, 1) }, /expected ids below 1/],
      [{ ids: Int32Array.of(0, 0, 0) }, /expected groupOffsets that rise from 0 to its 3 puzzles/],
      [{ ratings: Float64Array.of(1) }, /expected a rating for each of its 2 examples, or null/],
    ] as const)
      assert.throws(() => checkDataset({ ...sound, ...changes } as Dataset), inputError(says), String(says));
    assert.throws(() => checkDataset({ test: sound } as never), /data set: expected one, such as test of/);
  });

  it('fits a model of its length and its vocabulary', () => {
    const model = { sequenceLength: 4, vocabSize: 4 };
    checkFits(sound, model);
    assert.throws(
      () => checkFits(sound, { ...model, vocabSize: 5 }),
      /two: expected vocabSize 5, as the model has, got 4/,
    );
    assert.throws(() => checkFits(sound, { ...model, sequenceLength: 16 }), /expected sequenceLength 16, .* got 4/);
  });
});
