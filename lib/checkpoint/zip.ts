/**
 * Reads entries of an untrusted zip archive by its directory, one at a time, and never inflates them beyond their
 * declared size.
 */
import { crc32, inflateRawSync } from 'node:zlib';
import { InputError, reasonOf, show } from '../errors.js';
import { failOf, type Bytes, type Fail } from './bytes.js';

/** One file in the archive. */
export interface ZipEntry {
  readonly name: string;
  /** Stored as it is, or deflated. */
  readonly deflated: boolean;
  /** Bytes in the archive. */
  readonly compressedSize: number;
  /** Bytes once inflated. */
  readonly size: number;
  /** CRC-32 of the inflated bytes; 0 if the writer left it out. */
  readonly checksum: number;
  /** Offset of the local header. */
  readonly at: number;
}

const signatures = {
  end: 0x06054b50,
  locator64: 0x07064b50,
  end64: 0x06064b50,
  entry: 0x02014b50,
  local: 0x04034b50,
} as const;
const largestDirectory = 8 * 2 ** 20;
const mostEntries = 50_000;
/** Inflated data may take at most factor · archive size + bytes; weights hardly compress at all. */
const inflation = { factor: 8, bytes: 16 * 2 ** 20 };
/** In a 32-bit field, this means that the value is in the entry's zip64 field. */
const elsewhere = 0xffffffff;

/** The archive's entries by name. Throws InputError if it is truncated, damaged, encrypted or a bomb. */
export function listZip(bytes: Bytes): ReadonlyMap<string, ZipEntry> {
  const fail: Fail = failOf(bytes);
  const { offset, size, count } = findDirectory(bytes, fail);
  if (count > mostEntries) fail(`expected at most ${mostEntries} entries in the zip, got ${count}`);
  if (size > largestDirectory) fail(`expected a zip directory of at most ${largestDirectory} bytes, got ${size}`);
  if (offset + size > bytes.size) fail('the zip directory lies beyond the end of the file; it is truncated or damaged');
  const directory = bytes.read(offset, size);
  const view = new DataView(directory.buffer);
  const entries = new Map<string, ZipEntry>();
  let packed = 0;
  let unpacked = 0;
  for (let at = 0, i = 0; i < count; i++) {
    if (at + 46 > size || view.getUint32(at, true) !== signatures.entry)
      fail('the zip directory is damaged; copy or download the file again');
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > size) fail('the zip directory is damaged; copy or download the file again');
    const entry = readEntry(view, directory, at, nameLength, extraLength, fail);
    if (entries.has(entry.name)) fail(`${show(entry.name)} appears twice in the zip`);
    if (entry.at + 30 + entry.compressedSize > offset)
      fail(`${show(entry.name)} lies beyond the end of the zip's data; the file is damaged`);
    entries.set(entry.name, entry);
    packed += entry.compressedSize;
    unpacked += entry.size;
    at = next;
  }
  if (packed > bytes.size) fail('entries of the zip overlap; the file is damaged or made to harm');
  if (unpacked > inflation.factor * bytes.size + inflation.bytes)
    fail(`would inflate ${bytes.size} bytes to ${unpacked}; save the checkpoint again without compression`);
  return entries;
}

/** `length` bytes of an entry from `begin`. Throws InputError if the entry is damaged. */
export function readZipEntry(bytes: Bytes, entry: ZipEntry, begin = 0, length = entry.size): Uint8Array {
  const fail = (problem: string): never => {
    throw new InputError(`${bytes.name}: ${show(entry.name)} ${problem}; copy or download the file again`);
  };
  if (begin < 0 || length < 0 || begin + length > entry.size)
    throw new RangeError(`${length} bytes at ${begin} leave ${entry.name} of ${entry.size} bytes`);
  const header = new DataView(bytes.read(entry.at, 30).buffer);
  if (header.getUint32(0, true) !== signatures.local) fail('has no header');
  const start = entry.at + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  if (start + entry.compressedSize > bytes.size) fail('is cut off');
  if (!entry.deflated) {
    checkStored(bytes, entry, start, fail);
    return bytes.read(start + begin, length);
  }
  let content: Uint8Array;
  try {
    content = inflateRawSync(bytes.read(start, entry.compressedSize), { maxOutputLength: Math.max(1, entry.size) });
  } catch (error) {
    return fail(`does not inflate to its ${entry.size} bytes (${reasonOf(error)})`);
  }
  if (content.length !== entry.size) fail(`does not inflate to its ${entry.size} bytes`);
  if (entry.checksum !== 0 && crc32(content) !== entry.checksum) fail('has other bytes than its checksum says');
  // Copied, since a slice of a Buffer shares its memory.
  return new Uint8Array(content.subarray(begin, begin + length));
}

