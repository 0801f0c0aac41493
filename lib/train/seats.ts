/**
 * The seats of an evaluation: which puzzle sits where, in which form and with how much noise,
 * and what becomes of a halted one.
 */
import type { Batch } from '../data/example.js';
import { checkRelabelling, relabel, relabelBack, type Forms, type Relabelling } from '../data/relabelling.js';
import type { Engine, InferResult, LatentState, Weights } from '../engine/engine.js';
import { InputError, show } from '../errors.js';
import { between, callback, notNegative, objectOf, oneOf, optional, whole, type Fields } from '../fields.js';
import type { LatentId } from '../model/calls.js';
import { Random } from '../random.js';
import { surest, vote, type Answer } from './ensemble.js';
import { addNoise, editLatents, startValues } from './latents.js';
import { finite } from './think.js';

/** How puzzles are thought about, beyond the paper too. */
export interface ThinkingOptions {
  /** Default average, the EMA weights the paper evaluates. */
  readonly weights?: Weights;
  /** Seats thought about at once: puzzles, times votes, times chains; one puzzle's at least. Default 128. */
  readonly batchSize?: number;
  /** Supervision steps. Default: the model's. More than it was trained with is allowed. */
  readonly supervisionSteps?: number;
  /**
   * A puzzle is done once a halting logit is above this, and the next one takes its seats. 0: more likely right than
   * wrong. With several votes or chains the first to halt answers for all ("halt first", arXiv 2601.19085).
   * Default: no puzzle halts.
   */
  readonly haltAbove?: number;
  /** The forms in which a puzzle may be written. Default: as it stands. */
  readonly forms?: Forms;
  /**
   * Forms of a puzzle thought about at once, which vote on the answer (test-time augmentation, arXiv 2601.19085).
   * Default 1.
   */
  readonly votes?: number;
  /**
   * Chains of thought a form, all but the first with noise;
   * the surest by its halting logit answers (PTRM, arXiv 2605.19943). Default 1.
   */
  readonly chains?: number;
  /**
   * Standard deviation of the noise on every latent z before every supervision step of a noisy chain. PTRM: 0.3.
   * Default 0.
   */
  readonly noise?: number;
  /** Draws views and noise. Default seed 0. */
  readonly random?: Random;
}

/** What may stand in each option of thinking. */
export const thinkingFields: Fields<ThinkingOptions> = {
  weights: optional(oneOf('raw', 'average')),
  batchSize: optional(whole(1)),
  supervisionSteps: optional(whole(1)),
  haltAbove: optional((value) => (typeof value === 'number' && !Number.isNaN(value) ? undefined : 'a number')),
  forms: optional(objectOf({ count: between(1, Infinity), draw: callback })),
  votes: optional(whole(1)),
  chains: optional(whole(1)),
  noise: optional(notNegative),
  random: optional((value) => (value instanceof Random ? undefined : 'a Random')),
};

/** How puzzles are searched. */
export interface SeatsOptions extends ThinkingOptions {
  /** Most forms of a puzzle, `votes` at a time until one halts; no more than there are. Default: votes. */
  readonly mostForms?: number;
  /** Forms that every puzzle is thought about in to the end, sure or not. Default 0. */
  readonly leastForms?: number;
}

/** What may stand in each option of a search. */
export const seatsFields: Fields<SeatsOptions> = {
  ...thinkingFields,
  mostForms: optional(whole(1)),
  leastForms: optional(whole(0)),
};

/** A puzzle that comes to the seats. */
export interface NumberedPuzzle {
  /** Its number, which with the seed fixes its forms and its noise. */
  readonly index: number;
  readonly puzzle: Batch;
}

