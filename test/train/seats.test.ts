/**
 * Thinking beyond the paper: halting, votes and noise against puzzles thought about one at a time,
 * and against cases worked by hand.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { emptyLike, type Dataset } from '../../lib/data/dataset.js';
import {
  drawSudokuRelabelling,
  gridForms,
  identity,
  relabel,
  relabelBack,
  type Relabelling,
} from '../../lib/data/relabelling.js';
import { sudokuDataset } from '../../lib/data/sudoku-sets.js';
import { sudokuGeometry } from '../../lib/data/sudoku.js';
import { createEngine } from '../../lib/engine/create.js';
import type { Engine } from '../../lib/engine/engine.js';
import { whyUnavailable } from '../../lib/engine/native/addon.js';
import { InputError } from '../../lib/errors.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiments } from '../../lib/experiment/experiments.js';
import { openModel } from '../../lib/experiment/open.js';
import { projectRoot } from '../../lib/files.js';
import { Random } from '../../lib/random.js';
import { surest, vote, type Answer } from '../../lib/train/ensemble.js';
import { evaluate, evaluateIds, puzzlesOf, type Evaluation } from '../../lib/train/evaluate.js';
import { think } from '../../lib/train/think.js';
import { Seats, type ThinkingOptions } from '../../lib/train/seats.js';
import { notAtHand } from '../not-at-hand.js';

const shipped = path.join(projectRoot(), 'data', 'checkpoints', 'sudoku-4x4.safetensors');
const geometry = sudokuGeometry(4);
const same = { count: Infinity, draw: () => identity(16, 6) };

/** What counts of an evaluation; batches of another size sum logits in another order. */
const scores = ({ seconds: _, haltLogit: __, ...rest }: Evaluation): Omit<Evaluation, 'seconds' | 'haltLogit'> => rest;

describe('votes', () => {
  const answer = (board: number[], haltLogit: number): Answer => ({ tokens: Int32Array.from(board), haltLogit });
  const [a, a2, b, b2, c] = [
    answer([1, 2], -1),
    answer([1, 2], 0.5),
    answer([2, 1], 3),
    answer([2, 1], -9),
    answer([12], 2),
  ];

  it('go to the board given most often, ties to the surest', () => {
    assert.equal(vote([a, b, a2]), a2); // two to one, though the one is surer
    assert.equal(vote([a, b, a2, b2]), b); // two to two: 3 is surer than 0.5
    assert.equal(vote([a, b2, c]), c); // all disagree: the halting head decides
    // 1, 2 is another board than 12; the first wins a tie
    assert.equal(vote([answer([1, 2], 0), answer([12], 0)]).tokens.length, 2);
    assert.equal(surest([b2, a, c]), c);
    assert.equal(surest([a, answer([9], -1)]), a);
  });
});

