/** Memory: what does not fit is refused in numbers, what cannot be had is an error, and what was held is given back. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createEngine } from '../../lib/engine/create.js';
import { checkMemory, memoryLimit } from '../../lib/engine/memory.js';
import { loadAddon, whyUnavailable } from '../../lib/engine/native/addon.js';
import { createNativeEngine } from '../../lib/engine/native/engine.js';
import { InputError } from '../../lib/errors.js';
import { projectRoot } from '../../lib/files.js';
import { paperConfig } from '../../lib/model/config.js';
import { notAtHand } from '../not-at-hand.js';

describe('memory', function () {
  this.timeout(60_000);

  it('is refused above the limit, with both numbers and what to do', () => {
    checkMemory('model', 2e9, 'use less', 2e9);
    assert.throws(
      () => checkMemory('model', 2.25e9, 'use less', 2e9),
      new InputError(
        'model: expected to need at most the 2 GB of memory that this process may use, got 2.3 GB; use less',
      ),
    );
    assert.ok(memoryLimit() > 1e8 && memoryLimit() <= os.totalmem());
  });

  it('is refused for a model that no machine holds, before any of it is taken', async () => {
    // 64 layers, in each a SwiGLU over channels of 3 × 8192 × 22016: 35 billion parameters, five copies, twice.
    const config = { ...paperConfig, hiddenSize: 8192, layers: 64 };
    await assert.rejects(createEngine(config), /^InputError: model: expected .* got 1,3\d\d\.\d GB; use fewer layers/);
  });

  const native = whyUnavailable() === undefined ? it : notAtHand;

  if (process.platform === 'linux')
    native('that the native engine cannot have is an error, and both process and engine go on', () => {
      const script = `
        const { createNativeEngine } = await import('${built('lib/engine/native/engine.js')}');
        const { paperConfig } = await import('${built('lib/model/config.js')}');
        const small = { ...paperConfig, hiddenSize: 64, heads: 2, puzzleEmbeddingSize: 64 };
        const engine = createNativeEngine(small, { threads: 1 });
        const say = (make) => { try { make(); console.log('made'); } catch (error) { console.log(String(error)); } };
        if (process.argv[1] === 'little') {
          say(() => { for (;;) engine.createState(512); });
        } else {
          say(() => createNativeEngine({ ...paperConfig, hiddenSize: 4096, layers: 3 }, { threads: 1 }));
          say(() => engine.createState(65536));
          say(() => engine.createState(2));
          const { initialParameters } = await import('${built('lib/model/parameters.js')}');
          const { Random } = await import('${built('lib/random.js')}');
          const words = { ...small, vocabSize: 65536 };
          const wide = createNativeEngine(words, { threads: 1 });
          await wide.writeTensors('parameters', initialParameters(words, new Random(1)));
          for (const seats of [256, 1]) {
            const state = wide.createState(seats);
            const zeros = { tokens: new Int32Array(81 * seats), puzzleIds: new Int32Array(seats) };
            const step = { ...zeros, reset: new Uint8Array(seats).fill(1), weights: 'raw', wantLogits: true };
            for (let time = 1; time <= 2; time++)
              await wide.inferStep(state, step).then(() => console.log('made'), (error) => console.log(String(error)));
            state.dispose();
          }
        }`;
      // Three million kilobytes of addresses, of which Node takes a quarter.
      const said = (kilobytes: number, how = ''): string[] => {
        const limited = `ulimit -v ${kilobytes}; exec "$0" --input-type=module --eval "$1" "$2"`;
        return execFileSync('sh', ['-c', limited, process.execPath, script, how], { encoding: 'utf8' })
          .trim()
          .split('\n');
      };
      const lines = said(3_000_000);
      // The addresses of 65,536 seats: 97 positions of 64 numbers, 1.6 GB a latent.
      assert.match(lines[0]!, /^InputError: memory: expected [\d.]+ GB more, got none; use a smaller model/);
      assert.equal(
        lines[1],
        'InputError: memory: expected 1.6 GB more, got none; use a smaller model, batch or number of threads',
      );
      assert.equal(lines[2], 'made');
      // The logits of 256 seats: 81 cells of 65,536 numbers. The same seats may try again, and fewer find room.
      const logits = /^InputError: memory: expected 5\.4 GB more, got none; /;
      for (const line of lines.slice(3, 5)) assert.match(line, logits);
      assert.deepEqual(lines.slice(5), ['made', 'made']);
      // Too little for one more latent of 512 seats.
      assert.match(said(2_000_000, 'little')[0]!, /^InputError: memory: expected [1-9]\d* MB more, got none; /);
    });

  native('is refused for latents that no machine holds, before any of it is taken', () => {
    // Attention, so that weights do not grow with the positions: 65,536 seats × 16,400 positions × 64 × y and z.
    const small = { ...paperConfig, mixer: 'attention' as const, sequenceLength: 16_384, hiddenSize: 64, heads: 2 };
    const engine = createNativeEngine({ ...small, puzzleEmbeddingSize: 64 }, { threads: 1 });
    assert.throws(
      () => engine.createState(65_536),
      /^InputError: a batch of 65536: expected .* got 550\.\d GB; take fewer/,
    );
    engine.dispose();
  });

  native('of impossible sizes is refused by the addon itself', () => {
    const engine = createNativeEngine(paperConfig, { threads: 1 });
    for (const seats of [-1, 0, 65_537, 2 ** 40, NaN]) assert.throws(() => engine.createState(seats), InputError);
    const { productPeak } = loadAddon();
    for (const threads of [0, 2 ** 32 - 1])
      assert.throws(() => productPeak('portable', threads), /^Error: threads: expected 1 to 1024, got/);
    engine.dispose();
  });

  native('is given back by dispose at once, and a disposed engine answers nothing more', () => {
    // In a process of its own: elsewhere the garbage of other tests comes and goes meanwhile.
    const script = `
      const { createNativeEngine } = await import('${built('lib/engine/native/engine.js')}');
      const { paperConfig } = await import('${built('lib/model/config.js')}');
      const config = { ...paperConfig, hiddenSize: 1024, puzzleEmbeddingSize: 0, puzzlePrefix: 0 };
      const before = process.memoryUsage().rss;
      const engine = createNativeEngine(config, { threads: 1 });
      const state = engine.createState(64);
      const held = process.memoryUsage().rss - before;
      state.dispose();
      engine.dispose();
      const kept = process.memoryUsage().rss - before;
      const said = [];
      try { engine.createState(1); } catch (error) { said.push(error.message); }
      await engine.readTensors('parameters').catch((error) => said.push(error.message));
      state.dispose();
      engine.dispose();
      console.log(JSON.stringify({ held, kept, said }));`;
    const { held, kept, said } = JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }),
    ) as { readonly held: number; readonly kept: number; readonly said: readonly string[] };
    // Five copies of 17 million parameters, and the weights packed.
    assert.ok(held > 3.4e8, `${held}`);
    assert.ok(kept < 0.2 * held, `${kept} of ${held} bytes are still held`);
    assert.equal(said.length, 2);
    for (const each of said) assert.match(each, /disposed/);
  });
});

function built(file: string): string {
  return pathToFileURL(path.join(projectRoot(), 'build', file)).href;
}
