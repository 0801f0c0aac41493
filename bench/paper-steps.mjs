#!/usr/bin/env node
/**
 * The paper's five experiments at full model size, a few training steps of a small batch each: the losses, their time,
 * and the first loss beside another engine's, from the same seed and puzzles.
 *   node bench/paper-steps.mjs [--only=NAME] [--steps=20] [--batch=1]
 *   [--engine=torch] [--beside=native] [--threads=1]
 * Puzzles come from TRM_DATA. On a CPU, in float32. Fails if a loss is not finite, or if the first losses differ by
 * more than rounding.
 */
import { parseArgs } from 'node:util';
import { createEngine } from '../dist/engine/create.js';
import { change } from '../dist/experiment/experiment.js';
import { experiment } from '../dist/experiment/experiments.js';
import { variantExperiment } from '../dist/experiment/rows.js';
import { loadTask } from '../dist/experiment/task.js';
import { variant } from '../dist/experiment/variants.js';
import { describe } from '../dist/model/describe.js';
import { Trainer } from '../dist/train/trainer.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    steps: { type: 'string', default: '20' },
    batch: { type: 'string', default: '1' },
    engine: { type: 'string', default: 'torch' },
    beside: { type: 'string', default: 'native' },
    threads: { type: 'string', default: '1' },
  },
});
const five = {
  'sudoku-extreme-paper': experiment('sudoku-extreme-paper'),
  'sudoku-extreme-paper, attention': variantExperiment(experiment('sudoku-extreme-paper'), variant('trm-attention')),
  'maze-hard-paper': experiment('maze-hard-paper'),
  'arc1-paper': experiment('arc1-paper'),
  'arc2-paper': experiment('arc2-paper'),
};
if (values.only !== undefined && !(values.only in five)) {
  console.error(`error: --only: expected one of ${Object.keys(five).join('; ')}, got ${values.only}`);
  process.exit(2);
}

/** The mean answer loss of every step. */
async function losses({ model, training }, train, engine, steps) {
  const device = engine === 'torch' ? { torch: { device: 'cpu' } } : {};
  const made = await createEngine(model, { engine, precision: 'float32', threads: Number(values.threads), ...device });
  const trainer = new Trainer(made, train, training, 0);
  try {
    await trainer.start();
    const all = [];
    for (let step = 0; step < steps; step++) all.push((await trainer.trainStep()).answerLoss / training.batchSize);
    return { all, engine: made.description };
  } finally {
    trainer.dispose();
    made.dispose();
  }
}

for (const [name, whole] of Object.entries(five).filter(([each]) => (values.only ?? each) === each)) {
  const small = change(whole, { training: { batchSize: Number(values.batch), steps: Number(values.steps) } });
  const { train } = await loadTask(small.task);
  const started = performance.now();
  const { all, engine } = await losses(small, train, values.engine, small.training.steps);
  const minutes = (performance.now() - started) / 60_000;
  const [other] = (await losses(small, train, values.beside, 1)).all;
  const difference = Math.abs(all[0] - other) / other;
  console.log(
    `${name}: ${(describe(small.model).parameters / 1e6).toFixed(1)} M parameters, ` +
      `${small.model.puzzleIds} puzzle ids, batch ${small.training.batchSize}, ${engine}: ` +
      `${all.length} steps in ${minutes.toFixed(1)} min; ` +
      `first loss ${all[0].toFixed(6)}, ${values.beside} ${other.toFixed(6)} ` +
      `(${difference.toExponential(1)} apart); ` +
      `losses ${all.map((loss) => loss.toFixed(3)).join(' ')}`,
  );
  // float32 sums in another order, through at most 42 layers.
  if (!all.every(Number.isFinite) || !(difference < 1e-4)) process.exitCode = 1;
}
