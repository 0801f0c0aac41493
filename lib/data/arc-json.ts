/**
 * Reads ARC files in their usual forms: tasks by id, one task a file, a folder of such files, a list of tasks or of
 * pairs, challenges with a file of solutions. Every grid is checked, and memory is bounded.
 */
import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { InputError, reasonOf, show } from '../errors.js';
import { isObject } from '../fields.js';
import { readError } from '../file-errors.js';
import { isFolder } from '../user-file.js';
import { readJson } from '../json.js';
import { gridOfRows, longestSide, type ArcPair, type ArcTask } from './arc.js';
import type { Grid } from './grid.js';
import { plural } from '../words.js';
import { wholeText } from './text.js';

/**
 * Limits far above any ARC set: bytes of JSON, levels of nesting, lists and objects, values, names; tasks; pairs.
 */
const limits = {
  bytes: 64e6,
  levels: 8,
  lists: 1_500_000,
  values: 8_000_000,
  names: 500_000,
  tasks: 10_000,
  pairs: 1024,
} as const;

/**
 * Tasks of a list in its order, of a folder by file name, and of an object in JavaScript's: ids that are whole numbers
 * first, by size. Throws InputError naming file, task, pair and cell.
 */
export function readArcTasks(named: string): ArcTask[] {
  const tasks = isFolder(named) ? folderTasks(named) : fileTasks(named);
  const ids = new Set<string>();
  for (const { id } of tasks) {
    if (ids.has(id)) throw new InputError(`${path.basename(named)}: expected every task once, got ${show(id)} twice`);
    ids.add(id);
  }
  return tasks;
}

function fileTasks(file: string): ArcTask[] {
  const solutions = path.join(path.dirname(file), path.basename(file).replace(/challenges/i, 'solutions'));
  return parseArcTasks(path.basename(file), wholeText(file, limits.bytes), solutions === file ? undefined : solutions);
}

/** Tasks of a folder: one task a file, as in the ARC repositories, or several. Those of folders in it are refused. */
function folderTasks(folder: string): ArcTask[] {
  const name = path.basename(folder);
  const entries = entriesOf(folder);
  const files = entries.filter(isJson);
  const challenges = (file: string): string => file.replace(/solutions/i, 'challenges');
  const answersOnly = new Set(
    files
      .map((file) => file.name)
      .filter((file, _, all) => challenges(file) !== file && all.includes(challenges(file))),
  );
  const inner = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  if (files.length === 0)
    throw new InputError(
      `${name}: expected a folder with train/dataset.json, or of ARC tasks as .json files, got neither` +
        `${inner.length === 0 ? '' : `; name one of its folders: ${inner.slice(0, 8).join(', ')}`}`,
    );
  const alsoHere = inner.filter((each) => entriesOf(path.join(folder, each)).some(isJson));
  if (alsoHere.length > 0)
    throw new InputError(
      `${name}: expected all tasks in one folder, got ${plural(files.length, '.json file')} in it and others in ` +
        `${alsoHere.slice(0, 8).join(', ')}; name one of these folders, or move the tasks together`,
    );
  let bytes = 0;
  for (const file of files) bytes += sizeOf(path.join(folder, file.name));
  if (files.length > 2 * limits.tasks || bytes > limits.bytes)
    throw new InputError(`${name}: expected at most ${limits.tasks} tasks and ${limits.bytes / 1e6} MB of JSON`);
  return files.flatMap((file) => (answersOnly.has(file.name) ? [] : fileTasks(path.join(folder, file.name))));
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw readError(error, folder);
  }
}

function isJson(entry: Dirent): boolean {
  return !entry.isDirectory() && /\.json(\.gz)?$/i.test(entry.name);
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch (error) {
    throw readError(error, file);
  }
}

/**
 * Tasks of a file's text. `name` is the file's, for messages and as the id of a single task. `solutions` is the path of
 * a file with the answers of test pairs, if it exists; an answer that a pair has itself must agree with it.
 */
