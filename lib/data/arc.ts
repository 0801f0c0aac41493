/**
 * ARC grids: orientations, colour permutations, hashes, and how a grid lies on the canvas that a model sees.
 */
import { hash } from 'node:crypto';
import { InputError } from '../errors.js';
import type { Random } from '../random.js';
import type { Example } from './example.js';
import { turnGrid, type Grid } from './grid.js';

/** A question and its answer. */
export interface ArcPair {
  readonly input: Grid;
  readonly output: Grid;
}

/** One task: pairs that show a rule, and pairs to apply it to. */
export interface ArcTask {
  readonly id: string;
  readonly train: readonly ArcPair[];
  readonly test: readonly ArcPair[];
}

/** Longest side of a grid in any ARC set; the side of the reference's canvas. */
export const longestSide = 30;

/** Orientation 0 … 7 and, for each colour, what it becomes; colour 0 stays 0. */
export interface ArcAugmentation {
  readonly dihedral: number;
  readonly colours: Uint8Array;
}

/** The augmentation that changes nothing. */
export const noAugmentation: ArcAugmentation = { dihedral: 0, colours: Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9) };

/** The orientation that undoes each (spec §5.4). */
const inverseDihedral = [0, 3, 2, 1, 4, 5, 6, 7] as const;

/** An augmented grid: its colours replaced, then turned. */
export function augmentGrid(grid: Grid, { dihedral, colours }: ArcAugmentation): Grid {
  return turnGrid({ ...grid, cells: grid.cells.map((colour) => colours[colour]!) }, dihedral);
}

/** The inverse of augmentGrid: turns the grid back, then restores its colours. */
export function restoreGrid(grid: Grid, { dihedral, colours }: ArcAugmentation): Grid {
  const { rows, columns, cells } = turnGrid(grid, inverseDihedral[dihedral] ?? 0);
  const before = new Uint8Array(10);
  colours.forEach((colour, original) => (before[colour] = original));
  return { rows, columns, cells: cells.map((colour) => before[colour]!) };
}

/** Draws an orientation, then a permutation of the colours 1 … 9, in the reference's order. */
export function drawAugmentation(random: Random): ArcAugmentation {
  const dihedral = random.integer(8);
  return { dihedral, colours: Uint8Array.of(0, ...random.permutation(9).map((colour) => colour + 1)) };
}

/** The name of an augmented task: `007bbfb7|||t6|||0926183754`; the original keeps its own. */
export function augmentedName(id: string, augmentation: ArcAugmentation): string {
  return augmentation === noAugmentation ? id : `${id}|||t${augmentation.dihedral}|||${augmentation.colours.join('')}`;
}

/** SHA-256 of a grid: one byte for rows, one for columns, then its cells (golden-data.json). */
export function gridHash(grid: Grid): string {
  return hash('sha256', gridBytes(grid), 'hex');
}

function gridBytes({ rows, columns, cells }: Grid): Uint8Array {
  const bytes = new Uint8Array(2 + cells.length);
  bytes[0] = rows;
  bytes[1] = columns;
  bytes.set(cells, 2);
  return bytes;
}

/** Tokens of a grid (spec §5.5): 0 padding, 1 end of grid, 2 … 11 the colours. */
export const arcTokens = { pad: 0, end: 1, colour: 2, vocabSize: 12 } as const;

/**
 * Tokens of a grid on a canvas of side × side, its first cell at (row, column): the colours, a row of end tokens below
 * and a column of them to the right, as far as the canvas has room; the corner between row and column stays padding.
 */
export function layGrid({ rows, columns, cells }: Grid, side: number, row = 0, column = 0): Uint8Array {
  if (row + rows > side || column + columns > side)
    throw new InputError(
      `expected a grid that fits ${side}×${side} at row ${row}, column ${column}, got ${rows}×${columns}`,
    );
  const tokens = new Uint8Array(side * side);
  for (let r = 0; r < rows; r++) {
    const to = (row + r) * side + column;
    for (let c = 0; c < columns; c++) tokens[to + c] = cells[r * columns + c]! + arcTokens.colour;
    if (column + columns < side) tokens[to + columns] = arcTokens.end;
  }
  const below = (row + rows) * side + column;
  if (row + rows < side) tokens.fill(arcTokens.end, below, below + columns);
  return tokens;
}

/** A pair as one example; question and answer have the same offset. */
export function layPair({ input, output }: ArcPair, side: number, row = 0, column = 0): Example {
  return { input: layGrid(input, side, row, column), label: layGrid(output, side, row, column) };
}

/**
 * The grid that predicted tokens [side · side] describe: the largest rectangle of colours in the top left corner, and
 * of equally large ones that with the fewest rows. 0×0 if there is no colour in the corner.
 */
export function cropGrid(tokens: ArrayLike<number>, side: number): Grid {
  let [rows, columns, width] = [0, 0, side];
  for (let r = 0; r < side && width > 0; r++) {
    for (let c = 0; c < width; c++) {
      const token = tokens[r * side + c] ?? 0;
      if (token < arcTokens.colour || token >= arcTokens.vocabSize) width = c;
    }
    if ((r + 1) * width > rows * columns) [rows, columns] = [r + 1, width];
  }
  const cells = new Uint8Array(rows * columns);
  for (let i = 0; i < cells.length; i++)
    cells[i] = (tokens[Math.floor(i / columns) * side + (i % columns)] ?? 0) - arcTokens.colour;
  return { rows, columns, cells };
}

/** A grid as ARC's files write it: rows of colours. */
export function gridRows({ rows, columns, cells }: Grid): number[][] {
  return Array.from({ length: rows }, (_, r) => [...cells.subarray(r * columns, (r + 1) * columns)]);
}

/** A grid from rows of colours that are known to be valid. */
export function gridOfRows(rows: readonly (readonly number[])[]): Grid {
  const columns = rows[0]?.length ?? 0;
  const cells = new Uint8Array(rows.length * columns);
  rows.forEach((row, r) => cells.set(row, r * columns));
  return { rows: rows.length, columns, cells };
}
