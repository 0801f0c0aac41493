/** Checkpoints as others' training scripts save them: each opens with its own facts and gives PyTorch's answers. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { whyUnavailable } from '../../lib/engine/native/addon.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { openModel } from '../../lib/experiment/open.js';
import { loadTask } from '../../lib/experiment/task.js';
import { projectRoot } from '../../lib/files.js';
import type { LoadedCheckpoint } from '../../lib/checkpoint/assemble.js';
import { loadCheckpoint, type LoadOptions } from '../../lib/checkpoint/checkpoint.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

const folder = path.join(projectRoot(), 'test', 'checkpoint', 'fixtures', 'saved');
const saved = (...names: string[]): string => path.join(folder, ...names);
const engine = whyUnavailable() === undefined ? 'native' : 'tfjs';

/** Share of the 300 test puzzles of sudoku-4x4 right after the last step; PyTorch gives the same. */
async function exact(file: string, load: LoadOptions = {}, kind: 'native' | 'tfjs' = engine): Promise<number> {
  const { test } = await loadTask(experiment('sudoku-4x4').task);
  const model = await openModel(file, { engine: kind, precision: kind === 'native' ? 'float32' : 'auto' }, load);
  const { exactAccuracy } = await evaluate(model.engine, test, {});
  model.engine.dispose();
  return exactAccuracy.at(-1) ?? NaN;
}

describe('a checkpoint saved by others', function () {
  this.timeout(60_000);

  it('vocab6: prefix and board are told apart, T and n are assumed and said', async () => {
    const { config, assumed } = loadCheckpoint(saved('vocab6', 'step_300'));
    assert.deepEqual([config.puzzlePrefix, config.sequenceLength], [1, 16]);
    assert.deepEqual(assumed, [
      'puzzlePrefix = 1',
      'deepRecursions = 3',
      'latentRecursions = 6',
      'supervisionSteps = 16',
    ]);
    const known = { puzzlePrefix: 1, deepRecursions: 1, latentRecursions: 2 };
    assert.equal(await exact(saved('vocab6', 'step_300'), { config: known }), 1);
  });

  for (const kind of ['config-inside', 'dataclass'] as const)
    it(`${kind}: the configuration beside the weights is read before anything is assumed`, async () => {
      const { config, assumed } = loadCheckpoint(saved(kind, 'step_300'));
      assert.deepEqual(
        [config.deepRecursions, config.latentRecursions, config.puzzlePrefix, config.supervisionSteps],
        [1, 2, 1, 16],
      );
      assert.deepEqual(assumed, []);
      assert.equal(await exact(saved(kind, 'step_300')), 1);
    });

  it('dataclass: an object of an unknown class is read as data, and named', () => {
    const { notes } = loadCheckpoint(saved('dataclass', 'step_300'));
    assert.match(notes.join('\n'), /config \(__main__\.Settings, read as data\)/);
  });

  it('ema: the average is taken where the run says it kept one, with the buffers of the online weights', async () => {
    const file = saved('ema', 'step_300');
    const average = loadCheckpoint(file);
    assert.match(
      average.taken ?? '',
      /^weights: the average in ema_helper, with H_init, L_init, puzzle_emb\.weights from model, as .*ema: true.*left/,
    );
    const raw = loadCheckpoint(file, { weights: 'raw' });
    assert.match(raw.taken ?? '', /^weights: the online ones of model, as --weights raw says; left: the average/);
    for (const name of ['H_init', 'L_init', 'puzzle_emb.weights'])
      assert.deepEqual(average.tensors.get(name), raw.tensors.get(name), name);
    assert.notDeepEqual(average.tensors.get('lm_head.weight'), raw.tensors.get('lm_head.weight'));
    assert.equal(await exact(file), 297 / 300);
    assert.equal(await exact(file, { weights: 'raw' }), 30 / 300);
  });

  it('gives the same answers on the tfjs engine', async () => {
    assert.equal(await exact(saved('ema', 'step_300'), {}, 'tfjs'), 297 / 300);
  });
});

// One small TRM in many forms (fixtures/make-saved.py): online tensor i holds formula(i), its average formula(i + 100).
const order = [
  ...['H_init', 'L_init', 'puzzle_emb.weights', 'embed_tokens.embedding_weight', 'lm_head.weight', 'q_head.weight'],
  'q_head.bias',
  ...['mlp_t.gate_up_proj', 'mlp_t.down_proj', 'mlp.gate_up_proj', 'mlp.down_proj'].map(
    (name) => `L_level.layers.0.${name}.weight`,
  ),
];
const buffers = 3;
const formula = (index: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (((7 * i + 13 * index) % 31) - 15) / 16);

/** Loads a form and checks every value; returns what was loaded. */
function checked(file: string, weights: 'online' | 'average', load: LoadOptions = {}): LoadedCheckpoint {
  const loaded = loadCheckpoint(saved('forms', file), load);
  assert.equal(loaded.tensors.size, order.length);
  for (const [i, name] of order.entries()) {
    const { data } = loaded.tensors.get(name) ?? assert.fail(name);
    const shift = weights === 'average' && i >= buffers ? 100 : 0;
    assert.deepEqual([...data], formula(i + shift, data.length), name);
  }
  return loaded;
}

