/** The training stream against the reference's epoch rule (spec §5.6), and its resumption. */
import assert from 'node:assert/strict';
import { BatchStream, testBatches } from '../../lib/data/batches.js';
import { ungrouped, withHash, type Dataset } from '../../lib/data/dataset.js';
import { puzzleAt } from '../../lib/data/puzzle.js';
import { Random } from '../../lib/random.js';

/** N examples of two cells; cell 0 tells which example it is. */
function numbered(n: number): Dataset {
  return ungrouped(
    Array.from({ length: n }, (_, i) => ({ input: Uint8Array.of(i, 0), label: Uint8Array.of(i, 1) })),
    { name: 'numbered', note: '', width: 2, height: 1, vocabSize: 200 },
  );
}
const firsts = (tokens: Int32Array): number[] => [...tokens].filter((_, i) => i % 2 === 0);

describe('batch stream', () => {
  it('visits every group once an epoch, in a new order each time', () => {
    const stream = new BatchStream(numbered(12), { batchSize: 4, random: new Random(0) });
    const epochs = Array.from({ length: 3 }, () => [1, 2, 3].flatMap(() => firsts(stream.next().tokens)));
    for (const epoch of epochs)
      assert.deepEqual(
        [...epoch].sort((a, b) => a - b),
        Array.from({ length: 12 }, (_, i) => i),
      );
    assert.notDeepEqual(epochs[0], epochs[1]);
  });

  it('drops the last batch of a pass when it is not full', () => {
    // One epoch of 10 in batches of 4: two batches, two examples dropped.
    const stream = new BatchStream(numbered(10), { batchSize: 4, random: new Random(0), epochsPerPass: 1 });
    for (let pass = 0; pass < 5; pass++) {
      const seen = [...firsts(stream.next().tokens), ...firsts(stream.next().tokens)];
      assert.equal(new Set(seen).size, 8, 'no example twice within a pass');
      assert.equal(stream.state().pass, pass);
    }
  });

  it('goes on after a stop exactly as without one', () => {
    const make = (): BatchStream => new BatchStream(numbered(10), { batchSize: 4, random: new Random(3) });
    const whole = make();
    const batches = Array.from({ length: 60 }, () => {
      const state = JSON.parse(JSON.stringify(whole.state())) as ReturnType<BatchStream['state']>;
      return { state, tokens: [...whole.next().tokens] };
    });
    for (const { state, tokens } of batches) {
      const resumed = make();
      resumed.restore(state);
      assert.deepEqual([...resumed.next().tokens], tokens);
    }
  });

  it('takes one puzzle of a group with all its examples, and keeps its id', () => {
    // One group of two puzzles: examples 0, 1 with id 7, and 2, 3, 4 with id 9.
    const { sha256: _, ...parts } = numbered(5);
    const dataset = withHash({
      ...parts,
      puzzleIds: 10,
      groupOffsets: Int32Array.of(0, 2),
      puzzleOffsets: Int32Array.of(0, 2, 5),
      ids: Int32Array.of(7, 9),
      ignore: 1,
    });
    const stream = new BatchStream(dataset, { batchSize: 1, random: new Random(1), epochsPerPass: 1 });
    const small = new BatchStream(dataset, { batchSize: 2, random: new Random(1), epochsPerPass: 1 });
    const pairs = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const { tokens, puzzleIds, labels } = stream.next();
      pairs.add(`${tokens[0]}:${puzzleIds[0]}`);
      assert.equal(labels[1], -100, 'the ignored label is not scored');
      const two = small.next();
      assert.equal(two.puzzleIds[0], two.puzzleIds[1], 'both examples are of one puzzle');
    }
    assert.deepEqual([...pairs].sort(), ['0:7', '1:7', '2:9', '3:9', '4:9']);
  });

  it('gives originals and copies equally often, and each copy always the same', () => {
    const copies = 4;
    const dataset: Dataset = {
      ...numbered(1),
      augmentation: {
        copies,
        random: new Random(5),
        apply: (example, random) => ({ ...example, input: Uint8Array.of(100 + random.integer(100), 0) }),
      },
    };
    const stream = new BatchStream(dataset, { batchSize: 1, random: new Random(1) });
    const counts = new Map<number, number>();
    for (let i = 0; i < 5000; i++) {
      const first = stream.next().tokens[0]!;
      counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    assert.equal(counts.size, copies + 1);
    // four standard deviations
    for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 120, `${count}`);
  });

  it('refuses an empty set', () => {
    assert.throws(
      () => new BatchStream(numbered(0), { batchSize: 4, random: new Random(0) }),
      /expected at least one training puzzle/,
    );
  });
});

describe('test batches', () => {
  it('hold the puzzles that a set has at each place', () => {
    const set = ungrouped(
      Array.from({ length: 6 }, (_, i) => ({ input: Uint8Array.of(i, 1), label: Uint8Array.of(i, 5 - i) })),
      { name: 'of several', note: '', width: 2, height: 1, vocabSize: 6 },
    );
    const grouped = {
      ...set,
      ignore: 3,
      puzzleIds: 9,
      ids: Int32Array.of(4, 7, 8),
      puzzleOffsets: Int32Array.of(0, 1, 4, 6),
      groupOffsets: Int32Array.of(0, 2, 3),
    };
    const batches = [...testBatches(grouped, 1)];
    assert.deepEqual(
      batches.map(({ puzzleIds }) => puzzleIds[0]),
      [4, 7, 7, 7, 8, 8],
    );
    batches.forEach(({ tokens, labels: solution, puzzleIds }, i) =>
      assert.deepEqual(puzzleAt(grouped, i), { question: tokens, solution, puzzleId: puzzleIds[0] }),
    );
  });

  it('hold every example once, in order, the last batch smaller', () => {
    const batches = [...testBatches(numbered(10), 4)];
    assert.deepEqual(
      batches.map(({ puzzleIds }) => puzzleIds.length),
      [4, 4, 2],
    );
    assert.deepEqual(
      batches.flatMap(({ tokens }) => firsts(tokens)),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.deepEqual(
      [...testBatches(numbered(10), 4, 5)].map(({ puzzleIds }) => puzzleIds.length),
      [4, 1],
    );
  });
});
