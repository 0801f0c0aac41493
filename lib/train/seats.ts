/**
 * The seats of an evaluation: which puzzle sits where, in which form and with how much noise,
 * and what becomes of a halted one.
 */
import { testBatches, type DataBatch } from '../data/batches.js';
import type { Dataset } from '../data/dataset.js';
import { relabel, relabelBack, type Relabelling } from '../data/relabelling.js';
import type { Engine, InferResult, LatentState, Weights } from '../engine/engine.js';
import { InputError } from '../errors.js';
import type { LatentId } from '../model/calls.js';
import { Random } from '../random.js';
import { surest, vote, type Answer } from './ensemble.js';
import { addNoise, editLatents, startValues } from './latents.js';

/** Ways to write each puzzle, the first being the puzzle as it stands. */
export interface Views {
  readonly count: number;
  /** View 1 … count − 1 of one puzzle. */
  readonly draw: (view: number, random: Random) => Relabelling;
}

/** How puzzles are thought about, beyond the paper too. */
export interface ThinkingOptions {
  /** Default average, the EMA weights the paper evaluates. */
  readonly weights?: Weights;
  /** Seats thought about at once: puzzles, times views, times chains; one puzzle's at least. Default 128. */
  readonly batchSize?: number;
  /** Supervision steps. Default: the model's. More than it was trained with is allowed. */
  readonly supervisionSteps?: number;
  /**
   * A puzzle is done once a halting logit is above 0, and the next one takes its seats.
   * With several views or chains the first to halt answers for all ("halt first", arXiv 2601.19085). Default false.
   */
  readonly halt?: boolean;
  /**
   * Every puzzle in several forms, which vote on the answer (test-time augmentation, arXiv 2601.19085).
   * Default: as it stands.
   */
  readonly views?: Views;
  /**
   * Chains of thought a view, all but the first with noise;
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
  /**
   * Which puzzle embedding the model gets: the puzzle's own (default), the blank one,
   * or that of the next puzzle of the set.
   */
  readonly puzzleIds?: PuzzleIdMode;
}

/** Own, or none, or a wrong one: how much of an answer is known from the puzzle's id alone. */
export type PuzzleIdMode = 'own' | 'blank' | 'shuffled';

/** One puzzle after a supervision step. */
export interface Thinking {
  /** Question and right answers as token ids, [L] each. */
  readonly question: Int32Array;
  readonly labels: Int32Array;
  /** Supervision steps made. */
  readonly steps: number;
  readonly answer: Answer;
  /** It has had all its steps, or has halted, and leaves. */
  readonly done: boolean;
}

/** A puzzle being thought about, in views × chains seats in a row. */
interface Place {
  readonly puzzle: DataBatch;
  /** Its number in the data set, which with the seed fixes its views and its noise. */
  readonly index: number;
  readonly views: readonly (Relabelling | undefined)[];
  steps: number;
}

/** All puzzles of a set, one after another in a limited number of seats. */
export class Seats {
  readonly #engine: Engine;
  readonly #queue: Iterator<DataBatch>;
  readonly #options: ThinkingOptions;
  readonly #random: Random;
  readonly #idFor: (id: number) => number;
  readonly #chains: number;
  readonly #noise: number;
  readonly #mostSteps: number;
  /** L. */
  readonly #cells: number;
  /** Seats a puzzle. */
  readonly #block: number;
  readonly #mostPlaces: number;
  #starts: ReadonlyMap<LatentId, Float32Array> | undefined;
  #state: LatentState | undefined;
  #places: (Place | undefined)[] = [];
  /** Puzzles seated so far, and those still waiting. */
  #seated = 0;
  #waiting: number;

  /** The first `puzzles` of a data set. Throws InputError for impossible numbers. */
  constructor(engine: Engine, dataset: Dataset, puzzles: number, options: ThinkingOptions) {
    const {
      batchSize = 128,
      views,
      chains = 1,
      noise = 0,
      supervisionSteps = engine.config.supervisionSteps,
    } = options;
    for (const [name, value] of Object.entries({ batchSize, views: views?.count ?? 1, chains, supervisionSteps })) {
      if (!Number.isInteger(value) || value < 1)
        throw new InputError(`${name}: expected a whole number from 1, got ${value}`);
    }
    if (!(noise >= 0 && noise < Infinity)) throw new InputError(`noise: expected a number from 0, got ${noise}`);
    this.#engine = engine;
    this.#queue = testBatches(dataset, 1, puzzles);
    this.#options = options;
    this.#random = options.random ?? new Random(0);
    this.#idFor = idsInstead(dataset, options.puzzleIds ?? 'own');
    this.#chains = chains;
    this.#noise = noise;
    this.#mostSteps = supervisionSteps;
    this.#cells = dataset.sequenceLength;
    this.#block = (views?.count ?? 1) * chains;
    this.#mostPlaces = Math.max(1, Math.floor(batchSize / this.#block));
    this.#waiting = puzzles;
  }

