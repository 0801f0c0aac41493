// The models that are measured; the inner sizes of SwiGLU are rounded up to 256, as the reference's are.
import { paperConfig } from '../dist/model/config.js';
import { Random } from '../dist/random.js';

const attention = { mixer: 'attention', positions: 'rotary' };
const sized = (hiddenSize, sequenceLength, puzzlePrefix, vocabSize, changes = {}) => ({
  ...paperConfig,
  hiddenSize,
  sequenceLength,
  puzzlePrefix,
  vocabSize,
  puzzleEmbeddingSize: hiddenSize,
  ...changes,
});

export const cases = {
  a: { batchSize: 64, config: sized(64, 36, 1, 8) },
  b: { batchSize: 32, config: sized(128, 81, 1, 11) },
  c: { batchSize: 16, config: sized(512, 81, 16, 11) },
  d: { batchSize: 16, config: sized(512, 81, 16, 11, attention) },
  e: { batchSize: 4, config: sized(128, 900, 16, 12, { ...attention, heads: 4 }) },
};

/** The batch of a case: random tokens and labels, every seat new. */
export function drawBatch({ batchSize, config }) {
  const random = new Random(1);
  const draw = () =>
    Int32Array.from({ length: batchSize * config.sequenceLength }, () => 1 + random.integer(config.vocabSize - 1));
  return {
    tokens: draw(),
    labels: draw(),
    puzzleIds: new Int32Array(batchSize),
    reset: new Uint8Array(batchSize).fill(1),
    last: new Uint8Array(batchSize),
    loss: 'stablemax',
  };
}
