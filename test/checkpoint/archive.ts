/** Zip archives and pickles written by hand, honest or not, for the tests of the readers. */
import { deflateRawSync } from 'node:zlib';

export interface ArchiveFile {
  readonly name: string;
  readonly content: Uint8Array;
  readonly deflate?: boolean;
  /**
   * Lies: the size that the directory declares, its flags, and an entry that claims the first file's bytes instead of
   * its own.
   */
  readonly declaredSize?: number;
  readonly flags?: number;
  readonly alias?: boolean;
}

/** The bytes of a zip archive. */
export function zipOf(files: readonly ArchiveFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const name = Buffer.from(file.name);
    const packed = file.deflate === true ? deflateRawSync(file.content) : Buffer.from(file.content);
    const size = file.declaredSize ?? file.content.length;
    const common = Buffer.alloc(26); // version to extra length, shared by both headers; no checksum
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(file.flags ?? 0, 2);
    common.writeUInt16LE(file.deflate === true ? 8 : 0, 4);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(name.length, 22);
    const position = Buffer.alloc(14); // comment length to local header offset
    position.writeUInt32LE(file.alias === true ? 0 : offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, position, name);
    if (file.alias === true) continue;
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, name, packed]);
    parts.push(local);
    offset += local.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, entries, end]);
}

/** Pickle instructions of protocol 2, as bytes to be put after one another. */
export const op = {
  text: (value: string): Buffer => {
    const bytes = Buffer.from(value);
    const head = Buffer.alloc(5, 'X');
    head.writeUInt32LE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  },
  /** A whole number of up to 63 bits. */
  integer: (value: number): Buffer => {
    const bytes = Buffer.alloc(10);
    bytes.set([0x8a, 8]);
    bytes.writeBigInt64LE(BigInt(value), 2);
    return bytes;
  },
  global: (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`),
  tuple: (...items: Buffer[]): Buffer => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')]),
  dict: (...pairs: Buffer[]): Buffer => Buffer.concat([Buffer.from('}('), ...pairs, Buffer.from('u')]),
  call: (callee: Buffer, ...args: Buffer[]): Buffer => Buffer.concat([callee, op.tuple(...args), Buffer.from('R')]),
  no: Buffer.from([0x89]),
};

/** A pickle of protocol 2. */
export function pickleOf(...instructions: readonly (Buffer | string)[]): Buffer {
  return Buffer.concat([
    Buffer.from([0x80, 2]),
    ...instructions.map((each) => (typeof each === 'string' ? Buffer.from(each, 'latin1') : each)),
    Buffer.from('.'),
  ]);
}

/** A tensor as torch.save describes it. */
export function tensorOf(options: {
  readonly type?: string;
  readonly key?: string;
  readonly stored: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}): Buffer {
  const { type = 'FloatStorage', key = '0', stored, offset = 0, shape, strides } = options;
  const id = op.tuple(op.text('storage'), op.global('torch', type), op.text(key), op.text('cpu'), op.integer(stored));
  const storage = Buffer.concat([id, Buffer.from('Q')]);
  return op.call(
    op.global('torch._utils', '_rebuild_tensor_v2'),
    storage,
    op.integer(offset),
    op.tuple(...shape.map(op.integer)),
    op.tuple(...strides.map(op.integer)),
    op.no,
    op.call(op.global('collections', 'OrderedDict')),
  );
}

/** A checkpoint from its pickle and its storages. */
export function checkpointOf(pickle: Uint8Array, storages: Readonly<Record<string, Uint8Array>> = {}): Buffer {
  return zipOf([
    { name: 'archive/data.pkl', content: pickle },
    ...Object.entries(storages).map(([key, content]) => ({ name: `archive/data/${key}`, content })),
  ]);
}
