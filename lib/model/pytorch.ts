/** State dicts saved by torch.save: a zip archive with a pickle that describes the tensors, and their bytes. */
import { InputError } from '../errors.js';
import type { Bytes } from './bytes.js';
import { PickleGlobal, PickleObject, PickleTuple, unpickle, type PickleRules, type PickleValue } from './pickle.js';
import {
  arrayTypes,
  countOf,
  type Dtype,
  type StoredTensor,
  type TensorArray,
  type TensorHandle,
} from './tensor-data.js';
import { listZip, readZipEntry, type ZipEntry } from './zip.js';

/** The storage classes of PyTorch by element type. */
const storageTypes: ReadonlyMap<string, Dtype> = new Map([
  ['torch.DoubleStorage', 'F64'],
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);

const largestPickle = 4 * 2 ** 20;
/** Tensors may share storage; all of them together may be this many times the file, and this many bytes more. */
const sharing = { factor: 2, bytes: 2 ** 20 };
/** Keys under which training scripts put the state dict beside other things. */
const wrapperKeys = ['state_dict', 'model_state_dict', 'model'];

/** A run of elements in the archive. */
class Storage extends PickleObject {
  protected readonly kind = 'storage';
  constructor(
    readonly dtype: Dtype,
    readonly key: string,
    readonly count: number,
  ) {
    super();
  }
}

/** A view of a storage: element (i, j, …) is at offset + i·strides[0] + j·strides[1] + …. */
class View extends PickleObject {
  protected readonly kind = 'tensor';
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    super();
  }
}

/** Whether a file is a zip archive, or PyTorch's format before version 1.6, which listPyTorch refuses with advice. */
export function isPyTorchFile(bytes: Bytes): boolean {
  return startsWith(bytes, [0x50, 0x4b]) || isLegacy(bytes);
}

/**
 * The tensors of an open file, checked but not read.
 * Throws InputError if the file is damaged, is no state dict, or asks for anything but tensors; nothing in it is executed.
 */
export function listPyTorch(bytes: Bytes): ReadonlyMap<string, TensorHandle> {
  const fail = (problem: string): never => {
    throw new InputError(`${bytes.name}: ${problem}`);
  };
  if (isLegacy(bytes)) fail('is in the format of PyTorch before 1.6; load it there and save it again with torch.save');
  const entries = listZip(bytes);
  const pickles = [...entries.keys()].filter((name) => name === 'data.pkl' || name.endsWith('/data.pkl'));
  const [pickleName] = pickles;
  if (pickleName === undefined || pickles.length > 1)
    return fail(`expected one data.pkl in the zip, as torch.save writes, got ${pickles.length}`);
  const root = pickleName.slice(0, -'data.pkl'.length);
  const byteOrder = entries.get(`${root}byteorder`);
  if (
    byteOrder !== undefined &&
    byteOrder.size < 16 &&
    Buffer.from(readZipEntry(bytes, byteOrder)).toString('latin1').trim() !== 'little'
  )
    fail('expected little-endian data; save it on another machine');

  const pickle = entries.get(pickleName) as ZipEntry;
  if (pickle.size > largestPickle)
    fail(`expected a data.pkl of at most ${largestPickle} bytes, got ${pickle.size}; save only the state dict`);
  const value = unpickle(
    readZipEntry(bytes, pickle),
    rules((problem) => fail(`its pickle ${problem}`)),
  );

  const handles = new Map<string, TensorHandle>();
  let total = 0;
  for (const [name, view] of stateDict(value, fail)) {
    const { storage, shape } = view;
    const width = arrayTypes[storage.dtype].BYTES_PER_ELEMENT;
    const entry = entries.get(`${root}data/${storage.key}`);
    if (entry === undefined)
      return fail(`tensor ${quote(name)}: its data (data/${storage.key.slice(0, 40)}) is missing from the file`);
    if (entry.size !== storage.count * width)
      fail(
        `tensor ${quote(name)}: expected ${storage.count} ${storage.dtype} values in data/${storage.key.slice(0, 40)}, got ${entry.size} bytes`,
      );
    total += (countOf(shape) as number) * width;
    handles.set(name, { dtype: storage.dtype, shape, read: () => readView(bytes, entry, view) });
  }
  if (total > sharing.factor * bytes.size + sharing.bytes)
    fail(`its tensors would take ${total} bytes, the file has ${bytes.size}: too many share their data`);
  return handles;
}

