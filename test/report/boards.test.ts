/** Boards: exactly the right cells are marked, and the marks do not rest on colour. */
import assert from 'node:assert/strict';
import path from 'node:path';
import sharp from 'sharp';
import { InputError } from '../../lib/errors.js';
import { projectRoot } from '../../lib/files.js';
import {
  animateThoughts,
  arcView,
  drawSudoku,
  drawThoughts,
  mazeView,
  sudokuLegend,
  sudokuView,
  thoughtMovie,
  thoughtPoints,
} from '../../lib/report/boards.js';
import { sudokuCells } from '../../lib/report/cells.js';
import { drawGrid, drawGrids } from '../../lib/report/draw/grids.js';
import { saveMovie } from '../../lib/report/draw/plotly.js';

/** '.' is an empty cell, digits are digits. */
const board = (text: string): Int32Array =>
  Int32Array.from(text.replace(/\s/g, ''), (cell) => (cell === '.' ? 1 : Number(cell) + 1));
const where = <Cell extends object>(cells: readonly Cell[], mark: keyof Cell): number[] =>
  cells.flatMap((cell, i) => (cell[mark] === true ? [i] : []));

const question = board('1... ..3. .4.. ...2');
const solution = board('1324 4231 2413 3142');

describe('Sudoku boards', () => {
  it('a question shows its givens and nothing else', () => {
    const cells = sudokuCells({ question });
    assert.deepEqual(
      cells.map(({ digit }) => digit),
      [1, null, null, null, null, null, 3, null, null, 4, null, null, null, null, null, 2],
    );
    assert.deepEqual(where(cells, 'given'), [0, 6, 9, 15]);
    assert.deepEqual([...where(cells, 'changed'), ...where(cells, 'wrong')], []);
  });

  it('an answer is wrong where it differs from the solution, a lost given included', () => {
    const cells = sudokuCells({ question, answer: board('1224 4231 2143 3142'), solution });
    assert.deepEqual(where(cells, 'wrong'), [1, 9, 10]); // cell 9 holds a given
    assert.deepEqual(where(cells, 'given'), [0, 6, 9, 15]);
  });

  it('cells are changed where the step before said something else', () => {
    const cells = sudokuCells({ question, answer: solution, before: board('1324 4231 2143 3142'), solution });
    assert.deepEqual(where(cells, 'changed'), [9, 10]);
    assert.deepEqual(where(cells, 'wrong'), []);
  });

  it('an empty cell in an answer is wrong; in a question it is not', () => {
    assert.deepEqual(where(sudokuCells({ question, answer: board('132. 4231 2413 3142'), solution }), 'wrong'), [3]);
    assert.deepEqual(where(sudokuCells({ question, solution }), 'wrong'), []);
  });

  it('without a solution, cells that break a rule are wrong: row, column, box', () => {
    assert.deepEqual(where(sudokuCells({ question: board('1..1 .... .... ....') }), 'wrong'), [0, 3]);
    assert.deepEqual(where(sudokuCells({ question: board('1... .... 1... ....') }), 'wrong'), [0, 8]);
    assert.deepEqual(where(sudokuCells({ question: board('1... .1.. .... ....') }), 'wrong'), [0, 5]);
    assert.deepEqual(where(sudokuCells({ question: board('1... ..1. .... ....') }), 'wrong'), []);
  });

  it('boxes of 6×6 boards are two rows high and three columns wide', () => {
    const at = (row: number, column: number): Int32Array => {
      const cells = board('.'.repeat(36));
      cells[0] = 2;
      cells[row * 6 + column] = 2;
      return cells;
    };
    assert.deepEqual(where(sudokuCells({ question: at(1, 2) }), 'wrong'), [0, 8]);
    assert.deepEqual(where(sudokuCells({ question: at(2, 1) }), 'wrong'), []);
    assert.deepEqual(sudokuView({ question: at(1, 2) }).block, [2, 3]);
  });

  it('given, answered, changed and wrong are told apart without colour', () => {
    const looks = sudokuLegend.map(({ cell: { bold, corner, crossed } }) =>
      [bold, corner, crossed].map(Boolean).join(),
    );
    assert.equal(new Set(looks).size, 4);
    const svg = drawSudoku({
      question,
      answer: board('1224 4231 2413 3142'),
      before: board('1324 4231 2413 3142'),
      solution,
    }).svg;
    assert.equal(svg.match(/font-weight="bold"/g)?.length, 4); // four givens
    assert.equal(svg.match(/<path /g)?.length, 1); // one changed corner
    assert.equal(svg.match(/font-style="italic"/g)?.length, 1);
  });

  it('the text of a drawing is the board, wrong cells with an exclamation mark', () => {
    assert.equal(
      drawSudoku({ question, answer: board('1224 4231 2413 3142'), solution }, 'after step 1').text,
      'after step 1\n1 2!2 4\n4 2 3 1\n2 4 1 3\n3 1 4 2',
    );
  });

  it('boards of another size, and boards that differ in size, are refused', () => {
    assert.throws(
      () => sudokuCells({ question: new Int32Array(25) }),
      new InputError('Sudoku: expected 16, 36 or 81 tokens, got 25'),
    );
    assert.throws(
      () => sudokuCells({ question, answer: new Int32Array(36) }),
      new InputError('answer: expected 16 tokens like the question, got 36'),
    );
  });
});

