/**
 * Reads NumPy's .npy files of whole numbers in chunks, with bounded memory, and refuses inconsistent ones
 * (npy-writer.ts writes them).
 */
import { closeSync, fstatSync, readSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../errors.js';
import { openUserFile } from '../user-file.js';

/** Element types that data sets use: int64 and uint8 for tokens, int32 for indices; all little-endian. */
export type NpyType = 'uint8' | 'int32' | 'int64';

/** All element types that are read: Python builders choose the smallest that fits. */
type ReadType = NpyType | 'int8' | 'int16' | 'uint16' | 'uint32' | 'uint64' | 'bool';

/** NumPy's name of each, bytes an element, and how one is read. */
export const npyTypes: Readonly<
  Record<
    ReadType,
    { readonly descr: string; readonly bytes: number; readonly read: (from: Buffer, at: number) => number }
  >
> = {
  uint8: { descr: '|u1', bytes: 1, read: (from, at) => from[at]! },
  int32: { descr: '<i4', bytes: 4, read: (from, at) => from.readInt32LE(at) },
  int64: { descr: '<i8', bytes: 8, read: (from, at) => from.readInt32LE(at + 4) * 2 ** 32 + from.readUInt32LE(at) },
  int8: { descr: '|i1', bytes: 1, read: (from, at) => from.readInt8(at) },
  int16: { descr: '<i2', bytes: 2, read: (from, at) => from.readInt16LE(at) },
  uint16: { descr: '<u2', bytes: 2, read: (from, at) => from.readUInt16LE(at) },
  uint32: { descr: '<u4', bytes: 4, read: (from, at) => from.readUInt32LE(at) },
  uint64: { descr: '<u8', bytes: 8, read: (from, at) => from.readUInt32LE(at + 4) * 2 ** 32 + from.readUInt32LE(at) },
  bool: { descr: '|b1', bytes: 1, read: (from, at) => from[at]! },
};

const magic = Buffer.from('\x93NUMPY', 'latin1');

/** Longest header that is accepted; real ones have 118 bytes. */
const longestHeader = 4096;

/** Bytes held at once while reading. */
const stretch = 1 << 20;

/** Type and shape of a .npy file. */
export interface NpyHeader {
  readonly type: ReadType;
  readonly shape: readonly number[];
}

/**
 * Reads a file of whole numbers into 32-bit values, or 8-bit ones if `largest` is below 256, `stretch` bytes at a time.
 * `stored` maps further values that may occur in the file to what is stored for them. Throws InputError for a bad
 * header, another number of dimensions, more than `most` values, a length that does not fit the shape, or a value that
 * is neither in 0 … largest nor in `stored`.
 */
export function readNpy(
  file: string,
  expected: {
    readonly dimensions: number;
    readonly most: number;
    readonly largest: number;
    readonly stored?: ReadonlyMap<number, number>;
  },
): NpyHeader & { readonly values: Uint8Array | Int32Array } {
  const name = path.basename(file);
  const handle = openUserFile(file, 'plain');
  try {
    const { header, offset } = readHeader(handle, name);
    const { type, shape } = header;
    const count = shape.reduce((product, size) => product * size, 1);
    if (shape.length !== expected.dimensions)
      throw new InputError(`${name}: expected ${expected.dimensions} dimensions, got ${shape.length}`);
    if (count > expected.most)
      throw new InputError(`${name}: expected at most ${expected.most} values, got ${shape.join(' × ')}`);
    const { bytes, read } = npyTypes[type];
    const held = fstatSync(handle).size - offset;
    if (held !== count * bytes)
      throw new InputError(
        `${name}: expected ${count * bytes} bytes of ${type} after the header for ${shape.join(' × ')}, got ${held}; ` +
          'the file is truncated or damaged',
      );
    const values = expected.largest < 256 ? new Uint8Array(count) : new Int32Array(count);
    const buffer = Buffer.alloc(Math.min(stretch, count * bytes));
    for (let done = 0; done < count; ) {
      const want = Math.min(stretch / bytes, count - done);
      fill(handle, buffer.subarray(0, want * bytes), offset + done * bytes, name);
      for (let i = 0; i < want; i++, done++) {
        const value = read(buffer, bytes * i);
        const stored = expected.stored?.get(value);
        if (stored === undefined && (value < 0 || value > expected.largest))
          throw new InputError(
            `${name}: expected values from 0 to ${expected.largest}, got ${value} as value ${done + 1}`,
          );
        values[done] = stored ?? value;
      }
    }
    return { ...header, values };
  } finally {
    closeSync(handle);
  }
}

/** The header's three fields, in whatever order numpy wrote them. It is read as text, never evaluated. */
function readHeader(handle: number, name: string): { readonly header: NpyHeader; readonly offset: number } {
  const start = Buffer.alloc(12);
  fill(handle, start, 0, name);
  if (!start.subarray(0, 6).equals(magic))
    throw new InputError(`${name}: expected a .npy file, got one that does not begin like it`);
  const major = start[6]!;
  if (major < 1 || major > 3) throw new InputError(`${name}: expected .npy version 1, 2 or 3, got ${major}`);
  const [length, offset] = major === 1 ? [start.readUInt16LE(8), 10] : [start.readUInt32LE(8), 12];
  if (length > longestHeader)
    throw new InputError(`${name}: expected a header of at most ${longestHeader} bytes, got ${length}`);
  const text = Buffer.alloc(length);
  fill(handle, text, offset, name);
  const written = text.toString('latin1');
  // No two \s* are adjacent, so that spaces match in one way only and time stays linear.
  const field = /\s*'(?:descr|fortran_order|shape)'\s*:\s*(?:'[^']*'|True|False|\([\d, ]*\))\s*(?:,|(?=\}))/.source;
  const whole = new RegExp(`^\\{(?:${field}){3}\\s*\\}\\s*$`).test(written);
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(written)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(written)?.[1];
  const sizes = /'shape'\s*:\s*\(([\d, ]*)\)/.exec(written)?.[1];
  if (!whole || descr === undefined || order === undefined || sizes === undefined)
    throw new InputError(
      `${name}: expected a header with descr, fortran_order and shape, ` +
        `got ${JSON.stringify(written.trimEnd().slice(0, 120))}`,
    );
  const type = (Object.keys(npyTypes) as ReadType[]).find((each) => npyTypes[each].descr === descr);
  if (type === undefined)
    throw new InputError(
      `${name}: expected whole numbers, little-endian, such as uint8, int32 or int64 (|u1, <i4, <i8), ` +
        `got ${JSON.stringify(descr)}`,
    );
  const shape = sizes
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
    .map(Number);
  if (order === 'True' && shape.length > 1)
    throw new InputError(
      `${name}: expected rows one after the other, got Fortran order; save it with numpy.ascontiguousarray`,
    );
  if (shape.length === 0 || !shape.every((size) => size <= 2 ** 40) || shape.length > 8)
    throw new InputError(`${name}: expected the shape of an array, got (${sizes})`);
  return { header: { type, shape }, offset: offset + length };
}

/** Fills a buffer from a position in a file. Throws InputError if the file ends too early. */
function fill(handle: number, buffer: Buffer, position: number, name: string): void {
  for (let done = 0; done < buffer.length; ) {
    const read = readSync(handle, buffer, done, buffer.length - done, position + done);
    if (read === 0) throw new InputError(`${name}: expected a .npy file, got one that ends too early`);
    done += read;
  }
}
