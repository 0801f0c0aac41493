/** Makes the wasm backend of TensorFlow.js fast. */
import * as tf from '@tensorflow/tfjs-core';

let wasmComplete = false;

/** Transposes matrices before a product: the wasm backend's own transposed product is a dozen times slower. */
export function completeWasm(): void {
  if (wasmComplete) return;
  wasmComplete = true;
  const product = tf.getKernel('BatchMatMul', 'wasm');
  const transpose = tf.getKernel('Transpose', 'wasm');
  if (product === undefined || transpose === undefined)
    throw new Error('the wasm backend has no BatchMatMul or Transpose');
  type Info = Parameters<typeof product.kernelFunc>[0];
  const swapped = (x: Info['inputs'][string], backend: unknown): tf.TensorInfo => {
    const rank = x?.shape.length ?? 0;
    const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
    return transpose.kernelFunc({ inputs: { x }, backend, attrs: { perm } } as Info) as tf.TensorInfo;
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
