/** Reads a model in several files, as large trainers write it: an index says which file holds which tensor. */
import path from 'node:path';
import { show } from '../errors.js';
import { isObject } from '../fields.js';
import { readJson } from '../json.js';
import { failOf, type Bytes, type Fail } from './bytes.js';
import { contentsOf } from './contents.js';
import { checkStorage, isPyTorchFile, readPyTorch } from './pytorch.js';
import { listSafetensors } from './safetensors.js';
import type { TensorHandle } from './tensor-data.js';

const largestIndex = 2 ** 20;
const mostShards = 64;

/** Whether a file is JSON, as the index is. */
export function isShardIndex(bytes: Bytes): boolean {
  return bytes.size > 0 && bytes.read(0, 1)[0] === 0x7b;
}

/**
 * The tensors that an index lists, checked but not yet read; `open` opens the files next to it.
 * Throws InputError if the index or one of its files is damaged, or a tensor is not where the index says.
 */
export function listShards(bytes: Bytes, open: (file: string) => Bytes): ReadonlyMap<string, TensorHandle> {
  const fail: Fail = failOf(bytes);
  if (bytes.size > largestIndex) fail(`expected an index of at most ${largestIndex} bytes, got ${bytes.size}`);
  const index = readJson(
    Buffer.from(bytes.read(0, bytes.size)).toString('utf8'),
    (reason) => fail(`expected a checkpoint or its index in JSON: ${reason}`),
    { levels: 8 },
  );
  const { weight_map: places } = index as Readonly<Record<string, unknown>>;
  if (!isObject(places))
    return fail('expected a checkpoint, got JSON without a weight_map; name the file that holds the weights');
  const shards = new Map<unknown, ReadonlyMap<string, TensorHandle>>();
  const tensors = new Map<string, TensorHandle>();
  for (const [name, file] of Object.entries(places)) {
    if (typeof file !== 'string' || file === '' || path.basename(file) !== file)
      return fail(`${show(name)}: expected the name of a file beside the index, got ${show(file)}`);
    let shard = shards.get(file);
    if (shard === undefined) {
      if (shards.size >= mostShards) fail(`expected at most ${mostShards} files, got more`);
      shard = tensorsOf(open(path.join(path.dirname(bytes.name), file)));
      shards.set(file, shard);
    }
    const tensor = shard.get(name);
    if (tensor === undefined) return fail(`${show(name)} is not in ${file}, where the index puts it`);
    tensors.set(name, tensor);
  }
  return tensors;
}

function tensorsOf(bytes: Bytes): ReadonlyMap<string, TensorHandle> {
  if (!isPyTorchFile(bytes)) return listSafetensors(bytes).handles;
  const { online } = contentsOf(readPyTorch(bytes));
  const tensors = online[0]?.tensors ?? new Map<string, TensorHandle>();
  checkStorage(bytes, tensors);
  return tensors;
}
