/** Sudoku boards: their geometry, text and token forms, legality, and the symmetries that keep them legal. */
import { InputError } from '../errors.js';
import type { Random } from '../random.js';

/** A board's shape. Digits are 1 … side, 0 is blank; cells are in row order. */
export interface SudokuGeometry {
  readonly side: 4 | 6 | 9;
  /** Rows and columns of one box. */
  readonly boxRows: number;
  readonly boxColumns: number;
}

/** 4×4 has 2×2 boxes, 6×6 boxes of two rows and three columns, 9×9 3×3 boxes. */
export function sudokuGeometry(side: number): SudokuGeometry {
  switch (side) {
    case 4:
      return { side, boxRows: 2, boxColumns: 2 };
    case 6:
      return { side, boxRows: 2, boxColumns: 3 };
    case 9:
      return { side, boxRows: 3, boxColumns: 3 };
    default:
      throw new InputError(`Sudoku: expected side 4, 6 or 9, got ${side}`);
  }
}

/** The geometry of a board of `cells` cells, or undefined. */
export function geometryOfCells(cells: number): SudokuGeometry | undefined {
  return [4, 6, 9].includes(Math.sqrt(cells)) ? sudokuGeometry(Math.sqrt(cells)) : undefined;
}

/** Index of the box that a cell lies in. */
export function boxOf(geometry: SudokuGeometry, row: number, column: number): number {
  const { side, boxRows, boxColumns } = geometry;
  return Math.floor(row / boxRows) * (side / boxColumns) + Math.floor(column / boxColumns);
}

/** Marks that files and print-outs use for a blank. */
const blankMarks = '.0_?*xX·-';

/**
 * Reads a board written row by row without anything between its cells; board-text.ts reads every other form.
 * Throws InputError for another length or character.
 */
export function parseBoard(text: string): Uint8Array {
  const geometry = geometryOfCells(text.length);
  if (geometry === undefined)
    throw new InputError(`Sudoku board: expected 16, 36 or 81 characters, got ${text.length}`);
  return Uint8Array.from(text, (character, i) => {
    const digit = blankMarks.includes(character) ? 0 : '0123456789'.indexOf(character);
    if (digit < 0 || digit > geometry.side) {
      const [row, column] = [Math.floor(i / geometry.side) + 1, (i % geometry.side) + 1];
      throw new InputError(
        `Sudoku board: expected digits 1 to ${geometry.side}, '.' or '0', ` +
          `got ${JSON.stringify(character)} at row ${row}, column ${column}`,
      );
    }
    return digit;
  });
}

/** A board as text, '.' for blank. */
export function boardText(board: Uint8Array): string {
  return Array.from(board, (digit) => (digit === 0 ? '.' : String(digit))).join('');
}

/** Token of a cell without a digit (spec §5.1). */
export const blankToken = 1;

/** Token ids of a board: 0 is padding and never occurs, 1 blank, digit + 1 (spec §5.1). */
export function tokensOfBoard(board: Uint8Array): Uint8Array {
  return board.map((digit) => digit + 1);
}

/** The board that token ids stand for; padding reads as blank. */
export function boardOfTokens(tokens: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(tokens, (token) => Math.max(0, token - 1));
}

/** The first pair of equal digits that share a row, column or box, as text; undefined if there is none. */
export function findClash(board: Uint8Array, geometry: SudokuGeometry): string | undefined {
  const { side } = geometry;
  const seen = { row: new Int32Array(side), column: new Int32Array(side), box: new Int32Array(side) };
  for (let cell = 0; cell < board.length; cell++) {
    const digit = board[cell] ?? 0;
    if (digit === 0) continue;
    const [row, column] = [Math.floor(cell / side), cell % side];
    for (const [unit, at] of [
      ['row', row],
      ['column', column],
      ['box', boxOf(geometry, row, column)],
    ] as const) {
      const bits = seen[unit][at] ?? 0;
      if ((bits & (1 << digit)) !== 0) return `${digit} appears twice in ${unit} ${at + 1}`;
      seen[unit][at] = bits | (1 << digit);
    }
  }
  return undefined;
}

/** One symmetry of a board: where each cell's content comes from, and what each digit becomes (blank stays 0). */
export interface SudokuSymmetry {
  readonly transpose: boolean;
  /** Row r of the new board is row rows[r] of the (transposed) old one; columns alike. */
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly digits: Uint8Array;
}

/** Draws a symmetry in the reference's order (spec §5.2): digits, transpose, bands and rows, stacks and columns. */
export function drawSymmetry(geometry: SudokuGeometry, random: Random): SudokuSymmetry {
  const { side, boxRows, boxColumns } = geometry;
  const digits = Uint8Array.of(0, ...random.permutation(side).map((digit) => digit + 1));
  const transpose = boxRows === boxColumns && random.bernoulli(0.5); // transposing would change other boxes' shape
  return { transpose, rows: drawLines(side, boxRows, random), columns: drawLines(side, boxColumns, random), digits };
}

/** Blocks of lines in random order, and the lines inside each block. */
function drawLines(side: number, perBlock: number, random: Random): Int32Array {
  const blocks = random.permutation(side / perBlock);
  return Int32Array.from(
    [...blocks].flatMap((block) => [...random.permutation(perBlock)].map((line) => block * perBlock + line)),
  );
}
