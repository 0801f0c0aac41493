/** Sudoku data against brute force, published counts, the reference's shuffle and the board's symmetries. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { exampleOf } from '../../lib/data/dataset.js';
import { augmentSudoku, drawSudokuRelabelling, relabel, sudokuRelabelling } from '../../lib/data/relabelling.js';
import { canonicalBoard, canonicalSolution, puzzleClass } from '../../lib/data/sudoku-canonical.js';
import { completed, loadSudokuFile, readSudokuFile, sudokuFileBytes } from '../../lib/data/sudoku-file.js';
import { generateSudoku, publicDomainFile, sudokuDataset, type SudokuSetOptions } from '../../lib/data/sudoku-sets.js';
import { onlySolution, solveSudoku } from '../../lib/data/sudoku-solver.js';
import {
  boardOfTokens,
  boardText,
  drawSymmetry,
  findClash,
  parseBoard,
  sudokuGeometry,
  type SudokuGeometry,
  tokensOfBoard,
} from '../../lib/data/sudoku.js';
import { dataFile, projectRoot } from '../../lib/files.js';
import { Random } from '../../lib/random.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

const sides = [4, 6, 9] as const;
const base: SudokuSetOptions = {
  side: 6,
  source: 'generated',
  trainPuzzles: 60,
  testPuzzles: 60,
  validationPuzzles: 20,
  augmentations: 1000,
  minDifficulty: 0,
  seed: 0,
};

/** A random full board. */
function solvedBoard(geometry: SudokuGeometry, random: Random): Uint8Array {
  const cells = new Uint8Array(geometry.side ** 2);
  return solveSudoku(cells, geometry, { limit: 1, random }).solution ?? assert.fail('an empty board has a solution');
}

/** The board in another orientation and labelling. */
function disguised(board: Uint8Array, geometry: SudokuGeometry, random: Random): Uint8Array {
  return boardOfTokens(relabel(tokensOfBoard(board), drawSudokuRelabelling(geometry, random)));
}

describe('Sudoku solver', () => {
  it('counts the 288 grids of 4×4', () => {
    assert.equal(solveSudoku(new Uint8Array(16), sudokuGeometry(4), { limit: 1e6 }).solutions, 288);
  });

  it('agrees with trying every filling of 4×4 boards', () => {
    const geometry = sudokuGeometry(4);
    const random = new Random(1);
    for (let i = 0; i < 20; i++) {
      const { solution } = solveSudoku(new Uint8Array(16), geometry, { limit: 1, random });
      const board = solution!.map((digit) => (random.bernoulli(0.4) ? digit : 0));
      const count = (cell: number): number => {
        if (cell === 16) return 1;
        if (board[cell] !== 0) return count(cell + 1);
        let sum = 0;
        for (let digit = 1; digit <= 4; digit++) {
          board[cell] = digit;
          if (findClash(board, geometry) === undefined) sum += count(cell + 1);
        }
        board[cell] = 0;
        return sum;
      };
      assert.equal(solveSudoku(board, geometry, { limit: 1e6 }).solutions, count(0));
    }
  });

  it('solves real puzzles to the answers their file gives', async () => {
    for (const { question, answer } of await loadSudokuFile(dataFile(publicDomainFile), { limit: 100 })) {
      assert.equal(boardText(onlySolution(question, sudokuGeometry(9))), boardText(answer));
    }
  });

  it('names what is wrong with a board', () => {
    const geometry = sudokuGeometry(4);
    assert.throws(() => onlySolution(parseBoard('11..............'), geometry), /1 appears twice in row 1/);
    assert.throws(
      () => onlySolution(parseBoard('123...4.........'), geometry),
      /exactly one solution, got (none|several)/,
    );
    assert.throws(() => onlySolution(parseBoard('123....4........'), geometry), /exactly one solution, got none/);
    assert.throws(() => onlySolution(new Uint8Array(16), geometry), /got several/);
    assert.throws(() => parseBoard('1'.repeat(80)), /expected 16, 36 or 81 characters, got 80/);
    assert.throws(() => parseBoard('123z'.repeat(4)), /got "z" at row 1, column 4/);
    assert.throws(() => parseBoard('5'.repeat(16)), /expected digits 1 to 4/);
  });
});

