/**
 * Tables as text: rows in, Markdown or CSV out, the same bytes for the same rows;
 * and the table of results beside the paper's.
 */
import { InputError } from '../errors.js';
import { anyObject, checkValue, listOf, objectOf, text } from '../fields.js';
import { noteOnArc } from '../data/arc-sets.js';
import { noteOnSudoku } from '../data/sudoku-sets.js';
import { differences, settingText, type Difference } from '../experiment/differences.js';
import { haltingHead } from '../experiment/learned.js';
import { ownNote } from '../experiment/own-block.js';
import { quotedAccuracy, quotedPuzzles, voteOf, type RunRecord } from '../experiment/record.js';
import { experimentLabel, ownRate } from '../experiment/rows.js';
import { paperName } from '../experiment/words.js';
import { hashOf } from '../experiment/sealed.js';
import { paperResult, variant } from '../experiment/variants.js';
import { paperConfig } from '../model/config.js';
import type { Evaluation } from '../train/evaluate.js';
import { checkRecords } from './checks.js';
import { keptTogether, markdownText } from './escape.js';
import { spreadOf } from './statistics.js';

/** A table of text, cell by cell. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * Rows of plain values as a table; the columns are the fields, in the order in which they first appear.
 * Missing values are dashes.
 */
export function tableOfRows(rows: readonly Readonly<Record<string, string | number | boolean | null>>[]): Table {
  checkValue('rows', rows, listOf(anyObject));
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return { columns, rows: rows.map((row) => columns.map((column) => cellText(row[column]))) };
}

/** A table as GitHub's Markdown; numeric columns are right-aligned, and no number breaks before its ± or %. */
export function toMarkdown(table: Table): string {
  checkTable(table);
  const right = numericColumns(table);
  const cellOf = (cell: string): string => keptTogether(markdownText(cell));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(table.columns.map(cellOf)),
    line(right.map((isRight) => (isRight ? '---:' : ':---'))),
    ...table.rows.map((row) => line(row.map(cellOf))),
  ].join('\n');
}

function checkTable(table: Table): void {
  const expected =
    objectOf({ columns: listOf(text), rows: listOf(listOf(text)) })(table) ??
    (table.rows.every(({ length }) => length === table.columns.length) ? undefined : 'as many cells a row as columns');
  if (expected !== undefined)
    throw new InputError(`table: expected ${expected}; rows of plain values become one by tableOfRows`);
}

/** A table as aligned text; numeric columns are right-aligned. */
export function toText(table: Table): string {
  const right = numericColumns(table);
  const lines = [table.columns, ...table.rows];
  const widths = table.columns.map((_, i) => Math.max(...lines.map((cells) => (cells[i] ?? '').length)));
  const pad = (cell: string, i: number): string => (right[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!));
  return lines.map((cells) => cells.map(pad).join('  ').trimEnd()).join('\n');
}

/** A table as CSV (RFC 4180 with \n): cells with commas, quotes or line ends are quoted. */
export function toCsv(table: Table): string {
  checkTable(table);
  const quote = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [table.columns, ...table.rows].map((cells) => `${cells.map(quote).join(',')}\n`).join('');
}

/** The same experiment with several seeds. */
export interface ResultRow {
  readonly name: string;
  /** The paper's accuracy for this row, 0 … 1; null if the paper has none. */
  readonly paper: number | null;
  /** Whether ours is scored on the paper's data, so that the two may be compared. */
  readonly sameData: boolean;
  /** Share of puzzles solved after the last supervision step, one a seed, 0 … 1. Empty: not run. */
  readonly ours: readonly number[];
  readonly scale: string;
  readonly puzzles: number | null;
  readonly data: string;
  /** Ours is the share of ARC tasks solved by votes. */
  readonly voted?: boolean;
  /** The split that ours is scored on. Default test. */
  readonly split?: string;
}

/** How votes on ARC tasks are counted. */
export const byVotes =
  'solved in two tries by a vote of their versions (a task with several test pairs counts by the share solved)';

