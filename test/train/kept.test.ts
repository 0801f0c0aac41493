/** Evaluations that were interrupted, stopped or killed, end with the numbers of those that were not. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isArcDataset } from '../../lib/data/arc-sets.js';
import { exampleOf, withHash, type Dataset } from '../../lib/data/dataset.js';
import { sudokuForms } from '../../lib/data/relabelling.js';
import { sudokuGeometry } from '../../lib/data/sudoku.js';
import { createEngine } from '../../lib/engine/create.js';
import type { Engine } from '../../lib/engine/engine.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { runExperiment } from '../../lib/experiment/run.js';
import { loadTask } from '../../lib/experiment/task.js';
import { InputError, StoppedError } from '../../lib/errors.js';
import { initialParameters } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';
import { ArcVotes } from '../../lib/train/arc-votes.js';
import { voteArc } from '../../lib/train/evaluate-arc.js';
import { evaluate, type EvaluateOptions } from '../../lib/train/evaluate.js';
import { Keeping } from '../../lib/train/kept.js';
import { think } from '../../lib/train/think.js';
import { evaluateUntilSure } from '../../lib/train/until-sure.js';
import { newFolder } from '../new-folder.js';

describe('an interrupted evaluation', function () {
  this.timeout(60_000);
  let folder = '';
  let engine: Engine;
  let puzzles: Dataset;
  let steps = 0;
  const { model, task } = change(experiment('sudoku-smoke'), { model: { supervisionSteps: 3, deepRecursions: 1 } });
  before(async () => {
    puzzles = (await loadTask(task)).test;
    const made = await createEngine(model, { threads: 1, precision: 'float32' });
    const weights = initialParameters(model, new Random(3));
    // Halting logits that differ from puzzle to puzzle, as those of a trained model do.
    weights.get('q_head.bias')!.data.fill(0);
    const random = new Random(5);
    weights.get('q_head.weight')!.data.forEach((_, i, data) => (data[i] = random.normal()));
    await made.writeTensors('parameters', weights);
    engine = counting(made);
  });
  beforeEach(() => void (folder = newFolder()));
  after(() => engine.dispose());

  /** The same engine, which counts its thinking steps. */
  function counting(made: Engine): Engine {
    return new Proxy(made, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]): unknown => {
          if (name === 'inferStep') steps++;
          return value.apply(target, given) as unknown;
        };
      },
    });
  }

  const keeping = (resume: boolean, every = 30): Keeping => new Keeping({ folder, resume, every });
  /** Asks to stop once more than so many puzzles are done. */
  const stopAfter = (most: number): Pick<EvaluateOptions, 'onProgress' | 'shouldStop'> => {
    let stop = false;
    return { onProgress: ({ done }) => void (stop ||= done > most), shouldStop: () => stop };
  };
  const without = <Result extends { seconds: number }>({ seconds: _, ...rest }: Result): Omit<Result, 'seconds'> =>
    rest;

  const forms = sudokuForms(sudokuGeometry(4), 'both');
  const ways: Readonly<Record<string, EvaluateOptions>> = {
    'as in the paper': {},
    'with puzzles that halt': { haltAbove: 0 },
    'with forms that vote': { forms, votes: 2, batchSize: 2, random: new Random(1) },
    'with noisy chains': { chains: 2, noise: 0.3, batchSize: 2, random: new Random(1) },
  };
  for (const [name, way] of Object.entries(ways)) {
    it(`goes on from what it had finished, ${name}`, async () => {
      const options = { batchSize: 1, ...way };
      const whole = await evaluate(engine, puzzles, options);
      if (way.haltAbove !== undefined) assert.ok(whole.meanSteps! > 1.1 && whole.meanSteps! < 2.9, 'some halt early');
      // Twenty puzzles in parts of one, or of eight where they halt. Stopped twice, each time in another part.
      for (const puzzle of [9, 17]) {
        const keep = keeping(true);
        await assert.rejects(evaluate(engine, puzzles, { ...options, ...stopAfter(puzzle), keep }), StoppedError);
        assert.equal(readdirSync(folder).length, 1);
        assert.deepEqual([keep.holds, keep.wentOn], [true, puzzle === 17]);
      }
      steps = 0;
      const keep = keeping(true);
      const resumed = await evaluate(engine, puzzles, { ...options, keep });
      assert.deepEqual(without(resumed), without(whole));
      assert.ok(steps <= 4 * 3, `${steps} steps for the four puzzles at most that were left`);
      keep.remove();
      assert.deepEqual(readdirSync(folder), []);
    });
  }

  it('takes no more steps where it is kept: parts are whole batches of the seats', async () => {
    const options = { forms, votes: 3, batchSize: 8, puzzles: 6, random: new Random(1) };
    const made: number[] = [];
    for (const keep of [{}, { keep: keeping(true) }]) {
      steps = 0;
      await evaluate(engine, puzzles, { ...options, ...keep });
      made.push(steps);
    }
    assert.deepEqual(made, [9, 9], 'two puzzles at once, three steps each');
  });

  it('of a search goes on with the puzzles that were not finished, whatever the order they finish in', async () => {
    const options = { haltAbove: 2, forms, mostForms: 6, leastForms: 2, batchSize: 4, random: new Random(1) };
    const timeless = ({ seconds: _, ...rest }: Awaited<ReturnType<typeof evaluateUntilSure>>): unknown => rest;
    // Of every three puzzles two have this model's own last or surest answer as the right one.
    const labels = puzzles.labels.slice();
    for (let puzzle = 0; puzzle < puzzles.examples; puzzle++) {
      const thoughts = await think(engine, Int32Array.from(exampleOf(puzzles, puzzle).input));
      const surest = thoughts.reduce((a, b) => (b.haltProbability > a.haltProbability ? b : a));
      const given = [thoughts.at(-1), surest, undefined][puzzle % 3];
      if (given !== undefined) labels.set(given.prediction, puzzle * puzzles.sequenceLength);
    }
    const asked = withHash({ ...puzzles, labels });
    steps = 0;
    const whole = await evaluateUntilSure(engine, asked, options);
    const all = steps;
    assert.ok(whole.sure > 2 && whole.neverSure > 2, 'puzzles end early and late');
    assert.ok(whole.votes[0]! > 2 && whole.votes[1]! > 2 && whole.solved > 2, 'some are right');
    for (const puzzle of [8, 16]) {
      const keep = keeping(true);
      const stop = stopAfter(puzzle);
      await assert.rejects(evaluateUntilSure(engine, asked, { ...options, ...stop, keep }), StoppedError);
      assert.deepEqual([readdirSync(folder).length, keep.holds, keep.wentOn], [1, true, puzzle === 16]);
    }
    steps = 0;
    const keep = keeping(true);
    assert.deepEqual(timeless(await evaluateUntilSure(engine, asked, { ...options, keep })), timeless(whole));
    assert.ok(steps < all / 2, `${steps} of ${all} steps`);
    // A search with another limit, and an evaluation, are others: they begin at the first puzzle.
    // Of several that make one result, only the first says that there was nothing.
    const said: unknown[] = [];
    const onResume = (done: number): void => void said.push(done);
    const others = new Keeping({ folder, resume: true, onResume, onNothing: () => void said.push('nothing') });
    await evaluateUntilSure(engine, asked, { ...options, mostForms: 5, keep: others });
    await evaluate(engine, asked, { batchSize: 4, haltAbove: 0, keep: others });
    assert.deepEqual(said, ['nothing']);
    keep.remove();
  });

  it('is of one model: the same weights with other heads are another', async () => {
    const files = new Set<string>();
    for (const heads of [1, 2]) {
      const other = new Proxy(engine, {
        get: (target, name) =>
          name === 'config' ? { ...model, heads } : (Reflect.get(target, name, target) as unknown),
      });
      files.add((await keeping(true).open(other, {})).file);
    }
    assert.equal(files.size, 2);
  });

  it('keeps every batch that was finished, and nothing where none was', async () => {
    const options = { batchSize: 2 };
    const none = keeping(true);
    await assert.rejects(evaluate(engine, puzzles, { ...options, ...stopAfter(1), keep: none }), StoppedError);
    assert.deepEqual([none.holds, readdirSync(folder)], [false, []]);
    const one = keeping(true);
    await assert.rejects(evaluate(engine, puzzles, { ...options, ...stopAfter(3), keep: one }), StoppedError);
    assert.equal(one.holds, true);
    steps = 0;
    await evaluate(engine, puzzles, { ...options, keep: keeping(true) });
    assert.equal(steps, 9 * 3); // all batches but the first
  });

  /** A callback that fails after it has returned. */
  const late: Pick<EvaluateOptions, 'onProgress'> = {
    onProgress: () => Promise.reject(new Error('the disk is full')),
  };

  it('ends with what its callback throws, however late', async () => {
    for (const work of [evaluate, evaluateUntilSure])
      await assert.rejects(work(engine, puzzles, late), /^Error: the disk is full$/);
  });

  it('starts over without resume, and after the weights, the puzzles or the question changed', async () => {
    const stopped = async (options: EvaluateOptions): Promise<void> => {
      steps = 0;
      await assert.rejects(evaluate(engine, puzzles, { batchSize: 1, ...stopAfter(9), ...options }), StoppedError);
      assert.equal(steps, 9 * 3 + 1); // from the first puzzle to the tenth
    };
    await stopped({ keep: keeping(true) });
    await stopped({ keep: keeping(false) });
    await stopped({ keep: keeping(true), puzzles: 19 });
    await stopped({ keep: keeping(true), weights: 'raw' });
    const parameters = await engine.readTensors('parameters');
    await engine.writeTensors('parameters', initialParameters(model, new Random(4)));
    await stopped({ keep: keeping(true) });
    await engine.writeTensors('parameters', parameters);
    assert.equal(readdirSync(folder).length, 4);
    const found: string[] = [];
    await stopped({ keep: new Keeping({ folder, resume: false, onFound: (file) => void found.push(file) }) });
    assert.deepEqual(
      found.map((file) => readdirSync(folder).includes(path.basename(file))),
      [true],
    );
  });

  it('is of one threshold, also of one that JSON has no number for', async () => {
    for (const haltAbove of [Infinity, -Infinity]) {
      const options = { batchSize: 1, ...stopAfter(9), haltAbove, keep: keeping(true) };
      await assert.rejects(evaluate(engine, puzzles, options), StoppedError);
      assert.equal(options.keep.wentOn, false);
    }
    assert.equal(readdirSync(folder).length, 2);
  });

  it('refuses a file that is damaged or of another evaluation, and leaves it', async () => {
    const options = { batchSize: 1 };
    await assert.rejects(evaluate(engine, puzzles, { ...options, ...stopAfter(9), keep: keeping(true) }), StoppedError);
    const [name = ''] = readdirSync(folder);
    const file = path.join(folder, name);
    const good = readFileSync(file, 'utf8');
    const others = good.replace(/"key":"../, '"key":"zz');
    for (const [content, got] of [
      [good.slice(0, 100), /^.*evaluation-\w+\.json: expected what this evaluation had finished, got .*JSON/],
      ['null', /got that of another evaluation; delete the file to start over$/],
      [others, /got that of another evaluation/],
      [good.replace('\\"done\\":9', '\\"done\\":8'), /got something damaged: its checksum differs/],
    ] as const) {
      assert.notEqual(content, good);
      writeFileSync(file, content);
      await assert.rejects(evaluate(engine, puzzles, { ...options, keep: keeping(true) }), (error: Error) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, got);
        return true;
      });
      assert.equal(readFileSync(file, 'utf8'), content);
    }
  });

  it('of ARC goes on with the votes that were counted', async () => {
    const arc = change(experiment('arc-smoke'), { model: { supervisionSteps: 2 } });
    const { test } = await loadTask(arc.task);
    assert.ok(isArcDataset(test));
    const made = await createEngine(arc.model, { threads: 1, precision: 'float32' });
    await made.writeTensors('parameters', initialParameters(arc.model, new Random(3)));
    const counted = counting(made);
    const vote = async (
      more: Pick<EvaluateOptions, 'keep' | 'shouldStop' | 'onProgress'>,
    ): Promise<readonly [unknown, unknown]> => {
      const votes = new ArcVotes();
      const result = await voteArc(counted, test, { batchSize: 2, votes, ...more });
      return [without(result), votes.submission(test.versions.entries)];
    };
    const whole = await vote({});
    const all = steps;
    await assert.rejects(vote({ keep: keeping(true), ...stopAfter(3) }), StoppedError);
    assert.equal(readdirSync(folder).length, 1);
    steps = 0;
    assert.deepEqual(await vote({ keep: keeping(true) }), whole);
    assert.ok(steps > 0 && steps < all);
    await assert.rejects(vote(late), /^Error: the disk is full$/);
    made.dispose();
  });

  it('at the end of a run is gone on with by the resumed run, and nothing of it is left', async () => {
    const long = change(experiment('sudoku-smoke'), {
      task: { testPuzzles: 1100 },
      model: { supervisionSteps: 2, deepRecursions: 1 },
      training: { steps: 2 },
      evaluation: { every: 1, puzzles: 10, closing: [] },
    });
    let stop = false;
    const run = async (name: string, stopAt = Infinity): ReturnType<typeof runExperiment> => {
      stop = false;
      const outcome = await runExperiment(long, {
        folder: path.join(folder, name),
        engine: { threads: 1, precision: 'float32' },
        resume: true,
        onProgress: ({ phase, done }) => void (stop ||= phase === 'evaluation' && done > stopAt),
        shouldStop: () => stop,
      });
      outcome.engine.dispose();
      return outcome;
    };
    const kept = (name: string): string[] => readdirSync(path.join(folder, name)).filter((file) => /^evalu/.test(file));
    const whole = await run('whole');
    assert.equal((await run('stopped', 1030)).record, undefined);
    assert.equal(kept('stopped').length, 1);
    const { record } = await run('stopped');
    const made = ({ evaluations }: NonNullable<typeof record>): unknown => evaluations.map(without);
    assert.deepEqual(made(record!), made(whole.record!));
    assert.deepEqual([...kept('stopped'), ...kept('whole')], []);
  });
});
