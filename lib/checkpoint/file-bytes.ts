/** Random access to the bytes of an untrusted file without reading it whole. */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { InputError } from '../errors.js';
import { openUserFile } from '../user-file.js';
import { checkRange, MemoryBytes, type Bytes } from './bytes.js';

/** One readSync call returns at most this much. */
const largestRead = 1 << 30;

/** The bytes of a file, or bytes already in memory. Throws InputError if the file is not there or is not a file. */
export function openBytes(file: string | Uint8Array): Bytes {
  return typeof file === 'string' ? new FileBytes(file) : new MemoryBytes(file);
}

/** The result of `read` on a file, which is then closed, or on bytes. Throws what openBytes and `read` throw. */
export function fromBytes<Result>(file: string | Uint8Array, read: (bytes: Bytes) => Result): Result {
  const bytes = openBytes(file);
  try {
    return read(bytes);
  } finally {
    bytes.close();
  }
}

class FileBytes implements Bytes {
  readonly name: string;
  readonly size: number;
  readonly #handle: number;

  constructor(file: string) {
    this.name = file;
    this.#handle = openUserFile(file, 'plain');
    this.size = fstatSync(this.#handle).size;
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this, offset, length);
    const target = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const got = readSync(this.#handle, target, done, Math.min(length - done, largestRead), offset + done);
      if (got === 0)
        throw new InputError(`${this.name}: the file became shorter while it was read; wait until it is complete`);
      done += got;
    }
    return target;
  }

  close(): void {
    closeSync(this.#handle);
  }
}