describe('thoughts about a Sudoku', () => {
  const thoughts = [
    { step: 1, prediction: board('1224 4231 2413 3142'), haltProbability: 0.02 },
    { step: 2, prediction: solution, haltProbability: 0.97 },
  ];

  it('side by side: the puzzle, then each step with how sure the model was', () => {
    const { text } = drawThoughts({ question, thoughts, solution });
    assert.deepEqual(text.match(/the puzzle|step.*/g), ['the puzzle', 'step 1 · sure: 2 %', 'step 2 · sure: 97 %']);
  });

  it('as a curve: the share of open cells that are right, givens left out', () => {
    assert.deepEqual(thoughtPoints({ question, thoughts, solution }), [
      { step: 1, rightCells: 11 / 12, haltProbability: 0.02 },
      { step: 2, rightCells: 1, haltProbability: 0.97 },
    ]);
  });

  it('as a curve: a cell that nobody scores is not open, and boards of two sizes are refused', () => {
    const scored = solution.map((token, i) => (i < 2 ? token : -100)); // one given, one open
    const [first, last] = thoughtPoints({ question, thoughts, solution: scored });
    assert.deepEqual([first?.rightCells, last?.rightCells], [0, 1]);
    assert.throws(
      () => thoughtPoints({ question, thoughts, solution: solution.slice(1) }),
      new InputError('solution: expected 16 tokens like the question, got 15'),
    );
  });

  it('options that there are not are refused', () => {
    for (const draw of [drawThoughts, animateThoughts, thoughtMovie])
      assert.throws(
        () => draw({ question, thoughts, solution }, { titel: 'x' } as object),
        /^InputError: drawing: unknown field titel/,
      );
  });

  it('on paper, the steps after which nothing changes share a board', () => {
    const more = [
      ...thoughts,
      { step: 3, prediction: solution, haltProbability: 0.98 },
      { step: 4, prediction: solution, haltProbability: 0.99 },
    ];
    const captions = (steps: typeof thoughts): unknown =>
      drawThoughts({ question, thoughts: steps, solution }).text.match(/step.*/g);
    assert.deepEqual(captions(more), ['step 1 · sure: 2 %', 'step 2 · sure: 97 %', 'steps 3 to 4 · sure: 99 %']);
    assert.deepEqual(captions(more.slice(0, 3)), ['step 1 · sure: 2 %', 'step 2 · sure: 97 %', 'step 3 · sure: 98 %']);
    // never changed: settled after the first
    assert.deepEqual(captions(more.slice(1)), ['step 2 · sure: 97 %', 'steps 3 to 4 · sure: 99 %']);
  });

  it('within a notebook’s page, and no board in the last row alone', () => {
    for (const side of [4, 6, 9]) {
      for (let steps = 1; steps <= 16; steps++) {
        const cells = side * side;
        const thought = (step: number): (typeof thoughts)[number] => ({
          step,
          prediction: new Int32Array(cells).fill(2 + (Math.min(step, steps) % 2)), // changes, then no more
          haltProbability: 0.99,
        });
        const { svg, width } = drawThoughts({
          question: new Int32Array(cells).fill(1),
          thoughts: Array.from({ length: 16 }, (_, i) => thought(i + 1)),
        });
        assert.ok(width <= 848, `${side}×${side}, ${steps} steps: ${width} pixels wide`); // JupyterLab's at 1280
        const rows = [...svg.matchAll(/<svg x="([\d.]+)" y="([\d.]+)"/g)].map(([, , y]) => Number(y)).slice(0, -1);
        const inLast = rows.filter((y) => y === Math.max(...rows)).length;
        assert.ok(inLast > 1 || rows.length === 1, `${steps} steps: ${inLast} in the last row of ${rows.length}`);
      }
    }
  });

  it('on paper, of too many steps the first, the one that ends it, and between them where most cells change', () => {
    // Step i changes as many cells as the list says, from 2 to 3 or back; the last two change nothing.
    const changes = [0, 3, 1, 5, 2, 4, 1, 6, 1, 2, 0, 0];
    let digits = new Array<number>(16).fill(2);
    const long = changes.map((count, i) => {
      digits = digits.map((digit, cell) => (cell < count ? 5 - digit : digit));
      return { step: i + 1, prediction: board(digits.join('')), haltProbability: 0 };
    });
    const { still, figure } = animateThoughts({ question, thoughts: long });
    const shown = [...still.text.matchAll(/step (\d+)|the puzzle/g)].map(([, step]) => Number(step));
    assert.deepEqual(shown, [1, 2, 4, 6, 8, 10]);
    assert.equal(figure.frames?.length, 1 + changes.length);
    assert.equal(new Set([...still.svg.matchAll(/<svg x="[\d.]+" y="([\d.]+)"/g)].map(([, y]) => y)).size, 3); // 2 × 3
  });

  it('the legend names what occurs and nothing else, and that of a moving picture does not change', () => {
    const meanings = ({ svg }: { readonly svg: string }): string[] =>
      sudokuLegend.map(({ meaning }) => meaning).filter((meaning) => svg.includes(`>${meaning}<`));
    const drawn = (view: Parameters<typeof sudokuView>[0]): string[] =>
      meanings(drawGrids([sudokuView(view)], { legend: sudokuLegend }));
    assert.deepEqual(drawn({ question }), ['given']);
    assert.deepEqual(drawn({ question, answer: solution }), ['given', 'answered']);
    assert.deepEqual(drawn({ question, answer: board('1224 4231 2413 3142'), solution }), [
      'given',
      'answered',
      'wrong',
    ]);
    const all = sudokuLegend.map(({ meaning }) => meaning);
    assert.deepEqual(thoughtMovie({ question, thoughts, solution }).map(meanings), [all, all, all]);
  });

  it('under a slider: the puzzle, then a frame a step; the puzzle is shown at first', () => {
    const { figure, still } = animateThoughts({ question, thoughts, solution });
    assert.deepEqual(
      figure.frames?.map(({ name }) => name),
      ['0', '1', '2'],
    );
    const [heat, corners, crosses, words, caption] = figure.frames?.[1]?.data ?? [];
    assert.equal(heat?.z?.length, 4);
    assert.equal(words?.text?.join(' '), '<b>1</b> 2 2 4 4 2 <b>3</b> 1 2 <b>4</b> 1 3 3 1 4 <b>2</b>');
    assert.deepEqual([corners?.x, crosses?.x, crosses?.y], [[], [1.5], [0.5]]);
    assert.deepEqual(caption?.text, ['step 1 · sure: 2 %']);
    const last = figure.frames?.[2]?.data;
    assert.deepEqual([last?.[3]?.text?.[1], last?.[2]?.x], ['<i>3</i>', []]);
    assert.deepEqual(
      figure.data[3]?.text?.filter((symbol) => symbol !== ''),
      ['<b>1</b>', '<b>3</b>', '<b>4</b>', '<b>2</b>'],
    );
    assert.equal(still.text, `One puzzle, step by step\n\n${drawThoughts({ question, thoughts, solution }).text}`);
  });

  it('as a moving picture: the puzzle beside every board, all of one size once they are saved', async () => {
    const movie = thoughtMovie({ question, thoughts, solution });
    assert.deepEqual(
      movie.map(({ text }) => text.match(/the puzzle|step.*/g)),
      [0, 1, 2].map((step) => ['the puzzle', ['step 0', 'step 1 · sure: 2 %', 'step 2 · sure: 97 %'][step]]),
    );
    const before = process.env['TRM_SMOKE'];
    process.env['TRM_SMOKE'] = '1'; // into build/figures
    try {
      const file = path.join(projectRoot(), await saveMovie('a-movie', movie, 0.5));
      const { pages, delay, width } = await sharp(file).metadata();
      assert.deepEqual(
        [pages, delay, width],
        [3, [500, 500, 1500], Math.round(1.5 * Math.max(...movie.map((drawing) => drawing.width)))],
      );
    } finally {
      if (before === undefined) delete process.env['TRM_SMOKE'];
      else process.env['TRM_SMOKE'] = before;
    }
  });
});

