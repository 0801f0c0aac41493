/** Records and rows as danfojs data frames, and frames as tables: for sorting, grouping and joining in a notebook. */
import { createRequire } from 'node:module';
import type { DataFrame } from 'danfojs-node';
import { InputError } from '../errors.js';
import { anyObject, checkValue, listOf, objectOf, text, whole } from '../fields.js';
import {
  finalEvaluation,
  lastSitting,
  quotedAccuracy,
  quotedPuzzles,
  voteOf,
  type RunRecord,
} from '../experiment/record.js';
import { checkRecords } from './checks.js';
import { toText, type Table } from './tables.js';

const require = createRequire(import.meta.url);

/** A row of a data frame. */
export type FrameRow = Readonly<Record<string, string | number | boolean | null>>;

/**
 * Rows of plain values as a danfojs data frame, one column for each field. null is a missing value, which means, sums,
 * counts and deviations skip, as in pandas. Throws InputError if the rows do not all have the same fields.
 */
export function dataFrame(rows: readonly FrameRow[]): DataFrame {
  checkValue('rows', rows, listOf(anyObject));
  const fields = Object.keys(rows[0] ?? {});
  for (const [i, row] of rows.entries()) {
    const own = Object.keys(row).filter((field) => row[field] !== undefined);
    if (own.length !== fields.length || fields.some((field) => !own.includes(field)))
      throw new InputError(
        `dataFrame: expected every row to have the fields of the first, ${fields.join(', ')}; row ${i + 1} has ` +
          `${own.join(', ') || 'none'}; write null where a value is missing`,
      );
  }
  const { DataFrame: Frame } = loadDanfo();
  // danfojs takes a row's values by position, so every row gets the first row's order.
  return new Frame(rows.map((row) => Object.fromEntries(fields.map((field) => [field, row[field]!]))));
}

/**
 * One row for each run: its model in the paper's words, its cost and its accuracy. Shares are 0 … 1, times in seconds.
 * With an ARC vote, lastCycle is of tasks solved in two tries, and firstCycle is null, since only the last cycle votes.
 */
export function recordRows(records: readonly RunRecord[]): FrameRow[] {
  // A run that was made again in the other precision has the same id, and a row of its own.
  checkRecords(records, ({ id, sittings }) => `${id} in ${sittings.at(-1)?.precision}`);
  return records.map((record) => {
    const { experiment, model, curve } = record;
    const { exactAccuracy, cellAccuracy } = finalEvaluation(record);
    const own = experiment.model.schedule !== undefined; // which ignores T and n
    return {
      experiment: experiment.name,
      variant: experiment.variant,
      block: record.block === undefined ? 'kit' : 'own',
      seed: record.seed,
      precision: lastSitting(record).precision,
      from: record.start === undefined ? null : record.start.slice(0, 8),
      T: own ? null : experiment.model.deepRecursions,
      n: own ? null : experiment.model.latentRecursions,
      layers: experiment.model.layers,
      mixer: experiment.model.mixer,
      act: experiment.model.halting === 'halt-or-continue',
      depth: model.depth,
      forwardPasses: model.forwardPasses,
      parameters: model.parameters,
      steps: record.steps,
      loss: curve.at(-1)?.answerLoss ?? null,
      firstCycle: voteOf(record) === undefined ? (exactAccuracy[0] ?? null) : null,
      lastCycle: quotedAccuracy(record),
      cells: cellAccuracy.at(-1) ?? null,
      puzzles: quotedPuzzles(record),
      trainingSeconds: record.seconds.training,
    };
  });
}

/** A data frame as a table to print; numbers with at most `digits` decimals. */
export function tableOfFrame(
  frame: { readonly columns: readonly string[]; readonly index?: readonly unknown[]; readonly values: unknown },
  digits = 2,
): Table {
  checkValue('digits', digits, whole(0, 100));
  checkValue('frame', frame, objectOf({ columns: listOf(text), values: listOf(listOf(() => undefined)) }));
  const show = (value: unknown): string =>
    typeof value === 'number' && !Number.isInteger(value)
      ? String(Number(value.toFixed(digits)))
      : String(value ?? '–');
  const rows = (frame.values as unknown[][]).map((row) => row.map(show));
  // Show an index of words, as describe() makes; a numeric one only counts.
  const { index = [] } = frame;
  if (!index.some((label) => typeof label === 'string')) return { columns: frame.columns, rows };
  return { columns: ['', ...frame.columns], rows: rows.map((row, i) => [show(index[i]), ...row]) };
}