describe('Sudoku symmetries', () => {
  it("are the reference's, draw for draw (golden-data.json)", () => {
    const golden = (
      JSON.parse(readFileSync(path.join(projectRoot(), 'test', 'reference', 'golden-data.json'), 'utf8')) as {
        sudoku_shuffle_seed1: {
          board_out: number[];
          sol_out: number[];
          draws: { digit_map: number[]; transpose: boolean; row_perm: number[]; col_perm: number[] };
        };
      }
    ).sudoku_shuffle_seed1;
    const { digit_map, transpose, row_perm, col_perm } = golden.draws;
    const form = sudokuRelabelling({
      transpose,
      rows: Int32Array.from(row_perm),
      columns: Int32Array.from(col_perm),
      digits: Uint8Array.from(digit_map),
    });
    const moved = (board: Uint8Array): number[] => [...boardOfTokens(relabel(tokensOfBoard(board), form))];
    const cells = Uint8Array.from({ length: 81 }, (_, cell) => cell);
    assert.deepEqual(moved(cells.map((cell) => cell % 10)), golden.board_out);
    assert.deepEqual(moved(cells.map((cell) => (cell % 9) + 1)), golden.sol_out);
  });

  for (const side of sides) {
    it(`keep ${side}×${side} puzzles legal and their answers right; only square boxes are transposed`, () => {
      const geometry = sudokuGeometry(side);
      const { question, answer } = generateSudoku(geometry, new Random(side));
      const random = new Random(9);
      let transposed = 0;
      for (let i = 0; i < 50; i++) {
        if (drawSymmetry(geometry, random.fork(i)).transpose) transposed++;
        const { input, label } = augmentSudoku(
          { input: tokensOfBoard(question), label: tokensOfBoard(answer) },
          geometry,
          random.fork(i),
        );
        assert.equal(boardText(onlySolution(boardOfTokens(input), geometry)), boardText(boardOfTokens(label)));
      }
      assert.equal(transposed > 0, side !== 6);
    });
  }

  it('leave the canonical form as it is, and nothing else does', () => {
    const random = new Random(4);
    for (const side of [4, 6] as const) {
      const geometry = sudokuGeometry(side);
      const forms = new Set<string>();
      for (let i = 0; i < 5; i++) {
        const { question } = generateSudoku(geometry, random.fork(`${side} ${i}`));
        const form = canonicalBoard(question, geometry);
        forms.add(form);
        for (let j = 0; j < 5; j++) assert.equal(canonicalBoard(disguised(question, geometry, random), geometry), form);
      }
      if (side === 6) assert.equal(forms.size, 5);
    }
    const geometry = sudokuGeometry(9);
    const forms = new Set<string>();
    for (let i = 0; i < 4; i++) {
      const answer = solvedBoard(geometry, random.fork(`nine ${i}`));
      const form = canonicalSolution(answer, geometry);
      forms.add(form);
      assert.match(form, /^123456789/);
      for (let j = 0; j < 3; j++) assert.equal(canonicalSolution(disguised(answer, geometry, random), geometry), form);
    }
    assert.equal(forms.size, 4);
  });

  it('give the 9×9 form no image that reads smaller, and the form is its own', () => {
    const geometry = sudokuGeometry(9);
    const { answer } = generateSudoku(geometry, new Random(5));
    const form = canonicalSolution(answer, geometry);
    const random = new Random(6);
    for (let i = 0; i < 200; i++) assert.ok(boardText(disguised(answer, geometry, random)) >= form);
    assert.equal(canonicalSolution(parseBoard(form), geometry), form);
  });

  it('give the 9×9 form that is the smallest of all images, and give it soon', () => {
    const geometry = sudokuGeometry(9);
    const cyclic = '123456789456789123789123456231564897564897231897231564312645978645978312978312645';
    const answer = solvedBoard(geometry, new Random(8));
    for (const grid of [parseBoard(cyclic), answer]) {
      assert.equal(canonicalSolution(grid, geometry), smallestImage(grid));
    }
    const random = new Random(9);
    const images = Array.from({ length: 300 }, () => disguised(answer, geometry, random));
    const before = process.cpuUsage().user;
    assert.equal(new Set(images.map((image) => canonicalSolution(image, geometry))).size, 1);
    const seconds = (process.cpuUsage().user - before) / 1e6;
    assert.ok(seconds < 0.6, `${seconds} s; comparing 10,000 puzzles should take seconds, and 300 took 0.1 s`);
  });

  it('fall into the known numbers of classes: 2 of 4×4 grids, 49 of 6×6', () => {
    for (const [side, classes, grids] of [
      [4, 2, 288],
      [6, 49, 3000],
    ] as const) {
      const geometry = sudokuGeometry(side);
      const random = new Random(side);
      const seen = new Set<string>();
      for (let i = 0; i < grids && seen.size < classes; i++) {
        const { solution } = solveSudoku(new Uint8Array(side * side), geometry, { limit: 1, random });
        seen.add(canonicalBoard(solution!, geometry));
      }
      if (side === 4) assert.equal(seen.size, classes);
      // the rarest are not met in 3,000 draws
      else assert.ok(seen.size > 30 && seen.size <= classes, `${seen.size} classes`);
    }
  });
});

