/** A notebook file: its code cells, and how it is written so that two runs differ only in results. */
import { readFileSync, renameSync, writeFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';

/** @throws {Error} if the file is not a notebook of format 4 in TypeScript */
export function readNotebook(file) {
  let notebook;
  try {
    notebook = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: expected a notebook (JSON), got: ${error.message.replace(/\s+/g, ' ')}`);
  }
  if (notebook?.nbformat !== 4 || !Array.isArray(notebook.cells)) {
    const got = isObject(notebook) ? `nbformat ${JSON.stringify(notebook.nbformat)?.slice(0, 40)}` : 'something else';
    throw new Error(`${file}: expected a notebook of format 4, got ${got}`);
  }
  if (!['undefined', 'object'].includes(typeof notebook.metadata) || Array.isArray(notebook.metadata))
    throw new Error(`${file}: expected metadata to be an object`);
  notebook.cells.forEach((cell, index) => {
    const wrong = wrongCell(cell);
    if (wrong !== undefined)
      throw new Error(`${file}, cell ${index + 1}: ${wrong}; open it in Jupyter and save it again`);
  });
  const kernel = notebook.metadata?.kernelspec?.name ?? 'tslab';
  if (kernel !== 'tslab' && kernel !== 'deno')
    throw new Error(`${file}: expected the kernel tslab or deno, got ${kernel}`);
  return notebook;
}

/** Why a cell is invalid; undefined if it is valid. */
function wrongCell(cell) {
  if (!isObject(cell)) return 'expected an object, got something else';
  const { cell_type: type, source, metadata = {}, outputs = [] } = cell;
  if (typeof type !== 'string') return 'expected cell_type to be a word';
  if (!isText(source)) return 'expected source to be text or lines of text';
  if (!isObject(metadata) || !isLines(metadata.tags ?? [])) return 'expected metadata to be an object, its tags words';
  if (!Array.isArray(outputs) || !outputs.every((output) => isObject(output) && isText(output.text ?? '')))
    return 'expected outputs to be a list of objects';
  return type === 'code' && cell.outputs === undefined ? 'expected outputs' : undefined;
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isLines = (value) => Array.isArray(value) && value.every((line) => typeof line === 'string');
const isText = (value) => typeof value === 'string' || isLines(value);

/** The cells that hold code, each with its number as a reader counts: from 1, over all cells. */
export function codeCells(notebook) {
  return notebook.cells
    .map((cell, index) => ({ cell, number: index + 1, source: textOf(cell.source) }))
    .filter(({ cell, source }) => cell.cell_type === 'code' && source.trim() !== '');
}

/**
 * Writes the notebook whole or not at all, as Jupyter does but without what changes from run to run.
 * @param {object} [fingerprints] what its outputs were made from (freshness.mjs)
 */
export function writeNotebook(file, notebook, fingerprints) {
  const tidy = {
    cells: notebook.cells.map(tidyCell),
    metadata: {
      kernelspec: { display_name: 'TypeScript (tslab)', language: 'typescript', name: 'tslab' },
      language_info: { file_extension: '.ts', mimetype: 'text/typescript', name: 'typescript' },
      ...(fingerprints === undefined ? {} : { trm_lab: fingerprints }),
    },
    nbformat: 4,
    nbformat_minor: notebook.nbformat_minor,
  };
  mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(tidy, sortKeys, 1)}\n`);
  renameSync(temporary, file);
}

function tidyCell(cell) {
  const { tags } = cell.metadata ?? {};
  const tidy = { ...cell, metadata: tags === undefined ? {} : { tags }, source: linesOf(textOf(cell.source)) };
  if (cell.cell_type === 'code') {
    tidy.outputs = cell.outputs.map((output) =>
      output.output_type === 'stream' ? { ...output, text: linesOf(textOf(output.text)) } : output,
    );
  }
  return tidy;
}

/** For JSON.stringify: objects with their keys in order, as Jupyter writes them. */
function sortKeys(_key, value) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Jupyter stores text as a string or as its lines, each with its line end. */
export function textOf(stored) {
  return Array.isArray(stored) ? stored.join('') : (stored ?? '');
}

function linesOf(text) {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
