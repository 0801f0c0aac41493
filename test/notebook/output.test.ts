/** A notebook's side of the kit: what is sent to it, how progress reads, when Interrupt counts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { accuracyCurves } from '../../lib/report/figures.js';
import { cellProgress, interrupted, inNotebook, Output, show, showPicture } from '../../lib/notebook/output.js';
import { duration, Progress, progressLine } from '../../lib/progress.js';

interface Sent {
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly transient: { readonly display_id: string };
  readonly update: boolean;
}

/** tslab's internal sender, through which a kernel gets its messages. */
const jupyter = createRequire(import.meta.url)('tslab/dist/jupyter.js') as { lastWriteDisplayData: unknown };

describe('in a notebook', () => {
  let sent: Sent[];
  beforeEach(() => {
    sent = [];
    jupyter.lastWriteDisplayData = (message: Omit<Sent, 'update'>, update: boolean) =>
      sent.push({ ...message, update });
  });
  afterEach(() => {
    jupyter.lastWriteDisplayData = null;
  });

  it('is known to be one', () => {
    assert.equal(inNotebook(), true);
    jupyter.lastWriteDisplayData = null;
    assert.equal(inNotebook(), false);
  });

  it('what an output shows second replaces the first', () => {
    const output = new Output();
    output.show({ 'text/plain': 'one' });
    output.show({ 'text/plain': 'two' });
    assert.deepEqual(
      sent.map(({ update }) => update),
      [false, true],
    );
    assert.equal(sent[0]?.transient.display_id, sent[1]?.transient.display_id);
  });

  it('a figure goes out as data, as a picture of its size and as text, and never as HTML', async () => {
    const figure = accuracyCurves([{ name: 'a', exactAccuracy: [0.5, 1] }]);
    await show(figure);
    const { data, metadata } = sent[0] ?? assert.fail('nothing was sent');
    assert.deepEqual(Object.keys(data).sort(), ['application/vnd.plotly.v1+json', 'image/png', 'text/plain']);
    assert.deepEqual((data['application/vnd.plotly.v1+json'] as { data: unknown }).data, figure.data);
    assert.equal(Buffer.from(String(data['image/png']), 'base64').subarray(1, 4).toString(), 'PNG');
    assert.equal(data['text/plain'], '[figure: Accuracy versus cycles]');
    assert.deepEqual(metadata, { 'image/png': { width: 720, height: 440 } });
  });

  it('a figure that is drawn again and again goes out as a picture alone', async () => {
    await showPicture(accuracyCurves([{ name: 'a', exactAccuracy: [0.5, 1] }]), new Output());
    assert.deepEqual(Object.keys(sent[0]?.data ?? {}).sort(), ['image/png', 'text/plain']);
  });

  it('text goes out as Markdown', async () => {
    await show('**bold**');
    assert.equal(sent[0]?.data['text/markdown'], '**bold**');
    for (const content of [undefined, 5, { columns: [], rows: [] }])
      await assert.rejects(show(content as never), /^InputError: picture: .* a table is shown as toMarkdown/);
    await assert.rejects(show('x', 'y' as never), /show: expected one content, got "y" beside it/);
  });

  it('progress has one place, and its last line has no times in it', () => {
    const progress = cellProgress();
    progress.update('training', 'steps', 0, 10);
    progress.update('training', 'steps', 10, 10, 'loss 0.1');
    assert.equal(new Set(sent.map(({ transient }) => transient.display_id)).size, 1);
    assert.equal(sent.at(-1)?.data['text/plain'], 'training: 10/10 steps · loss 0.1');
    assert.match(String(sent.at(-1)?.data['text/html']), /<progress value="1" max="1"/);
    progress.update('<img src=x onerror=alert(1)>', 'puzzles', 1, 1);
    assert.match(String(sent.at(-1)?.data['text/html']), /> &lt;img src=x onerror=alert\(1\)&gt;: 1\/1/);
  });
});

describe("in Deno's kernel", () => {
  it('bundles go out through Deno, the second in place of the first, and presses of Interrupt are counted', () => {
    const output = JSON.stringify(new URL('../../lib/notebook/output.js', import.meta.url).href);
    const program = `
      const sent = [];
      const broadcast = async (type, { data, transient }) => sent.push([type, data, transient.display_id]);
      globalThis.Deno = { jupyter: { broadcast } };
      const { interrupted, inNotebook, Output } = await import(${output});
      const output = new Output();
      output.show({ 'image/png': new Uint8Array([1, 2, 3]) });
      output.show({ 'text/plain': 'two' });
      process.kill(process.pid, 'SIGINT');
      await new Promise((resolve) => setTimeout(resolve, 100));
      console.log(JSON.stringify({ sent, pressed: [interrupted(), interrupted()], inNotebook: inNotebook() }));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    const {
      sent,
      pressed,
      inNotebook: known,
    } = JSON.parse(stdout || assert.fail(stderr)) as {
      sent: [string, object, string][];
      pressed: boolean[];
      inNotebook: boolean;
    };
    assert.deepEqual(
      sent.map(([type, data]) => [type, data]),
      [
        ['display_data', { 'image/png': 'AQID' }],
        ['update_display_data', { 'text/plain': 'two' }],
      ],
    );
    assert.equal(sent[0]?.[2], sent[1]?.[2]);
    assert.deepEqual(pressed, [true, false]);
    assert.equal(known, true);
  });
});

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

describe('Interrupt', () => {
  const kernel = globalThis as { __interrupts?: number };
  afterEach(() => {
    delete kernel.__interrupts;
    interrupted();
  });

  it('counts once for each press', () => {
    kernel.__interrupts = 0;
    assert.equal(interrupted(), false);
    kernel.__interrupts = 2;
    assert.equal(interrupted(), true);
    assert.equal(interrupted(), false);
  });

  it('is never pressed where there is no kernel', () => {
    assert.equal(interrupted(), false);
  });
});
