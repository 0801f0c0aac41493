/** The page reads the boards that `solve` reads, says what is wrong with others, and marks cells in words too. */
import assert from 'node:assert/strict';
import { InputError } from '../../lib/errors.js';
import { emptyPuzzle, inks, judged, lookOf, readPuzzle, type Kind } from '../../lib/page/puzzles.js';

const kind = (puzzle: Kind['puzzle'], side: number): Kind => ({ puzzle, side }) as Kind;
const [four, nine, maze] = [kind('sudoku', 4), kind('sudoku', 9), kind('maze', 7)];
const boardOf = (digits: string): Int32Array =>
  Int32Array.from(digits.replaceAll(' ', ''), (digit) => Number(digit) + 1);

/** S in the top left corner, G below the wall, one way around it. */
const walled = 'S......\n######.\nG......\n.......\n.......\n.......\n.......';

describe('readPuzzle', () => {
  it('takes a Sudoku row by row and finds its solution', () => {
    for (const text of ['1... .... ..3. .4.2', '1000000000300402', '1 _|_ _\n_ _|_ _\n---+---\n_ _|3 _\n_ 4|_ 2\n']) {
      const { question, solution } = readPuzzle(four, text);
      assert.deepEqual(question, boardOf('1000 0000 0030 0402'));
      assert.deepEqual(solution, boardOf('1243 4321 2134 3412')); // worked by hand
    }
  });

  it('takes a board with several solutions without one, and refuses one with none', () => {
    // Three givens that leave no place for a 1 in the second box: few enough that nothing is looked for.
    assert.equal(readPuzzle(four, '1...  ..23 .... ....').solution, undefined);
    assert.equal(readPuzzle(four, '1...............').solution, undefined);
    assert.throws(() => readPuzzle(four, '11..............'), /1 appears twice in row 1/);
    assert.throws(() => readPuzzle(four, '123....4........'), /has no solution/);
    assert.throws(() => readPuzzle(nine, '1...............'), InputError);
    assert.throws(() => readPuzzle(four, '5...............'), InputError);
  });

  it('takes a maze, points for free cells, and finds the way', () => {
    const { question, solution } = readPuzzle(maze, walled);
    assert.equal(question[0], 3);
    assert.equal(question[7], 1);
    assert.deepEqual(
      [1, 6, 13, 20, 15].map((cell) => solution?.[cell]),
      [5, 5, 5, 5, 5],
    );
    assert.throws(() => readPuzzle(maze, walled.replaceAll('.', '#')), /a way from S to G/);
    assert.throws(() => readPuzzle(maze, 'S G'), /7 rows of 7/);
    assert.throws(
      () => readPuzzle(maze, walled.replace('.', 'o')),
      /^InputError: maze: expected a question without a path, got one with 'o'$/,
    );
    // As many characters in all, so only the rows tell that it is another maze.
    const ragged = walled.replace('S......\n######.', 'S.......\n######');
    assert.throws(() => readPuzzle(maze, ragged), /^InputError: maze: expected 7 characters in row 1, got 8$/);
  });
});

describe('a board of the page', () => {
  it('begins empty, a maze with a start and a goal, and takes every ink', () => {
    assert.deepEqual(emptyPuzzle(four), new Int32Array(16).fill(1));
    const { solution } = judged(emptyPuzzle(maze), 'maze');
    assert.equal(solution?.filter((token) => token === 5).length, 11); // from corner to corner
    assert.deepEqual(
      inks(four).map(({ key, token }) => [key, token]),
      [
        ['1', 2],
        ['2', 3],
        ['3', 4],
        ['4', 5],
        [' ', 1],
      ],
    );
  });

  it('says in words what colours show', () => {
    const puzzle = readPuzzle(four, '1... .... ..3. .4.2');
    const answer = boardOf('1243 4321 2134 3442');
    const { cells, block } = lookOf(four, { ...puzzle, answer, before: boardOf('1143 4321 2134 3412') });
    assert.deepEqual(block, [2, 2]);
    assert.deepEqual(
      [0, 1, 2, 14].map((i) => cells[i]?.label),
      ['1, given', '2, changed', '4', '4, wrong, changed'],
    );
    assert.deepEqual(cells[14]?.classes, ['wrong', 'changed', 'crossed']);
  });

  it('tells path, missed and wrong cells of a maze apart', () => {
    const puzzle = readPuzzle(maze, walled);
    const answer = puzzle.solution!.slice();
    answer[1] = 2;
    answer[30] = 5;
    const { cells } = lookOf(maze, { ...puzzle, answer });
    assert.deepEqual(
      [0, 1, 2, 7, 14, 30, 31].map((i) => cells[i]?.label),
      ['start', 'free, missed', 'path', 'wall', 'goal', 'path, wrong', 'free'],
    );
  });
});
