/** Which rows of Sudoku-Extreme's files train, test and choose: small files under its names, made here. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { puzzleCount } from '../../lib/data/batches.js';
import { exampleOf, type Dataset } from '../../lib/data/dataset.js';
import { extremeFiles, generateSudokus, sudokuDataset } from '../../lib/data/sudoku-sets.js';
import { boardOfTokens, boardText, sudokuGeometry } from '../../lib/data/sudoku.js';
import { findDataFile } from '../../lib/files.js';
import { Random } from '../../lib/random.js';
import { notAtHand } from '../not-at-hand.js';
import { newFolder } from '../new-folder.js';

const rows = (await generateSudokus(sudokuGeometry(9), 12, new Random(5))).map(
  ({ question, answer }) => `x,${boardText(question)},${boardText(answer)},7`,
);
const boards = (set: Dataset): string[] =>
  Array.from({ length: set.examples }, (_, i) => boardText(boardOfTokens(exampleOf(set, i).input)));
const asked = (from: number, to: number): string[] => rows.slice(from, to).map((row) => row.split(',')[1]!);

describe('Sudoku-Extreme', () => {
  const given = process.env['TRM_DATA'];
  delete process.env['TRM_DATA'];
  const inTheProject = findDataFile(extremeFiles.moreTrain) !== undefined; // in its own data/
  if (given !== undefined) process.env['TRM_DATA'] = given;
  const without = inTheProject ? notAtHand : it;
  let folder = '';
  const write = (name: string, from: number, to: number): void =>
    writeFileSync(
      path.join(folder, name),
      gzipSync(['source,question,answer,rating', ...rows.slice(from, to), ''].join('\n')),
    );
  const sets = (testPuzzles: number, validationPuzzles: number): ReturnType<typeof sudokuDataset> =>
    sudokuDataset({
      side: 9,
      source: 'sudoku-extreme',
      trainPuzzles: 3,
      testPuzzles,
      validationPuzzles,
      augmentations: 0,
      minDifficulty: 0,
      seed: 0,
    });
  beforeEach(() => {
    folder = newFolder();
    process.env['TRM_DATA'] = folder;
    write(extremeFiles.train, 0, 4);
  });
  afterEach(() => {
    if (given === undefined) delete process.env['TRM_DATA'];
    else process.env['TRM_DATA'] = given;
  });

  it('is tested on the rows of our records where they are at hand, and says when it is on others', async () => {
    write(extremeFiles.wholeTest, 8, 12);
    const whole = (await sets(2, 0)).test;
    assert.deepEqual([whole.name, boards(whole)], ['Sudoku 9×9 sudoku-extreme test of all rows', asked(8, 10)]);
    write(extremeFiles.test, 4, 7);
    const some = (await sets(2, 0)).test;
    assert.deepEqual([some.name, boards(some)], ['Sudoku 9×9 sudoku-extreme test', asked(4, 6)]);
    assert.deepEqual(boards((await sets(0, 0)).test), asked(8, 12)); // all there are
  });

  without('trains without the file of its validation puzzles, and names it where they are asked for', async () => {
    write(extremeFiles.test, 4, 7);
    const { train, validation } = await sets(2, 500);
    assert.deepEqual(boards(train), asked(0, 3));
    assert.throws(() => puzzleCount(validation), /got none\. Its puzzles are in sudoku_extreme_train_51968\.csv\.gz/);
  });
});
