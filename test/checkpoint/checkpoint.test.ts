/** Checkpoints: what is saved comes back, what others saved is understood, and what does not fit is listed. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../../lib/errors.js';
import { applyVariant, variants } from '../../lib/experiment/variants.js';
import { projectRoot } from '../../lib/files.js';
import { loadCheckpoint, saveCheckpoint } from '../../lib/checkpoint/checkpoint.js';
import { paperConfig, type ModelConfig } from '../../lib/model/config.js';
import { inferConfig } from '../../lib/checkpoint/infer-config.js';
import { initialParameters, parameterSpecs, type Tensor } from '../../lib/model/parameters.js';
import { readConfigText } from '../../lib/checkpoint/config-beside.js';
import { configFromReference } from '../../lib/checkpoint/reference-config.js';
import { readSafetensors, writeSafetensors } from '../../lib/checkpoint/safetensors-file.js';
import type { StoredTensor } from '../../lib/checkpoint/tensor-data.js';
import { Random } from '../../lib/random.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

const small: ModelConfig = {
  ...paperConfig,
  hiddenSize: 16,
  heads: 2,
  innerMultiple: 8,
  vocabSize: 6,
  sequenceLength: 16,
  puzzlePrefix: 1,
  puzzleEmbeddingSize: 16,
  puzzleIds: 5,
};
const tinyTorch = path.join(projectRoot(), 'test', 'checkpoint', 'fixtures', 'tiny-trm.pt');

/** As a file of someone else's: no configuration, names behind a prefix. */
function saveForeign(file: string, tensors: ReadonlyMap<string, Tensor>, prefix: string): void {
  writeSafetensors(
    file,
    new Map(
      [...tensors].map(([name, { shape, data }]): [string, StoredTensor] => [
        prefix + name,
        { dtype: 'F32', shape, data },
      ]),
    ),
  );
}

