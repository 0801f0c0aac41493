/** Loads the compiled part of the native engine, declares its interface, and says why it may be missing. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { InputError } from '../../errors.js';
import { projectRoot } from '../../files.js';
import type { Precision, UpdateRequest } from '../engine.js';

/** The addon's results of a step; arrays that were not asked for are empty. */
export interface StepReply {
  readonly predictions: Int32Array;
  readonly haltLogits: Float32Array;
  readonly continueLogits: Float32Array;
  readonly logits: Float32Array;
  readonly answerLoss: Float64Array;
  readonly haltLoss: Float64Array;
  readonly continueLoss: Float64Array;
  readonly continueTargets: Float32Array;
}

/** The addon's engine: flat arguments, tensors and latents by number (lib/engine/native/crate/src/binding.rs). */
export interface AddonEngine {
  tensorNames(): string[];
  createState(batch: number): number;
  disposeState(state: number): void;
  dispose(): void;
  readLatent(state: number, latent: number): Float32Array;
  writeLatent(state: number, latent: number, values: Float32Array): void;
  readTensor(kind: number, index: number): Float32Array;
  writeTensor(kind: number, index: number, values: Float32Array): void;
  readPuzzleGradients(): Float32Array;
  update(spec: UpdateRequest & { readonly count: number }): void;
  infer(
    state: number,
    tokens: Int32Array,
    puzzleIds: Int32Array,
    reset: Uint8Array,
    averaged: boolean,
    wantLogits: boolean,
  ): Promise<StepReply>;
  train(
    state: number,
    tokens: Int32Array,
    puzzleIds: Int32Array,
    reset: Uint8Array,
    labels: Int32Array,
    last: Uint8Array,
    softmax: boolean,
    wantLogits: boolean,
  ): Promise<StepReply>;
}

interface Addon {
  levels(): string[];
  productPeak(level: string, threads: number): number;
  readonly NativeEngine: new (spec: object, level: string, threads: number) => AddonEngine;
}

/** Instruction levels, the most capable first. */
export const levels = ['amx', 'avx512bf16', 'avx512', 'avx2', 'portable'] as const;
export type Level = (typeof levels)[number];

/** Levels whose products take bfloat16 operands. */
const bf16Levels: readonly Level[] = ['amx', 'avx512bf16'];

let loaded: Addon | string | undefined;

/** The addon, loaded once, or the reason why it does not load. */
function load(): Addon | string {
  if (loaded !== undefined) return loaded;
  const file = path.join(projectRoot(), 'lib', 'engine', 'native', 'trm_native.node');
  if (!existsSync(file)) return 'its addon is not built (npm run setup builds it where Rust is installed)';
  try {
    loaded = createRequire(import.meta.url)(file) as Addon;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    loaded = `its addon does not load: ${error.message.split('\n')[0] ?? ''}`;
  }
  return loaded;
}

/** Why the native engine cannot be used, or undefined if it can. */
export function whyUnavailable(): string | undefined {
  const addon = load();
  return typeof addon === 'string' ? addon : undefined;
}

/** The addon. Throws InputError if it is not available. */
export function loadAddon(): Addon {
  const addon = load();
  if (typeof addon === 'string') throw new InputError(`the native engine is not available: ${addon}`);
  return addon;
}

/** Levels that this CPU supports, the most capable first. */
export function detectedLevels(): Level[] {
  const names = loadAddon().levels();
  return levels.filter((level) => names.includes(level));
}

/**
 * The fastest of a processor's levels, given most capable first. In vectors, Intel's processors multiply bfloat16
 * slower than float32 (docs/results.md, Speed).
 */
export function fastestLevel(detected: readonly Level[], processor: string): Level | undefined {
  const [first, second] = detected;
  return first === 'avx512bf16' && processor.includes('Intel') ? second : first;
}

/**
 * The level to compute at, limited by TRM_LAB_ISA to the level it names. float32 never takes a bfloat16 level; bf16
 * takes the best bfloat16 level, auto the level that TRM_LAB_ISA names or else the fastest.
 * Throws InputError if the variable names no level of this CPU, or if bf16 has no level to use.
 */
export function chooseLevel(precision: Precision | 'auto'): { readonly level: Level; readonly precision: Precision } {
  const forced = process.env['TRM_LAB_ISA'] ?? '';
  const detected = detectedLevels();
  if (forced !== '' && !detected.includes(forced as Level))
    throw new InputError(`TRM_LAB_ISA: expected one of ${detected.join(', ')} on this CPU, got ${forced}`);
  const allowed = forced === '' ? detected : detected.slice(detected.indexOf(forced as Level));
  const fitting = allowed.filter((level) => bf16Levels.includes(level) === (precision === 'bf16'));
  const automatic = forced === '' ? fastestLevel(detected, os.cpus()[0]?.model ?? '') : allowed[0];
  const level = precision === 'auto' ? automatic : fitting[0];
  if (level === undefined)
    throw new InputError(
      `precision bf16: expected a CPU with ${bf16Levels.join(' or ')}, got one with ${allowed.join(', ')}; ` +
        'use --precision float32',
    );
  return { level, precision: bf16Levels.includes(level) ? 'bf16' : 'float32' };
}

/** Threads of a step by default: one per core. */
export function defaultThreads(): number {
  return os.availableParallelism();
}

/** What `doctor` reports on the native engine. */
export interface NativeInfo {
  /** The level that `auto` computes at. */
  readonly level: Level;
  readonly levels: readonly Level[];
  readonly threads: number;
  /** GFLOP/s of products with operands in the L1 cache, with all threads, at `level`. */
  readonly peakGflops: number;
}

/** The levels of this CPU, and its product peak, which takes a third of a second to measure. */
export function nativeInfo(): NativeInfo {
  const { level } = chooseLevel('auto');
  const threads = defaultThreads();
  return { level, levels: detectedLevels(), threads, peakGflops: loadAddon().productPeak(level, threads) };
}
