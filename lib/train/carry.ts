/** The carry: which puzzle is in which seat, for how many supervision steps, and when it leaves (spec §2). */
import type { Batch } from '../data/example.js';
import type { ModelConfig } from '../model/config.js';
import type { Random } from '../random.js';

/** B seats, each with a puzzle that is thought about. The latents of the same seats live in the engine. */
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
 * Halted seats take the puzzle offered in their row, at step 0. The others keep theirs and drop the row offered to
 * them.
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

/** 1 if the coming supervision step is the seat's first, which resets its latents, [B]. */
export function firstSteps(carry: Carry): Uint8Array {
  return Uint8Array.from(carry.steps, (steps) => (steps === 0 ? 1 : 0));
}

/** 1 if the coming supervision step is the last one allowed to the seat, [B]. */
export function lastSteps(carry: Carry, config: ModelConfig): Uint8Array {
  return Uint8Array.from(carry.steps, (steps) => (steps + 1 >= config.supervisionSteps ? 1 : 0));
}

/**
 * Counts the step just made and decides which seats halt (training rule, spec §2.2). A seat halts at N_sup steps. It
 * halts earlier if the model thinks its answer right, unless it drew a higher least number of steps in this step.
 */
export function advance(
  carry: Carry,
  haltLogits: Float32Array,
  continueLogits: Float32Array,
  config: ModelConfig,
  random: Random,
): Carry {
  const { supervisionSteps: most, explorationProbability, halting } = config; // most: N_sup
  const steps = carry.steps.map((count) => count + 1);
  const halted = Uint8Array.from(steps, (count, seat) => {
    if (count >= most) return 1;
    const threshold = halting === 'halt' ? 0 : (continueLogits[seat] ?? 0);
    const wantsToHalt = (haltLogits[seat] ?? 0) > threshold;
    // Every seat that is not at N_sup draws, even if it does not want to halt: no draw depends on a logit of this step.
    const least = random.bernoulli(explorationProbability) ? 2 + random.integer(most - 1) : 0;
    return wantsToHalt && count >= least ? 1 : 0;
  });
  return { puzzles: carry.puzzles, steps, halted };
}

/** The same carry with so many steps added to every count, so that its puzzles leave earlier. */
export function aged(carry: Carry, steps: number): Carry {
  return { ...carry, steps: carry.steps.map((count) => count + steps) };
}

/** The seats of several carries of equal size, concatenated. */
export function joinCarries(carries: readonly Carry[]): Carry {
  const join = (of: (carry: Carry) => Int32Array): Int32Array => joinArrays(Int32Array, carries.map(of));
  return {
    puzzles: {
      tokens: join(({ puzzles }) => puzzles.tokens),
      labels: join(({ puzzles }) => puzzles.labels),
      puzzleIds: join(({ puzzles }) => puzzles.puzzleIds),
    },
    steps: join(({ steps }) => steps),
    halted: joinArrays(
      Uint8Array,
      carries.map(({ halted }) => halted),
    ),
  };
}

/** The reverse of joinCarries. */
export function splitCarry({ puzzles, steps, halted }: Carry, parts: number): Carry[] {
  return Array.from({ length: parts }, (_, i) => ({
    puzzles: {
      tokens: partOf(puzzles.tokens, i, parts),
      labels: partOf(puzzles.labels, i, parts),
      puzzleIds: partOf(puzzles.puzzleIds, i, parts),
    },
    steps: partOf(steps, i, parts),
    halted: partOf(halted, i, parts),
  }));
}

/** Concatenates arrays of one kind. */
export function joinArrays<Values extends Float32Array | Int32Array | Uint8Array>(
  kind: new (length: number) => Values,
  arrays: readonly Values[],
): Values {
  const joined = new kind(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    joined.set(array, at);
    at += array.length;
  }
  return joined;
}

/** A copy of the i-th of so many equal parts of an array. */
export function partOf<Values extends Float32Array | Int32Array | Uint8Array>(
  values: Values,
  i: number,
  parts: number,
): Values {
  const size = values.length / parts;
  return values.slice(i * size, (i + 1) * size) as Values;
}
