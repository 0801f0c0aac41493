/**
 * The safetensors format, which holds named tensors and text: a reader for untrusted files and a deterministic writer.
 */
import { InputError, reasonOf, show } from '../errors.js';
import { isObject } from '../fields.js';
import { parseJson } from '../json.js';
import { failOf, type Bytes, type Fail } from './bytes.js';
import { arrayTypes, countOf, type Dtype, type StoredTensor, type TensorHandle } from './tensor-data.js';

/*
 * A file is: header length (8 bytes, little-endian), header (JSON), data.
 * Header: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, …, "__metadata__": {"key":
 * "text"}}. The tensors fill the data without gap or overlap. Data is little-endian, as is every machine Node runs on
 * here.
 */

/**
 * Bounds of a header: the format allows 100 MB and any number of names, but a model has a few thousand names, and more
 * would cost seconds and gigabytes.
 */
const bounds = { bytes: 8 * 2 ** 20, names: 100_000, levels: 3 };

/** Where one tensor lies in the file. */
interface Place {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * The tensors of an open file, checked but not yet read. Throws InputError naming file, tensor and problem.
 */
export function listSafetensors(bytes: Bytes): {
  readonly handles: ReadonlyMap<string, TensorHandle>;
  readonly metadata: Readonly<Record<string, string>>;
} {
  const { places, metadata, dataStart } = readHeader(bytes);
  const handles = new Map<string, TensorHandle>();
  for (const { name, dtype, shape, begin, end } of places) {
    const read = (): StoredTensor => ({
      dtype,
      shape,
      data: new arrayTypes[dtype](bytes.read(dataStart + begin, end - begin).buffer as ArrayBuffer),
    });
    handles.set(name, { dtype, shape, read });
  }
  return { handles, metadata };
}

/**
 * The bytes of a safetensors file as consecutive parts: its header, then each tensor's own array, since no single array
 * could hold a large file. Tensors with the widest elements come first, so that all are aligned; then by name.
 */
export function safetensorsParts(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): ArrayBufferView[] {
  const width = (tensor: StoredTensor): number => arrayTypes[tensor.dtype].BYTES_PER_ELEMENT;
  const sorted = [...tensors].sort(([a, left], [b, right]) => width(right) - width(left) || compare(a, b));
  const header: [string, unknown][] = [];
  const texts = Object.entries(metadata).sort(([a], [b]) => compare(a, b));
  for (const [name, value] of texts)
    if (typeof value !== 'string')
      throw new InputError(`safetensors: metadata ${name}: expected text, got ${show(value)}`);
  if (texts.length > 0) header.push(['__metadata__', Object.fromEntries(texts)]);
  let size = 0;
  for (const [name, tensor] of sorted) {
    const { dtype, shape, data } = tensor;
    if (name === '__metadata__') throw new InputError('safetensors: a tensor may not be named __metadata__');
    if (!(data instanceof arrayTypes[dtype]) || countOf(shape) !== data.length) {
      throw new InputError(
        `safetensors: ${name}: expected ${arrayTypes[dtype].name} of ${shape.join(' × ')} values, ` +
          `got ${data.constructor.name} of ${data.length}`,
      );
    }
    header.push([name, { dtype, shape, data_offsets: [size, size + data.byteLength] }]);
    size += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const head = new Uint8Array(8 * Math.ceil((8 + text.length) / 8)).fill(0x20); // spaces to a multiple of 8
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(text, 8);
  return [head, ...sorted.map(([, { data }]) => data)];
}

/** Reads and checks everything but the data. */
function readHeader(bytes: Bytes): {
  readonly places: readonly Place[];
  readonly metadata: Record<string, string>;
  readonly dataStart: number;
} {
  const fail: Fail = failOf(bytes);
  if (bytes.size < 8) fail(`expected a safetensors file, got ${bytes.size} bytes; it is truncated or something else`);
  const start = bytes.read(0, 8);
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length < 2 || (length > 100_000_000 && 8 + length > bytes.size))
    fail(
      'expected a safetensors file, got one whose first 8 bytes are not a header length; ' +
        'it is damaged or something else',
    );
  if (length > bounds.bytes)
    fail(`expected a header of at most ${bounds.bytes} bytes, got one of ${length}, which is too long for a model`);
  const dataStart = 8 + length;
  if (dataStart > bytes.size)
    fail(`truncated: expected a header of ${length} bytes, got ${bytes.size - 8}; copy or download the file again`);

  const fields = parseHeader(bytes.read(8, length), fail);
  const places: Place[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name === '__metadata__') metadata = checkMetadata(value, fail);
    else places.push(checkPlace(name, value, fail));
  }
  places.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const place of places) {
    if (place.begin !== end)
      fail(
        `tensor ${show(place.name)}: expected its data at offset ${end}, got ${place.begin}; ` +
          `${place.begin < end ? 'tensors overlap' : 'there is a gap'}, the file is damaged`,
      );
    end = place.end;
  }
  const available = bytes.size - dataStart;
  if (available < end) {
    const first = places.find((place) => place.end > available);
    fail(
      `truncated: expected ${end} bytes of tensor data, got ${available}; ` +
        `tensor ${show(first?.name ?? '')} is the first one cut off; copy or download the file again`,
    );
  }
  if (available > end) fail(`expected ${end} bytes of tensor data, got ${available}; the file is damaged`);
  return { places, metadata, dataStart };
}

function parseHeader(text: Uint8Array, fail: Fail): Readonly<Record<string, unknown>> {
  try {
    const fields = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(text), bounds);
    return isObject(fields) ? fields : fail('header: expected a JSON object');
  } catch (error) {
    if (error instanceof InputError) throw error;
    return fail(`header: expected JSON, got ${reasonOf(error)}; the file is damaged or something else`);
  }
}

function checkMetadata(value: unknown, fail: Fail): Record<string, string> {
  if (!isObject(value)) return fail('header: expected __metadata__ to be an object');
  for (const [key, text] of Object.entries(value))
    if (typeof text !== 'string') fail(`header: expected text for metadata ${show(key)}, got ${show(text)}`);
  return value as Record<string, string>;
}

function checkPlace(name: string, value: unknown, fail: Fail): Place {
  const bad = (problem: string): never => fail(`tensor ${show(name)}: ${problem}`);
  if (!isObject(value)) return bad('expected an object in the header');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(arrayTypes, dtype))
    return bad(`expected one of the element types ${Object.keys(arrayTypes).join(', ')}, got ${show(dtype)}`);
  const count = Array.isArray(shape) ? countOf(shape) : undefined;
  if (count === undefined) return bad(`expected a shape, got ${show(shape)}`);
  if (
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    !offsets.every((offset) => Number.isSafeInteger(offset) && offset >= 0)
  )
    return bad(`expected two data offsets, got ${show(offsets)}`);
  const [begin, end] = offsets as [number, number];
  const expected = count * arrayTypes[dtype as Dtype].BYTES_PER_ELEMENT;
  if (end - begin !== expected)
    return bad(
      `expected ${expected} bytes for ${dtype} of shape [${(shape as number[]).join(', ')}], got ${end - begin}`,
    );
  return { name, dtype: dtype as Dtype, shape: shape as number[], begin, end };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
