/**
 * Reads tables with one puzzle a row, row by row: finds the delimiter and the meaning of the columns.
 */
import { CsvError, parse } from 'csv-parse';
import { parse as parseAll } from 'csv-parse/sync';
import { Readable } from 'node:stream';
import { InputError, within } from '../errors.js';
import { resemblesAnswer } from './board-text.js';

/** One row as text; null for what the table lacks. */
export interface PuzzleRow {
  readonly line: number;
  readonly source: string;
  readonly question: string;
  readonly answer: string | null;
  /** Difficulty as the source rates it. */
  readonly rating: number | null;
}

/** The layout of a table, with the index of each column. */
export interface PuzzleTable {
  readonly delimiter: string;
  /** Lines before the first row of puzzles. */
  readonly skip: number;
  /** Cells of the header, or of the first row if there is none; no row may have more. */
  readonly width: number;
  readonly question: number;
  readonly answer: number | undefined;
  readonly rating: number | undefined;
  readonly source: number | undefined;
}

/** What a table's cell looks like, judged by its text alone. */
export type CellKind = 'question' | 'answer' | undefined;

const names = {
  question: ['question', 'questions', 'puzzle', 'puzzles', 'quiz', 'quizzes', 'problem', 'unsolved', 'sudoku', 'maze'],
  answer: ['answer', 'answers', 'solution', 'solutions', 'solved'],
  rating: ['rating', 'difficulty'],
  source: ['source'],
} as const;

const delimiters = [',', ';', '\t', '|'];

/** Most consecutive rows without a puzzle. */
const mostSkipped = 1000;

/** Concatenated files may mix them; the longest comes first. */
const lineEnds = ['\r\n', '\n', '\r'];

/** Longest row, in characters; 162 quoted cells take a tenth of it. */
const longestRow = 16_384;

/**
 * The layout of the table that a file's first lines show: by the names in its header, in any case, else by the cells
 * that `tell` takes for puzzles. Undefined if there is no table. Throws InputError if two columns qualify.
 */
export function findTable(lines: readonly string[], tell: (cell: string) => CellKind): PuzzleTable | undefined {
  let tried = delimiters;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const separator = /^"?sep=(.)"?$/i.exec(line)?.[1]; // Excel writes it
    if (separator !== undefined) tried = [separator];
    if (separator !== undefined || line.trim() === '') continue;
    for (const delimiter of tried) {
      const cells = cellsOf(line, delimiter).map((cell) => cell.trim().toLowerCase());
      const next = lines.slice(i + 1).find((each) => each.trim() !== '') ?? '';
      const rows = (): string[][] =>
        lines.slice(i + 1).flatMap((each) => (each.trim() === '' ? [] : [cellsOf(each, delimiter)]));
      const below = cellsOf(next, delimiter);
      const named = cells.some((cell) => includes(names.question, cell));
      if (named && (cells.length > 1 || next.startsWith('"') || tell(next) === 'question'))
        // one word may be a title
        return byNames(cells, i, rows(), delimiter, tell);
      if (cells.length < 2 && !line.startsWith('"')) continue;
      const here = byContent(cellsOf(line, delimiter), tell);
      if (here !== undefined) return { delimiter, skip: i, width: cells.length, ...here };
      const found = byContent(below, tell);
      if (found !== undefined && below.length >= cells.length && !line.startsWith('#'))
        return { delimiter, skip: i + 1, width: cells.length, ...found, ...beside(cells) };
    }
    if (!line.startsWith('#')) return undefined; // a comment may precede the table
  }
  return undefined;
}

function byNames(
  header: readonly string[],
  at: number,
  rows: readonly (readonly string[])[],
  delimiter: string,
  tell: (cell: string) => CellKind,
): PuzzleTable {
  const only = (what: 'question' | 'answer'): number | undefined => {
    const found = header.flatMap((cell, i) => (includes(names[what], cell) ? [i] : []));
    if (found.length > 1)
      throw new InputError(
        `line ${at + 1}: expected one column of ${what}s, got ${found.map((i) => header[i]).join(', ')}`,
      );
    return found[0];
  };
  const question = only('question')!;
  const other = header.findIndex((_, i) => i !== question && rows.some((row) => tell(row[i] ?? '') === 'answer'));
  return {
    delimiter,
    skip: at + 1,
    width: header.length,
    question,
    answer: only('answer') ?? (other < 0 ? undefined : other), // checked row by row, so no guess
    ...beside(header),
  };
}

/** The columns of rating and source in a header. */
function beside(header: readonly string[]): Pick<PuzzleTable, 'rating' | 'source'> {
  const [rating, second] = header.flatMap((cell, i) => (includes(names.rating, cell) ? [i] : []));
  if (second !== undefined)
    throw new InputError(`expected one column of ratings, got ${header[rating!]} and ${header[second]}; rename one`);
  const source = header.indexOf(names.source[0]);
  return { rating, source: source < 0 ? undefined : source };
}

