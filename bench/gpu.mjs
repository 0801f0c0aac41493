// What a GPU is worth to the torch engine: fixtures, times of the paper's models and batches, a small training.
// bench/gpu.sh runs it. Every part is written as soon as it is measured, so that a time limit costs only what comes
// after it.
import { readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createTorchEngine } from '../dist/engine/torch/engine.js';
import { experiment } from '../dist/experiment/experiments.js';
import { change } from '../dist/experiment/experiment.js';
import { runExperiment } from '../dist/experiment/run.js';
import { writeFileAtomic } from '../dist/write-file.js';
import { describe } from '../dist/model/describe.js';
import { initialParameters } from '../dist/model/parameters.js';
import { Random } from '../dist/random.js';
import { checkReference } from '../dist/train/reference-check.js';
import { paperTraining, updateRequest } from '../dist/train/options.js';
import { cases, drawBatch } from './cases.mjs';

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'cuda' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string', default: path.join(import.meta.dirname, 'results', 'gpu.json') },
  },
});
const { device, quick, out } = values;
// Where others compute beside it, two threads that wait for each other are slower than one.
const threads = quick ? 1 : undefined;
const record = { device, quick, node: process.version, cpu: os.cpus()[0]?.model, fixtures: [], peak: null, times: [] };
const save = () => writeFileAtomic(out, `${JSON.stringify(record, null, 1)}\n`);

const folder = path.join(import.meta.dirname, '..', 'test', 'reference');
const fixtures = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
for (const name of quick ? fixtures.slice(-1) : fixtures) {
  const make = (config) => createTorchEngine(config, { device, threads, precision: 'float32', compile: false });
  const { passed, engine } = await checkReference(path.join(folder, name), make);
  record.engine = engine;
  record.fixtures.push({ name, passed });
  console.error(`${passed ? 'ok  ' : 'FAIL'} ${name} on ${engine}`);
}
save();

const experimentCase = (name, batchSize) => ({ config: experiment(name).model, batchSize });
const measured = quick
  ? { a: cases.a }
  : {
      c: cases.c,
      d: cases.d,
      'sudoku-extreme-paper': experimentCase('sudoku-extreme-paper', 768),
      'maze-hard-paper': experimentCase('maze-hard-paper', 768),
      'arc1-paper': experimentCase('arc1-paper', 768),
    };
for (const [name, { batchSize, config: whole }] of Object.entries(measured)) {
  // A table of a million puzzles is not what is timed here.
  const config = { ...whole, puzzleIds: Math.min(whole.puzzleIds, 1000) };
  for (const compile of quick ? [false] : [false, true]) {
    const row = { case: name, batchSize, mode: compile ? 'compiled' : 'eager' };
    try {
      Object.assign(row, await timed(config, batchSize, compile));
    } catch (error) {
      row.error = error.message; // most likely its memory: the next case may fit
    }
    record.times.push(row);
    console.error(JSON.stringify(row));
    save();
  }
}

const small = experiment('sudoku-6x6');
const started = performance.now();
const { engine, record: run } = await runExperiment(
  quick ? change(small, { training: { steps: 5 }, evaluation: { every: 0, finalPuzzles: 20 } }) : small,
  { engine: { engine: 'torch', threads, torch: { device } }, folder: path.join(os.tmpdir(), `gpu-day-${process.pid}`) },
);
record.training = {
  experiment: small.name,
  steps: run.steps,
  seconds: (performance.now() - started) / 1000,
  exactAccuracy: run.evaluations.at(-1)?.exactAccuracy.at(-1),
};
engine.dispose();
save();
console.log(JSON.stringify(record, null, 1));
process.exitCode = record.fixtures.every(({ passed }) => passed) ? 0 : 1;

/** Training and thinking steps of one model: the least of a few, after those that compile and warm up. */
async function timed(config, batchSize, compile) {
  const engine = await createTorchEngine(config, { device, threads, compile });
  try {
    record.peak ??= await engine.productPeak(quick ? 512 : 8192);
    await engine.writeTensors('parameters', initialParameters(config, new Random(0)));
    const batch = drawBatch({ batchSize, config });
    const [learning, thinking] = [engine.createState(batchSize), engine.createState(batchSize)];
    const [train, infer] = [[], []];
    const rounds = quick ? 2 : 8;
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      await engine.trainStep(learning, batch);
      await engine.update(updateRequest(round + 1, paperTraining));
      await engine.peakMemory(); // waits until the update is done
      const middle = performance.now();
      await engine.inferStep(thinking, { ...batch, weights: 'average' });
      train.push(middle - start);
      infer.push(performance.now() - middle);
    }
    const trainMs = Math.min(...train.slice(1));
    const flopPerSecond = describe(config, { batchSize }).flopPerTrainingStep / (trainMs / 1000);
    return {
      engine: engine.description,
      precision: engine.precision,
      firstMs: train[0],
      trainMs,
      inferMs: Math.min(...infer.slice(1)),
      flopPerSecond,
      shareOfPeak: flopPerSecond / record.peak,
      peakMemory: await engine.peakMemory(),
    };
  } finally {
    engine.dispose();
  }
}
