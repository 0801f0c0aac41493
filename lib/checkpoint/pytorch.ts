/** Reads files of torch.save: a pickle that describes the tensors, and their bytes; a zip archive since PyTorch 1.6. */
import { InputError, show } from '../errors.js';
import { failOf, type Bytes, type Fail } from './bytes.js';
import {
  PickleForeign,
  PickleGlobal,
  PickleObject,
  PickleTuple,
  unpickle,
  type PickleRules,
  type PickleValue,
} from './pickle.js';
import {
  arrayTypes,
  countOf,
  type Dtype,
  type StoredTensor,
  type TensorArray,
  type TensorHandle,
} from './tensor-data.js';
import { listZip, readZipEntry } from './zip.js';

/** Element types of PyTorch's storage classes. */
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
/** Tensors may share storage; together they may take at most factor · file size + bytes. */
const sharing = { factor: 2, bytes: 2 ** 20 };

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

/** A tensor in the archive: element (i, j, …) of its storage is at offset + i·strides[0] + j·strides[1] + …. */
export class PickledTensor extends PickleObject implements TensorHandle {
  protected readonly kind = 'tensor';
  readonly dtype: Dtype;
  readonly #archive: Archive;

  constructor(
    archive: Archive,
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    super();
    this.#archive = archive;
    this.dtype = storage.dtype;
  }

  /** Equal for handles of the same tensor. */
  get identity(): string {
    return [this.storage.key, this.offset, this.shape, this.strides].join('/');
  }

  /** Where its data lies. Throws InputError unless the file has as much data as the pickle declares. */
  place(name: string): Place {
    const { dtype, key, count } = this.storage;
    const { placeOf, fail } = this.#archive;
    const where = `data/${key.slice(0, 40)}`;
    const place = placeOf(key);
    if (place === undefined) return fail(`tensor ${show(name)}: its data (${where}) is missing from the file`);
    if (place.size !== count * arrayTypes[dtype].BYTES_PER_ELEMENT)
      fail(`tensor ${show(name)}: expected ${count} ${dtype} values in ${where}, got ${place.size} bytes`);
    return place;
  }

  /** Reads the values in row-major order, and only this tensor's part of the storage. */
  read(): StoredTensor {
    const { dtype, shape, strides, offset } = this;
    const place = this.place('');
    const Data = arrayTypes[dtype];
    const width = Data.BYTES_PER_ELEMENT;
    const count = countOf(shape) as number;
    if (count === 0) return { dtype, shape, data: new Data(0) };
    const span = 1 + shape.reduce((sum, side, axis) => sum + (side - 1) * (strides[axis] as number), 0);
    const bytes = place.read(offset * width, span * width);
    const source = new Data(bytes.buffer as ArrayBuffer);
    if (isRowMajor(shape, strides)) return { dtype, shape, data: source };
    const data = new Data(count);
    const index = shape.map(() => 0);
    for (let i = 0, at = 0; i < count; i++) {
      (data as TensorArray)[i] = source[at] as never;
      // Advance the index, last axis first, and `at` with it; an axis that overflows carries over to the next.
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        at += strides[axis] as number;
        if (++(index[axis] as number) < (shape[axis] as number)) break;
        at -= (shape[axis] as number) * (strides[axis] as number);
        index[axis] = 0;
      }
    }
    return { dtype, shape, data };
  }
}

/** Where the bytes of a storage lie. */
interface Place {
  readonly size: number;
  readonly read: (from: number, length: number) => Uint8Array;
}

/** An open file that torch.save wrote. */
interface Archive {
  /** The place of the storage with this key in the pickle. */
  readonly placeOf: (key: string) => Place | undefined;
  readonly fail: Fail;
}

/** Whether a file is a zip archive, or of PyTorch's format before version 1.6. */
export function isPyTorchFile(bytes: Bytes): boolean {
  return startsWith(bytes, [0x50, 0x4b]) || isLegacy(bytes);
}

/**
 * The value in an open file. Tensors are not read yet, and only checkStorage checks their data; objects of other Python
 * classes are described, not made. Throws InputError for a damaged or malicious file; nothing in it is executed.
 */
export function readPyTorch(bytes: Bytes): PickleValue {
  const fail: Fail = failOf(bytes);
  if (isLegacy(bytes)) return readLegacy(bytes, fail);
  const entries = listZip(bytes);
  const names = [...entries.keys()];
  const pickles = names.filter((name) => name === 'data.pkl' || name.endsWith('/data.pkl'));
  const [pickleName] = pickles;
  if (names.some((name) => name.endsWith('/constants.pkl') || name === 'constants.pkl'))
    return fail(
      'is a TorchScript program; save its weights in Python: ' +
        `torch.save(torch.jit.load(${JSON.stringify(bytes.name)}).state_dict(), "weights.pt")`,
    );
  if (names.some((name) => name.endsWith('.npy')))
    return fail(
      'holds NumPy arrays, not a PyTorch checkpoint; save them in Python with safetensors.numpy.save_file, ' +
        "under the published code's tensor names",
    );
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

  const pickle = entries.get(pickleName);
  if (pickle === undefined || pickle.size > largestPickle)
    fail(
      `expected a data.pkl of at most ${largestPickle} bytes, got ${pickle?.size}; ` +
        'save only the state dict, in Python: ' +
        saveAgain(bytes.name, 'd["model"]'),
    );
  const placeOf = (key: string): Place | undefined => {
    const entry = entries.get(`${root}data/${key}`);
    return entry && { size: entry.size, read: (from, length) => readZipEntry(bytes, entry, from, length) };
  };
  return unpickle(
    readZipEntry(bytes, pickle),
    rules({ placeOf, fail }, (problem) => fail(`its pickle ${problem}`)),
  ).value;
}

