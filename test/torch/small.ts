/** What these tests share: a small model with odd sizes, its batches, and a look at the worker processes. */
import { execFileSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import type { TrainRequest, UpdateRequest } from '../../lib/engine/engine.js';
import { workerFile } from '../../lib/engine/torch/worker.js';
import { paperConfig, type ModelConfig } from '../../lib/model/config.js';
import { Random } from '../../lib/random.js';

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

/** A batch with ignored labels and puzzles that share rows; seats are new at step 0 only. */
export function request(config: ModelConfig, batchSize: number, step: number): TrainRequest {
  const random = new Random(step);
  const tokens = Int32Array.from({ length: batchSize * config.sequenceLength }, () => random.integer(config.vocabSize));
  return {
    tokens,
    labels: tokens.map((token, i) => (i % 5 === 1 ? -100 : (token * 3 + 1) % config.vocabSize)),
    puzzleIds: Int32Array.from({ length: batchSize }, (_, seat) => (seat + step) % config.puzzleIds),
    reset: new Uint8Array(batchSize).fill(step === 0 ? 1 : 0),
    last: Uint8Array.from({ length: batchSize }, (_, seat) => seat % 2),
    loss: 'stablemax',
  };
}

/** Root mean square of the difference, relative to that of the second. */
export function distance(mine: Float32Array, theirs: Float32Array): number {
  const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return norm(mine.map((value, i) => value - theirs[i]!)) / Math.max(norm(theirs), 1e-9);
}

/** Processes that run this checkout's worker, torchrun's among them: their ids and command lines. */
export function workers(): { readonly pid: number; readonly line: string }[] {
  return execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(workerFile))
    .map((line) => ({ pid: Number(/^\s*(\d+)/.exec(line)?.[1]), line }));
}

/** Waits until no process runs the worker; returns those that still do after `seconds`. */
export async function left(seconds = 30): Promise<string[]> {
  for (let tries = 0; workers().length > 0 && tries < seconds * 10; tries++) await setTimeout(100);
  return workers().map(({ line }) => line);
}
