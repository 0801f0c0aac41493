/** The reference's files on disk: header bytes worked by hand, both ways byte for byte, and what is refused. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BatchStream } from '../../lib/data/batches.js';
import { mazeDataset } from '../../lib/data/maze-sets.js';
import { NpyWriter } from '../../lib/data/npy-writer.js';
import { readNpy } from '../../lib/data/npy.js';
import { readReferenceFolder, writeReferenceFolder } from '../../lib/data/reference-format.js';
import { sudokuDataset } from '../../lib/data/sudoku-sets.js';
import { loadTask, taskShape } from '../../lib/experiment/task.js';
import { Random } from '../../lib/random.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

/**
 * A file as numpy.save writes it: 128 bytes of head whatever the shape, the dictionary padded with spaces to a line
 * end.
 */
function byHand(descr: string, shape: string, data: readonly number[]): Buffer {
  // 0x76 = 118 = 128 − 10
  const head = `\x93NUMPY\x01\x00\x76\x00{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
  return Buffer.concat([Buffer.from(`${head.padEnd(127, ' ')}\n`, 'latin1'), Buffer.from(data)]);
}

describe('reference format', () => {
  let folder = '';
  beforeEach(() => void (folder = newFolder()));
  const sudoku = (): ReturnType<typeof sudokuDataset> =>
    sudokuDataset({
      side: 4,
      source: 'generated',
      trainPuzzles: 5,
      testPuzzles: 4,
      validationPuzzles: 0,
      augmentations: 3,
      minDifficulty: 0,
      seed: 0,
    });

  it('.npy files are those of numpy.save, read and written', () => {
    const file = path.join(folder, 'a.npy');
    const wide = [3, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0];
    for (const [type, descr, shape, text, data, values] of [
      ['uint8', '|u1', [2, 3], '(2, 3)', [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]],
      ['int64', '<i8', [2, 1], '(2, 1)', wide, [3, 10]],
      ['int32', '<i4', [2], '(2,)', [0, 0, 0, 0, 1, 2, 0, 0], [0, 513]],
    ] as const) {
      writeFileSync(file, byHand(descr, text, data));
      const read = readNpy(file, { dimensions: shape.length, most: 100, largest: 1000 });
      assert.deepEqual([read.type, read.shape, [...read.values]], [type, shape, values]);
      const writer = new NpyWriter(file, type, shape);
      writer.write(Uint8Array.from(data));
      writer.end();
      assert.deepEqual(readFileSync(file), byHand(descr, text, data));
    }
  });

  it('.npy files are refused in words', () => {
    const good = byHand('|u1', '(2, 3)', [1, 2, 3, 4, 5, 6]);
    const refused = (bytes: Buffer, message: RegExp, limits: Partial<Parameters<typeof readNpy>[1]> = {}): void => {
      const file = path.join(folder, 'bad.npy');
      writeFileSync(file, bytes);
      assert.throws(
        () => readNpy(file, { dimensions: 2, most: 100, largest: 10, ...limits }),
        inputError(message, 'bad.npy'),
        String(message),
      );
    };
    refused(good.subarray(0, 130), /expected 6 bytes of uint8 .*got 2; the file is truncated/);
    refused(good.subarray(0, 60), /ends too early/);
    refused(Buffer.concat([good, good]), /expected 6 bytes .*got 140/);
    refused(Buffer.from('no npy at all, but long enough'), /does not begin like it/);
    refused(byHand('<f4', '(2, 3)', []), /expected whole numbers, .*got "<f4"/);
    refused(byHand('|O', '(2, 3)', []), /got "\|O"/);
    refused(byHand('|u1', '(6,)', [1, 2, 3, 4, 5, 6]), /expected 2 dimensions, got 1/);
    refused(byHand('|u1', '(99999999999, 99999999)', []), /expected at most 100 values/);
    refused(byHand('|u1', '(2, -3)', []), /expected a header/);
    refused(byHand('|u1', '(1 2, 3)', []), /expected the shape of an array, got \(1 2, 3\)/);
    refused(Buffer.from(good.toString('latin1').replace('False', 'True '), 'latin1'), /Fortran order/);
    refused(Buffer.from(good.toString('latin1').replace('(2, 3)', 'f(x, 1'), 'latin1'), /expected a header/);
    refused(good, /expected values from 0 to 5, got 6 as value 6/, { largest: 5 });
    const hostile = (header: string): Buffer =>
      Buffer.concat([
        Buffer.from('\x93NUMPY\x01\x00\x00\x10', 'latin1'),
        Buffer.from(header.padEnd(4096, ' '), 'latin1'),
      ]);
    const gap = ' '.repeat(1300);
    // with 300 spaces for 1,300 it took 47 s
    refused(hostile(`{'descr': '|u1'${gap}'fortran_order': False${gap}'shape': (2, 3)${gap}x`), /expected a header/);
    refused(hostile("{'descr': '|u1' 'fortran_order': False 'shape': (2, 3)}"), /expected a header/);
    const negative = byHand('<i8', '(1, 1)', [255, 255, 255, 255, 255, 255, 255, 255]);
    refused(negative, /got -1/);
  });

  it('a Sudoku set goes out, copies as puzzles of their group, and comes back; then the same bytes', async () => {
    const sets = await sudoku();
    const [first, second] = [path.join(folder, 'first'), path.join(folder, 'second')];
    const written = writeReferenceFolder(first, sets, { types: { train: 'int64' } });
    assert.deepEqual(written.train, { groups: 5, puzzles: 20, examples: 20 });
    assert.equal(
      readFileSync(path.join(first, 'train', 'dataset.json'), 'utf8'),
      '{"pad_id": 0, "ignore_label_id": 0, "blank_identifier_id": 0, "vocab_size": 6, "seq_len": 16, ' +
        '"num_puzzle_identifiers": 1, "total_groups": 5, "mean_puzzle_examples": 1.0, "total_puzzles": 5, "sets": ' +
        '["all"]}',
    );
    assert.equal(readFileSync(path.join(first, 'identifiers.json'), 'utf8'), '["<blank>"]');
    const { train, test, types } = readReferenceFolder(first);
    assert.deepEqual(types, { train: 'int64', test: 'uint8' });
    assert.deepEqual(
      [train.examples, [...train.groupOffsets], test.sha256],
      [20, [0, 4, 8, 12, 16, 20], sets.test.sha256],
    );
    assert.equal(writeReferenceFolder(second, { train, test }, { types }).sha256, written.sha256);
    for (const split of ['train', 'test'])
      for (const file of readdirSync(path.join(first, split)))
        assert.deepEqual(
          readFileSync(path.join(second, split, file)),
          readFileSync(path.join(first, split, file)),
          file,
        );
    assert.throws(() => writeReferenceFolder(first, { train, test }), /expected a new or empty folder/);

    // Training from the folder sees the boards that training from the seed sees.
    const drawn = (set: typeof train): Set<string> => {
      const { tokens } = new BatchStream(set, { batchSize: 400, random: new Random(0), epochsPerPass: 100 }).next();
      return new Set(Array.from({ length: 400 }, (_, i) => tokens.subarray(16 * i, 16 * (i + 1)).join('')));
    };
    assert.deepEqual([...drawn(train)].sort(), [...drawn(sets.train)].sort());
  });

  it('may have any label for cells that are not scored, and is written with it', async () => {
    const [made, again] = [path.join(folder, 'made'), path.join(folder, 'again')];
    writeReferenceFolder(made, await sudoku(), { types: { train: 'int64' } });
    const change = (split: string, ignored: string, put: (labels: Buffer) => void): void => {
      const about = path.join(made, split, 'dataset.json');
      const text = readFileSync(about, 'utf8');
      writeFileSync(about, text.replace(/"ignore_label_id": 0/, `"ignore_label_id": ${ignored}`));
      const file = path.join(made, split, 'all__labels.npy');
      const bytes = readFileSync(file);
      put(bytes.subarray(128));
      writeFileSync(file, bytes);
    };
    change('train', '255', (labels) => {
      labels.writeBigInt64LE(255n, 8 * 3);
      labels.writeBigInt64LE(-100n, 8 * 5);
    });
    change('test', 'null', (labels) => void (labels[2] = 0)); // a token as good as any other
    const read = readReferenceFolder(made);
    const unscored = (labels: Uint8Array): number[] => [...labels.keys()].filter((i) => labels[i] === 255);
    assert.deepEqual([read.train.ignore, unscored(read.train.labels)], [255, [3, 5]]);
    assert.deepEqual([read.test.ignore, read.test.labels.indexOf(0)], [null, 2]);
    writeReferenceFolder(again, read);
    const { train, test } = readReferenceFolder(again);
    assert.deepEqual([train.sha256, test.sha256], [read.train.sha256, read.test.sha256]);
  });

  it('is a task to train on; mazes keep their second way of being right', async () => {
    const sets = await mazeDataset({
      side: 10,
      source: 'generated',
      leastDistance: 12,
      trainPuzzles: 4,
      testPuzzles: 3,
      validationPuzzles: 0,
      augmentation: 'dihedral',
      seed: 0,
    });
    const out = path.join(folder, 'mazes');
    assert.deepEqual(writeReferenceFolder(out, sets).train, { groups: 4, puzzles: 32, examples: 32 });
    const task = { kind: 'folder', folder: out } as const;
    assert.deepEqual(taskShape(task), { vocabSize: 6, sequenceLength: 100, puzzleIds: 1 });
    const { train, test, validation } = await loadTask(task);
    assert.deepEqual([train.examples, test.examples, validation.examples], [32, 3, 0]);
    assert.equal(test.alternative?.name, 'valid shortest path');
    assert.equal(test.sha256, sets.test.sha256);
  });

  it('is refused where its parts contradict each other; nothing is left of a half-written folder', async () => {
    const sets = await sudoku();
    const out = path.join(folder, 'set');
    writeReferenceFolder(out, sets);
    const change = (name: string, from: string, to: string, message: RegExp): void => {
      const file = path.join(out, name);
      const before = readFileSync(file);
      writeFileSync(file, Buffer.from(before.toString('latin1').replace(from, to), 'latin1'));
      assert.throws(() => readReferenceFolder(out), inputError(message), String(message));
      writeFileSync(file, before);
    };
    change(
      'train/dataset.json',
      '"seq_len": 16',
      '"seq_len": 17',
      /expected 17 tokens a row as dataset.json says, got 16/,
    );
    change('train/dataset.json', '"vocab_size": 6', '"vocab_size": 4', /expected values from 0 to 3/);
    change(
      'train/dataset.json',
      '"vocab_size": 6',
      '"vocab_size": "6"',
      /vocab_size: expected a whole number from 2 to 256, got "6"/,
    );
    change('train/dataset.json', '{', '[', /dataset.json: expected JSON/);
    change('train/dataset.json', '{', '{"vocab_size": 5,', /dataset.json: expected JSON, got "vocab_size" twice/);
    change(
      'test/dataset.json',
      '"total_groups": 4',
      '"total_groups": 5',
      /expected total_groups 4 as there are, got 5/,
    );
    change(
      'train/all__puzzle_indices.npy',
      '\x01\x00\x00\x00\x02',
      '\x01\x00\x00\x00\x01',
      /expected rising offsets, got 1 after 1/,
    );
    assert.throws(() => readReferenceFolder(path.join(folder, 'none')), /not found/);

    const blocked = path.join(folder, 'file');
    writeFileSync(blocked, '');
    assert.throws(() => writeReferenceFolder(path.join(blocked, 'under'), sets));
    mkdirSync(path.join(folder, 'empty'));
    writeReferenceFolder(path.join(folder, 'empty'), sets);
    assert.deepEqual(readdirSync(folder).sort(), ['empty', 'file', 'set']);
  });
});
