/** Puzzles worth looking at, found with an engine whose thoughts are written out by hand. */
import assert from 'node:assert/strict';
import { ungrouped, withHash } from '../../lib/data/dataset.js';
import type { Engine, InferRequest, InferResult, LatentState } from '../../lib/engine/engine.js';
import { InputError } from '../../lib/errors.js';
import { paperConfig } from '../../lib/model/config.js';
import { ownSudoku, puzzleAt } from '../../lib/data/puzzle.js';
import { thinkingRow } from '../../lib/report/thoughts.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { think } from '../../lib/train/think.js';
import { hardestThought, judgeSudoku, stopWhenSure, thinkAbout } from '../../lib/train/thoughts.js';
import { inputError } from '../input-error.js';

/** Three puzzles of two cells: 2 1, 3 1 and 4 1, each with the answer 5 5. */
const puzzles = ungrouped(
  [2, 3, 4].map((token) => ({ input: Uint8Array.of(token, 1), label: Uint8Array.of(5, 5) })),
  { name: 'three', note: '', width: 2, height: 1, vocabSize: 6 },
);

const right = [5, 5];
const wrong = [5, 4];
/** The answers to each puzzle after steps 1 … 4, and the probability of halting with them. */
const script: Readonly<Record<number, readonly (readonly [answer: readonly number[], sure: number])[]>> = {
  2: [
    [right, 0.9],
    [right, 0.95],
    [right, 0.99],
    [right, 0.99],
  ],
  3: [
    [wrong, 0.1],
    [right, 0.2],
    [wrong, 0.6],
    [right, 0.9],
  ], // right to stay from step 4
  4: [
    [wrong, 0.1],
    [wrong, 0.2],
    [wrong, 0.2],
    [wrong, 0.2],
  ],
};

/** An engine that follows the script; only what thinking uses is there. */
function scripted(): Engine {
  const steps = new Map<number, number>();
  const engine: Pick<Engine, 'config' | 'createState' | 'inferStep'> = {
    config: { ...paperConfig, vocabSize: 6, sequenceLength: 2, supervisionSteps: 4 },
    createState: (batchSize) => ({
      batchSize,
      dispose: () => undefined,
      read: async () => new Map(),
      write: async () => undefined,
    }),
    inferStep: async ({ batchSize }, { tokens, reset }: InferRequest): Promise<InferResult> => {
      const answers = Array.from({ length: batchSize }, (_, seat) => {
        const puzzle = tokens[2 * seat]!;
        if (puzzle === 0) return [wrong, 0.5] as const; // an empty seat
        steps.set(puzzle, reset[seat] === 1 ? 0 : steps.get(puzzle)! + 1);
        return script[puzzle]?.[steps.get(puzzle)!] ?? assert.fail('no such puzzle');
      });
      return {
        predictions: Int32Array.from(answers.flatMap(([answer]) => answer)),
        haltLogits: Float32Array.from(answers, ([, sure]) => Math.log(sure / (1 - sure))),
        continueLogits: new Float32Array(batchSize),
      };
    },
  };
  return engine as Engine;
}

