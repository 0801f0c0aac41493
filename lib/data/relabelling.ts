/** Relabellings of a puzzle: cells moved and tokens renamed, and the inverse for its answer. */
import { InputError } from '../errors.js';
import { checkCounts, checkValue, objectOf, oneOf } from '../fields.js';
import type { Random } from '../random.js';
import type { Example } from './example.js';
import { sourceOf } from './grid.js';
import { drawSymmetry, type SudokuGeometry, type SudokuSymmetry } from './sudoku.js';

/** A one-to-one change of a puzzle of L cells and V tokens that leaves its solution equivalent. */
export interface Relabelling {
  /** New cell i is old cell cells[i], [L]. */
  readonly cells: Int32Array;
  /** What each token becomes, [V]. */
  readonly tokens: Int32Array;
}

/** The forms in which a puzzle may be written; form 0 is the original. */
export interface Forms {
  /** How many there are; Infinity where they are drawn at random. */
  readonly count: number;
  /** Form 1, 2, …; a random one depends on `random` only. */
  draw(form: number, random: Random): Relabelling;
}

/** The relabelling that changes nothing. */
export function identity(length: number, vocabSize: number): Relabelling {
  return {
    cells: Int32Array.from({ length }, (_, i) => i),
    tokens: Int32Array.from({ length: vocabSize }, (_, i) => i),
  };
}

/** Throws InputError unless a form permutes `length` cells and `vocabSize` tokens. */
export function checkRelabelling(form: Relabelling, length: number, vocabSize: number): void {
  const permutes = (values: Int32Array | undefined, count: number): boolean => {
    const seen = new Uint8Array(count);
    values?.forEach((to) => (seen[to] = 1));
    return values?.length === count && !seen.includes(0);
  };
  if (permutes(form?.cells, length) && permutes(form?.tokens, vocabSize)) return;
  throw new InputError(
    `forms: expected those of puzzles of ${length} cells and ${vocabSize} tokens, as the model has, got others; ` +
      'take formsOf of their data set',
  );
}

/** The puzzle in its new form; token ids in and out, [L]. */
export function relabel<Tokens extends Int32Array | Uint8Array>(puzzle: Tokens, form: Relabelling): Tokens {
  return puzzle.map((_, i) => form.tokens[puzzle[form.cells[i]!]!]!) as Tokens;
}

/** Turns an answer to the new form back into one to the original puzzle, [L]. */
export function relabelBack(answer: Int32Array, { cells, tokens }: Relabelling): Int32Array {
  const original = new Int32Array(tokens.length);
  tokens.forEach((renamed, token) => (original[renamed] = token));
  const result = new Int32Array(answer.length);
  cells.forEach((cell, i) => (result[cell] = original[answer[i]!]!));
  return result;
}

/** What a relabelling of a Sudoku may change: its digits, the order of its lines, or both. */
export type SudokuChanges = 'digits' | 'lines' | 'both';

/** A random symmetry of Sudoku boards, restricted to what `changes` says. */
export function drawSudokuRelabelling(
  geometry: SudokuGeometry,
  random: Random,
  changes: SudokuChanges = 'both',
): Relabelling {
  const drawn = drawSymmetry(geometry, random);
  const still = Int32Array.from({ length: geometry.side }, (_, i) => i);
  return sudokuRelabelling({
    ...drawn,
    ...(changes === 'digits' ? { transpose: false, rows: still, columns: still } : {}),
    ...(changes === 'lines' ? { digits: Uint8Array.from({ length: geometry.side + 1 }, (_, i) => i) } : {}),
  });
}

/** A Sudoku example under a random symmetry. */
export function augmentSudoku({ input, label }: Example, geometry: SudokuGeometry, random: Random): Example {
  const form = drawSudokuRelabelling(geometry, random);
  return { input: relabel(input, form), label: relabel(label, form) };
}

/** A symmetry of boards as a relabelling of tokens: 0 is padding, 1 blank, digit + 1. */
export function sudokuRelabelling({ transpose, rows, columns, digits }: SudokuSymmetry): Relabelling {
  const side = rows.length;
  const cells = Int32Array.from({ length: side * side }, (_, i) => {
    const [r, c] = [rows[Math.floor(i / side)]!, columns[i % side]!];
    return transpose ? c * side + r : r * side + c;
  });
  return { cells, tokens: Int32Array.of(0, ...digits.map((digit) => digit + 1)) };
}

/** Orientation `id` of a square grid, 0 (unchanged) to 7 (spec §5.4). Throws RangeError for another id. */
export function gridRelabelling(side: number, vocabSize: number, id: number): Relabelling {
  const cells = Int32Array.from({ length: side * side }, (_, at) =>
    sourceOf(id, Math.floor(at / side), at % side, side, side),
  );
  return { cells, tokens: identity(0, vocabSize).tokens };
}

/** Random forms of a Sudoku: digits renamed, lines moved, or both. Throws InputError for other `changes`. */
export function sudokuForms(geometry: SudokuGeometry, changes: SudokuChanges = 'both'): Forms {
  checkValue('geometry', geometry, objectOf({ side: oneOf(4, 6, 9), boxRows: oneOf(2, 3), boxColumns: oneOf(2, 3) }));
  checkValue('forms', changes, oneOf('digits', 'lines', 'both'));
  return { count: Infinity, draw: (_form, random) => drawSudokuRelabelling(geometry, random, changes) };
}

/** The eight orientations of a square grid. Throws InputError for sizes that are not whole or below 1. */
export function gridForms(side: number, vocabSize: number): Forms {
  checkCounts({ side, vocabSize });
  return { count: 8, draw: (form) => gridRelabelling(side, vocabSize, form) };
}