/** Entries whose checksum has been verified. */
const sound = new WeakSet<ZipEntry>();

/** Verifies the checksum of a stored entry, once. */
function checkStored(bytes: Bytes, entry: ZipEntry, start: number, fail: (problem: string) => never): void {
  if (entry.checksum === 0 || sound.has(entry)) return;
  let found = 0;
  const most = 2 ** 24;
  for (let at = 0; at < entry.size; at += most)
    found = crc32(bytes.read(start + at, Math.min(most, entry.size - at)), found);
  if (found !== entry.checksum) fail('has other bytes than its checksum says');
  sound.add(entry);
}

/** Finds the directory by the record at the end of the file, in its 32-bit or 64-bit form. */
function findDirectory(
  bytes: Bytes,
  fail: Fail,
): { readonly offset: number; readonly size: number; readonly count: number } {
  const tailLength = Math.min(bytes.size, 22 + 0xffff + 20);
  const tailStart = bytes.size - tailLength;
  const tail = new DataView(bytes.read(tailStart, tailLength).buffer);
  let end = tailLength - 22;
  while (
    end >= 0 &&
    !(tail.getUint32(end, true) === signatures.end && end + 22 + tail.getUint16(end + 20, true) <= tailLength)
  )
    end--;
  if (end < 0) return fail('truncated: the zip directory at the end is missing; copy or download the file again');
  if (end >= 20 && tail.getUint32(end - 20, true) === signatures.locator64) {
    const at = wide(tail, end - 12, fail);
    if (at + 56 > bytes.size)
      return fail('the zip directory lies beyond the end of the file; it is truncated or damaged');
    const record = new DataView(bytes.read(at, 56).buffer);
    if (record.getUint32(0, true) !== signatures.end64)
      return fail('the zip directory is damaged; copy or download the file again');
    return { count: wide(record, 32, fail), size: wide(record, 40, fail), offset: wide(record, 48, fail) };
  }
  return {
    count: tail.getUint16(end + 10, true),
    size: tail.getUint32(end + 12, true),
    offset: tail.getUint32(end + 16, true),
  };
}

/** One entry of the directory. */
function readEntry(
  view: DataView,
  directory: Uint8Array,
  at: number,
  nameLength: number,
  extraLength: number,
  fail: Fail,
): ZipEntry {
  const name = new TextDecoder().decode(directory.subarray(at + 46, at + 46 + nameLength));
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  if (flags & 1) fail(`${show(name)} is encrypted`);
  if (method !== 0 && method !== 8) fail(`${show(name)}: expected stored or deflated data, got zip method ${method}`);
  // Sizes and offset that exceed 32 bits are in the zip64 field, in this order and only those.
  const fields = {
    size: view.getUint32(at + 24, true),
    compressedSize: view.getUint32(at + 20, true),
    at: view.getUint32(at + 42, true),
  };
  let extra = at + 46 + nameLength;
  const extraEnd = extra + extraLength;
  while (extra + 4 <= extraEnd) {
    const length = view.getUint16(extra + 2, true);
    const fieldEnd = Math.min(extra + 4 + length, extraEnd);
    if (view.getUint16(extra, true) === 1) {
      let value = extra + 4;
      for (const key of ['size', 'compressedSize', 'at'] as const) {
        if (fields[key] !== elsewhere || value + 8 > fieldEnd) continue;
        fields[key] = wide(view, value, fail);
        value += 8;
      }
    }
    extra = fieldEnd;
  }
  const deflated = method === 8;
  if (!deflated && fields.size !== fields.compressedSize)
    fail(
      `${show(name)}: expected ${fields.size} stored bytes, got ${fields.compressedSize}; ` +
        'the zip directory is damaged',
    );
  return { name, deflated, checksum: view.getUint32(at + 16, true), ...fields };
}

/** A 64-bit number that JavaScript must be able to represent exactly. */
function wide(view: DataView, at: number, fail: Fail): number {
  const value = view.getBigUint64(at, true);
  return value > BigInt(Number.MAX_SAFE_INTEGER)
    ? fail('the zip directory is damaged; copy or download the file again')
    : Number(value);
}
