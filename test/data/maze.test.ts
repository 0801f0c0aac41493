/**
 * Mazes against brute force, the real Maze-Hard files where they are at hand, and a drawing of the generator's
 * definition to the letter.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { turnGrid } from '../../lib/data/grid.js';
import { BatchStream } from '../../lib/data/batches.js';
import { exampleOf } from '../../lib/data/dataset.js';
import { loadMazeFile, type MazePuzzle } from '../../lib/data/maze-file.js';
import { generateMaze, generateMazes, hardDistance } from '../../lib/data/maze-generator.js';
import { mazeDataset, mazeHardFiles, type MazeSetOptions } from '../../lib/data/maze-sets.js';
import {
  canonicalMaze,
  countShortestPaths,
  endsOfMaze,
  isShortestPath,
  mazeAnswer,
  mazeDistances,
  mazeNeighbours,
  mazeText,
  mazeToken,
  parseMaze,
  turnMaze,
} from '../../lib/data/maze.js';
import { InputError } from '../../lib/errors.js';
import { findDataFile } from '../../lib/files.js';
import { notAtHand } from '../not-at-hand.js';
import { Random } from '../../lib/random.js';
import { sameDistribution } from '../../lib/report/statistics.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

/** Any maze: cells walls with probability 0.35, S and G on free cells. */
function anyMaze(side: number, random: Random): Uint8Array {
  for (;;) {
    const maze = Uint8Array.from({ length: side * side }, () =>
      random.uniform() < 0.35 ? mazeToken.wall : mazeToken.free,
    );
    const free = random.shuffle([...maze.keys()].filter((cell) => maze[cell] === mazeToken.free));
    if (free.length < 2) continue;
    maze[free[0]!] = mazeToken.start;
    maze[free[1]!] = mazeToken.goal;
    return maze;
  }
}

/** All paths from S to G without a cell twice, as lists of the cells between, by trying every step. */
function allPaths(maze: Uint8Array, side: number): number[][] {
  const { start, goal } = endsOfMaze(maze);
  const found: number[][] = [];
  const go = (cell: number, trail: number[]): void => {
    if (cell === goal) return void found.push(trail.slice(0, -1));
    const [row, column] = [Math.floor(cell / side), cell % side];
    for (const [r, c] of [
      [row + 1, column],
      [row, column - 1],
      [row, column + 1],
      [row - 1, column],
    ] as const) {
      const next = r * side + c;
      if (
        r < 0 ||
        c < 0 ||
        r >= side ||
        c >= side ||
        maze[next] === mazeToken.wall ||
        next === start ||
        trail.includes(next)
      )
        continue;
      go(next, [...trail, next]);
    }
  };
  go(start, []);
  return found;
}

