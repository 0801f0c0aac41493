/** Data sets to look at: counted by hand on small sets, and against the rules of Sudoku. */
import assert from 'node:assert/strict';
import { emptyLike, ratingsOf, ungrouped, type Dataset } from '../../lib/data/dataset.js';
import { findClash, boardOfTokens, parseBoard, sudokuGeometry, tokensOfBoard } from '../../lib/data/sudoku.js';
import { InputError } from '../../lib/errors.js';
import { augmentSudoku } from '../../lib/data/relabelling.js';
import { formsOf } from '../../lib/data/forms.js';
import { summarizeMazes } from '../../lib/data/maze-numbers.js';
import { overlapOf } from '../../lib/data/overlap.js';
import { Random } from '../../lib/random.js';
import { augmentedCopies, ownSudoku } from '../../lib/data/puzzle.js';
import { givenCounts, summarizeSudokus } from '../../lib/data/sudoku-numbers.js';

const geometry = sudokuGeometry(4);
const answer = '1324423124133142';

/** A 4×4 set of these questions, all with one answer. */
function set(questions: readonly string[], copies = 0): Dataset {
  const tokens = (text: string): Uint8Array => tokensOfBoard(parseBoard(text));
  const augmentation =
    copies === 0
      ? null
      : {
          copies,
          random: new Random(1),
          apply: (example: { input: Uint8Array; label: Uint8Array }, random: Random) =>
            augmentSudoku(example, geometry, random),
        };
  return ungrouped(
    questions.map((question) => ({ input: tokens(question), label: tokens(answer) })),
    {
      name: 'hand-made',
      note: '',
      width: 4,
      height: 4,
      vocabSize: 6,
      ratings: questions.map((_, i) => i),
      augmentation,
    },
  );
}

describe('data sets to look at', () => {
  it('givens are counted, ratings are read', () => {
    const dataset = set(['13..............', '1324............']);
    assert.deepEqual(givenCounts(dataset), [2, 4]);
    assert.deepEqual(ratingsOf(dataset), [0, 1]);
    const { sha256, ...summary } = summarizeSudokus(dataset);
    assert.deepEqual(summary, {
      set: 'hand-made',
      puzzles: 2,
      cells: 16,
      'givens (mean)': 3,
      'rating (mean)': 0.5,
      copies: 0,
    });
    assert.equal(sha256, dataset.sha256.slice(0, 12));
  });

  it('overlap: the same board counts twice, a disguised one only as equivalent, a new one not at all', () => {
    const train = set(['13..............']);
    //                same               digits renamed      transposed          its digits in different boxes
    const test = set(['13..............', '24..............', '1...3...........', '1..3............']);
    assert.deepEqual(overlapOf(train, test), {
      set: 'hand-made',
      'test puzzles': 4,
      'in the training set': 1,
      'there in disguise': 3,
    });
  });

  it('augmented copies are legal, solved by their answers, and not all the same', () => {
    const copies = augmentedCopies(set(['13..............'], 5), 0, 5);
    assert.equal(copies.length, 5);
    for (const { question, solution } of copies) {
      assert.equal(findClash(boardOfTokens(solution), geometry), undefined);
      assert.ok(solution.every((token) => token >= 2 && token <= 5));
      assert.ok(question.every((token, i) => token === 1 || token === solution[i]));
      assert.equal(question.filter((token) => token > 1).length, 2);
    }
    assert.ok(new Set(copies.map(({ question }) => question.join())).size > 1);
  });

  it('a Sudoku of one’s own is solved exactly, and refused where it has not exactly one solution', () => {
    const { question, solution } = ownSudoku('1... ..3. .4.. ...2');
    assert.equal(question.join(''), '2111114115111113');
    assert.equal(solution.join(''), '2435534235244253');
    assert.throws(
      () => ownSudoku('1... .... .... ....'),
      new InputError('Sudoku board: expected exactly one solution, got several; add givens'),
    );
  });

  it('a set without augmentation has no copies', () => {
    assert.throws(() => augmentedCopies(set(['13..............']), 0, 1), InputError);
  });

  it('numbers of copies that there cannot be, and sets of others, are refused', () => {
    for (const count of [0, -1, 2.5, NaN])
      assert.throws(() => augmentedCopies(set(['13..............'], 5), 0, count), /count: expected a whole number/);
    const mazes = { ...set(['13..............']), alternative: { name: 'valid', accepts: () => true }, vocabSize: 7 };
    for (const numbers of [givenCounts, summarizeSudokus])
      assert.throws(() => numbers(mazes), /expected a set of Sudokus/);
    const sudokus = set(['13..............']);
    for (const [train, test] of [
      [mazes, sudokus],
      [sudokus, mazes],
      [sudokus, ungrouped([], { name: 'of 6', note: '', width: 6, height: 6, vocabSize: 8 })],
    ] as const)
      assert.throws(() => overlapOf(train, test), /expected two sets of puzzles of one kind and size, got hand/);
    // Of other puzzles no forms are known: only equal ones count.
    const [kept, disguised] = [
      { ...set(['13..............']), ignore: 0 },
      set(['24..............', '13..............']),
    ];
    for (const [train, test] of [
      [kept, { ...disguised, ignore: 0 }],
      [kept, disguised],
    ] as const)
      assert.deepEqual(Object.values(overlapOf(train, test)).slice(2), [1, 1]);
    for (const wrong of [{ ...sudokus, examples: 25 }, undefined] as never[])
      for (const call of [
        () => givenCounts(wrong),
        () => ratingsOf(wrong),
        () => summarizeSudokus(wrong),
        () => summarizeMazes(wrong),
        () => overlapOf(sudokus, wrong),
        () => formsOf(wrong),
        () => augmentedCopies(wrong, 0, 1),
      ])
        assert.throws(call, /^InputError: (hand-made: expected 25 × 16 inputs|data set: expected one)/, String(call));
    assert.equal(summarizeSudokus(emptyLike(sudokus))['givens (mean)'], '–');
    const none = summarizeMazes(ungrouped([], { name: 'none', note: '', width: 3, height: 3, vocabSize: 6 }));
    assert.deepEqual([none['walls (mean)'], none['steps (least)']], ['–', '–']);
    assert.throws(() => formsOf(set(['13..............']), 'digit' as never), /expected digits, lines or both/);
  });
});
