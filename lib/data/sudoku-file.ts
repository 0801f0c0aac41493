/**
 * Reads files of Sudokus in their usual forms (tables, one cell a column, lists and print-outs of boards), and checks
 * every puzzle.
 */
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { InputError, show, within } from '../errors.js';
import { boardCells, BoardReader, readBoard } from './board-text.js';
import { cellsOf, findTable, readPuzzleTable, tableRows, type CellKind, type PuzzleTable } from './puzzle-table.js';
import { solveSudoku } from './sudoku-solver.js';
import { boardText, findClash, sudokuGeometry } from './sudoku.js';
import { linesOf, reading, startOf } from './text.js';

/** One puzzle with its answer. Boards are digits, 0 blank. */
export interface SudokuPuzzle {
  readonly source: string;
  readonly question: Uint8Array;
  readonly answer: Uint8Array;
  /** Difficulty as the source rates it; in Sudoku-Extreme the tdoku solver's guess count. */
  readonly rating: number;
}

/** One puzzle as its file has it; null for what the file lacks. */
export interface SudokuEntry {
  /** File and line, for messages. */
  readonly where: string;
  readonly line: number;
  readonly source: string;
  readonly question: Uint8Array;
  readonly answer: Uint8Array | null;
  readonly rating: number | null;
}

/** Most puzzles that one file may hold; the largest published files have nine million. */
const mostPuzzles = 10_000_000;

/**
 * Puzzles of a file, in order, all of one size. Throws InputError with the line for a board of another length, a bad
 * character, a board that breaks the rules, or an answer that has blanks or changes a given.
 */
export async function* readSudokuFile(
  file: string,
  options: { readonly side?: number; readonly limit?: number } = {},
): AsyncGenerator<SudokuEntry> {
  let { side } = options;
  const { limit = mostPuzzles } = options;
  const name = path.basename(file);
  let puzzles = 0;
  for await (const { line, question, answer, ...rest } of reading(file, (text) => entriesOf(text, name))) {
    if (puzzles >= limit) {
      if (options.limit === undefined)
        throw new InputError(
          `${name}: expected at most ${mostPuzzles.toLocaleString('en')} puzzles; take a part of it`,
        );
      return;
    }
    puzzles++;
    const where = `${name}, line ${line}`;
    side ??= Math.sqrt(question.length);
    const wrong = wrongPuzzle(question, answer, side);
    if (wrong !== undefined) throw new InputError(`${where}: ${wrong}`);
    yield { where, line, question, answer, ...rest };
  }
  if (puzzles === 0 && limit > 0) throw new InputError(`${name}: expected at least one Sudoku, got none`);
}

/** All puzzles of a trusted file, with its answers and ratings, or the solver's where the file has none. */
export async function loadSudokuFile(
  file: string,
  options: { readonly side?: number; readonly limit?: number } = {},
): Promise<SudokuPuzzle[]> {
  const puzzles: SudokuPuzzle[] = [];
  for await (const entry of readSudokuFile(file, options)) {
    const { source, question, answer, rating } = entry;
    puzzles.push(answer === null || rating === null ? completed(entry) : { source, question, answer, rating });
  }
  return puzzles;
}

/**
 * A puzzle completed by the exact solver: its answer, and its guesses as the rating, where the file has none.
 * Throws InputError unless it has exactly one solution.
 */
export function completed(entry: SudokuEntry): SudokuPuzzle {
  const { where, source, question, answer, rating } = entry;
  const { solutions, solution, guesses } = within(where, () =>
    solveSudoku(question, sudokuGeometry(Math.sqrt(question.length))),
  );
  if (solution === undefined) throw new InputError(`${where}: expected exactly one solution, got none`);
  if (solutions > 1) throw new InputError(`${where}: expected exactly one solution, got several`);
  return { source, question, answer: answer ?? solution, rating: rating ?? guesses };
}

