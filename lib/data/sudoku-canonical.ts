/**
 * Canonical forms: two boards have the same form exactly when relabelling digits and the board's symmetries turn one
 * into the other.
 */
import { boardText, type SudokuGeometry } from './sudoku.js';

/**
 * The canonical form of a board as text: of all equivalent boards, the smallest when read row by row, with blanks
 * smallest and digits named by first appearance. Blanks are allowed. Tries all symmetries, at most 3,456 up to 6×6;
 * throws RangeError for larger boards.
 */
export function canonicalBoard(board: Uint8Array, geometry: SudokuGeometry): string {
  const { side } = geometry;
  if (side > 6) throw new RangeError('canonicalBoard: boards up to 6×6; use canonicalSolution for 9×9');
  const best = new Uint8Array(board.length).fill(255);
  const names = new Uint8Array(side + 1);
  for (const turned of orientations(board, geometry)) {
    for (const rows of lineOrders(side, geometry.boxRows)) {
      for (const columns of lineOrders(side, geometry.boxColumns)) {
        names.fill(0);
        let used = 0;
        let smaller = false;
        for (let cell = 0; cell < board.length; cell++) {
          const digit = turned[rows[Math.floor(cell / side)]! * side + columns[cell % side]!]!;
          if (digit !== 0 && names[digit] === 0) names[digit] = ++used;
          const name = digit === 0 ? 0 : names[digit]!;
          if (!smaller && name > best[cell]!) break;
          if (name < best[cell]!) smaller = true;
          best[cell] = name;
        }
      }
    }
  }
  return best.join('');
}

/**
 * The canonical form of a full 9×9 grid as text: the smallest equivalent board, so its first row is 123456789.
 * Equivalent puzzles have equivalent solutions, so sets that share no canonical solution share no puzzle.
 * A choice of first row, second row and column order fixes the digits' names, and the order of the other rows follows.
 * Only column orders that make the second row smallest are tried, a few dozen of 1,296.
 */
export function canonicalSolution(grid: Uint8Array, geometry: SudokuGeometry): string {
  const { side, boxRows } = geometry;
  const best = new Uint8Array(grid.length).fill(side);
  const candidate = new Uint8Array(grid.length);
  const secondRow = best.subarray(side, 2 * side);
  const columnOf = new Uint8Array(side + 1); // column of each digit in the top row
  for (const turned of orientations(grid, geometry)) {
    for (let top = 0; top < side; top++) {
      for (let j = 0; j < side; j++) columnOf[turned[top * side + j]!] = j;
      // With digits named so that the top row is 0 1 2 …, cell (row, j) under a column order is
      // place[named[row, order[j]]].
      const named = turned.map((digit) => columnOf[digit]!);
      const band = Math.floor(top / boxRows);
      const rest = rowsOfBand(band, boxRows).filter((row) => row !== top);
      for (const second of rest) {
        const below = named.subarray(second * side, (second + 1) * side);
        for (const { order, place } of smallestOrders(below, geometry.boxColumns, secondRow)) {
          const at = (row: number, j: number): number => place[named[row * side + order[j]!]!]!;
          const byFirst = (a: number, b: number): number => at(a, 0) - at(b, 0);
          const others = Array.from({ length: side / boxRows }, (_, i) => i)
            .filter((other) => other !== band)
            .map((other) => rowsOfBand(other, boxRows).sort(byFirst))
            .sort((a, b) => byFirst(a[0]!, b[0]!));
          [top, second, ...rest.filter((row) => row !== second).sort(byFirst), ...others.flat()].forEach((row, i) => {
            for (let j = 0; j < side; j++) candidate[i * side + j] = at(row, j);
          });
          if (isSmaller(candidate, best)) best.set(candidate);
        }
      }
    }
  }
  return best.map((name) => name + 1).join('');
}

interface Sudoku {
  readonly question: Uint8Array;
  readonly answer: Uint8Array;
}

/**
 * The canonical form of a puzzle; for 9×9 that of its solution, which is quick to find and also equates puzzles with
 * equivalent solutions.
 */
export function canonicalSudoku({ question, answer }: Sudoku, geometry: SudokuGeometry): string {
  return geometry.side > 6 ? canonicalSolution(answer, geometry) : canonicalBoard(question, geometry);
}

