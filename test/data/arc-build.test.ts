/**
 * The ARC builder read back by a reader of its own: every example is undone to the pair it was made from;
 * overlaps counted by hand.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  cropGrid,
  drawAugmentation,
  augmentGrid,
  gridOfRows,
  gridRows,
  restoreGrid,
  type ArcPair,
  type ArcTask,
} from '../../lib/data/arc.js';
import { buildArc } from '../../lib/data/arc-build.js';
import { arcOverlap, canonicalPair, repeatedTasks } from '../../lib/data/arc-overlap.js';
import { readArcTasks } from '../../lib/data/arc-json.js';
import { arcDataset, arcFiles, arcTasks, type ArcDataset } from '../../lib/data/arc-sets.js';
import { dataFile } from '../../lib/files.js';
import { NpyWriter } from '../../lib/data/npy-writer.js';
import { parseAugmentedName } from './augmented-name.js';
import { Random } from '../../lib/random.js';
import { newFolder } from '../new-folder.js';

/** An .npy file as its format documents it: type, shape, and the bytes that follow. */
function npy(file: string): { descr: string; shape: number[]; bytes: Buffer } {
  const content = readFileSync(file);
  assert.equal(content.subarray(0, 8).toString('latin1'), '\u0093NUMPY\u0001\u0000');
  const length = content.readUInt16LE(8);
  assert.equal((10 + length) % 64, 0);
  const header = content.subarray(10, 10 + length).toString('latin1');
  const match =
    /^\{'descr': '([^']+)', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n$/.exec(header) ??
    assert.fail(header);
  return {
    descr: match[1]!,
    shape: match[2]!
      .split(',')
      .filter((part) => part.trim() !== '')
      .map(Number),
    bytes: content.subarray(10 + length),
  };
}
const integers = (file: string): number[] => {
  const { descr, bytes, shape } = npy(file);
  assert.equal(descr, '<i4');
  assert.equal(bytes.length, 4 * shape[0]!);
  return Array.from({ length: shape[0]! }, (_, i) => bytes.readInt32LE(4 * i));
};

describe('ARC builder', () => {
  const options = { set: 'arc1', canvas: 10, maxTasks: 5, augmentations: 4, seed: 0 } as const;
  let root = '';
  before(() => {
    root = newFolder();
    buildArc(options, path.join(root, 'a'));
  });
  const file = (...parts: string[]): string => path.join(root, 'a', ...parts);

  it('writes arrays in which every example is a pair of its task, undone by its name', () => {
    const names = JSON.parse(readFileSync(file('identifiers.json'), 'utf8')) as string[];
    assert.equal(names[0], '<blank>');
    assert.equal(new Set(names).size, names.length);
    const tasks = new Map(arcTasks(options).map(({ task, testsFor }) => [task.id, { task, testsFor }]));
    for (const split of ['train', 'test'] as const) {
      const [inputs, labels] = [npy(file(split, 'all__inputs.npy')), npy(file(split, 'all__labels.npy'))];
      const [ids, puzzleOffsets, groupOffsets] = ['puzzle_identifiers', 'puzzle_indices', 'group_indices'].map((name) =>
        integers(file(split, `all__${name}.npy`)),
      ) as [number[], number[], number[]];
      const about = JSON.parse(readFileSync(file(split, 'dataset.json'), 'utf8')) as Record<string, unknown>;
      assert.deepEqual(
        [inputs.descr, labels.descr, inputs.shape, labels.shape],
        ['|u1', '|u1', [puzzleOffsets.at(-1), 100], [puzzleOffsets.at(-1), 100]],
      );
      assert.equal(groupOffsets.length - 1, split === 'train' ? 15 : 5);
      assert.deepEqual(about, {
        pad_id: 0,
        ignore_label_id: 0,
        blank_identifier_id: 0,
        vocab_size: 12,
        seq_len: 100,
        num_puzzle_identifiers: names.length,
        total_groups: groupOffsets.length - 1,
        mean_puzzle_examples: inputs.shape[0]! / ids.length,
        total_puzzles: ids.length,
        sets: ['all'],
      });
      let shifted = 0;
      ids.forEach((id, puzzle) => {
        const { id: name, augmentation } = parseAugmentedName(names[id]!);
        const { task, testsFor } = tasks.get(name) ?? assert.fail(name);
        const pairs = split === 'test' ? task.test : testsFor === 'train' ? [...task.train, ...task.test] : task.train;
        const [from, to] = [puzzleOffsets[puzzle]!, puzzleOffsets[puzzle + 1]!];
        assert.equal(to - from, pairs.length);
        let corner = 0;
        for (let i = from; i < to; i++) {
          const [input, label] = [inputs, labels].map(({ bytes }) => bytes.subarray(100 * i, 100 * i + 100)) as [
            Buffer,
            Buffer,
          ];
          const first = input.findIndex((token) => token >= 2);
          const at = (tokens: Buffer): number[][] => {
            // Move the grid to the corner, then crop and undo it.
            const moved = new Uint8Array(100);
            for (let cell = first; cell < 100; cell++) if (cell % 10 >= first % 10) moved[cell - first] = tokens[cell]!;
            return gridRows(restoreGrid(cropGrid(moved, 10), augmentation));
          };
          const pair = pairs[i - from]!;
          assert.deepEqual([at(input), at(label)], [gridRows(pair.input), gridRows(pair.output)]);
          corner += first === 0 ? 1 : 0;
        }
        shifted += to - from - corner;
        assert.ok(split === 'test' ? corner === to - from : corner >= 1, `${names[id]}: ${corner} pairs at the corner`);
      });
      assert.ok(split === 'test' ? shifted === 0 : shifted > 50, `${shifted} shifted`);
    }
    const test = JSON.parse(readFileSync(file('test_puzzles.json'), 'utf8')) as Record<
      string,
      { test: { output: number[][] }[] }
    >;
    assert.equal(Object.keys(test).length, 5);
    for (const [id, { test: pairs }] of Object.entries(test))
      assert.deepEqual(
        pairs.map(({ output }) => output),
        tasks.get(id)!.task.test.map(({ output }) => gridRows(output)),
      );
  });

  it('gives the same bytes for the same seed, others for another, and tells how far it is', () => {
    const told: string[] = [];
    const [again, other] = [
      buildArc(options, path.join(root, 'b'), ({ stage, done, total }) => told.push(`${stage} ${done}/${total}`)),
      buildArc({ ...options, seed: 1 }, path.join(root, 'c')),
    ];
    const bytes = (folder: string): string =>
      ['train/all__inputs.npy', 'train/all__labels.npy', 'test/all__inputs.npy', 'identifiers.json']
        .map((name) =>
          createHash('sha256')
            .update(readFileSync(path.join(root, folder, name)))
            .digest('hex'),
        )
        .join();
    assert.equal(bytes('a'), bytes('b'));
    assert.notEqual(bytes('a'), bytes('c'));
    assert.notEqual(again.sha256, other.sha256);
    assert.deepEqual([told[0], told[14]], ['drawing versions 1/15', 'drawing versions 15/15']);
    assert.match(told.at(-1)!, /^writing test (\d+)\/\1$/);
    assert.deepEqual(readdirSync(root).sort(), ['a', 'b', 'c'], 'nothing half written is left');
  });

  it('never writes into a folder that holds something, and leaves nothing when it fails', () => {
    mkdirSync(path.join(root, 'full'));
    writeFileSync(path.join(root, 'full', 'mine.txt'), 'x');
    assert.throws(() => buildArc(options, path.join(root, 'full')), /expected a new or empty folder/);
    assert.throws(() =>
      buildArc(options, path.join(root, 'broken'), ({ stage }) => assert.notEqual(stage, 'writing test')),
    );
    assert.ok(!readdirSync(root).some((name) => name.startsWith('broken')));
    assert.ok(existsSync(path.join(root, 'full', 'mine.txt')));
  });

  it('writes .npy files whose content must fill their shape', () => {
    const name = path.join(root, 'x.npy');
    const writer = new NpyWriter(name, 'int32', [3]);
    writer.write(Int32Array.of(1, -2));
    writer.write(Int32Array.of(3));
    const hash = writer.end();
    assert.deepEqual(integers(name), [1, -2, 3]);
    assert.equal(hash, createHash('sha256').update(readFileSync(name)).digest('hex'));
    const short = new NpyWriter(name, 'uint8', [2, 2]);
    assert.throws(() => short.end(), /4 bytes fewer/);
    assert.throws(() => short.write(new Uint8Array(5)), /more elements/);
    short.abandon();
    rmSync(name);
  });
});