/** One puzzle after a supervision step. */
export interface Thinking {
  readonly index: number;
  /** Token ids, [L]. */
  readonly question: Int32Array;
  /** Right answers, token ids, [L]; of a search for one puzzle, which knows none, the question. */
  readonly labels: Int32Array;
  /** Supervision steps made in the forms it is in. */
  readonly steps: number;
  /** What its forms and chains answer now, together. */
  readonly answer: Answer;
  /** The surest answer of all steps and forms so far, and the form that gave it, 0 being the puzzle as it stands. */
  readonly surest: Answer;
  readonly form: number;
  /** Forms tried, and passes made: one pass is one supervision step of one form (times chains). */
  readonly forms: number;
  readonly passes: number;
  /** It has halted. */
  readonly sure: boolean;
  /** It has halted, or had all its steps in all its forms, and leaves. */
  readonly done: boolean;
}

/** A puzzle being thought about, in votes × chains seats in a row; where forms run out, the last seats are empty. */
interface Place extends NumberedPuzzle {
  /** Forms it had before these. */
  readonly before: number;
  /** The forms it is in; undefined for the puzzle as it stands. */
  readonly forms: readonly (Relabelling | undefined)[];
  steps: number;
  passes: number;
  surest: { readonly answer: Answer; readonly form: number } | undefined;
}

/** Puzzles, one after another in a limited number of seats. */
export class Seats {
  /** Most forms of a puzzle: those asked for, or all there are. */
  readonly mostForms: number;
  readonly #engine: Engine;
  readonly #queue: Iterator<NumberedPuzzle>;
  readonly #options: ThinkingOptions;
  readonly #random: Random;
  readonly #votes: number;
  readonly #chains: number;
  readonly #noise: number;
  readonly #mostSteps: number;
  readonly #leastForms: number;
  /** Seats a puzzle. */
  readonly #block: number;
  readonly #mostPlaces: number;
  #starts: ReadonlyMap<LatentId, Float32Array> | undefined;
  #state: LatentState | undefined;
  #places: (Place | undefined)[] = [];
  /** Puzzles that are still to come. */
  #waiting: number;

  /**
   * The first `count` of some puzzles, given one at a time; each option was checked. Throws InputError for options that
   * are impossible together.
   */
  constructor(engine: Engine, puzzles: Iterator<NumberedPuzzle>, count: number, options: SeatsOptions) {
    const {
      batchSize = 128,
      forms,
      votes = 1,
      mostForms = votes,
      leastForms = 0,
      chains = 1,
      noise = 0,
      supervisionSteps = engine.config.supervisionSteps,
    } = options;
    if (mostForms < votes)
      throw new InputError(`mostForms: expected at least the ${votes} that vote, got ${mostForms}`);
    if (mostForms > votes && options.haltAbove === undefined)
      throw new InputError(`mostForms: expected haltAbove with it, which ends the search, got ${mostForms} alone`);
    const most = Math.min(mostForms, forms?.count ?? 1);
    if (leastForms > most)
      throw new InputError(`leastForms: expected a whole number from 0 to ${most}, got ${leastForms}`);
    if (leastForms > 0 && votes > 1)
      throw new InputError(`votes: expected 1 with leastForms, whose forms take turns, got ${votes}`);
    if (noise > 0 && chains === 1)
      throw new InputError(`noise: expected chains with it, all but the first of which are noisy, got ${noise} of one`);
    if (forms === undefined && mostForms > 1)
      throw new InputError(`votes, mostForms: expected forms with them, got ${mostForms} of none`);
    if (forms !== undefined && votes > forms.count)
      throw new InputError(`votes: expected at most ${forms.count}, the forms of such a puzzle, got ${votes}`);
    this.mostForms = most;
    this.#engine = engine;
    this.#queue = puzzles;
    this.#options = options;
    this.#random = options.random ?? new Random(0);
    this.#votes = votes;
    this.#chains = chains;
    this.#noise = noise;
    this.#mostSteps = supervisionSteps;
    this.#leastForms = leastForms;
    this.#block = votes * chains;
    this.#mostPlaces = Math.max(1, Math.floor(batchSize / this.#block));
    this.#waiting = count;
  }