/** By brute force: every orientation, order of columns and top row; the digits and the other rows follow. */
function smallestImage(grid: Uint8Array): string {
  const inside = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  let best = '999';
  for (const transposed of [false, true]) {
    const rows = Array.from({ length: 9 }, (_, i) =>
      Array.from({ length: 9 }, (_, j) => grid[transposed ? 9 * j + i : 9 * i + j]!),
    );
    for (const blocks of inside)
      for (const a of inside)
        for (const b of inside)
          for (const c of inside) {
            const order = [a, b, c].flatMap((each, i) => each.map((column) => 3 * blocks[i]! + column));
            for (const top of rows) {
              const names = new Map(order.map((column, i) => [top[column]!, i + 1]));
              const renamed = rows.map((row) => order.map((column) => names.get(row[column]!)).join(''));
              const bands = [0, 3, 6].map((band) => renamed.slice(band, band + 3).sort());
              const image = bands
                .map((band) => band.join(''))
                .sort()
                .join('');
              if (image < best) best = image;
            }
          }
  }
  return best;
}

describe('Sudoku sets', () => {
  it('share no puzzle between train, test and validation up to symmetry', async () => {
    for (const options of [
      base,
      { ...base, side: 9 as const, trainPuzzles: 20, testPuzzles: 20, validationPuzzles: 5 },
    ]) {
      const geometry = sudokuGeometry(options.side);
      const { train, test, validation } = await sudokuDataset(options);
      const forms = [train, test, validation].flatMap((set) =>
        Array.from({ length: set.examples }, (_, i) => {
          const { input, label } = exampleOf(set, i);
          return puzzleClass({ question: boardOfTokens(input), answer: boardOfTokens(label) }, geometry);
        }),
      );
      assert.equal(forms.length, options.trainPuzzles + options.testPuzzles + options.validationPuzzles);
      assert.equal(new Set(forms).size, forms.length);
    }
  });

  it('of the shipped file hold no two equivalent puzzles in a sample, and only uniquely solvable ones', async () => {
    const puzzles = new Random(0).shuffle(await loadSudokuFile(dataFile(publicDomainFile)));
    assert.equal(puzzles.length, 16_000);
    const geometry = sudokuGeometry(9);
    const sample = puzzles.slice(0, 300);
    assert.equal(new Set(sample.map((puzzle) => puzzleClass(puzzle, geometry))).size, sample.length);
    for (const { question } of sample) assert.equal(solveSudoku(question, geometry).solutions, 1);
  });

  it('are generated minimal: no given can be spared', async () => {
    const geometry = sudokuGeometry(6);
    const { question } = generateSudoku(geometry, new Random(11));
    question.forEach((digit, cell) => {
      if (digit === 0) return;
      const without = question.slice();
      without[cell] = 0;
      assert.equal(solveSudoku(without, geometry).solutions, 2);
    });
  });

  it('depend on the seed and nothing else', async () => {
    const [a, b, c] = [await sudokuDataset(base), await sudokuDataset(base), await sudokuDataset({ ...base, seed: 1 })];
    assert.equal(a.train.sha256, b.train.sha256);
    assert.notEqual(a.train.sha256, c.train.sha256);
  });

  it('say of 4×4 what it cannot show', async () => {
    const { test } = await sudokuDataset({ ...base, side: 4 });
    assert.match(test.note, /^4×4 has only 288 solution grids, .*not generalisation\.$/);
  });

  it('take only hard puzzles where asked to, and say so: none is solved by cells with one digit left', async () => {
    const { train, test } = await sudokuDataset({ ...base, trainPuzzles: 20, testPuzzles: 20, minDifficulty: 2 });
    assert.equal(
      test.note,
      'Only puzzles rated 2 or more (the number of cells at which an exact solver has to guess).',
    );
    for (const { inputs, examples } of [train, test]) {
      for (let puzzle = 0; puzzle < examples; puzzle++)
        assert.ok(
          afterSingles(inputs.subarray(36 * puzzle, 36 * (puzzle + 1))).includes(1),
          `puzzle ${puzzle} is an easy one`,
        );
    }
  });

  it('refuse more puzzles than there are', async () => {
    await assert.rejects(
      sudokuDataset({ ...base, side: 9, source: 'public-domain', trainPuzzles: 20_000 }),
      inputError(/expected at most 16000 puzzles/),
    );
  });
});

/**
 * A 6×6 board of tokens (1 is empty, digit d is d + 1) with every cell filled that has one digit left, again and again.
 */
