/**
 * Ten thousand damaged files into every reader of data sets: read, or refused in words; never a crash,
 * a hang or a large allocation.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { generateMazes } from '../../lib/data/maze-generator.js';
import { loadMazeFile } from '../../lib/data/maze-file.js';
import { mazeDataset } from '../../lib/data/maze-sets.js';
import { mazeAnswer, mazeText } from '../../lib/data/maze.js';
import { readNpy } from '../../lib/data/npy.js';
import { readReferenceFolder, writeReferenceFolder } from '../../lib/data/reference-format.js';
import { loadSudokuFile } from '../../lib/data/sudoku-file.js';
import { InputError } from '../../lib/errors.js';
import { Random } from '../../lib/random.js';

/** A copy with some bytes changed, cut out, doubled or cut off. */
function mutate(good: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(good);
  for (let change = random.integer(4); change >= 0 && bytes.length > 0; change--) {
    const at = random.integer(bytes.length);
    const to = Math.min(bytes.length, at + 1 + random.integer(12));
    switch (random.integer(6)) {
      case 0:
        bytes = bytes.subarray(0, at);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
        break;
      case 3:
        bytes[at]! ^= 1 << random.integer(8);
        break;
      case 4:
        bytes[at] = '0123456789,.(){}[]":-eS G#o\n'.charCodeAt(random.integer(28));
        break;
      default:
        bytes[at] = random.integer(256);
    }
  }
  return bytes;
}

describe('damaged files', () => {
  let folder = '';
  before(() => void (folder = mkdtempSync(path.join(os.tmpdir(), 'fuzz-'))));
  after(() => rmSync(folder, { recursive: true }));

  /** Runs a reader on so many mutations of a good file, and says how many it refused. */
  async function refusals(file: string, good: Buffer, times: number, read: () => unknown): Promise<number> {
    const random = new Random(2026).fork(path.basename(file));
    let refused = 0;
    for (let i = 0; i < times; i++) {
      writeFileSync(file, mutate(good, random));
      try {
        await read();
      } catch (error) {
        assert.ok(
          error instanceof InputError,
          `mutation ${i} of ${path.basename(file)}: ${error instanceof Error ? error.stack : String(error)}`,
        );
        refused++;
      }
    }
    writeFileSync(file, good);
    return refused;
  }

  it('of Sudokus, 1,000', async () => {
    const puzzle =
      '.83.2..9....8..1...293....8....987...7.....6...674....3....698...2..5....1..3.54.,' +
      '183524697547869123629317458235698714471253869896741235354176982962485371718932546';
    const text = Buffer.from(`source,question,answer,rating\nx,${puzzle},4\n`);
    const [plain, zipped] = [path.join(folder, 's.csv'), path.join(folder, 's.csv.gz')];
    assert.ok((await refusals(plain, text, 500, () => loadSudokuFile(plain))) > 350);
    assert.ok((await refusals(zipped, gzipSync(text), 500, () => loadSudokuFile(zipped))) > 450);
  });

  it('of mazes, 1,000', async () => {
    const [maze] = generateMazes(10, 15, 1, new Random(0));
    const file = path.join(folder, 'm.csv');
    const text = Buffer.from(`source,question,answer,rating\nx,${mazeText(maze!)},${mazeText(mazeAnswer(maze!))},16\n`);
    assert.ok((await refusals(file, text, 1000, () => loadMazeFile(file))) > 750);
  });

  it('of the reference format, 8,000: arrays and dataset.json', async () => {
    const out = path.join(folder, 'set');
    writeReferenceFolder(
      out,
      await mazeDataset({
        side: 10,
        source: 'generated',
        leastDistance: 12,
        trainPuzzles: 2,
        testPuzzles: 1,
        validationPuzzles: 0,
        augmentation: 'none',
        seed: 0,
      }),
    );
    const array = path.join(out, 'train', 'all__inputs.npy');
    const head = readFileSync(array); // 128 bytes of head, 200 of data: most changes meet the head
    const refused = await refusals(array, head, 5500, () =>
      readNpy(array, { dimensions: 2, most: 2 ** 30, largest: 5 }),
    );
    assert.ok(refused > 3600, String(refused));
    for (const [name, times, least] of [
      ['train/dataset.json', 1500, 800],
      ['test/all__puzzle_indices.npy', 500, 330],
      ['train/all__group_indices.npy', 500, 330],
    ] as const) {
      const file = path.join(out, name);
      const count = await refusals(file, readFileSync(file), times, () => readReferenceFolder(out));
      assert.ok(count > least, `${name}: ${count} of ${times} refused`);
    }
  });
});
