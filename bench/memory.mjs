// Does memory stay flat over a long training? Trains case a of bench/cases.mjs and watches the process's resident
// memory.
//   node bench/memory.mjs [--steps=10000] [--batch=64] [--threads=N] [--write]
// A step of batch 64 takes 0.05 to 0.5 s; a smaller batch walks through the same code and the same buffers more often.
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createEngine } from '../dist/engine/create.js';
import { writeFileAtomic } from '../dist/write-file.js';
import { initialParameters } from '../dist/model/parameters.js';
import { Random } from '../dist/random.js';
import { paperTraining, updateRequest } from '../dist/train/options.js';
import { cases, drawBatch } from './cases.mjs';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '10000' },
    batch: { type: 'string', default: '64' },
    threads: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const [steps, batchSize] = [Number(values.steps), Number(values.batch)];
if (!(Number.isInteger(steps) && steps >= 20 && Number.isInteger(batchSize) && batchSize >= 1))
  throw new Error(`--steps, --batch: expected whole numbers from 20 and 1, got ${values.steps} and ${values.batch}`);
const threads = values.threads === undefined ? os.availableParallelism() : Number(values.threads);

const { config } = cases.a;
const engine = await createEngine(config, { engine: 'native', threads });
await engine.writeTensors('parameters', initialParameters(config, new Random(0)));
const batch = drawBatch({ batchSize, config });
const update = updateRequest(paperTraining.warmupSteps, paperTraining); // the paper's, at its full rate
const state = engine.createState(batchSize);
const mebibytes = [];
const started = performance.now();
for (let step = 1; step <= steps; step++) {
  await engine.trainStep(state, batch);
  await engine.update(update);
  if (step % Math.floor(steps / 20) !== 0) continue;
  mebibytes.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
  const seconds = (performance.now() - started) / 1000;
  console.error(
    `${step}/${steps} steps: ${mebibytes.at(-1)} MiB; ${(step / seconds).toFixed(1)} steps/s, ` +
      `${Math.ceil(((steps - step) * seconds) / step)} s left`,
  );
}
// The first tenth is the garbage collector finding its size.
const settled = mebibytes.slice(2);
const [first, second] = [settled.slice(0, 9), settled.slice(-9)].map((part) => Math.max(...part));
console.log(
  `case a, batch ${batchSize}, ${steps} steps: at most ${first} MiB in the first half, ${second} MiB in the second`,
);
if (values.write) {
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), 'results', 'memory.json');
  writeFileAtomic(
    file,
    `${JSON.stringify({
      command: `node bench/memory.mjs ${process.argv.slice(2).join(' ')}`,
      cpu: os.cpus()[0]?.model.trim(),
      engine: engine.description,
      batchSize,
      steps,
      mebibytes,
    })}\n`,
  );
}
engine.dispose();
process.exitCode = second > 1.1 * first ? 1 : 0;
