/** The carry: which puzzle sits in which seat, how long it has been thought about, and when it leaves (spec §2). */
import type { Batch } from '../engine/engine.js';
import type { ModelConfig } from '../model/config.js';
import type { Random } from '../random.js';

/** B seats. The latents of the same seats live in the engine. */
export interface Carry {
  /** The puzzles being worked on: tokens and labels [B, L], puzzle ids [B]. */
  readonly puzzles: Batch;
  /** Supervision steps spent on each puzzle, [B]. */
  readonly steps: Int32Array;
  /** 1 where the seat takes a new puzzle before the next step, [B]. */
  readonly halted: Uint8Array;
}

/** A carry before the first step: every seat is halted, so every seat takes a puzzle. */
export function emptyCarry(batchSize: number, sequenceLength: number): Carry {
  return {
    puzzles: {
      tokens: new Int32Array(batchSize * sequenceLength),
      labels: new Int32Array(batchSize * sequenceLength),
      puzzleIds: new Int32Array(batchSize),
    },
    steps: new Int32Array(batchSize),
    halted: new Uint8Array(batchSize).fill(1),
  };
}

/**
 * Halted seats take the puzzle offered in their row and start again; the others keep theirs, and the row offered to them is dropped.
 * The seats refilled are those with steps 0 afterwards: their latents must be reset.
 */
export function refill(carry: Carry, offered: Batch): Carry {
  const batchSize = carry.steps.length;
  const length = carry.puzzles.tokens.length / batchSize;
  const tokens = carry.puzzles.tokens.slice();
  const labels = carry.puzzles.labels.slice();
  const puzzleIds = carry.puzzles.puzzleIds.slice();
  for (let seat = 0; seat < batchSize; seat++) {
    if (carry.halted[seat] === 0) continue;
    const [from, to] = [seat * length, (seat + 1) * length];
    tokens.set(offered.tokens.subarray(from, to), from);
    labels.set(offered.labels.subarray(from, to), from);
    puzzleIds[seat] = offered.puzzleIds[seat] ?? 0;
  }
  return {
    puzzles: { tokens, labels, puzzleIds },
    steps: carry.steps.map((steps, seat) => (carry.halted[seat] === 1 ? 0 : steps)),
    halted: new Uint8Array(batchSize),
  };
}

/** 1 where the coming supervision step is the seat's last permitted one, [B]. */
export function lastSteps(carry: Carry, config: ModelConfig): Uint8Array {
  return Uint8Array.from(carry.steps, (steps) => (steps + 1 >= config.supervisionSteps ? 1 : 0));
}

/**
 * Counts the step just made and decides who halts (training rule, spec §2.2): at N_sup steps always, before if the model
 * thinks it is right, unless the seat drew a longer exploration this time.
 */
export function advance(carry: Carry, haltLogits: Float32Array, continueLogits: Float32Array, config: ModelConfig, random: Random): Carry {
  const { supervisionSteps: most, explorationProbability, halting } = config;
  const steps = carry.steps.map((count) => count + 1);
  const halted = Uint8Array.from(steps, (count, seat) => {
    if (most === 1 || count >= most) return 1;
    const threshold = halting === 'halt' ? 0 : (continueLogits[seat] ?? 0);
    const wantsToHalt = (haltLogits[seat] ?? 0) > threshold;
    // Drawn for every seat that may go on, wanting to halt or not: what a seat draws depends on the others' steps, not on their logits.
    const least = random.bernoulli(explorationProbability) ? 2 + random.integer(most - 1) : 0;
    return wantsToHalt && count >= least ? 1 : 0;
  });
  return { puzzles: carry.puzzles, steps, halted };
}
