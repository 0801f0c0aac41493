/** Thinking about one puzzle: the model's answer after each supervision step. */
import { checkEngine } from '../engine/checks.js';
import { NotFiniteError, type Engine, type InferResult, type LatentState, type Weights } from '../engine/engine.js';
import { sigmoid } from '../engine/losses.js';
import { callback, checkFields, oneOf, optional, whole, type Fields } from '../fields.js';

/** What the model answers after one supervision step. */
export interface Thought {
  /** Supervision step, from 1. */
  readonly step: number;
  /** The board it would answer now, token ids, [L]. */
  readonly prediction: Int32Array;
  /** How likely the model thinks this board is right, 0 … 1. */
  readonly haltProbability: number;
}

/** How to think about one puzzle. */
interface ThinkOptions {
  /** Row of the model's puzzle table. Default 0. */
  readonly puzzleId?: number;
  /** Default the model's. */
  readonly supervisionSteps?: number;
  /** Default average. */
  readonly weights?: Weights;
  /** Called with each answer at once. */
  readonly onThought?: (thought: Thought) => void;
}

const thinkFields: Fields<ThinkOptions> = {
  puzzleId: optional(whole(0)),
  supervisionSteps: optional(whole(1)),
  weights: optional(oneOf('raw', 'average')),
  onThought: optional(callback),
};

/**
 * Thinks about one puzzle (token ids, [L]). Returns the answer after every supervision step. Throws InputError for
 * impossible options.
 */
export async function think(engine: Engine, tokens: Int32Array, options: ThinkOptions = {}): Promise<Thought[]> {
  checkEngine(engine);
  checkFields('think', options, thinkFields);
  const { puzzleId = 0, supervisionSteps = engine.config.supervisionSteps, weights = 'average' } = options;
  const puzzles = { tokens, puzzleIds: Int32Array.of(puzzleId) };
  const state = engine.createState(1);
  const thoughts: Thought[] = [];
  try {
    for (let step = 0; step < supervisionSteps; step++) {
      const { predictions, haltLogits } = await thinkOnce(engine, state, puzzles, step, weights);
      const thought = { step: step + 1, prediction: predictions, haltProbability: sigmoid(finite(haltLogits[0])) };
      thoughts.push(thought);
      options.onThought?.(thought);
    }
  } finally {
    state.dispose();
  }
  return thoughts;
}

/** Returns a halting logit. Throws NotFiniteError if it overflowed, since the answer is then meaningless. */
export function finite(logit = NaN): number {
  if (Number.isFinite(logit)) return logit;
  throw new NotFiniteError('the model answers NaN: its weights are so large that its numbers overflow');
}

/** Supervision step 0, 1, … of seats that all started together: step 0 resets their latents. */
export function thinkOnce(
  engine: Engine,
  state: LatentState,
  { tokens, puzzleIds }: { readonly tokens: Int32Array; readonly puzzleIds: Int32Array },
  step: number,
  weights: Weights,
): Promise<InferResult> {
  const reset = new Uint8Array(state.batchSize).fill(step === 0 ? 1 : 0);
  return engine.inferStep(state, { tokens, puzzleIds, reset, weights });
}
