/** Votes on ARC answers: cases counted by hand, and a model that answers right, seen through every version. */
import assert from 'node:assert/strict';
import { gridOfRows } from '../../lib/data/arc.js';
import type { Grid } from '../../lib/data/grid.js';
import { arcDataset } from '../../lib/data/arc-sets.js';
import { ungrouped } from '../../lib/data/dataset.js';
import type { Engine, InferRequest, InferResult } from '../../lib/engine/engine.js';
import { ArcVotes } from '../../lib/train/arc-votes.js';
import { voteArc } from '../../lib/train/evaluate-arc.js';
import { evaluate, evaluateIds } from '../../lib/train/evaluate.js';

const [a, b, c, d] = [[[1]], [[2]], [[3]], [[1, 1]]].map(gridOfRows) as [Grid, Grid, Grid, Grid];
const pair = (output: Grid): { input: Grid; output: Grid } => ({ input: a, output });

describe('ARC votes', () => {
  it('rank by votes, then by how sure the model was, then by who came first', () => {
    const votes = new ArcVotes();
    for (const [grid, sure] of [
      [b, 0.1],
      [a, 0.2],
      [a, 0.4],
      [c, 0.9],
      [b, 0.7],
      [d, 0.9],
    ] as const)
      votes.add('t', 0, grid, sure);
    // a: 2 votes, mean 0.3; b: 2 votes, mean 0.4; c and d: 1 vote, 0.9, c first.
    assert.deepEqual(
      votes
        .candidates('t', 0)
        .map(({ grid, votes: count, haltProbability }) => [grid, count, Math.round(1e6 * haltProbability) / 1e6]),
      [
        [b, 2, 0.4],
        [a, 2, 0.3],
        [c, 1, 0.9],
        [d, 1, 0.9],
      ],
    );
    assert.deepEqual(votes.candidates('t', 1), []);
  });

  it('score the share of a task that is solved, and the mean over tasks', () => {
    const votes = new ArcVotes();
    for (const grid of [b, b, b, a, a, c]) votes.add('two', 0, grid, 0.5); // b, a, c
    for (const grid of [a, a, d]) votes.add('two', 1, grid, 0.5); // a, d
    votes.add('one', 0, c, 0.5);
    const questions = [
      { task: { id: 'two' }, pairs: [pair(a), pair(a)] },
      { task: { id: 'one' }, pairs: [pair(b)] },
      { task: { id: 'none' }, pairs: [pair(b)] },
    ];
    // 'two': its first pair is right at the second try, its second at the first; the others never.
    const { tasks, pairs, votes: count, passAt } = votes.score(questions);
    assert.deepEqual([tasks, pairs, count], [3, 4, 10]);
    assert.deepEqual(passAt, { 1: 0.5 / 3, 2: 1 / 3, 5: 1 / 3, 10: 1 / 3, 100: 1 / 3, 1000: 1 / 3 });
    const third = votes.score([{ task: { id: 'two' }, pairs: [pair(c), pair(c)] }]);
    assert.deepEqual([third.passAt[2], third.passAt[5]], [0, 0.5]);
    assert.equal(votes.score([]).passAt[2], 0);
  });

  it('tell grids of one row and of one column apart', () => {
    const votes = new ArcVotes();
    votes.add('t', 0, gridOfRows([[1, 1]]), 0.5);
    votes.add('t', 0, gridOfRows([[1], [1]]), 0.5);
    assert.equal(votes.candidates('t', 0).length, 2);
  });

  it('are of grids, which they keep as they were', () => {
    const votes = new ArcVotes();
    const grid = gridOfRows([[1, 2]]);
    votes.add('t', 0, grid, 0.5);
    grid.cells.fill(9);
    assert.deepEqual(votes.candidates('t', 0)[0]?.grid, gridOfRows([[1, 2]]));
    const stored = votes.stored();
    for (const vote of [
      ['t', 0, grid, NaN],
      ['t', 0, grid, '0.5'],
      ['t', 0, gridOfRows([[77]]), 0.5],
      ['t', 0, { ...grid, rows: 2 }, 0.5],
      ['t', 0, undefined, 0.5],
      [undefined, 0, grid, 0.5],
      ['t', -1, grid, 0.5],
    ])
      assert.throws(() => votes.add(...(vote as [string, number, Grid, number])), /^InputError: vote: /);
    for (const bad of [
      undefined,
      'x',
      {},
      [1],
      [{ task: {}, pairs: [] }],
      [{ task: { id: 't' }, pairs: [1] }],
    ] as never[])
      for (const call of [() => votes.score(bad), () => votes.submission(bad)])
        assert.throws(call, /^InputError: questions: expected /);
    for (const candidates of [0, [[['12'], 1]], [[['1x'], 1, 0.5]], [[['12', '3'], 1, 0.5]], [[['1'], 0, 0.5]]])
      assert.throws(() => votes.restore([['t 0', candidates]] as never), /^InputError: votes: expected /);
    assert.throws(() => votes.restore(undefined as never), /^InputError: votes: expected a list/);
    assert.deepEqual(votes.stored(), stored);
    const copy = new ArcVotes();
    copy.restore(stored);
    assert.deepEqual(copy.stored(), stored);
  });

  it('make a submission of two attempts, a lone candidate twice', () => {
    const votes = new ArcVotes();
    for (const grid of [a, a, d]) votes.add('two', 0, grid, 0.5);
    votes.add('two', 1, c, 0.5);
    assert.deepEqual(
      votes.submission([
        { task: { id: 'two' }, pairs: [pair(a), pair(a)] },
        { task: { id: 'none' }, pairs: [pair(a)] },
      ]),
      {
        two: [
          { attempt_1: [[1]], attempt_2: [[1, 1]] },
          { attempt_1: [[3]], attempt_2: [[3]] },
        ],
        none: [{ attempt_1: [], attempt_2: [] }],
      },
    );
  });
});