describe('mazes and ARC grids', () => {
  // S . #      the path goes down and right
  // . # .
  // . . G
  const maze = Int32Array.of(3, 2, 1, 2, 1, 2, 2, 2, 4);
  const path = Int32Array.of(3, 2, 1, 5, 1, 2, 5, 5, 4);

  it('a right path is dotted and nothing is crossed out', () => {
    const { cells } = mazeView({ question: maze, answer: path, solution: path });
    assert.equal(cells.map(({ symbol }) => symbol || '_').join(''), 'S__●__●●G');
    assert.deepEqual(where(cells, 'crossed'), []);
  });

  it('without pictures a wall is a #, and a colour its number', () => {
    const drawn = drawGrids([mazeView({ question: maze, answer: path, solution: path })]).text;
    assert.equal(drawn, 'S · #\n● # ·\n● ● G');
    const grid = { rows: 1, columns: 3, cells: Uint8Array.of(0, 7, 2) };
    const expected = { ...grid, cells: Uint8Array.of(0, 7, 3) };
    assert.equal(drawGrids([arcView(grid, undefined, expected)]).text, '0 7 2!');
  });

  it('path cells off the right path are crossed out, missed ones carry a ring', () => {
    const answer = Int32Array.of(3, 5, 1, 5, 1, 2, 5, 2, 4);
    const { cells } = mazeView({ question: maze, answer, solution: path });
    assert.equal(cells.map(({ symbol }) => symbol || '_').join(''), 'S●_●__●○G');
    assert.deepEqual(where(cells, 'crossed'), [1]);
    assert.deepEqual(where(mazeView({ question: maze, answer, before: maze }).cells, 'corner'), [1, 3, 6]);
  });

  it('puzzles of another kind, or without thoughts, are refused', () => {
    assert.throws(() => mazeView({ question: board('12.. .... ..3. .4.2') }), /^InputError: maze: expected one S, got/);
    const puzzle = { question: maze, thoughts: [] };
    assert.throws(
      () => drawThoughts(puzzle, { kind: 'mazes' as never }),
      /kind: expected sudoku or maze, or nothing, got "mazes"/,
    );
    assert.throws(
      () => drawThoughts({ question: maze } as never, { kind: 'maze' }),
      /thoughts of thinkAbout: expected an object with thoughts: a list/,
    );
    assert.throws(
      () => drawThoughts({ question: new Int32Array(16).fill(1), thoughts: [] }, { kind: 'maze' }),
      /maze: expected one S/,
    );
  });

  it('thoughts about a maze are drawn like those about a Sudoku, its path cells counted', () => {
    const thoughts = [Int32Array.of(3, 5, 1, 5, 1, 2, 5, 2, 4), path].map((prediction, i) => ({
      step: i + 1,
      prediction,
      haltProbability: 0.5,
    }));
    assert.equal(
      drawThoughts({ question: maze, thoughts, solution: path }, { kind: 'maze' }).text.split('\n\n')[1],
      'step 1 · sure: 50 %\nS ●!#\n● # ·\n● ○ G',
    );
    assert.deepEqual(
      thoughtPoints({ question: maze, thoughts, solution: path }).map(({ rightCells }) => rightCells),
      [2 / 3, 1],
    );
  });

  it('ARC colours 0 … 9 are those of its website; others are refused; wrong cells are crossed out', () => {
    const row = (...cells: number[]): { rows: number; columns: number; cells: number[] } => ({
      rows: 1,
      columns: cells.length,
      cells,
    });
    assert.deepEqual(
      arcView({ rows: 2, columns: 2, cells: [0, 1, 8, 9] }).cells.map(({ fill }) => fill),
      ['#000000', '#0074D9', '#7FDBFF', '#870C25'],
    );
    assert.throws(() => arcView(row(10)), new InputError('ARC grid: expected colours 0 to 9, got 10'));
    assert.deepEqual(where(arcView(row(0, 1), undefined, row(0, 2)).cells, 'crossed'), [1]);
    assert.deepEqual(where(arcView(row(0, 1), undefined, row(0, 1, 1)).cells, 'crossed'), [0, 1]);
  });
});

