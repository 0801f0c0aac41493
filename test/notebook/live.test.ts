/**
 * Training before the reader's eyes: Interrupt keeps what was learned, and going on ends where an unbroken run ends.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { sweepLive, trainLive } from '../../lib/notebook/live.js';
import { interrupted } from '../../lib/notebook/output.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

const tiny = experiment('sudoku-4x4', {
  task: { trainPuzzles: 8, testPuzzles: 8 },
  training: { steps: 6, batchSize: 4 },
  evaluation: { every: 0, finalPuzzles: 4 },
  model: { supervisionSteps: 3 },
});
const kernel = globalThis as { __interrupts?: number };
const jupyter = createRequire(import.meta.url)('tslab/dist/jupyter.js') as { lastWriteDisplayData: unknown };

describe('training live', function () {
  this.timeout(120_000);
  let folder: string;
  let texts: string[];
  beforeEach(() => {
    folder = newFolder();
    texts = [];
    kernel.__interrupts = 0;
    jupyter.lastWriteDisplayData = ({ data }: { data: Record<string, unknown> }) =>
      texts.push(String(data['text/plain']));
  });
  afterEach(() => {
    delete kernel.__interrupts;
    jupyter.lastWriteDisplayData = null;
  });

  it('stops at the next step when interrupted, and goes on from there to the same result', async () => {
    const options = { seed: 3, engine: { engine: 'tfjs', backend: 'cpu' } } as const;
    const unbroken = await trainLive(tiny, { ...options, folder: path.join(folder, 'unbroken') });
    unbroken.engine.dispose();

    const broken = { ...options, folder: path.join(folder, 'broken') };
    const stopped = await trainLive(tiny, {
      ...broken,
      onProgress: ({ phase, done }) => {
        if (phase === 'training' && done === 2) kernel.__interrupts = 1;
      },
    });
    assert.equal(stopped.record, undefined);
    assert.equal(stopped.curve.length, 2);
    assert.equal(
      texts.at(-1),
      'Stopped after 2 of 6 steps; what was learned is kept. Run this cell again to continue.',
    );

    const finished = await trainLive(tiny, broken);
    finished.engine.dispose();
    assert.deepEqual(finished.curve, unbroken.curve);
    assert.deepEqual(
      finished.record?.evaluations.at(-1)?.cellAccuracy,
      unbroken.record?.evaluations.at(-1)?.cellAccuracy,
    );
    assert.ok(texts.includes('[figure: Learning · sudoku-4x4, seed 3]'), texts.join('\n'));
  });

  it('ends its progress line outside a notebook, also where it fails', async () => {
    jupyter.lastWriteDisplayData = null;
    const { isTTY, write } = process.stderr;
    const written: string[] = [];
    const options = { engine: { engine: 'tfjs', backend: 'cpu' }, folder: path.join(folder, 'outside') } as const;
    const fails = { ...options, folder: path.join(folder, 'failing'), onProgress: () => assert.fail('as asked') };
    const sweep = { records: path.join(folder, 'records'), folder: path.join(folder, 'runs'), jobs: 1 };
    try {
      process.stderr.isTTY = true;
      process.stderr.write = (text: string | Uint8Array) => written.push(String(text)) > 0;
      for (const run of [
        () => trainLive(tiny, options),
        () => trainLive(tiny, fails),
        () => sweepLive([{ experiment: change(tiny, { name: 'tiny', training: { steps: 1 } }), seed: 0 }], sweep),
      ]) {
        written.length = 0;
        await run().catch((error: Error) => assert.equal(error.message, 'as asked'));
        assert.ok(written.length > 1);
        assert.equal(written.at(-1), '\n');
      }
    } finally {
      Object.assign(process.stderr, { isTTY, write });
    }
  });

  it('interrupted while the puzzles are made, has begun nothing', async () => {
    const many = change(tiny, { task: { trainPuzzles: 100_000 } });
    const run = path.join(folder, 'run');
    const options = { folder: run, onData: () => void (kernel.__interrupts = 1) };
    for (const begin of [
      (): Promise<unknown> => trainLive(many, options),
      (): Promise<unknown> => sweepLive([{ experiment: many, seed: 0 }], options),
    ]) {
      await assert.rejects(begin, /stopped while its puzzles were prepared; nothing was begun/);
      assert.equal(existsSync(run), false);
      kernel.__interrupts = 0;
      interrupted();
    }
  });

  it('interrupted at the last step, stops before the evaluations, too', async () => {
    const options = { engine: { engine: 'tfjs', backend: 'cpu' }, folder: path.join(folder, 'late') } as const;
    const stopped = await trainLive(tiny, {
      ...options,
      onProgress: ({ phase, done, total }) => {
        if (phase === 'training' && done === total) kernel.__interrupts = 1;
      },
    });
    assert.equal(stopped.record, undefined);
    const finished = await trainLive(tiny, options);
    finished.engine.dispose();
    assert.equal(finished.record?.evaluations.length, 1);
  });

  it('refuses two different experiments of one name, whose records could not be told apart', async () => {
    const plan = [1, 2].map((layers) => ({ experiment: change(tiny, { model: { layers } }), seed: 0 }));
    await assert.rejects(
      sweepLive(plan, { records: path.join(folder, 'records'), folder: path.join(folder, 'runs') }),
      inputError(/two different ones named sudoku-4x4; give one of them another name/),
    );
  });

  it('runs what is missing of a plan, each run once, and leaves the rest when interrupted', async () => {
    const smallest = change(tiny, { name: 'tiny', training: { steps: 2 } });
    const options = { records: path.join(folder, 'records'), folder: path.join(folder, 'runs'), jobs: 1 };
    const plan = [0, 1].map((seed) => ({ experiment: smallest, seed }));
    const stopped = await sweepLive([...plan, ...plan], {
      ...options,
      onProgress: (runs) => {
        if (runs[0]?.state === 'finished') kernel.__interrupts = 1;
      },
    });
    assert.deepEqual(
      stopped.map(({ state }) => state),
      ['finished', 'waiting'],
    );
    assert.equal(
      texts.at(-1),
      'Stopped with 1 of 2 runs unfinished; what they learned is kept. Run this cell again to continue.',
    );
    const finished = await sweepLive(plan, options);
    assert.deepEqual(
      finished.map(({ state }) => state),
      ['recorded', 'finished'],
    );
  });
});
