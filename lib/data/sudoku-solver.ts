/** An exact Sudoku solver: counts solutions, finds one, and counts the guesses it needed. */
import { InputError } from '../errors.js';
import { boxOf, findClash, type SudokuGeometry } from './sudoku.js';
import type { Random } from '../random.js';

/** What the solver found. */
export interface SolverResult {
  /** Solutions found, at most the limit. */
  readonly solutions: number;
  /** The first one found. */
  readonly solution: Uint8Array | undefined;
  /** Cells at which it had to guess, in all branches: a measure of difficulty. */
  readonly guesses: number;
}

const mostGuesses = 1_000_000; // a second or two

/** Row, column and box of every cell, computed once per geometry. */
interface Units {
  readonly row: Uint8Array;
  readonly column: Uint8Array;
  readonly box: Uint8Array;
}
const unitsOfSide = new Map<number, Units>();

function unitsOf(geometry: SudokuGeometry): Units {
  const known = unitsOfSide.get(geometry.side);
  if (known !== undefined) return known;
  const { side } = geometry;
  const cells = Array.from({ length: side * side }, (_, i) => [Math.floor(i / side), i % side] as const);
  const units = {
    row: Uint8Array.from(cells, ([row]) => row),
    column: Uint8Array.from(cells, ([, column]) => column),
    box: Uint8Array.from(cells, ([row, column]) => boxOf(geometry, row, column)),
  };
  unitsOfSide.set(side, units);
  return units;
}

/**
 * Solves by trying the digits of the cell with the fewest candidates; a single candidate is a forced move. Stops at
 * `limit` solutions; 2, the default, shows whether the solution is unique. With `random`, digits are tried in random
 * order. The board must be legal (findClash). Throws InputError beyond a million guesses, which boards without a
 * solution may need and no published puzzle does.
 */
export function solveSudoku(
  board: Uint8Array,
  geometry: SudokuGeometry,
  options: { readonly limit?: number; readonly random?: Random } = {},
): SolverResult {
  const { limit = 2, random } = options;
  const { side } = geometry;
  const units = unitsOf(geometry);
  const all = (1 << side) - 1;
  // bits of digits used
  const [rows, columns, boxes] = [new Int32Array(side), new Int32Array(side), new Int32Array(side)];
  const cells = board.slice();
  const blanks: number[] = [];
  const set = (cell: number, bit: number): void => {
    rows[units.row[cell]!]! ^= bit;
    columns[units.column[cell]!]! ^= bit;
    boxes[units.box[cell]!]! ^= bit;
  };
  for (let cell = 0; cell < cells.length; cell++) {
    if (cells[cell] === 0) blanks.push(cell);
    else set(cell, 1 << (cells[cell]! - 1));
  }

  let solutions = 0;
  let guesses = 0;
  let first: Uint8Array | undefined;
  const search = (left: number): void => {
    if (left === 0) {
      solutions++;
      first ??= cells.slice();
      return;
    }
    let best = -1;
    let bestBits = 0;
    let fewest = side + 1;
    for (let i = 0; i < left && fewest > 1; i++) {
      const cell = blanks[i]!;
      const bits = all & ~(rows[units.row[cell]!]! | columns[units.column[cell]!]! | boxes[units.box[cell]!]!);
      const count = bitCount(bits);
      if (count < fewest) [best, bestBits, fewest] = [i, bits, count];
    }
    if (fewest === 0) return;
    if (fewest > 1 && ++guesses > mostGuesses)
      throw new InputError(`Sudoku board: expected one that is solved in ${mostGuesses} guesses; check the givens`);
    const cell = blanks[best]!;
    [blanks[best], blanks[left - 1]] = [blanks[left - 1]!, cell];
    const digits = digitsOf(bestBits);
    for (const digit of random === undefined ? digits : random.shuffle(digits)) {
      cells[cell] = digit;
      set(cell, 1 << (digit - 1));
      search(left - 1);
      set(cell, 1 << (digit - 1));
      if (solutions >= limit) break;
    }
    cells[cell] = 0;
    [blanks[best], blanks[left - 1]] = [cell, blanks[best]!];
  };
  search(blanks.length);
  return { solutions, solution: first, guesses };
}

/** The only solution of a board. Throws InputError if it clashes, has none, or has several. */
export function onlySolution(board: Uint8Array, geometry: SudokuGeometry): Uint8Array {
  const clash = findClash(board, geometry);
  if (clash !== undefined) throw new InputError(`Sudoku board: expected a legal board, got one where ${clash}`);
  const { solutions, solution } = solveSudoku(board, geometry);
  if (solution === undefined) throw new InputError('Sudoku board: expected exactly one solution, got none');
  if (solutions > 1) throw new InputError('Sudoku board: expected exactly one solution, got several; add givens');
  return solution;
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}

function digitsOf(bits: number): number[] {
  const digits: number[] = [];
  for (let digit = 1; bits >> (digit - 1) !== 0; digit++) if ((bits & (1 << (digit - 1))) !== 0) digits.push(digit);
  return digits;
}