/**
 * Loads danfojs with plain tfjs in place of tfjs-node, which may not load on this machine, and prints to the terminal
 * if it does. danfojs' tables need no more. Later imports of tfjs-node are unaffected.
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
    const danfo = require('danfojs-node') as typeof import('danfojs-node');
    mend(danfo);
    return danfo;
  } finally {
    if (before === undefined) delete require.cache[place];
    else require.cache[place] = before;
  }
}

/** danfojs' internal classes, which its own results, such as those of groupby, belong to. */
interface Groups {
  readonly data: readonly (readonly unknown[])[];
  readonly columnName: readonly string[];
  readonly colIndex: readonly number[];
  readonly colDict: Record<string, Record<string, unknown[]>>;
  readonly keyToValue: Record<string, unknown[]>;
  group(): Groups;
  getGroup(keys: readonly unknown[]): unknown;
  groupMathLog(values: readonly unknown[], operation: string): unknown[];
}
type Frame = DataFrame & { [kind: symbol]: unknown };
const internals = (file: string): { prototype: unknown } =>
  (require(`danfojs-node/dist/danfojs-base/${file}`) as { readonly default: { prototype: unknown } }).default;

/** Most rows in a frame's own display. */
const mostRows = 50;

let mended = false;

/**
 * Repairs three faults of danfojs 1.2.0: groups count a missing value as 0 and in their size; the groups 'a-b', 'c' and
 * 'a', 'b-c' are merged; describe() throws on a missing value. Also makes a cell show its last value, if a frame, as a
 * table.
 */
function mend({ DataFrame: NewFrame }: typeof import('danfojs-node')): void {
  if (mended) return;
  mended = true;
  const isKnown = (value: unknown): boolean => value !== null && value !== undefined && !Number.isNaN(value);

  const groups = internals('aggregators/groupby').prototype as Groups;
  const { groupMathLog, getGroup } = groups;
  const keyPart = (value: unknown): string => String(value).replaceAll(/[-\\]/g, '\\$&'); // danfojs joins them by -
  groups.group = function (this: Groups) {
    for (const row of this.data) {
      const values = this.colIndex.map((column) => row[column]);
      const key = values.map(keyPart).join('-');
      this.keyToValue[key] ??= values;
      const own = (this.colDict[key] ??= Object.fromEntries(this.columnName.map((name) => [name, []])));
      for (const [i, name] of this.columnName.entries()) own[name]!.push(row[i]);
    }
    return this;
  };
  groups.getGroup = function (this: Groups, keys) {
    return getGroup.call(this, keys.map(keyPart));
  };
  groups.groupMathLog = (values, operation) => {
    if (operation.startsWith('cum')) return groupMathLog(values, operation);
    const known = values.filter(isKnown);
    return known.length < leastOf(operation) ? [null] : groupMathLog(known, operation);
  };

  const frame = internals('core/frame').prototype as Frame;
  frame.describe = function (this: DataFrame) {
    const statistics = ['count', 'mean', 'std', 'min', 'median', 'max', 'var'];
    const numeric = this.columns.filter((_, i) => this.dtypes[i] === 'int32' || this.dtypes[i] === 'float32');
    const described = numeric.map((column) => {
      const values = this.column(column).values as unknown[];
      return [column, statistics.map((statistic) => groups.groupMathLog(values, statistic)[0])];
    });
    return new NewFrame(Object.fromEntries(described) as Record<string, number[]>, { index: statistics });
  };
  const text = (shown: DataFrame): string => {
    const { columns, rows } = tableOfFrame(shown, 4);
    const rest = rows.length > mostRows ? `\n… and ${rows.length - mostRows} more rows` : '';
    return toText({ columns, rows: rows.slice(0, mostRows) }) + rest;
  };
  frame[Symbol.for('nodejs.util.inspect.custom')] = function (this: DataFrame) {
    return text(this);
  };
  frame[Symbol.for('Jupyter.display')] = function (this: DataFrame) {
    return { 'text/plain': text(this) }; // Deno's kernel asks for this
  };
}

/** Fewest values that define a statistic. */
function leastOf(operation: string): number {
  if (operation === 'count') return 0;
  return operation === 'std' || operation === 'var' ? 2 : 1;
}
