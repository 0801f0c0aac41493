/** A notebook's side of the kit: what is sent to it, and when Interrupt counts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { accuracyCurves } from '../../lib/report/figures.js';
import { cellProgress, interrupted, inNotebook, Output, show, showPicture } from '../../lib/notebook/output.js';

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
