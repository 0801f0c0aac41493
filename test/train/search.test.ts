/**
 * A search over forms stops at the first sure answer, gives it in the puzzle's own form, and says when it is not sure.
 */
import assert from 'node:assert/strict';
import { relabel, relabelBack } from '../../lib/data/relabelling.js';
import { boardOfTokens, findClash, sudokuGeometry, type SudokuGeometry } from '../../lib/data/sudoku.js';
import { ownSudoku } from '../../lib/data/puzzle.js';
import type { Engine, InferRequest, LatentState } from '../../lib/engine/engine.js';
import { InputError } from '../../lib/errors.js';
import { openModel, shippedCheckpoint } from '../../lib/experiment/open.js';
import { Random } from '../../lib/random.js';
import { think } from '../../lib/train/think.js';
import { gridForms, searchForms, sudokuForms, type SearchStep } from '../../lib/train/search.js';

const puzzle = ownSudoku('1... .... ..3. .4.2'); // its only solution: 1243 4321 2134 3412
const geometry = sudokuGeometry(4);

/**
 * An engine that answers with the question, every digit kept, and whose certainty of each form after each step is
 * given.
 */
function engineWith(certainty: (form: number, step: number) => number): {
  readonly engine: Engine;
  readonly asked: string[];
  readonly open: () => number;
} {
  const asked: string[] = [];
  let [forms, open] = [0, 0];
  const steps = new Map<LatentState, { first: number; step: number }>();
  const engine = {
    config: { supervisionSteps: 3 },
    createState(batchSize: number) {
      open++;
      const state = { batchSize, dispose: () => void open-- } as LatentState;
      steps.set(state, { first: forms, step: 0 });
      forms += batchSize;
      return state;
    },
    async inferStep(state: LatentState, { tokens, reset }: InferRequest) {
      const at = steps.get(state)!;
      if (reset[0] === 1) asked.push(...Array.from({ length: state.batchSize }, (_, i) => textOf(tokens, i)));
      at.step++;
      const haltLogits = Float32Array.from({ length: state.batchSize }, (_, i) => certainty(at.first + i, at.step));
      return { predictions: tokens.slice(), haltLogits, continueLogits: haltLogits };
    },
  } as unknown as Engine;
  return { engine, asked, open: () => open };
}

const textOf = (tokens: Int32Array, seat: number): string => String(tokens.subarray(seat * 16, (seat + 1) * 16));

async function all(steps: AsyncIterable<SearchStep>): Promise<SearchStep[]> {
  const seen: SearchStep[] = [];
  for await (const step of steps) seen.push(step);
  return seen;
}

function firstForms(count: number, of: SudokuGeometry = geometry, seed = 5): ReturnType<typeof relabelOf>[] {
  const forms = sudokuForms(of, new Random(seed));
  return Array.from({ length: count }, () => relabelOf(forms));
}
const relabelOf = (forms: ReturnType<typeof sudokuForms>) => forms.next().value;

describe('searchForms', () => {
  it('ends with the first sure answer, counts every form and every cycle, and answers in the own form', async () => {
    const { engine, asked, open } = engineWith((form, step) => (form === 3 && step === 2 ? 0.5 : -form - step));
    const forms = firstForms(10);
    const steps = await all(searchForms(engine, puzzle.question, { forms, most: 10, seats: 2 }));
    assert.equal(steps.length, 5); // two forms for three steps, two more for two
    assert.deepEqual(
      steps.map(({ forms, cycles, sure }) => [forms, cycles, sure]),
      [
        [2, 2, false],
        [2, 4, false],
        [2, 6, false],
        [4, 8, false],
        [4, 10, true],
      ],
    );
    assert.equal(steps.at(-1)?.form, 3);
    assert.deepEqual(steps.at(-1)?.answer.tokens, puzzle.question); // the engine answers with the question, in its form
    assert.deepEqual(
      asked,
      forms.slice(0, 4).map((form) => String(relabel(puzzle.question, form))),
    );
    assert.equal(open(), 0);
  });

  it('is not sure when every form has had its steps, and gives the surest', async () => {
    const { engine, open } = engineWith((form, step) => -Math.abs(form - 1) - step / 10);
    const steps = await all(
      searchForms(engine, puzzle.question, { forms: firstForms(9), most: 3, seats: 2, supervisionSteps: 2 }),
    );
    const last = steps.at(-1);
    assert.deepEqual(
      [steps.length, last?.forms, last?.cycles, last?.sure, last?.form, last?.answer.haltLogit],
      [4, 3, 6, false, 1, Math.fround(-0.1)],
    );
    assert.equal(open(), 0);
  });

  it('needs a logit above the threshold, not at it', async () => {
    const { engine } = engineWith(() => 2);
    const ends = async (threshold: number): Promise<number> =>
      (await all(searchForms(engine, puzzle.question, { forms: firstForms(2), most: 2, threshold }))).length;
    assert.deepEqual([await ends(2), await ends(1.5)], [6, 1]);
  });

  it('ends where no form is left: a grid has eight', async () => {
    const { engine, asked } = engineWith(() => -1);
    const last = (await all(searchForms(engine, puzzle.question, { forms: gridForms(4, 6), most: 99, seats: 3 }))).at(
      -1,
    );
    assert.deepEqual([last?.forms, last?.cycles, asked.length], [8, 24, 8]);
  });

  it('frees its memory when the caller leaves early', async () => {
    const { engine, open } = engineWith(() => -1);
    for await (const _ of searchForms(engine, puzzle.question, { forms: firstForms(9), most: 9 })) break;
    assert.equal(open(), 0);
  });

  it('refuses impossible numbers', async () => {
    const { engine } = engineWith(() => -1);
    for (const bad of [{ most: 0 }, { most: 1, seats: 1.5 }, { most: 1, supervisionSteps: -1 }])
      await assert.rejects(all(searchForms(engine, puzzle.question, { forms: firstForms(1), ...bad })), InputError);
  });

  it('with a trained model gives what thinking about that form alone gives', async () => {
    const { engine } = await openModel(shippedCheckpoint(16), { precision: 'float32', threads: 1 });
    try {
      const forms = firstForms(6);
      const options = { forms, most: 6, seats: 3, supervisionSteps: 4, threshold: Infinity };
      const { form, answer } = (await all(searchForms(engine, puzzle.question, options))).at(-1)!;
      const alone = await think(engine, relabel(puzzle.question, forms[form]!), { supervisionSteps: 4 });
      const logits = alone.map(({ haltProbability: p }) => Math.log(p / (1 - p)));
      const surest = logits.indexOf(Math.max(...logits));
      assert.ok(Math.abs(logits[surest]! - answer.haltLogit) < 1e-3); // seats of a batch are summed in another order
      assert.deepEqual(answer.tokens, relabelBack(alone[surest]!.prediction, forms[form]!));
    } finally {
      engine.dispose();
    }
  });
});

describe('sudokuForms', () => {
  it('begins with the puzzle as it stands; every form is legal and leads back; the same seed gives the same', () => {
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
