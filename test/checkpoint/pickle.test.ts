/** The reader of PyTorch checkpoints against files that PyTorch saved, and against files made to harm. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../../lib/errors.js';
import { projectRoot } from '../../lib/files.js';
import { openBytes } from '../../lib/checkpoint/file-bytes.js';
import { loadCheckpoint } from '../../lib/checkpoint/checkpoint.js';
import { paperConfig } from '../../lib/model/config.js';
import { parameterSpecs, sizeOf } from '../../lib/model/parameters.js';
import { contentsOf } from '../../lib/checkpoint/contents.js';
import { PickleForeign, unpickle, type PickleDict } from '../../lib/checkpoint/pickle.js';
import { checkStorage, readPyTorch } from '../../lib/checkpoint/pytorch.js';
import { isFloat, toFloat32, type StoredTensor, type TensorHandle } from '../../lib/checkpoint/tensor-data.js';
import { Random } from '../../lib/random.js';
import { checkpointOf, op, pickleOf, tensorOf, zipOf } from './archive.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

const fixture = (name: string): string => path.join(projectRoot(), 'test', 'checkpoint', 'fixtures', name);

/** All tensors of a file, read. */
function readAll(file: string | Uint8Array): Map<string, StoredTensor> {
  const bytes = openBytes(file);
  try {
    const tensors = contentsOf(readPyTorch(bytes)).online[0]?.tensors ?? new Map<string, TensorHandle>();
    checkStorage(bytes, tensors);
    return new Map([...tensors].map(([name, handle]) => [name, handle.read()]));
  } finally {
    bytes.close();
  }
}

/** The fixtures' values: ((7 i + 13 index) mod 31 − 15) / 16. */
function formula(index: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (((7 * i + 13 * index) % 31) - 15) / 16);
}

