/** The forms in which a task's puzzles may be written, for votes among them. */
import { drawSudokuRelabelling, type SudokuChanges } from '../data/relabelling.js';
import { sudokuGeometry } from '../data/sudoku.js';
import { InputError } from '../errors.js';
import type { Views } from '../train/seats.js';
import type { Task } from './task.js';

/** `count` forms of every Sudoku: itself and random relabellings of digits, order of lines, or both. Throws InputError for other tasks. */
export function viewsOf(task: Task, count: number, changes: SudokuChanges = 'both'): Views {
  if (task.kind !== 'sudoku') throw new InputError(`views: expected Sudoku puzzles, got ${task.kind}; the versions of ARC tasks vote by themselves`);
  const geometry = sudokuGeometry(task.side);
  return { count, draw: (_view, random) => drawSudokuRelabelling(geometry, random, changes) };
}
