/** Where the project's files are, and how a file is written so that a crash never leaves half of one. */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from './errors.js';

let root: string | undefined;

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

/**
 * Writes a file whole or not at all: to a temporary name beside it, synced, then renamed.
 * Creates the folder if needed.
 */
export function writeFileAtomic(file: string, content: string | Uint8Array): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  try {
    const handle = openSync(temporary, 'w');
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(handle, bytes, done);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** The folders searched for data sets, in order: TRM_DATA, the project's data/, then shared/data beside the project. */
export function dataFolders(): string[] {
  const fromUser = process.env['TRM_DATA'];
  const folders = [path.join(projectRoot(), 'data'), path.join(projectRoot(), '..', 'shared', 'data')];
  return fromUser === undefined || fromUser === '' ? folders : [path.resolve(fromUser), ...folders];
}

/** The path of a data file by name, or undefined if no data folder has it. */
export function findDataFile(name: string): string | undefined {
  return dataFolders()
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file));
}

/** The path of a data file by name. Throws InputError naming the folders searched. */
export function dataFile(name: string): string {
  const found = findDataFile(name);
  if (found === undefined) {
    throw new InputError(
      `data file ${name} not found in ${dataFolders().join(', ')}; set TRM_DATA to the folder that holds it (data/README.md says where to get it)`,
    );
  }
  return found;
}

/** Reads a whole file the user named. Throws InputError if it is not there or is a folder. */
export function readUserFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new InputError(`file not found: ${file}; check the path`);
    if (code === 'EISDIR') throw new InputError(`expected a file, got a folder: ${file}`);
    if (code === 'EACCES') throw new InputError(`no permission to read ${file}`);
    throw error;
  }
}
