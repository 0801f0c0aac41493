/** Safetensors against a file laid out by hand, PyTorch's own files, and every way a file can be wrong. */
import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../../lib/errors.js';
import { pieces } from '../../lib/write-file.js';
import { Random } from '../../lib/random.js';
import { readSafetensors, writeSafetensors } from '../../lib/checkpoint/safetensors-file.js';
import { safetensorsParts } from '../../lib/checkpoint/safetensors.js';
import { toFloat32, type StoredTensor } from '../../lib/checkpoint/tensor-data.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

/** A file from its parts: header text and data bytes. */
function fileOf(header: string, data: Uint8Array = new Uint8Array()): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), data]);
}

function joined(parts: readonly ArrayBufferView[]): Buffer {
  return Buffer.concat(parts.flatMap((part) => [...pieces(part, 5)]));
}

const example = new Map<string, StoredTensor>([
  ['b', { dtype: 'F32', shape: [2, 2], data: new Float32Array([1.5, -0, 3e-39, Infinity]) }],
  ['a', { dtype: 'I32', shape: [3], data: new Int32Array([1, -2, 3]) }],
  ['c', { dtype: 'U8', shape: [1], data: new Uint8Array([255]) }],
  ['d', { dtype: 'BF16', shape: [1], data: new Uint16Array([0x3f80]) }],
  ['e', { dtype: 'I64', shape: [], data: new BigInt64Array([-(2n ** 60n)]) }],
  ['empty', { dtype: 'F32', shape: [0, 4], data: new Float32Array() }],
]);

