/**
 * Canonical forms: two boards have the same one exactly when digit relabelling and the board's symmetries turn one into
 * the other.
 */
import type { SudokuGeometry } from './sudoku.js';

/**
 * The canonical form of a board as text: of all boards reachable by relabelling and symmetry, the smallest when read
 * row by row, blanks first and digits named in the order in which they appear. Brute force over all symmetries: for
 * boards up to 6×6 (at most 3,456 of them), blanks allowed.
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
 * The canonical form of a full 9×9 grid as text: the smallest board reachable from it, so its first row is 123456789.
 * Two puzzles that are equivalent have equivalent solutions: sets that share no canonical solution share no puzzle.
 * Each choice of orientation, top row and column order fixes the digits' names; the other rows then sort themselves.
 */
export function canonicalSolution(grid: Uint8Array, geometry: SudokuGeometry): string {
  const { side, boxRows } = geometry;
  const columnOrders = lineOrders(side, geometry.boxColumns);
  const places = inverseOrders(side, geometry.boxColumns);
  const best = new Uint8Array(grid.length).fill(side);
  const candidate = new Uint8Array(grid.length);
  const columnOf = new Uint8Array(side + 1); // where each digit stands in the top row
  for (const turned of orientations(grid, geometry)) {
    for (let top = 0; top < side; top++) {
      for (let j = 0; j < side; j++) columnOf[turned[top * side + j]!] = j;
      // Once the top row reads 0 1 2 …, cell (row, j) of a column order reads place[named[row, order[j]]].
      const named = turned.map((digit) => columnOf[digit]!);
      const band = Math.floor(top / boxRows);
      const rest = rowsOfBand(band, boxRows).filter((row) => row !== top);
      for (let k = 0; k < columnOrders.length; k++) {
        const order = columnOrders[k]!;
        const place = places[k]!;
        // The second row decides nearly always, and mostly its first cell: compare it before the others are worked out.
        let second = rest[0]!;
        for (const row of rest)
          if (place[named[row * side + order[0]!]!]! < place[named[second * side + order[0]!]!]!) second = row;
        let difference = 0;
        for (let j = 0; j < side && difference === 0; j++)
          difference = place[named[second * side + order[j]!]!]! - best[side + j]!;
        if (difference > 0) continue;

        const byFirst = (a: number, b: number): number =>
          place[named[a * side + order[0]!]!]! - place[named[b * side + order[0]!]!]!;
        const others = Array.from({ length: side / boxRows }, (_, i) => i)
          .filter((other) => other !== band)
          .map((other) => rowsOfBand(other, boxRows).sort(byFirst))
          .sort((a, b) => byFirst(a[0]!, b[0]!));
        [top, ...rest.slice().sort(byFirst), ...others.flat()].forEach((row, i) => {
          for (let j = 0; j < side; j++) candidate[i * side + j] = place[named[row * side + order[j]!]!]!;
        });
        if (isSmaller(candidate, best)) best.set(candidate);
      }
    }
  }
  return best.map((name) => name + 1).join('');
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

const inverseOrdersOf = new Map<string, readonly Uint8Array[]>();

/** For each of lineOrders, the place of every line in it. */
function inverseOrders(side: number, perBlock: number): readonly Uint8Array[] {
  const key = `${side} ${perBlock}`;
  const known = inverseOrdersOf.get(key);
  if (known !== undefined) return known;
  const result = lineOrders(side, perBlock).map((order) => {
    const places = new Uint8Array(side);
    order.forEach((line, place) => (places[line] = place));
    return places;
  });
  inverseOrdersOf.set(key, result);
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