/**
 * "paper | ours | scale | seeds | puzzles scored", one row an experiment, as Markdown with its footnotes;
 * a table for each scale.
 */
export function resultsTable(records: readonly RunRecord[]): string {
  checkRecords(records);
  const rows = resultRows(records);
  const scales = [...new Set(rows.map(({ scale }) => scale))];
  const tables =
    scales.length === 0
      ? [resultsMarkdown([])]
      : scales.map((scale) => resultsMarkdown(rows.filter((row) => row.scale === scale)));
  return [...tables, ...notesOn(records)].join('\n\n');
}

/** Notes that must accompany such results. */
export function notesOn(records: readonly RunRecord[]): string[] {
  const notes = records.map(({ experiment: { task } }) =>
    task.kind === 'arc' ? noteOnArc(task) : task.kind === 'sudoku' ? noteOnSudoku(task) : '',
  );
  return [...new Set(notes)].filter((note) => note !== '');
}

/** Result rows as Markdown. */
export function resultsMarkdown(rows: readonly ResultRow[]): string {
  const table: Table = {
    columns: ['experiment', 'paper', 'ours', 'scale', 'seeds', 'puzzles scored', 'data'],
    rows: rows.map(({ name, paper, sameData, ours, scale, puzzles, data }) => [
      name,
      paper === null ? '–' : `${percentText(paper)}${sameData ? '' : '*'}`,
      meanAndSpread(ours),
      scale,
      ours.length === 0 ? '–' : String(ours.length),
      puzzles === null ? '–' : puzzles.toLocaleString('en'),
      data,
    ]),
  };
  const splits = splitsText(rows.map(({ split = 'test' }) => split));
  const counted = [
    rows.every(({ voted }) => voted) && rows.length > 0
      ? ''
      : `${splits} puzzles fully solved after the last supervision step`,
    rows.some(({ voted }) => voted) ? `${splits} tasks ${byVotes}` : '',
  ];
  const notes = [
    `Share of ${counted.filter((each) => each !== '').join(', on ARC of ')}, ` +
      'with EMA weights where a run averages them; ' +
      '± is the standard deviation over seeds.',
  ];
  if (rows.some(({ paper, sameData }) => paper !== null && !sameData))
    notes.push(
      '\\* The paper’s number is for other data, another scale or more recursions, so it is not comparable with ours.',
    );
  return `${toMarkdown(table)}\n\n${notes.join(' ')}`;
}

/** "test", "validation" or "test or validation": the splits that results are scored on; "test" for none. */
export function splitsText(splits: readonly string[]): string {
  return [...new Set(splits)].sort().join(' or ') || 'test';
}

/** Runs that tables and figures combine over seeds, such as those of one row of a paper's table. */
export interface LabelledRuns {
  readonly row: { readonly label: string };
  /** The id of the paper's row, where its runs do not say it. */
  readonly variant?: string;
  readonly records: readonly RunRecord[];
}

/**
 * Runs grouped by experiment and data, so that each group differs in seeds alone, in order of first appearance. The
 * order of an experiment's fields and its `about` do not count.
 */
export function groupedBySeed(records: readonly RunRecord[]): [RunRecord, ...RunRecord[]][] {
  const groups = new Map<string, [RunRecord, ...RunRecord[]]>();
  for (const record of records) {
    const { experiment, data, block, start } = record;
    const key = hashOf([
      { ...experiment, about: '' },
      block ?? null,
      start ?? null,
      data.train.sha256,
      data.test.sha256,
    ]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [record]);
    else group.push(record);
  }
  return [...groups.values()];
}

/** All seeds of an experiment, and what tables and figures call it. */
type NamedRuns = LabelledRuns & { readonly records: readonly [RunRecord, ...RunRecord[]] };

/** Runs by experiment, each with a unique label for tables and figures. */
export function labelledRuns(records: readonly RunRecord[]): NamedRuns[] {
  checkRecords(records);
  return rowsNamed(
    records,
    (run) => `${experimentLabel(run.experiment)}${ownNote(run)}`,
    ([run], alike) => toldApart(run, alike),
  );
}

