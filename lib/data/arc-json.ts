/** ARC files: one JSON object of many tasks, or one task a file, plain or gzipped; every grid checked, memory bounded. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { InputError, show } from '../errors.js';
import { readUserFile } from '../files.js';
import { gridOfRows, longestSide, type ArcPair, type ArcTask } from './arc.js';
import type { Grid } from './grid.js';

/** Limits that no ARC set comes near: bytes of JSON, tasks, and pairs of one kind in a task. */
const limits = { bytes: 64e6, tasks: 10_000, pairs: 64 } as const;

/** Tasks of a file, in its order. Throws InputError naming file, task, pair and cell. */
export function readArcTasks(file: string): ArcTask[] {
  return parseArcTasks(path.basename(file), jsonBytes(file));
}

/** Tasks of a file's text; `name` is the file's, for messages and for the id of a lone task. */
export function parseArcTasks(name: string, text: string): ArcTask[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new InputError(`${name}: expected JSON, got ${error.message}; the file is truncated or damaged`);
    throw error;
  }
  if (!isObject(json)) throw new InputError(`${name}: expected an object of tasks or one task, got ${kindOf(json)}`);
  // One task a file, as the ARC repositories keep them, or an object of tasks by id.
  const lone = Array.isArray(json['train']) || Array.isArray(json['test']);
  const tasks = lone ? [[name.replace(/\.json(\.gz)?$/, ''), json] as const] : Object.entries(json);
  if (tasks.length === 0 || tasks.length > limits.tasks)
    throw new InputError(`${name}: expected 1 to ${limits.tasks} tasks, got ${tasks.length}`);
  return tasks.map(([id, task]) => parseTask(`${name}, task ${id.slice(0, 40)}`, id, task));
}

function parseTask(where: string, id: string, task: unknown): ArcTask {
  if (id === '' || id.includes('|||'))
    throw new InputError(`${where}: expected an id without |||, which separates a task from its augmentation`);
  if (!isObject(task)) throw new InputError(`${where}: expected an object with train and test, got ${kindOf(task)}`);
  const pairs = (part: 'train' | 'test'): ArcPair[] => {
    const list = task[part];
    if (!Array.isArray(list) || list.length === 0 || list.length > limits.pairs) {
      throw new InputError(
        `${where}: expected ${part} to be a list of 1 to ${limits.pairs} pairs, got ${Array.isArray(list) ? list.length : kindOf(list)}`,
      );
    }
    return list.map((pair: unknown, i) => {
      const place = `${where}, ${part} pair ${i + 1}`;
      if (!isObject(pair))
        throw new InputError(`${place}: expected an object with input and output, got ${kindOf(pair)}`);
      return {
        input: parseGrid(`${place}, input`, pair['input']),
        output: parseGrid(`${place}, output`, pair['output']),
      };
    });
  };
  return { id, train: pairs('train'), test: pairs('test') };
}

function parseGrid(where: string, rows: unknown): Grid {
  if (!Array.isArray(rows) || rows.length === 0 || rows.length > longestSide)
    throw new InputError(
      `${where}: expected 1 to ${longestSide} rows, got ${Array.isArray(rows) ? rows.length : kindOf(rows)}`,
    );
  const columns = Array.isArray(rows[0]) ? rows[0].length : 0;
  rows.forEach((row: unknown, r) => {
    if (!Array.isArray(row) || row.length === 0 || row.length > longestSide)
      throw new InputError(
        `${where}, row ${r + 1}: expected 1 to ${longestSide} colours, got ${Array.isArray(row) ? row.length : kindOf(row)}`,
      );
    if (row.length !== columns)
      throw new InputError(`${where}, row ${r + 1}: expected ${columns} colours like the first row, got ${row.length}`);
    const bad = row.findIndex(
      (colour: unknown) => !Number.isInteger(colour) || (colour as number) < 0 || (colour as number) > 9,
    );
    if (bad >= 0)
      throw new InputError(
        `${where}, row ${r + 1}, column ${bad + 1}: expected a colour from 0 to 9, got ${show(row[bad])}`,
      );
  });
  return gridOfRows(rows as number[][]);
}

/** The text of a file, unpacked if it is gzipped, never more than the limit. */
function jsonBytes(file: string): string {
  const name = path.basename(file);
  const tooLarge = (): InputError =>
    new InputError(`${name}: expected at most ${limits.bytes / 1e6} MB of JSON; this is no ARC file`);
  if (existsSync(file) && statSync(file).size > limits.bytes) throw tooLarge();
  const bytes = readUserFile(file);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.toString('utf8');
  try {
    return gunzipSync(bytes, { maxOutputLength: limits.bytes }).toString('utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    if (code.startsWith('Z_'))
      throw new InputError(
        `${name}: expected gzip data, got ${code === 'Z_BUF_ERROR' ? 'a file that ends too early' : 'something else'}; the file is damaged`,
      );
    throw error;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  return value === undefined ? 'nothing' : value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
}
