/** Sudoku files in the form of Sudoku-Extreme: source,question,answer,rating, one puzzle a line, plain or gzipped. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { createGunzip, gzipSync } from 'node:zlib';
import { InputError } from '../errors.js';
import { boardText, findClash, parseBoard, sudokuGeometry } from './sudoku.js';
import { solveSudoku } from './sudoku-solver.js';

/** One puzzle as files hold it. Boards are digits, 0 blank. */
export interface SudokuPuzzle {
  readonly source: string;
  readonly question: Uint8Array;
  readonly answer: Uint8Array;
  /** Difficulty as the source rates it; in Sudoku-Extreme the tdoku solver's guess count. */
  readonly rating: number;
}

/** Longest line that is read: a line of real data has under 300 characters. */
const longestLine = 4096;

/**
 * Puzzles of a file, in order. Throws InputError with the line number for a board of another length, a bad character, an
 * answer that breaks the rules or changes a given, and, with `unique`, a question that has several solutions.
 */
export async function* readSudokuCsv(file: string, options: { readonly side?: number; readonly unique?: boolean; readonly limit?: number } = {}): AsyncGenerator<SudokuPuzzle> {
  const { side = 9, unique = false, limit = Infinity } = options;
  const geometry = sudokuGeometry(side);
  const name = path.basename(file);
  let number = 0;
  let puzzles = 0;
  for await (const line of linesOf(file)) {
    number++;
    if (puzzles >= limit) return;
    if (number === 1) {
      if (!/^source,question,answer,rating(,|$)/.test(line)) throw new InputError(`${name}, line 1: expected the header source,question,answer,rating, got ${JSON.stringify(line.slice(0, 80))}`);
      continue;
    }
    if (line === '') continue;
    puzzles++;
    yield atLine(name, number, () => {
      const fields = line.split(',');
      const [source, questionText, answerText, ratingText] = fields;
      if (source === undefined || questionText === undefined || answerText === undefined || ratingText === undefined) throw new InputError(`expected four fields or more, got ${fields.length}`);
      const question = parseBoard(questionText, side);
      const answer = parseBoard(answerText, side);
      const rating = Number(ratingText);
      if (ratingText.trim() === '' || !Number.isFinite(rating) || rating < 0) throw new InputError(`expected a rating from 0, got ${JSON.stringify(ratingText)}`);
      const changed = question.findIndex((digit, cell) => digit !== 0 && digit !== answer[cell]);
      if (changed >= 0) throw new InputError(`expected an answer that keeps the givens, got another digit at row ${Math.floor(changed / side) + 1}, column ${(changed % side) + 1}`);
      const blank = answer.indexOf(0);
      if (blank >= 0) throw new InputError(`expected a full answer, got a blank at row ${Math.floor(blank / side) + 1}, column ${(blank % side) + 1}`);
      const clash = findClash(answer, geometry);
      if (clash !== undefined) throw new InputError(`expected a legal answer, but ${clash}`);
      if (unique && solveSudoku(question, geometry).solutions > 1) throw new InputError('expected exactly one solution, got several');
      return { source, question, answer, rating };
    });
  }
  if (number === 0) throw new InputError(`${name}: expected the header source,question,answer,rating, got an empty file`);
}

/** All puzzles of a file. */
export async function loadSudokuCsv(file: string, options: { readonly side?: number; readonly unique?: boolean; readonly limit?: number } = {}): Promise<SudokuPuzzle[]> {
  const puzzles: SudokuPuzzle[] = [];
  for await (const puzzle of readSudokuCsv(file, options)) puzzles.push(puzzle);
  return puzzles;
}

/** A gzipped file of puzzles; the same puzzles give the same bytes. */
export function sudokuCsvBytes(puzzles: readonly SudokuPuzzle[]): Uint8Array {
  const lines = puzzles.map(({ source, question, answer, rating }) => `${source},${boardText(question)},${boardText(answer)},${rating}`);
  return gzipSync(`source,question,answer,rating\n${lines.join('\n')}\n`, { level: 9 }); // Node writes modification time 0
}

/** Lines of a plain or gzipped text file, without their ends; one line in memory at a time. */
export async function* linesOf(file: string): AsyncGenerator<string> {
  const name = path.basename(file);
  if (!existsSync(file)) throw new InputError(`file not found: ${file}; check the path`);
  if (statSync(file).isDirectory()) throw new InputError(`expected a file, got a folder: ${file}`);
  const bytes = createReadStream(file);
  const stream = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes;
  if (stream !== bytes) bytes.on('error', (error) => stream.destroy(error));
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  let number = 1;
  try {
    for await (const chunk of stream) {
      rest += decoder.decode(chunk as Buffer, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.length > longestLine) break;
        number++;
        yield line.endsWith('\r') ? line.slice(0, -1) : line;
      }
      if (rest.length > longestLine || lines.some((line) => line.length > longestLine)) throw new InputError(`${name}, line ${number}: expected at most ${longestLine} characters; this is no puzzle file`);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code.startsWith('Z_')) throw new InputError(`${name}: expected gzip data, got ${code === 'Z_BUF_ERROR' ? 'a file that ends too early' : 'something else'}; the file is damaged`);
    throw error;
  } finally {
    bytes.destroy();
  }
  if (rest !== '') yield rest;
}

/** Names file and line in an error that a reader of one line throws. */
function atLine<Result>(name: string, number: number, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${name}, line ${number}: ${error.message}`);
    throw error;
  }
}
