/** What is known of the ranks before any of them starts: how many share a batch, evenly or not, and their memory. */
import { InputError } from '../../errors.js';
import { positionsOf, type ModelConfig } from '../../model/config.js';
import { describe } from '../../model/describe.js';
import type { Precision } from '../engine.js';
import type { WorkerOptions } from './worker.js';

/** Ranks of all machines together. Throws InputError for words that torchrun must not be given. */
export function rankCount({ devices = 1, torchrun = '' }: WorkerOptions): number {
  const words = torchrun.trim().split(/[\s=]+/);
  const of = (name: string): string | undefined => {
    const at = words.findIndex((word) => word.replaceAll('_', '-') === `--${name}`);
    return at < 0 ? undefined : (words[at + 1] ?? '');
  };
  const processes = of('nproc-per-node');
  if (processes !== undefined)
    throw new InputError(`--torchrun: expected no --nproc-per-node, got ${processes}; say --devices ${processes}`);
  const nodes = of('nnodes') ?? '1';
  if (!/^[1-9]\d*$/.test(nodes))
    throw new InputError(`--torchrun: expected a fixed number of nodes, such as --nnodes=2, got --nnodes=${nodes}`);
  return devices * Number(nodes);
}

/** Throws InputError unless every rank gets as many seats as every other. */
export function checkEven(what: string, batchSize: number, ranks: number): void {
  if (batchSize % ranks === 0) return;
  const below = batchSize - (batchSize % ranks);
  const nearest = below === 0 ? `${ranks}` : `${below} or ${below + ranks}`;
  throw new InputError(
    `${what}: expected a batch that ${ranks} ranks share evenly (one a device), got ${batchSize}; ` +
      `set training.batchSize to ${nearest}, or choose another number of --devices`,
  );
}

/** What ranks that share one memory have in it. */
export interface Held {
  /** Of these ranks together. */
  readonly seats: number;
  readonly ranks: number;
  readonly learning: boolean;
  readonly precision: Precision;
  readonly compiled: boolean;
}

/**
 * Least bytes of tensors: weights of every rank, latents before and after a step, and what the backward pass needs.
 * Measured on a CPU, eager: attention keeps what `describe` says, an MLP over positions half as much again.
 * bfloat16 halves that; a compiled network is taken to keep half.
 */
export function torchBytes(config: ModelConfig, { seats, ranks, learning, precision, compiled }: Held): number {
  const { weightBytes, activationBytes } = describe(config, { batchSize: 1 });
  const number = precision === 'bf16' ? 2 : 4;
  const latents = 2 * number * positionsOf(config) * config.hiddenSize * (config.latentCount + 1);
  const kept = learning ? (activationBytes * number) / 4 / (compiled ? 2 : 1) : 0;
  return ranks * weightBytes + seats * (latents + kept);
}
