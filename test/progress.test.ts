/** Progress: how it reads, and what a terminal gets. */
import assert from 'node:assert/strict';
import { duration, endProgressLine, Progress, progressLine } from '../lib/progress.js';

describe('progress in words', () => {
  it('says how far, how fast and how long still', () => {
    assert.equal(
      progressLine({ stage: 'training', unit: 'steps', done: 120, total: 600, seconds: 12, note: 'loss 0.310' }),
      'training: 120/600 steps · 10 steps/s · 48 s left · loss 0.310',
    );
  });

  it('counts the rate from where a resumed task began', () => {
    assert.equal(
      progressLine({ stage: 'training', unit: 'steps', done: 120, total: 600, seconds: 40, before: 100 }),
      'training: 120/600 steps · 0.50 steps/s · 16 min 0 s left',
    );
  });

  it('counts what comes seldom by the minute or the hour', () => {
    assert.equal(
      progressLine({ stage: 'sweep', unit: 'runs', done: 1.5, total: 4, seconds: 90 }),
      'sweep: 1.5/4 runs · 1.00 runs/min · 2 min 30 s left',
    );
    assert.equal(
      progressLine({ stage: 'sweep', unit: 'runs', done: 1, total: 3, seconds: 7200 }),
      'sweep: 1/3 runs · 0.50 runs/h · 4 h 0 min left',
    );
  });

  it('says no rate before there is one, and no times when done', () => {
    assert.equal(
      progressLine({ stage: 'sweep', unit: 'runs', done: 3 - 1e-9, total: 3, seconds: 7200 }).slice(0, 15),
      'sweep: 3/3 runs',
    );
    assert.equal(
      progressLine({ stage: 'testing', unit: 'puzzles', done: 0, total: 300, seconds: 0 }),
      'testing: 0/300 puzzles',
    );
    assert.equal(
      progressLine({ stage: 'testing', unit: 'puzzles', done: 300.5, total: 900, seconds: 0 }),
      'testing: 300/900 puzzles',
    );
    assert.equal(
      progressLine({ stage: 'testing', unit: 'puzzles', done: 300, total: 300, seconds: 9 }),
      'testing: 300/300 puzzles',
    );
  });

  it('counts the rate anew when the same is done a second time', () => {
    const lines: string[] = [];
    const progress = new Progress({ every: () => 0, show: (line) => void lines.push(line), end: () => undefined });
    const pause = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    progress.update('evaluating', 'puzzles', 0, 100);
    pause(500);
    for (const done of [100, 0]) progress.update('evaluating', 'puzzles', done, 100);
    pause(30);
    progress.update('evaluating', 'puzzles', 3, 100);
    const rate = Number(/· (\d[\d.]*) puzzles\/s/.exec(lines.at(-1)!)?.[1]);
    assert.ok(rate > 6, lines.at(-1)); // about 100; with the half second before it, under 6
  });

  it('a name does not steer the terminal', () => {
    assert.equal(
      progressLine({ stage: 'a\u001b[2J\u009b\nb', unit: 'puzzles', done: 1, total: 1, seconds: 0 }),
      'a�[2J��b: 1/1 puzzles',
    );
  });

  it('durations are said as people say them', () => {
    assert.deepEqual([0.4, 59.6, 190, 7500].map(duration), ['0 s', '1 min 0 s', '3 min 10 s', '2 h 5 min']);
  });
});

describe('progress on standard error', () => {
  /** What standard error gets from `work`, as a terminal or not. */
  const written = (terminal: boolean, work: () => void): string => {
    const { isTTY, write } = process.stderr;
    let text = '';
    try {
      process.stderr.isTTY = terminal;
      process.stderr.write = (chunk) => {
        text += String(chunk);
        return true;
      };
      work();
    } finally {
      Object.assign(process.stderr, { isTTY, write });
    }
    return text;
  };
  const halfDone = (): void => new Progress().update('checking', 'puzzles', 1, 2);

  it('rewrites one line on a terminal, whose end comes once, before other text', () => {
    const clear = '\r\u001b[K';
    assert.equal(
      written(true, () => {
        endProgressLine();
        halfDone();
        endProgressLine();
        endProgressLine();
      }),
      `${clear}checking: 1/2 puzzles\n`,
    );
  });

  it('leaves the last line of a stage standing when another begins', () => {
    assert.equal(
      written(true, () => {
        halfDone();
        new Progress().update('rating', 'puzzles', 2, 2);
        endProgressLine();
      }).replaceAll('\r\u001b[K', ''),
      'checking: 1/2 puzzles\nrating: 2/2 puzzles\n',
    );
  });

  it('has whole lines elsewhere', () => {
    assert.equal(
      written(false, () => {
        halfDone();
        endProgressLine();
      }),
      'checking: 1/2 puzzles\n',
    );
  });
});