/** Runs by experiment, named by its first; those that share a name get what `apart` says of them among these. */
export function rowsNamed(
  records: readonly RunRecord[],
  nameOf: (first: RunRecord) => string,
  apart: (runs: NamedRuns['records'], alike: readonly RunRecord[]) => string,
): NamedRuns[] {
  const groups = groupedBySeed(records);
  const names = groups.map(([first]) => nameOf(first));
  return groups.map((own, i) => {
    const alike = groups.filter((_, other) => names[other] === names[i]).map(([first]) => first);
    return { row: { label: `${names[i]!}${alike.length > 1 ? apart(own, alike) : ''}` }, records: own };
  });
}

/** What a suffix says of a run. */
type Tail = (run: RunRecord) => string;

/**
 * Suffix for a label that several experiments share: source and base, the more telling first, then settings; each where
 * rows that are still alike differ in it.
 */
function toldApart(run: RunRecord, alike: readonly RunRecord[]): string {
  const kinds = (tail: Tail): number => new Set(alike.map(tail)).size;
  const [first, second] = kinds(sourceTail) < kinds(baseTail) ? [baseTail, sourceTail] : [sourceTail, baseTail];
  let suffix = '';
  let rest = alike;
  for (const tailAmong of [() => first, () => second, settingsTail(isChosen), settingsTail(() => true), () => idTail]) {
    const tail = tailAmong(rest);
    const still = rest.filter((each) => tail(each) === tail(run));
    if (still.length < rest.length) suffix += tail(run);
    rest = still;
  }
  return suffix;
}

const sourceTail: Tail = ({ experiment: { task } }) => ('source' in task ? `, ${task.source}` : '');
const idTail: Tail = ({ id }) => ` ${id.split('-').at(-1) ?? ''}`;

function baseTail({ experiment }: RunRecord): string {
  if (experiment.variant === null) return '';
  const rate = ownRate(experiment);
  return ` on ${experiment.base}${rate === undefined ? '' : `, rate ${rate}`}`;
}

/** Whether a setting is of the training, and does not follow from the task. */
const isChosen = ({ part, field }: Difference): boolean =>
  part !== 'evaluation' && !(part === 'model' && ['vocabSize', 'sequenceLength', 'puzzleIds'].includes(field));

/** Values of those meant among the settings in which runs differ: ", T 2, learningRate 0.002". */
function settingsTail(isMeant: (setting: Difference) => boolean): (alike: readonly RunRecord[]) => Tail {
  return (alike) => {
    const found = alike.flatMap((other) => differences(alike[0]!.experiment, other.experiment)).filter(isMeant);
    const settings = new Map(found.map(({ part, field }) => [settingName(part, field), { part, field }]));
    return ({ experiment }) =>
      [...settings]
        .map(([name, { part, field }]) => `, ${name} ${settingText(experiment[part][field as never])}`)
        .join('');
  };
}

/** The paper's name of a model's setting; another part's setting of the same name is written out. */
function settingName(part: Difference['part'], field: string): string {
  const name = paperName(field);
  return part === 'model' || name === field ? name : `${part}.${field}`;
}

/** Records as result rows, one for each experiment and data set. */
function resultRows(records: readonly RunRecord[]): ResultRow[] {
  return labelledRuns(records).map(({ row: { label }, records: group }) => {
    const [{ experiment, data }] = group;
    return {
      name: label,
      ...paperAccuracy(group[0]),
      ours: group.map(quotedAccuracy),
      scale: experiment.scale,
      puzzles: Math.min(...group.map(quotedPuzzles)),
      data: `${data.test.name} (${data.train.examples.toLocaleString('en')} for training)`,
      voted: voteOf(group[0]) !== undefined,
      split: experiment.evaluation.split,
    };
  });
}

/**
 * The paper's result for a record's model on 9×9 Sudokus or 30×30 mazes; null for models or sizes that are not in it.
 */