describe('voting over versions', () => {
  const data = arcDataset({ set: 'arc1', canvas: 10, maxTasks: 6, augmentations: 9, seed: 0 });
  const { test } = data;
  const answers = new Map<string, Uint8Array>();
  const rightId = new Map<string, number>();
  test.versions.entries.forEach((_, puzzle) => {
    for (let version = 0; version < test.versions.count(puzzle); version++) {
      for (const { input, label } of test.versions.examples(puzzle, version)) {
        answers.set(input.join(), label);
        rightId.set(input.join(), test.versions.id(puzzle, version));
      }
    }
  });
  const examples = test.versions.entries.reduce(
    (sum, { pairs }, puzzle) => sum + pairs.length * test.versions.count(puzzle),
    0,
  );

  /** A model that looks the answer up, and knows it only for a puzzle that comes with its own id if `needsId`. */
  const oracle = (needsId: boolean, knows: (row: number) => boolean = () => true): Engine => {
    let row = 0;
    return {
      config: { supervisionSteps: 2, sequenceLength: 100, vocabSize: 12, puzzleIds: Infinity },
      createState: (batchSize: number) => ({ batchSize, dispose: () => undefined }),
      inferStep: (_: unknown, { tokens, puzzleIds }: InferRequest): Promise<InferResult> => {
        const predictions = new Int32Array(tokens.length);
        puzzleIds.forEach((id, seat) => {
          const key = tokens.subarray(seat * 100, seat * 100 + 100).join();
          if (knows(row++) && (!needsId || rightId.get(key) === id)) predictions.set(answers.get(key)!, seat * 100);
        });
        return Promise.resolve({
          predictions,
          haltLogits: new Float32Array(puzzleIds.length),
        } as unknown as InferResult);
      },
    } as unknown as Engine;
  };

  it('turns every version back: a model that is right on all has one candidate a pair, with all votes', async () => {
    const votes = new ArcVotes();
    const result = await voteArc(oracle(true), test, { batchSize: 7, votes });
    assert.deepEqual([result.passAt[1], result.exactAccuracy, result.votes, result.tasks], [1, 1, examples, 6]);
    test.versions.entries.forEach(({ task, pairs }, puzzle) =>
      pairs.forEach(({ output }, index) => {
        const candidates = votes.candidates(task.id, index);
        assert.deepEqual(candidates, [{ grid: output, votes: test.versions.count(puzzle), haltProbability: 0.5 }]);
      }),
    );
  });

  it('counts the versions it is given, and pools only into votes it is handed', async () => {
    const votes = new ArcVotes();
    const one = await voteArc(oracle(false), test, { versions: 1, votes });
    assert.equal(one.votes, test.examples);
    assert.equal((await voteArc(oracle(false), test, { versions: 1 })).votes, test.examples);
    assert.equal((await voteArc(oracle(false), test, { versions: 2, votes })).votes, 3 * test.examples);
  });

  it('refuses numbers of versions, seats and steps that there cannot be', async () => {
    for (const name of ['versions', 'batchSize', 'supervisionSteps'])
      for (const count of [0, 1.5, NaN])
        await assert.rejects(voteArc(oracle(false), test, { [name]: count }), {
          name: 'InputError',
          message: `vote: ${name}: expected a whole number from 1, or nothing, got ${count}`,
        });
    await assert.rejects(voteArc(oracle(false), { ...test, versions: undefined } as never), /expected a set of ARC/);
    await assert.rejects(voteArc(oracle(false), { ...test, vocabSize: 99 }), { name: 'InputError' });
    await assert.rejects(
      voteArc(oracle(false), { ...test, ids: test.ids.map(() => 1) }, { puzzleIds: 'shuffled' }),
      /expected puzzles with ids of their own to exchange/,
    );
  });

  it('finds the answer among wrong ones: one that says little on most versions has it at the second try', async () => {
    // Nothing is said on two of three rows: the empty grid wins, the right one comes second.
    const result = await voteArc(
      oracle(false, (row) => row % 3 === 0),
      test,
      { batchSize: 1000, supervisionSteps: 1 },
    );
    assert.ok(result.passAt[1]! < 1);
    assert.equal(result.passAt[2], 1);
  });

  it('a model that goes by the id fails with the blank one and with a wrong one', async () => {
    for (const [needsId, mode, expected] of [
      [true, 'own', 1],
      [true, 'blank', 0],
      [true, 'shuffled', 0],
      [false, 'blank', 1],
      [false, 'shuffled', 1],
    ] as const) {
      assert.equal((await voteArc(oracle(needsId), test, { puzzleIds: mode })).passAt[1], expected, mode);
      assert.equal((await evaluateIds(oracle(needsId), test))[mode].exactAccuracy.at(-1), expected, mode);
    }
    const board = new Uint8Array(100);
    const sudoku = ungrouped([{ input: board, label: board }], {
      name: 'one',
      note: '',
      width: 10,
      height: 10,
      vocabSize: 12,
    });
    await assert.rejects(evaluate(oracle(false), sudoku, { puzzleIds: 'shuffled' }), /shuffled ids are for ARC/);
  });

  it('tells how far it is and stops when asked', async () => {
    const told: number[] = [];
    await assert.rejects(
      voteArc(oracle(false), test, {
        batchSize: 10,
        onProgress: ({ done }) => void told.push(done),
        shouldStop: () => told.length === 3,
      }),
      /evaluation stopped/,
    );
    assert.deepEqual(told, [5, 10, 15]);
  });
});