/** What a state dict's pickle may contain. */
function rules(fail: (problem: string) => never): PickleRules {
  const globals = new Map<string, ((args: readonly PickleValue[]) => PickleValue) | undefined>([
    [
      'collections.OrderedDict',
      (args) => (args.length === 0 ? new Map() : fail('fills an ordered dict in an unusual way')),
    ],
    ['torch._utils._rebuild_tensor_v2', (args) => rebuildTensor(args, fail)],
    [
      'torch._utils._rebuild_parameter',
      ([view]) => (view instanceof View ? view : fail('has a parameter that is no tensor')),
    ],
  ]);
  for (const name of storageTypes.keys()) globals.set(name, undefined);
  return { globals, fail, persistent: (id) => storageOf(id, fail) };
}

/** ('storage', class, key, device, elements). */
function storageOf(id: PickleValue, fail: (problem: string) => never): Storage {
  if (!(id instanceof PickleTuple)) return fail('names its data in an unusual way');
  const [kind, type, key, , count] = id.items;
  const dtype = type instanceof PickleGlobal ? storageTypes.get(type.name) : undefined;
  if (kind !== 'storage' || dtype === undefined || typeof key !== 'string' || !isCount(count))
    return fail('names its data in an unusual way');
  return new Storage(dtype, key, count);
}

/** (storage, offset, shape, strides, …): checked so that every element lies in the storage. */
function rebuildTensor(
  [storage, offset, size, stride]: readonly PickleValue[],
  fail: (problem: string) => never,
): View {
  if (
    !(storage instanceof Storage) ||
    !isCount(offset) ||
    !(size instanceof PickleTuple) ||
    !(stride instanceof PickleTuple)
  )
    return fail('has a tensor in an unusual form');
  const count = countOf(size.items);
  if (count === undefined || size.items.length !== stride.items.length || !stride.items.every(isCount))
    return fail(`has a tensor with an impossible shape or strides`);
  const shape = size.items as readonly number[];
  const strides = stride.items as readonly number[];
  const last = shape.reduce((sum, side, axis) => sum + (side - 1) * (strides[axis] as number), offset);
  if (count > storage.count || (count > 0 && last >= storage.count))
    return fail(
      `has a tensor of shape [${shape.join(', ').slice(0, 80)}] that does not fit its ${storage.count} stored values`,
    );
  return new View(storage, offset, shape, strides);
}

/** The named tensors: the value itself, or the state dict that a training script put beside other things. */
function stateDict(value: PickleValue, fail: (problem: string) => never): Map<string, View> {
  if (!(value instanceof Map)) return fail('expected a state dict (names and tensors), got something else');
  const inner = wrapperKeys.map((key) => value.get(key)).find((each) => each instanceof Map);
  const dict = inner instanceof Map ? inner : value;
  const views = new Map<string, View>();
  for (const [name, view] of dict) {
    if (typeof name !== 'string') return fail(`expected a state dict, got one with the name ${String(name)}`);
    if (!(view instanceof View))
      return fail(`expected a state dict of tensors, got ${quote(name)}, which is none; save model.state_dict()`);
    views.set(name, view);
  }
  return views;
}

/** Reads a view, row-major. Only its part of the storage is read. */
function readView(bytes: Bytes, entry: ZipEntry, { storage, offset, shape, strides }: View): StoredTensor {
  const { dtype } = storage;
  const Data = arrayTypes[dtype];
  const width = Data.BYTES_PER_ELEMENT;
  const count = countOf(shape) as number;
  if (count === 0) return { dtype, shape, data: new Data(0) };
  const span = 1 + shape.reduce((sum, side, axis) => sum + (side - 1) * (strides[axis] as number), 0);
  const source = new Data(readZipEntry(bytes, entry, offset * width, span * width).buffer as ArrayBuffer);
  if (isRowMajor(shape, strides)) return { dtype, shape, data: source };
  const data = new Data(count);
  const index = shape.map(() => 0);
  for (let i = 0, at = 0; i < count; i++) {
    (data as TensorArray)[i] = source[at] as never;
    // Count the index up from its last axis, moving through the storage as it turns over.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis] as number;
      if (++(index[axis] as number) < (shape[axis] as number)) break;
      at -= (shape[axis] as number) * (strides[axis] as number);
      index[axis] = 0;
    }
  }
  return { dtype, shape, data };
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis] as number;
  }
  return true;
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isLegacy(bytes: Bytes): boolean {
  return startsWith(bytes, [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46]);
}

function startsWith(bytes: Bytes, start: readonly number[]): boolean {
  return bytes.size >= start.length && bytes.read(0, start.length).every((byte, i) => byte === start[i]);
}

function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}…` : name);
}
