/** Whether a notebook's outputs come from its current code and input files, by fingerprints in its metadata. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeCells } from './notebook.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * Fingerprints of the code of all cells, and of the files that cells read, named by tags such as
 * `reads=data/runs/sudoku-6x6-study-*` (within the project; * for anything in the last part). Prose does not count.
 */
export function fingerprintsOf(notebook) {
  const code = createHash('sha256');
  const inputs = createHash('sha256');
  for (const { cell, source } of codeCells(notebook)) {
    code.update(`${source}\0`);
    for (const pattern of readsOf(cell)) {
      inputs.update(`${pattern}\0`);
      for (const file of filesOf(pattern)) inputs.update(`${file}\0${digest(readFileSync(path.join(root, file)))}\0`);
    }
  }
  return { code: code.digest('hex').slice(0, 16), inputs: inputs.digest('hex').slice(0, 16) };
}

/** Why the outputs may differ from a new run's; undefined if there are none or they are fresh. */
export function stalenessOf(notebook) {
  if (!codeCells(notebook).some(({ cell }) => cell.outputs?.length > 0)) return undefined;
  const kept = notebook.metadata?.trm_lab;
  if (kept === undefined || kept === null)
    return 'its outputs were not made by scripts/notebooks.mjs run --inplace, or with TRM_SMOKE=1';
  const { code, inputs } = fingerprintsOf(notebook);
  if (kept.code !== code) return 'its code was changed after it was run';
  return kept.inputs === inputs ? undefined : 'the records or other files that it reads changed after it was run';
}

/** The patterns in a cell's tags. */
function readsOf(cell) {
  return (cell.metadata?.tags ?? []).filter((tag) => tag.startsWith('reads=')).map((tag) => tag.slice('reads='.length));
}

/**
 * The files of the project that a pattern means, sorted; paths with /. What lies in a folder would not be seen.
 * @throws {Error} if it means a folder, or leaves the project
 */
function filesOf(pattern) {
  const folder = path.posix.dirname(pattern);
  if (pattern.split('/').includes('..')) throw new Error(`the tag reads=${pattern}: expected files of the project`);
  const [start = '', ...rest] = path.posix.basename(pattern).split('*');
  const fits = (name) => (rest.length === 0 ? name === start : name.startsWith(start) && name.endsWith(rest.at(-1)));
  const there = path.join(root, folder);
  if (statSync(there, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  const found = readdirSync(there, { withFileTypes: true }).filter((entry) => fits(entry.name));
  const inner = found.find((entry) => entry.isDirectory());
  if (inner !== undefined)
    throw new Error(
      `the tag reads=${pattern}: expected files, got the folder ${inner.name} too; ` +
        `write reads=${folder}/${inner.name}/*`,
    );
  return found.map((entry) => `${folder}/${entry.name}`).sort();
}

function digest(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
