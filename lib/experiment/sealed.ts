/** Files sealed with a checksum of their content and read back without trusting them, and the hash that seals. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { InputError, show } from '../errors.js';
import { isObject } from '../fields.js';
import { readError } from '../file-errors.js';
import { projectRoot } from '../files.js';
import { readJson } from '../json.js';
import { readUserFile } from '../user-file.js';

/** Most bytes of such a file, and levels of nesting in it: real ones have 50 KB and five levels. */
const bounds = { bytes: 16 * 2 ** 20, levels: 32 };

/** A record of any kind with a checksum of itself. */
export function sealed(record: object): object {
  return { ...record, checksum: checksum(record) };
}

/** Reads a sealed file of a schema, whose content is checked before its seal. Throws InputError as readRecord. */
export function readSealed(file: string, schema: string, check: (name: string, content: object) => void): object {
  const name = path.basename(file);
  const refuse = (reason: string): never => {
    throw new InputError(
      `record ${name}: expected JSON, got ${reason}; the file is truncated or damaged: delete it and run again`,
    );
  };
  const parsed = readJson(readUserFile(file, bounds.bytes).toString('utf8'), refuse, bounds);
  const { checksum: written, ...rest } = isObject(parsed) ? parsed : {};
  if (rest['schema'] !== schema)
    throw new InputError(
      `record ${name}: expected schema ${schema}, got ${show(rest['schema'])}; it is from another version ` +
        'of the kit or not a record',
    );
  check(`record ${name}`, rest);
  if (written !== checksum(rest))
    throw new InputError(
      `record ${name}: its checksum does not match its content; it was changed after the run, so it is not a ` +
        'result: delete it and run again',
    );
  return rest;
}

/** Paths of the JSON files of a folder, by name. Throws InputError for a path that is no folder. */
export function recordFiles(folder: string): string[] {
  const place = path.resolve(projectRoot(), folder);
  let names: string[];
  try {
    names = readdirSync(place);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') throw new InputError(`${folder}: expected a folder, got a file or a path through one`);
    throw readError(error, folder);
  }
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => path.join(place, name));
}

/** SHA-256 of any plain value, independent of the order in which its fields were set. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex');
}

function checksum(record: object): string {
  return hashOf(JSON.parse(JSON.stringify(record)));
}

/** JSON with keys sorted at every level. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (isObject(value)) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return `{${fields
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`)
      .join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
