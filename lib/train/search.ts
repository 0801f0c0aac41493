/** Searches one puzzle: one form after another, until the halting head says that an answer is right. */
import { checkEngine } from '../engine/checks.js';
import type { Engine } from '../engine/engine.js';
import { InputError, show } from '../errors.js';
import { checkFields, optional, whole, type Fields } from '../fields.js';
import { Seats, seatsFields, type SeatsOptions, type Thinking } from './seats.js';

/** How to search for one puzzle. */
interface FormsOptions extends SeatsOptions {
  /** Row of the model's puzzle table. Default 0. */
  readonly puzzleId?: number;
}

const formsFields: Fields<FormsOptions> = { ...seatsFields, puzzleId: optional(whole(0)) };

/**
 * Thinks about one puzzle (token ids, [L]) in form after form, `votes` of them at a time, and yields after every
 * supervision step. Ends with the first answer whose halting logit is above haltAbove (default 0) or, not sure,
 * when all forms have had their steps. A search that the caller leaves early frees its memory.
 * Throws InputError for impossible options.
 */
export async function* searchForms(
  engine: Engine,
  puzzle: Int32Array,
  options: FormsOptions,
): AsyncGenerator<Thinking, void> {
  checkEngine(engine);
  const { puzzleId = 0, haltAbove = 0, ...rest } = checkFields('search', options, formsFields);
  const { sequenceLength } = engine.config;
  if (!(puzzle instanceof Int32Array))
    throw new InputError(
      `puzzle: expected token ids in an Int32Array, such as question of ownSudoku(text), got ${show(puzzle)}`,
    );
  if (puzzle.length !== sequenceLength)
    throw new InputError(`puzzle: expected ${sequenceLength} tokens, as the model has, got ${show(puzzle.length)}`);
  const asked = { tokens: puzzle, labels: puzzle, puzzleIds: Int32Array.of(puzzleId) };
  const seats = new Seats(engine, [{ index: 0, puzzle: asked }].values(), 1, { ...rest, haltAbove });
  for await (const thoughts of seats.thoughts()) yield* thoughts;
}
