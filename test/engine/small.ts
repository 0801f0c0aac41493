/** What the tests of engines share: a small model, an update, and batches. */
import type { TrainRequest, UpdateRequest } from '../../lib/engine/engine.js';
import { paperConfig, type ModelConfig } from '../../lib/model/config.js';
import { Random } from '../../lib/random.js';

/** Odd sizes everywhere, so that every kernel meets its edges. */
export const odd: ModelConfig = {
  ...paperConfig,
  hiddenSize: 44,
  heads: 2,
  expansion: 2,
  innerMultiple: 1,
  sequenceLength: 13,
  puzzlePrefix: 2,
  puzzleEmbeddingSize: 51,
  puzzleIds: 3,
  vocabSize: 7,
  latentRecursions: 2,
};

export const update: UpdateRequest = {
  optimizer: 'adam-atan2',
  learningRate: 1e-3,
  weightDecay: 0.1,
  beta1: 0.9,
  beta2: 0.95,
  puzzleLearningRate: 1e-3,
  puzzleWeightDecay: 0.1,
  emaRate: 0.9,
};

/** A batch drawn by the seed, every seat new: some labels are ignored. */
export function request(config: ModelConfig, batchSize: number, seed: number): TrainRequest {
  const random = new Random(seed);
  const tokens = Int32Array.from({ length: batchSize * config.sequenceLength }, () => random.integer(config.vocabSize));
  return {
    tokens,
    labels: tokens.map((token, i) => (i % 5 === 1 ? -100 : (token * 3 + 1) % config.vocabSize)),
    puzzleIds: Int32Array.from({ length: batchSize }, (_, seat) => seat % config.puzzleIds),
    reset: new Uint8Array(batchSize).fill(1),
    last: new Uint8Array(batchSize),
    loss: 'stablemax',
  };
}
