/** The puzzles of the page: the catalogue's types, reading a puzzle from text, and the look of each cell. */
import { mazeAnswer, mazeToken, parseMaze } from '../data/maze.js';
import { readBoard } from '../data/board-text.js';
import { sudokuGeometry, tokensOfBoard, boardOfTokens, findClash } from '../data/sudoku.js';
import { solveSudoku } from '../data/sudoku-solver.js';
import { InputError } from '../errors.js';
import { mazeCells, sudokuCells, type MazeCell, type SudokuCell } from '../report/cells.js';

/** One kind of puzzle and its model, as scripts/site/page.mjs writes it. */
export interface Kind {
  readonly name: string;
  readonly puzzle: 'sudoku' | 'maze';
  readonly side: number;
  /** Address of the weights, relative to the page. */
  readonly model: string;
  /** Cycles it was trained for. */
  readonly cycles: number;
  readonly parameters: number;
  readonly trained: { readonly puzzles: number; readonly source: string; readonly steps: number };
  /** The run that trained it. */
  readonly run: string;
  /** From the run's record: puzzles scored and share solved; null if the record is not shipped. */
  readonly tested: { readonly puzzles: number; readonly solved: number } | null;
  /** Least rating of each level of difficulty. */
  readonly levels: readonly number[];
  readonly puzzles: readonly { readonly level: number; readonly question: string }[];
}

/** A puzzle on the board. */
export interface ShownPuzzle {
  /** Token ids, [L]. */
  readonly question: Int32Array;
  /** Absent if a board of the reader's has no unique solution. */
  readonly solution?: Int32Array;
}

/** One cell as it is shown. */
export interface CellLook {
  readonly text: string;
  readonly classes: readonly string[];
  /** What a screen reader says after row and column. */
  readonly label: string;
}

export interface BoardLook {
  readonly kind: 'sudoku' | 'maze';
  readonly side: number;
  /** Rows and columns of a block with a heavy line around it. */
  readonly block: readonly [number, number];
  readonly cells: readonly CellLook[];
}

/** Reads a Sudoku as people write them, or a maze of '#', ' ' or '.', 'S' and 'G'. Throws InputError. */
export function readPuzzle({ puzzle, side }: Kind, text: string): ShownPuzzle {
  if (puzzle === 'sudoku') {
    const board = readBoard(text);
    const size = Math.sqrt(board.length);
    if (size !== side)
      throw new InputError(
        `This board is ${size}×${size}, but the selected model is for ${side}×${side}; change the kind.`,
      );
    return judged(Int32Array.from(tokensOfBoard(board)), puzzle);
  }
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line !== '');
  const odd = lines.length === 1 ? -1 : lines.findIndex((line) => line.length !== side);
  if (odd >= 0) throw new InputError(`maze: expected ${side} characters in row ${odd + 1}, got ${lines[odd]!.length}`);
  const rows = lines.join('').replaceAll('.', ' ');
  if (rows.length !== side ** 2)
    throw new InputError(`maze: expected ${side} rows of ${side} characters, got ${rows.length} characters in all`);
  const question = Int32Array.from(parseMaze(rows));
  if (question.includes(mazeToken.path))
    throw new InputError("maze: expected a question without a path, got one with 'o'");
  return judged(question, puzzle);
}

/** The puzzle, with its solution if that is unique. Throws InputError if it is seen to have none. */
export function judged(question: Int32Array, puzzle: Kind['puzzle']): ShownPuzzle {
  if (puzzle === 'maze') return { question, solution: Int32Array.from(mazeAnswer(Uint8Array.from(question))) };
  const board = boardOfTokens(question);
  const geometry = sudokuGeometry(Math.sqrt(board.length));
  const clash = findClash(board, geometry);
  if (clash !== undefined) throw new InputError(`This board breaks a rule: ${clash}.`);
  // So few givens never leave one solution alone, and to find that there is none may take long.
  if (board.filter((digit) => digit > 0).length < geometry.side) return { question };
  const { solutions, solution } = solveSudoku(board, geometry);
  if (solution === undefined) throw new InputError('This board has no solution; change a given.');
  return solutions === 1 ? { question, solution: Int32Array.from(tokensOfBoard(solution)) } : { question };
}

