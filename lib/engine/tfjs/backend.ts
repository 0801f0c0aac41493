/** Loads the fastest backend of TensorFlow.js that works on this machine, and makes the engine on it. */
import { createRequire } from 'node:module';
import path from 'node:path';
import util from 'node:util';
import type * as tfjs from '@tensorflow/tfjs';
import type { ModelConfig } from '../../model/config.js';
import { InputError } from '../../errors.js';
import type { Engine } from '../engine.js';
import { activationBudget } from '../checks.js';
import { TfjsEngine } from './engine.js';
import type { Block } from './block.js';
import { completeWasm } from './wasm.js';

const require = createRequire(import.meta.url);

/** TensorFlow.js, one instance per process, loaded without a banner. */
export const tf: typeof tfjs = quietly(() => require('@tensorflow/tfjs') as typeof tfjs);

/** A backend of TensorFlow.js. */
export type Backend = 'tensorflow' | 'wasm' | 'cpu';

/** Makes the engine. Throws InputError if the backend asked for does not load. */
export async function createTfjsEngine(
  config: ModelConfig,
  options: { readonly backend?: Backend | 'auto'; readonly block?: Block | undefined } = {},
): Promise<Engine> {
  return new TfjsEngine(config, await loadBackend(options.backend ?? 'auto'), activationBudget, options.block);
}

/**
 * Makes a backend the current one and returns its name: tensorflow if tfjs-node loads, else wasm, else cpu.
 * Throws InputError if the one asked for does not load.
 */
export async function loadBackend(want: Backend | 'auto' = 'auto'): Promise<Backend> {
  const candidates: readonly Backend[] = want === 'auto' ? ['tensorflow', 'wasm', 'cpu'] : [want];
  const reasons: string[] = [];
  for (const backend of candidates) {
    try {
      if (backend === 'tensorflow') loadTensorflow();
      if (backend === 'wasm') loadWasm();
      if (await tf.setBackend(backend)) {
        if (backend === 'wasm') completeWasm();
        return backend;
      }
      reasons.push(`${backend}: refused to start`);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      reasons.push(`${backend}: ${error.message.split('\n')[0] ?? ''}`);
    }
  }
  throw new InputError(
    `tfjs backend ${want} does not load (${reasons.join('; ')}); run npm run setup, or choose another --backend`,
  );
}

/** Writes scalars for TensorBoard. */
export interface ScalarWriter {
  scalar(name: string, value: number, step: number): void;
  flush(): void;
}

/** Opens TensorFlow's writer of event files on a folder. Throws InputError if tfjs-node does not load. */
export async function tensorflowWriter(): Promise<(folder: string) => ScalarWriter> {
  await loadBackend('tensorflow');
  const { node } = require('@tensorflow/tfjs-node') as {
    readonly node: { summaryFileWriter(folder: string): ScalarWriter };
  };
  return (folder) => node.summaryFileWriter(folder);
}

function loadTensorflow(): void {
  // tfjs-node 4.22 calls two functions that newer versions of Node have dropped.
  const legacy = util as unknown as Record<string, unknown>;
  legacy['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  legacy['isArray'] ??= Array.isArray;
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '1';
  quietly(() => require('@tensorflow/tfjs-node') as unknown);
}

function loadWasm(): void {
  const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
  wasm.setWasmPaths(`${path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}${path.sep}`);
}

/** Runs `load` without the banner that TensorFlow.js prints. */
function quietly<Result>(load: () => Result): Result {
  const { warn, log } = console;
  console.warn = console.log = () => undefined;
  try {
    return load();
  } finally {
    Object.assign(console, { warn, log });
  }
}