describe('checkpoints', () => {
  const folder = newFolder();
  const file = (name: string): string => path.join(folder, name);

  it('come back bit for bit, with configuration and metadata, for every variant of the paper', () => {
    for (const each of variants) {
      const config = applyVariant(small, each);
      const tensors = initialParameters(config, new Random(1));
      const saved = file(`${each.id}.safetensors`);
      saveCheckpoint(saved, { config, tensors, metadata: { step: '12', run: each.id } });
      const loaded = loadCheckpoint(saved);
      assert.deepEqual(loaded.config, config);
      assert.deepEqual({ ...loaded.metadata }, { run: each.id, step: '12' });
      assert.deepEqual(loaded.notes, []);
      assert.deepEqual([...loaded.tensors.keys()], [...tensors.keys()]);
      for (const [name, { data, shape }] of tensors) {
        const got = loaded.tensors.get(name) ?? assert.fail(name);
        assert.deepEqual(got.shape, shape);
        assert.ok(Buffer.from(got.data.buffer).equals(Buffer.from(data.buffer)), name);
      }
    }
  });

  it('carry weights from PyTorch to safetensors unchanged', () => {
    const imported = loadCheckpoint(tinyTorch);
    saveCheckpoint(file('tiny.safetensors'), imported);
    const again = loadCheckpoint(file('tiny.safetensors'));
    assert.deepEqual(again.config, imported.config);
    for (const [name, { data }] of imported.tensors) assert.deepEqual(again.tensors.get(name)?.data, data);
  });

  it("are written with the reference's wrappers where asked, and read without them", () => {
    const tensors = initialParameters(small, new Random(1));
    saveCheckpoint(file('wrapped'), { config: small, tensors }, '_orig_mod.model.inner.');
    assert.deepEqual(
      [...readSafetensors(file('wrapped')).tensors.keys()].sort(),
      [...tensors.keys()].map((name) => `_orig_mod.model.inner.${name}`).sort(),
    );
    const again = loadCheckpoint(file('wrapped'));
    for (const [name, { data }] of tensors) assert.deepEqual(again.tensors.get(name)?.data, data);
    assert.throws(
      () => saveCheckpoint(file('bad'), { config: small, tensors }, 'encoder.'),
      /prefix: expected a wrapper's/,
    );
  });

  it('of every floating type come in as float32, and go out bit-equal', () => {
    const tensors = initialParameters(small, new Random(1));
    for (const [dtype, convert] of [
      ['F64', (data: Float32Array) => Float64Array.from(data)],
      ['BF16', (data: Float32Array) => Uint16Array.from(new Uint32Array(data.slice().buffer), (bits) => bits >>> 16)],
      ['F16', (data: Float32Array) => Uint16Array.from(data, (value) => (value < 0 ? 0xbc00 : 0x3c00))], // −1 and 1
    ] as const) {
      const stored = new Map(
        [...tensors].map(([name, { shape, data }]): [string, StoredTensor] => [
          name,
          { dtype, shape, data: convert(data) },
        ]),
      );
      writeSafetensors(file('typed'), stored);
      const imported = loadCheckpoint(file('typed'), { config: { puzzlePrefix: 1 } });
      for (const [name, { data }] of tensors) {
        const expected =
          dtype === 'F64'
            ? data
            : dtype === 'F16'
              ? data.map((value) => (value < 0 ? -1 : 1))
              : new Float32Array(new Uint32Array(data.slice().buffer).map((bits) => bits & 0xffff0000).buffer);
        assert.deepEqual(imported.tensors.get(name)?.data, expected, `${dtype} ${name}`);
      }
      saveCheckpoint(file('typed-out'), imported);
      for (const [name, { data }] of loadCheckpoint(file('typed-out')).tensors)
        assert.ok(Buffer.from(data.buffer).equals(Buffer.from(imported.tensors.get(name)!.data.buffer)), name);
    }
  });

  it('are not written with a tensor missing, unknown or misshaped', () => {
    const tensors = new Map(initialParameters(small, new Random(1)));
    tensors.delete('H_init');
    tensors.set('lm_head.weight', { shape: [2, 2], data: new Float32Array(4) });
    tensors.set('extra', { shape: [1], data: new Float32Array(1) });
    assert.throws(
      () => saveCheckpoint(file('bad'), { config: small, tensors }),
      inputError(
        /H_init is missing; lm_head\.weight: expected \[6, 16\], got \[2, 2\]; extra is not part of the model/,
      ),
    );
  });

  it('reads rotary tables that were saved, and takes no others than its own', () => {
    const config: ModelConfig = { ...small, mixer: 'attention', positions: 'rotary' };
    const tensors = initialParameters(config, new Random(1));
    const pairs = config.hiddenSize / config.heads / 2;
    for (const theta of [10_000, 500_000]) {
      const frequencies = Float32Array.from({ length: pairs }, (_, i) => theta ** (-i / pairs));
      const row = (of: (angle: number) => number): Float32Array =>
        Float32Array.from({ length: 3 * 2 * pairs }, (_, i) => of(Math.floor(i / 2 / pairs) * frequencies[i % pairs]!));
      for (const [name, shape, data] of [
        ['inv_freq', [pairs], frequencies],
        ['cos_cached', [3, 2 * pairs], row(Math.cos)],
        ['sin_cached', [3, 2 * pairs], row(Math.sin)],
      ] as const) {
        const saved = file(`${name}-${theta}.safetensors`);
        saveForeign(saved, new Map([...tensors, [`rotary_emb.${name}`, { shape, data }]]), 'model.inner.');
        const load = (): unknown => loadCheckpoint(saved, { config });
        if (theta === 10_000) load();
        else
          assert.throws(
            load,
            /rotary_emb\.\w+: expected the rotary table of base 10,000, with which this kit computes/,
          );
      }
    }
  });

  it('of others are stripped of prefixes, whatever their order', () => {
    const tensors = initialParameters(small, new Random(1));
    for (const prefix of ['', 'model.inner.', '_orig_mod.model.inner.', 'module._orig_mod.model.inner.']) {
      saveForeign(file('foreign'), tensors, prefix);
      const { config, notes } = loadCheckpoint(file('foreign'), { config: { puzzlePrefix: 1 } });
      assert.deepEqual([config.sequenceLength, config.puzzlePrefix, config.hiddenSize], [16, 1, 16]);
      assert.match(notes.join(), /assumed deepRecursions = 3, latentRecursions = 6/);
    }
    const doubled = new Map(tensors);
    doubled.set('model.H_init', tensors.get('H_init') ?? assert.fail());
    saveForeign(file('foreign'), doubled, '');
    assert.throws(() => loadCheckpoint(file('foreign')), /two tensors are called "H_init"/);
  });

  it('with tensors that do not fit get one error that lists them', () => {
    const tensors = new Map(initialParameters(small, new Random(1)));
    tensors.delete('q_head.bias');
    tensors.set('lm_head.weight', { shape: [6, 15], data: new Float32Array(90) });
    tensors.set('head.weight', { shape: [1], data: new Float32Array(1) });
    saveForeign(file('foreign'), tensors, 'model.');
    assert.throws(
      () => loadCheckpoint(file('foreign'), { config: { puzzlePrefix: 1 } }),
      (error) =>
        error instanceof InputError &&
        error.message.includes(folder) &&
        error.message.includes('lm_head.weight: expected [6, 16], got [6, 15]; ') &&
        error.message.includes('q_head.bias is missing; head.weight is not part of the model'),
    );
    const whole = new Map<string, StoredTensor>(
      [...initialParameters(small, new Random(1))].map(([name, { shape, data }]) => [
        name,
        { dtype: 'F32', shape, data },
      ]),
    );
    whole.set('q_head.bias', { dtype: 'I32', shape: [2], data: new Int32Array(2) });
    writeSafetensors(file('integers'), whole);
    assert.throws(
      () => loadCheckpoint(file('integers'), { config: { puzzlePrefix: 1 } }),
      /q_head\.bias: expected floating numbers, got I32/,
    );
    writeSafetensors(
      file('other'),
      new Map([['transformer.wte', { dtype: 'F32', shape: [1], data: new Float32Array(1) }]]),
    );
    assert.throws(
      () => loadCheckpoint(file('other')),
      /expected the tensors of a TRM or HRM, .*got 1: "transformer\.wte"/,
    );
  });

  it('are not written of what is none, or with metadata that saving would lose', () => {
    const good = { config: small, tensors: initialParameters(small, new Random(1)) };
    for (const [to, bad, says] of [
      [undefined, good, /checkpoint: expected the path of a file or folder, got undefined/],
      [file('bad'), undefined, /checkpoint: expected an object, got undefined/],
      [file('bad'), { ...good, metadta: {} }, /unknown field metadta \(did you mean metadata\?\)/],
      [
        file('bad'),
        { ...good, metadata: { format: 'mine' } },
        /metadata: expected an object without config and format/,
      ],
      [
        file('bad'),
        { ...good, tensors: Promise.resolve(good.tensors) },
        /tensors: expected a Map of tensors, as await/,
      ],
      [file('bad'), { ...good, tensors: new Map([['H_init', null]]) }, /tensors: expected in place 0 an object/],
    ] as const)
      assert.throws(() => saveCheckpoint(to as never, bad as never), says);
    saveCheckpoint(file('good'), good);
    saveCheckpoint(file('again'), loadCheckpoint(file('good')));
    assert.deepEqual(readFileSync(file('again')), readFileSync(file('good')));
  });

  it('are not read with options that there are not', () => {
    saveCheckpoint(file('plain'), { config: small, tensors: initialParameters(small, new Random(1)) });
    for (const bad of [{ weights: 'avrage' }, { weight: 'raw' }, { cells: 2.5 }, { config: { hidenSize: 5 } }])
      assert.throws(() => loadCheckpoint(file('plain'), bad as object), InputError, JSON.stringify(bad));
    assert.throws(() => loadCheckpoint(undefined as never), /expected the path of a file, or its bytes, got undefined/);
  });

  it('of another version of the kit, or with weights that are no numbers, are refused', () => {
    const tensors = initialParameters(small, new Random(0));
    const stored = (data: (of: Tensor) => Float32Array): Map<string, StoredTensor> =>
      new Map([...tensors].map(([name, of]) => [name, { dtype: 'F32', shape: of.shape, data: data(of) }]));
    const config = JSON.stringify(small);
    writeSafetensors(
      file('later'),
      stored(({ data }) => data),
      { format: 'trm-lab/model/2', config },
    );
    assert.throws(
      () => loadCheckpoint(file('later')),
      inputError(/later: format: expected trm-lab\/model\/1, got trm-lab\/model\/2, of another version of this kit/),
    );
    const nan = stored(({ data }) => data.map(() => NaN));
    writeSafetensors(file('nan'), nan, { format: 'trm-lab/model/1', config });
    assert.throws(
      () => loadCheckpoint(file('nan')),
      inputError(/nan: .*: expected finite numbers, got NaN or infinity/),
    );
  });

  it('keep what was assumed of them when they are saved again, until it is said', () => {
    saveForeign(file('foreign'), initialParameters(small, new Random(0)), '');
    const { config, tensors, assumed } = loadCheckpoint(file('foreign'));
    assert.ok(assumed.includes('deepRecursions = 3'), assumed.join());
    saveCheckpoint(file('ours'), { config, tensors, metadata: { assumed: JSON.stringify(assumed) } });
    assert.deepEqual(loadCheckpoint(file('ours')).assumed, assumed);
    assert.deepEqual(
      loadCheckpoint(file('ours'), { config: { deepRecursions: 3 } }).assumed,
      assumed.filter((each) => each !== 'deepRecursions = 3'),
    );
    saveCheckpoint(file('ours'), { config, tensors, metadata: { assumed: '5' } });
    assert.throws(() => loadCheckpoint(file('ours')), inputError(/metadata assumed: expected a list of texts in JSON/));
  });

  it('with a damaged configuration are refused', () => {
    const tensors = new Map<string, StoredTensor>(
      [...initialParameters(small, new Random(1))].map(([name, { shape, data }]) => [
        name,
        { dtype: 'F32', shape, data },
      ]),
    );
    writeSafetensors(file('config'), tensors, { config: '{', format: 'trm-lab/model/1' });
    assert.throws(() => loadCheckpoint(file('config')), /metadata config: expected JSON/);
    writeSafetensors(file('config'), tensors, { config: 'configs/trm.yaml' }); // of another program
    assert.equal(loadCheckpoint(file('config')).config.hiddenSize, small.hiddenSize);
    writeSafetensors(file('config'), tensors, { config: JSON.stringify({ ...small, layers: 'two' }) });
    assert.throws(() => loadCheckpoint(file('config')), inputError(/layers: expected a whole number/));
    writeSafetensors(file('config'), tensors, { config: JSON.stringify({ ...small, puzzleIds: 4_000_000 }) });
    assert.throws(() => loadCheckpoint(file('config')), /puzzle_emb\.weights: expected \[4000000, 16\], got \[5, 16\]/);
  });

  it('have the puzzle table resized to the mean row on request, and say so', () => {
    const tensors = new Map(initialParameters(small, new Random(1)));
    tensors.set('puzzle_emb.weights', { shape: [5, 16], data: Float32Array.from({ length: 80 }, (_, i) => i) });
    saveCheckpoint(file('table'), { config: small, tensors });
    const { config, tensors: loaded, notes } = loadCheckpoint(file('table'), { config: { puzzleIds: 2 } });
    assert.equal(config.puzzleIds, 2);
    // Column j of five rows holds j, 16 + j, … 64 + j: mean 32 + j.
    assert.deepEqual(
      [...(loaded.get('puzzle_emb.weights')?.data ?? [])],
      Array.from({ length: 32 }, (_, i) => 32 + (i % 16)),
    );
    assert.match(notes.join(), /5 rows in the file, 2 wanted/);
    assert.deepEqual(loadCheckpoint(file('table')).tensors.get('puzzle_emb.weights')?.data.length, 80);
  });

  it('take options from an all_config.yaml beside them', () => {
    copyFileSync(tinyTorch, file('step_7'));
    const yaml = [
      'arch:',
      '  H_cycles: 2',
      '  L_cycles: 4',
      '  L_layers: 2',
      '  expansion: 4.0',
      '  halt_exploration_prob: 0.1',
      '  halt_max_steps: 8',
      '  hidden_size: 8',
      '  loss:',
      '    loss_type: stablemax_cross_entropy',
      '    name: losses@ACTLossHead',
      '  mlp_t: true',
      '  name: recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1',
      '  no_ACT_continue: true',
      '  num_heads: 8',
      '  pos_encodings: none',
      '  puzzle_emb_len: 1',
      '  puzzle_emb_ndim: 8',
      'beta1: 0.9',
      'data_paths:',
      '- data/sudoku',
      'lr: 0.0001',
      '',
    ].join('\n');
    writeFileSync(file('all_config.yaml'), yaml);
    const { config, notes } = loadCheckpoint(file('step_7'));
    assert.deepEqual(
      [config.deepRecursions, config.latentRecursions, config.supervisionSteps, config.puzzlePrefix],
      [2, 4, 8, 1],
    );
    assert.match(notes.join('\n'), /options from .*all_config\.yaml/);
    assert.equal(loadCheckpoint(file('step_7'), { config: { supervisionSteps: 64 } }).config.supervisionSteps, 64);
    writeFileSync(file('all_config.yaml'), yaml.replace('hidden_size: 8', 'hidden_size: 16'));
    assert.throws(
      () => loadCheckpoint(file('step_7')),
      /embed_tokens\.embedding_weight: expected \[6, 16\], got \[6, 8\]/,
    );
    writeFileSync(file('all_config.yaml'), yaml.replace('H_cycles: 2', 'H_cycles: [2'));
    assert.throws(
      () => loadCheckpoint(file('step_7')),
      inputError(/all_config\.yaml: .*mend it or move the file away/),
    );
    truncateSync(file('all_config.yaml'), 3e9); // more than a file may have to be read whole
    assert.throws(
      () => loadCheckpoint(file('step_7')),
      inputError(/all_config\.yaml: expected at most 65536 bytes, got 3000000000/),
    );
    rmSync(file('all_config.yaml'));
    mkdirSync(file('all_config.yaml'));
    assert.throws(
      () => loadCheckpoint(file('step_7')),
      inputError(/expected a file, got a folder: .*all_config\.yaml/),
    );
    rmdirSync(file('all_config.yaml'));
  });

  it('truncated, empty or of another kind, are refused', () => {
    saveCheckpoint(file('whole'), { config: small, tensors: initialParameters(small, new Random(1)) });
    const whole = readFileSync(file('whole'));
    for (let length = 0; length < whole.length; length += 499)
      assert.throws(() => loadCheckpoint(whole.subarray(0, length)), InputError);
    assert.throws(() => loadCheckpoint(file('none')), /file not found.*none/);
    assert.throws(() => loadCheckpoint(folder), /expected a file, got a folder/);
    assert.throws(() => loadCheckpoint(Buffer.from('hello, I am no checkpoint')), /something else/);
  });

  it('are named as the reference names them', () => {
    saveCheckpoint(file('names'), { config: small, tensors: initialParameters(small, new Random(1)) });
    const { tensors, metadata } = readSafetensors(file('names'));
    assert.deepEqual(
      [...tensors.keys()].sort(),
      parameterSpecs(small)
        .map(({ name }) => name)
        .sort(),
    );
    assert.equal(metadata['format'], 'trm-lab/model/1');
  });
});