describe('a training state with online and averaged weights', () => {
  for (const key of ['ema', 'ema_helper', 'ema_shadow', 'ema_state_dict', 'ema_model_state_dict', 'model_ema']) {
    it(`under ${key} gives the average, and the online weights on request`, () => {
      const { taken } = checked(`average-${key}.pt`, 'average');
      assert.match(taken ?? '', new RegExp(`the average in ${key}.*as config \\(ema: true\\) says; left: the online`));
      checked(`average-${key}.pt`, 'online', { weights: 'raw' });
    });
  }

  it('as Lightning writes it, with names without dots, gives the average', () => {
    const { config } = checked('lightning.ckpt', 'average');
    assert.deepEqual([config.deepRecursions, config.supervisionSteps], [2, 8]);
    checked('lightning.ckpt', 'online', { weights: 'raw' });
  });

  it('whose run kept none, or does not say, is read so, and the guess is said', () => {
    checked('average-unused.pt', 'online');
    checked('average-unused.pt', 'average', { weights: 'average' });
    assert.match(checked('average-unsaid.pt', 'average').assumed.join(), /weights = average/);
    assert.match(checked('average.safetensors', 'average').assumed.join(), /weights = average/);
    assert.deepEqual(
      checked('average-unsaid.pt', 'online', { weights: 'raw' }).assumed.filter((each) => /weights/.test(each)),
      [],
    );
  });

  it('in two files is read from both; the average alone is refused', () => {
    checked('beside', 'average');
    checked('beside', 'online', { weights: 'raw' });
    assert.throws(() => loadCheckpoint(saved('forms', 'beside_ema')), /got trained tensors only, as an average/);
  });

  it('is refused where the weights asked for are not there, or two sets of one kind are', () => {
    assert.throws(() => checked('json-text.pt', 'online', { weights: 'average' }), /expected averaged weights beside/);
    assert.throws(() => checked('json-text.pt', 'online', { weights: 'raw' }), /got one set of weights; leave it away/);
    assert.throws(() => checked('two-models.pt', 'online'), /holds 2 different sets of weights, in student, other/);
  });
});

describe('a checkpoint with other things beside the weights', () => {
  for (const file of [
    ...['objects-2.pt', 'objects-4.pt', 'objects-5.pt', 'omegaconf.pt', 'numpy-scalars.pt', 'json-text.pt'],
    ...['at-root.pt', 'module-inside.pt', 'bfloat16.pt', 'float16.pt', 'sharded', 'text.safetensors', 'legacy.pt'],
  ]) {
    it(`is read with its own facts: ${file}`, () => {
      const { config, assumed } = checked(file, 'online');
      assert.deepEqual(
        [config.deepRecursions, config.latentRecursions, config.supervisionSteps, config.puzzlePrefix],
        [2, 4, 8, 1],
      );
      assert.deepEqual(assumed, []);
    });
  }

  it('of the format before PyTorch 1.6 is refused where it is cut off, or its counts differ', () => {
    const whole = readFileSync(saved('forms', 'legacy.pt'));
    for (const length of [20, 400, whole.length - 4000, whole.length - 1])
      assert.throws(() => loadCheckpoint(whole.subarray(0, length)), inputError(/truncated/), String(length));
    const other = Buffer.from(whole);
    const at = whole.length - 8 - 4 * 48; // the last storage: its number of elements in 64 bits, then 48 as float32
    assert.equal(other.readBigUInt64LE(at), 48n);
    other[at] = 49;
    assert.throws(() => loadCheckpoint(other), /expected 48 values in its data, got 49/);
  });

  it('in a folder with two models is asked for by name', () => {
    const folder = newFolder();
    cpSync(saved('forms', 'text.safetensors'), path.join(folder, 'model.safetensors'));
    assert.equal(loadCheckpoint(folder).config.deepRecursions, 2);
    cpSync(saved('forms', 'text.safetensors'), path.join(folder, 'ema_model.safetensors'));
    assert.throws(
      () => loadCheckpoint(folder),
      /name one of its models \(ema_model\.safetensors, model\.safetensors\)/,
    );
  });

  it('may be a module saved whole', () => {
    checked('module.pt', 'online');
  });

  it('is named for what it is where it is none', () => {
    const kinds: readonly (readonly [start: string, message: RegExp])[] = [
      ['version https://git-lfs.github.com/spec/v1\n', /Git LFS pointer.*git lfs pull/],
      ['<!DOCTYPE html><html>', /web page/],
      ['\x1f\x8b\x08', /uncompress it first/],
      ['\x89HDF\r\n', /HDF5/],
      ['\x80\x04\x95', /plain Python pickle.*torch\.save\(pickle\.load/],
      ['{"a": 1}', /JSON without a weight_map/],
      ['{"weight_map": {"a": "../../secret"}}', /expected the name of a file beside the index/],
    ];
    for (const [start, message] of kinds)
      assert.throws(() => loadCheckpoint(Buffer.from(start, 'latin1')), inputError(message), start);
  });
});
