/**
 * Searches over forms stop at the first sure answer, give it in the puzzle's own form, and say when they are not sure;
 * whole sets are counted against cases worked by hand, with an engine whose thoughts are written down here.
 */
import assert from 'node:assert/strict';
import { ungrouped } from '../../lib/data/dataset.js';
import { formsOf } from '../../lib/data/forms.js';
import { ownSudoku } from '../../lib/data/puzzle.js';
import { loadPuzzleFile } from '../../lib/data/puzzle-file.js';
import {
  gridForms,
  identity,
  relabel,
  relabelBack,
  sudokuForms,
  type Forms,
  type Relabelling,
} from '../../lib/data/relabelling.js';
import { boardOfTokens, findClash, sudokuGeometry, type SudokuGeometry } from '../../lib/data/sudoku.js';
import type { Engine, InferRequest, InferResult, LatentState } from '../../lib/engine/engine.js';
import { InputError } from '../../lib/errors.js';
import { openModel, shippedCheckpoint } from '../../lib/experiment/open.js';
import { dataFile } from '../../lib/files.js';
import { Random } from '../../lib/random.js';
import { untilSureText } from '../../lib/report/thoughts.js';
import { searchForms } from '../../lib/train/search.js';
import type { Thinking } from '../../lib/train/seats.js';
import { think } from '../../lib/train/think.js';
import { evaluateUntilSure } from '../../lib/train/until-sure.js';

const puzzle = ownSudoku('1... .... ..3. .4.2'); // its only solution: 1243 4321 2134 3412
const geometry = sudokuGeometry(4);

/**
 * An engine that answers with the question, every digit kept, and whose certainty of each form after each step is
 * given. Forms are counted as they start.
 */
function engineWith(certainty: (form: number, step: number) => number): {
  readonly engine: Engine;
  readonly asked: string[];
  readonly open: () => number;
} {
  const asked: string[] = [];
  let open = 0;
  const seatsOf = new Map<LatentState, { form: number; step: number }[]>();
  const engine = {
    config: { supervisionSteps: 3, sequenceLength: 16, vocabSize: 6 },
    createState(batchSize: number) {
      open++;
      const state = { batchSize, dispose: () => void open-- } as LatentState;
      seatsOf.set(
        state,
        Array.from({ length: batchSize }, () => ({ form: -1, step: 0 })),
      );
      return state;
    },
    async inferStep(state: LatentState, { tokens, reset }: InferRequest) {
      const seats = seatsOf.get(state)!;
      const haltLogits = Float32Array.from(seats, (seat, i) => {
        if (reset[i] === 1) {
          seat.form = asked.push(textOf(tokens, i)) - 1;
          seat.step = 0;
        }
        return certainty(seat.form, ++seat.step);
      });
      return { predictions: tokens.slice(), haltLogits, continueLogits: haltLogits };
    },
  } as unknown as Engine;
  return { engine, asked, open: () => open };
}

const textOf = (tokens: Int32Array, seat: number): string => String(tokens.subarray(seat * 16, (seat + 1) * 16));

async function all(steps: AsyncIterable<Thinking>): Promise<Thinking[]> {
  const seen: Thinking[] = [];
  for await (const step of steps) seen.push(step);
  return seen;
}

/** The forms that a search with this seed tries. */
function firstForms(count: number, of: SudokuGeometry = geometry, seed = 5): Relabelling[] {
  const random = new Random(seed).fork('views').fork(0);
  return Array.from({ length: count }, (_, form) =>
    form === 0 ? identity(of.side ** 2, of.side + 2) : sudokuForms(of).draw(form, random.fork(form)),
  );
}