describe('puzzles worth looking at', () => {
  it('a puzzle is found by its place, and one that is not there is refused', () => {
    assert.deepEqual(puzzleAt(puzzles, 1), {
      question: Int32Array.of(3, 1),
      solution: Int32Array.of(5, 5),
      puzzleId: 0,
    });
    assert.throws(() => puzzleAt(puzzles, 3), new InputError('puzzle: expected 0 to 2, got 3'));
  });

  it('thinking about one gives the answer after every step', async () => {
    const { thoughts } = await thinkAbout(scripted(), puzzleAt(puzzles, 1));
    assert.deepEqual(
      thoughts.map(({ prediction }) => [...prediction]),
      [wrong, right, wrong, right],
    );
    assert.deepEqual(
      thoughts.map(({ haltProbability }) => Number(haltProbability.toFixed(6))),
      [0.1, 0.2, 0.6, 0.9],
    );
  });

  it('asks the average weights, about the puzzle of that id', async () => {
    const asked: unknown[][] = [];
    const engine = scripted();
    const spied = {
      ...engine,
      inferStep: (state: LatentState, request: InferRequest): Promise<InferResult> => {
        asked.push([request.weights, ...request.puzzleIds]);
        return engine.inferStep(state, request);
      },
    };
    await thinkAbout(spied, { ...puzzleAt(puzzles, 1), puzzleId: 7 }, 1);
    assert.deepEqual(asked, [['average', 7]]);
    await thinkAbout(spied, puzzleAt(puzzles, 1), 1);
    assert.deepEqual(asked.slice(1), [['average', 0]]);
    await think(spied, Int32Array.of(3, 1), { supervisionSteps: 1 });
    assert.deepEqual(asked.slice(2), [['average', 0]]);
  });

  it('the hardest thought is the solved puzzle with the most wrong cells on the way', async () => {
    assert.equal((await hardestThought(scripted(), puzzles)).index, 1);
    assert.equal((await hardestThought(scripted(), puzzles, 1)).index, 0);
  });

  it('a cell that is not scored is not wrong', async () => {
    // The same puzzle twice, whose second cell is wrong to the end; it is scored the first time only.
    const twice = {
      ...puzzles,
      ignore: 0,
      inputs: Uint8Array.of(4, 1, 4, 1, 4, 1),
      labels: Uint8Array.of(5, 5, 5, 0, 5, 5),
    };
    const { index, solution } = await hardestThought(scripted(), withHash(twice));
    assert.deepEqual([index, [...solution]], [1, [5, -100]]);
  });

  it('thinking about what is no puzzle is refused', async () => {
    const puzzle = puzzleAt(puzzles, 1);
    for (const [engine, asked, says] of [
      [undefined, puzzle, /engine: expected one/],
      [scripted(), null, /puzzle: expected an object, got null/],
      [scripted(), { ...puzzle, puzzleId: 'x' }, /puzzleId: expected a whole number from 0, or nothing, got "x"/],
      [scripted(), { ...puzzle, puzzleId: 0.7 }, /puzzleId: expected a whole number from 0, or nothing, got 0.7/],
    ] as const)
      await assert.rejects(thinkAbout(engine as never, asked as never), { name: 'InputError', message: says });
  });

  it('stopping when sure: steps and solved puzzles by hand', async () => {
    const points = await stopWhenSure(scripted(), puzzles, [0.5, 0.8]);
    assert.deepEqual(points, [
      { sureness: 0.5, exactAccuracy: 1 / 3, meanSteps: (1 + 3 + 4) / 3 }, // the second stops at step 3, wrong
      { sureness: 0.8, exactAccuracy: 2 / 3, meanSteps: (1 + 4 + 4) / 3 },
    ]);
  });

  it('refuse a sureness and a number of puzzles that there cannot be', async () => {
    for (const degrees of [[0.5, 1.5], [], 0.5])
      await assert.rejects(
        stopWhenSure(scripted(), puzzles, degrees as never),
        /sureness: expected (in place 1 a number from 0 to 1|a list of at least 1), got/,
      );
    for (const count of [0, -3, 2.5, NaN]) {
      const refused = /^InputError: (evaluation: )?puzzles: expected a whole number from 1,.* got/;
      await assert.rejects(hardestThought(scripted(), puzzles, count), refused);
      await assert.rejects(stopWhenSure(scripted(), puzzles, [0.5], count), refused);
      await assert.rejects(
        evaluate(scripted(), puzzles, { puzzles: count }),
        /^InputError: evaluation: puzzles: expected a whole number from 1, or nothing, got/,
      );
      await assert.rejects(
        think(scripted(), Int32Array.of(2, 1), { supervisionSteps: count }),
        /^InputError: think: supervisionSteps: expected a whole number from 1, or nothing, got/,
      );
    }
    for (const [options, says] of [
      [{ steps: 3 }, /think: unknown field steps/],
      [{ weights: 'ema' }, /weights: expected raw or average, or nothing, got "ema"/],
      [{ puzzleId: -1 }, /puzzleId: expected a whole number from 0, or nothing, got -1/],
    ] as const)
      await assert.rejects(think(scripted(), Int32Array.of(2, 1), options as never), says);
  });
});

