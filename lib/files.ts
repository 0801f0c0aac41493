/**
 * Where the project's files are, how files that a user names are opened, and how one is written so that a crash never
 * leaves half of it.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BrokenError, InputError, show } from './errors.js';
import { isAbandoned, temporaryName } from './processes.js';

let root: string | undefined;

/** How the command line is called: by npm in a clone, by its own name where the kit is a package of another project. */
export function kitCommand(file = fileURLToPath(import.meta.url)): string {
  return file.split(path.sep).includes('node_modules') ? 'trm-lab' : 'npm run trm --';
}

/** The folder that holds package.json, found upwards from this file (dist/ and build/ both lie below it). */
export function projectRoot(): string {
  if (root !== undefined) return root;
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json')) || path.basename(path.dirname(folder)) === 'node_modules') {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error('no package.json above the compiled library');
    folder = parent;
  }
  return (root = folder);
}

/** The bytes of an array, in views of at most so many: by default, as many as one write or hash takes for certain. */
export function* pieces({ buffer, byteOffset, byteLength }: ArrayBufferView, most = 2 ** 30): Generator<Uint8Array> {
  for (let at = 0; at < byteLength; at += most)
    yield new Uint8Array(buffer, byteOffset + at, Math.min(most, byteLength - at));
}

/**
 * Writes a file whole or not at all: to a temporary name beside it, synced, then renamed. Arrays are written one behind
 * the other. Creates the folder if needed. Throws InputError where the place cannot be written to.
 */
export function writeFileAtomic(file: string, content: string | Uint8Array | Iterable<ArrayBufferView>): void {
  const temporary = temporaryName(file);
  const whole = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  const parts = ArrayBuffer.isView(whole) ? [whole] : whole;
  try {
    makeFolder(path.dirname(file));
    clearOnce(path.dirname(file));
  } catch (error) {
    throw inWords(error, file);
  }
  try {
    const handle = openSync(temporary, 'w');
    try {
      for (const part of parts)
        for (const piece of pieces(part))
          for (let done = 0; done < piece.length; ) done += writeSync(handle, piece, done);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  } catch (error) {
    removeHalf(temporary);
    throw inWords(error, file);
  }
}

/**
 * Makes a folder, with those above it that are missing, one by one: where a file system refuses, as /proc does, Node's
 * own way to make several never returns.
 */
export function makeFolder(named: string): void {
  const folder = path.resolve(named);
  try {
    mkdirSync(folder);
  } catch (error) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
    const above = path.dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || existsSync(above)) throw error;
    makeFolder(above);
    makeFolder(folder);
  }
}

/**
 * Removes what could not be written whole. Where nothing can be written, nothing can be removed, nor is there anything.
 */
export function removeHalf(file: string): void {
  try {
    rmSync(file, { recursive: true, force: true });
  } catch (error) {
    if (!(inWords(error, file) instanceof InputError)) throw error;
  }
}

const cleared = new Set<string>();

/** Looked at once a process: a folder of records may be large. */
function clearOnce(folder: string): void {
  const key = path.resolve(folder);
  if (cleared.has(key)) return;
  cleared.add(key);
  clearAbandoned(folder);
}

/** Removes from a folder what processes of this machine left half written when they were killed. */
export function clearAbandoned(folder: string): void {
  for (const name of existsSync(folder) ? readdirSync(folder).filter(isAbandoned) : [])
    removeHalf(path.join(folder, name));
}

/**
 * The folders searched for data sets, in order: the one that TRM_DATA names, then the project's data/, then, where the
 * kit is a package of another project, its own.
 */
export function dataFolders(): string[] {
  const fromUser = process.env['TRM_DATA'] ?? '';
  const own = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'data');
  const folders = [path.join(projectRoot(), 'data'), ...(own.includes('node_modules') ? [own] : [])];
  return [...(fromUser === '' ? [] : [path.resolve(fromUser)]), ...folders];
}

/** The path of a data file by name, or undefined if no data folder has it. */
export function findDataFile(name: string): string | undefined {
  return dataFolders()
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file));
}

