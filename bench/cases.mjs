// The models that are measured; the inner sizes of SwiGLU are rounded up to 256, as the reference's are.
import { paperConfig } from '../dist/model/config.js';

const attention = { mixer: 'attention', positions: 'rotary' };
const sized = (hiddenSize, sequenceLength, puzzlePrefix, vocabSize, changes = {}) => ({ ...paperConfig, hiddenSize, sequenceLength, puzzlePrefix, vocabSize, puzzleEmbeddingSize: hiddenSize, ...changes });

export const cases = {
  a: { batchSize: 64, config: sized(64, 36, 1, 8) },
  b: { batchSize: 32, config: sized(128, 81, 1, 11) },
  c: { batchSize: 16, config: sized(512, 81, 16, 11) },
  d: { batchSize: 16, config: sized(512, 81, 16, 11, attention) },
  e: { batchSize: 4, config: sized(128, 900, 16, 12, { ...attention, heads: 4 }) },
};