describe('grids', () => {
  const grid = {
    rows: 1,
    columns: 2,
    cells: [
      { symbol: 'A', fill: '#ffffff', ink: '#000000' },
      { symbol: '<', fill: '#ffffff', ink: '#000000' },
    ],
  };

  it('a drawing is as large as its cells and margins', () => {
    const { width, height, svg } = drawGrid(grid, 20);
    assert.deepEqual([width, height], [52, 32]);
    assert.ok(svg.includes('>&lt;</text>'));
  });

  it('no grids, and columns and cells that there cannot be, are refused', async () => {
    assert.throws(() => drawGrids([]), /grids: expected a list of at least 1, got/);
    for (const bad of [{ columns: 0 }, { columns: NaN }, { cellSize: 2.5 }, { cellSize: -1 }])
      assert.throws(() => drawGrids([grid], bad), /expected a whole number from 1/);
    assert.throws(() => drawGrids([{ ...grid, rows: 2 }]), /grids: expected 2 × 2 cells of a grid, got 2/);
    assert.throws(() => drawGrids([{ ...grid, rows: NaN }]), /grids: expected in place 0 an object with rows/);
    assert.throws(() => drawGrids([grid], { colums: 2 } as object), /unknown field colums \(did you mean columns/);
    await assert.rejects(saveMovie('x', [drawGrid(grid)]), /movie: expected a list of at least 2, got/);
    await assert.rejects(saveMovie('x', [drawGrid(grid), drawGrid(grid)], NaN), /seconds: expected a number from/);
  });

  it('drawings wrap into rows', () => {
    assert.equal(drawGrids([grid, grid, grid], { columns: 2, cellSize: 20 }).height, 2 * 32 + 14);
  });
});
