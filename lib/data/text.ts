/**
 * Reads text files, plain or gzipped (told by their content), in UTF-8 or UTF-16, with a bound on their unpacked size.
 */
import { closeSync, createReadStream, readSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { createGunzip, gunzipSync } from 'node:zlib';
import { InputError } from '../errors.js';
import { openUserFile, readUserFile } from '../user-file.js';

/** Longest line that is accepted; lines of real data have under 300 characters. */
const longestLine = 4096;

/** Beyond `bytes`, a gzipped file may unpack to at most `ratio` times its size; puzzles compress ten to one at most. */
const unpacking = { bytes: 1 << 24, ratio: 100 } as const;

/** First bytes of binary files that may hold tables or puzzles, and what such a file is. */
const otherFiles: readonly (readonly [string, string])[] = [
  ['PK\x03\x04', 'a workbook or a zip archive; save the sheet as CSV, or unpack it'],
  ['PAR1', 'a Parquet file; save it as CSV'],
  ['\xd0\xcf\x11\xe0', 'an old workbook; save the sheet as CSV'],
  ['\x28\xb5\x2f\xfd', 'a file compressed by zstd; unpack it'],
  ['\xfd7zXZ', 'a file compressed by xz; unpack it'],
  ['BZh', 'a file compressed by bzip2; unpack it'],
  ['version https://git-lfs', 'a Git LFS pointer; fetch the file itself with git lfs pull'],
  ['<!DOCTYPE html', 'a web page; download the file itself'],
  ['%PDF', 'a PDF document; copy its puzzles into a text file'],
];

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Whether a file is gzipped, whatever its name. */
export function isGzipped(file: string): boolean {
  const handle = openUserFile(file, 'plain');
  try {
    const start = Buffer.alloc(2);
    readSync(handle, start);
    return isGzip(start);
  } finally {
    closeSync(handle);
  }
}

/** The decoder for a file that begins with these bytes. Throws InputError if they are not text. */
function decoderFor(head: Uint8Array, name: string): TextDecoder {
  const start = Buffer.from(head.subarray(0, 24)).toString('latin1');
  const other = otherFiles.find(([magic]) => start.startsWith(magic));
  if (other !== undefined) throw new InputError(`${name}: expected puzzles as text, got ${other[1]}`);
  if (start.startsWith('\xff\xfe')) return new TextDecoder('utf-16le');
  if (start.startsWith('\xfe\xff')) return new TextDecoder('utf-16be');
  if (head.includes(0))
    throw new InputError(`${name}: expected a text file, got a binary one; save it as CSV or text in UTF-8`);
  return new TextDecoder('utf-8'); // which drops a byte-order mark
}

/**
 * The text of a file, chunk by chunk. Throws InputError for a file that is not text, for damaged gzip data, and for one
 * that unpacks to too much.
 */
export async function* textOf(file: string): AsyncGenerator<string> {
  const name = path.basename(file);
  const bytes = createReadStream(file, { fd: openUserFile(file, 'plain') }); // which it closes
  let stream: Readable = bytes;
  let decoder: TextDecoder | undefined;
  let total = 0;
  try {
    await once(bytes, 'readable');
    const first = bytes.read() as Buffer | null;
    if (first === null) return;
    bytes.unshift(first);
    if (isGzip(first)) {
      stream = bytes.pipe(createGunzip());
      bytes.on('error', (error) => stream.destroy(error));
    }
    let head = Buffer.alloc(0);
    for await (const chunk of stream) {
      total += (chunk as Buffer).length;
      if (stream !== bytes && total > unpacking.bytes && total > unpacking.ratio * bytes.bytesRead)
        throw new InputError(
          `${name}: expected a file that unpacks to at most ${unpacking.ratio} times its size; this is no puzzle file`,
        );
      if (decoder === undefined) {
        head = Buffer.concat([head, chunk as Buffer]);
        if (head.length < 1024) continue; // more bytes identify it more surely
        decoder = decoderFor(head, name);
        yield decoder.decode(head, { stream: true });
      } else yield decoder.decode(chunk as Buffer, { stream: true });
    }
    if (decoder === undefined) yield decoderFor(head, name).decode(head);
  } catch (error) {
    throw gzipError(error, name);
  } finally {
    bytes.destroy();
  }
}

/** A text's start, at least 64 Ki characters if it is that long, and the whole text from line `skip` + 1 on. */
export async function startOf(
  text: AsyncGenerator<string>,
): Promise<{ readonly start: string; readonly from: (skip: number) => AsyncGenerator<string> }> {
  let start = '';
  while (start.length < 1 << 16) {
    const next = await text.next();
    if (next.done === true) break;
    start += next.value;
  }
  return {
    start,
    from: async function* (skip) {
      const ends = /\r\n|\n|\r|$/g;
      for (let line = 0; line < skip; line++) ends.exec(start);
      yield start.slice(ends.lastIndex);
      yield* text;
    },
  };
}

/** What `read` gives of a file's text. The file is closed at the end, also if `read` throws or is left early. */
export async function* reading<Item>(
  file: string,
  read: (text: AsyncGenerator<string>) => AsyncGenerator<Item>,
): AsyncGenerator<Item> {
  const text = textOf(file);
  try {
    yield* read(text);
  } finally {
    await text.return(undefined);
  }
}

/** The start of a file's text, enough to tell its kind. */
export async function firstText(file: string): Promise<string> {
  const text = textOf(file);
  const { start } = await startOf(text);
  await text.return(undefined); // closes the file
  return start;
}

/** Lines of a text, without their ends; `name` is the file's, for messages. */
export async function* linesOf(text: AsyncIterable<string>, name: string): AsyncGenerator<string> {
  let rest = '';
  let number = 0;
  for await (const chunk of text) {
    rest += chunk;
    const held = rest.endsWith('\r') ? '\r' : ''; // its \n may come next
    const lines = rest.slice(0, rest.length - held.length).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? '') + held;
    for (const line of lines) {
      number++;
      if (line.length > longestLine) throw tooLong(name, number);
      yield line;
    }
    if (rest.length > longestLine) throw tooLong(name, number + 1);
  }
  if (rest !== '') yield rest.replace(/\r$/, '');
}

const tooLong = (name: string, line: number): InputError =>
  new InputError(`${name}, line ${line}: expected at most ${longestLine} characters; this is no puzzle file`);

/** The whole text of a file of at most `most` bytes, unpacked if gzipped. Throws InputError for a larger one. */
export function wholeText(file: string, most: number): string {
  const name = path.basename(file);
  let bytes = readUserFile(file, most);
  if (isGzip(bytes)) {
    try {
      bytes = gunzipSync(bytes, { maxOutputLength: most });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        throw new InputError(`${name}: expected at most ${most} bytes, got more after unpacking`);
      throw gzipError(error, name);
    }
  }
  return decoderFor(bytes, name).decode(bytes);
}

/** An InputError for damaged gzip data; any other error unchanged. */
function gzipError(error: unknown, name: string): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (!code.startsWith('Z_')) return error;
  const got = code === 'Z_BUF_ERROR' ? 'a file that ends too early' : 'something else';
  return new InputError(`${name}: expected gzip data, got ${got}; the file is damaged`);
}
