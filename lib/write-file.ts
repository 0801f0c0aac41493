/** Writes files whole or not at all, so that a crash never leaves half of one. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { InputError } from './errors.js';
import { writeError } from './file-errors.js';
import { isAlive, pidNamespace } from './processes.js';

/** The bytes of an array, in views of at most `most` bytes; one write or hash always takes the default. */
export function* pieces({ buffer, byteOffset, byteLength }: ArrayBufferView, most = 2 ** 30): Generator<Uint8Array> {
  for (let at = 0; at < byteLength; at += most)
    yield new Uint8Array(buffer, byteOffset + at, Math.min(most, byteLength - at));
}

/**
 * Writes a file whole or not at all: under a temporary name in the same folder, synced, then renamed. A link stays one:
 * the file it names is written. Several arrays are concatenated. Creates the folder if needed. Throws InputError where
 * the place cannot be written to.
 */
export function writeFileAtomic(file: string, content: string | Uint8Array | Iterable<ArrayBufferView>): void {
  const whole = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  const parts = ArrayBuffer.isView(whole) ? [whole] : whole;
  const place = placeOf(file);
  const temporary = temporaryName(place);
  try {
    clearOnce(path.dirname(place));
    const handle = openSync(temporary, 'w');
    try {
      for (const part of parts)
        for (const piece of pieces(part))
          for (let done = 0; done < piece.length; ) done += writeSync(handle, piece, done);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, place);
  } catch (error) {
    removeHalf(temporary);
    throw writeError(error, file);
  }
}

/** Throws InputError where a file cannot be written; called before a result that takes long to compute. */
export function checkPlace(file: string): void {
  const place = placeOf(file);
  const temporary = temporaryName(place);
  try {
    if (existsSync(place) && statSync(place).isDirectory())
      throw new InputError(`${file}: expected a file, got a folder`);
    closeSync(openSync(temporary, 'w'));
  } catch (error) {
    throw writeError(error, file);
  } finally {
    removeHalf(temporary);
  }
}

/** Where a file will lie, in a folder that exists: what a link names. Throws InputError for a device or a pipe. */
function placeOf(file: string): string {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat !== undefined && !stat.isFile() && !stat.isDirectory())
      throw new InputError(`${file}: expected a file, got a device or a pipe; choose another place`);
    if (stat !== undefined) return realpathSync(file);
    if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true)
      throw new InputError(`${file}: expected a file or a free name, got a link to nothing; remove it`);
    makeFolder(path.dirname(file));
    return file;
  } catch (error) {
    throw writeError(error, file);
  }
}

/**
 * Makes a folder and its missing parents, one by one: Node's recursive mkdir never returns where the file system
 * refuses, as /proc does. Other processes may make the same folders meanwhile. `parents`: whether they may be missing.
 */
export function makeFolder(named: string, parents = true): void {
  const folder = path.resolve(named);
  try {
    mkdirSync(folder);
  } catch (error) {
    const stat = statSync(folder, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) return;
    if (stat === undefined && lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true)
      throw new InputError(`${folder}: expected a folder, got a link to nothing; make what it links to, or remove it`);
    if (!parents || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    makeFolder(path.dirname(folder));
    makeFolder(folder, false);
  }
}

/**
 * Removes a half-written file or folder. A place that refuses to be written to is ignored: nothing was left there.
 */
export function removeHalf(file: string): void {
  try {
    rmSync(file, { recursive: true, force: true });
  } catch (error) {
    if (!(writeError(error, file) instanceof InputError)) throw error;
  }
}

const cleared = new Set<string>();

/** Clears a folder once per process, since a folder of records may be large. */
function clearOnce(folder: string): void {
  const key = path.resolve(folder);
  if (cleared.has(key)) return;
  cleared.add(key);
  clearAbandoned(folder);
}

/** Removes half-written files that killed processes of this machine left in a folder. */
export function clearAbandoned(folder: string): void {
  for (const name of existsSync(folder) ? readdirSync(folder).filter(isAbandoned) : [])
    removeHalf(path.join(folder, name));
}

/** Whether linking failed because the file system does not support or allow links. */
export function lacksLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** The name of an unfinished file or folder, which takes the path `final` once it is complete. */
export function temporaryName(final: string): string {
  return `${final}.${machine()}.${process.pid}.tmp`;
}

/** Whether a name is a temporary one of a process of this machine and container that is dead. */
function isAbandoned(name: string): boolean {
  const [, on, pid] = /\.([\w-]+)\.(\d+)\.tmp$/.exec(name) ?? [];
  return on === machine() && Number(pid) !== process.pid && !isAlive(Number(pid));
}

/** For file names, where process ids are unique: machines and containers may share a folder. */
function machine(): string {
  return `${os.hostname()}${pidNamespace ?? ''}`.replaceAll(/[^\w-]/g, '_');
}
