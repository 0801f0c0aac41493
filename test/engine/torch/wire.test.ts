/** Frames of the torch engine: put together from any chunks, refused where they are none; no PyTorch needed. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { createEngine } from '../../../lib/engine/create.js';
import { FrameReader, frameBytes, type Frame } from '../../../lib/engine/torch/wire.js';
import { workerCommand } from '../../../lib/engine/torch/worker.js';
import { paperConfig } from '../../../lib/model/config.js';
import type { StoredTensor } from '../../../lib/checkpoint/tensor-data.js';

const frame: Frame = {
  head: { do: 'train', state: 3, deep: { list: [1, 2] } },
  tensors: new Map<string, StoredTensor>([
    ['tokens', { dtype: 'I32', shape: [2, 3], data: Int32Array.of(1, 2, 3, -4, 5, 6) }],
    ['none', { dtype: 'F32', shape: [0, 3], data: new Float32Array() }],
    ['loss', { dtype: 'F64', shape: [1], data: Float64Array.of(0.1) }],
  ]),
};

function joined(frames: readonly Frame[]): Buffer {
  return Buffer.concat(frames.flatMap((each) => [...frameBytes(each)]));
}

describe('wire of the torch engine', () => {
  it('begins with the length and a safetensors header, both little-endian, as any reader of the format expects', () => {
    const bytes = joined([{ head: { a: 1 }, tensors: new Map() }]);
    assert.equal(Number(bytes.readBigUInt64LE(0)), bytes.length - 8);
    const header = JSON.parse(bytes.subarray(16, 16 + Number(bytes.readBigUInt64LE(8))).toString()) as object;
    assert.deepEqual(header, { __metadata__: { head: '{"a":1}' } });
  });

  it('is read back from chunks of any size, several frames after each other', () => {
    const bytes = joined([frame, { head: {}, tensors: new Map() }, frame]);
    for (const size of [1, 7, 8, 64, bytes.length]) {
      const reader = new FrameReader();
      const read: Frame[] = [];
      for (let at = 0; at < bytes.length; at += size) read.push(...reader.push(bytes.subarray(at, at + size)));
      assert.equal(read.length, 3);
      assert.deepEqual(read[0]!.head, frame.head);
      assert.deepEqual(read[1], { head: {}, tensors: new Map() });
      for (const [name, tensor] of frame.tensors) assert.deepEqual(read[2]!.tensors.get(name), tensor);
    }
  });

  it('refuses text, lengths beyond reason, and files that are none', () => {
    const refuses = (bytes: Uint8Array, why: RegExp): void =>
      assert.throws(() => [...new FrameReader().push(bytes)], why);
    refuses(Buffer.from('Traceback (most recent call last)'), /expected a frame's length/);
    refuses(new Uint8Array(8), /expected a frame's length, got 0/);
    const damaged = joined([frame]);
    damaged[20] = 0;
    refuses(damaged, /header/);
    const headless = Buffer.concat([Buffer.alloc(8), Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{}')]);
    headless.writeBigUInt64LE(10n);
    refuses(headless, /expected a frame with a head/);
  });
});

describe('torch engine without PyTorch', () => {
  const before = process.env['TRM_TORCH_PYTHON'];
  afterEach(() => {
    if (before === undefined) delete process.env['TRM_TORCH_PYTHON'];
    else process.env['TRM_TORCH_PYTHON'] = before;
  });

  it('is one error that says what to do', async () => {
    process.env['TRM_TORCH_PYTHON'] = path.join(path.sep, 'no', 'python');
    await assert.rejects(createEngine(paperConfig, { engine: 'torch' }), {
      name: 'InputError',
      message: /^the torch engine is not available: TRM_TORCH_PYTHON names .*python, which is not there$/,
    });
    // A program that is there and has no torch: here Node, which cannot read the worker at all.
    process.env['TRM_TORCH_PYTHON'] = process.execPath;
    await assert.rejects(createEngine(paperConfig, { engine: 'torch' }), {
      name: 'InputError',
      message: /^the torch worker ended \(exit code 1\): /,
    });
  });

  it('starts one process alone, and several by torchrun, which gets the arguments meant for it', () => {
    process.env['TRM_TORCH_PYTHON'] = '/python';
    const [, ...alone] = workerCommand({});
    assert.equal(alone.length, 1);
    assert.match(alone[0]!, /worker\.py$/);
    const [python, ...two] = workerCommand({ devices: 2 });
    assert.equal(python, '/python');
    assert.deepEqual(two.slice(0, -1), ['-m', 'torch.distributed.run', '--nproc-per-node=2', '--standalone']);
    const nodes = workerCommand({ devices: 4, torchrun: ' --nnodes=2  --rdzv-endpoint=a:1 ' });
    assert.deepEqual(nodes.slice(3, -1), ['--nproc-per-node=4', '--nnodes=2', '--rdzv-endpoint=a:1']);
  });
});
