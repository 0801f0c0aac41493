/** The forms in which a task's puzzles may be written, for votes among them. */
import { drawSudokuRelabelling, gridRelabelling, type SudokuChanges } from '../data/relabelling.js';
import { sudokuGeometry } from '../data/sudoku.js';
import { InputError } from '../errors.js';
import type { Views } from '../train/seats.js';
import { taskShape, type Task } from './task.js';

/**
 * `count` forms of every puzzle. Sudoku: itself and random relabellings of digits, order of lines, or both. Mazes:
 * itself and its turns and mirror images, 8 at most; among equally short paths the data set's answer depends on the
 * order of directions, which a turn changes, so votes may cost exact answers and still find valid paths. Throws
 * InputError for other tasks and counts.
 */
export function viewsOf(task: Task, count: number, changes: SudokuChanges = 'both'): Views {
  if (task.kind === 'maze') {
    if (count > 8)
      throw new InputError(`views: expected at most 8, the turns and mirror images of a maze, got ${count}`);
    return { count, draw: (view) => gridRelabelling(task.side, taskShape(task).vocabSize, view) };
  }
  if (task.kind !== 'sudoku')
    throw new InputError(
      `views: expected Sudoku puzzles or mazes, got ${task.kind}; the versions of ARC tasks vote by themselves`,
    );
  const geometry = sudokuGeometry(task.side);
  return { count, draw: (_view, random) => drawSudokuRelabelling(geometry, random, changes) };
}
