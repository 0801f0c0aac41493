/**
 * Thinking without learning, for many puzzles: a batch of seats that puzzles take one after another. As the paper
 * evaluates, a puzzle has one seat for all its steps; with votes or chains it has several, and it may halt before.
 */
import type { Batch } from '../data/example.js';
import { checkRelabelling, relabel, relabelBack, type Forms, type Relabelling } from '../data/relabelling.js';
import type { Engine, InferResult, LatentState, Weights } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { between, callback, notNegative, objectOf, oneOf, optional, whole, type Fields } from '../fields.js';
import type { LatentId } from '../model/calls.js';
import { Random } from '../random.js';
import { surest, vote, type Answer } from './ensemble.js';
import { addNoise, editLatents, startValues } from './latents.js';
import { finite } from './think.js';

/** How puzzles are thought about. The paper's way is the default. */
export interface ThinkingOptions {
  /** Default average, the EMA weights the paper evaluates. */
  readonly weights?: Weights;
  /** Seats computed together: puzzles × votes × chains, at least those of one puzzle. Default 128. */
  readonly batchSize?: number;
  /** Supervision steps. Default: the model's. More than it was trained with is allowed. */
  readonly supervisionSteps?: number;
  /**
   * A puzzle halts once one of its halting logits exceeds this, and the next puzzle takes its seats. Above 0, an answer
   * is more likely right than wrong. The first vote or chain to halt answers for all (arXiv 2601.19085). Default: none
   * halts.
   */
  readonly haltAbove?: number;
  /** The forms in which a puzzle may be written. Default: the original alone. */
  readonly forms?: Forms;
  /**
   * Number of forms of a puzzle computed together, which vote on its answer (test-time augmentation, arXiv 2601.19085).
   * Default 1.
   */
  readonly votes?: number;
  /**
   * Chains of thought a form, all but the first with noise.
   * The surest by its halting logit answers (PTRM, arXiv 2605.19943). Default 1.
   */
  readonly chains?: number;
  /**
   * Standard deviation of the noise that a noisy chain adds to every latent z before every supervision step. PTRM: 0.3.
   * Default 0.
   */
  readonly noise?: number;
  /** Draws forms and noise. Default seed 0. */
  readonly random?: Random;
}

/** Allowed values of each option. */
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

/** How puzzles are searched: in form after form, until the halting head is sure. */
export interface SeatsOptions extends ThinkingOptions {
  /** Most forms of a puzzle, `votes` at a time until one halts; no more than there are. Default: votes. */
  readonly mostForms?: number;
  /** Forms of every puzzle that get all their steps, sure or not. Default 0. */
  readonly leastForms?: number;
}

/** Allowed values of each option of a search. */
export const seatsFields: Fields<SeatsOptions> = {
  ...thinkingFields,
  mostForms: optional(whole(1)),
  leastForms: optional(whole(0)),
};

/** A puzzle that waits for seats. */
export interface NumberedPuzzle {
  /** Its number; with the seed it determines the puzzle's forms and noise. */
  readonly index: number;
  readonly puzzle: Batch;
}

/** One puzzle after a supervision step. */
export interface Thinking {
  readonly index: number;
  /** Token ids, [L]. */
  readonly question: Int32Array;
  /** Right answers, token ids, [L]. For a search of a single puzzle, whose answer is unknown, the question. */
  readonly labels: Int32Array;
  /** Supervision steps made in the current forms. */
  readonly steps: number;
  /** The current answer of its forms and chains together. */
  readonly answer: Answer;
  /** The surest answer over all steps and forms so far, and the form that gave it; 0 is the original. */
  readonly surest: Answer;
  readonly form: number;
  /** Forms tried, and passes made. One pass is one supervision step of one chain of one form. */
  readonly forms: number;
  readonly passes: number;
  /** It has halted. */
  readonly sure: boolean;
  /** It has halted, or made all steps in all forms, and leaves its seats. */
  readonly done: boolean;
}

/** A puzzle in its row of votes × chains seats; the last ones are empty if its forms run out. */
interface Seated extends NumberedPuzzle {
  /** Number of forms before the current ones. */
  readonly before: number;
  /** The current forms; undefined for the original. */
  readonly forms: readonly (Relabelling | undefined)[];
  /** Supervision steps made in these forms, and passes made in all. */
  steps: number;
  passes: number;
  surest: { readonly answer: Answer; readonly form: number } | undefined;
}

