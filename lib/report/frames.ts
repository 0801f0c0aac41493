/** Rows as danfojs data frames and back: for sorting, grouping and joining in a notebook; the kit itself needs none. */
import { createRequire } from 'node:module';
import type { DataFrame } from 'danfojs-node';
import type { Table } from './tables.js';

const require = createRequire(import.meta.url);

/** Rows of plain values as a danfojs data frame, one column a field. */
export function dataFrame(rows: readonly Readonly<Record<string, string | number | boolean | null>>[]): DataFrame {
  const { DataFrame: Frame } = loadDanfo();
  return new Frame(rows as Record<string, string | number | boolean | null>[]);
}

/** A data frame as a table to print; numbers with at most `digits` decimals. */
export function tableOfFrame(
  frame: { readonly columns: readonly string[]; readonly values: unknown },
  digits = 2,
): Table {
  const show = (value: unknown): string =>
    typeof value === 'number' && !Number.isInteger(value)
      ? String(Number(value.toFixed(digits)))
      : String(value ?? '–');
  return { columns: frame.columns, rows: (frame.values as unknown[][]).map((row) => row.map(show)) };
}

/**
 * danfojs asks for tfjs-node, which may not load on this machine, and which prints to the terminal where it does. Its
 * tables need no more than plain tfjs, so danfojs gets that. tfjs-node is left as it was for whoever asks next.
 */
function loadDanfo(): typeof import('danfojs-node') {
  const place = require.resolve('@tensorflow/tfjs-node');
  const before = require.cache[place];
  const plain = require.resolve('@tensorflow/tfjs');
  require(plain);
  const substitute = require.cache[plain];
  if (substitute === undefined) throw new Error('tfjs was not kept after loading');
  require.cache[place] = substitute;
  try {
    return require('danfojs-node') as typeof import('danfojs-node');
  } finally {
    if (before === undefined) delete require.cache[place];
    else require.cache[place] = before;
  }
}
