/** Checkpoints saved by torch.save. */
import { InputError } from '../errors.js';
import type { Bytes } from './bytes.js';
import type { TensorHandle } from './tensor-data.js';

export function isPyTorchFile(bytes: Bytes): boolean {
  return bytes.size >= 4 && bytes.read(0, 2).join() === '80,75';
}

export function listPyTorch(bytes: Bytes): ReadonlyMap<string, TensorHandle> {
  throw new InputError(`${bytes.name}: PyTorch checkpoints cannot be read yet`);
}
