/** Text files line by line, plain or gzipped, one line in memory at a time, and errors that name the line. */
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { InputError } from '../errors.js';
import { openUserFile } from '../files.js';

/** Longest line that is read: a line of real data has under 300 characters. */
const longestLine = 4096;

/** Lines of a plain or gzipped text file, without their ends; one line in memory at a time. */
export async function* linesOf(file: string): AsyncGenerator<string> {
  const name = path.basename(file);
  const bytes = createReadStream(file, { fd: openUserFile(file, 'any') }); // which it closes
  const stream = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes;
  if (stream !== bytes) bytes.on('error', (error) => stream.destroy(error));
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  let number = 1;
  try {
    for await (const chunk of stream) {
      rest += decoder.decode(chunk as Buffer, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.length > longestLine) break;
        number++;
        yield line.endsWith('\r') ? line.slice(0, -1) : line;
      }
      if (rest.length > longestLine || lines.some((line) => line.length > longestLine))
        throw new InputError(
          `${name}, line ${number}: expected at most ${longestLine} characters; this is no puzzle file`,
        );
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code.startsWith('Z_'))
      throw new InputError(
        `${name}: expected gzip data, got ${code === 'Z_BUF_ERROR' ? 'a file that ends too early' : 'something else'}; the file is damaged`,
      );
    throw error;
  } finally {
    bytes.destroy();
  }
  if (rest !== '') yield rest;
}

/** Names file and line in an error that a reader of one line throws. */
export function atLine<Result>(name: string, number: number, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${name}, line ${number}: ${error.message}`);
    throw error;
  }
}