/**
 * Reads the format before 1.6: pickles of a magic number, a version, the machine, the value, and the keys of its
 * storages; then, for each storage in that order, its number of elements and the elements.
 */
function readLegacy(bytes: Bytes, fail: Fail): PickleValue {
  const places = new Map<PickleValue, Place>();
  const storages = new Map<PickleValue, Storage>();
  const own = rules({ placeOf: (key) => places.get(key), fail }, (problem) => fail(`its pickle ${problem}`));
  const persistent = (id: PickleValue): PickleValue => {
    const storage = own.persistent(id);
    if (storage instanceof Storage) storages.set(storage.key, storage);
    return storage;
  };
  const content = bytes.read(0, Math.min(bytes.size, largestPickle));
  let at = 0;
  const next = (): PickleValue => {
    const { value, length } = unpickle(content.subarray(at), { ...own, persistent });
    at += length;
    return value;
  };
  const [, , machine, value, keys] = [next(), next(), next(), next(), next()];
  if (machine instanceof Map && machine.get('little_endian') === false)
    fail('expected little-endian data; save it on another machine');
  for (const key of Array.isArray(keys) ? keys : fail('expected the keys of its data, got something else')) {
    const storage = storages.get(key);
    if (storage === undefined)
      return fail(`has data of a kind that is not read; save it again in Python: ${saveAgain(bytes.name, 'd')}`);
    const [begin, size] = [at + 8, storage.count * arrayTypes[storage.dtype].BYTES_PER_ELEMENT];
    if (begin + size > bytes.size) fail('truncated: its data ends too early; copy or download the file again');
    const count = new DataView(bytes.read(at, 8).buffer).getBigUint64(0, true);
    if (count !== BigInt(storage.count)) fail(`expected ${storage.count} values in its data, got ${count}`);
    places.set(key, { size, read: (from, length) => bytes.read(begin + from, length) });
    at = begin + size;
  }
  return value;
}

/** Throws InputError unless the data of every tensor is in the file and their total size is plausible (`sharing`). */
export function checkStorage(bytes: Bytes, tensors: ReadonlyMap<string, TensorHandle>): void {
  let total = 0;
  for (const [name, tensor] of tensors) {
    if (!(tensor instanceof PickledTensor)) continue;
    tensor.place(name);
    total += (countOf(tensor.shape) as number) * arrayTypes[tensor.dtype].BYTES_PER_ELEMENT;
  }
  if (total > sharing.factor * bytes.size + sharing.bytes)
    throw new InputError(
      `${bytes.name}: its tensors would take ${total} bytes, the file has ${bytes.size}: too many share their data`,
    );
}

/** The line of Python that saves a part of a file by itself. */
export function saveAgain(file: string, part: string): string {
  const load = `torch.load(${JSON.stringify(file)}, map_location="cpu", weights_only=False)`;
  return `d = ${load}; torch.save(${part}, "weights.pt")`;
}

/** The rules for a checkpoint's pickle: the objects that it may make. */
function rules(archive: Archive, fail: Fail): PickleRules {
  const list = ([items = []]: readonly PickleValue[]): PickleValue =>
    Array.isArray(items) ? items : items instanceof PickleTuple ? [...items.items] : fail('has an unusual set or list');
  const parameter = ([tensor]: readonly PickleValue[]): PickleValue =>
    tensor instanceof PickleObject ? tensor : fail('has a parameter that is no tensor');
  const globals = new Map<string, (args: readonly PickleValue[]) => PickleValue>([
    [
      'collections.OrderedDict',
      (args) => (args.length === 0 ? new Map() : fail('fills an ordered dict in an unusual way')),
    ],
    ['torch._utils._rebuild_tensor_v2', (args) => rebuildTensor(args, archive, fail)],
    ['torch._utils._rebuild_parameter', parameter],
    ['torch._utils._rebuild_parameter_with_state', parameter],
    [
      '_codecs.encode',
      ([text]) => (typeof text === 'string' ? Buffer.from(text, 'latin1') : fail('has unusual bytes')),
    ],
  ]);
  for (const module of ['builtins', '__builtin__'])
    for (const name of ['set', 'frozenset', 'list']) globals.set(`${module}.${name}`, list);
  return { globals, fail, persistent: (id) => storageOf(id, fail) };
}

/**
 * Reads ('storage', class, key, device, elements). Other element types become a PickleForeign, as they hold no weights.
 */
function storageOf(id: PickleValue, fail: Fail): PickleObject {
  if (!(id instanceof PickleTuple)) return fail('names its data in an unusual way');
  const [kind, type, key, , count, view = null] = id.items; // in old files, a storage could be a view of another
  if (
    view !== null ||
    kind !== 'storage' ||
    !(type instanceof PickleGlobal) ||
    typeof key !== 'string' ||
    !isCount(count)
  )
    return fail('names its data in an unusual way');
  const dtype = storageTypes.get(type.name);
  return dtype === undefined ? new PickleForeign(type.name, []) : new Storage(dtype, key, count);
}

/** Makes a tensor from (storage, offset, shape, strides, …), and checks that every element lies in the storage. */
function rebuildTensor(
  [storage, offset, size, stride]: readonly PickleValue[],
  archive: Archive,
  fail: Fail,
): PickleObject {
  if (storage instanceof PickleForeign) return new PickleForeign(storage.name, []);
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
  return new PickledTensor(archive, storage, offset, shape, strides);
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
