/**
 * Reads Sudoku boards as people write them: in one line or row by row, with frames, spaces, comments, titles, and any
 * mark for a blank.
 */
import { InputError, show, within } from '../errors.js';
import { parseBoard } from './sudoku.js';

/** A board, and the line that it ends in. */
export interface WrittenBoard {
  readonly board: Uint8Array;
  readonly line: number;
}

/** Most consecutive lines without a board: headings, comments, frames. */
const mostSkipped = 1000;

/** Sections that some programs write after a puzzle: a player's progress and notes. Other headings are titles. */
const besidePuzzle = ['state', 'pencilmarks', 'candidates', 'notes'];

const sides = [4, 6, 9];
const wholes = sides.map((side) => side ** 2);

/** What separates cells: spaces, frames, the commas and brackets of lists. */
const between = /[\s|¦+=,;"'()[\]{}\u2500-\u257f]+/g;
/** Digits and marks for a blank; a dash is a blank or part of a frame. */
const cells = /^[\d._?*xX·-]+$/;

/**
 * The cells of a text that is one board and nothing else, without separators; undefined for other texts.
 */
export function boardCells(text: string): string | undefined {
  const written = text.replace(between, '');
  return wholes.includes(written.length) && cells.test(written) ? written : undefined;
}

/** Whether a text looks like the full answer to a board of 36 or 81 cells, give or take two cells. */
export function resemblesAnswer(text: string, cells: number): boolean {
  if (cells < 36 || Math.abs(text.length - cells) > 2) return false;
  const digits = [...text].filter((character) => /[1-9]/.test(character) && Number(character) ** 2 <= cells).length;
  return digits >= 0.9 * text.length;
}

/**
 * Reads text line by line and returns each board once it is complete. Text after '#' and titles before a board are
 * ignored. Throws InputError for any other line.
 */
export class BoardReader {
  #rows: { readonly text: string; readonly line: number; readonly dashes: boolean }[] = [];
  #skipped = 0;
  /** Whether the reader is in one of the sections `besidePuzzle`. */
  #beside = false;

  /** Takes the next line; returns the boards that end on it: none, one, or a puzzle and its answer. */
  add(line: string, number: number): WrittenBoard[] {
    const before = this.#sure().length;
    const boards = this.#read(line.replace(/#.*$/, ''), number);
    this.#skipped = boards.length > 0 || this.#sure().length > before ? 0 : this.#skipped + 1;
    if (this.#skipped > mostSkipped) throw new InputError(`expected a Sudoku, got ${mostSkipped} lines without one`);
    return boards;
  }

  /** Throws InputError if a board is incomplete. */
  end(): void {
    const [first] = this.#sure();
    if (first !== undefined) {
      const side = first.text.length;
      throw new InputError(
        `expected ${side} rows of ${side} cells, got ${this.#rowsOfBoard().length}, from line ${first.line} on`,
      );
    }
  }

  #read(line: string, number: number): WrittenBoard[] {
    const heading = /^\s*\[\s*(\p{L}[\p{L} ]*)\]\s*$/iu.exec(line)?.[1]?.toLowerCase().replaceAll(' ', '');
    if (heading !== undefined) this.#beside = besidePuzzle.includes(heading);
    if (heading !== undefined || this.#beside) return [];
    const all = line.split(/\s+/);
    const words = all.filter((word) => wholes.includes(word.length) && cells.test(word));
    const large = words.some((word) => word.length > 16) ? words.filter((word) => word.length > 16) : words;
    const text = line.replace(between, '');
    const inOne = boardCells(line);
    if (large.length > 0 || inOne !== undefined) {
      const broken = all.find((word) => !words.includes(word) && resemblesAnswer(word, large[0]?.length ?? 0));
      if (broken !== undefined)
        throw new InputError(
          `expected an answer of ${large[0]!.length} cells, got ${show(broken)} of ${broken.length}`,
        );
      if (this.#sure().length > 0)
        throw new InputError(`expected another row of ${this.#sure()[0]!.text.length} cells`);
      this.#rows = [];
      return (inOne === undefined ? large : [inOne]).map((board) => ({ board: parseBoard(board), line: number }));
    }
    if (text === '') return [];
    if (!cells.test(text)) return this.#other(line, text);
    return this.#row(line, text, number);
  }

  /** Ignores a title. Throws InputError for any other line that is not a row of a board. */
  #other(line: string, text: string): [] {
    // As long as a board, and written like one except for one character, such as an O for a zero.
    const word = line.trim();
    const strange = new Set([...word].filter((character) => !cells.test(character)));
    const board = wholes.includes(word.length) && strange.size === 1 && !strange.has(' ');
    const title = /\p{L}{2}/u.test(line) && !/[\d.]{12}/.test(text) && !board;
    if (title && this.#sure().length === 0) return [];
    const bad = [...text].find((character) => !cells.test(character))!;
    throw new InputError(
      `Sudoku board: expected digits and '.', '0', '_', '?', '*', 'x' or '-' for blanks, got ${JSON.stringify(bad)}`,
    );
  }

  #row(line: string, text: string, number: number): WrittenBoard[] {
    const dashes = /^[-*]+$/.test(text) && text.includes('-');
    if (dashes && (text.includes('*') || line.includes('+') || !sides.includes(text.length))) return []; // a frame
    const [first] = this.#sure();
    if (!dashes && (first === undefined ? !sides.includes(text.length) : text.length !== first.text.length))
      throw new InputError(
        first === undefined
          ? `expected a row of 4, 6 or 9 cells or a board of 16, 36 or 81, got ${text.length} cells`
          : `expected ${first.text.length} cells as in line ${first.line}, got ${text.length}`,
      );
    this.#rows.push({ text, line: number, dashes });
    const rows = this.#rowsOfBoard();
    if (rows.length === 0 || rows.length < rows[0]!.length) return [];
    this.#rows = [];
    return [{ board: parseBoard(rows.join('')), line: number }];
  }

  /** Rows that are certainly no frame: those with anything but dashes. */
  #sure(): { readonly text: string; readonly line: number }[] {
    return this.#rows.filter(({ dashes }) => !dashes);
  }

  /** The rows so far: a line of dashes is a row of blanks if other rows have dashes for blanks, else a frame. */
  #rowsOfBoard(): string[] {
    const sure = this.#sure();
    const blanks = sure.some(({ text }) => text.includes('-'));
    const side = sure[0]?.text.length;
    return this.#rows.filter(({ dashes, text }) => !dashes || (blanks && text.length === side)).map(({ text }) => text);
  }
}

/** The boards of a text, in order. Throws InputError naming a line that is part of no board. */
export function readBoards(text: string): Uint8Array[] {
  const reader = new BoardReader();
  const boards = text
    .split(/\r\n|\n|\r/)
    .flatMap((line, i) => (i === 0 ? reader.add(line, 1) : within(`line ${i + 1}`, () => reader.add(line, i + 1))));
  reader.end();
  return boards.map(({ board }) => board);
}

/** The only board of a text. Throws InputError for none or several. */
export function readBoard(text: string): Uint8Array {
  if (typeof text !== 'string') throw new InputError(`expected a Sudoku board as text, got ${show(text)}`);
  const boards = readBoards(text);
  if (boards.length === 0) {
    const orMaze = '; or a maze of 6×6 or more cells in one line, with # for walls, S, G and spaces';
    throw new InputError(
      `found no Sudoku in ${show(text)}: write 16, 36 or 81 cells, with a dot for an empty one` +
        `${text.includes('#') ? orMaze : ''}`,
    );
  }
  if (boards.length > 1) throw new InputError(`expected one Sudoku board, got ${boards.length}`);
  return boards[0]!;
}
