/** The variants against the paper's columns (spec §7): depth, forward passes, parameters. */
import assert from 'node:assert/strict';
import { applyVariant, rowsOfTable, variant, variants } from '../../lib/experiment/variants.js';
import { paperConfig } from '../../lib/model/config.js';
import { parameterCount } from '../../lib/model/parameters.js';
import { effectiveDepth, forwardPasses } from '../../lib/model/schedule.js';
import { checkTraining, paperTraining } from '../../lib/train/options.js';
import { inputError } from '../input-error.js';

/** Trainable parameters to the last one, on Sudoku (spec §1.13). */
const parameters: Readonly<Record<string, number>> = {
  hrm: 27_275_266,
  trm: 5_028_866,
  'trm-act': 5_028_866,
  'trm-separate-nets': 10_045_442,
  'trm-no-ema': 5_028_866,
  'trm-4-layers': 10_045_442,
  'trm-attention': 6_828_034,
  'trm-t2-n2': 5_028_866,
  'trm-one-step-gradient': 5_028_866,
  'trm-multi-z': 5_028_866,
  'trm-multi-z-7': 5_028_866,
  'trm-single-z': 5_028_866,
  direct: 27_144_194 + 131_072, // the published one has 12 heads of 42
};

/** Layers a supervision step where the paper prints none. */
const depths: Readonly<Record<string, number>> = {
  'trm-multi-z': 42,
  'trm-multi-z-7': 48,
  'trm-single-z': 42,
  direct: 8,
};

describe("variants of the paper's tables", () => {
  it('have ids of their own and make models', () => {
    assert.equal(new Set(variants.map(({ id }) => id)).size, variants.length);
    for (const each of variants) {
      applyVariant(paperConfig, each);
      checkTraining({ ...paperTraining, ...each.training });
      assert.match(each.tests, /^[A-Z].*[.?]$/, each.id);
    }
  });

  it('cover every row of Tables 1 to 4', () => {
    const labels = (table: 1 | 2 | 3 | 4): string[] => rowsOfTable(table).map(({ row }) => row.label);
    assert.equal(labels(1).length, 9);
    assert.equal(new Set(labels(2)).size, 3);
    assert.equal(new Set(labels(3)).size, 14);
    assert.deepEqual(labels(4).sort(), ['Direct pred', 'HRM', 'TRM-Att', 'TRM-MLP']);
  });

  it("have the paper's depth, but for the first row of Table 3, which its own formula contradicts", () => {
    for (const each of variants) {
      const depth = effectiveDepth(applyVariant(paperConfig, each));
      for (const row of each.rows) {
        const expected = row.depth ?? depths[each.id];
        if (expected !== undefined)
          assert.equal(
            depth,
            /one layer fewer/.test(row.footnote ?? '') ? expected - 1 : expected,
            `${each.id}, ${row.label}`,
          );
      }
    }
    assert.deepEqual(
      [variant('hrm-k1-t1'), variant('trm-k1-t1')].map((each) => effectiveDepth(applyVariant(paperConfig, each))),
      [8, 6],
    );
  });

  it("have the paper's forward passes and parameters", () => {
    for (const each of variants) {
      const config = applyVariant(paperConfig, each);
      const expected = parameters[each.id] ?? (each.id.startsWith('hrm') ? parameters['hrm'] : parameters['trm']);
      assert.equal(parameterCount(config), expected, each.id);
      for (const row of each.rows) {
        if (row.forwardPasses !== undefined) assert.equal(forwardPasses(config), row.forwardPasses, each.id);
        if (row.millions !== undefined) assert.equal(Math.round(parameterCount(config) / 1e6), row.millions, each.id);
      }
    }
  });

  it('keep the scale and the task of the base', () => {
    const small = {
      ...paperConfig,
      hiddenSize: 64,
      heads: 4,
      innerMultiple: 32,
      vocabSize: 6,
      sequenceLength: 16,
      puzzlePrefix: 1,
      puzzleEmbeddingSize: 64,
    };
    const bare = { ...small, puzzlePrefix: 0, puzzleEmbeddingSize: 0 };
    for (const each of variants) {
      const { hiddenSize, vocabSize, sequenceLength } = applyVariant(small, each);
      assert.deepEqual([hiddenSize, vocabSize, sequenceLength], [64, 6, 16]);
      assert.equal(applyVariant(bare, each).puzzlePrefix, 0);
    }
  });

  it('are found by id, and an unknown id is told all of them', () => {
    assert.equal(variant('trm-act').model.halting, 'halt-or-continue');
    assert.throws(() => variant('nope'), inputError(/trm-one-step-gradient.*"nope"/));
  });
});