  /** What has been thought about the puzzles in the seats, in whole puzzles. */
  get underWay(): number {
    return this.#places.reduce((sum, place) => sum + (place === undefined ? 0 : place.steps / this.#mostSteps), 0);
  }

  /**
   * One supervision step for every puzzle in the seats,
   * after free seats were given to the next ones. Nothing: all are done.
   */
  async step(): Promise<Thinking[]> {
    await this.#seatPuzzles();
    const places = this.#places;
    if (this.#state === undefined || places.length === 0) return [];
    const L = this.#cells;
    const seats = this.#state.batchSize;
    const [tokens, puzzleIds, reset] = [new Int32Array(seats * L), new Int32Array(seats), new Uint8Array(seats)];
    for (let seat = 0; seat < seats; seat++) {
      const place = this.#placeOf(seat);
      if (place === undefined) continue;
      const view = place.views[this.#viewOf(seat)];
      tokens.set(view === undefined ? place.puzzle.tokens : relabel(place.puzzle.tokens, view), seat * L);
      puzzleIds[seat] = this.#idFor(place.puzzle.puzzleIds[0] ?? 0);
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
      const answers = this.#answers(result, at, place);
      const first = surest(answers);
      const halts = this.#options.halt === true && first.haltLogit > 0;
      const steps = ++place.steps;
      const done = halts || steps === this.#mostSteps;
      if (done) places[at] = undefined;
      return [
        {
          question: place.puzzle.tokens,
          labels: place.puzzle.labels,
          steps,
          answer: halts ? first : this.#decide(answers),
          done,
        },
      ];
    });
  }

  dispose(): void {
    this.#state?.dispose();
  }

  #placeOf(seat: number): Place | undefined {
    return this.#places[Math.floor(seat / this.#block)];
  }

  #viewOf(seat: number): number {
    return Math.floor((seat % this.#block) / this.#chains);
  }

  /** The answers of one place's seats, in the puzzle's own form, view by view and chain by chain. */
  #answers({ predictions, haltLogits }: InferResult, at: number, place: Place): Answer[] {
    const L = this.#cells;
    return Array.from({ length: this.#block }, (_, i) => {
      const seat = at * this.#block + i;
      const prediction = predictions.subarray(seat * L, (seat + 1) * L);
      const view = place.views[this.#viewOf(seat)];
      return {
        tokens: view === undefined ? prediction : relabelBack(prediction, view),
        haltLogit: haltLogits[seat] ?? NaN,
      };
    });
  }

  /** In each view the surest chain; among the views the majority. */
  #decide(answers: readonly Answer[]): Answer {
    return vote(
      Array.from({ length: answers.length / this.#chains }, (_, view) =>
        surest(answers.slice(view * this.#chains, (view + 1) * this.#chains)),
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
    if (next.done === true) throw new Error('the data set said more examples than it gave');
    const index = this.#seated++;
    this.#waiting--;
    const random = this.#random.fork('views').fork(index);
    const { views } = this.#options;
    return {
      puzzle: next.value,
      index,
      views: Array.from({ length: views?.count ?? 1 }, (_, view) =>
        view === 0 ? undefined : views?.draw(view, random.fork(view)),
      ),
      steps: 0,
    };
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
   * Noise on the z latents of every chain but the first of each view.
   * A seat's noise depends on the seed, its puzzle, place among its seats, and step.
   */
  async #disturb(state: LatentState, reset: Uint8Array): Promise<void> {
    const starts = (this.#starts ??= await startValues(this.#engine));
    const noisy = Array.from(reset.keys()).filter(
      (seat) => seat % this.#chains > 0 && this.#placeOf(seat) !== undefined,
    );
    const streams = new Map(
      noisy.map((seat) => [
        seat,
        this.#random
          .fork('noise')
          .fork(this.#placeOf(seat)!.index)
          .fork(seat % this.#block)
          .fork(this.#placeOf(seat)!.steps),
      ]),
    );
    await editLatents(state, noisy, (values, latent, seat) => {
      const start = starts.get(latent)!;
      if (reset[seat] === 1) for (let at = 0; at < values.length; at += start.length) values.set(start, at);
      if (latent !== 'y') addNoise(values, this.#noise, streams.get(seat)!);
    });
    for (const seat of noisy) reset[seat] = 0;
  }
}

/** The id that stands in for each puzzle id. Throws InputError where no other puzzle could lend its own. */
function idsInstead({ name, ids }: Dataset, mode: PuzzleIdMode): (id: number) => number {
  if (mode === 'own') return (id) => id;
  if (mode === 'blank') return () => 0;
  if (new Set(ids).size < 2)
    throw new InputError(
      `${name}: expected puzzles with ids of their own to exchange, got one id for all; shuffled ids are for ARC`,
    );
  const next = new Map(Array.from(ids, (id, puzzle) => [id, ids[(puzzle + 1) % ids.length] ?? 0]));
  return (id) => next.get(id) ?? 0;
}