/** The form of which a split keeps one puzzle: the canonical one, but for 4×4 the board itself. */
export function puzzleClass(puzzle: Sudoku, geometry: SudokuGeometry): string {
  if (geometry.side === 4) return boardText(puzzle.question); // up to symmetry there are too few for two sets
  return canonicalSudoku(puzzle, geometry);
}

/** An order of columns that keeps blocks together, and its inverse: the place of each column. */
interface ColumnOrder {
  readonly order: readonly number[];
  readonly place: readonly number[];
}

/**
 * The column orders that make the second row smallest, if that is no larger than `bound`; `below[j]` is the column of
 * the top row that has the digit of the second row's column j.
 */
function smallestOrders(below: Uint8Array, perBlock: number, bound: Uint8Array): ColumnOrder[] {
  const side = below.length;
  let found: ColumnOrder[] = [];
  let least: readonly number[] = Array.from(bound);
  const order: number[] = new Array<number>(side).fill(-1);
  const place: number[] = new Array<number>(side).fill(-1);
  const blockAt: number[] = []; // the block of columns at each block of places
  const values: number[] = [];
  const put = (column: number, at: number): void => {
    order[at] = column;
    place[column] = at;
  };
  const take = (column: number): void => {
    order[place[column]!] = -1;
    place[column] = -1;
  };

  /** Chooses the column at place `at`; `tight`: the row so far equals the start of the least one known. */
  const choose = (at: number, tight: boolean): void => {
    if (at === side) {
      if (!tight) [found, least] = [[], values.slice()];
      found.push({ order: order.slice(), place: place.slice() });
      return;
    }
    if (order[at] !== -1) return name(at, tight);
    const blocks = blockAt[Math.floor(at / perBlock)];
    const opens = blocks === undefined;
    for (let column = 0; column < side; column++) {
      const block = Math.floor(column / perBlock);
      if (place[column] !== -1 || (opens ? blockAt.includes(block) : block !== blocks)) continue;
      if (opens) blockAt.push(block);
      put(column, at);
      name(
        at,
        values.every((value, i) => value === least[i]),
      ); // `least` may have become smaller
      take(column);
      if (opens) blockAt.pop();
    }
  };

  /** Gives the digit at `at` its smallest possible name: its column takes the first free place of its block. */
  const name = (at: number, tight: boolean): void => {
    const column = below[order[at]!]!;
    const block = Math.floor(column / perBlock);
    const isNew = place[column] === -1;
    const opens = isNew && !blockAt.includes(block);
    if (opens) blockAt.push(block);
    if (isNew) put(column, order.indexOf(-1, blockAt.indexOf(block) * perBlock));
    const value = place[column]!;
    if (!tight || value <= least[at]!) {
      values.push(value);
      choose(at + 1, tight && value === least[at]);
      values.pop();
    }
    if (isNew) take(column);
    if (opens) blockAt.pop();
  };
  choose(0, true);
  return found;
}

/** The board, and transposed where boxes are square. */
function orientations(board: Uint8Array, { side, boxRows, boxColumns }: SudokuGeometry): Uint8Array[] {
  if (boxRows !== boxColumns) return [board];
  return [board, board.map((_, cell) => board[(cell % side) * side + Math.floor(cell / side)]!)];
}

const lineOrdersOf = new Map<string, readonly Uint8Array[]>();

/** All orders of rows (or columns) that keep each block together. */
function lineOrders(side: number, perBlock: number): readonly Uint8Array[] {
  const key = `${side} ${perBlock}`;
  const known = lineOrdersOf.get(key);
  if (known !== undefined) return known;
  const inside = permutations(perBlock);
  let orders: number[][] = [];
  for (const blocks of permutations(side / perBlock)) {
    let partial: number[][] = [[]];
    for (const block of blocks)
      partial = partial.flatMap((lines) =>
        inside.map((order) => [...lines, ...order.map((line) => block * perBlock + line)]),
      );
    orders = [...orders, ...partial];
  }
  const result = orders.map((order) => Uint8Array.from(order));
  lineOrdersOf.set(key, result);
  return result;
}

function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return permutations(n - 1).flatMap((shorter) =>
    Array.from({ length: n }, (_, at) => [...shorter.slice(0, at), n - 1, ...shorter.slice(at)]),
  );
}

function rowsOfBand(band: number, boxRows: number): number[] {
  return Array.from({ length: boxRows }, (_, i) => band * boxRows + i);
}

function isSmaller(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]!;
  return false;
}
