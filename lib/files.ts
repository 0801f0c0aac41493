/** Where files are: the project's own, its data files, and files that a task names. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from './errors.js';
import { checkValue, pathText, type FieldCheck } from './fields.js';

let root: string | undefined;

/** How to call the command line. */
export const kitCommand = 'npm run trm --';

/** The folder that holds package.json, found upwards from this file (dist/ and build/ both lie below it). */
export function projectRoot(): string {
  if (root !== undefined) return root;
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error('no package.json above the compiled library');
    folder = parent;
  }
  return (root = folder);
}

/** A path in messages: relative if it is below the current folder, else absolute. */
export function shownPath(file: string): string {
  const relative = path.relative(process.cwd(), file) || '.';
  return relative.startsWith('..') ? path.resolve(file) : relative;
}

/** The folders searched for data sets, in order: the one that TRM_DATA names, and the project's data/. */
export function dataFolders(): string[] {
  const fromUser = process.env['TRM_DATA'] ?? '';
  return [...(fromUser === '' ? [] : [path.resolve(fromUser)]), path.join(projectRoot(), 'data')];
}

/** The path of a data file by name, or undefined if no data folder has it. */
export function findDataFile(name: string): string | undefined {
  return dataFolders()
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file));
}

/** A name of something inside a folder: not the folder itself, and nothing outside it. */
const nameBelow: FieldCheck = (value) =>
  pathText(value) === undefined && !/^(\.\.?[/\\]?$|\.\.[/\\]|[/\\])/.test(path.normalize(String(value)))
    ? undefined
    : 'the name of a file in a data folder';

/**
 * The path of a data file by name. Throws InputError naming the folders searched and, for a file of a published set,
 * the command that fetches it.
 */
export function dataFile(name: string, publishedSet?: string): string {
  checkValue('data file', name, nameBelow);
  const found = findDataFile(name);
  if (found === undefined) {
    const get = publishedSet === undefined ? '' : `get it by ${kitCommand} data get ${publishedSet}, or `;
    throw new InputError(
      `data file ${name} not found in ${dataFolders().join(', ')}; ` +
        `${get}set TRM_DATA to the folder that holds it (data/README.md says where it comes from)`,
    );
  }
  return found;
}

/**
 * The path of a file or folder that a task names, by path or by name in one of the data folders. Throws InputError if
 * it does not exist.
 */
export function userFile(named: string): string {
  checkValue('file', named, pathText);
  const file = path.resolve(named);
  if (existsSync(file)) return file;
  if (nameBelow(named) !== undefined) return missing(file);
  return findDataFile(named) ?? missing(`${file}, nor in ${dataFolders().join(', ')}`);
}

function missing(file: string): never {
  throw new InputError(`file or folder not found: ${file}; check the path`);
}
