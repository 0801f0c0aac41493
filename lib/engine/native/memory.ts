/**
 * What memory the native engine takes, as a formula; test/engine/native.test.ts holds it to the process's own count.
 */
import { innerSize, positionsOf, type ModelConfig } from '../../model/config.js';
import { parameterSpecs, sizeOf } from '../../model/parameters.js';
import { buildSchedule } from '../../model/schedule.js';
import type { Level } from './addon.js';

/** Columns of a product's panel: sizes are padded to it. */
const panels: Readonly<Record<Level, number>> = { amx: 32, avx512bf16: 32, avx512: 32, avx2: 16, portable: 8 };
/** Rows of activations that a thread works on at a time (crate/src/engine.rs). */
const groupRows = 384;

/** Bytes, apart from Node's own. */
export interface NativeMemory {
  /** Values, averages, two moments and gradients; the puzzle table once. */
  readonly parameters: number;
  /** Operands in the products' layouts: forward and backward, and forward again for the average. */
  readonly packed: number;
  /** Latents of `states` states. */
  readonly latents: number;
  /**
   * One thread: its gradient sums, what calls with gradient keep for the backward pass,
   * and intermediates of one call.
   */
  readonly perThread: number;
  readonly total: number;
}

/** What training and evaluating take; nothing grows with the number of steps. */
export function nativeMemory(
  config: ModelConfig,
  {
    level,
    threads,
    batchSize,
    states = 1,
  }: { readonly level: Level; readonly threads: number; readonly batchSize: number; readonly states?: number },
): NativeMemory {
  const panel = panels[level];
  const operand = level === 'amx' || level === 'avx512bf16' ? 2 : 4;
  const padded = (size: number): number => Math.ceil(size / panel) * panel;
  const schedule = buildSchedule(config);
  const specs = parameterSpecs(config).map(({ role, shape }) => ({ role, size: sizeOf(shape) }));
  const trained = specs.filter(({ role }) => role === 'trained').reduce((sum, { size }) => sum + size, 0);
  const others = specs.filter(({ role }) => role !== 'trained').reduce((sum, { size }) => sum + size, 0);
  const matrices = trained - 2 * config.vocabSize * config.hiddenSize;

  const S = positionsOf(config);
  const D = padded(config.hiddenSize);
  const seats = Math.ceil(batchSize / threads);
  // Samples that go through the schedule together.
  const group = Math.min(seats, Math.max(1, Math.floor(groupRows / S)));
  const rows = group * S;
  const inner = rows * padded(innerSize(config, config.hiddenSize));
  const mixed = group * padded(innerSize(config, S)) * D; // inner values of the SwiGLU over positions
  const mlp = config.mixer === 'mlp';
  // A call with gradient keeps, a layer: two inputs; gates and ups over channels;
  // gates and ups over positions, or queries, keys, values and results.
  const kept = config.layers * (2 * rows * D + 2 * inner + (mlp ? 2 * mixed : 4 * rows * D)) + rows * D;
  // Intermediates forwards and backwards: six times the inner values of each SwiGLU; layouts of inputs and derivatives.
  const passing = 6 * inner + 3 * rows * D + (mlp ? 6 * mixed + 3 * rows * D : 8 * rows * D + 6 * 48 * padded(S));
  const gradientCalls = schedule.calls.filter(({ gradient }) => gradient).length;
  const floats =
    rows *
      D *
      (2 * schedule.latents.length + 4 + (config.halting === 'halt-or-continue' ? schedule.latents.length : 0)) +
    2 * group * config.sequenceLength * config.vocabSize;

  const parameters = 4 * (5 * trained + others);
  const packed = 3 * operand * matrices;
  const latents = 4 * states * batchSize * S * config.hiddenSize * schedule.latents.length;
  const perThread = 4 * (trained + floats) + operand * (kept * (gradientCalls + 1 / config.layers) + passing);
  return {
    parameters,
    packed,
    latents,
    perThread,
    total: parameters + packed + latents + Math.min(threads, batchSize) * perThread,
  };
}
