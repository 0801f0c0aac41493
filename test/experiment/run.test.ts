/** Runs: stopped at any step they go on to the same record, with every evaluation that an unbroken run makes. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { loadCheckpoint } from '../../lib/checkpoint/checkpoint.js';
import type { Dataset } from '../../lib/data/dataset.js';
import { loadBackend, tf } from '../../lib/engine/tfjs/backend.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import type { RunRecord } from '../../lib/experiment/record.js';
import { runExperiment, runId } from '../../lib/experiment/run.js';
import type { Measured, RunProgress } from '../../lib/experiment/run-loop.js';
import { loadTask } from '../../lib/experiment/task.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { seatsOf } from '../../lib/train/options.js';
import { readSnapshot, writeSnapshot } from '../../lib/train/snapshot.js';
import { newFolder } from '../new-folder.js';

const small = change(experiment('sudoku-smoke'), {
  model: { layers: 1, innerMultiple: 8, deepRecursions: 1, latentRecursions: 1 },
  training: { steps: 6 },
  evaluation: {
    every: 2,
    puzzles: 4,
    finalPuzzles: 6,
    trainingPuzzles: 4,
    closing: [
      { name: 'training', on: 'training', puzzles: 4 },
      { name: 'longer', on: 'scored', puzzles: 4, supervisionSteps: 17 },
    ],
  },
});

describe('run', () => {
  const folder = newFolder();

  /** Runs in a folder of its own, asked to stop once, after `stopAt` steps; then to the end. */
  async function record(stopAt: number): Promise<RunRecord | undefined> {
    for (let sitting = 0; ; sitting++) {
      let done = 0;
      const { record: written, engine } = await runExperiment(small, {
        folder: path.join(folder, String(stopAt)),
        engine: { engine: 'native', precision: 'float32', threads: 1 },
        resume: true,
        onProgress: (progress) => void (done = progress.phase === 'training' ? progress.done : done),
        shouldStop: () => sitting === 0 && done === stopAt,
      });
      engine.dispose();
      if (written !== undefined || sitting === 1) return written;
    }
  }

  it('asked to stop at any step, also one at which an evaluation is due, makes the same record', async () => {
    const results = ({ curve, evaluations, closing }: RunRecord): unknown =>
      JSON.parse(
        JSON.stringify({ curve, evaluations, closing }, (key, value: unknown) => (key === 'seconds' ? 0 : value)),
      );
    const whole = await record(-1);
    assert.ok(whole !== undefined);
    assert.deepEqual(
      whole.evaluations.map(({ step, puzzles }) => [step, puzzles]),
      [
        [2, 4],
        [4, 4],
        [6, 6],
      ],
    );
    const { training, ...final } = whole.evaluations.at(-1)!;
    assert.deepEqual(
      { ...training, seconds: 0 },
      { ...whole.closing['training'], seconds: 0 },
      'training puzzles on the way are those of the closing evaluation',
    );
    assert.notDeepEqual(training?.cellAccuracy, final.cellAccuracy);
    for (let stopAt = 1; stopAt <= 5; stopAt++) {
      const stopped = await record(stopAt);
      assert.ok(stopped !== undefined);
      assert.deepEqual(results(stopped), results(whole), `stopped after step ${stopAt}`);
    }
  });

  it('begins elsewhere with another seed', async () => {
    const losses: (number | undefined)[] = [];
    for (const seed of [0, 1]) {
      const { curve, engine } = await runExperiment(change(small, { training: { steps: 1 } }), {
        folder: path.join(folder, `seed-${seed}`),
        engine: { engine: 'native', precision: 'float32', threads: 1 },
        seed,
      });
      engine.dispose();
      losses.push(curve[0]?.answerLoss);
    }
    assert.ok(losses.every(Number.isFinite), String(losses));
    assert.notEqual(losses[0], losses[1]);
  });

  it('scores the puzzles of its split: a search, which scores validation puzzles, sees no test puzzle', async () => {
    const asked = change(small, { evaluation: { every: 0, closing: [], finalPuzzles: 0, split: 'validation' } });
    const { engine, data, record } = await runExperiment(asked, {
      folder: path.join(folder, 'validation'),
      engine: { engine: 'native', precision: 'float32', threads: 1 },
    });
    const cells = async (set: Dataset): Promise<readonly number[]> => (await evaluate(engine, set)).cellAccuracy;
    const [validation, test] = [await cells(data.validation), await cells(data.test)];
    engine.dispose();
    assert.notDeepEqual(validation, test);
    assert.deepEqual(record?.evaluations.at(-1)?.cellAccuracy, validation);
  });

  it('stopped during an evaluation, however rare its checkpoints are, keeps all that it learned', async () => {
    let evaluating = false;
    const own = {
      folder: path.join(folder, 'rare'),
      engine: { engine: 'native', precision: 'float32', threads: 1 },
      checkpointEvery: 100,
    } as const;
    const stopped = await runExperiment(small, {
      ...own,
      onProgress: ({ phase }) => void (evaluating = phase === 'evaluation'),
      shouldStop: () => evaluating,
    });
    stopped.engine.dispose();
    assert.deepEqual(
      [stopped.record, stopped.steps, existsSync(path.join(own.folder, 'state.safetensors'))],
      [undefined, 2, true],
    );
    assert.throws(() => loadCheckpoint(path.join(own.folder, 'state.safetensors')), /got the state of a training; its/);
    const trained: number[] = [];
    const rest = await runExperiment(small, {
      ...own,
      resume: true,
      onProgress: ({ phase, done }) => void (phase === 'training' && trained.push(done)),
    });
    rest.engine.dispose();
    assert.deepEqual(
      [trained, rest.record?.evaluations.map(({ step }) => step)],
      [
        [3, 4, 5, 6],
        [2, 4, 6],
      ],
    );
  });

  it('records the largest memory of its sittings; a state from before that was kept is read', async () => {
    for (const [before, says] of [
      [2 ** 50, (peak: number) => peak === 2 ** 50],
      [undefined, (peak: number) => peak > 1e7 && peak < 2 ** 50],
    ] as const) {
      const own = {
        folder: path.join(folder, `memory-${before}`),
        engine: { engine: 'native', precision: 'float32', threads: 1 },
      } as const;
      let done = 0;
      const onProgress = (progress: RunProgress): void => void (done = progress.done);
      (await runExperiment(small, { ...own, onProgress, shouldStop: () => done === 1 })).engine.dispose();
      const state = path.join(own.folder, 'state.safetensors');
      const { snapshot, extra } = readSnapshot(state, small.model, seatsOf(small.training));
      const { progress, ...rest } = extra as { readonly progress: Measured };
      assert.ok(progress.peakMemory! > 1e7);
      writeSnapshot(state, snapshot, { ...rest, progress: { ...progress, peakMemory: before } });
      const { record, engine } = await runExperiment(small, { ...own, resume: true });
      engine.dispose();
      assert.ok(says(record!.peakMemory), String(record!.peakMemory));
    }
  });

  it('is ended by what its callback throws, in an evaluation too', async () => {
    let told = 0;
    await assert.rejects(
      runExperiment(small, {
        folder: path.join(folder, 'failing'),
        engine: { engine: 'native', precision: 'float32', threads: 1 },
        onProgress: async ({ phase }) => {
          await new Promise(setImmediate);
          if (phase === 'evaluation' && ++told === 1) throw new Error('the disk is full');
        },
      }),
      /^Error: the disk is full$/,
    );
    assert.equal(told, 1);
  });

  it('leaves nothing of an engine whose run is ended', async () => {
    await loadBackend('cpu');
    const onProgress = (): never => {
      throw new Error('enough');
    };
    const { numTensors } = tf.memory();
    await assert.rejects(
      runExperiment(small, {
        folder: path.join(folder, 'ended'),
        engine: { engine: 'tfjs', backend: 'cpu' },
        onProgress,
      }),
      /enough/,
    );
    assert.equal(tf.memory().numTensors, numTensors);
  });

  it('does not begin with options, or an experiment, that there are not', async () => {
    const tiny = experiment('sudoku-smoke');
    const stale = await loadTask(tiny.task);
    (stale.test.labels as Uint8Array).fill(1);
    for (const [run, options, says] of [
      [tiny, { sed: 3 }, /unknown field sed \(did you mean seed\?\)/],
      [tiny, { seed: 2.5 }, /seed: expected a whole number from 0, or nothing, got 2.5/],
      [tiny, { log: 'tensorbord' }, /log: expected tensorboard, or nothing/],
      [tiny, { checkpointEvery: NaN }, /checkpointEvery: expected a whole number from 1/],
      [tiny, { engine: { thread: 1 } }, /unknown field thread/],
      [tiny, { data: { train: 5 } }, /data: expected an object with train: an object/],
      ...(['name', 'about', 'scale', 'base', 'variant', 'failureMode', 'task', 'model'] as const).map((field) => {
        const { [field]: _, ...rest } = tiny;
        return [rest, {}, new RegExp(`experiment: ${field}: expected .*, got undefined`)] as const;
      }),
      [{ ...tiny, scale: 'huge' }, {}, /experiment: scale: expected smoke, laptop, desk or paper, got "huge"/],
      [
        { ...tiny, name: '../x' },
        {},
        /experiment: name: expected a name without slashes, of .* on one line, got "\.\.\/x"/,
      ],
      [{ ...tiny, traning: {} }, {}, /experiment: unknown field traning \(did you mean training\?\)/],
      [
        tiny,
        { data: await loadTask(experiment('sudoku-4x4').task) },
        /data: expected what loadTask gives .* got that of another task; /,
      ],
      [tiny, { data: { ...(await loadTask(tiny.task)) } }, /data: expected what loadTask gives .* got other data; /],
      [tiny, { data: stale }, /data: expected what loadTask gives .* got that, changed since; /],
      [tiny, { folder: '' }, /folder: expected the path of a file or folder, or nothing, got ""/],
      [tiny, null, /run: expected an object, got null/],
      [
        tiny,
        { folder: path.join(folder, 'promise'), shouldStop: () => Promise.resolve(true) },
        /shouldStop: expected true or false, or nothing, got an object/,
      ],
      [undefined, {}, /expected one, such as .*, got undefined/],
      ['sudoku-smoke', {}, /expected one, such as .*, got "sudoku-smoke"/],
      [{ ...tiny, training: { ...tiny.training, steps: NaN } }, {}, /steps: expected a whole number/],
    ] as const)
      await assert.rejects(runExperiment(run as never, options as object), says);
  });

  it('is named by its puzzles: those of a file also by validation puzzles, and ratings if asked for', async () => {
    const { task } = experiment('sudoku-smoke');
    const data = await loadTask(task);
    const ratings = Float64Array.from({ length: data.test.examples }, (_, i) => i);
    const rated = { ...data, test: { ...data.test, ratings } };
    const others = { ...rated, validation: { ...rated.validation, sha256: 'other' } };
    const rerated = { ...rated, test: { ...rated.test, ratings: ratings.map((rating) => rating + 1) } };
    const closing = [{ name: 'hard', on: 'scored', puzzles: 0, ratings: [5, null] }] as const;
    const named = (own: Record<string, string>, evaluation: object): boolean[] => {
      const asked = experiment('sudoku-smoke', { task: own, evaluation });
      return [others, rerated].map((each) => runId(asked, 0, each) !== runId(asked, 0, rated));
    };
    const file = { source: 'file', file: 'mine.csv' };
    assert.deepEqual(named(file, { split: 'validation' }), [true, false]);
    assert.deepEqual(named(file, { closing }), [false, true]);
    assert.deepEqual(named(file, {}), [false, false]);
    assert.deepEqual(named({}, { split: 'validation', closing }), [false, false], 'what the task fixes needs no name');
  });

  it('does not begin with a closing question that its puzzles cannot be asked', async () => {
    const own = path.join(folder, 'no-ids');
    for (const [question, says] of [
      [{ puzzleIds: 'shuffled' }, /last: Sudoku 4×4 generated test: expected puzzles with ids of their own/],
      [{ ratings: [0, 1] }, /last: expected a set with ratings, got .*, which has none/],
    ] as const) {
      const closing = [{ name: 'last', on: 'scored', puzzles: 0, ...question }] as const;
      const data = await loadTask(experiment('sudoku-4x4').task);
      const options = { folder: own, data: Object.assign(data, { test: { ...data.test, ratings: null } }) };
      await assert.rejects(runExperiment(change(experiment('sudoku-4x4'), { evaluation: { closing } }), options), says);
      assert.equal(existsSync(own), false);
    }
  });

  it('does not begin where there is nothing to score it on', async () => {
    await assert.rejects(
      runExperiment(change(experiment('sudoku-4x4'), { evaluation: { split: 'validation' } }), {
        folder: path.join(folder, 'none'),
      }),
      /validation puzzles to score .*, got none; set task\.validationPuzzles, or choose another evaluation\.split/,
    );
    assert.equal(existsSync(path.join(folder, 'none')), false);
  });
});
