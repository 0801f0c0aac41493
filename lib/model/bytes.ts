/** Random access to the bytes of an untrusted file, or of a file already in memory, without reading it whole. */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { InputError } from '../errors.js';
import { openUserFile } from '../files.js';

/** One readSync call returns at most this much. */
const largestRead = 1 << 30;

/** A file opened for reading. Close it. */
export class Bytes {
  /** For messages: the path, or "data in memory". */
  readonly name: string;
  readonly size: number;
  readonly #memory: Uint8Array | undefined;
  readonly #handle: number | undefined;

  /** Throws InputError if the file is not there or is not a file. */
  constructor(file: string | Uint8Array) {
    if (typeof file !== 'string') {
      this.name = 'data in memory';
      this.size = file.length;
      this.#memory = file;
      return;
    }
    this.name = file;
    this.#handle = openUserFile(file, 'plain');
    this.size = fstatSync(this.#handle).size;
  }

  /** A copy of `length` bytes from `offset`, in a buffer of its own, so that any typed array may look at it. The caller has checked the range against `size`. */
  read(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 0 || offset + length > this.size)
      throw new RangeError(`read of ${length} bytes at ${offset} leaves ${this.name} of ${this.size} bytes`);
    const target = new Uint8Array(length);
    if (this.#memory !== undefined) {
      target.set(this.#memory.subarray(offset, offset + length));
      return target;
    }
    for (let done = 0; done < length; ) {
      const got = readSync(this.#handle as number, target, done, Math.min(length - done, largestRead), offset + done);
      if (got === 0)
        throw new InputError(`${this.name}: the file became shorter while it was read; wait until it is complete`);
      done += got;
    }
    return target;
  }

  close(): void {
    if (this.#handle !== undefined) closeSync(this.#handle);
  }
}