describe('thoughts about a Sudoku, judged', () => {
  const puzzle = ownSudoku('1... .... ..3. .4.2'); // its only solution: 1243 4321 2134 3412
  const boards = ['12434321213434.2', '2143432121343412', '1243432121343421', '1243432121343412'];
  const thoughts = boards.map((board, i) => ({
    step: i + 1,
    prediction: Int32Array.from(board, (digit) => (digit === '.' ? 1 : Number(digit) + 1)),
    haltProbability: 0.25 * (i + 1),
  }));
  const judged = thoughts.map((thought, i) =>
    judgeSudoku(puzzle, thoughts[i - 1]?.prediction ?? puzzle.question, thought),
  );

  it('say which cells changed, what is illegal, and how much agrees with the exact solver', () => {
    assert.deepEqual(
      judged.map(({ board }) => board),
      boards,
    );
    assert.deepEqual(
      judged.map(({ illegal }) => illegal),
      [
        'no digit at row 4, column 3',
        'the given 1 at row 1, column 1 was changed',
        'the given 2 at row 4, column 4 was changed',
        null,
      ],
    );
    assert.deepEqual(
      judged.map(({ rightCells, right }) => [rightCells, right]),
      [
        [15, false],
        [14, false],
        [14, false],
        [16, true],
      ],
    );
    assert.deepEqual(judged[2]?.changed, [
      { row: 1, column: 1, from: '2', to: '1' },
      { row: 1, column: 2, from: '1', to: '2' },
      { row: 4, column: 3, from: '1', to: '2' },
      { row: 4, column: 4, from: '2', to: '1' },
    ]);
    assert.equal(judged[0]!.changed.length, 11); // sixteen cells, four givens, one blank
    const clash = judgeSudoku(puzzle, puzzle.question, {
      ...thoughts[3]!,
      prediction: thoughts[3]!.prediction.map((token, cell) => (cell === 1 ? 4 : token)),
    });
    assert.equal(clash.illegal, '3 appears twice in row 1');
  });

  it('are of puzzles that have one solution, and of Sudoku', () => {
    for (const [bad, message] of [
      ['1'.repeat(80), /16, 36 or 81, got 80 cells/],
      ['.'.repeat(81), /exactly one solution, got several/],
      [`11${'.'.repeat(79)}`, /1 appears twice/],
      ['123........4....', /got none/],
    ] as const) {
      assert.throws(() => ownSudoku(bad), inputError(message));
    }
    assert.throws(
      () =>
        judgeSudoku({ question: new Int32Array(900), solution: new Int32Array(900) }, puzzle.question, thoughts[0]!),
      InputError,
    );
    const [thought] = thoughts;
    const short = { ...thought!, prediction: thought!.prediction.subarray(0, 4) };
    for (const [asked, before, answer, says] of [
      [puzzle, puzzle.question, short, /cells of prediction: expected 16, got 4/],
      [puzzle, undefined, thought, /cells of before: expected 16, got undefined/],
      [{ question: puzzle.question }, puzzle.question, thought, /cells of solution: expected 16, got undefined/],
      [undefined, puzzle.question, thought, /puzzle: expected an object/],
      [puzzle, puzzle.question, undefined, /thought: expected an object/],
    ] as const)
      assert.throws(() => judgeSudoku(asked as never, before as never, answer as never), {
        name: 'InputError',
        message: says,
      });
  });

  it('an evaluation as a row says what was solved and what it took', () => {
    const result = {
      puzzles: 1200,
      supervisionSteps: 4,
      exactAccuracy: [0.1, 0.25],
      cellAccuracy: [],
      haltingAccuracy: [],
      seconds: 1,
    };
    assert.throws(() => thinkingRow('plain', result, 2.5), /answers: expected a whole number from 1, got 2.5/);
    assert.deepEqual(thinkingRow('plain', result), {
      thinking: 'plain',
      'puzzles solved': '25.0 % of 1,200',
      'supervision steps a puzzle': '4',
    });
    assert.equal(thinkingRow('halting', { ...result, meanSteps: 2.3456 })['supervision steps a puzzle'], '2.35');
    assert.equal(thinkingRow('votes', result, 8)['supervision steps a puzzle'], '8 × 4');
  });
});