describe('ARC overlap', () => {
  const pair = (input: number[][], output: number[][]): ArcTask['train'][number] => ({
    input: gridOfRows(input),
    output: gridOfRows(output),
  });
  const task = (id: string, ...pairs: ArcTask['train'][number][]): ArcTask => ({
    id,
    train: pairs.slice(0, -1),
    test: pairs.slice(-1),
  });

  it('counts pairs that are the same, and those that are the same but for orientation and colours', () => {
    const train = [pair([[1, 0]], [[2]]), pair([[3, 3]], [[3]])];
    const scored = [
      pair([[1, 0]], [[2]]), // the same
      pair([[0], [5]], [[7]]), // turned, 1 → 5, 2 → 7
      pair([[0, 4]], [[4]]), // one colour where there were two
      pair([[0, 0]], [[0]]), // black is not just any colour
    ];
    assert.deepEqual(arcOverlap(train, scored), { pairs: 4, same: 1, equivalent: 2 });
  });

  it('sees through every augmentation of real pairs', () => {
    const random = new Random(5);
    for (const { task: real } of arcTasks({ set: 'arc1', canvas: 10, maxTasks: 6, augmentations: 0, seed: 0 })) {
      for (const each of real.train) {
        const augmentation = drawAugmentation(random);
        assert.equal(
          canonicalPair({
            input: augmentGrid(each.input, augmentation),
            output: augmentGrid(each.output, augmentation),
          }),
          canonicalPair(each),
        );
      }
    }
  });

  it('is what it is between the published splits', () => {
    // ARC-1 and -2 must not be mixed: the counts are those that their readers have found before.
    const second = new Set(readArcTasks(dataFile(`arc/${arcFiles.arc2.training!.file}`)).map(({ id }) => id));
    const shared = (['training', 'evaluation'] as const).map(
      (part) => readArcTasks(dataFile(`arc/${arcFiles.arc1[part]!.file}`)).filter(({ id }) => second.has(id)).length,
    );
    assert.deepEqual(shared, [391, 376]);
    const { train, test } = arcDataset({ set: 'arc1', canvas: 30, augmentations: 0, seed: 0 });
    const pairsOf = ({ versions }: ArcDataset): ArcPair[] => versions.entries.flatMap(({ pairs }) => pairs);
    assert.deepEqual(arcOverlap(pairsOf(train), pairsOf(test)), { pairs: 419, same: 1, equivalent: 9 });
  });

  it('counts tasks that repeat another under another name or in another order', () => {
    const [a, b, c] = [pair([[1]], [[2]]), pair([[3]], [[4]]), pair([[5]], [[6]])];
    assert.equal(repeatedTasks([task('x', a, b), task('y', b, a), task('z', a, c)]), 1);
  });
});