export function parseArcTasks(name: string, text: string, solutions?: string): ArcTask[] {
  const json = jsonOf(name, text);
  const own = name.replace(/(\.json)?(\.gz)?$/i, '');
  let answers: Readonly<Record<string, unknown>> | undefined;
  const answersOf = (id: string): unknown => {
    if (solutions === undefined || !existsSync(solutions)) return undefined;
    const read = (answers ??= answersIn(solutions));
    return Object.hasOwn(read, id) ? read[id] : undefined;
  };
  const task = (id: string, value: unknown): ArcTask =>
    parseTask(`${name}, task ${reasonOf(id.slice(0, 40))}`, id, value, () => answersOf(id), solutions);
  const entries = Array.isArray(json)
    ? json.every((item) => isObject(item) && 'input' in item)
      ? [[own, { train: json, test: undefined }] as const] // pairs of one rule, such as RE-ARC's
      : json.map((item: unknown, i) => [idOf(item) ?? `${own}-${i + 1}`, item] as const)
    : !isObject(json)
      ? undefined
      : Array.isArray(json['train']) || Array.isArray(json['test'])
        ? [[own, json] as const]
        : Object.entries(json);
  if (entries === undefined)
    throw new InputError(`${name}: expected tasks by id, one task, or a list of tasks or pairs, got ${kindOf(json)}`);
  if (entries.length === 0 || entries.length > limits.tasks)
    throw new InputError(`${name}: expected 1 to ${limits.tasks} tasks, got ${entries.length}`);
  return entries.map(([id, value]) => task(id, value));
}

/** The id that a task of a list gives itself. */
function idOf(task: unknown): string | undefined {
  const fields = isObject(task) ? task : {};
  const id = ['id', 'task_id', 'name']
    .map((key) => fields[key])
    .find((each) => typeof each === 'string' || Number.isSafeInteger(each));
  return id === undefined ? undefined : String(id);
}

function answersIn(file: string): Readonly<Record<string, unknown>> {
  const json = jsonOf(path.basename(file), wholeText(file, limits.bytes));
  if (!isObject(json)) throw new InputError(`${path.basename(file)}: expected answers by id, got ${kindOf(json)}`);
  return json;
}

function jsonOf(name: string, text: string): unknown {
  const refuse = (reason: string): never => {
    const remedy = /^\s*\{.*\}\s*\n\s*\{/.test(text)
      ? 'it holds one value a line: write tasks as one object by id, Sudokus as CSV with columns question and answer'
      : 'the file is truncated or damaged, or no ARC file';
    throw new InputError(`${name}: expected JSON, got ${reason}; ${remedy}`);
  };
  return readJson(text, refuse, limits);
}

function parseTask(
  where: string,
  id: string,
  task: unknown,
  answers: () => unknown,
  solutions: string | undefined,
): ArcTask {
  if (id === '' || id.includes('|||'))
    throw new InputError(`${where}: expected an id without |||, which separates a task from its augmentation`);
  if (!isObject(task)) {
    const remedy = Array.isArray(task) ? '; if these are solutions, name the file of challenges' : '';
    throw new InputError(`${where}: expected an object with train and test, got ${kindOf(task)}${remedy}`);
  }
  const pairs = (part: 'train' | 'test'): ArcPair[] => {
    const list = task[part];
    if (!Array.isArray(list) || list.length === 0 || list.length > limits.pairs) {
      throw new InputError(
        `${where}: expected ${part} to be a list of 1 to ${limits.pairs} pairs, ` +
          `got ${Array.isArray(list) ? list.length : kindOf(list)}`,
      );
    }
    return list.map((pair: unknown, i) => {
      const place = `${where}, ${part} pair ${i + 1}`;
      if (!isObject(pair))
        throw new InputError(`${place}: expected an object with input and output, got ${kindOf(pair)}`);
      const beside = part === 'test' ? answers() : undefined;
      if (beside !== undefined && (!Array.isArray(beside) || beside.length !== list.length))
        throw new InputError(
          `${where}: expected ${list.length} answers in ${path.basename(solutions ?? '')}, ` +
            `got ${Array.isArray(beside) ? beside.length : kindOf(beside)}`,
        );
      const solved = (beside as readonly unknown[] | undefined)?.[i];
      const output = pair['output'] ?? solved;
      if (solved !== undefined && JSON.stringify(output) !== JSON.stringify(solved))
        throw new InputError(
          `${place}: expected the answer that ${path.basename(solutions ?? '')} has, got another one; ` +
            'remove the wrong one of the two',
        );
      if (output === undefined && part === 'test') {
        const where = solutions === undefined ? '' : ` here or in ${path.basename(solutions)} beside the file`;
        throw new InputError(
          `${place}, output: expected an answer${where}, got nothing; without it nothing can be scored`,
        );
      }
      return { input: parseGrid(`${place}, input`, pair['input']), output: parseGrid(`${place}, output`, output) };
    });
  };
  const lone = 'test' in task && task['test'] === undefined; // a list of pairs has no test pairs
  return { id, train: pairs('train'), test: lone ? [] : pairs('test') };
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
        `${where}, row ${r + 1}: expected 1 to ${longestSide} colours, ` +
          `got ${Array.isArray(row) ? row.length : kindOf(row)}`,
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

function kindOf(value: unknown): string {
  return value === undefined ? 'nothing' : value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
}