describe('safetensors', () => {
  const folder = newFolder();

  it('reads a file laid out by hand', () => {
    const header = '{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"k":"v"}}';
    const { tensors, metadata } = readSafetensors(fileOf(header, new Uint8Array([0, 0, 128, 63, 0, 0, 0, 192])));
    assert.deepEqual([...(tensors.get('x')?.data ?? [])], [1, -2]);
    assert.deepEqual(tensors.get('x')?.shape, [2]);
    assert.deepEqual({ ...metadata }, { k: 'v' });
  });

  it('writes what it reads, bit for bit, aligned, whatever the order of the map', () => {
    const file = path.join(folder, 'example.safetensors');
    writeSafetensors(file, example, { step: '7', note: 'ünïcode "quoted" \\' });
    const { tensors, metadata } = readSafetensors(file);
    assert.deepEqual({ ...metadata }, { step: '7', note: 'ünïcode "quoted" \\' });
    assert.equal(tensors.size, example.size);
    for (const [name, { dtype, shape, data }] of example) {
      const got = tensors.get(name) ?? assert.fail(name);
      assert.equal(got.dtype, dtype);
      assert.deepEqual(got.shape, shape);
      assert.ok(Buffer.from(got.data.buffer).equals(Buffer.from(data.buffer)), name);
    }
    const reversed = new Map([...example].reverse());
    const bytes = readFileSync(file);
    assert.ok(bytes.equals(joined(safetensorsParts(reversed, { note: 'ünïcode "quoted" \\', step: '7' }))));
    assert.equal(bytes.readBigUInt64LE(0) % 8n, 0n);
  });

  it('writes to the byte what is laid out by hand: a head, then each tensor as it lies in memory', () => {
    const place = (dtype: string, shape: string, begin: number, end: number): string =>
      `{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin},${end}]}`;
    const header =
      `{"__metadata__":{"k":"v"},"e":${place('I64', '', 0, 8)},"a":${place('I32', '3', 8, 20)},` +
      `"b":${place('F32', '2,2', 20, 36)},"empty":${place('F32', '0,4', 36, 36)},` +
      `"d":${place('BF16', '1', 36, 38)},"c":${place('U8', '1', 38, 39)}}`;
    const data = Buffer.concat(['e', 'a', 'b', 'd', 'c'].map((name) => Buffer.from(example.get(name)!.data.buffer)));
    const parts = safetensorsParts(example, { k: 'v' });
    assert.ok(joined(parts).equals(fileOf(header.padEnd(8 * Math.ceil(header.length / 8)), data)));
    assert.deepEqual(
      parts.slice(1).map((part) => part.buffer),
      ['e', 'a', 'b', 'empty', 'd', 'c'].map((name) => example.get(name)!.data.buffer),
      'no tensor is copied: a file may be larger than any array',
    );
  });

  it('turns every floating type into float32', () => {
    const floats = (dtype: 'F16' | 'BF16', bits: number[]): number[] => [
      ...toFloat32({ dtype, shape: [bits.length], data: new Uint16Array(bits) }),
    ];
    // binary16: 1, −2, largest, smallest subnormal, −0, ∞
    assert.deepEqual(floats('F16', [0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00]), [
      1,
      -2,
      65504,
      2 ** -24,
      -0,
      Infinity,
    ]);
    assert.ok(Number.isNaN(floats('F16', [0x7e00])[0]));
    assert.deepEqual(floats('BF16', [0x3f80, 0xc000, 0x4049, 0x8000]), [1, -2, 3.140625, -0]);
    assert.deepEqual([...toFloat32({ dtype: 'F64', shape: [1], data: new Float64Array([0.1]) })], [Math.fround(0.1)]);
  });

  it('says of a truncated file which tensor is cut off', () => {
    const file = path.join(folder, 'cut.safetensors');
    writeSafetensors(file, example);
    const { length } = readFileSync(file);
    truncateSync(file, length - 1);
    assert.throws(
      () => readSafetensors(file),
      inputError(/cut\.safetensors: truncated: expected \d+ bytes.*"c" is the first one cut off/),
    );
    truncateSync(file, 20);
    assert.throws(() => readSafetensors(file), /truncated: expected a header of \d+ bytes, got 12/);
    truncateSync(file, 0);
    assert.throws(() => readSafetensors(file), /got 0 bytes/);
  });

  const refused: readonly [name: string, bytes: Uint8Array, message: RegExp][] = [
    ['an absurd header length', Buffer.from('ffffffffffffff7f00', 'hex'), /not a header length/],
    ['something else', Buffer.from('PK\x03\x04 this is a zip file'), /something else/],
    [
      'a header too long for a model',
      Buffer.concat([Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]), Buffer.from('{')]),
      /expected a header of at most 8388608 bytes, got one of 16777216, which is too long/,
    ],
    ['a header that is not JSON', fileOf('{"x":'), /expected JSON/],
    ['a header that is a list', fileOf('[1]'), /expected a JSON object/],
    ['deep nesting', fileOf('['.repeat(1e6)), /nesting/],
    [
      'a repeated name',
      fileOf(
        '{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' +
          '"\\u0078":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        new Uint8Array(1),
      ),
      /"x" twice in an object/,
    ],
    [
      'an unknown element type',
      fileOf('{"x":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}', new Uint8Array(1)),
      /"x".*F8_E4M3/,
    ],
    [
      'a negative side',
      fileOf('{"x":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}', new Uint8Array(1)),
      /"x": expected a shape/,
    ],
    [
      'a shape beyond counting',
      fileOf(
        '{"x":{"dtype":"U8","shape":[9007199254740991,9007199254740991],"data_offsets":[0,1]}}',
        new Uint8Array(1),
      ),
      /"x": expected a shape/,
    ],
    [
      'a shape larger than its data',
      fileOf('{"x":{"dtype":"F32","shape":[1000000000,1000],"data_offsets":[0,4]}}', new Uint8Array(4)),
      /"x": expected 4000000000000 bytes/,
    ],
    [
      'a tensor that promises terabytes',
      fileOf('{"x":{"dtype":"F32","shape":[1000000000,1000],"data_offsets":[0,4000000000000]}}', new Uint8Array(4)),
      /truncated.*"x"/,
    ],
    [
      'overlapping tensors',
      fileOf(
        '{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"y":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
        new Uint8Array(3),
      ),
      /"y".*overlap/,
    ],
    ['a gap', fileOf('{"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', new Uint8Array(2)), /"x".*gap/],
    [
      'offsets that are no numbers',
      fileOf('{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,"1"]}}', new Uint8Array(1)),
      /two data offsets/,
    ],
    [
      'trailing data',
      fileOf('{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', new Uint8Array(2)),
      /expected 1 bytes of tensor data, got 2/,
    ],
    ['metadata that is not text', fileOf('{"__metadata__":{"k":1}}'), /metadata "k"/],
  ];
  for (const [name, bytes, message] of refused) {
    it(`refuses ${name}`, () => assert.throws(() => readSafetensors(bytes), inputError(message)));
  }

  it('says that a header is too long, however long it is', () => {
    const file = path.join(folder, 'long.safetensors');
    const length = 102_000_001;
    const head = Buffer.alloc(9, '{');
    head.writeBigUInt64LE(BigInt(length));
    writeFileSync(file, head);
    assert.throws(() => readSafetensors(file), /not a header length/);
    truncateSync(file, 8 + length);
    assert.throws(
      () => readSafetensors(file),
      /expected a header of at most 8388608 bytes, got one of 102000001, which is too long for a model$/,
    );
  });

  it('refuses a folder and a missing file', () => {
    assert.throws(() => readSafetensors(folder), /expected a file, got a folder/);
    assert.throws(() => readSafetensors(path.join(folder, 'none')), inputError(/not found/));
  });

  it('either reads or refuses 1,000 damaged files', () => {
    const random = new Random(1);
    const whole = Uint8Array.from(joined(safetensorsParts(example, { k: 'v' })));
    const headerEnd = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
    const file = path.join(folder, 'damaged.safetensors');
    let refusals = 0;
    for (let round = 0; round < 1000; round++) {
      const bytes = whole.slice(0, random.bernoulli(0.1) ? random.integer(whole.length) : whole.length);
      for (let i = random.integer(4); i >= 0; i--) bytes[random.integer(headerEnd)] = random.integer(256);
      if (round % 50 === 0) writeFileSync(file, bytes);
      try {
        readSafetensors(round % 50 === 0 ? file : bytes);
      } catch (error) {
        assert.ok(error instanceof InputError, `round ${round}: ${String(error)}`);
        refusals++;
      }
    }
    assert.ok(refusals > 500, `${refusals} refused`); // most changes to a header break it
  });
});
