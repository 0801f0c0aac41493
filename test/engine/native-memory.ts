/** Run as a process: trains and thinks with the model given, and tells by how many bytes that made it grow. */
import { createNativeEngine } from '../../lib/engine/native/engine.js';
import type { ModelConfig } from '../../lib/model/config.js';
import { initialParameters } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';

const config = JSON.parse(process.argv[2] ?? '') as ModelConfig;
const batchSize = 8;
const parameters = initialParameters(config, new Random(1));
const warm = createNativeEngine(
  { ...config, hiddenSize: 32, heads: 2, puzzleEmbeddingSize: 32 },
  { precision: 'float32', threads: 2 },
);
warm.createState(1).dispose();
const before = process.memoryUsage().rss;
const engine = createNativeEngine(config, { precision: 'float32', threads: 2 });
await engine.writeTensors('parameters', parameters);
const [learning, thinking] = [engine.createState(batchSize), engine.createState(batchSize)];
const tokens = new Int32Array(batchSize * config.sequenceLength).fill(1);
const request = { tokens, puzzleIds: new Int32Array(batchSize), reset: new Uint8Array(batchSize).fill(1) };
for (let step = 0; step < 2; step++) {
  await engine.trainStep(learning, { ...request, labels: tokens, last: new Uint8Array(batchSize), loss: 'stablemax' });
  await engine.update({
    optimizer: 'adam-atan2',
    learningRate: 1e-4,
    weightDecay: 0.1,
    beta1: 0.9,
    beta2: 0.95,
    puzzleLearningRate: 1e-4,
    puzzleWeightDecay: 0.1,
    emaRate: 0.9,
  });
  await engine.inferStep(thinking, { ...request, weights: 'average' });
}
process.send?.(process.resourceUsage().maxRSS * 1024 - before, () => process.disconnect());