/** What is wrong with a puzzle or its answer; undefined if both are valid. */
function wrongPuzzle(question: Uint8Array, answer: Uint8Array | null, side: number): string | undefined {
  const cells = side ** 2;
  for (const board of answer === null ? [question] : [question, answer])
    if (board.length !== cells) return `expected boards of ${cells} cells, got ${board.length}`;
  const place = (cell: number): string => `row ${Math.floor(cell / side) + 1}, column ${(cell % side) + 1}`;
  const changed = question.findIndex((digit, cell) => digit !== 0 && digit !== (answer ?? question)[cell]);
  if (changed >= 0) return `expected an answer that keeps the givens, got another digit at ${place(changed)}`;
  const clash = findClash(question, sudokuGeometry(side));
  if (clash !== undefined) return `expected a legal puzzle, but ${clash}`;
  if (answer === null) return undefined;
  const blank = answer.indexOf(0);
  if (blank >= 0) return `expected a full answer, got a blank at ${place(blank)}`;
  const broken = findClash(answer, sudokuGeometry(side));
  return broken === undefined ? undefined : `expected a legal answer, but ${broken}`;
}

interface Entry {
  readonly line: number;
  readonly source: string;
  readonly question: Uint8Array;
  readonly answer: Uint8Array | null;
  readonly rating: number | null;
}

/**
 * A file's layout: one puzzle a row; one puzzle a row with one cell a column; or boards, perhaps one cell a column.
 */
type Form =
  | ({ readonly kind: 'table' } & PuzzleTable)
  | {
      readonly kind: 'cells';
      readonly delimiter: string;
      readonly skip: number;
      /** Columns before the first cell, cells in a row, and boards in a row (the second is the answer). */
      readonly first: number;
      readonly size: number;
      readonly boards: 1 | 2;
    }
  | { readonly kind: 'boards'; readonly delimiter: string | undefined; readonly skip: number };