/**
 * The path of a data file by name. Throws InputError naming the folders searched, and the command that fetches it where
 * it belongs to a published set.
 */
export function dataFile(name: string, publishedSet?: string): string {
  const found = findDataFile(name);
  if (found === undefined) {
    const get = publishedSet === undefined ? '' : `get it by ${kitCommand()} data get ${publishedSet}, or `;
    throw new InputError(
      `data file ${name} not found in ${dataFolders().join(', ')}; ` +
        `${get}set TRM_DATA to the folder that holds it (data/README.md says where it comes from)`,
    );
  }
  return found;
}

/**
 * A file or folder that a task names: a path, or a name in one of the data folders. Throws InputError where there is
 * none.
 */
export function userFile(named: string): string {
  const file = path.resolve(named);
  return existsSync(file) ? file : path.isAbsolute(named) ? missing(file) : dataFile(named);
}

function missing(file: string): never {
  throw new InputError(`file or folder not found: ${file}; check the path`);
}

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
 * Opens a file the user named for reading; the caller closes it. `plain`: it must have a size and be read at any place,
 * which pipes and devices cannot. Throws InputError if it is not there, is a folder, or may not be read.
 */
export function openUserFile(file: string, kind: 'any' | 'plain'): number {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    throw pathError(error, file);
  }
  const stat = fstatSync(handle);
  if (stat.isFile() || (kind === 'any' && !stat.isDirectory())) return handle;
  closeSync(handle);
  throw new InputError(`expected a file, got ${stat.isDirectory() ? 'a folder' : 'a device'}: ${file}`);
}

/** Throws InputError unless there is nothing at a path, or an empty folder. */
export function checkNewFolder(folder: string): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    if (code === 'ENOTDIR')
      throw new InputError(
        `${folder}: expected a new or empty folder, got a file or a path through one; choose another`,
      );
    throw pathError(error, folder);
  }
  if (names.length > 0)
    throw new InputError(`${folder}: expected a new or empty folder; choose another or delete it first`);
}

/** Whether a path that the user named is a folder. Throws InputError where there is nothing. */
export function isFolder(named: string): boolean {
  try {
    return statSync(named).isDirectory();
  } catch (error) {
    throw pathError(error, named);
  }
}

/** What the file system says of a path: an InputError where the path is to blame, else the error as it is. */
export function pathError(error: unknown, named: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new InputError(`file not found: ${named}; check the path`);
  if (code === 'EACCES' || code === 'EPERM') return new InputError(`no permission to read ${named}`);
  if (code === 'ELOOP') return new InputError(`${named}: expected a file, got a link that leads back to itself`);
  if (code === 'ENAMETOOLONG') return new InputError(`expected a path, got one that is too long: ${show(named)}`);
  return error;
}

/**
 * What it says of a place to write to: an InputError where the place is to blame, else the error as it is.
 * `named`: default the path that the error names.
 */
export function inWords(error: unknown, named?: string): unknown {
  const { code = '', path: at, syscall = '' } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'there is no permission to',
    EPERM: 'there is no permission to',
    EROFS: 'the disk is read-only',
    ENOTDIR: 'a part of its path is a file',
    ELOOP: 'a link in its path leads back to itself',
    ENAMETOOLONG: 'its name is too long',
    EEXIST: 'a part of its path is a file',
    EISDIR: 'a folder has this name',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the quota is used up',
  };
  // A folder that is to be made below others fails so on a disk that is read-only.
  const reason = code === 'ENOENT' && syscall === 'mkdir' ? 'no folder can be made there' : reasons[code];
  const place = named ?? at ?? (syscall === 'write' || syscall === 'fsync' ? 'a file' : undefined);
  return reason === undefined || place === undefined || error instanceof InputError
    ? error
    : new InputError(`${place} cannot be written: ${reason}; choose another place, or make room there`);
}

/** One sentence where the input, a place to write to or a device is to blame; else with the place in the code. */
export function errorText(thrown: unknown): string {
  const error = inWords(thrown);
  if (!(error instanceof Error)) return `error: ${String(error)}`;
  return error instanceof InputError || error instanceof BrokenError ? error.message : (error.stack ?? error.message);
}