describe('searchForms', () => {
  const forms = sudokuForms(geometry);

  it('ends with the first sure answer, counts every form and every pass, and answers in the own form', async () => {
    const { engine, asked, open } = engineWith((form, step) => (form === 3 && step === 2 ? 0.5 : -form - step));
    const steps = await all(
      searchForms(engine, puzzle.question, { forms, mostForms: 10, votes: 2, random: new Random(5) }),
    );
    assert.deepEqual(
      steps.map(({ forms, passes, sure, done }) => [forms, passes, sure, done]),
      [
        [2, 2, false, false],
        [2, 4, false, false],
        [2, 6, false, false],
        [4, 8, false, false],
        [4, 10, true, true],
      ],
    );
    assert.equal(steps.at(-1)?.form, 3);
    assert.deepEqual(steps.at(-1)?.surest.tokens, puzzle.question); // the engine answers with the question, in its form
    assert.deepEqual(
      asked,
      firstForms(4).map((form) => String(relabel(puzzle.question, form))),
    );
    assert.equal(open(), 0);
  });

  it('is not sure when every form has had its steps, keeps to the limit, and gives the surest', async () => {
    const { engine, asked, open } = engineWith((form, step) => -Math.abs(form - 1) - step / 10);
    const steps = await all(
      searchForms(engine, puzzle.question, { forms, mostForms: 3, votes: 2, supervisionSteps: 2 }),
    );
    const last = steps.at(-1);
    assert.deepEqual(
      [steps.length, last?.forms, last?.passes, last?.sure, last?.done, last?.form, last?.surest.haltLogit],
      [4, 3, 6, false, true, 1, Math.fround(-0.1)], // two forms of two steps, then the third beside an empty seat
    );
    assert.equal(asked.length, 3);
    assert.equal(open(), 0);
  });

  it('needs a logit above the threshold, not at it', async () => {
    const { engine } = engineWith(() => 2);
    const ends = async (haltAbove: number | undefined): Promise<number> =>
      (await all(searchForms(engine, puzzle.question, { forms, mostForms: 2, haltAbove } as object))).length;
    assert.deepEqual([await ends(2), await ends(1.5), await ends(undefined)], [6, 1, 1]);
  });

  it('ends where no form is left: a grid has eight', async () => {
    const { engine, asked } = engineWith(() => -1);
    const options = { forms: gridForms(4, 6), mostForms: 99, votes: 3 };
    const last = (await all(searchForms(engine, puzzle.question, options))).at(-1);
    assert.deepEqual([last?.forms, last?.passes, asked.length], [8, 24, 8]);
    assert.equal(new Set(asked).size, 8);
  });

  it('frees its memory when the caller leaves early', async () => {
    const { engine, open } = engineWith(() => -1);
    for await (const _ of searchForms(engine, puzzle.question, { forms, mostForms: 9 })) break;
    assert.equal(open(), 0);
  });

  it('asks the average weights, about the puzzle of that id', async () => {
    const { engine } = engineWith(() => -1);
    const asked: unknown[][] = [];
    const spied = {
      ...engine,
      inferStep: (state: LatentState, request: InferRequest): Promise<InferResult> => {
        asked.push([request.weights, ...request.puzzleIds]);
        return engine.inferStep(state, request);
      },
    };
    const options = { forms, mostForms: 2, votes: 2, supervisionSteps: 1 };
    await all(searchForms(spied, puzzle.question, { ...options, puzzleId: 7 }));
    await all(searchForms(spied, puzzle.question, options));
    assert.deepEqual(asked, [
      ['average', 7, 7],
      ['average', 0, 0],
    ]);
  });

  it('refuses impossible numbers', async () => {
    const { engine } = engineWith(() => -1);
    for (const bad of [
      { mostForms: 0 },
      { votes: 1.5 },
      { supervisionSteps: -1 },
      { votes: 3, mostForms: 2 },
      { puzzelId: 1 },
      { first: 1 },
    ])
      await assert.rejects(all(searchForms(engine, puzzle.question, { forms, ...bad })), InputError);
    await assert.rejects(all(searchForms(engine, puzzle.question, { mostForms: 2 })), /expected forms/);
  });

  it('with a trained model gives what thinking about that form alone gives', async () => {
    const { engine } = await openModel(shippedCheckpoint(16), { precision: 'float32', threads: 1 });
    try {
      const options = { mostForms: 6, votes: 3, supervisionSteps: 4, haltAbove: Infinity, random: new Random(5) };
      const { form, surest } = (await all(searchForms(engine, puzzle.question, { forms, ...options }))).at(-1)!;
      const written = firstForms(6)[form]!;
      const alone = await think(engine, relabel(puzzle.question, written), { supervisionSteps: 4 });
      const logits = alone.map(({ haltProbability: p }) => Math.log(p / (1 - p)));
      const best = logits.indexOf(Math.max(...logits));
      assert.ok(Math.abs(logits[best]! - surest.haltLogit) < 1e-3); // seats of a batch are summed in another order
      assert.deepEqual(surest.tokens, relabelBack(alone[best]!.prediction, written));
    } finally {
      engine.dispose();
    }
  });
});