describe('PyTorch checkpoints', () => {
  it('count a number of NumPy for every option that shares it', () => {
    const bytes = new Uint8Array(BigInt64Array.of(3n).buffer);
    const three = new PickleForeign('numpy._core.multiarray.scalar', [new PickleForeign('numpy.dtype', ['i8']), bytes]);
    const config = new Map([
      ['H_cycles', three],
      ['L_cycles', three],
    ]);
    const { settings } = contentsOf(new Map([['config', config]]));
    assert.deepEqual(settings[0]?.value, { H_cycles: 3, L_cycles: 3 });
  });

  // NumPy 2.4.6: pickle.dumps({'rng': numpy.random.default_rng(7)}, 2)
  const generator = [
    'gAJ9cQBYAwAAAHJuZ3EBY251bXB5LnJhbmRvbS5fcGlja2xlCl9fZ2VuZXJhdG9yX2N0b3IKcQJjbnVtcHkucmFuZG9tLl9waWNrbGUKX19iaXRf',
    'Z2VuZXJhdG9yX2N0b3IKcQNjbnVtcHkucmFuZG9tLl9wY2c2NApQQ0c2NApxBIVxBVJxBn1xByhYDQAAAGJpdF9nZW5lcmF0b3JxCFgFAAAAUENH',
    'NjRxCVgFAAAAc3RhdGVxCn1xCyhoCooROCApa1pB4pqRiLHnxOwKnQBYAwAAAGluY3EMihFZ2XDAWn+IZr/Ois6WGHXEAHVYCgAAAGhhc191aW50',
    'MzJxDUsAWAgAAAB1aW50ZWdlcnEOSwB1Y251bXB5LnJhbmRvbS5iaXRfZ2VuZXJhdG9yCl9fcHl4X3VucGlja2xlX1NlZWRTZXF1ZW5jZQpxD2Nu',
    'dW1weS5yYW5kb20uYml0X2dlbmVyYXRvcgpTZWVkU2VxdWVuY2UKcRBKIqLqA06HcRFScRIoSwdLAGNudW1weS5fY29yZS5tdWx0aWFycmF5Cl9y',
    'ZWNvbnN0cnVjdApxE2NudW1weQpuZGFycmF5CnEUSwCFcRVjX2NvZGVjcwplbmNvZGUKcRZYAQAAAGJxF1gGAAAAbGF0aW4xcRiGcRlScRqHcRtS',
    'cRwoSwFLBIVxHWNudW1weQpkdHlwZQpxHlgCAAAAdTRxH4mIh3EgUnEhKEsDWAEAAAA8cSJOTk5K/////0r/////SwB0cSNiiWgWWBcAAAAnw5gn',
    'cSRqw5jDmsKhw5dQPQzCr8OqO3EkaBiGcSVScSZ0cSdiSwQpdHEoYoZxKWKFcSpScStzLg==',
  ].join('');
  it('may hold a random generator of NumPy, but no other function with such a name', () => {
    const rules = {
      globals: new Map(),
      persistent: () => null,
      fail: (problem: string): never => {
        throw new InputError(problem);
      },
    };
    const bytes = Buffer.from(generator, 'base64');
    const { value } = unpickle(bytes, rules);
    const rng = (value as PickleDict).get('rng') as PickleForeign;
    assert.equal(rng.name, 'numpy.random._pickle.__generator_ctor');
    assert.equal((rng.args[0] as PickleForeign).name, 'numpy.random._pickle.__bit_generator_ctor');
    for (const [module, name] of [
      ['numpy.random._pickle', '__generator_ctor.__globals__'],
      ['numpy.random._pickle', '__import__'],
      ['a.numpy.random._pickle', '__generator_ctor'],
      ['os', '__generator_ctor'],
    ] as const)
      assert.throws(() => unpickle(pickleOf(op.global(module, name)), rules), /asks for .*nothing was executed/, name);
  });

  it('read every element type and every way a tensor lies in its storage', () => {
    const tensors = readAll(fixture('everything.pt'));
    const base = formula(0, 24);
    const cube = formula(2, 24);
    const at = (row: number, column: number): number => base[6 * row + column] ?? NaN;
    const expected: Readonly<Record<string, readonly [shape: number[], values: number[]]>> = {
      float: [[4, 6], base],
      transposed: [[6, 4], Array.from({ length: 24 }, (_, i) => at(i % 4, Math.floor(i / 4)))],
      column: [[4], [0, 1, 2, 3].map((row) => at(row, 2))],
      offset: [[2, 3], [1, 2].flatMap((row) => [1, 3, 5].map((column) => at(row, column)))],
      permuted: [
        [4, 2, 3],
        Array.from(
          { length: 24 },
          (_, i) => cube[12 * (Math.floor(i / 3) % 2) + 4 * (i % 3) + Math.floor(i / 6)] ?? NaN,
        ),
      ],
      slice: [[6], formula(1, 6)],
      scalar: [[], [0.5]],
      empty: [[0, 3], []],
      parameter: [[2, 2], formula(3, 4)],
      double: [[3], formula(4, 3)],
      half: [[3], formula(5, 3)],
      bfloat16: [[3], formula(6, 3)],
      long: [[2], [1, -(2 ** 40)]],
      int: [[2], [1, -2]],
      short: [[2], [1, -2]],
      char: [[2], [1, -2]],
      byte: [[2], [1, 255]],
      bool: [[2], [1, 0]],
    };
    assert.deepEqual([...tensors.keys()], Object.keys(expected));
    for (const [name, [shape, values]] of Object.entries(expected)) {
      const tensor = tensors.get(name) ?? assert.fail(name);
      assert.deepEqual(tensor.shape, shape, name);
      assert.deepEqual(isFloat(tensor.dtype) ? [...toFloat32(tensor)] : [...tensor.data].map(Number), values, name);
    }
  });

  it("read a state dict inside a training script's dict, of pickle protocol 4", () => {
    const tensors = readAll(fixture('nested-protocol-4.pt'));
    assert.deepEqual([...tensors.keys()], ['w']);
    assert.deepEqual([...(tensors.get('w')?.data ?? [])], formula(0, 24));
  });

  it('read the state dict of a whole TRM, wrappers and bfloat16 buffers included', () => {
    const { config, tensors, notes } = loadCheckpoint(fixture('tiny-trm.pt'));
    assert.deepEqual(
      [
        config.recursion,
        config.mixer,
        config.layers,
        config.hiddenSize,
        config.vocabSize,
        config.sequenceLength,
        config.puzzlePrefix,
        config.puzzleIds,
      ],
      ['trm', 'mlp', 2, 8, 6, 4, 1, 3],
    );
    assert.match(notes.join(), /assumed.*deepRecursions = 3/);
    const order = [
      ...[
        'H_init',
        'L_init',
        'puzzle_emb.weights',
        'embed_tokens.embedding_weight',
        'lm_head.weight',
        'q_head.weight',
        'q_head.bias',
      ],
      ...[0, 1].flatMap((i) =>
        ['mlp_t.gate_up_proj', 'mlp_t.down_proj', 'mlp.gate_up_proj', 'mlp.down_proj'].map(
          (name) => `L_level.layers.${i}.${name}.weight`,
        ),
      ),
    ];
    assert.deepEqual([...tensors.keys()].sort(), [...order].sort());
    for (const [number, name] of order.entries()) {
      const { data } = tensors.get(name) ?? assert.fail(name);
      assert.deepEqual([...data], formula(number, data.length), name);
    }
  });

  it('read deflated entries', () => {
    const values = new Float32Array(formula(1, 100));
    const file = zipOf([
      {
        name: 'x/data.pkl',
        content: pickleOf(op.dict(op.text('w'), tensorOf({ stored: 100, offset: 10, shape: [3], strides: [2] }))),
        deflate: true,
      },
      { name: 'x/data/0', content: new Uint8Array(values.buffer), deflate: true },
    ]);
    assert.deepEqual([...(readAll(file).get('w')?.data ?? [])], [values[10], values[12], values[14]]);
  });
});

