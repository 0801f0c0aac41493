/** TensorFlow.js and the fastest of its backends that loads on this machine. */
import { createRequire } from 'node:module';
import path from 'node:path';
import util from 'node:util';
import type * as tfjs from '@tensorflow/tfjs';
import { InputError } from '../../errors.js';

const require = createRequire(import.meta.url);

/** TensorFlow.js, one instance for the whole process. Its banner about the slow backend would be untrue here. */
export const tf: typeof tfjs = quietly(() => require('@tensorflow/tfjs') as typeof tfjs);

/** A backend of TensorFlow.js. */
export type Backend = 'tensorflow' | 'wasm' | 'cpu';

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

let wasmComplete = false;

/** The wasm backend multiplies transposed matrices a dozen times slower than others: transpose them first. */
function completeWasm(): void {
  if (wasmComplete) return;
  wasmComplete = true;
  const product = tf.getKernel('BatchMatMul', 'wasm');
  const transpose = tf.getKernel('Transpose', 'wasm');
  if (product === undefined || transpose === undefined)
    throw new Error('the wasm backend has no BatchMatMul or Transpose');
  type Info = Parameters<typeof product.kernelFunc>[0];
  const swapped = (x: Info['inputs'][string], backend: unknown): tfjs.TensorInfo => {
    const rank = x?.shape.length ?? 0;
    const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
    return transpose.kernelFunc({ inputs: { x }, backend, attrs: { perm } } as Info) as tfjs.TensorInfo;
  };
  tf.unregisterKernel('BatchMatMul', 'wasm');
  tf.registerKernel({
    kernelName: 'BatchMatMul',
    backendName: 'wasm',
    kernelFunc: ({ inputs, backend, attrs }) => {
      const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean };
      const a = transposeA ? swapped(inputs['a'], backend) : inputs['a'];
      const b = transposeB ? swapped(inputs['b'], backend) : inputs['b'];
      const result = product.kernelFunc({
        inputs: { a, b },
        backend,
        attrs: { transposeA: false, transposeB: false },
      } as unknown as Info);
      const { disposeData } = backend as { disposeData(dataId: object): void };
      if (transposeA) disposeData.call(backend, a!.dataId);
      if (transposeB) disposeData.call(backend, b!.dataId);
      return result;
    },
  });
}

/** Runs a load step without the greetings that TensorFlow.js prints. */
function quietly<Result>(load: () => Result): Result {
  const { warn, log } = console;
  console.warn = console.log = () => undefined;
  try {
    return load();
  } finally {
    Object.assign(console, { warn, log });
  }
}
