/** How puzzles look: how each cell of a Sudoku, a maze or an ARC grid is drawn, given, answered, changed or wrong. */
import { InputError } from '../errors.js';
import {
  checkFields,
  checkValue,
  given,
  listOf,
  number,
  objectOf,
  oneOf,
  optional,
  text,
  whole,
  type Fields,
} from '../fields.js';
import { ignoredLabel } from '../data/example.js';
import { endsOfMaze } from '../data/maze.js';
import type { Thought } from '../train/think.js';
import {
  boardGeometry,
  anyBoard,
  checkSameSize,
  mazeCells,
  sudokuCells,
  type Board,
  type MazeBoards,
  type MazeCell,
  type SudokuBoards,
  type SudokuCell,
} from './cells.js';
import { animateGrids, drawGrid, drawGrids, type CellView, type GridView, type LegendEntry } from './draw/grids.js';
import type { ThoughtPoint } from './figures.js';
import type { Animation, Drawing } from './draw/plotly.js';
import { arcPalette, colour } from './draw/style.js';

/** A Sudoku as a grid to draw: alone, beside others or animated. */
export function sudokuView(boards: SudokuBoards, caption?: string): GridView {
  const cells = sudokuCells(boards).map(sudokuLook);
  const { side, boxRows, boxColumns } = boardGeometry(boards.question);
  return { rows: side, columns: side, cells, block: [boxRows, boxColumns], ...given({ caption }) };
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

/**
 * A maze as a grid to draw.
 * Path cells carry a dot, wrong ones are crossed out, missed ones carry a ring, changed ones a filled corner.
 * Throws InputError for a question without one S and one G, and for boards that differ in size.
 */
export function mazeView(boards: MazeBoards, caption?: string): GridView {
  const cells = mazeCells(boards).map(mazeLook);
  endsOfMaze(boards.question);
  const side = Math.sqrt(cells.length);
  return { rows: side, columns: side, cells, block: [side, side], ...given({ caption }) };
}

function mazeLook({ kind, path, missed, changed: corner, wrong }: MazeCell): CellView {
  const marks = { corner, crossed: wrong };
  const empty = { symbol: '', ink: colour.ink, ...marks };
  if (kind === 'wall' && wrong) return { symbol: '●', fill: '#3A3A3A', ink: colour.paper, ...marks };
  if (kind === 'wall') return { ...empty, letter: '#', fill: '#3A3A3A' };
  if (kind !== 'free') return { ...empty, symbol: kind === 'start' ? 'S' : 'G', fill: colour.given, bold: true };
  if (missed) return { symbol: '○', fill: colour.error, ink: colour.wrong, corner };
  if (!path) return { ...empty, fill: colour.paper };
  const [fill, ink] = wrong ? [colour.error, colour.wrong] : [colour.changed, colour.answer];
  return { symbol: '●', fill, ink, bold: true, ...marks };
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

/**
 * An ARC grid to draw. Cells that differ from `expected`, if given, are crossed out; if the sizes differ, all cells
 * are.
 */
export function arcView({ rows, columns, cells }: ArcGrid, caption?: string, expected?: ArcGrid): GridView {
  const sameSize = expected?.rows === rows && expected.columns === columns;
  return {
    rows,
    columns,
    cells: Array.from(
      cells,
      (shade, i): CellView => ({
        symbol: '',
        letter: String(shade),
        fill: arcPalette[shade] ?? reject(shade),
        ink: colour.ink,
        crossed: expected !== undefined && !(sameSize && expected.cells[i] === shade),
      }),
    ),
    ...given({ caption }),
  };
}

function reject(shade: number): never {
  throw new InputError(`ARC grid: expected colours 0 to 9, got ${shade}`);
}

/** A puzzle and the model's thoughts about it. */
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

const movieFields: Fields<Omit<ThoughtDrawing, 'columns'>> = {
  title: optional(text),
  kind: optional(oneOf(...Object.keys(looks))),
};
const drawingFields: Fields<ThoughtDrawing> = { ...movieFields, columns: optional(whole(1)) };

const anyThoughts = objectOf({
  question: anyBoard,
  solution: optional(anyBoard),
  thoughts: listOf(objectOf({ step: whole(0), prediction: anyBoard, haltProbability: number })),
});

/** Checks how thoughts are to be drawn. Throws InputError for unknown options, and if there are no thoughts. */
function checkDrawing(solved: PuzzleThoughts, options: ThoughtDrawing, fields: Fields): ThoughtDrawing {
  checkValue('thoughts of thinkAbout', solved, anyThoughts);
  return checkFields<ThoughtDrawing>('drawing', options, fields as Fields<ThoughtDrawing>);
}

/** Every step of a solution as a grid: what changed and what is wrong after each, and how sure the model was. */
function thoughtViews({ question, thoughts, solution }: PuzzleThoughts, kind: PuzzleKind = 'sudoku'): GridView[] {
  return thoughts.map(({ step, prediction, haltProbability }, i) => {
    const boards = { question, answer: prediction, ...given({ before: thoughts[i - 1]?.prediction, solution }) };
    return looks[kind].view(boards, `step ${step} · sure: ${Math.round(100 * haltProbability)} %`);
  });
}

/** The same for paper, with one grid for all steps after the last change. */
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

/**
 * The points of the thinking curve. Its open cells are those whose solution differs from the puzzle, except unscored
 * ones, such as those outside an ARC grid. Throws InputError for boards that differ in size.
 */
export function thoughtPoints(solved: Required<PuzzleThoughts>): ThoughtPoint[] {
  checkValue('thoughts of thinkAbout', solved, anyThoughts);
  const { question, thoughts, solution } = solved;
  for (const { prediction } of thoughts) checkSameSize(question, { solution, prediction });
  const open = Array.from({ length: question.length }, (_, i) => i).filter(
    (i) => question[i] !== solution[i] && solution[i] !== ignoredLabel,
  );
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

/** Boards in a row: all in one row or full rows if possible, else no single board in the last row. */
function inRowOf({ length }: readonly GridView[]): number {
  const few = [4, 5, 3];
  const full = few.find((columns) => length <= columns || length % columns === 0);
  return full ?? few.find((columns) => length % columns !== 1) ?? 4;
}

/** The most boards that are readable side by side, and how many to select from more. */
const readable = { all: 8, some: 6 } as const;

/**
 * What paper shows instead of a slider: the puzzle and all steps. If these are too many: the first step, the one that
 * settles the answer, and those between with the most changes.
 */
function paperViews(solved: PuzzleThoughts, kind: PuzzleKind): GridView[] {
  const all = [looks[kind].view({ question: solved.question }, 'the puzzle'), ...stillViews(solved, kind)];
  if (all.length <= readable.all) return all;
  const views = thoughtViews(solved, kind);
  const changed = views.map(({ cells }) => cells.filter(({ corner }) => corner).length);
  const settled = changed.map((count) => count > 0).lastIndexOf(true);
  for (const always of [0, settled]) changed[always] = views[0]!.cells.length + 1;
  const telling = [...views.keys()].sort((a, b) => changed[b]! - changed[a]!).slice(0, readable.some);
  return telling.sort((a, b) => a - b).map((i) => views[i]!);
}

/**
 * The boards after every supervision step side by side, the puzzle first. All steps after the last change share a
 * board.
 */
export function drawThoughts(solved: PuzzleThoughts, options: ThoughtDrawing = {}): Drawing {
  const { kind = 'sudoku', ...others } = checkDrawing(solved, options, drawingFields);
  const { view, legend } = looks[kind];
  const grids = [view({ question: solved.question }, 'the puzzle'), ...stillViews(solved, kind)];
  return drawGrids(grids, { columns: inRowOf(grids), legend, ...others });
}

/** The puzzle and the boards after every supervision step, under a slider; on paper, no more than are readable. */
export function animateThoughts(solved: PuzzleThoughts, options: ThoughtDrawing = {}): Animation {
  const { kind = 'sudoku', ...others } = checkDrawing(solved, options, drawingFields);
  const { view, legend } = looks[kind];
  const puzzle = view({ question: solved.question }, 'the puzzle');
  const still = paperViews(solved, kind);
  return animateGrids([puzzle, ...thoughtViews(solved, kind)], {
    title: 'One puzzle, step by step',
    columns: inRowOf(still),
    legend,
    names: ['0', ...solved.thoughts.map(({ step }) => String(step))],
    still,
    ...others,
  });
}

/** The same as a movie: the puzzle, and next to it the board after each supervision step, until the last change. */
export function thoughtMovie(solved: PuzzleThoughts, options: Omit<ThoughtDrawing, 'columns'> = {}): Drawing[] {
  const { kind = 'sudoku', title } = checkDrawing(solved, options, movieFields);
  const { view, legend } = looks[kind];
  const puzzle = view({ question: solved.question }, 'the puzzle');
  const empty = view({ question: solved.question }, 'step 0');
  const boards = [empty, ...stillViews(solved, kind)];
  return boards.map((board) => drawGrids([puzzle, board], { legend, among: boards, ...given({ title }) }));
}

/**
 * Givens are bold on grey, answers thinner and blue. A changed cell has a filled corner and italics; a wrong one is
 * crossed out.
 */
function sudokuLook({ digit, given: isGiven, changed, wrong }: SudokuCell): CellView {
  const fill = wrong ? colour.error : changed ? colour.changed : isGiven ? colour.given : colour.paper;
  const ink = wrong ? colour.wrong : isGiven ? colour.ink : colour.answer;
  const marks = { bold: isGiven, italic: changed, corner: changed, crossed: wrong };
  return { symbol: digit === null ? '' : String(digit), fill, ink, ...marks };
}
