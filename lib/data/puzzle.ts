/** One puzzle with its right answer, and how one of your own is read. */
import { onlySolution } from './sudoku-solver.js';
import { readBoard } from './board-text.js';
import { sudokuGeometry, tokensOfBoard } from './sudoku.js';

/** A puzzle and its right answer. */
export interface Puzzle {
  /** Token ids, [L]. */
  readonly question: Int32Array;
  readonly solution: Int32Array;
  /** Row of the model's puzzle table. */
  readonly puzzleId: number;
}

/**
 * A Sudoku of your own, in one line or row by row, with or without frames; '.', '0', '_', '?', '*', 'x' or '-' for
 * empty cells. The exact solver finds its answer. Throws InputError for another size, another character, or a board
 * that has not exactly one solution.
 */
export function ownSudoku(text: string): Puzzle {
  const board = readBoard(text);
  const answer = onlySolution(board, sudokuGeometry(Math.sqrt(board.length)));
  return {
    question: Int32Array.from(tokensOfBoard(board)),
    solution: Int32Array.from(tokensOfBoard(answer)),
    puzzleId: 0,
  };
}
