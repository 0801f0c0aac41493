/** Checks of the ranks before they start: their number, whether they share a batch evenly, and their memory. */
import { InputError } from '../../errors.js';
import { positionsOf, type ModelConfig } from '../../model/config.js';
import { describe } from '../../model/describe.js';
import { buildSchedule } from '../../model/schedule.js';
import type { Precision } from '../engine.js';
import type { WorkerOptions } from './worker.js';

/** Number of ranks on all machines. Throws InputError for arguments that torchrun must not get. */
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

/** Throws InputError unless all ranks get equally many seats. */
export function checkEven(what: string, batchSize: number, ranks: number): void {
  if (batchSize % ranks === 0) return;
  const below = batchSize - (batchSize % ranks);
  const nearest = below === 0 ? `${ranks}` : `${below} or ${below + ranks}`;
  throw new InputError(
    `${what}: expected a batch that ${ranks} ranks share evenly (one a device), got ${batchSize}; ` +
      `set training.batchSize to ${nearest}, or choose another number of --devices`,
  );
}

/** What the ranks that share one memory keep in it. */
export interface Held {
  /** Seats of these ranks together. */
  readonly seats: number;
  readonly ranks: number;
  readonly learning: boolean;
  readonly precision: Precision;
  readonly compiled: boolean;
}

/**
 * Lower bound of the bytes of tensors: weights of every rank, latents before and after a step, and activations kept for
 * the backward pass. As measured on a CPU in eager mode, attention keeps what `describe` says, an MLP over positions
 * half as much again (not counted). bfloat16 halves this; a compiled network is assumed to keep half.
 */
export function torchBytes(config: ModelConfig, { seats, ranks, learning, precision, compiled }: Held): number {
  const { weightBytes, activationBytes } = describe(config, { batchSize: 1 });
  const number = precision === 'bf16' ? 2 : 4;
  const latents = 2 * number * positionsOf(config) * config.hiddenSize * buildSchedule(config).latents.length;
  const kept = learning ? (activationBytes * number) / 4 / (compiled ? 2 : 1) : 0;
  return ranks * weightBytes + seats * (latents + kept);
}
