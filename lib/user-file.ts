/** Opens files and folders that a user names; an InputError says which one is missing or of another kind. */
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { InputError } from './errors.js';
import { readError } from './file-errors.js';

/**
 * Reads a whole file the user named. Throws InputError if it cannot be opened or, before any of it is read,
 * if it has more than `most` bytes.
 */
export function readUserFile(file: string, most?: number): Buffer {
  const handle = openUserFile(file, most === undefined ? 'any' : 'plain');
  try {
    const { size } = fstatSync(handle);
    if (most !== undefined && size > most) throw new InputError(`${file}: expected at most ${most} bytes, got ${size}`);
    return readFileSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * Opens a file the user named for reading; the caller closes it. `plain`: it must have a size and allow reads at any
 * offset, which excludes pipes and devices. Throws InputError if it is missing, is a folder, or may not be read.
 */
export function openUserFile(file: string, kind: 'any' | 'plain'): number {
  try {
    const stat = statSync(file); // not after opening, which waits for the other end of a pipe
    if (stat.isFile() || (kind === 'any' && !stat.isDirectory())) return openSync(file, 'r');
    const got = stat.isDirectory()
      ? 'a folder'
      : 'a pipe or a device, which is read only once; save what it gives first';
    throw new InputError(`expected a file, got ${got}: ${file}`);
  } catch (error) {
    throw readError(error, file);
  }
}

/**
 * The path where a new folder will lie: what a link names. Throws InputError unless it is free, or an empty folder that
 * another can replace.
 */
export function checkNewFolder(folder: string): string {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return path.resolve(folder);
    if (code === 'ENOTDIR')
      throw new InputError(
        `${folder}: expected a new or empty folder, got a file or a path through one; choose another`,
      );
    throw readError(error, folder);
  }
  if (names.length > 0)
    throw new InputError(`${folder}: expected a new or empty folder; choose another or delete it first`);
  const place = realpathSync(folder);
  const isDisk = statSync(place).dev !== statSync(path.dirname(place)).dev;
  if (isDisk || place === process.cwd())
    throw new InputError(
      `${folder}: expected a new folder, or an empty one to replace, got ` +
        `${isDisk ? 'the top folder of a disk' : 'the current folder'}; name a folder in it`,
    );
  return place;
}

/** Whether a path that the user named is a folder. Throws InputError if it does not exist. */
export function isFolder(named: string): boolean {
  try {
    return statSync(named).isDirectory();
  } catch (error) {
    throw readError(error, named);
  }
}