describe('evaluateUntilSure', () => {
  /** A thought of the hand-made engine: whether its answer is right, and the halting logit. */
  type Thought = readonly [right: boolean, haltLogit: number];
  /** Puzzle by puzzle, form by form, the thoughts after each step. */
  type Script = readonly (readonly (readonly Thought[])[])[];

  /** Puzzle p asks [p, 0, 0] and is answered by [p, 1, 0]. */
  const set = (puzzles: number) =>
    ungrouped(
      Array.from({ length: puzzles }, (_, p) => ({ input: Uint8Array.of(p, 0, 0), label: Uint8Array.of(p, 1, 0) })),
      { name: 'by hand', note: '', width: 3, height: 1, vocabSize: 16 },
    );
  /** Form f exchanges tokens 0 and 8 + f, so that the third cell says which form it is. */
  const numbered: Forms = {
    count: Infinity,
    draw: (form) => {
      const tokens = Int32Array.from({ length: 16 }, (_, token) => token);
      [tokens[0], tokens[8 + form]] = [8 + form, 0];
      return { cells: Int32Array.of(0, 1, 2), tokens };
    },
  };
  function scripted(script: Script): {
    readonly engine: Engine;
    readonly sizes: number[];
    readonly open: () => number;
  } {
    const sizes: number[] = [];
    let open = 0;
    const steps = new Map<LatentState, Float32Array>();
    const engine = {
      config: { supervisionSteps: 2, sequenceLength: 3, vocabSize: 16, puzzleIds: 1 },
      createState(batchSize: number) {
        open++;
        const values = new Float32Array(batchSize);
        const state = {
          batchSize,
          dispose: () => void open--,
          read: async () => new Map([['y', values.slice()]]),
          write: async (latents: ReadonlyMap<string, Float32Array>) => values.set(latents.get('y')!),
        } as unknown as LatentState;
        steps.set(state, values);
        return state;
      },
      async inferStep(state: LatentState, { tokens, reset }: InferRequest) {
        sizes.push(state.batchSize);
        const done = steps.get(state)!; // the latents of this engine are the steps a seat has made
        const predictions = tokens.slice();
        const haltLogits = new Float32Array(state.batchSize);
        for (let seat = 0; seat < state.batchSize; seat++) {
          if (reset[seat] === 1) done[seat] = 0;
          const [written, blank] = [tokens[3 * seat]!, tokens[3 * seat + 2]!];
          const form = blank === 0 ? 0 : blank - 8;
          const p = written === blank ? 0 : written;
          const [right, haltLogit] = script[p]![form]![done[seat]!++]!;
          if (right) predictions[3 * seat + 1] = 1;
          haltLogits[seat] = haltLogit;
        }
        return { predictions, haltLogits, continueLogits: haltLogits };
      },
    } as unknown as Engine;
    return { engine, sizes, open: () => open };
  }
  const no: Thought = [false, -1];
  /** Sure and right at step two; sure and wrong in the second form; never sure, twice; sure at the first step. */
  const script: Script = [
    [[no, [true, 3]]],
    [
      [no, no],
      [[false, 0.5], no],
    ],
    [
      [no, [true, -0.25]],
      [no, no],
      [no, no],
    ],
    [
      [no, no],
      [[false, -0.5], no],
      [[true, -0.75], no],
    ],
    [[[true, 1], no]],
  ];

  it('counts passes, false stops and the unsure, however many sit together', async () => {
    for (const batchSize of [1, 2, 3, 128]) {
      const { engine, open } = scripted(script);
      const found = await evaluateUntilSure(engine, set(5), { forms: numbered, mostForms: 3, batchSize });
      assert.deepEqual(
        found.each.map(({ passes, forms, form, haltLogit, sure, right }) => [
          passes,
          forms,
          form,
          haltLogit,
          sure,
          right,
        ]),
        [
          [2, 1, 0, 3, true, true],
          [3, 2, 1, 0.5, true, false],
          [6, 3, 0, -0.25, false, true], // its surest answer was its first form's
          [6, 3, 1, -0.5, false, false], // the right answer of its third form was less sure
          [1, 1, 0, 1, true, true],
        ],
      );
      const { each: _, seconds: __, ...counted } = found;
      assert.deepEqual(counted, {
        puzzles: 5,
        mostForms: 3,
        supervisionSteps: 2,
        haltAbove: 0,
        solved: 3,
        sure: 3,
        falseStops: 1,
        headPrecision: 2 / 3,
        neverSure: 2,
        neverSureSolved: 1,
        passes: { mean: 18 / 5, median: 3, largest: 6 },
        chains: 1,
        votes: [],
      });
      assert.equal(open(), 0);
    }
  });

  it('with another way of being right counts the sure answers that are wrong in it too', async () => {
    const accepts = (question: ArrayLike<number>): boolean => question[0] === 1; // whatever is answered to puzzle 1
    const both = { ...set(5), alternative: { name: 'by rule', accepts } };
    const search = await evaluateUntilSure(scripted(script).engine, both, { forms: numbered, mostForms: 3, chains: 1 });
    assert.deepEqual([search.falseStops, search.alternative], [1, { name: 'by rule', solved: 4, falseStops: 0 }]);
    const text = untilSureText({ ...search, chains: 2 }).split('\n');
    assert.match(text[1]!, /^up to 3 forms of 2 chains of 2 passes, until a halting logit is above 0$/);
    assert.match(
      text[3]!,
      /sure of 3, 1 of them with another answer: .* 66\.7 %; without a by rule: 0; never sure of 2/,
    );
  });

  it('refuses what is no engine, and a puzzle that is not token ids', async () => {
    const { engine } = scripted(script);
    await assert.rejects(
      evaluateUntilSure({ engine } as never, set(5), {}),
      /engine: expected one, such as engine of what/,
    );
    await assert.rejects(all(searchForms(engine, '1..' as never, {})), /puzzle: expected token ids in an Int32Array/);
  });

  it('refills seats: two seats are two puzzles as long as two are left, and no more steps are made', async () => {
    const { engine, sizes } = scripted(script);
    await evaluateUntilSure(engine, set(5), { forms: numbered, mostForms: 3, batchSize: 2 });
    // Seat A: puzzle 0 (2 steps), 2 (6), then 4 (1); seat B: puzzle 1 (3), 3 (6): nine steps of two seats.
    assert.deepEqual(sizes, Array<number>(9).fill(2));
  });

  it('stops above the threshold only, and takes the surest of all forms where nothing can be sure', async () => {
    const at = (haltAbove: number) =>
      evaluateUntilSure(scripted(script.slice(2, 4)).engine, set(2), {
        forms: numbered,
        mostForms: 3,
        haltAbove,
      });
    const [low, high] = [await at(-0.3), await at(Infinity)];
    assert.deepEqual([low.sure, low.falseStops, low.passes.mean, low.headPrecision], [1, 0, (2 + 6) / 2, 1]);
    assert.deepEqual([high.sure, high.headPrecision, high.neverSure, high.passes.mean], [0, null, 2, 6]);
  });

  it('notes every surer answer, and votes over the forms that all puzzles have', async () => {
    const { engine } = scripted([
      [
        [no, [true, 3]],
        [
          [false, 4],
          [true, 1],
        ],
      ],
      [
        [no, no],
        [no, [true, -0.5]],
        [[true, 2.5], no],
      ],
    ]);
    const found = await evaluateUntilSure(engine, set(2), {
      forms: numbered,
      mostForms: 3,
      leastForms: 2,
      haltAbove: 2,
    });
    assert.deepEqual(
      found.each.map(({ passes, sure, right, surer }) => [
        passes,
        sure,
        right,
        surer.map((each) => Object.values(each)),
      ]),
      [
        // Sure after its second pass, but both forms are thought through, and the second was wrong for a moment.
        [
          4,
          true,
          false,
          [
            [1, -1, false],
            [2, 3, true],
            [3, 4, false],
          ],
        ],
        [
          5,
          true,
          true,
          [
            [1, -1, false],
            [4, -0.5, true],
            [5, 2.5, true],
          ],
        ],
      ],
    );
    // The first form's last answers are right and wrong; of the second puzzle's two, the surer one counts.
    assert.deepEqual(found.votes, [1, 2]);
    for (const bad of [{ leastForms: 4 }, { leastForms: -1 }, { leastForms: 1, votes: 2 }])
      await assert.rejects(evaluateUntilSure(engine, set(2), { forms: numbered, mostForms: 3, ...bad }), InputError);
    const grids = { forms: gridForms(4, 6), mostForms: 128 };
    await assert.rejects(evaluateUntilSure(engine, set(2), { ...grids, leastForms: 9 }), /from 0 to 8, got 9/);
  });

  it('takes the puzzles asked for, and refuses a set without any', async () => {
    const { engine } = scripted(script);
    const options = { forms: numbered, mostForms: 3, puzzles: 2 };
    assert.equal((await evaluateUntilSure(engine, set(5), options)).puzzles, 2);
    for (const puzzles of [NaN, -1, 1.5])
      await assert.rejects(evaluateUntilSure(engine, set(5), { ...options, puzzles }), InputError);
    await assert.rejects(evaluateUntilSure(engine, set(0), options), InputError);
  });

  it('solves most of a dozen real puzzles with the shipped 9×9 model; its counts agree', async function () {
    this.timeout(120_000);
    const { engine } = await openModel(shippedCheckpoint(81), { threads: 1 });
    try {
      const dozen = await loadPuzzleFile(dataFile('sudoku-9x9-public-domain.csv.gz'), 12);
      const options = { forms: formsOf(dozen), mostForms: 8 };
      const found = await evaluateUntilSure(engine, dozen, options);
      assert.equal(found.puzzles, 12);
      assert.ok(found.solved >= 8, `${found.solved}`); // the single pass solves about half of harder ones
      assert.equal(found.sure + found.neverSure, 12);
      assert.equal(found.solved, found.sure - found.falseStops + found.neverSureSolved);
      for (const { passes, forms, sure, haltLogit } of found.each) {
        assert.ok(passes > 16 * (forms - 1) && passes <= 16 * forms, `${passes} of ${forms}`);
        assert.equal(sure, haltLogit > 0);
        assert.ok(sure || forms === 8);
      }
      const few = await evaluateUntilSure(engine, dozen, { ...options, mostForms: 1 });
      assert.ok(few.solved <= found.solved && few.passes.largest <= 16);
    } finally {
      engine.dispose();
    }
  });
});

describe('sudokuForms', () => {
  it('are legal and lead back, and the same seed gives the same', () => {
    for (const side of [4, 6, 9]) {
      const of = sudokuGeometry(side);
      const solution = solutionOf(of);
      const forms = firstForms(20, of);
      assert.deepEqual(relabel(solution, forms[0]!), solution);
      const written = forms.map((form) => relabel(solution, form));
      for (const [i, form] of forms.entries()) {
        assert.equal(findClash(boardOfTokens(written[i]!), of), undefined);
        assert.deepEqual(relabelBack(written[i]!, form), solution);
      }
      assert.ok(new Set(written.map(String)).size > 15); // small boards have few forms, so chance repeats one
      assert.deepEqual(firstForms(20, of), forms);
    }
  });
});

/** A full board: rows shifted, as a hand writes one down. */
function solutionOf({ side, boxRows, boxColumns }: SudokuGeometry): Int32Array {
  return Int32Array.from({ length: side * side }, (_, i) => {
    const [row, column] = [Math.floor(i / side), i % side];
    return ((boxColumns * (row % boxRows) + Math.floor(row / boxRows) + column) % side) + 2;
  });
}
