/** Random access to untrusted bytes: the interface for readers of formats, and its version for bytes in memory. */
import { InputError } from '../errors.js';

/** Bytes that are read piece by piece. The caller closes them. */
export interface Bytes {
  /** For messages: the path, or "data in memory". */
  readonly name: string;
  readonly size: number;
  /**
   * A copy of `length` bytes from `offset`, in its own buffer, so that any typed array may view it. The caller has
   * checked the range against `size`.
   */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

/** Throws InputError for a problem with some bytes. */
export type Fail = (problem: string) => never;

/** A Fail whose message begins with the name of the file. */
export function failOf({ name }: Bytes): Fail {
  return (problem) => {
    throw new InputError(`${name}: ${problem}`);
  };
}

/** Bytes in memory. */
export class MemoryBytes implements Bytes {
  readonly name: string;
  readonly #memory: Uint8Array;

  constructor(memory: Uint8Array, name = 'data in memory') {
    this.name = name;
    this.#memory = memory;
  }

  get size(): number {
    return this.#memory.length;
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this, offset, length);
    const copy = new Uint8Array(length);
    copy.set(this.#memory.subarray(offset, offset + length));
    return copy;
  }

  close(): void {}
}

/** Throws RangeError if a read leaves the bytes. */
export function checkRange({ name, size }: Bytes, offset: number, length: number): void {
  if (offset < 0 || length < 0 || offset + length > size)
    throw new RangeError(`read of ${length} bytes at ${offset} leaves ${name} of ${size} bytes`);
}
