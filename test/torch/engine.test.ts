/** The torch engine on a CPU against the published code and against the other engines (npm run test:torch). */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { createTorchEngine } from '../../lib/engine/torch/engine.js';
import { projectRoot } from '../../lib/files.js';
import { checkReference } from '../../lib/train/reference-check.js';
import { goldenNames, replayGolden } from '../engine/golden.js';

const folder = path.join(projectRoot(), 'test', 'reference');
const fixtures = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));

describe('torch engine', function () {
  this.timeout(120_000);

  for (const name of fixtures) {
    it(`agrees with the published code on ${name.replace('.safetensors', '')}`, async () => {
      const report = await checkReference(path.join(folder, name), (config) =>
        createTorchEngine(config, { device: 'cpu', precision: 'float32' }),
      );
      assert.match(report.engine, /^torch 2\.\S+ cpu$/);
      assert.deepEqual(
        report.quantities.filter(({ passed }) => !passed),
        [],
      );
      assert.ok(report.quantities.length >= 15);
    });
  }

  for (const name of [...goldenNames('f32'), ...goldenNames('bf16')]) {
    // bfloat16 is PyTorch's own here, rounded where the published code rounds: nearer than the native engine's.
    const tolerance = name.includes('bf16')
      ? { loss: 2e-3, logits: 0.05, gradients: 0.05 }
      : { loss: 1e-5, logits: 2e-4, gradients: 1e-3 };
    it(`agrees with the published code on golden ${name}`, () =>
      replayGolden(
        name,
        (config) => createTorchEngine(config, { device: 'cpu', precision: name.includes('bf16') ? 'bf16' : 'float32' }),
        tolerance,
      ));
  }
});
