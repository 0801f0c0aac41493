/** Writes and reads the frames between the kit and the torch engine's worker; wire.py defines the format. */
import { pieces } from '../../write-file.js';
import { MemoryBytes } from '../../checkpoint/bytes.js';
import { listSafetensors, safetensorsParts } from '../../checkpoint/safetensors.js';
import type { StoredTensor } from '../../checkpoint/tensor-data.js';

/** One message: a head with the request or answer, and tensors. */
export interface Frame {
  readonly head: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Longer frames are refused as invalid: the largest puzzle tables have 2.5 GB. */
const longestFrame = 16 * 2 ** 30;

/** The bytes of a frame, its length first. They are not copied: the tensors must not change until the answer. */
export function* frameBytes({ head, tensors }: Frame): Generator<Uint8Array> {
  const parts = safetensorsParts(tensors, { head: JSON.stringify(head) });
  const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  yield* pieces(BigUint64Array.of(BigInt(length)));
  for (const part of parts) yield* pieces(part, 2 ** 26);
}

/** Assembles frames from the chunks that a pipe delivers. */
export class FrameReader {
  readonly #length = new Uint8Array(8);
  #lengthRead = 0;
  #body: Uint8Array | undefined;
  #bodyRead = 0;

  /** The frames that a chunk completes. Throws Error for bytes that are not a frame. */
  *push(chunk: Uint8Array): Generator<Frame> {
    for (let at = 0; at < chunk.length; ) {
      if (this.#body === undefined) {
        const part = chunk.subarray(at, at + 8 - this.#lengthRead);
        this.#length.set(part, this.#lengthRead);
        this.#lengthRead += part.length;
        at += part.length;
        if (this.#lengthRead === 8) this.#begin();
      } else {
        const part = chunk.subarray(at, at + this.#body.length - this.#bodyRead);
        this.#body.set(part, this.#bodyRead);
        this.#bodyRead += part.length;
        at += part.length;
        if (this.#bodyRead === this.#body.length) yield this.#finish(this.#body);
      }
    }
  }

  #begin(): void {
    const length = Number(new DataView(this.#length.buffer).getBigUint64(0, true));
    if (length < 10 || length > longestFrame) throw new Error(`expected a frame's length, got ${length}`);
    this.#body = new Uint8Array(length);
    this.#bodyRead = 0;
  }

  #finish(body: Uint8Array): Frame {
    this.#body = undefined;
    this.#lengthRead = 0;
    const { handles, metadata } = listSafetensors(new MemoryBytes(body, 'a frame'));
    const head: unknown = JSON.parse(metadata['head'] ?? 'null');
    if (typeof head !== 'object' || head === null) throw new Error('expected a frame with a head, got one without');
    const tensors = new Map([...handles].map(([name, handle]) => [name, handle.read()]));
    return { head: head as Frame['head'], tensors };
  }
}