function byContent(
  cells: readonly string[],
  tell: (cell: string) => CellKind,
): Omit<PuzzleTable, 'delimiter' | 'skip' | 'width'> | undefined {
  const at = (kind: CellKind): number[] => cells.flatMap((cell, i) => (tell(cell) === kind ? [i] : []));
  const [questions, answers] = [at('question'), at('answer')];
  if (questions.length === 0) return undefined;
  if (questions.length > 1 || answers.length > 1)
    throw new InputError(
      `expected one column of puzzles and one of answers, got ${questions.length} and ${answers.length}; ` +
        'name them question and answer in a header',
    );
  return { question: questions[0]!, answer: answers[0], rating: undefined, source: undefined };
}

/** Cells of one line; none if a quote is not closed. */
export function cellsOf(line: string, delimiter: string): string[] {
  try {
    return (parseAll(line, { delimiter, relax_column_count: true }) as string[][])[0] ?? [];
  } catch (error) {
    if (error instanceof CsvError) return [];
    throw error;
  }
}

const includes = (words: readonly string[], word: string): boolean => words.includes(word);

/** A row of any table. */
export interface TableRow {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * The non-empty rows of a text that starts at line `skip` + 1. Throws InputError, with the line, for what is no table.
 */
export async function* tableRows(
  text: AsyncIterable<string>,
  name: string,
  { delimiter, skip }: Pick<PuzzleTable, 'delimiter' | 'skip'>,
  isEmpty = (cells: readonly string[]): boolean => cells.every((cell) => cell.trim() === ''),
): AsyncGenerator<TableRow> {
  const source = Readable.from(text);
  const parser = parse({
    delimiter,
    info: true,
    relax_column_count: true,
    max_record_size: longestRow,
    record_delimiter: lineEnds, // the default is the first row's line end only
  });
  source.on('error', (error) => parser.destroy(error)).pipe(parser);
  let skipped = 0;
  let line = skip;
  try {
    for await (const item of parser) {
      const { record: cells, info } = item as { readonly record: string[]; readonly info: { readonly lines: number } };
      line = skip + info.lines;
      skipped = isEmpty(cells) ? skipped + 1 : 0;
      if (skipped > mostSkipped)
        throw new InputError(`${name}, line ${line}: expected a puzzle, got ${mostSkipped} empty rows`);
      if (skipped === 0) yield { line, cells };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines = line - skip + 1 } = error as { readonly lines?: number }; // the parser reads ahead
    line = skip + lines;
    if (error.code === 'CSV_MAX_RECORD_SIZE')
      throw new InputError(
        `${name}, line ${line}: expected at most ${longestRow} characters a row; this is no puzzle file, ` +
          'or a quote is not closed',
      );
    throw new InputError(`${name}, line ${line}: expected a row of a table (RFC 4180), got a stray quote`);
  } finally {
    source.destroy();
    parser.destroy();
  }
}

/** The puzzles of a table in order; `read` makes each from its row, and its InputError gets the file and the line. */
export async function* readPuzzleTable<Puzzle>(
  text: AsyncIterable<string>,
  name: string,
  table: PuzzleTable,
  read: (row: PuzzleRow) => Puzzle,
): AsyncGenerator<Puzzle> {
  for await (const { line, cells } of tableRows(text, name, table)) {
    yield within(`${name}, line ${line}`, () => {
      const cell = (at: number | undefined): string => (at === undefined ? '' : (cells[at] ?? ''));
      const width = cells.reduce((most, each, i) => (each === '' ? most : i + 1), 0);
      const least = Math.max(table.question, table.answer ?? 0) + 1;
      if (cells.length < least) throw new InputError(`expected ${least} cells or more, got ${cells.length}`);
      const { length } = cell(table.question).trim();
      const second = cells.findIndex((each, i) => i !== table.question && resemblesAnswer(each.trim(), length));
      if (table.answer === undefined && second >= 0)
        throw new InputError(
          `expected one board a row, got another of ${cells[second]!.trim().length} characters in column ` +
            `${second + 1}; if it is the answer, call the columns question and answer`,
        );
      if (width > table.width) throw new InputError(`expected ${table.width} cells as in the first row, got ${width}`);
      return read({
        line,
        source: cell(table.source),
        question: cell(table.question),
        answer: isMissing(cell(table.answer)) ? null : cell(table.answer),
        rating: ratingOf(cell(table.rating)),
      });
    });
  }
}

/** Whether a cell is empty, or a data frame's text for a missing value. */
const isMissing = (cell: string): boolean => /^\s*(nan|na|null|none|-)?\s*$/i.test(cell);

function ratingOf(cell: string): number | null {
  if (isMissing(cell)) return null;
  const rating = Number(cell);
  if (!Number.isFinite(rating) || rating < 0)
    throw new InputError(
      `expected a rating from 0 or nothing, got ${JSON.stringify(cell.slice(0, 40))}; rename or remove the column`,
    );
  return rating;
}