describe('mazes', () => {
  it('distances, counts of shortest paths and the label rule agree with trying every path of small mazes', () => {
    const random = new Random(3);
    let solvable = 0;
    for (let i = 0; i < 150; i++) {
      const maze = anyMaze(4, random);
      const { start, goal } = endsOfMaze(maze);
      // found in the order down, left, right, up: the first of the shortest is the rule's
      const paths = allPaths(maze, 4);
      const shortest = Math.min(...paths.map(({ length }) => length + 1));
      assert.equal(mazeDistances(maze, start)[goal], paths.length === 0 ? -1 : shortest);
      if (paths.length === 0) {
        assert.throws(() => mazeAnswer(maze), InputError);
        continue;
      }
      solvable++;
      const best = paths.filter(({ length }) => length + 1 === shortest);
      assert.equal(countShortestPaths(maze), best.length);
      const marked = (cells: readonly number[]): Uint8Array =>
        maze.map((token, cell) => (cells.includes(cell) ? mazeToken.path : token));
      assert.deepEqual(mazeAnswer(maze), marked(best[0]!));
      for (const cells of paths) assert.equal(isShortestPath(maze, marked(cells)), cells.length + 1 === shortest);
    }
    assert.ok(solvable > 50);
  });

  it('of the largest sides have the neighbours and distances that coordinates give', () => {
    for (const side of [200, 256]) {
      const neighbours = mazeNeighbours(side);
      const at = (row: number, column: number): number =>
        row < 0 || column < 0 || row >= side || column >= side ? -1 : row * side + column;
      for (let row = 0; row < side; row++) {
        for (let column = 0; column < side; column++) {
          const own = 4 * at(row, column);
          assert.deepEqual(
            [...neighbours.subarray(own, own + 4)],
            [at(row + 1, column), at(row, column - 1), at(row, column + 1), at(row - 1, column)],
          );
        }
      }
    }
    const open = new Uint8Array(200 * 200).fill(mazeToken.free);
    assert.deepEqual(
      mazeDistances(open, 0),
      Int32Array.from(open, (_, cell) => Math.floor(cell / 200) + (cell % 200)),
    );
  });

  it('a valid path may not lean on extra cells, broken walls or moved ends', () => {
    const maze = parseMaze('S  ' + '## ' + 'G  ');
    const right = mazeAnswer(maze);
    assert.equal(mazeText(right), 'Soo' + '##o' + 'Goo');
    assert.ok(isShortestPath(maze, right));
    for (const wrong of [
      'S  ## G  ',
      'Soo##oGo ',
      'Soo##oG o',
      'So #o Go ',
      'oooS##oGo',
      'GooSooooo',
      'Soo##ooGo',
      '\0oo##oGoo',
    ]) {
      const answer = Uint8Array.from(wrong, (character) => Math.max(0, '\0# SGo'.indexOf(character)));
      assert.equal(isShortestPath(maze, answer), false, wrong);
    }
  });

  it('turned and mirrored, are answered by the rule again', () => {
    const random = new Random(8);
    let moved = 0;
    for (let i = 0; i < 40; i++) {
      const input = generateMaze(10, 12, random.fork(i))!;
      const label = mazeAnswer(input);
      const forms = new Set<string>();
      for (let id = 0; id < 8; id++) {
        const turned = turnMaze({ input, label }, id);
        assert.ok(isShortestPath(turned.input, turned.label));
        assert.deepEqual(turned.label, mazeAnswer(turned.input));
        forms.add(canonicalMaze(turned.input));
        const carried = turnGrid({ rows: 10, columns: 10, cells: label }, id).cells;
        assert.ok(isShortestPath(turned.input, carried));
        if (mazeText(carried) !== mazeText(turned.label)) moved++;
      }
      assert.equal(forms.size, 1);
    }
    assert.ok(moved > 40, 'turning the path along does break the rule, which is why it is made anew');
  });

  it(
    'are generated as the definition says: drawn to the letter, the same walls, ' +
      'distances and reach (Kolmogorov–Smirnov)',
    () => {
      const [side, least, count] = [10, 15, 400];
      const random = new Random(5);
      const byDefinition = (stream: Random): Uint8Array => {
        for (;;) {
          const p = 0.25 + 0.25 * stream.uniform();
          const maze = Uint8Array.from({ length: side * side }, () =>
            stream.uniform() < p ? mazeToken.wall : mazeToken.free,
          );
          const free = [...maze.keys()].filter((cell) => maze[cell] === mazeToken.free);
          const start = stream.pick(free);
          const goal = stream.pick(free.filter((cell) => cell !== start));
          if (mazeDistances(maze, start)[goal]! < least) continue;
          maze[start] = mazeToken.start;
          maze[goal] = mazeToken.goal;
          return maze;
        }
      };
      const [ours, defined] = [generateMaze, undefined].map((quick, which) =>
        Array.from({ length: count }, (_, i) =>
          statistics(quick?.(side, least, random.fork(i)) ?? byDefinition(random.fork(`${which} ${i}`))),
        ),
      ) as [Statistics[], Statistics[]];
      for (const key of ['walls', 'steps', 'reachable', 'start'] as const) {
        const { p } = sameDistribution(
          ours.map((each) => each[key]),
          defined.map((each) => each[key]),
        );
        assert.ok(p > 0.01, `${key}: p = ${p}`);
      }
      assert.ok(ours.every(({ steps }) => steps >= least));
    },
  );

  it('of other sizes are as far as the walls make them: 109 steps at 30×30, 31 at 10×10', () => {
    assert.deepEqual([30, 20, 10].map(hardDistance), [109, 69, 31]);
  });

  it('depend on the seed and their number, and are refused where there are none', async () => {
    const three = (await generateMazes(10, 15, 3, new Random(1))).map(mazeText);
    assert.deepEqual((await generateMazes(10, 15, 5, new Random(1))).slice(0, 3).map(mazeText), three);
    assert.notDeepEqual((await generateMazes(10, 15, 3, new Random(2))).map(mazeText), three);
    assert.equal(generateMaze(10, 90, new Random(1), 1000), undefined);
    assert.throws(() => parseMaze('S G'), /expected a square number of characters, got 3/);
    assert.throws(() => parseMaze('SxG '), /got "x" at row 1, column 2/);
    assert.throws(() => mazeAnswer(parseMaze('S#G# # ##')), /expected a way from S to G/);
    assert.throws(() => mazeAnswer(parseMaze('SSG      ')), /expected one S, got several/);
  });
});