  /** What has been thought about the puzzles in the seats, in whole puzzles. */
  get underWay(): number {
    const share = ({ before, forms, steps }: Place): number =>
      (before + (forms.length * steps) / this.#mostSteps) / this.mostForms;
    return this.#places.reduce((sum, place) => sum + (place === undefined ? 0 : share(place)), 0);
  }

  /**
   * One supervision step for every puzzle in the seats,
   * after free seats were given to the next ones. Nothing: all are done.
   */
  async step(): Promise<Thinking[]> {
    await this.#seatPuzzles();
    const places = this.#places;
    if (this.#state === undefined || places.length === 0) return [];
    const L = this.#engine.config.sequenceLength;
    const seats = this.#state.batchSize;
    const [tokens, puzzleIds, reset] = [new Int32Array(seats * L), new Int32Array(seats), new Uint8Array(seats)];
    for (let seat = 0; seat < seats; seat++) {
      const place = this.#placeOf(seat);
      if (place === undefined) continue;
      const form = place.forms[this.#formOf(seat)];
      tokens.set(form === undefined ? place.puzzle.tokens : relabel(place.puzzle.tokens, form), seat * L);
      puzzleIds[seat] = place.puzzle.puzzleIds[0] ?? 0;
      reset[seat] = place.steps === 0 ? 1 : 0;
    }
    if (this.#noise > 0 && this.#chains > 1) await this.#disturb(this.#state, reset);
    const result = await this.#engine.inferStep(this.#state, {
      tokens,
      puzzleIds,
      reset,
      weights: this.#options.weights ?? 'average',
    });
    return places.flatMap((place, at) => {
      if (place === undefined) return [];
      const thinking = this.#take(place, this.#answers(result, at, place));
      if (thinking.done) places[at] = undefined;
      else if (place.steps === this.#mostSteps) places[at] = this.#nextForms(place);
      return [thinking];
    });
  }

  dispose(): void {
    this.#state?.dispose();
  }

  #placeOf(seat: number): Place | undefined {
    const place = this.#places[Math.floor(seat / this.#block)];
    return place !== undefined && this.#formOf(seat) < place.forms.length ? place : undefined;
  }

  #formOf(seat: number): number {
    return Math.floor((seat % this.#block) / this.#chains);
  }

  /** Notes what a place's seats answer after a step. */
  #take(place: Place, answers: readonly Answer[]): Thinking {
    const first = surest(answers);
    if (place.surest === undefined || first.haltLogit > place.surest.answer.haltLogit)
      place.surest = { answer: first, form: place.before + Math.floor(answers.indexOf(first) / this.#chains) };
    const steps = ++place.steps;
    const passes = (place.passes += answers.length);
    const { haltAbove = Infinity } = this.#options;
    const forms = place.before + place.forms.length;
    const mayEnd = forms > this.#leastForms || (forms === this.#leastForms && steps === this.#mostSteps);
    const sure = mayEnd && place.surest.answer.haltLogit > haltAbove;
    return {
      index: place.index,
      question: place.puzzle.tokens,
      labels: place.puzzle.labels,
      steps,
      answer: first.haltLogit > haltAbove ? first : this.#decide(answers),
      surest: place.surest.answer,
      form: place.surest.form,
      forms,
      passes,
      sure,
      done: sure || (steps === this.#mostSteps && forms === this.mostForms),
    };
  }

  /** The answers of one place's seats, in the puzzle's own form, form by form and chain by chain. */
  #answers({ predictions, haltLogits }: InferResult, at: number, place: Place): Answer[] {
    const L = place.puzzle.tokens.length;
    return Array.from({ length: place.forms.length * this.#chains }, (_, i) => {
      const seat = at * this.#block + i;
      const prediction = predictions.subarray(seat * L, (seat + 1) * L);
      const form = place.forms[this.#formOf(seat)];
      return {
        tokens: form === undefined ? prediction : relabelBack(prediction, form),
        haltLogit: finite(haltLogits[seat]),
      };
    });
  }

  /** In each form the surest chain; among the forms the majority. */
  #decide(answers: readonly Answer[]): Answer {
    return vote(
      Array.from({ length: answers.length / this.#chains }, (_, form) =>
        surest(answers.slice(form * this.#chains, (form + 1) * this.#chains)),
      ),
    );
  }

  async #seatPuzzles(): Promise<void> {
    const room = this.#places.length === 0 ? Math.min(this.#mostPlaces, this.#waiting) : this.#places.length;
    for (let at = 0; at < room && this.#waiting > 0; at++)
      if (this.#places[at] === undefined) this.#places[at] = this.#nextPlace();
    const taken = this.#places.filter((place) => place !== undefined);
    const fresh = taken.every(({ steps }) => steps === 0);
    // Empty places cost as much thinking as taken ones, so few puzzles that are left move together.
    if (this.#state === undefined || (fresh && taken.length < room) || taken.length <= room / 2)
      await this.#moveTogether(taken, fresh);
  }

  #nextPlace(): Place {
    const next = this.#queue.next();
    if (next.done === true) throw new Error('fewer puzzles came than were said');
    const { index, puzzle } = next.value;
    const { tokens } = puzzle;
    if (!(tokens instanceof Int32Array))
      throw new InputError(
        `puzzle: expected token ids in an Int32Array, such as question of ownSudoku(text), got ${show(tokens)}`,
      );
    const { length } = tokens;
    const { sequenceLength } = this.#engine.config;
    if (length !== sequenceLength)
      throw new InputError(`puzzle: expected ${sequenceLength} tokens, as the model has, got ${show(length)}`);
    this.#waiting--;
    const forms = this.#draw(index, 0);
    return { index, puzzle, before: 0, forms, steps: 0, passes: 0, surest: undefined };
  }

  /** The same puzzle in the forms that come next. */
  #nextForms(place: Place): Place {
    const before = place.before + place.forms.length;
    return { ...place, before, forms: this.#draw(place.index, before), steps: 0 };
  }

  #draw(index: number, from: number): (Relabelling | undefined)[] {
    const random = this.#random.fork('views').fork(index);
    return Array.from({ length: Math.min(this.#votes, this.mostForms - from) }, (_, i) => {
      const form = from + i;
      if (form === 0) return undefined;
      const drawn = this.#options.forms!.draw(form, random.fork(form));
      checkRelabelling(drawn, this.#engine.config.sequenceLength, this.#engine.config.vocabSize);
      return drawn;
    });
  }

  /** Keeps only the places that are taken, with their latents unless all are new. */
  async #moveTogether(taken: readonly Place[], fresh: boolean): Promise<void> {
    const old = this.#state;
    const kept = this.#places.flatMap((place, at) => (place === undefined ? [] : [at]));
    this.#places = [...taken];
    this.#state = taken.length === 0 ? undefined : this.#engine.createState(taken.length * this.#block);
    if (old !== undefined && this.#state !== undefined && !fresh) {
      const moved = new Map<LatentId, Float32Array>();
      for (const [latent, values] of await old.read()) {
        const size = (values.length / old.batchSize) * this.#block;
        const together = new Float32Array(kept.length * size);
        kept.forEach((from, to) => together.set(values.subarray(from * size, (from + 1) * size), to * size));
        moved.set(latent, together);
      }
      await this.#state.write(moved);
    }
    old?.dispose();
  }

  /**
   * Noise on the z latents of every chain but the first of each form.
   * A seat's noise depends on the seed, its puzzle, form and chain, and step.
   */
  async #disturb(state: LatentState, reset: Uint8Array): Promise<void> {
    const starts = (this.#starts ??= await startValues(this.#engine));
    const noisy = Array.from(reset.keys()).filter(
      (seat) => seat % this.#chains > 0 && this.#placeOf(seat) !== undefined,
    );
    const streams = new Map(
      noisy.map((seat) => {
        const { index, before, steps } = this.#placeOf(seat)!;
        const chain = before * this.#chains + (seat % this.#block);
        return [seat, this.#random.fork('noise').fork(index).fork(chain).fork(steps)];
      }),
    );
    await editLatents(state, noisy, (values, latent, seat) => {
      const start = starts.get(latent)!;
      if (reset[seat] === 1) for (let at = 0; at < values.length; at += start.length) values.set(start, at);
      if (latent !== 'y') addNoise(values, this.#noise, streams.get(seat)!);
    });
    for (const seat of noisy) reset[seat] = 0;
  }
}
