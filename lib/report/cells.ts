/** Which cells of a Sudoku or of a maze are given, answered, changed or wrong. */
import { mazeToken } from '../data/maze.js';
import { boxOf, geometryOfCells, type SudokuGeometry } from '../data/sudoku.js';
import { InputError } from '../errors.js';
import { checkValue, objectOf, optional, type FieldCheck } from '../fields.js';

/** Token ids of one board, row by row, [L]. */
export type Board = ArrayLike<number>;

/** The check of a board. */
export const anyBoard: FieldCheck = (value) =>
  typeof value === 'object' && value !== null && Number.isInteger((value as Board).length)
    ? undefined
    : 'token ids, one a cell';

const boardsOfPuzzle = objectOf({
  question: anyBoard,
  answer: optional(anyBoard),
  before: optional(anyBoard),
  solution: optional(anyBoard),
});

/** A Sudoku and its answers. Tokens: 1 empty, digit + 1 for a digit (spec §5.1). */
export interface SudokuBoards {
  /** The puzzle. */
  readonly question: Board;
  /** The model's answer; without it the puzzle itself is drawn. */
  readonly answer?: Board;
  /** The answer one supervision step before: cells that differ from it are marked as changed. */
  readonly before?: Board;
  /** The right answer: cells that differ from it are marked as wrong. Without it, cells that break a rule are. */
  readonly solution?: Board;
}

/** The marks of one cell of a Sudoku. */
export interface SudokuCell {
  /** 1 … side; null for an empty cell or a token that is no digit. */
  readonly digit: number | null;
  readonly given: boolean;
  readonly changed: boolean;
  readonly wrong: boolean;
}

/** Marks every cell of a Sudoku. Throws InputError for boards that are not 4×4, 6×6 or 9×9, or differ in size. */
export function sudokuCells(boards: SudokuBoards): SudokuCell[] {
  checkValue('boards', boards, boardsOfPuzzle);
  const { question, answer = question, before, solution } = boards;
  const geometry = boardGeometry(question);
  const { side } = geometry;
  checkSameSize(question, { answer, before, solution });
  return Array.from({ length: question.length }, (_, i) => {
    const token = answer[i] ?? 0;
    const given = (question[i] ?? 0) > 1;
    const lost = given && token !== question[i];
    const wrong =
      solution === undefined
        ? lost || clashes(answer, geometry, i)
        : token > 1
          ? token !== solution[i]
          : answer !== question;
    return {
      digit: token > 1 && token <= side + 1 ? token - 1 : null,
      given,
      changed: before !== undefined && token !== before[i],
      wrong,
    };
  });
}

/** Throws InputError if one of the boards is defined and has another number of cells than the question. */
export function checkSameSize(question: Board, boards: Readonly<Record<string, Board | undefined>>): void {
  for (const [name, board] of Object.entries(boards)) {
    if (board !== undefined && board.length !== question.length)
      throw new InputError(`${name}: expected ${question.length} tokens like the question, got ${board.length}`);
  }
}

/** A maze and a path through it. Tokens: 1 wall, 2 free, 3 start, 4 goal, 5 path (spec §5.1). */
export interface MazeBoards {
  readonly question: Board;
  /** The model's answer, path cells as token 5. */
  readonly answer?: Board;
  /** The answer one supervision step before: cells that differ from it are marked as changed. */
  readonly before?: Board;
  /** The right answer; cells that differ from it are marked. */
  readonly solution?: Board;
}

/** The marks of one cell of a maze. */
export interface MazeCell {
  readonly kind: 'wall' | 'free' | 'start' | 'goal';
  /** The model's answer leads through this cell. */
  readonly path: boolean;
  /** The right answer leads through this cell, the model's does not. */
  readonly missed: boolean;
  readonly changed: boolean;
  readonly wrong: boolean;
}

/**
 * Marks every cell of a maze, which may lack start or goal while it is being drawn. Throws InputError for boards that
 * are not square, or differ in size.
 */
export function mazeCells(boards: MazeBoards): MazeCell[] {
  checkValue('boards', boards, boardsOfPuzzle);
  const { question, answer = question, before, solution } = boards;
  if (!Number.isInteger(Math.sqrt(question.length)))
    throw new InputError(`maze: expected a square number of tokens, got ${question.length}`);
  checkSameSize(question, { answer, before, solution });
  return Array.from({ length: question.length }, (_, i) => {
    const [token, right] = [answer[i] ?? 0, solution?.[i]];
    const wrong = right !== undefined && token !== right && answer !== question;
    return {
      kind: mazeKind(question[i]),
      path: token === mazeToken.path,
      missed: wrong && right === mazeToken.path,
      changed: before !== undefined && token !== before[i],
      wrong,
    };
  });
}

function mazeKind(token: number | undefined): MazeCell['kind'] {
  const { wall, start, goal } = mazeToken;
  return token === wall ? 'wall' : token === start ? 'start' : token === goal ? 'goal' : 'free';
}

/** The geometry of a board. Throws InputError if it is no Sudoku. */
export function boardGeometry(board: Board): SudokuGeometry {
  const geometry = geometryOfCells(board.length);
  if (geometry === undefined) throw new InputError(`Sudoku: expected 16, 36 or 81 tokens, got ${board.length}`);
  return geometry;
}

/** Whether the digit in cell i stands again in its row, column or box. */
function clashes(board: Board, geometry: SudokuGeometry, i: number): boolean {
  const { side } = geometry;
  const token = board[i] ?? 0;
  if (token <= 1) return false;
  const [row, column] = [Math.floor(i / side), i % side];
  return Array.from({ length: board.length }, (_, j) => j).some((j) => {
    if (j === i || board[j] !== token) return false;
    const [otherRow, otherColumn] = [Math.floor(j / side), j % side];
    return (
      row === otherRow ||
      column === otherColumn ||
      boxOf(geometry, row, column) === boxOf(geometry, otherRow, otherColumn)
    );
  });
}
