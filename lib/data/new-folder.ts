/** Writes a folder that appears only once it is complete, and hashes everything in it. */
import { createHash } from 'node:crypto';
import { existsSync, renameSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { writeError } from '../file-errors.js';
import { checkNewFolder } from '../user-file.js';
import { clearAbandoned, makeFolder, removeHalf, temporaryName, writeFileAtomic } from '../write-file.js';

/** A folder while its files are written. */
export interface UnfinishedFolder {
  /** Makes a subfolder and returns its path. */
  folder(name: string): string;
  text(name: string, content: string): void;
  /** Adds a file that was written by other means to the hash. */
  wrote(name: string, sha256: string): void;
}

/**
 * Writes a folder whole or not at all, under a temporary name next to it. `sha256` is over all files' names and
 * hashes: equal files give an equal one. Throws InputError if the path exists and is not an empty folder.
 */
export function writeNewFolder<Result>(
  out: string,
  write: (unfinished: UnfinishedFolder) => Result,
): { readonly result: Result; readonly sha256: string } {
  const place = checkNewFolder(out);
  const temporary = temporaryName(place);
  const hashes: string[] = [];
  const unfinished: UnfinishedFolder = {
    folder: (name) => {
      makeFolder(path.join(temporary, name));
      return path.join(temporary, name);
    },
    text: (name, content) => {
      writeFileAtomic(path.join(temporary, name), content);
      unfinished.wrote(name, createHash('sha256').update(content).digest('hex'));
    },
    wrote: (name, sha256) => void hashes.push(`${name} ${sha256}`),
  };
  try {
    clearAbandoned(path.dirname(temporary));
    const result = write(unfinished);
    if (existsSync(place)) rmdirSync(place);
    renameSync(temporary, place);
    return { result, sha256: createHash('sha256').update(hashes.sort().join('\n')).digest('hex') };
  } catch (error) {
    removeHalf(temporary);
    throw writeError(error, out);
  }
}
