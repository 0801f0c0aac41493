/** How puzzles look: which cells of a Sudoku, a maze or an ARC grid are given, answered, changed or wrong, and how each is drawn. */
import { boxOf, geometryOfCells, type SudokuGeometry } from '../data/sudoku.js';
import { InputError } from '../errors.js';
import type { Thought } from '../train/evaluate.js';
import { animateGrids, drawGrid, drawGrids, type CellView, type GridView, type LegendEntry } from './draw/grids.js';
import type { ThoughtPoint } from './figures.js';
import type { Animation, Drawing } from './draw/plotly.js';
import { arcPalette, colour } from './draw/style.js';

/** Token ids of one board, row by row, [L]. */
export type Board = ArrayLike<number>;

/** A Sudoku and what became of it. Tokens: 1 empty, digit + 1 for a digit (spec §5.1). */
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

/** What is to be said about one cell of a Sudoku. */
export interface SudokuCell {
  /** 1 … side; null for an empty cell or a token that is no digit. */
  readonly digit: number | null;
  readonly given: boolean;
  readonly changed: boolean;
  readonly wrong: boolean;
}

/** Marks every cell of a Sudoku. Throws InputError for boards that are not 4×4, 6×6 or 9×9, or differ in size. */
export function sudokuCells({ question, answer = question, before, solution }: SudokuBoards): SudokuCell[] {
  const geometry = geometryOf(question);
  const { side } = geometry;
  for (const [name, board] of Object.entries({ answer, before, solution })) {
    if (board !== undefined && board.length !== question.length)
      throw new InputError(`${name}: expected ${question.length} tokens like the question, got ${board.length}`);
  }
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

/** A Sudoku as a grid to draw: alone, beside others or animated. */
export function sudokuView(boards: SudokuBoards, caption?: string): GridView {
  const { side, boxRows, boxColumns } = geometryOf(boards.question);
  const cells = sudokuCells(boards).map(sudokuLook);
  return {
    rows: side,
    columns: side,
    cells,
    block: [boxRows, boxColumns],
    ...(caption === undefined ? {} : { caption }),
  };
}

/** The legend of Sudoku drawings. */
export const sudokuLegend: readonly LegendEntry[] = [
  { cell: sudokuLook({ digit: 5, given: true, changed: false, wrong: false }), meaning: 'given' },
  { cell: sudokuLook({ digit: 5, given: false, changed: false, wrong: false }), meaning: 'answered' },
  { cell: sudokuLook({ digit: 5, given: false, changed: true, wrong: false }), meaning: 'changed in this step' },
  { cell: sudokuLook({ digit: 5, given: false, changed: false, wrong: true }), meaning: 'wrong' },
];

/** One Sudoku as a picture. */
export function drawSudoku(boards: SudokuBoards, caption?: string): Drawing {
  return drawGrid(sudokuView(boards, caption));
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

/** A maze as a grid to draw. Path cells carry a dot, wrong ones are crossed out, missed ones carry a ring, changed ones a filled corner. */
export function mazeView({ question, answer = question, before, solution }: MazeBoards, caption?: string): GridView {
  const side = Math.sqrt(question.length);
  if (!Number.isInteger(side)) throw new InputError(`maze: expected a square number of tokens, got ${question.length}`);
  const cells = Array.from({ length: question.length }, (_, i): CellView => {
    const [cell, token, right] = [question[i] ?? 0, answer[i] ?? 0, solution?.[i]];
    const wrong = right !== undefined && token !== right && answer !== question;
    const missed = wrong && right === 5;
    const corner = before !== undefined && token !== before[i];
    if (cell === 1) return { symbol: wrong ? '●' : '', fill: '#3A3A3A', ink: colour.paper, corner, crossed: wrong };
    if (cell === 3 || cell === 4)
      return {
        symbol: cell === 3 ? 'S' : 'G',
        fill: colour.given,
        ink: colour.ink,
        bold: true,
        corner,
        crossed: wrong,
      };
    if (missed) return { symbol: '○', fill: colour.error, ink: colour.wrong, corner };
    if (token === 5)
      return {
        symbol: '●',
        fill: wrong ? colour.error : colour.changed,
        ink: wrong ? colour.wrong : colour.answer,
        bold: true,
        corner,
        crossed: wrong,
      };
    return { symbol: '', fill: colour.paper, ink: colour.ink, corner, crossed: wrong };
  });
  return { rows: side, columns: side, cells, block: [side, side], ...(caption === undefined ? {} : { caption }) };
}

/** The legend of maze drawings. */
export const mazeLegend: readonly LegendEntry[] = [
  { cell: { symbol: '●', fill: colour.changed, ink: colour.answer, bold: true }, meaning: 'path' },
  {
    cell: { symbol: '●', fill: colour.error, ink: colour.wrong, bold: true, crossed: true },
    meaning: 'not on the right path',
  },
  { cell: { symbol: '○', fill: colour.error, ink: colour.wrong }, meaning: 'missed' },
  { cell: { symbol: '', fill: colour.paper, ink: colour.ink, corner: true }, meaning: 'changed in this step' },
];

/** An ARC grid, colours 0 … 9 row by row. */
export interface ArcGrid {
  readonly rows: number;
  readonly columns: number;
  readonly cells: ArrayLike<number>;
}

/** An ARC grid to draw; cells that differ from `expected`, where that is given, are crossed out, all of them if the sizes differ. */
export function arcView({ rows, columns, cells }: ArcGrid, caption?: string, expected?: ArcGrid): GridView {
  const sameSize = expected?.rows === rows && expected.columns === columns;
  return {
    rows,
    columns,
    cells: Array.from(
      cells,
      (shade, i): CellView => ({
        symbol: '',
        fill: arcPalette[shade] ?? reject(shade),
        ink: colour.ink,
        crossed: expected !== undefined && !(sameSize && expected.cells[i] === shade),
      }),
    ),
    ...(caption === undefined ? {} : { caption }),
  };
}

function reject(shade: number): never {
  throw new InputError(`ARC grid: expected colours 0 to 9, got ${shade}`);
}

/** What was thought about one puzzle. */
export interface PuzzleThoughts {
  readonly question: Board;
  readonly thoughts: readonly Thought[];
  readonly solution?: Board;
}

/** How a puzzle is drawn. */
export type PuzzleKind = 'sudoku' | 'maze';

/** The view and the legend of each kind of puzzle. */
const looks = {
  sudoku: { view: sudokuView, legend: sudokuLegend },
  maze: { view: mazeView, legend: mazeLegend },
} as const;

/** Every step of a solution as a grid: what changed and what is wrong after each, and how sure the model was. */
function thoughtViews({ question, thoughts, solution }: PuzzleThoughts, kind: PuzzleKind = 'sudoku'): GridView[] {
  return thoughts.map(({ step, prediction, haltProbability }, i) => {
    const before = thoughts[i - 1]?.prediction;
    const boards = {
      question,
      answer: prediction,
      ...(before === undefined ? {} : { before }),
      ...(solution === undefined ? {} : { solution }),
    };
    return looks[kind].view(boards, `step ${step} · sure: ${Math.round(100 * haltProbability)} %`);
  });
}

/** The same for paper: the steps after which nothing changes any more are one grid. */
function stillViews(solved: PuzzleThoughts, kind: PuzzleKind): GridView[] {
  const { thoughts } = solved;
  const views = thoughtViews(solved, kind);
  const changed = thoughts.map(
    ({ prediction }, i) => i === 0 || prediction.some((token, cell) => token !== thoughts[i - 1]?.prediction[cell]),
  );
  const settled = changed.lastIndexOf(true) + 1;
  const [from, to] = [thoughts[settled], thoughts.at(-1)];
  if (from === undefined || to === undefined || from === to) return views;
  return [
    ...views.slice(0, settled),
    looks[kind].view(
      { ...solved, answer: to.prediction },
      `steps ${from.step} to ${to.step} · sure: ${Math.round(100 * to.haltProbability)} %`,
    ),
  ];
}

/** What the thinking curve shows of them: the cells that are open are those in which the solution differs from the puzzle. */
export function thoughtPoints({ question, thoughts, solution }: Required<PuzzleThoughts>): ThoughtPoint[] {
  const open = Array.from({ length: question.length }, (_, i) => i).filter((i) => question[i] !== solution[i]);
  return thoughts.map(({ step, prediction, haltProbability }) => ({
    step,
    rightCells: open.length === 0 ? 1 : open.filter((i) => prediction[i] === solution[i]).length / open.length,
    haltProbability,
  }));
}

/** How thoughts are drawn. */
export interface ThoughtDrawing {
  readonly title?: string;
  /** Grids in a row. */
  readonly columns?: number;
  readonly kind?: PuzzleKind;
}

/** The boards after every supervision step side by side, the puzzle first; steps after which nothing changes share a board. */
export function drawThoughts(solved: PuzzleThoughts, { kind = 'sudoku', ...options }: ThoughtDrawing = {}): Drawing {
  const { view, legend } = looks[kind];
  return drawGrids([view({ question: solved.question }, 'the puzzle'), ...stillViews(solved, kind)], {
    columns: 4,
    legend,
    ...options,
  });
}

/** The puzzle and the boards after every supervision step under a slider. */
export function animateThoughts(
  solved: PuzzleThoughts,
  { kind = 'sudoku', ...options }: ThoughtDrawing = {},
): Animation {
  const { view, legend } = looks[kind];
  const puzzle = view({ question: solved.question }, 'the puzzle');
  return animateGrids([puzzle, ...thoughtViews(solved, kind)], {
    title: 'One puzzle, thought about',
    columns: 4,
    legend,
    names: ['0', ...solved.thoughts.map(({ step }) => String(step))],
    still: [puzzle, ...stillViews(solved, kind)],
    ...options,
  });
}

/** The same as a moving picture: the puzzle, and beside it the board after each supervision step, until nothing changes any more. */
export function thoughtMovie(
  solved: PuzzleThoughts,
  { kind = 'sudoku', title }: Omit<ThoughtDrawing, 'columns'> = {},
): Drawing[] {
  const { view, legend } = looks[kind];
  const puzzle = view({ question: solved.question }, 'the puzzle');
  const empty = view({ question: solved.question }, 'step 0');
  return [empty, ...stillViews(solved, kind)].map((board) =>
    drawGrids([puzzle, board], { legend, ...(title === undefined ? {} : { title }) }),
  );
}

/** Givens stand on grey in bold, answers in a thinner blue; a changed cell has a filled corner and slants; a wrong one is crossed out. */
function sudokuLook({ digit, given, changed, wrong }: SudokuCell): CellView {
  const fill = wrong ? colour.error : changed ? colour.changed : given ? colour.given : colour.paper;
  const ink = wrong ? colour.wrong : given ? colour.ink : colour.answer;
  return {
    symbol: digit === null ? '' : String(digit),
    fill,
    ink,
    bold: given,
    italic: changed,
    corner: changed,
    crossed: wrong,
  };
}

function geometryOf(board: Board): SudokuGeometry {
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