describe('configuration from shapes', () => {
  const shapesOf = (config: ModelConfig): Map<string, readonly number[]> =>
    new Map(parameterSpecs(config).map(({ name, shape }) => [name, shape]));
  const attention: Partial<ModelConfig> = { mixer: 'attention', positions: 'rotary' };
  const task: Readonly<Record<string, Partial<ModelConfig>>> = {
    Sudoku: {},
    Maze: { vocabSize: 6, sequenceLength: 900, latentRecursions: 4 },
    ARC: { vocabSize: 12, sequenceLength: 900, latentRecursions: 4, puzzleIds: 1000 },
  };

  for (const [name, sizes] of Object.entries(task)) {
    for (const mixer of ['mlp', 'attention'] as const) {
      it(`finds the published TRM with ${mixer} for ${name}`, () => {
        const config: ModelConfig = { ...paperConfig, ...sizes, ...(mixer === 'attention' ? attention : {}) };
        const inferred = inferConfig(shapesOf(config), {});
        assert.deepEqual(inferred.config, config);
        assert.ok(inferred.assumed.includes(`latentRecursions = ${config.latentRecursions}`));
      });
    }
  }

  it('finds every variant whose recursion the tensors tell', () => {
    for (const each of variants) {
      const config = applyVariant(paperConfig, each);
      const { deepRecursions, latentRecursions, halting, gradient } = config; // not in any shape
      const known = {
        deepRecursions,
        latentRecursions,
        halting,
        gradient,
        ...(each.id === 'trm-separate-nets' ? { recursion: 'trm' as const } : {}),
      };
      assert.deepEqual(inferConfig(shapesOf(config), known).config, config, each.id);
    }
  });

  it('takes two networks for HRM unless told, and says so', () => {
    const hrm = applyVariant(paperConfig, variants[0] ?? assert.fail());
    const { config, assumed } = inferConfig(shapesOf(hrm), {});
    assert.deepEqual(config, hrm);
    assert.match(assumed.join(), /recursion = hrm/);
  });

  it('finds learned positions and a model without puzzle embedding', () => {
    const learned: ModelConfig = { ...paperConfig, mixer: 'attention', positions: 'learned' };
    assert.deepEqual(inferConfig(shapesOf(learned), {}).config, learned);
    const bare: ModelConfig = { ...paperConfig, puzzlePrefix: 0, puzzleEmbeddingSize: 0 };
    assert.deepEqual(inferConfig(shapesOf(bare), {}).config, bare);
  });

  it('asks for what it cannot guess', () => {
    const unknownTask: ModelConfig = { ...paperConfig, ...attention, vocabSize: 40, sequenceLength: 50 };
    assert.throws(() => inferConfig(shapesOf(unknownTask), {}), /give it: --set model\.sequenceLength=N/);
    assert.deepEqual(inferConfig(shapesOf(unknownTask), { sequenceLength: 50 }).config, unknownTask);
    const odd = shapesOf(paperConfig);
    odd.set('L_level.layers.0.mlp.down_proj.weight', [512, 1531]);
    assert.throws(() => inferConfig(odd, {}), /give both: --set model\.expansion=X,model\.innerMultiple=N/);
  });

  it('takes the stated length of the prefix, of a file that leaves out the size of the embedding too', () => {
    assert.deepEqual(configFromReference({ puzzle_emb_len: 1 }), { puzzlePrefix: 1 });
    // HRM takes as many positions as the embedding fills, whatever the option says (spec §6).
    assert.equal(configFromReference({ architecture: 'hrm', puzzle_emb_len: 1 }).puzzlePrefix, undefined);
  });

  it("translates the reference's options", () => {
    assert.deepEqual(
      configFromReference({
        architecture: 'trm_hier6',
        H_cycles: 3,
        L_cycles: 6,
        L_layers: 2,
        hidden_size: 32,
        puzzle_emb_ndim: 32,
        puzzle_emb_len: 0,
        mlp_t: true,
        pos_encodings: 'none',
        unknown: 1,
      }),
      {
        recursion: 'multi-z',
        latentCount: 6,
        deepRecursions: 3,
        latentRecursions: 6,
        layers: 2,
        hiddenSize: 32,
        puzzleEmbeddingSize: 32,
        puzzlePrefix: 1,
        mixer: 'mlp',
        positions: 'none',
      },
    );
    assert.throws(() => configFromReference({ pos_encodings: 'alibi' }), /expected none, rope or learned, got "alibi"/);
    assert.throws(
      () => readConfigText('H_cycles: 3\narch: {H_cycles: 4}\n', 'x.yaml'),
      /x\.yaml: H_cycles is given twice, as 3 and 4/,
    );
    assert.throws(() => readConfigText('rope_theta: 500000\n', 'x.yaml'), /rope_theta = 500000: .*10000 only/);
    assert.deepEqual(
      readConfigText("H_cycles: 3 \narch:\n  name:  'trm@X'  # the model\n  path: !!python/tuple [a]\n", 'x.yaml'),
      { H_cycles: 3, architecture: 'trm@X' },
    );
    for (const [text, name] of [
      ['\uFEFF{"H_cycles": 2}', 'x.json'],
      ['\uFEFFH_cycles: 2\n', 'x.yaml'],
    ] as const)
      assert.deepEqual(readConfigText(text, name), { H_cycles: 2 }, 'a byte-order mark is no part of it');
    for (const name of ['x.json', 'x.yaml'])
      assert.throws(() => readConfigText('{"H_cycles": 2, "H_cycles": 3}', name), /twice|unique/, name);
    for (const others of [
      'name: hrm-vs-trm-sudoku\n',
      'wandb: {name: direct-run}\n',
      'loss: {name: losses@ACTLossHead}\n',
    ])
      assert.deepEqual(readConfigText(`${others}arch: {name: trm}\n`, 'x.yaml'), { architecture: 'trm' }, others);
    assert.throws(
      () => readConfigText('arch: {name: trm}\nmodel: {name: models.hrm@Model}\n', 'x.yaml'),
      /x\.yaml: the name of the architecture is given twice, as "trm" and "models\.hrm@Model"/,
    );
    assert.deepEqual(readConfigText('{"model":{"h_cycles":"2","mlp_t":"False","use_ema":true,"lr":null}}', 'x.json'), {
      H_cycles: 2,
      mlp_t: false,
      ema: true,
    });
  });

  // Each of these takes a YAML parser seconds, gigabytes or its stack where nothing bounds them.
  const hostile: readonly (readonly [name: string, text: string])[] = [
    ['spaces', `a:${' '.repeat(300_000)}b`],
    ['brackets', '['.repeat(60_000)],
    ['dashes', '- '.repeat(30_000)],
    ['question marks', '? '.repeat(30_000)],
    ['commas', `[${','.repeat(60_000)}]`],
    ['lines', 'k: 1\n'.repeat(9000)],
    [
      'aliases',
      Array.from({ length: 12 }, (_, i) => `b${i}: &b${i} [${Array(9).fill(i ? `*b${i - 1}` : 'x')}]`).join('\n'),
    ],
  ];
  for (const [name, text] of hostile) {
    it(`refuses a configuration of many ${name} at once`, () => {
      const start = process.cpuUsage();
      assert.throws(() => readConfigText(text, 'x.yaml'), InputError);
      const { user, system } = process.cpuUsage(start);
      assert.ok(user + system < 2e6, 'two seconds of processor time for one error');
    });
  }
});
