/** Checkpoints as others' training scripts save them: each opens with its own facts and gives PyTorch's answers. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { whyUnavailable } from '../../lib/engine/native/addon.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { openModel } from '../../lib/experiment/open.js';
import { loadTask } from '../../lib/experiment/task.js';
import { projectRoot } from '../../lib/files.js';
import { loadCheckpoint, type LoadOptions } from '../../lib/model/checkpoint.js';
import { evaluate } from '../../lib/train/evaluate.js';

const folder = path.join(projectRoot(), 'test', 'model', 'fixtures', 'saved');
const saved = (...names: string[]): string => path.join(folder, ...names);
const engine = whyUnavailable() === undefined ? 'native' : 'tfjs';

/** Share of the 300 test puzzles of sudoku-4x4 right after the last step; bench/pytorch/trm.py gives the same. */
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
    assert.match(notes.join('\n'), /config \(a __main__\.Settings, read as data\)/);
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
