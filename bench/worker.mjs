// One engine at one level: makes the model of a case, then times a step whenever it is told to.
import { createEngine } from '../dist/engine/create.js';
import { NotFiniteError } from '../dist/engine/engine.js';
import { initialParameters } from '../dist/model/parameters.js';
import { Random } from '../dist/random.js';
import { paperTraining, updateRequest } from '../dist/train/options.js';
import { cases, drawBatch } from './cases.mjs';

const { batchSize, config } = cases[process.argv[2]];
const { BENCH_ENGINE: kind, BENCH_PRECISION: precision, BENCH_COMPILE: compile } = process.env;
const engine = await createEngine(config, {
  engine: kind,
  precision,
  ...(kind === 'torch' ? { torch: { device: 'cpu', compile: compile === 'on' } } : {}),
});
await engine.writeTensors('parameters', initialParameters(config, new Random(0)));
const batch = drawBatch(cases[process.argv[2]]);
const update = updateRequest(paperTraining.warmupSteps, paperTraining); // the paper's, at its full rate
const [learning, thinking] = [engine.createState(batchSize), engine.createState(batchSize)];

async function timed(act) {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

const answers = {
  async start() {
    try {
      const { answerLoss } = await engine.trainStep(learning, batch); // also the warm-up
      await engine.update(update);
      await engine.inferStep(thinking, { ...batch, weights: 'average' });
      return { loss: answerLoss.reduce((sum, loss) => sum + loss, 0) / batchSize };
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      return { loss: null };
    }
  },
  async round() {
    const train = await timed(async () => {
      await engine.trainStep(learning, batch);
      await engine.update(update);
    });
    return { train, infer: await timed(() => engine.inferStep(thinking, { ...batch, weights: 'average' })) };
  },
  // PyTorch's is that of its own process.
  memory: async () => ({
    peakMemory: kind === 'torch' ? (await engine.peakMemory()).host : process.resourceUsage().maxRSS * 1024,
  }),
};
process.on('message', async (question) => process.send(await answers[question]()));
process.on('disconnect', () => process.exit(0));