/** The puzzles of a text, whose layout its first lines show. */
async function* entriesOf(whole: AsyncGenerator<string>, name: string): AsyncGenerator<Entry> {
  const { start, from } = await startOf(whole);
  if (/^\s*(\{|<|\[\s*\{)/.test(start))
    throw new InputError(
      `${name}: expected a table or boards of Sudoku, got JSON or XML; ` +
        'write it as CSV with columns question and answer',
    );
  const form = within(name, () => formOf(start.split(/\r\n|\n|\r/).slice(0, 1000)));
  const text = from(form.skip);
  if (form.kind === 'table') {
    yield* readPuzzleTable(text, name, form, ({ question, answer, ...rest }) => ({
      ...rest,
      question: readBoard(question),
      answer: answer === null ? null : readBoard(answer),
    }));
  } else if (form.kind === 'cells') {
    for await (const { line, cells } of tableRows(text, name, form)) {
      const row = cells.slice(form.first).map((cell) => cell.trim() || '.');
      const long = row.find((cell) => cell.length > 1);
      if (row.length !== form.size || long !== undefined)
        throw new InputError(
          `${name}, line ${line}: expected ${form.size} columns with a digit or nothing, ` +
            `got ${long === undefined ? row.length : show(long)}`,
        );
      const board = (text: readonly string[]): Uint8Array =>
        within(`${name}, line ${line}`, () => readBoard(text.join('')));
      const cellsOfBoard = form.size / form.boards;
      const question = board(row.slice(0, cellsOfBoard));
      const answer = form.boards === 2 ? board(row.slice(cellsOfBoard)) : null;
      yield { line, source: '', question, answer, rating: null };
    }
  } else {
    const { delimiter, skip } = form;
    yield* boardEntries(
      delimiter === undefined ? numbered(text, name) : gridLines(text, name, { delimiter, skip }),
      name,
    );
  }
}

/** The puzzles of a list of boards: a full board that follows a puzzle and solves it is its answer. */
async function* boardEntries(lines: AsyncIterable<Line>, name: string): AsyncGenerator<Entry> {
  const reader = new BoardReader();
  let held: Entry | undefined;
  for await (const { line, text } of lines) {
    for (const { board } of within(`${name}, line ${line}`, () => reader.add(text, line))) {
      const full = !board.includes(0);
      const question = held?.question;
      const keeps =
        question !== undefined && board.every((digit, i) => digit === 0 || question[i] === 0 || question[i] === digit);
      if (full && keeps) {
        yield { ...held!, answer: board };
        held = undefined;
        continue;
      }
      if (keeps && held?.line === line)
        throw new InputError(`${name}, line ${line}: expected a full answer behind the puzzle, got one with a blank`);
      if (full)
        throw new InputError(`${name}, line ${line}: expected a board with blanks, or the answer of the one before`);
      if (held !== undefined) yield held;
      held = { line, source: '', question: board, answer: null, rating: null };
    }
  }
  within(name, () => reader.end());
  if (held !== undefined) yield held;
}

interface Line {
  readonly line: number;
  readonly text: string;
}

async function* numbered(text: AsyncIterable<string>, name: string): AsyncGenerator<Line> {
  let line = 0;
  for await (const each of linesOf(text, name)) yield { line: ++line, text: each };
}

/** Rows of boards from a spreadsheet: an empty cell is a blank, an empty line is skipped. */
async function* gridLines(
  text: AsyncIterable<string>,
  name: string,
  form: { readonly delimiter: string; readonly skip: number },
): AsyncGenerator<Line> {
  const isEmpty = (cells: readonly string[]): boolean => cells.length === 1 && cells[0]!.trim() === '';
  for await (const { line, cells } of tableRows(text, name, form, isEmpty)) {
    const long = cells.find((cell) => cell.trim().length > 1);
    if (long !== undefined)
      throw new InputError(`${name}, line ${line}: expected a digit or nothing in every cell, got ${show(long)}`);
    yield { line, text: cells.map((cell) => cell.trim() || '.').join('') };
  }
}

/** A file's layout by its first lines. Throws InputError if it is ambiguous. */
function formOf(lines: readonly string[]): Form {
  const table = findTable(lines, kindOfCell);
  if (table !== undefined) return { kind: 'table', ...table };
  const filled = lines.flatMap((text, i) => (text.trim() === '' || /^(#|"?sep=)/i.test(text) ? [] : [{ text, i }]));
  const [first, second] = filled;
  const named = lines.map((line) => /^"?sep=(.)"?$/i.exec(line)?.[1]).find((separator) => separator !== undefined);
  for (const delimiter of named === undefined ? [',', ';', '\t'] : [named]) {
    const [head, below] = [first, second].map((line) =>
      cellsOf(line?.text ?? '', delimiter).map((cell) => cell.trim()),
    );
    const row = isRow(head!) ? head! : isRow(below!) && below!.length === head!.length ? below! : undefined;
    if (row === undefined) continue;
    const skip = (row === head ? first : second)!.i;
    const index = row === below && /^(|#|id|index|no|nr|number)$/i.test(head![0]!) ? 1 : 0;
    const size = row.length - (boardSizes.includes(row.length) ? 0 : index);
    const cells = { kind: 'cells', delimiter, skip, first: row.length - size, size } as const;
    if (boardSizes.includes(size)) return { ...cells, boards: 1 };
    if (boardSizes.includes(size / 2)) return { ...cells, boards: 2 };
    if ([4, 6, 9].includes(row.length)) return { kind: 'boards', delimiter, skip };
  }
  return { kind: 'boards', delimiter: undefined, skip: 0 };
}

const boardSizes: readonly number[] = [16, 36, 81];

/** Whether every cell is a digit, a mark or empty; the first may be a row number. */
const isRow = (cells: readonly string[]): boolean =>
  cells.length > 1 && cells.every((cell, i) => cell.length < 2 || (i === 0 && cells.length > 16 && /^\d+$/.test(cell)));

/** The kind of a table's cell: a board with blanks is a question, a full board an answer. */
function kindOfCell(cell: string): CellKind {
  const text = boardCells(cell);
  if (text === undefined) return undefined;
  const digits = text.replace(/[^1-9]/g, '');
  if (digits === '' || Math.max(...[...digits].map(Number)) > Math.sqrt(text.length)) return undefined;
  return digits.length === text.length ? 'answer' : 'question';
}

/** A gzipped file of puzzles; the same puzzles give the same bytes. */
export function sudokuFileBytes(puzzles: readonly SudokuPuzzle[]): Uint8Array {
  const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const lines = puzzles.map(({ source, question, answer, rating }) =>
    [quoted(source), boardText(question), boardText(answer), rating].join(','),
  );
  // Node writes modification time 0.
  return gzipSync(`source,question,answer,rating\n${lines.join('\n')}\n`, { level: 9 });
}
