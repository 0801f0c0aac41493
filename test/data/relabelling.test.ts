/** Relabellings: back is the way back, a relabelled Sudoku has the relabelled solution, turns are the reference's. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  drawSudokuRelabelling,
  gridForms,
  gridRelabelling,
  identity,
  relabel,
  relabelBack,
  sudokuForms,
} from '../../lib/data/relabelling.js';
import { generateMazes } from '../../lib/data/maze-generator.js';
import { isShortestPath, mazeAnswer, mazeVocabulary } from '../../lib/data/maze.js';
import { onlySolution } from '../../lib/data/sudoku-solver.js';
import { generateSudokus } from '../../lib/data/sudoku-sets.js';
import { boardOfTokens, sudokuGeometry, tokensOfBoard } from '../../lib/data/sudoku.js';
import { projectRoot } from '../../lib/files.js';
import { Random } from '../../lib/random.js';

describe('relabellings', () => {
  for (const side of [4, 6, 9]) {
    it(`turn the solution of a ${side}×${side} Sudoku into that of the relabelled puzzle, and back`, async () => {
      const geometry = sudokuGeometry(side);
      const random = new Random(side);
      const moved = { digits: 0, lines: 0, both: 0 };
      for (const { question, answer } of await generateSudokus(geometry, 5, random)) {
        const [puzzle, solution] = [question, answer].map((board) => Int32Array.from(tokensOfBoard(board))) as [
          Int32Array,
          Int32Array,
        ];
        for (const changes of ['digits', 'lines', 'both'] as const) {
          const view = drawSudokuRelabelling(geometry, random, changes);
          const renamed = relabel(puzzle, view);
          const found = onlySolution(boardOfTokens(renamed), geometry); // an exact solver, which knows nothing of views
          assert.deepEqual(relabelBack(Int32Array.from(tokensOfBoard(found)), view), solution);
          assert.deepEqual(relabelBack(renamed, view), puzzle);
          if (changes === 'digits')
            assert.deepEqual(
              renamed.map((token) => Math.min(token, 2)),
              puzzle.map((token) => Math.min(token, 2)),
            );
          if (changes === 'lines') assert.deepEqual([...renamed].sort(), [...puzzle].sort());
          moved[changes] += renamed.join() === puzzle.join() ? 0 : 1;
        }
      }
      for (const [changes, count] of Object.entries(moved))
        assert.ok(count >= 3, `${changes}: ${count} of 5 puzzles changed`);
    });
  }

  it("of grids are the reference's turns and mirror images", () => {
    const golden = JSON.parse(
      readFileSync(path.join(projectRoot(), 'test', 'reference', 'golden-data.json'), 'utf8'),
    ) as { dihedral_2x3: Record<string, number[][]> };
    // The fixture turns [[1, 2, 3], [4, 5, 6]]; below it a row of 8s makes it square.
    // In the turned grid the 8s lie along one edge.
    const grid = Int32Array.of(1, 2, 3, 4, 5, 6, 8, 8, 8);
    for (let id = 0; id < 8; id++) {
      const turned = relabel(grid, gridRelabelling(3, 9, id));
      const rows = [0, 1, 2]
        .map((row) => [...turned.subarray(3 * row, 3 * row + 3)].filter((token) => token !== 8))
        .filter((row) => row.length > 0);
      assert.deepEqual(rows, golden.dihedral_2x3[id], `turn ${id}`);
      assert.deepEqual(relabelBack(turned, gridRelabelling(3, 9, id)), grid);
    }
    assert.throws(() => gridRelabelling(3, 9, 8), /dihedral: expected 0 to 7, got 8/);
  });

  it('of mazes turn a shortest path into one of the turned maze, and back', async () => {
    for (const question of await generateMazes(8, 8, 3, new Random(2))) {
      for (let id = 0; id < 8; id++) {
        const view = gridRelabelling(8, mazeVocabulary, id);
        const turned = Uint8Array.from(relabel(Int32Array.from(question), view));
        const answer = mazeAnswer(turned); // by the data set's rule, in the turned maze
        assert.ok(isShortestPath(question, relabelBack(Int32Array.from(answer), view)), `turn ${id}`);
      }
    }
  });

  it('are of boards that there are', () => {
    for (const geometry of [undefined, 4, {}, { side: 5, boxRows: 2, boxColumns: 2 }])
      assert.throws(() => sudokuForms(geometry as never), /^InputError: geometry: expected an object/);
    for (const side of [undefined, 0, 2.5, '3'])
      assert.throws(() => gridForms(side as never, 6), /^InputError: side: expected a whole number from 1/);
    assert.throws(() => gridForms(3, undefined as never), /^InputError: vocabSize: expected a whole number from 1/);
  });

  it('that change nothing change nothing', () => {
    const puzzle = Int32Array.of(3, 1, 4, 1, 5, 2);
    assert.deepEqual(relabel(puzzle, identity(6, 6)), puzzle);
    assert.deepEqual(relabelBack(puzzle, identity(6, 6)), puzzle);
  });
});
