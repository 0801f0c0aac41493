/** Mazes in numbers: counted by hand, and generated ones against the real ones where those are at hand. */
import assert from 'node:assert/strict';
import { ungrouped, type Dataset } from '../../lib/data/dataset.js';
import { loadMazeFile } from '../../lib/data/maze-file.js';
import { generateMaze } from '../../lib/data/maze-generator.js';
import { mazeHardFiles } from '../../lib/data/maze-sets.js';
import { mazeAnswer, mazeText, parseMaze } from '../../lib/data/maze.js';
import { InputError } from '../../lib/errors.js';
import { dataFile, findDataFile } from '../../lib/files.js';
import { notAtHand } from '../not-at-hand.js';
import { Random } from '../../lib/random.js';
import { mazeNumbers, numbersOfMaze, summarizeMazes, type MazeNumbers } from '../../lib/data/maze-numbers.js';
import { overlapOf } from '../../lib/data/overlap.js';
import { mazeDistributions } from '../../lib/report/mazes.js';
import { sameDistribution } from '../../lib/report/statistics.js';

const shipped = 'maze-30x30-generated.csv.gz';

function set(...texts: readonly string[]): Dataset {
  return ungrouped(
    texts.map((text) => ({ input: parseMaze(text), label: mazeAnswer(parseMaze(text)) })),
    {
      name: 'by hand',
      note: '',
      width: 3,
      height: 3,
      vocabSize: 6,
      alternative: { name: 'valid', accepts: () => false },
    },
  );
}

describe('mazes in numbers', () => {
  it('are counted: walls, steps, reach, rows and columns apart, shortest paths', () => {
    const mazes = set('S  ## G  ', 'S   #   G');
    const expected: MazeNumbers[] = [
      { walls: 2, steps: 6, reachable: 7, apart: 2, shortestPaths: 1 },
      { walls: 1, steps: 4, reachable: 8, apart: 4, shortestPaths: 2 },
    ];
    assert.deepEqual(mazeNumbers(mazes), expected);
    const { sha256, ...summary } = summarizeMazes(set('S  ## G  ', 'S   #   G'));
    assert.deepEqual(summary, {
      set: 'by hand',
      puzzles: 2,
      cells: 9,
      'walls (mean)': 1.5,
      'steps (mean)': 5,
      'steps (least)': 4,
      'reachable (mean)': 7.5,
      'answered by the rule': 2,
      copies: 0,
    });
    assert.equal(String(sha256).length, 12);
    assert.throws(() => mazeNumbers({ ...mazes, vocabSize: 11 }), InputError);
  });

  it('overlap: the same maze, one mirrored, and a new one', () => {
    const { 'in the training set': same, 'there in disguise': disguised } = overlapOf(
      set('S  ## G  '),
      set('S  ## G  ', '  S ##  G', 'S   #   G'),
    );
    assert.deepEqual([same, disguised], [1, 2]);
  });

  it('as shipped are what seed 0 gives, of the sizes of Maze-Hard', async () => {
    const mazes = await loadMazeFile(dataFile(shipped), { side: 30 });
    assert.equal(mazes.length, 100);
    const quick = 12; // found within 6,000 tries, where most take some 50,000
    assert.equal(
      mazeText(mazes[quick]!.question),
      mazeText(generateMaze(30, 109, new Random(0).fork('maze 30 109').fork(quick))!),
    );
    assert.ok(
      mazes.every(
        ({ question, answer }) =>
          numbersOfMaze(question).steps >= 109 && mazeText(mazeAnswer(question)) === mazeText(answer),
      ),
    );
  });

  const missing = Object.values(mazeHardFiles).filter((file) => findDataFile(file) === undefined);
  (missing.length === 0 ? it : notAtHand)(
    'generated and real are not told apart by walls, steps, ' +
      'reach or way ' +
      `(Kolmogorov–Smirnov)${missing.length === 0 ? '' : ` (not at hand, so skipped: ${missing.join(', ')})`}`,
    async () => {
      const real = (await loadMazeFile(dataFile(mazeHardFiles.test))).map(({ question }) => numbersOfMaze(question));
      const ours = (await loadMazeFile(dataFile(shipped))).map(({ question }) => numbersOfMaze(question));
      for (const key of ['walls', 'steps', 'reachable', 'apart', 'shortestPaths'] as const) {
        const { p } = sameDistribution(
          ours.map((each) => each[key]),
          real.map((each) => each[key]),
        );
        assert.ok(p > 0.01, `${key}: p = ${p}`);
      }
      // The test has eyes: with twenty walls more they would be told apart.
      assert.ok(
        sameDistribution(
          ours.map(({ walls }) => walls + 20),
          real.map(({ walls }) => walls),
        ).p < 0.001,
      );
    },
  );

  it('as a figure: three panels, two curves each, every curve sums to 100 %', () => {
    const sample = mazeNumbers(set('S  ## G  ', 'S   #   G'));
    const { data, layout } = mazeDistributions([
      { name: 'real', mazes: sample },
      { name: 'generated', mazes: sample.slice(0, 1) },
    ]);
    assert.equal(data.length, 6);
    for (const { y } of data) assert.ok(Math.abs((y as number[]).reduce((sum, share) => sum + share, 0) - 100) < 1e-9);
    assert.match(JSON.stringify(layout), /2 real, 1 generated/);
  });
});