function paperAccuracy(record: RunRecord): Pick<ResultRow, 'paper' | 'sameData'> {
  const { task, scale, variant: named } = record.experiment;
  const id = named ?? (isPaperTrm(record) ? 'trm' : undefined);
  if (
    id === undefined ||
    isOwn(record) ||
    (task.kind !== 'sudoku' && task.kind !== 'maze') ||
    task.side !== (task.kind === 'sudoku' ? 9 : 30)
  )
    return { paper: null, sameData: false };
  const reported = variant(id)
    .rows.map((row) => paperResult(row, task))
    .find((accuracy) => accuracy !== null);
  return {
    paper: reported === undefined ? null : reported / 100,
    sameData: scale === 'paper' && (task.source === 'sudoku-extreme' || task.source === 'maze-hard'),
  };
}

/** Whether a run's model has a schedule or a block of its own. */
function isOwn({ experiment: { model }, block }: RunRecord): boolean {
  return block !== undefined || model.schedule !== undefined;
}

/** Whether a run's model is the paper's TRM, of whatever size, mixer and number of recursions. */
export function isPaperModel(record: RunRecord): boolean {
  const { model } = record.experiment;
  const calls = ['recursion', 'separateNets', 'gradient', 'halting'] as const;
  return !isOwn(record) && calls.every((field) => model[field] === paperConfig[field]);
}

/** Whether a run's model is the paper's TRM-MLP, except for its size and, below the paper's scale, its recursions. */
function isPaperTrm(record: RunRecord): boolean {
  const { model, training, scale } = record.experiment;
  const shape = [
    'mixer',
    'layers',
    'supervisionSteps',
    ...(scale === 'paper' ? (['deepRecursions', 'latentRecursions'] as const) : []),
  ] as const;
  return isPaperModel(record) && shape.every((field) => model[field] === paperConfig[field]) && training.emaRate > 0;
}

/** "61.3 ± 2.0 %", "61.3 %" for one seed, "not run" for none. */
export function meanAndSpread(shares: readonly number[]): string {
  if (shares.length === 0) return 'not run';
  const { mean, deviation } = spreadOf(shares);
  return deviation === null ? percentText(mean) : `${percentPoints(mean)} ± ${percentText(deviation)}`;
}

/** A share as text: "61.3 %"; a dash for none. */
export function percentText(share: number | undefined): string {
  return share === undefined ? '–' : `${percentPoints(share)} %`;
}

/** A share in percentage points: "61.3". */
export function percentPoints(share: number): string {
  return (100 * share).toFixed(1);
}

/** A difference of shares in percentage points: "+1.5", "−0.2". */
export function signedPoints(difference: number): string {
  return `${difference >= 0 ? '+' : '−'}${percentPoints(Math.abs(difference))}`;
}

const number = /^(< )?[+−-]?\d[\d.,]*(–[\d.,]+| ± [\d.,]+)?( %\*?)?$/;

/** Whether each column is numeric: has a number, and otherwise only dashes, "not run" and empty cells. */
function numericColumns({ columns, rows }: Table): boolean[] {
  return columns.map((_, i) => {
    const cells = rows.map((row) => row[i] ?? '');
    return (
      cells.some((cell) => number.test(cell)) &&
      cells.every((cell) => number.test(cell) || ['–', 'not run', ''].includes(cell))
    );
  });
}

function cellText(value: string | number | boolean | null | undefined): string {
  return value === null || value === undefined ? '–' : String(value);
}

/** A table without its last column, the run ids, which only files for programs have. */
export function withoutRuns({ columns, rows }: Table): Table {
  return { columns: columns.slice(0, -1), rows: rows.map((row) => row.slice(0, -1)) };
}

/** "right in 97 %"; "constant" where the head says the same to every puzzle, in so many seeds. */
export function haltingText(finals: readonly Evaluation[]): string {
  const constant = finals.filter((each) => haltingHead(each) === 'constant').length;
  if (constant === finals.length) return 'constant';
  const right = spreadOf(finals.map(({ haltingAccuracy }) => haltingAccuracy.at(-1) ?? NaN)).mean;
  const some = constant === 0 ? '' : `, constant in ${constant} of ${finals.length}`;
  return `right in ${Math.round(100 * right)} %${some}`;
}
