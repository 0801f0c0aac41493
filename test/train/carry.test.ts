/** The carry's rules of spec §2, on hand-worked cases. */
import assert from 'node:assert/strict';
import { paperConfig } from '../../lib/model/config.js';
import { Random } from '../../lib/random.js';
import { advance, emptyCarry, lastSteps, refill, type Carry } from '../../lib/train/carry.js';

const config = { ...paperConfig, supervisionSteps: 4, explorationProbability: 0, sequenceLength: 2 };

/** A batch of three puzzles whose every number says where it came from. */
function batch(base: number): { tokens: Int32Array; labels: Int32Array; puzzleIds: Int32Array } {
  return {
    tokens: Int32Array.from([0, 1, 2, 3, 4, 5], (i) => base + i),
    labels: Int32Array.from([0, 1, 2, 3, 4, 5], (i) => base + 50 + i),
    puzzleIds: Int32Array.of(base, base + 1, base + 2),
  };
}

describe('carry', () => {
  it('fills every seat of an empty carry', () => {
    const filled = refill(emptyCarry(3, 2), batch(100));
    assert.deepEqual([...filled.puzzles.tokens], [100, 101, 102, 103, 104, 105]);
    assert.deepEqual([...filled.steps], [0, 0, 0]);
    assert.deepEqual([...filled.halted], [0, 0, 0]);
  });

  it('gives new puzzles to halted seats only, and drops the rows offered to the others', () => {
    const before: Carry = { puzzles: batch(100), steps: Int32Array.of(2, 4, 1), halted: Uint8Array.of(0, 1, 0) };
    const after = refill(before, batch(200));
    assert.deepEqual([...after.puzzles.tokens], [100, 101, 202, 203, 104, 105]);
    assert.deepEqual([...after.puzzles.labels], [150, 151, 252, 253, 154, 155]);
    assert.deepEqual([...after.puzzles.puzzleIds], [100, 201, 102]);
    assert.deepEqual([...after.steps], [2, 0, 1]);
    assert.deepEqual([...before.steps], [2, 4, 1], 'the old carry is unchanged');
  });

  it('halts above 0, strictly, and always at the last step', () => {
    const before: Carry = { puzzles: batch(100), steps: Int32Array.of(0, 0, 3), halted: new Uint8Array(3) };
    assert.deepEqual([...lastSteps(before, config)], [0, 0, 1]);
    const after = advance(before, Float32Array.of(0, 0.1, -9), new Float32Array(3), config, new Random(0));
    assert.deepEqual([...after.halted], [0, 1, 1]);
    assert.deepEqual([...after.steps], [1, 1, 4]);
  });

  it('compares halt with continue under ACT', () => {
    const before: Carry = { puzzles: batch(100), steps: new Int32Array(3), halted: new Uint8Array(3) };
    const act = { ...config, halting: 'halt-or-continue' as const };
    const after = advance(before, Float32Array.of(-1, 2, 1), Float32Array.of(-2, 3, 1), act, new Random(0));
    assert.deepEqual([...after.halted], [1, 0, 0]);
  });

  it('exploration always drawn holds a seat back at step s ≥ 2 with probability (N_sup − s) / (N_sup − 1)', () => {
    // The least number of steps is uniform on 2 … 4, so at step 2 a seat that wants to halt may do so in one draw of
    // three.
    const exploring = { ...config, explorationProbability: 1 };
    const seats = 30_000;
    const start = emptyCarry(seats, 1);
    const before: Carry = { ...start, steps: new Int32Array(seats).fill(1), halted: new Uint8Array(seats) };
    const after = advance(before, new Float32Array(seats).fill(5), new Float32Array(seats), exploring, new Random(7));
    const share = after.halted.reduce((sum, bit) => sum + bit, 0) / seats;
    assert.ok(Math.abs(share - 1 / 3) < 0.012, `share ${share}: expected 1/3 within four standard errors`);
  });
});
