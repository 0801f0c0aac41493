/** Sudoku files in the form of Sudoku-Extreme: what must hold of a line for it to be a puzzle with its answer. */
import { InputError } from '../errors.js';
import { puzzleCsvBytes, readPuzzleCsv } from './puzzle-csv.js';
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

/**
 * Puzzles of a file, in order. Throws InputError with the line number for a board of another length, a bad character, an
 * answer that breaks the rules or changes a given, and, with `unique`, a question that has several solutions.
 */
export function readSudokuCsv(
  file: string,
  options: { readonly side?: number; readonly unique?: boolean; readonly limit?: number } = {},
): AsyncGenerator<SudokuPuzzle> {
  const { side = 9, unique = false, limit = Infinity } = options;
  const geometry = sudokuGeometry(side);
  return readPuzzleCsv(
    file,
    ({ source, question: questionText, answer: answerText, rating }) => {
      const question = parseBoard(questionText, side);
      const answer = parseBoard(answerText, side);
      const changed = question.findIndex((digit, cell) => digit !== 0 && digit !== answer[cell]);
      if (changed >= 0)
        throw new InputError(
          `expected an answer that keeps the givens, got another digit at row ${Math.floor(changed / side) + 1}, column ${(changed % side) + 1}`,
        );
      const blank = answer.indexOf(0);
      if (blank >= 0)
        throw new InputError(
          `expected a full answer, got a blank at row ${Math.floor(blank / side) + 1}, column ${(blank % side) + 1}`,
        );
      const clash = findClash(answer, geometry);
      if (clash !== undefined) throw new InputError(`expected a legal answer, but ${clash}`);
      if (unique && solveSudoku(question, geometry).solutions > 1)
        throw new InputError('expected exactly one solution, got several');
      return { source, question, answer, rating };
    },
    limit,
  );
}

/** All puzzles of a file. */
export async function loadSudokuCsv(
  file: string,
  options: { readonly side?: number; readonly unique?: boolean; readonly limit?: number } = {},
): Promise<SudokuPuzzle[]> {
  const puzzles: SudokuPuzzle[] = [];
  for await (const puzzle of readSudokuCsv(file, options)) puzzles.push(puzzle);
  return puzzles;
}

/** A gzipped file of puzzles; the same puzzles give the same bytes. */
export function sudokuCsvBytes(puzzles: readonly SudokuPuzzle[]): Uint8Array {
  return puzzleCsvBytes(
    puzzles.map(({ source, question, answer, rating }) => ({
      source,
      question: boardText(question),
      answer: boardText(answer),
      rating,
    })),
  );
}