/** Puzzles, one after another in a limited number of seats. */
export class Seats {
  /** Most forms of a puzzle: the number asked for, or all that exist. */
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
  /** The seats of a row: votes × chains. */
  readonly #seatsAPuzzle: number;
  readonly #mostPuzzles: number;
  #starts: ReadonlyMap<LatentId, Float32Array> | undefined;
  #state: LatentState | undefined;
  /** The puzzle in each row of seats; undefined for a free row. */
  #rows: (Seated | undefined)[] = [];
  /** Number of puzzles still to come. */
  #waiting: number;

  /**
   * Takes the first `count` puzzles of an iterator. Expects options whose values are checked one by one; throws
   * InputError for impossible combinations.
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
    if (noise > 0 && engine.schedule.latents.every((latent) => latent === 'y'))
      throw new InputError(
        `noise: expected a model with a latent z, which gets the noise, got ${noise} for one without`,
      );
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
    this.#seatsAPuzzle = votes * chains;
    this.#mostPuzzles = Math.max(1, Math.floor(batchSize / this.#seatsAPuzzle));
    this.#waiting = count;
  }

  /** Yields the puzzles in the seats after every supervision step. Frees memory when all are done, or on leaving. */
  async *thoughts(): AsyncGenerator<readonly Thinking[], void> {
    try {
      for (let all = await this.#step(); all.length > 0; all = await this.#step()) yield all;
    } finally {
      this.#state?.dispose();
    }
  }

  /** Work done on the puzzles in the seats, in units of whole puzzles. */
  get underWay(): number {
    const share = ({ before, forms, steps }: Seated): number =>
      (before + (forms.length * steps) / this.#mostSteps) / this.mostForms;
    return this.#rows.reduce((sum, seated) => sum + (seated === undefined ? 0 : share(seated)), 0);
  }

  /** Gives free seats to the next puzzles, and makes one step in all seats. Returns none once all puzzles are done. */
  async #step(): Promise<Thinking[]> {
    await this.#fillSeats();
    if (this.#state === undefined) return [];
    const L = this.#engine.config.sequenceLength;
    const seats = this.#state.batchSize;
    const [tokens, puzzleIds, reset] = [new Int32Array(seats * L), new Int32Array(seats), new Uint8Array(seats)];
    for (let seat = 0; seat < seats; seat++) {
      const seated = this.#seatedIn(seat);
      if (seated === undefined) continue;
      const form = seated.forms[this.#formOf(seat)];
      tokens.set(form === undefined ? seated.puzzle.tokens : relabel(seated.puzzle.tokens, form), seat * L);
      puzzleIds[seat] = seated.puzzle.puzzleIds[0] ?? 0;
      reset[seat] = seated.steps === 0 ? 1 : 0;
    }
    if (this.#noise > 0 && this.#chains > 1) await this.#disturb(this.#state, reset);
    const { weights = 'average' } = this.#options;
    const result = await this.#engine.inferStep(this.#state, { tokens, puzzleIds, reset, weights });
    return this.#rows.flatMap((seated, row) => {
      if (seated === undefined) return [];
      const thinking = this.#judged(seated, this.#answers(result, row, seated));
      if (thinking.done) this.#rows[row] = undefined;
      else if (seated.steps === this.#mostSteps) this.#rows[row] = this.#inNextForms(seated);
      return [thinking];
    });
  }

  async #fillSeats(): Promise<void> {
    const room = this.#rows.length === 0 ? Math.min(this.#mostPuzzles, this.#waiting) : this.#rows.length;
    for (let row = 0; row < room && this.#waiting > 0; row++) this.#rows[row] ??= this.#nextPuzzle();
    const taken = this.#rows.filter((seated) => seated !== undefined);
    const fresh = taken.every(({ steps }) => steps === 0);
    // Free seats cost as much as taken ones, so the remaining puzzles move into a smaller batch.
    if (this.#state === undefined || (fresh && taken.length < room) || taken.length <= room / 2)
      await this.#moveTogether(taken, fresh);
  }

  #nextPuzzle(): Seated {
    const next = this.#queue.next();
    if (next.done === true) throw new Error('fewer puzzles came than were said');
    this.#waiting--;
    const { index, puzzle } = next.value;
    return { index, puzzle, before: 0, forms: this.#forms(index, 0), steps: 0, passes: 0, surest: undefined };
  }

  /** The same puzzle in its next forms. */
  #inNextForms(seated: Seated): Seated {
    const before = seated.before + seated.forms.length;
    return { ...seated, before, forms: this.#forms(seated.index, before), steps: 0 };
  }

  /** The forms of puzzle `index` from number `from` on, `votes` of them or those that are left. */
  #forms(index: number, from: number): (Relabelling | undefined)[] {
    const random = this.#random.fork('views').fork(index);
    return Array.from({ length: Math.min(this.#votes, this.mostForms - from) }, (_, i) => {
      const form = from + i;
      if (form === 0) return undefined;
      const drawn = this.#options.forms!.draw(form, random.fork(form));
      checkRelabelling(drawn, this.#engine.config.sequenceLength, this.#engine.config.vocabSize);
      return drawn;
    });
  }

  /** Keeps only the taken rows, with their latents unless all puzzles are new. */
  async #moveTogether(taken: readonly Seated[], fresh: boolean): Promise<void> {
    const old = this.#state;
    const kept = this.#rows.flatMap((seated, row) => (seated === undefined ? [] : [row]));
    this.#rows = [...taken];
    this.#state = taken.length === 0 ? undefined : this.#engine.createState(taken.length * this.#seatsAPuzzle);
    if (old !== undefined && this.#state !== undefined && !fresh) {
      const moved = new Map<LatentId, Float32Array>();
      for (const [latent, values] of await old.read()) {
        const size = (values.length / old.batchSize) * this.#seatsAPuzzle;
        const together = new Float32Array(kept.length * size);
        kept.forEach((from, to) => together.set(values.subarray(from * size, (from + 1) * size), to * size));
        moved.set(latent, together);
      }
      await this.#state.write(moved);
    }
    old?.dispose();
  }

  /** The puzzle in a seat; undefined for an empty seat. */
  #seatedIn(seat: number): Seated | undefined {
    const seated = this.#rows[Math.floor(seat / this.#seatsAPuzzle)];
    return seated !== undefined && this.#formOf(seat) < seated.forms.length ? seated : undefined;
  }

  #formOf(seat: number): number {
    return Math.floor((seat % this.#seatsAPuzzle) / this.#chains);
  }

  /**
   * Noise on the z latents of every chain but the first of each form.
   * A seat's noise depends on the seed, its puzzle, form and chain, and step.
   */
  async #disturb(state: LatentState, reset: Uint8Array): Promise<void> {
    const starts = (this.#starts ??= await startValues(this.#engine));
    const noisy = Array.from(reset.keys()).filter(
      (seat) => seat % this.#chains > 0 && this.#seatedIn(seat) !== undefined,
    );
    const streams = new Map(
      noisy.map((seat) => {
        const { index, before, steps } = this.#seatedIn(seat)!;
        const chain = before * this.#chains + (seat % this.#seatsAPuzzle);
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

  /** The answers of a puzzle, turned back to its original form, in the order of forms, then chains. */
  #answers({ predictions, haltLogits }: InferResult, row: number, { puzzle, forms }: Seated): Answer[] {
    const L = puzzle.tokens.length;
    return Array.from({ length: forms.length * this.#chains }, (_, i) => {
      const seat = row * this.#seatsAPuzzle + i;
      const prediction = predictions.subarray(seat * L, (seat + 1) * L);
      const form = forms[this.#formOf(seat)];
      return {
        tokens: form === undefined ? prediction : relabelBack(prediction, form),
        haltLogit: finite(haltLogits[seat]),
      };
    });
  }

  /** Counts a step of a puzzle, and decides its answer and whether it is done. */
  #judged(seated: Seated, answers: readonly Answer[]): Thinking {
    const first = surest(answers);
    if (seated.surest === undefined || first.haltLogit > seated.surest.answer.haltLogit)
      seated.surest = { answer: first, form: seated.before + Math.floor(answers.indexOf(first) / this.#chains) };
    const steps = ++seated.steps;
    const passes = (seated.passes += answers.length);
    const { haltAbove = Infinity } = this.#options;
    const forms = seated.before + seated.forms.length;
    const mayEnd = forms > this.#leastForms || (forms === this.#leastForms && steps === this.#mostSteps);
    const sure = mayEnd && seated.surest.answer.haltLogit > haltAbove;
    return {
      index: seated.index,
      question: seated.puzzle.tokens,
      labels: seated.puzzle.labels,
      steps,
      answer: first.haltLogit > haltAbove ? first : this.#voted(answers),
      surest: seated.surest.answer,
      form: seated.surest.form,
      forms,
      passes,
      sure,
      done: sure || (steps === this.#mostSteps && forms === this.mostForms),
    };
  }

  /** The majority among the forms, each represented by its surest chain. */
  #voted(answers: readonly Answer[]): Answer {
    return vote(
      Array.from({ length: answers.length / this.#chains }, (_, form) =>
        surest(answers.slice(form * this.#chains, (form + 1) * this.#chains)),
      ),
    );
  }
}
