/** Rectangles of cells, and their eight orientations. */

/** A grid of colours 0 … 9, row by row. A grid cropped from a prediction may be 0×0. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
  readonly cells: Uint8Array;
}

/**
 * A grid in another orientation (spec §5.4): 0 unchanged; 1, 2, 3 turned a quarter, a half, three quarters
 * counter-clockwise; 4 left and right swapped; 5 top and bottom swapped; 6 transposed; 7 transposed along the other
 * diagonal.
 */
export function turnGrid({ rows, columns, cells }: Grid, dihedral: number): Grid {
  const swaps = dihedral === 1 || dihedral === 3 || dihedral >= 6;
  const [newRows, newColumns] = swaps ? [columns, rows] : [rows, columns];
  const turned = new Uint8Array(cells.length);
  for (let r = 0, to = 0; r < newRows; r++) {
    for (let c = 0; c < newColumns; c++, to++) turned[to] = cells[sourceOf(dihedral, r, c, rows, columns)]!;
  }
  return { rows: newRows, columns: newColumns, cells: turned };
}

/** Index, in the original grid of rows × columns, of the turned grid's cell (r, c). */
export function sourceOf(dihedral: number, r: number, c: number, rows: number, columns: number): number {
  switch (dihedral) {
    case 0:
      return r * columns + c;
    case 1:
      return c * columns + (columns - 1 - r);
    case 2:
      return (rows - 1 - r) * columns + (columns - 1 - c);
    case 3:
      return (rows - 1 - c) * columns + r;
    case 4:
      return r * columns + (columns - 1 - c);
    case 5:
      return (rows - 1 - r) * columns + c;
    case 6:
      return c * columns + r;
    case 7:
      return (rows - 1 - c) * columns + (columns - 1 - r);
    default:
      throw new RangeError(`dihedral: expected 0 to 7, got ${dihedral}`);
  }
}
