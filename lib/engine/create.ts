/** Chooses and makes an engine: by default the native one if it is built, else tfjs; torch only on request. */
import { InputError } from '../errors.js';
import {
  anyObject,
  callback,
  checkFields,
  flag,
  given,
  oneOf,
  optional,
  text,
  whole,
  type FieldCheck,
  type Fields,
} from '../fields.js';
import { describe } from '../model/describe.js';
import type { ModelConfig } from '../model/config.js';
import type { Engine, Precision } from './engine.js';
import { checkMemory } from './memory.js';
import { whyUnavailable } from './native/addon.js';
import type { Block } from './tfjs/block.js';
import { createNativeEngine } from './native/engine.js';
import { createTorchEngine, type TorchOptions } from './torch/engine.js';

/** Which engine to make. All fields are optional. */
export interface EngineOptions {
  /** auto: native if its addon is built and loads, else tfjs, never torch. Default auto. */
  readonly engine?: 'auto' | 'native' | 'tfjs' | 'torch' | undefined;
  /** For native and torch. auto: bf16 where the CPU or GPU multiplies it faster, else float32. Default auto. */
  readonly precision?: 'auto' | Precision | undefined;
  /** CPU threads of native and torch; tfjs leaves them to its backend. Default: one per core. */
  readonly threads?: number | undefined;
  /** tfjs only. auto: tensorflow if tfjs-node loads, else wasm, else cpu. Default auto. */
  readonly backend?: 'auto' | 'tensorflow' | 'wasm' | 'cpu' | undefined;
  /** tfjs only: your own network block, in tfjs ops; engine auto then means tfjs. Default: the kit's. */
  readonly block?: Block | undefined;
  /** torch only: what it computes on. */
  readonly torch?: Pick<TorchOptions, 'device' | 'devices' | 'torchrun' | 'compile'> | undefined;
}

/** The check of each option. */
const engineFields: Fields<EngineOptions> = {
  engine: optional(oneOf('auto', 'native', 'tfjs', 'torch')),
  precision: optional(oneOf('auto', 'float32', 'bf16')),
  threads: optional(whole(1, 256)),
  backend: optional(oneOf('auto', 'tensorflow', 'wasm', 'cpu')),
  block: optional(callback),
  torch: optional(anyObject),
};

/** The check of a device's name. */
export const torchDevice: FieldCheck = (value) =>
  /^(auto|cpu|mps|(cuda|xpu)(:\d+)?)$/.test(String(value)) ? undefined : 'auto, cpu, cuda, cuda:N, xpu, xpu:N or mps';

const torchFields: Fields<NonNullable<EngineOptions['torch']>> = {
  device: optional(torchDevice),
  devices: optional(whole(1, 1024)),
  torchrun: optional(text),
  compile: optional(flag),
};

/** Throws InputError naming what no engine's options can be. Whether the engine is there shows when it is made. */
export function checkEngineOptions(options: EngineOptions): void {
  checkFields('engine options', options, engineFields);
  checkFields('engine options: torch', options.torch ?? {}, torchFields);
}

/** Whether options lead to the tfjs engine, on this machine. */
export function isTfjs({ engine = 'auto', block }: EngineOptions): boolean {
  return block !== undefined || engine === 'tfjs' || (engine === 'auto' && whyUnavailable() !== undefined);
}

/**
 * An engine with all tensors zero; write its parameters next. Throws InputError for options that are unknown or that
 * the engine does not have, if the engine asked for is missing, or if the machine has too little memory for the model.
 */
export async function createEngine(config: ModelConfig, options: EngineOptions = {}): Promise<Engine> {
  checkEngineOptions(options);
  const { engine = 'auto', precision = 'auto', threads, backend = 'auto', block } = options;
  if (block !== undefined && (engine === 'native' || engine === 'torch'))
    throw new InputError(`block: expected the tfjs engine, got ${engine}; only tfjs computes a block of one's own`);
  if (backend !== 'auto' && !isTfjs(options))
    throw new InputError(`backend: expected the tfjs engine with it, got ${engine}; only tfjs has backends`);
  if (engine !== 'torch' && Object.keys(given(options.torch ?? {})).length > 0)
    throw new InputError(`torch: expected the torch engine with it, got ${engine}`);
  // Parameters, average, moments and gradients; twice, since both the engine and this side hold them at the start.
  checkMemory('model', 2 * describe(config).weightBytes, 'use fewer layers or a smaller hidden size');
  if (engine === 'torch') return createTorchEngine(config, { ...options.torch, precision, threads });
  if ((engine === 'tfjs' || block !== undefined) && precision === 'bf16')
    throw new InputError('the tfjs engine computes in float32; use --precision float32, or --engine native');
  if (engine !== 'tfjs' && block === undefined) {
    const missing = whyUnavailable();
    if (missing === undefined) return createNativeEngine(config, { precision, threads });
    if (engine === 'native') throw new InputError(`the native engine is not available: ${missing}`);
    if (precision === 'bf16')
      throw new InputError(
        `precision bf16: expected the native engine, which is not available: ${missing}; use --precision float32`,
      );
  }
  const { createTfjsEngine } = await import('./tfjs/backend.js');
  return createTfjsEngine(config, { backend, block });
}