/** A board without givens, or a maze with nothing but a start and a goal. */
export function emptyPuzzle({ puzzle, side }: Kind): Int32Array {
  const tokens = new Int32Array(side ** 2).fill(puzzle === 'maze' ? mazeToken.free : 1);
  if (puzzle === 'maze') {
    tokens[0] = mazeToken.start;
    tokens[tokens.length - 1] = mazeToken.goal;
  }
  return tokens;
}

/** The inks of a kind: for each, its key, its token, and the words on its button. */
export function inks({
  puzzle,
  side,
}: Kind): { readonly key: string; readonly token: number; readonly name: string }[] {
  if (puzzle === 'maze')
    return [
      { key: '#', token: mazeToken.wall, name: 'wall' },
      { key: ' ', token: mazeToken.free, name: 'free' },
      { key: 's', token: mazeToken.start, name: 'S' },
      { key: 'g', token: mazeToken.goal, name: 'G' },
    ];
  const digits = Array.from({ length: side }, (_, i) => ({ key: `${i + 1}`, token: i + 2, name: `${i + 1}` }));
  return [...digits, { key: ' ', token: 1, name: 'blank' }];
}

/** The look of the board with an answer, and with the changes from the answer before. */
export function lookOf(
  { puzzle, side }: Kind,
  boards: ShownPuzzle & { readonly answer?: Int32Array; readonly before?: Int32Array },
): BoardLook {
  if (puzzle === 'maze') return { kind: puzzle, side, block: [side, side], cells: mazeCells(boards).map(mazeLook) };
  const { boxRows, boxColumns } = sudokuGeometry(side);
  return { kind: puzzle, side, block: [boxRows, boxColumns], cells: sudokuCells(boards).map(sudokuLook) };
}

function sudokuLook({ digit, given, changed, wrong }: SudokuCell): CellLook {
  const words = [given ? 'given' : '', wrong ? 'wrong' : '', changed ? 'changed' : ''].filter((word) => word !== '');
  return {
    text: digit === null ? '' : String(digit),
    classes: [...words, ...(wrong ? ['crossed'] : [])],
    label: [digit === null ? 'blank' : String(digit), ...words].join(', '),
  };
}

function mazeLook({ kind, path, missed, changed, wrong }: MazeCell): CellLook {
  const end = kind === 'start' || kind === 'goal';
  const onWay = kind === 'free' && path;
  return {
    text: kind === 'start' ? 'S' : kind === 'goal' ? 'G' : missed && kind === 'free' ? '○' : onWay ? '●' : '',
    classes: [
      ...(kind === 'wall' ? ['wall'] : []),
      ...(end ? ['given'] : []),
      ...(onWay ? ['path'] : []),
      ...(changed ? ['changed'] : []),
      ...(wrong ? ['wrong'] : []),
      ...(wrong && !missed ? ['crossed'] : []),
    ],
    label: [
      end ? kind : kind === 'wall' ? 'wall' : onWay ? 'path' : 'free',
      ...(missed ? ['missed'] : wrong ? ['wrong'] : []),
      ...(changed ? ['changed'] : []),
    ].join(', '),
  };
}

/** The marks and what they mean. */
export function legendOf(puzzle: Kind['puzzle']): readonly (readonly [CellLook, string])[] {
  const cell = { digit: 5, given: false, changed: false, wrong: false };
  const way = { kind: 'free', path: true, missed: false, changed: false, wrong: false } as const;
  if (puzzle === 'maze')
    return [
      [mazeLook(way), 'path'],
      [mazeLook({ ...way, wrong: true }), 'not on the right path'],
      [mazeLook({ ...way, path: false, missed: true, wrong: true }), 'missed'],
      [mazeLook({ ...way, path: false, changed: true }), 'changed in this cycle'],
    ];
  return [
    [sudokuLook({ ...cell, given: true }), 'given'],
    [sudokuLook(cell), 'answered, right so far'],
    [sudokuLook({ ...cell, changed: true }), 'changed in this cycle'],
    [sudokuLook({ ...cell, wrong: true }), 'wrong'],
  ];
}
