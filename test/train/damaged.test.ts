/** Snapshots and fixtures come back as they were written, and are refused in words where they are damaged. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TensorKind } from '../../lib/engine/engine.js';
import { projectRoot } from '../../lib/files.js';
import { paperConfig, type ModelConfig } from '../../lib/model/config.js';
import { initialParameters, parameterSpecs } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';
import { emptyCarry } from '../../lib/train/carry.js';
import { checkReference } from '../../lib/train/reference-check.js';
import { readSnapshot, readStartWeights, writeSnapshot } from '../../lib/train/snapshot.js';
import type { TrainerSnapshot } from '../../lib/train/trainer.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

const tiny: ModelConfig = {
  ...paperConfig,
  hiddenSize: 8,
  heads: 2,
  innerMultiple: 8,
  layers: 1,
  vocabSize: 6,
  sequenceLength: 4,
  puzzlePrefix: 1,
  puzzleEmbeddingSize: 8,
};

describe('damaged states of training', () => {
  let folder = '';
  beforeEach(() => void (folder = newFolder()));
  const parameters = initialParameters(tiny, new Random(1));
  const trained = new Set(
    parameterSpecs(tiny)
      .filter(({ role }) => role === 'trained')
      .map(({ name }) => name),
  );
  const snapshot: TrainerSnapshot = {
    step: 3,
    carry: emptyCarry(2, 4),
    stream: { pass: 1, position: 2 },
    tensors: new Map(
      (['parameters', 'average', 'firstMoment', 'secondMoment'] as const satisfies readonly TensorKind[]).map(
        (kind) => [kind, new Map([...parameters].filter(([name]) => kind === 'parameters' || trained.has(name)))],
      ),
    ),
    latents: new Map((['y', 'z'] as const).map((latent) => [latent, new Float32Array(2 * 5 * 8).fill(0.5)])),
  };

  it('snapshots come back, and are refused with a carry that is none', () => {
    const file = path.join(folder, 'state.safetensors');
    writeSnapshot(file, snapshot, 'more');
    assert.deepEqual(readSnapshot(file, tiny, 2), { snapshot, extra: 'more' });

    for (const value of [2, 255]) {
      writeSnapshot(file, { ...snapshot, carry: { ...snapshot.carry, halted: Uint8Array.of(1, value) } }, 'more');
      assert.throws(
        () => readSnapshot(file, tiny, 2),
        inputError(new RegExp(`carry/halted: expected 0 or 1 for every seat, got ${value};`)),
      );
    }
  });

  it('a state of another model is refused by its head, before any of the numbers that it promises is read', () => {
    const file = path.join(folder, 'state.safetensors');
    writeSnapshot(file, snapshot, 'more');
    const wider = { ...tiny, hiddenSize: 16, puzzleEmbeddingSize: 16 };
    for (const read of [() => readSnapshot(file, wider, 2), () => readStartWeights(file, wider)])
      assert.throws(read, inputError(/parameters\/H_init: expected shape \[16\] of F32, got \[8\] of F32; /));
    assert.throws(
      () => readSnapshot(file, tiny, 3),
      inputError(/latents\/y: expected shape \[120\] of F32, got \[80\]/),
    );

    // A file of 8 TB, which nobody has written: it is empty but for its head.
    const good = readFileSync(file);
    const data = 8 + Number(good.readBigUInt64LE(0));
    const header = JSON.parse(good.subarray(8, data).toString('utf8')) as Record<string, Record<string, unknown>>;
    const end = Math.max(...Object.values(header).map(({ data_offsets: offsets }) => (offsets as number[])?.[1] ?? 0));
    header['huge'] = { dtype: 'F32', shape: [2e12], data_offsets: [end, end + 8e12] };
    const text = Buffer.from(JSON.stringify(header));
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(text.length));
    writeFileSync(file, Buffer.concat([head, text, good.subarray(data)]));
    truncateSync(file, 8 + text.length + end + 8e12);
    assert.deepEqual(readSnapshot(file, tiny, 2).snapshot, snapshot, 'what no model asks for is not read');
  });

  it('a bit that flipped anywhere in a state is refused, by the name of what it is in', () => {
    const file = path.join(folder, 'state.safetensors');
    writeSnapshot(file, snapshot, { id: 'run', progress: [1, 2, 3] });
    const good = readFileSync(file);
    const data = 8 + Number(good.readBigUInt64LE(0));
    const flipped = (at: number, bit: number): void => {
      const bad = Buffer.from(good);
      bad[at]! ^= 1 << bit;
      writeFileSync(file, bad);
    };
    // In the numbers: refused by the tensor's name, whichever it is.
    const header = JSON.parse(good.subarray(8, data).toString('utf8')) as Record<string, { data_offsets: number[] }>;
    for (const [name, { data_offsets: offsets }] of Object.entries(header)) {
      if (name === '__metadata__') continue;
      const [begin = 0, end = 0] = offsets;
      for (const at of [begin, Math.floor((begin + end) / 2), end - 1]) {
        flipped(data + at, at % 8);
        assert.throws(
          () => readSnapshot(file, tiny, 2),
          inputError(new RegExp(`state\\.safetensors: ${name} is not as it was written`)),
        );
      }
    }
    // In the header: refused too, by whatever it breaks; spaces behind the JSON say nothing.
    const json = good.subarray(8, data).toString('latin1').trimEnd().length;
    for (let at = 8; at < 8 + json; at += 5) {
      flipped(at, (at * 5) % 7);
      assert.throws(() => readSnapshot(file, tiny, 2), inputError(/state\.safetensors/), `byte ${at}`);
    }
    writeFileSync(file, good);
    assert.deepEqual(readSnapshot(file, tiny, 2).snapshot, snapshot);
  });

  it('fixtures are refused with a description that is none', async () => {
    const [from, to] = [path.join(projectRoot(), 'test', 'reference', 'trm-mlp'), path.join(folder, 'trm-mlp')];
    copyFileSync(`${from}.safetensors`, `${to}.safetensors`);
    const good = JSON.parse(readFileSync(`${from}.json`, 'utf8')) as Record<string, unknown>;
    const none = (): never => assert.fail('no engine is needed to see this');
    for (const [content, message] of [
      ['"text"', /trm-mlp\.json: expected a fixture's description, an object, got "text"/],
      [null, /an object, got null/],
      [[], /an object, got \[\]/],
      [{ ...good, optimizer: null }, /an object with optimizer: an object, got an object/],
      [{ ...good, ema: undefined }, /an object with ema: a number, got/],
      [{ ...good, metrics: [null] }, /an object with metrics: in place 0 an object, got/],
      [{ ...good, architecture: 7 }, /an object with architecture: text, got/],
      [{ ...good, config: 'x' }, /an object with config: an object, got/],
    ] as const) {
      writeFileSync(`${to}.json`, typeof content === 'string' ? content : JSON.stringify(content));
      await assert.rejects(checkReference(`${to}.safetensors`, none), inputError(message));
    }
  });
});
