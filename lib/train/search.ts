/** One puzzle written in form after form, until the halting head says that an answer is right. */
import { gridRelabelling, drawSudokuRelabelling, identity, relabel, relabelBack } from '../data/relabelling.js';
import type { Relabelling } from '../data/relabelling.js';
import type { SudokuGeometry } from '../data/sudoku.js';
import type { Engine, Weights } from '../engine/engine.js';
import { InputError } from '../errors.js';
import type { Random } from '../random.js';
import type { Answer } from './ensemble.js';
import { thinkOnce } from './think.js';

/**
 * A Sudoku as it stands, then without end in other forms: digits renamed, lines moved.
 * Form k depends on the seed and k only.
 */
export function* sudokuForms(geometry: SudokuGeometry, random: Random): Generator<Relabelling, never> {
  yield identity(geometry.side ** 2, geometry.side + 2);
  for (let form = 1; ; form++) yield drawSudokuRelabelling(geometry, random.fork(form));
}

/** A square grid as it stands, then turned and mirrored: eight forms. */
export function* gridForms(side: number, vocabSize: number): Generator<Relabelling> {
  for (let id = 0; id < 8; id++) yield gridRelabelling(side, vocabSize, id);
}

/** How long and how widely to search. */
export interface SearchOptions {
  /** The forms, in the order in which they are tried. */
  readonly forms: Iterable<Relabelling>;
  /** Most forms to try. 1 or more. */
  readonly most: number;
  /** Supervision steps for each form. Default: the model's. */
  readonly supervisionSteps?: number;
  /** Forms thought about at once. Default 1. */
  readonly seats?: number;
  /**
   * The search ends once a halting logit is above this.
   * Default 0: more likely right than wrong, as the halting head sees it.
   */
  readonly threshold?: number;
  /** Row of the model's puzzle table. Default 0. */
  readonly puzzleId?: number;
  /** Default average. */
  readonly weights?: Weights;
}

/** Where a search stands after a supervision step. */
export interface SearchStep {
  /** Forms tried, those being thought about included. */
  readonly forms: number;
  /** Supervision steps made, those of every form counted. */
  readonly cycles: number;
  /** The surest answer so far, in the puzzle's own form. */
  readonly answer: Answer;
  /** The form that gave it, from 0, which is the first form. */
  readonly form: number;
  /** Its halting logit is above the threshold: the search has ended. */
  readonly sure: boolean;
}

/**
 * Thinks about one puzzle (token ids, [L]) in one form after another, `seats` of them at a time,
 * and yields after every supervision step. Ends with the first answer that the halting head is sure of, or,
 * honestly not sure, when `most` forms have had their steps or no form is left.
 * A search that the caller leaves early frees its memory. Throws InputError for impossible numbers.
 */
export async function* searchForms(
  engine: Engine,
  puzzle: Int32Array,
  options: SearchOptions,
): AsyncGenerator<SearchStep, void> {
  const { forms, most, supervisionSteps = engine.config.supervisionSteps, seats = 1, threshold = 0 } = options;
  for (const [name, value] of Object.entries({ most, supervisionSteps, seats })) {
    if (!Number.isInteger(value) || value < 1)
      throw new InputError(`${name}: expected a whole number from 1, got ${value}`);
  }
  const L = puzzle.length;
  let [tried, cycles] = [0, 0];
  let best: { readonly answer: Answer; readonly form: number } | undefined;
  for (const batch of batches(forms, most, seats)) {
    const tokens = new Int32Array(batch.length * L);
    batch.forEach((form, seat) => tokens.set(relabel(puzzle, form), seat * L));
    const puzzleIds = new Int32Array(batch.length).fill(options.puzzleId ?? 0);
    const first = tried;
    tried += batch.length;
    const state = engine.createState(batch.length);
    try {
      for (let step = 0; step < supervisionSteps; step++) {
        const result = await thinkOnce(engine, state, { tokens, puzzleIds }, step, options.weights ?? 'average');
        cycles += batch.length;
        for (const [seat, form] of batch.entries()) {
          const haltLogit = result.haltLogits[seat] ?? NaN;
          if (best !== undefined && !(haltLogit > best.answer.haltLogit)) continue;
          const prediction = result.predictions.subarray(seat * L, (seat + 1) * L);
          best = { answer: { tokens: relabelBack(prediction, form), haltLogit }, form: first + seat };
        }
        if (best === undefined) throw new Error('a batch without seats');
        const sure = best.answer.haltLogit > threshold;
        yield { forms: tried, cycles, ...best, sure };
        if (sure) return;
      }
    } finally {
      state.dispose();
    }
  }
}

/** The first `most` items, `size` at a time. */
function* batches<Item>(items: Iterable<Item>, most: number, size: number): Generator<Item[]> {
  let batch: Item[] = [];
  let taken = 0;
  for (const item of items) {
    batch.push(item);
    taken++;
    if (batch.length === size || taken === most) {
      yield batch;
      batch = [];
    }
    if (taken === most) return;
  }
  if (batch.length > 0) yield batch;
}
