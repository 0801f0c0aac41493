/** Safetensors files, read and written. */
import { writeFileAtomic } from '../write-file.js';
import { fromBytes } from './file-bytes.js';
import { listSafetensors, safetensorsParts } from './safetensors.js';
import type { StoredTensor } from './tensor-data.js';

/** The content of a safetensors file. */
export interface SafetensorsFile {
  /** In the order in which the file stores them. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a file, or the bytes of one. Nothing is allocated before the whole header has been checked against the file's
 * size. Throws InputError naming file, tensor and problem.
 */
export function readSafetensors(file: string | Uint8Array): SafetensorsFile {
  return fromBytes(file, (bytes) => {
    const { handles, metadata } = listSafetensors(bytes);
    return { tensors: new Map([...handles].map(([name, handle]) => [name, handle.read()])), metadata };
  });
}

/** The metadata of a file, without reading its tensors. Throws InputError as readSafetensors does. */
export function readMetadata(file: string): Readonly<Record<string, string>> {
  return fromBytes(file, (bytes) => listSafetensors(bytes).metadata);
}

/** Writes a file atomically. The bytes depend on names, values and metadata only, not on the order of the map. */
export function writeSafetensors(
  file: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  writeFileAtomic(file, safetensorsParts(tensors, metadata));
}