for (const kind of ['native', 'tfjs'] as const) {
  const atHand = kind === 'tfjs' || whyUnavailable() === undefined;
  (atHand ? describe : notAtHand)(`thinking on the ${kind} engine`, () => {
    const puzzles = kind === 'native' ? 30 : 4; // tfjs takes milliseconds for every call of a network
    let engine: Engine;
    let dataset: Dataset;
    before(async () => {
      const { task } = experiments['sudoku-4x4']!;
      assert.ok(task.kind === 'sudoku');
      ({ engine } = await openModel(shipped, { engine: kind, precision: 'float32', threads: 2 }));
      dataset = (await sudokuDataset({ ...task, trainPuzzles: 1, testPuzzles: puzzles })).test;
      assert.equal(dataset.examples, puzzles);
      // The shipped model is sure of every puzzle from its first step; with its halting bias lowered,
      // puzzles halt at different steps.
      const logits = (await alone(() => identity(16, 6), 5)).flat().map(({ haltLogit }) => haltLogit);
      const tensors = new Map(await engine.readTensors('parameters'));
      const { shape, data } = tensors.get('q_head.bias')!;
      const median = logits.sort((a, b) => a - b)[Math.floor(logits.length / 2)]!;
      tensors.set('q_head.bias', { shape, data: Float32Array.of(data[0]! - median, data[1]!) });
      await engine.writeTensors('parameters', tensors);
    });
    after(() => engine.dispose());

    /** Every puzzle's answers after each step, thought about alone, in a form of its own. */
    const alone = async (view: (index: number) => Relabelling, supervisionSteps: number): Promise<Answer[][]> => {
      const all: Answer[][] = [];
      for (let i = 0; i < puzzles; i++) {
        const form = view(i);
        const thoughts = await think(
          engine,
          relabel(Int32Array.from(dataset.inputs.subarray(16 * i, 16 * i + 16)), form),
          { supervisionSteps },
        );
        all.push(
          thoughts.map(({ prediction, haltProbability }) => ({
            tokens: relabelBack(prediction, form),
            haltLogit: Math.log(haltProbability / (1 - haltProbability)),
          })),
        );
      }
      return all;
    };
    const right = ({ tokens }: Answer, i: number): boolean =>
      tokens.every((token, cell) => token === dataset.labels[16 * i + cell]);
    const share = (flags: readonly boolean[]): number => flags.filter((flag) => flag).length / flags.length;
    const run = (options: ThinkingOptions): Promise<Evaluation> => evaluate(engine, dataset, options);

    it('halts a puzzle at its first positive logit, never before, whoever shares its batch', async () => {
      const answers = await alone(() => identity(16, 6), 16);
      const stops = answers.map((each) => each.findIndex(({ haltLogit }) => haltLogit > 0) + 1 || 16);
      assert.ok(
        new Set(stops).size > (kind === 'native' ? 2 : 1),
        `the puzzles should need different times, got ${stops.join()}`,
      );
      const expected = Array.from({ length: 16 }, (_, step) =>
        share(answers.map((each, i) => right(each[Math.min(step + 1, stops[i]!) - 1]!, i))),
      );
      for (const batchSize of [1, 4, 128]) {
        const result = await run({ haltAbove: 0, batchSize });
        assert.equal(result.meanSteps, stops.reduce((a, b) => a + b, 0) / puzzles);
        assert.deepEqual(result.exactAccuracy, expected);
      }
    });

    it('thinks on past the trained steps without halting, in batches of any size', async () => {
      const answers = await alone(() => identity(16, 6), 20);
      const expected = Array.from({ length: 20 }, (_, step) => share(answers.map((each, i) => right(each[step]!, i))));
      for (const batchSize of [4, 128])
        assert.deepEqual((await run({ batchSize, supervisionSteps: 20 })).exactAccuracy, expected);
      assert.equal((await run({})).meanSteps, undefined);
    });

    it('gives the plain result for forms that change nothing, and for chains without noise', async () => {
      const plain = scores(await run({}));
      assert.deepEqual(scores(await run({ forms: same, votes: 3 })), plain);
      assert.deepEqual(scores(await run({ chains: 3 })), plain);
      assert.deepEqual(scores(await run({ chains: 2, forms: same, votes: 2, batchSize: 9 })), plain);
    });

    it('votes among forms as one would who thinks about each of them alone', async () => {
      const view = (k: number, random: Random): Relabelling =>
        k === 0 ? identity(16, 6) : drawSudokuRelabelling(geometry, random);
      const forms = [0, 1, 2].map((k) => (i: number) => view(k, new Random(5).fork('views').fork(i).fork(k)));
      const answers: Answer[][][] = [];
      for (const form of forms) answers.push(await alone(form, 4));
      const expected = Array.from({ length: 4 }, (_, step) =>
        share(
          Array.from({ length: puzzles }, (_, i) => {
            const given = answers.map((form) => form[i]![step]!);
            const boards = given.map(({ tokens }) => tokens.join());
            const votes = boards.map((board) => boards.filter((other) => other === board).length);
            const score = given.map(({ haltLogit }, k) => votes[k]! * 1000 + haltLogit); // votes first, then sureness
            return right(given[score.indexOf(Math.max(...score))]!, i);
          }),
        ),
      );
      const result = await run({
        forms: { count: Infinity, draw: view },
        votes: 3,
        random: new Random(5),
        supervisionSteps: 4,
        batchSize: 10,
      });
      assert.deepEqual(result.exactAccuracy, expected);
    });

    it('disturbs all chains but the first, from the seed alone, and takes the surest', async () => {
      const collect = async (options: ThinkingOptions): Promise<Map<string, Answer>> => {
        const seats = new Seats(engine, puzzlesOf(dataset, puzzles), puzzles, { supervisionSteps: 3, ...options });
        const all = new Map<string, Answer>();
        for await (const thoughts of seats.thoughts())
          for (const { labels, steps, answer } of thoughts) all.set(`${labels.join()} ${steps}`, answer);
        return all;
      };
      const plain = await collect({});
      const noisy = await collect({ chains: 4, noise: 1, random: new Random(8) });
      assert.equal(noisy.size, plain.size);
      let surer = 0;
      for (const [key, { haltLogit }] of noisy) {
        // 1e-4: a batch of another size sums in another order
        assert.ok(haltLogit >= plain.get(key)!.haltLogit - 1e-4, key);
        surer += haltLogit > plain.get(key)!.haltLogit + 0.01 ? 1 : 0;
      }
      const again = await collect({ chains: 4, noise: 1, random: new Random(8), batchSize: 12 });
      for (const [key, { haltLogit }] of noisy) assert.ok(Math.abs(haltLogit - again.get(key)!.haltLogit) < 1e-3, key);
      if (kind === 'tfjs') return; // so few puzzles may all be surest without noise
      assert.ok(surer > 0, 'no noisy chain was ever surer');
      const otherwise = await collect({ chains: 4, noise: 1, random: new Random(9) });
      assert.ok([...noisy].some(([key, { haltLogit }]) => Math.abs(haltLogit - otherwise.get(key)!.haltLogit) > 0.01));
    });

    it('lets the first to halt answer for all', async () => {
      const single = await run({ haltAbove: 0 });
      const many = await run({ haltAbove: 0, chains: 4, noise: 0.5 });
      assert.ok(many.meanSteps! <= single.meanSteps!, `${many.meanSteps} against ${single.meanSteps}`);
    });

    // On tfjs this would take twenty seconds; its tensors are counted by the engine's own tests.
    if (kind === 'native')
      it('thinks 1,024 steps in the memory of one', async () => {
        const grown = async (steps: number): Promise<number> => {
          await evaluate(engine, dataset, { supervisionSteps: steps, puzzles: 2 });
          return process.memoryUsage().rss;
        };
        const before = await grown(200);
        assert.ok((await grown(1024)) - before < 60e6); // the garbage collector's slack
      });

    it('refuses impossible options', async () => {
      for (const options of [
        { votse: 2 },
        { weights: 'avg' },
        { puzzleIds: 'Own' },
        { random: 5 },
        { forms: 'both' },
        { puzzles: 2.5 },
        { chains: 0 },
        { noise: -1 },
        { noise: 5 }, // the first chain is never disturbed
        { noise: NaN },
        { supervisionSteps: 0.5 },
        { batchSize: 0 },
        { haltAbove: NaN },
        { votes: 2 },
        { votes: 9, forms: gridForms(4, 6) },
        { votes: 2, forms: { draw: () => identity(16, 6) } },
        ...[gridForms(3, 6), gridForms(4, 5), gridForms(4, 7)].map((forms) => ({ votes: 2, forms })),
        ...[undefined, { cells: new Int32Array(16), tokens: identity(0, 6).tokens }].map((form) => ({
          votes: 2,
          forms: { count: 2, draw: () => form },
        })),
        { shouldStop: async () => true },
        { shouldStop: () => 'no' },
      ])
        await assert.rejects(run(options as object), InputError);
      for (const options of [null, 7, NaN, { puzzleIds: 'blank' }])
        await assert.rejects(evaluateIds(engine, dataset, options as never), /^InputError: evaluation: /);
      const { model } = change(experiments['sudoku-4x4']!, { model: { recursion: 'direct' } });
      const direct = await createEngine(model, { engine: kind, backend: kind === 'tfjs' ? 'cpu' : 'auto' });
      try {
        const noisy = evaluate(direct, dataset, { chains: 2, noise: 0.3 });
        await assert.rejects(noisy, /noise: expected a model with a latent z, .* got 0\.3 for one without$/);
      } finally {
        direct.dispose();
      }
      await assert.rejects(evaluate(engine, { test: dataset } as never), /data set: expected one/);
      await assert.rejects(evaluate(engine, emptyLike(dataset)), /expected puzzles to evaluate, got none/);
    });
  });
}
