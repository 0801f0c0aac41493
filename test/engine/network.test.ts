/** The network's pieces against the reference's primitives (golden.json). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadBackend } from '../../lib/engine/tfjs/backend.js';
import { rotaryTables } from '../../lib/engine/tfjs/network.js';
import { projectRoot } from '../../lib/files.js';
import { innerSize, paperConfig } from '../../lib/model/config.js';

const { primitives } = JSON.parse(
  readFileSync(path.join(projectRoot(), 'test', 'reference', 'golden.json'), 'utf8'),
) as {
  primitives: { rope_dim8_len5: { cos: number[][]; sin: number[][] }; swiglu_inner: Record<string, number> };
};

describe('network', () => {
  it("has the reference's rotary tables", async () => {
    await loadBackend();
    const tables = rotaryTables({
      ...paperConfig,
      mixer: 'attention',
      positions: 'rotary',
      hiddenSize: 16,
      heads: 2,
      puzzlePrefix: 1,
      sequenceLength: 4,
    });
    assert.ok(tables !== undefined);
    for (const name of ['cos', 'sin'] as const) {
      const expected = primitives.rope_dim8_len5[name].flat();
      const mine = (await tables[name].data()) as Float32Array;
      assert.equal(mine.length, expected.length);
      // Angles reach 4: one rounding of the angle moves its cosine by up to 4 · 2⁻²⁴.
      expected.forEach((value, i) =>
        assert.ok(Math.abs(mine[i]! - value) < 5e-7, `${name}[${i}]: ${mine[i]} against ${value}`),
      );
    }
  });

  it("rounds SwiGLU's inner size as the reference does", () => {
    const sizes = Object.entries(primitives.swiglu_inner);
    assert.equal(sizes.length, 9);
    for (const [width, inner] of sizes) assert.equal(innerSize(paperConfig, Number(width)), inner);
  });
});