function afterSingles(tokens: Int32Array | Uint8Array): number[] {
  const board = [...tokens];
  for (let cell = 0; cell < 36; cell++) {
    if (board[cell] !== 1) continue;
    const [row, column] = [Math.floor(cell / 6), cell % 6];
    const seen = new Set(
      board.filter((_, other) => {
        const [r, c] = [Math.floor(other / 6), other % 6];
        return (
          r === row ||
          c === column ||
          (Math.floor(r / 2) === Math.floor(row / 2) && Math.floor(c / 3) === Math.floor(column / 3))
        );
      }),
    );
    const left = [2, 3, 4, 5, 6, 7].filter((token) => !seen.has(token));
    if (left.length !== 1) continue;
    board[cell] = left[0]!;
    cell = -1;
  }
  return board;
}

describe('Sudoku files', () => {
  let folder = '';
  beforeEach(() => void (folder = newFolder()));
  const good =
    '.83.2..9....8..1...293....8....987...7.....6...674....3....698...2..5....1..3.54.,' +
    '183524697547869123629317458235698714471253869896741235354176982962485371718932546';
  const write = (text: string | Uint8Array, name = 'p.csv'): string => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const checked = async (file: string): Promise<void> => {
    for await (const entry of readSudokuFile(file)) completed(entry);
  };
  const refused = async (line: string, message: RegExp): Promise<void> => {
    const file = write(`source,question,answer,rating\nx,${good},4\n${line}\n`);
    await assert.rejects(checked(file), inputError(message, 'p.csv, line 3: '), line);
  };

  it('round-trip byte for byte, gzipped or not', async () => {
    const puzzles = await loadSudokuFile(write(`source,question,answer,rating\nx,${good},4\n`));
    const bytes = sudokuFileBytes(puzzles);
    assert.deepEqual(await loadSudokuFile(write(bytes, 'p.csv.gz')), puzzles);
    assert.deepEqual(sudokuFileBytes(puzzles), bytes);
  });

  it('may have several kinds of line ends, as files that were joined have', async () => {
    const rows = [`${good},1`, `${good},2`, `${good},3`, `${good},4`];
    const entries = async (text: string): Promise<number[]> => {
      const lines: number[] = [];
      for await (const { line } of readSudokuFile(write(text))) lines.push(line);
      return lines;
    };
    for (const [a, b, c] of [
      ['\r\n', '\n', '\n'],
      ['\n', '\r\n', '\r\n'],
      ['\r', '\n', '\r\n'],
    ] as const) {
      assert.deepEqual(await entries(`${rows[0]}${a}${rows[1]}${b}${rows[2]}${c}${rows[3]}${a}`), [1, 2, 3, 4]);
      assert.deepEqual(await entries(`question,answer,rating${a}${rows[0]}${b}${rows[1]}${c}`), [2, 3]);
    }
    await assert.rejects(checked(write(`${good}\n${good},5\n`)), /line 2: expected 2 cells as in the first row, got 3/);
  });

  it('are refused with the line number and the reason', async () => {
    await refused(`x,${good.slice(1)},4`, /a board of 16, 36 or 81, got 80 cells/);
    await refused(`x,${good.replace('.83', 'a83')},4`, /for blanks, got "a"/);
    await refused(`x,${good.replace('.83', '983')},4`, /keeps the givens/);
    await refused(`x,${good.replace(',183524697', ',183524677')},4`, /keeps the givens|appears twice/);
    await refused(`x,${good},easy`, /expected a rating/);
    await refused('x', /expected 3 cells or more, got 1/);
    await refused(`x,${good},4,5`, /expected 4 cells as in the first row, got 5/);
    await refused(`x,${'.'.repeat(81)},${good.split(',')[1]},4`, /exactly one solution, got several/);
    await refused('x'.repeat(20_000), /at most 16384 characters a row/);
  });

  it('are refused when they are no such file', async () => {
    await assert.rejects(loadSudokuFile(write('')), /^InputError: p.csv: expected at least one Sudoku, got none$/);
    await assert.rejects(loadSudokuFile(write('a,b\n')), /line 1: .*for blanks, got "a"/);
    await assert.rejects(loadSudokuFile(write('source,question,answer,rating\n')), /at least one Sudoku, got none/);
    await assert.rejects(loadSudokuFile(path.join(folder, 'none.csv')), /file not found/);
    await assert.rejects(
      loadSudokuFile(write('plain text', 'q.csv.gz')),
      /q.csv.gz: expected at least one Sudoku, got none/,
    );
    await assert.rejects(
      loadSudokuFile(write(gzipSync(`source,question,answer,rating\nx,${good},4\n`).subarray(0, 60), 'r.csv.gz')),
      /ends too early/,
    );
  });
});
