/** Writes NumPy's .npy files piece by piece, so that an array of any size takes the memory of one piece. */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { npyTypes, type NpyType } from './npy.js';

/** Bytes gathered before they are written. */
const pieceBytes = 1 << 20;

/** One .npy file (format 1.0, C order, little-endian) whose shape is known before its content. */
export class NpyWriter {
  readonly #handle: number;
  readonly #hash: Hash = createHash('sha256');
  readonly #piece = Buffer.alloc(pieceBytes);
  #gathered = 0;
  #missing: number;

  constructor(file: string, type: NpyType, shape: readonly number[]) {
    const { descr, bytes } = npyTypes[type];
    this.#missing = shape.reduce((product, size) => product * size, bytes);
    this.#handle = openSync(file, 'w');
    // Magic, version, length and dictionary together are padded to a multiple of 64 bytes.
    const sizes = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
    const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${sizes}, }`;
    const header = `${dictionary}${' '.repeat(63 - ((10 + dictionary.length) % 64))}\n`;
    this.#put(
      Buffer.concat([
        Buffer.from([0x93]),
        Buffer.from('NUMPY\u0001\u0000', 'latin1'),
        Buffer.from([header.length & 255, header.length >> 8]),
        Buffer.from(header, 'latin1'),
      ]),
    );
  }

  /** Appends elements, given as bytes of the file's type. */
  write(elements: Uint8Array | Int32Array): void {
    this.#missing -= elements.byteLength;
    if (this.#missing < 0) throw new Error('more elements than the shape has');
    this.#put(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength));
  }

  /** Ends the file and returns its SHA-256. */
  end(): string {
    if (this.#missing !== 0) throw new Error(`${this.#missing} bytes fewer than the shape has`);
    this.#flush();
    fsyncSync(this.#handle);
    closeSync(this.#handle);
    return this.#hash.digest('hex');
  }

  /** Closes the unfinished file. */
  abandon(): void {
    closeSync(this.#handle);
  }

  #put(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const taken = Math.min(bytes.length - from, pieceBytes - this.#gathered);
      this.#piece.set(bytes.subarray(from, from + taken), this.#gathered);
      this.#gathered += taken;
      from += taken;
      if (this.#gathered === pieceBytes) this.#flush();
    }
  }

  #flush(): void {
    const bytes = this.#piece.subarray(0, this.#gathered);
    this.#hash.update(bytes);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#handle, bytes, done);
    this.#gathered = 0;
  }
}
