/** Counts and costs against those of the published code (spec §1.13, §1.14). */
import assert from 'node:assert/strict';
import { InputError } from '../../lib/errors.js';
import { paperConfig, type ModelConfig } from '../../lib/model/config.js';
import { describe as describeModel, describeText } from '../../lib/model/describe.js';
import { parameterCount, parameterSpecs, sizeOf } from '../../lib/model/parameters.js';

const attention: Partial<ModelConfig> = { mixer: 'attention', positions: 'rotary' };
const maze: Partial<ModelConfig> = { vocabSize: 6, sequenceLength: 900 };
const arc: Partial<ModelConfig> = { vocabSize: 12, sequenceLength: 900 };
const hrm: Partial<ModelConfig> = {
  ...attention,
  recursion: 'hrm',
  deepRecursions: 2,
  latentRecursions: 2,
  separateNets: true,
  gradient: 'one-step',
  halting: 'halt-or-continue',
  layers: 4,
  puzzlePrefix: 1,
};

/**
 * Model, trainable parameters, and all stored values without the puzzle table's (512 a puzzle id)
 * where the spec gives them.
 */
const counted: readonly (readonly [name: string, changes: Partial<ModelConfig>, trainable: number, stored?: number])[] =
  [
    ['TRM-MLP Sudoku', {}, 5_028_866, 5_030_402],
    ['TRM-Att Sudoku', attention, 6_828_034, 6_829_570],
    ['TRM-Att Maze', { ...attention, ...maze }, 6_822_914, 6_824_450],
    ['TRM-MLP Maze', maze, 18_795_522, 18_797_058],
    ['TRM-Att ARC', { ...attention, ...arc }, 6_829_058, 6_829_058 + 512 + 1024],
    ['TRM-MLP ARC', arc, 18_801_666],
    ['TRM-MLP Sudoku, 4 layers', { layers: 4 }, 10_045_442],
    ['TRM-MLP Sudoku, separate networks', { separateNets: true }, 10_045_442],
    ['TRM-Att Sudoku, 4 layers', { ...attention, layers: 4 }, 13_643_778],
    ['HRM Sudoku', hrm, 27_275_266, 27_276_802],
    ['HRM Maze', { ...hrm, ...maze }, 27_270_146],
    ['HRM ARC', { ...hrm, ...arc }, 27_276_290],
    ['HRM Sudoku, 2 + 2 layers, MLP', { ...hrm, mixer: 'mlp', positions: 'none', layers: 2 }, 9_701_378],
  ];

/** Model, G multiply-adds a call, calls, gradient-weighted calls, TFLOP a step at 768, steps, FLOP of the whole run. */
const costs: readonly (readonly [
  name: string,
  changes: Partial<ModelConfig>,
  call: number,
  calls: number,
  equivalents: number,
  tflop: number,
  steps: number,
  total: number,
])[] = [
  ['Sudoku TRM-MLP', {}, 0.61, 21, 35, 32.8, 65_104, 2.14e18],
  ['Sudoku TRM-Att', attention, 0.68, 21, 35, 36.6, 65_104, 2.38e18],
  ['Maze TRM-Att', { ...attention, ...maze, latentRecursions: 4 }, 7.96, 15, 25, 306, 65_104, 1.99e19],
  ['ARC-1 TRM-Att', { ...attention, ...arc, latentRecursions: 4 }, 7.96, 15, 25, 306, 518_226, 1.58e20],
];

/** The values of the spec are rounded to three digits, and some to two before they were multiplied. */
function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual / expected - 1) < 5e-3, `expected ${expected}, got ${actual}`);
}

describe('description of a model', () => {
  for (const [name, changes, trainable, stored] of counted) {
    it(`counts ${trainable.toLocaleString('en')} parameters in ${name}`, () => {
      const config = { ...paperConfig, ...changes };
      assert.equal(parameterCount(config), trainable);
      assert.equal(describeModel(config).parameters, trainable);
      if (stored !== undefined)
        assert.equal(
          parameterSpecs(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
          stored,
        );
    });
  }

  for (const [name, changes, call, calls, equivalents, tflop, steps, total] of costs) {
    it(`puts a training step of ${name} at ${tflop} TFLOP`, () => {
      const model = describeModel({ ...paperConfig, ...changes }, { batchSize: 768, steps, gflops: 1000 });
      near(model.multiplyAddsPerCall, call * 1e9);
      assert.equal(model.calls, calls);
      assert.equal(model.flopPerTrainingStep, 2 * model.multiplyAddsPerCall * equivalents * 768);
      near(model.flopPerTrainingStep, tflop * 1e12);
      near((model.hours ?? NaN) * 3600 * 1e12, total);
    });
  }

  it('counts the second forward pass of ACT', () => {
    const once = describeModel(paperConfig);
    const twice = describeModel({ ...paperConfig, halting: 'halt-or-continue' });
    assert.deepEqual([once.forwardPasses, twice.forwardPasses], [1, 2]);
    assert.equal(twice.flopPerTrainingStep / once.flopPerTrainingStep, (2 * 21 + 14) / 35);
  });

  it('estimates what a framework keeps for one small attention layer as counted by hand', () => {
    // S = 2, D = 4, one head, inner 12: QKV 24, weights 4, values 8, sum 8, norm 8; gate, up and product 72, sum 8,
    // norm 8.
    const model = describeModel(
      {
        ...paperConfig,
        ...attention,
        deepRecursions: 1,
        latentRecursions: 1,
        layers: 1,
        hiddenSize: 4,
        heads: 1,
        innerMultiple: 4,
        sequenceLength: 2,
        puzzlePrefix: 0,
        puzzleEmbeddingSize: 0,
      },
      { batchSize: 3 },
    );
    assert.equal(model.activationBytes, 4 * 3 * 2 * (24 + 4 + 8 + 8 + 8 + 72 + 8 + 8));
  });

  it('says all of it in text, and refuses an impossible model', () => {
    const text = describeText(paperConfig, { gflops: 200 });
    for (const part of [
      '5,028,866 trainable',
      '42 layers',
      ' 2 × [z ← net(y + x + z)] × 6,  y ← net(y + z)    (no gradient)',
      '32.8 TFLOP at batch 768',
      '65,104 steps',
      'L_level.layers.1.mlp.down_proj.weight',
    ])
      assert.ok(text.includes(part), `${part} in:\n${text}`);
    assert.throws(() => describeModel({ ...paperConfig, layers: 0 }), InputError);
    for (const options of [{ batchsize: 8 }, { batchSize: '8' }, { steps: -1 }, { steps: NaN }, { gflops: 0 }, null])
      assert.throws(() => describeModel(paperConfig, options as never), /^InputError: description: /);
  });
});
