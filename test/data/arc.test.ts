/**
 * ARC against the reference's golden cases, the counts of the real sets, and what must hold of any version of any task.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import {
  augmentedName,
  augmentGrid,
  cropGrid,
  drawAugmentation,
  gridHash,
  gridOfRows,
  gridRows,
  layGrid,
  layPair,
  noAugmentation,
  restoreGrid,
  type ArcTask,
} from '../../lib/data/arc.js';
import { turnGrid, type Grid } from '../../lib/data/grid.js';
import { parseArcTasks, readArcTasks } from '../../lib/data/arc-json.js';
import { arcDataset, arcFiles, arcPuzzleIds, arcTasks, isArcDataset } from '../../lib/data/arc-sets.js';
import { ArcDraws } from '../../lib/data/arc-versions.js';
import { BatchStream, testBatches } from '../../lib/data/batches.js';
import { InputError } from '../../lib/errors.js';
import { dataFile, projectRoot } from '../../lib/files.js';
import { parseAugmentedName } from './augmented-name.js';
import { Random } from '../../lib/random.js';
import { inputError } from '../input-error.js';

const golden = JSON.parse(readFileSync(path.join(projectRoot(), 'test', 'reference', 'golden-data.json'), 'utf8')) as {
  dihedral_2x3: Record<string, number[][]>;
  arc_seq_notrans: { input_nonzero: [number, number][]; label_nonzero: [number, number][] };
  arc_seq_trans_seed3: { input_nonzero: [number, number][]; label_nonzero: [number, number][] };
  aug_seed42: { name: string; grid: number[][]; inverse: number[][]; orig_name: string };
  crop_roundtrip: number[][];
  crop_allpad_shape: number[];
  crop_L: number[][];
  [hash: `grid_hash_${string}`]: string;
};
const small = gridOfRows([
  [0, 1],
  [2, 3],
  [4, 5],
]);
const one = gridOfRows([[9]]);
const nonzero = (tokens: Uint8Array): [number, number][] =>
  [...tokens].flatMap((token, i): [number, number][] => (token === 0 ? [] : [[i, token]]));
const plain = (grid: Grid): number[][] => gridRows(grid);

describe('ARC grids', () => {
  it('turn in the eight ways of the reference, and back', () => {
    const grid = gridOfRows([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    for (let dihedral = 0; dihedral < 8; dihedral++) {
      assert.deepEqual(plain(turnGrid(grid, dihedral)), golden.dihedral_2x3[dihedral], `t${dihedral}`);
      const augmentation = { ...noAugmentation, dihedral };
      assert.deepEqual(plain(restoreGrid(augmentGrid(grid, augmentation), augmentation)), plain(grid));
    }
  });

  it('are hashed, augmented, named and restored as the reference does it', () => {
    assert.equal(gridHash(small), golden['grid_hash_[[0,1],[2,3],[4,5]]']);
    const { id, augmentation } = parseAugmentedName(golden.aug_seed42.name);
    assert.equal(id, golden.aug_seed42.orig_name);
    assert.deepEqual(plain(augmentGrid(small, augmentation)), golden.aug_seed42.grid);
    assert.deepEqual(plain(restoreGrid(gridOfRows(golden.aug_seed42.grid), augmentation)), golden.aug_seed42.inverse);
    assert.equal(augmentedName(id, augmentation), golden.aug_seed42.name);
    assert.equal(augmentedName(id, noAugmentation), 'abc');
  });

  it('restore from any augmentation, whose colours are a permutation that keeps 0', () => {
    const random = new Random(1);
    for (let i = 0; i < 200; i++) {
      const augmentation = drawAugmentation(random);
      assert.equal(augmentation.colours[0], 0);
      assert.deepEqual([...augmentation.colours].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      const grid = { rows: 3, columns: 5, cells: Uint8Array.from({ length: 15 }, () => random.integer(10)) };
      assert.deepEqual(restoreGrid(augmentGrid(grid, augmentation), augmentation), grid);
      assert.deepEqual(parseAugmentedName(augmentedName('x', augmentation)).augmentation, augmentation);
    }
  });

  it('lie on the canvas as the reference lays them, ends below and to the right where there is room', () => {
    const { input, label } = layPair({ input: small, output: one }, 30);
    assert.deepEqual(
      [nonzero(input), nonzero(label)],
      [golden.arc_seq_notrans.input_nonzero, golden.arc_seq_notrans.label_nonzero],
    );
    const shifted = layPair({ input: small, output: one }, 30, 10, 24);
    assert.deepEqual(
      [nonzero(shifted.input), nonzero(shifted.label)],
      [golden.arc_seq_trans_seed3.input_nonzero, golden.arc_seq_trans_seed3.label_nonzero],
    );
    assert.ok(
      !layGrid({ rows: 30, columns: 30, cells: new Uint8Array(900) }, 30).includes(1),
      'a full canvas has no room for ends',
    );
    // By hand, 2×2 at row 1, column 2 of 4×4: no room to the right.
    assert.deepEqual(
      [
        ...layGrid(
          gridOfRows([
            [0, 1],
            [2, 3],
          ]),
          4,
          1,
          2,
        ),
      ],
      [0, 0, 0, 0, 0, 0, 2, 3, 0, 0, 4, 5, 0, 0, 1, 1],
    );
    assert.throws(() => layGrid(small, 4, 2, 0), /expected a grid that fits 4×4 at row 2, column 0, got 3×2/);
  });

  it('are cropped from predictions as the reference crops them', () => {
    assert.deepEqual(plain(cropGrid(layGrid(small, 30), 30)), golden.crop_roundtrip);
    const nothing = cropGrid(new Uint8Array(900), 30);
    assert.deepEqual([nothing.rows, nothing.columns], golden.crop_allpad_shape);
    // An L: two rows of four colours over two of one. 2×4 is larger than 4×1.
    const el = new Uint8Array(900);
    for (const [row, width] of [
      [0, 4],
      [1, 4],
      [2, 1],
      [3, 1],
    ] as const)
      el.fill(row + 2, row * 30, row * 30 + width);
    assert.deepEqual(plain(cropGrid(el, 30)), golden.crop_L);
    // By hand on 3×3: 1×2 and 2×1 are equally large, the one with fewer rows is taken; 12 is no colour.
    assert.deepEqual(plain(cropGrid([2, 3, 12, 4, 0, 5, 1, 5, 5], 3)), [[0, 1]]);
    assert.deepEqual(plain(cropGrid([2, 3, 4, 5, 6, 7, 8, 9, 10], 3)), [
      [0, 1, 2],
      [3, 4, 5],
      [6, 7, 8],
    ]);
  });

  it('come back from any canvas they were laid on at (0, 0)', () => {
    const random = new Random(2);
    for (let i = 0; i < 300; i++) {
      const side = 1 + random.integer(12);
      const [rows, columns] = [1 + random.integer(side), 1 + random.integer(side)];
      const grid = { rows, columns, cells: Uint8Array.from({ length: rows * columns }, () => random.integer(10)) };
      assert.deepEqual(cropGrid(layGrid(grid, side), side), grid);
    }
  });
});

describe('ARC files', () => {
  const good = '{"a":{"train":[{"input":[[0]],"output":[[1,2]]}],"test":[{"input":[[3]],"output":[[4]]}]}}';

  it('that are shipped hold what the paper and the data readme say', () => {
    const counts: Record<string, number[]> = Object.fromEntries(
      readdirSync(path.join(projectRoot(), 'data', 'arc'))
        .filter((name) => name.endsWith('.gz'))
        .map((name) => {
          const tasks = readArcTasks(dataFile(`arc/${name}`));
          return [
            name,
            [
              tasks.length,
              tasks.reduce((sum, { train }) => sum + train.length, 0),
              tasks.reduce((sum, { test }) => sum + test.length, 0),
            ],
          ];
        }),
    );
    const held = new Map(Object.entries(counts));
    assert.deepEqual(counts, {
      'arc1_training.json.gz': [400, 1302, 416],
      'arc1_evaluation.json.gz': [400, 1363, 419],
      'arc2_training.json.gz': [1000, 3232, 1076],
      'arc2_evaluation_official.json.gz': [120, 359, 167],
      'arc2_evaluation_kaggle_trm.json.gz': [120, 358, 172],
      'conceptarc.json.gz': [160, 427, 480],
    });
    for (const parts of Object.values(arcFiles))
      for (const { file, tasks } of Object.values(parts)) assert.equal(held.get(file)?.[0], tasks, file);
  });

  it('have the sha256 that data/README.md gives, and their licences beside them', () => {
    const readme = readFileSync(path.join(projectRoot(), 'data', 'README.md'), 'utf8');
    for (const name of readdirSync(path.join(projectRoot(), 'data', 'arc')).filter((file) => file.endsWith('.gz'))) {
      const row =
        readme.split('\n').find((line) => line.includes(`| arc/${name} |`)) ?? assert.fail(`${name} has no row`);
      assert.ok(
        row.includes(
          createHash('sha256')
            .update(readFileSync(dataFile(`arc/${name}`)))
            .digest('hex'),
        ),
        name,
      );
    }
    assert.match(readFileSync(dataFile('arc/LICENSE-Apache-2.0.txt'), 'utf8'), /Apache License\s+Version 2\.0/);
    assert.match(
      readFileSync(dataFile('arc/NOTICE.md'), 'utf8'),
      /MIT License[^]*ConceptARC|ConceptARC[^]*MIT License/,
    );
  });

  it('of many tasks and of one are read alike', () => {
    const [task] = parseArcTasks('set.json', good);
    assert.equal(task?.id, 'a');
    assert.deepEqual(plain(task.train[0]!.output), [[1, 2]]);
    assert.deepEqual(parseArcTasks('a.json', JSON.stringify(JSON.parse(good).a)), [task]);
  });

  it('that are bad are refused with task, pair and cell', () => {
    for (const [from, to, expected] of [
      [
        '[[1,2]]',
        '[[1,10]]',
        /^set\.json, task a, train pair 1, output, row 1, column 2: expected a colour from 0 to 9, got 10$/,
      ],
      ['[[1,2]]', '[[1,2],[3]]', /row 2: expected 2 colours like the first row, got 1/],
      ['[[1,2]]', '[]', /output: expected 1 to 30 rows, got 0/],
      ['[[1,2]]', '[1]', /row 1: expected 1 to 30 colours, got number/],
      ['[[1,2]]', `[${'[1],'.repeat(30)}[1]]`, /expected 1 to 30 rows, got 31/],
      ['[[1,2]]', '"x"', /expected 1 to 30 rows, got string/],
      ['[[1,2]]', '[[1.5,2]]', /column 1: expected a colour from 0 to 9, got 1\.5/],
      ['"test":[', '"tests":[', /expected test to be a list of 1 to 1024 pairs, got nothing/],
      ['"a"', '"a|||t1"', /expected an id without/],
      ['}]}}', '}]}', /expected JSON/],
      [good, '[]', /expected train to be a list of 1 to 1024 pairs, got 0/],
      [good, '7', /expected tasks by id, one task, or a list of tasks or pairs, got number/],
      [good, '{}', /expected 1 to 10000 tasks, got 0/],
    ] as const) {
      assert.throws(() => parseArcTasks('set.json', good.replace(from, to)), inputError(expected), to);
    }
    assert.throws(() => readArcTasks(path.join(projectRoot(), 'no.json')), /file not found/);
  });

  it('mutated at random are read or refused, never anything else', () => {
    const random = new Random(3);
    const text = `{"a":${JSON.stringify({
      train: [
        {
          input: [
            [0, 1],
            [2, 3],
          ],
          output: [[4]],
        },
      ],
      test: [{ input: [[5]], output: [[6, 7]] }],
    })}}`;
    let refused = 0;
    for (let i = 0; i < 10_000; i++) {
      const at = random.integer(text.length);
      const length = random.integer(4);
      const put = random.pick([
        '',
        '[',
        ']',
        '{',
        '}',
        ',',
        '"',
        '-1',
        '10',
        'null',
        '1e9',
        '"__proto__":',
        'é',
        '\u0000',
        text.slice(0, random.integer(text.length)),
      ]);
      try {
        for (const { train, test } of parseArcTasks('bad.json', text.slice(0, at) + put + text.slice(at + length)))
          assert.ok(train.length > 0 && test.length > 0);
      } catch (error) {
        assert.ok(error instanceof InputError, String(error));
        refused++;
      }
    }
    assert.ok(refused > 8000);
  });
});

describe('ARC versions', () => {
  const task = (id: string, ...grids: number[][][]): ArcTask => ({
    id,
    train: [{ input: gridOfRows(grids[0]!), output: gridOfRows(grids[1]!) }],
    test: [{ input: gridOfRows(grids[2]!), output: gridOfRows(grids[3]!) }],
  });

  it('are as many as there are: one colour has nine, two colours 72, a black task one', () => {
    // By hand: every grid is one cell, so orientations do not tell; k colours beside black can become 9·8·… others.
    const draws = new ArcDraws(200, new Random(0));
    assert.equal(draws.count(task('one', [[1]], [[0]], [[1]], [[0]])), 9);
    assert.equal(draws.count(task('two', [[1]], [[2]], [[1]], [[2]])), 72);
    assert.equal(draws.count(task('black', [[0]], [[0]], [[0]], [[0]])), 1);
    assert.equal(
      draws.count(
        task(
          'corner',
          [
            [1, 0],
            [0, 0],
          ],
          [[0]],
          [[0]],
          [[0]],
        ),
      ),
      36,
      'four corners and nine colours',
    );
  });

  it('are told apart by the test pairs too, and not by the order of pairs', () => {
    const draws = new ArcDraws(500, new Random(0));
    assert.equal(
      draws.count(task('in test', [[0]], [[0]], [[1, 2]], [[0]])),
      2 * 9 * 8,
      'two cells lying or standing; mirroring them is swapping their colours',
    );
    // Two pairs that are each other's mirror image: the mirrored task is the same task.
    assert.equal(
      draws.count(task('mirrored', [[1, 0]], [[0]], [[0, 1]], [[0]])),
      2 * 9,
      'lying or standing, nine colours',
    );
  });

  it('of real tasks are distinct tasks, the same for the same seed, and others for another', () => {
    const tasks = arcTasks({ set: 'arc1', canvas: 10, maxTasks: 5, augmentations: 0, seed: 0 }).map(
      (each) => each.task,
    );
    const [draws, again, other] = [
      new ArcDraws(50, new Random(7)),
      new ArcDraws(50, new Random(7)),
      new ArcDraws(50, new Random(8)),
    ];
    const names = (from: ArcDraws, of: ArcTask): string[] =>
      Array.from({ length: from.count(of) }, (_, version) => augmentedName(of.id, from.augmentation(of, version)));
    for (const each of tasks) {
      const looks = names(draws, each).map((name) => {
        const { augmentation } = parseAugmentedName(name);
        return [...each.train, ...each.test]
          .map(({ input, output }) =>
            JSON.stringify([plain(augmentGrid(input, augmentation)), plain(augmentGrid(output, augmentation))]),
          )
          .sort()
          .join();
      });
      assert.equal(new Set(looks).size, looks.length, each.id);
      assert.deepEqual(names(again, each), names(draws, each));
      assert.notDeepEqual(names(other, each), names(draws, each));
    }
  });
});

describe('ARC sets', () => {
  const options = { set: 'arc1', canvas: 10, maxTasks: 12, augmentations: 6, seed: 0 } as const;

  it("at the paper's scale have its groups, pairs and table", () => {
    const { train, test } = arcDataset({ set: 'arc1', canvas: 30, augmentations: 1000, seed: 0 });
    assert.deepEqual([train.groupOffsets.length - 1, test.groupOffsets.length - 1], [960, 400]);
    assert.deepEqual([train.examples, test.examples], [1302 + 416 + 1363 + 427 + 480, 419]);
    assert.equal(train.puzzleIds, 960 * 1001 + 1);
    const second = arcDataset({ set: 'arc2', canvas: 30, augmentations: 1000, seed: 0 });
    assert.deepEqual([second.train.groupOffsets.length - 1, second.test.groupOffsets.length - 1], [1280, 120]);
    assert.deepEqual([second.train.examples, second.test.examples], [3232 + 1076 + 358 + 427 + 480, 172]);
    assert.equal(
      arcDataset({
        set: 'arc2',
        canvas: 30,
        subsets: ['evaluation-official'],
        testSubset: 'evaluation-official',
        augmentations: 0,
        seed: 0,
      }).test.examples,
      167,
    );
  });

  it('hold no test pair of the test part in training, and share ids between splits', () => {
    const { train, test } = arcDataset(options);
    const trained = new Set(
      train.versions.entries.flatMap(({ task, pairs }) =>
        pairs.map((pair) => `${task.id} ${gridHash(pair.input)} ${gridHash(pair.output)}`),
      ),
    );
    for (const { task, pairs } of test.versions.entries)
      for (const pair of pairs)
        assert.ok(!trained.has(`${task.id} ${gridHash(pair.input)} ${gridHash(pair.output)}`), task.id);
    const idOf = new Map(train.versions.entries.map(({ task }, puzzle) => [task.id, train.versions.id(puzzle, 3)]));
    test.versions.entries.forEach(({ task }, puzzle) => assert.equal(test.versions.id(puzzle, 3), idOf.get(task.id)));
    assert.equal(test.versions.entries.length, 12);
    assert.equal(train.versions.entries.length, 36);
    const ids = train.versions.entries.flatMap((_, puzzle) =>
      Array.from({ length: train.versions.count(puzzle) }, (_, version) => train.versions.id(puzzle, version)),
    );
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(Math.min(...ids) === 1 && Math.max(...ids) < arcPuzzleIds(options));
  });

  it('take the smallest tasks that fit, and validation tasks from those that would test', () => {
    const all = arcTasks({ ...options, maxTasks: 0 });
    const cells = ({ train, test }: ArcTask): number =>
      [...train, ...test].reduce(
        (sum, { input, output }) => sum + input.rows * input.columns + output.rows * output.columns,
        0,
      );
    const evaluation = all.filter(({ testsFor }) => testsFor === 'test').map(({ task }) => task);
    assert.equal(evaluation.length, 77);
    const chosen = arcTasks(options)
      .filter(({ testsFor }) => testsFor === 'test')
      .map(({ task }) => cells(task));
    assert.deepEqual(
      [...chosen].sort((a, b) => a - b),
      evaluation
        .map(cells)
        .sort((a, b) => a - b)
        .slice(0, 12),
    );
    const { train, test, validation } = arcDataset({ ...options, validationTasks: 4 });
    assert.deepEqual(
      [test.versions.entries.length, validation.versions.entries.length, train.versions.entries.length],
      [8, 4, 36],
    );
    assert.throws(() => arcDataset({ ...options, validationTasks: 12 }), /fewer than 12 validation tasks/);
  });

  it('train on whole versions with their ids, at offsets that are fixed, one pair at (0, 0)', () => {
    const { train } = arcDataset(options);
    const { versions } = train;
    assert.ok(isArcDataset(train));
    const stream = new BatchStream(train, { batchSize: 32, random: new Random(0) });
    const known = new Map<number, Set<string>>();
    for (let puzzle = 0; puzzle < versions.entries.length; puzzle++) {
      for (let version = 0; version < versions.count(puzzle); version++)
        known.set(
          versions.id(puzzle, version),
          new Set(versions.examples(puzzle, version).map(({ input, label }) => `${input}|${label}`)),
        );
    }
    const seen = new Set<number>();
    for (let i = 0; i < 300; i++) {
      const { tokens, labels, puzzleIds } = stream.next();
      for (let seat = 0; seat < 32; seat++) {
        const [from, to] = [seat * 100, seat * 100 + 100];
        const label = labels.subarray(from, to).map((token) => (token === -100 ? 0 : token));
        assert.ok(known.get(puzzleIds[seat]!)?.has(`${tokens.subarray(from, to)}|${label}`), `id ${puzzleIds[seat]}`);
        seen.add(puzzleIds[seat]!);
      }
    }
    assert.ok(seen.size > 0.95 * known.size, `${seen.size} of ${known.size} versions drawn`);
    // Of every version at least one pair lies at the corner, and over all of them most others do not.
    let [corner, pairs] = [0, 0];
    versions.entries.forEach((_, puzzle) => {
      for (let version = 0; version < versions.count(puzzle); version++) {
        const at = versions.examples(puzzle, version).filter(({ input }) => input[0]! >= 2).length;
        assert.ok(at >= 1);
        corner += at;
        pairs += versions.entries[puzzle]!.pairs.length;
      }
    });
    assert.ok(corner < 0.6 * pairs, `${corner} of ${pairs}`);
  });

  it('give test pairs unaugmented, padding unscored', () => {
    const { test } = arcDataset(options);
    const [batch] = testBatches(test, 1);
    const [first] = test.versions.entries;
    assert.equal(batch!.puzzleIds[0], test.versions.id(0, 0));
    assert.deepEqual(plain(cropGrid(batch!.labels, 10)), plain(first!.pairs[0]!.output));
    assert.ok(batch!.labels.includes(-100) && !batch!.labels.includes(0));
  });

  it('are the same data for the same seed and other data for another', () => {
    assert.equal(arcDataset(options).train.sha256, arcDataset(options).train.sha256);
    assert.notEqual(arcDataset(options).train.sha256, arcDataset({ ...options, seed: 1 }).train.sha256);
    assert.notEqual(arcDataset(options).train.sha256, arcDataset({ ...options, augmentations: 7 }).train.sha256);
    assert.throws(
      () => arcDataset({ ...options, subsets: ['evaluation-official'] }),
      /expected parts of arc1 among training, evaluation, concept/,
    );
  });
});
