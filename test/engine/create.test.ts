/** The choice of an engine where the native one is missing: a process of its own, in which no addon loads. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createEngine } from '../../lib/engine/create.js';
import { paperConfig } from '../../lib/model/config.js';

const noAddons = "process.dlopen = () => { throw new Error('not in this test'); };";
const withoutAddons = `data:text/javascript,${encodeURIComponent(noAddons)}`;

/** What createEngine answers to these options for the smallest model, in a process without addons. */
function made(options: object): string {
  const lib = (file: string): string => JSON.stringify(new URL(`../../lib/${file}`, import.meta.url).href);
  const program = `
    const { createEngine } = await import(${lib('engine/create.js')});
    const { paperConfig } = await import(${lib('model/config.js')});
    const sizes = { hiddenSize: 8, heads: 2, innerMultiple: 1, sequenceLength: 4 };
    const puzzles = { puzzlePrefix: 1, puzzleEmbeddingSize: 8 };
    const said = await createEngine({ ...paperConfig, ...sizes, ...puzzles }, ${JSON.stringify(options)}).then(
      ({ kind, precision }) => kind + ' ' + precision,
      ({ name, message }) => name + ': ' + message,
    );
    console.log('\\n' + said);`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', withoutAddons, '--input-type=module', '--eval', program],
    { encoding: 'utf8' },
  );
  return stdout.trim().split('\n').at(-1) ?? stderr;
}

describe('an engine', () => {
  it('is refused with options that there are not', async () => {
    for (const [options, says] of [
      [{ engine: 'natve' }, /engine: expected auto, native, tfjs or torch, or nothing, got "natve"/],
      [{ thread: 2 }, /unknown field thread \(did you mean threads\?\)/],
      [{ threads: 2.5 }, /threads: expected a whole number from 1 to 256, or nothing, got 2.5/],
      [{ precision: 'fp16' }, /precision: expected auto, float32 or bf16, or nothing/],
      [{ backend: 'gpu' }, /backend: expected auto, tensorflow, wasm or cpu, or nothing/],
      [{ torch: { devise: 'cuda' } }, /unknown field devise \(did you mean device\?\)/],
      [{ engine: 'torch', torch: { device: 'gpu' } }, /torch: device: expected auto, cpu, cuda, cuda:N, .* got "gpu"/],
      [{ backend: 'wasm' }, /backend: expected the tfjs engine with it, got auto/],
      [{ engine: 'native', torch: { device: 'cuda' } }, /torch: expected the torch engine with it, got native/],
      ['tfjs', /engine options: expected an object, got "tfjs"/],
    ] as const)
      await assert.rejects(createEngine(paperConfig, options as object), says);
  });
});

describe('an engine without the native addon', function () {
  this.timeout(30_000);

  it('is tfjs in float32, and is refused to whoever asks for bf16', () => {
    assert.equal(made({ backend: 'cpu' }), 'tfjs float32');
    for (const engine of ['auto', 'native', 'tfjs'])
      assert.match(
        made({ engine, precision: 'bf16' }),
        /^InputError: .*(not available: its addon|computes in float32)/,
        engine,
      );
    assert.match(made({ precision: 'bf16' }), /use --precision float32$/);
  });
});