describe('damaged PyTorch checkpoints', () => {
  it('are told by the checksums that PyTorch wrote', () => {
    const whole = readFileSync(fixture('tiny-trm.pt'));
    const values = Buffer.from(Float32Array.from(formula(3, 48)).buffer); // of one of its tensors
    const at = whole.indexOf(values);
    assert.ok(at > 0);
    const damaged = Uint8Array.from(whole);
    damaged[at + 4]! ^= 1;
    loadCheckpoint(whole);
    assert.throws(
      () => loadCheckpoint(damaged),
      /has other bytes than its checksum says; copy or download the file again/,
    );
  });
});

describe('hostile PyTorch checkpoints', () => {
  const folder = newFolder();
  const marker = path.join(folder, 'executed');

  const four = new Uint8Array(16);
  const good = { stored: 4, shape: [4], strides: [1] };
  /** A checkpoint with one tensor w, described as told. */
  const withTensor = (
    tensor: Partial<Parameters<typeof tensorOf>[0]>,
    storages: Readonly<Record<string, Uint8Array>> = { 0: four },
  ): Buffer => checkpointOf(pickleOf(op.dict(op.text('w'), tensorOf({ ...good, ...tensor }))), storages);
  const bomb = new Uint8Array(64 * 2 ** 20); // deflates to 64 KB
  const pickle = pickleOf(
    op.dict(op.text('w'), tensorOf({ stored: bomb.length / 4, shape: [bomb.length / 4], strides: [1] })),
  );

  /** A whole model with zero weights, one storage a tensor; `change` may take a tensor away or give it another type. */
  const modelWith = (change: (name: string) => 'missing' | 'LongStorage' | 'QInt8Storage' | undefined): Buffer => {
    const kept = parameterSpecs({
      ...paperConfig,
      hiddenSize: 8,
      innerMultiple: 8,
      heads: 2,
      layers: 1,
      puzzlePrefix: 1,
      puzzleEmbeddingSize: 8,
    }).filter(({ name }) => change(name) !== 'missing');
    const described = kept.flatMap(({ name, shape }, key) => {
      const strides = shape.map((_, i) => sizeOf(shape.slice(i + 1)));
      return [
        op.text(`model.inner.${name}`),
        tensorOf({ type: change(name) ?? 'FloatStorage', key: String(key), stored: sizeOf(shape), shape, strides }),
      ];
    });
    return checkpointOf(
      pickleOf(op.dict(...described)),
      Object.fromEntries(
        kept.map(({ name, shape }, key) => [
          key,
          new Uint8Array(sizeOf(shape) * (change(name) === 'LongStorage' ? 8 : 4)),
        ]),
      ),
    );
  };
  it('are told from a whole model, which loads', () =>
    assert.equal(loadCheckpoint(modelWith(() => undefined)).config.hiddenSize, 8));

  const cases: readonly (readonly [name: string, file: Uint8Array, message: RegExp])[] = [
    [
      'a call of os.system',
      checkpointOf(pickleOf(op.call(op.global('os', 'system'), op.text(`touch ${marker}`)))),
      /asks for "os\.system".*nothing was executed/,
    ],
    [
      'a call of eval by its other spelling',
      checkpointOf(pickleOf(op.text('builtins'), op.text('eval'), '\x93', op.tuple(op.text('1')), 'R')),
      /asks for "builtins\.eval"/,
    ],
    [
      'a call inside a tensor',
      checkpointOf(
        pickleOf(
          op.dict(
            op.text('w'),
            op.call(
              op.global('torch._utils', '_rebuild_tensor_v2'),
              op.call(op.global('posix', 'system'), op.text('id')),
            ),
          ),
        ),
      ),
      /"posix\.system"/,
    ],
    [
      'a relative of an allowed function',
      checkpointOf(pickleOf(op.global('torch._utils', '_rebuild_tensor_v2.__globals__'))),
      /__globals__/,
    ],
    [
      'a storage class called as a function',
      checkpointOf(pickleOf(op.call(op.global('torch', 'FloatStorage'), op.integer(1e12)))),
      /expected a state dict/,
    ],
    [
      'an object made from a class',
      checkpointOf(pickleOf(op.global('collections', 'OrderedDict'), ')\x81')),
      /expected a state dict/,
    ],
    [
      'a protocol 0 call',
      checkpointOf(Buffer.from("cos\nsystem\n(S'id'\ntR.")),
      /expected a pickle of protocol 2 to 5/,
    ],
    ['the INST instruction', checkpointOf(pickleOf('(', op.text('id'), 'ios\nsystem\n')), /instruction INST/],

    ['a shape beyond its storage', withTensor({ shape: [2 ** 40] }), /does not fit its 4 stored values/],
    ['a shape beyond counting', withTensor({ shape: [2 ** 52, 2 ** 52], strides: [1, 1] }), /impossible shape/],
    ['a huge tensor by stride 0', withTensor({ shape: [2 ** 40], strides: [0] }), /does not fit/],
    ['an offset beyond the storage', withTensor({ offset: 1 }), /does not fit/],
    ['a stride beyond the storage', withTensor({ shape: [2], strides: [4] }), /does not fit/],
    ['a negative stride', withTensor({ strides: [-1] }), /strides/],
    ['more strides than sides', withTensor({ strides: [1, 1] }), /strides/],
    [
      'a storage that claims terabytes',
      withTensor({ stored: 2 ** 40, shape: [2 ** 40] }),
      /"w": expected 1099511627776 F32 values in data\/0, got 16 bytes/,
    ],
    [
      'a storage of another element type',
      withTensor({ type: 'DoubleStorage' }),
      /"w": expected 4 F64 values in data\/0, got 16 bytes/,
    ],
    [
      'an element type nobody knows',
      modelWith((name) => (name === 'lm_head.weight' ? 'QInt8Storage' : undefined)),
      /lm_head\.weight is a torch\.QInt8Storage, which is not read; save it as float32/,
    ],
    ['a storage that is missing', withTensor({}, {}), /"w": its data \(data\/0\) is missing/],
    ['a storage outside the archive', withTensor({ key: '../../etc/passwd' }), /missing/],
    [
      'many tensors on one storage',
      checkpointOf(
        pickleOf(
          op.dict(
            ...Array.from({ length: 40 }, (_, i) => [
              op.text(`w${i}`),
              tensorOf({ stored: 2 ** 16, shape: [2 ** 16], strides: [1] }),
            ]).flat(),
          ),
        ),
        { 0: new Uint8Array(2 ** 18) },
      ),
      /share their data/,
    ],

    [
      'a missing tensor',
      modelWith((name) => (name === 'lm_head.weight' ? 'missing' : undefined)),
      /do not fit the configuration .*: lm_head\.weight is missing; choose/,
    ],
    [
      'a layer without its second matrix',
      modelWith((name) => (name.endsWith('mlp.down_proj.weight') ? 'missing' : undefined)),
      /expected the tensors of a TRM or HRM, L_level\.layers\.0\.mlp\.down_proj\.weight among them/,
    ],
    [
      'whole numbers where weights belong',
      modelWith((name) => (name === 'q_head.bias' ? 'LongStorage' : undefined)),
      /q_head\.bias: expected floating numbers, got I64/,
    ],

    [
      'a dict that holds itself',
      checkpointOf(pickleOf('}q\x01', op.text('self'), 'h\x01s')),
      /expected a state dict \(names and tensors\), got something else \(self\)/,
    ],
    ['a list that holds itself', checkpointOf(pickleOf(']q\x01h\x01a')), /expected a state dict/],
    [
      'tuples that double forty times',
      checkpointOf(pickleOf(')q\x00', ...Array.from({ length: 40 }, () => 'h\x00h\x00\x86q\x00'))),
      /expected a state dict/,
    ],
    ['a value that was never stored', checkpointOf(pickleOf('h\x07')), /value 7, which was never stored/],
    ['an empty stack', checkpointOf(pickleOf('R')), /stack is empty/],
    ['a reach below a mark', checkpointOf(pickleOf('}(', op.text('k'), 's')), /stack is empty|no dict/],
    ['no mark', checkpointOf(pickleOf('t')), /no mark/],
    ['no end', checkpointOf(Buffer.from([0x80, 2, 0x7d])), /truncated/],
    ['text longer than the pickle', checkpointOf(Buffer.from([0x80, 2, 0x58, 255, 255, 255, 255])), /truncated/],
    [
      'a number of a million bits',
      checkpointOf(pickleOf('\x8b\x00\x00\x02\x00', Buffer.alloc(131_072))),
      /more than 255 bytes/,
    ],
    [
      'more names than can be compared',
      checkpointOf(
        pickleOf(
          op.dict(
            op.text('lm_head.weight'),
            tensorOf(good),
            Buffer.from('q\x01'),
            ...Array.from({ length: 10_000 }, (_, i) => [op.text(`ema.${i}`), Buffer.from('h\x01')]).flat(),
          ),
        ),
        { 0: four },
      ),
      /expected a model of at most 10000 tensors, got 10001/,
    ],
    ['endless instructions', checkpointOf(pickleOf(Buffer.alloc(600_000, '}'))), /more than 500000 instructions/],
    ['a pickle too long', checkpointOf(Buffer.alloc(5 * 2 ** 20)), /save only the state dict/],
    ['an instruction nobody knows', checkpointOf(pickleOf('\xff')), /no instruction 0xff/],
    [
      'an entry that is no tensor',
      checkpointOf(pickleOf(op.dict(op.text('optimizer'), op.integer(1)))),
      /got something else \(optimizer\); save the model's weights in Python: torch\.save/,
    ],
    [
      'a name that is no text',
      checkpointOf(pickleOf(op.dict(op.integer(1), tensorOf(good))), { 0: four }),
      /expected a state dict/,
    ],

    ["an archive that is not PyTorch's", zipOf([{ name: 'a.txt', content: four }]), /expected one data\.pkl/],
    [
      'two pickles',
      zipOf([
        { name: 'a/data.pkl', content: pickle },
        { name: 'b/data.pkl', content: pickle },
      ]),
      /expected one data\.pkl.*got 2/,
    ],
    [
      'big-endian data',
      zipOf([
        { name: 'a/data.pkl', content: pickle },
        { name: 'a/byteorder', content: Buffer.from('big') },
      ]),
      /little-endian/,
    ],
    [
      'a zip bomb',
      zipOf([
        { name: 'a/data.pkl', content: pickle },
        { name: 'a/data/0', content: bomb, deflate: true },
      ]),
      /would inflate \d+ bytes to/,
    ],
    [
      'a zip bomb that lies about its size',
      zipOf([
        { name: 'a/data.pkl', content: Buffer.concat([pickle, bomb]), deflate: true, declaredSize: pickle.length },
      ]),
      /"a\/data\.pkl" does not inflate to its/,
    ],
    ['an encrypted entry', zipOf([{ name: 'a/data.pkl', content: pickle, flags: 1 }]), /encrypted/],
    [
      'an entry that appears twice',
      zipOf([
        { name: 'a/data.pkl', content: pickle },
        { name: 'a/data.pkl', content: pickle },
      ]),
      /twice/,
    ],
    [
      'overlapping entries',
      zipOf(
        Array.from({ length: 30 }, (_, i) => ({ name: `a/data/${i}`, content: new Uint8Array(4096), alias: i > 0 })),
      ),
      /overlap/,
    ],
    [
      'the format of PyTorch before 1.6, cut off',
      Buffer.from('80028a0a6cfc9c46f920aa', 'hex'),
      /its pickle is truncated/,
    ],
  ];
  for (const [name, file, message] of cases) {
    it(`are refused: ${name}`, () => {
      assert.throws(() => loadCheckpoint(file), inputError(message));
      assert.ok(!existsSync(marker));
    });
  }

  it('are refused without large allocations', () => {
    const before = process.memoryUsage().arrayBuffers;
    for (const [name, file] of cases) {
      assert.throws(() => loadCheckpoint(file), InputError, name);
      const grown = process.memoryUsage().arrayBuffers - before;
      assert.ok(grown < 64 * 2 ** 20, `${name}: ${grown} bytes more`);
    }
  });

  it('truncated anywhere, are refused and say so', () => {
    const whole = readFileSync(fixture('tiny-trm.pt'));
    for (let length = 0; length < whole.length; length += length < whole.length - 400 ? 97 : 1) {
      assert.throws(
        () => loadCheckpoint(whole.subarray(0, length)),
        inputError(length < 4 ? '' : /truncated|download/),
      );
    }
  });

  it('damaged in 1,000 ways, load or are refused', () => {
    const random = new Random(7);
    const whole = readFileSync(fixture('tiny-trm.pt'));
    const pickleAt = whole.indexOf(Buffer.from([0x80, 2]));
    const regions = [
      [pickleAt, pickleAt + 3088],
      [whole.length - 2000, whole.length],
      [0, whole.length],
    ] as const; // pickle, zip directory, all
    let refused = 0;
    for (let round = 0; round < 1000; round++) {
      const damaged = Buffer.from(whole);
      const [from, to] = random.pick(regions);
      for (let i = random.integer(3); i >= 0; i--)
        damaged[from + random.integer(to - from)] = random.pick([0, 0xff, 0x80, random.integer(256)]);
      try {
        loadCheckpoint(damaged);
      } catch (error) {
        assert.ok(
          error instanceof InputError,
          `round ${round}: ${error instanceof Error ? error.stack : String(error)}`,
        );
        refused++;
      }
    }
    // most changes of a name or number are noticed; one in the weights cannot be
    assert.ok(refused > 200 && refused < 1000, `${refused} refused`);
  });
});