describe('maze sets', () => {
  const options: MazeSetOptions = {
    side: 10,
    source: 'generated',
    leastDistance: 15,
    trainPuzzles: 60,
    testPuzzles: 40,
    validationPuzzles: 20,
    augmentation: 'dihedral',
    seed: 0,
  };

  it('share no maze up to turning and mirroring, depend on the seed, and are rated by their path', async () => {
    const { train, test, validation } = await mazeDataset(options);
    assert.deepEqual([train.examples, test.examples, validation.examples], [60, 40, 20]);
    const forms = [train, test, validation].flatMap((set) =>
      Array.from({ length: set.examples }, (_, i) => canonicalMaze(exampleOf(set, i).input)),
    );
    assert.equal(new Set(forms).size, 120);
    assert.equal(train.ratings?.[0], exampleOf(train, 0).label.filter((token) => token >= 3).length);
    assert.equal((await mazeDataset(options)).train.sha256, train.sha256);
    assert.notEqual((await mazeDataset({ ...options, seed: 1 })).train.sha256, train.sha256);
  });

  it('are trained on in all eight orientations where asked, labels by the rule, and in one otherwise', async () => {
    const few = { ...options, trainPuzzles: 1, testPuzzles: 1, validationPuzzles: 0 };
    for (const [augmentation, orientations] of [
      ['dihedral', 8],
      ['none', 1],
    ] as const) {
      const { train } = await mazeDataset({ ...few, augmentation });
      const stream = new BatchStream(train, { batchSize: 200, random: new Random(0) });
      const { tokens, labels } = stream.next();
      const seen = new Set<string>();
      for (let i = 0; i < 200; i++) {
        const input = Uint8Array.from(tokens.subarray(i * 100, (i + 1) * 100));
        seen.add(mazeText(input));
        assert.deepEqual([...labels.subarray(i * 100, (i + 1) * 100)], [...mazeAnswer(input)]);
      }
      assert.equal(seen.size, orientations);
    }
  });
});

describe('maze files', () => {
  let folder = '';
  beforeEach(() => void (folder = newFolder()));

  it('are refused with the line number and the reason', async () => {
    const good = 'S  ## G  ,Soo##oGoo';
    const load = (line: string): Promise<MazePuzzle[]> => {
      const file = path.join(folder, 'm.csv');
      writeFileSync(file, `source,question,answer,rating\nx,${good},7\n${line}\n`);
      return loadMazeFile(file);
    };
    assert.equal((await load(`x,${good},7`)).length, 2);
    for (const [line, message] of [
      ['x,S  ## G  ,Soo##oG o,7', /expected an answer that marks a shortest path/],
      ['x,So ## G  ,Soo##oGoo,7', /expected a question without a path/],
      ['x,S G ,SoGo,7', /expected mazes of 9 characters, got 4 and 4/],
      ['x,S  ## G  ,Soo##oGox,7', /got "x" at row 3, column 3/],
      ['x,   ## G  ,Soo##oGoo,7', /expected (one S|an answer)/],
    ] as const) {
      await assert.rejects(load(line), inputError(message, 'm.csv, line 3: '), line);
    }
  });
});

const missing = Object.values(mazeHardFiles).filter((file) => findDataFile(file) === undefined);

(missing.length === 0 ? describe : notAtHand)(
  `Maze-Hard${missing.length === 0 ? '' : ` (not at hand, so skipped: ${missing.join(', ')})`}`,
  () => {
    let real: MazePuzzle[] = [];
    before(async () => {
      for (const file of Object.values(mazeHardFiles))
        real.push(...(await loadMazeFile(findDataFile(file)!, { side: 30 })));
    });
    after(() => void (real = []));

    it('is answered by the rule in all 2,000 mazes, of which none has only one shortest path', () => {
      assert.equal(real.length, 2000);
      for (const { question, answer } of real) {
        assert.equal(mazeText(mazeAnswer(question)), mazeText(answer));
        assert.ok(countShortestPaths(question) > 1);
      }
    });

    it('shares no maze between train and test, whichever way it is turned', () => {
      assert.equal(new Set(real.map(({ question }) => canonicalMaze(question))).size, 2000);
    });

    it('has the statistics of SOURCES: 109 to 153 steps, mean 113.8; 334.5 walls; 499.7 cells within reach', () => {
      const all = real.map(({ question }) => statistics(question));
      const mean = (key: keyof Statistics): string =>
        (all.reduce((sum, each) => sum + each[key], 0) / all.length).toFixed(1);
      assert.deepEqual([mean('steps'), mean('walls'), mean('reachable')], ['113.8', '334.5', '499.7']);
      const steps = all.map((each) => each.steps);
      assert.deepEqual([Math.min(...steps), Math.max(...steps)], [109, 153]);
      assert.ok(real.every(({ rating }, i) => rating === steps[i]! + 1));
    });
  },
);

interface Statistics {
  readonly walls: number;
  readonly steps: number;
  readonly reachable: number;
  readonly start: number;
}

function statistics(maze: Uint8Array): Statistics {
  const { start, goal } = endsOfMaze(maze);
  const distances = mazeDistances(maze, start);
  return {
    walls: maze.filter((token) => token === mazeToken.wall).length,
    steps: distances[goal]!,
    reachable: distances.filter((steps) => steps >= 0).length,
    start,
  };
}
