/** A data set searched: every puzzle in form after form until the halting head is sure, and how often it was right. */
import { puzzleCount } from '../data/batches.js';
import type { Dataset } from '../data/dataset.js';
import type { Engine } from '../engine/engine.js';
import { checkFields, type Fields } from '../fields.js';
import { vote, type Answer } from './ensemble.js';
import { evaluateFields, Interrupted, puzzlesOf, type EvaluateOptions } from './evaluate.js';
import { scoreBoard } from './metrics.js';
import { Seats, seatsFields, type SeatsOptions } from './seats.js';

/** How one puzzle ended. */
export interface SearchedPuzzle {
  /** Supervision steps of all its forms, times chains. */
  readonly passes: number;
  /** Forms tried, and the one that gave the answer, 0 being the puzzle as it stands. */
  readonly forms: number;
  readonly form: number;
  /** Of the answer: that of the first sure form, else the surest of all. */
  readonly haltLogit: number;
  readonly sure: boolean;
  readonly right: boolean;
  /**
   * Every answer that was surer than all before it, in order: what a lower limit of passes or another threshold, up to
   * the search's own, would have given.
   */
  readonly surer: readonly SurerAnswer[];
}

/** An answer that was surer than all before it, after so many passes. */
export interface SurerAnswer {
  readonly passes: number;
  readonly haltLogit: number;
  readonly right: boolean;
}

/** What search at test time solves and costs. Never beside a single pass: it is another amount of thinking. */
export interface UntilSure {
  readonly puzzles: number;
  /** The limits: forms a puzzle, supervision steps a form, and the logit above which the head counts as sure. */
  readonly mostForms: number;
  readonly supervisionSteps: number;
  readonly haltAbove: number;
  /** Puzzles whose answer is right, sure or not. */
  readonly solved: number;
  /** Puzzles the head was sure of, those among them with a wrong answer, the share with a right one (null of none). */
  readonly sure: number;
  readonly falseStops: number;
  readonly headPrecision: number | null;
  /** Puzzles it was never sure of, and those among them whose surest answer is right. */
  readonly neverSure: number;
  readonly neverSureSolved: number;
  /** Passes a puzzle. */
  readonly passes: { readonly mean: number; readonly median: number; readonly largest: number };
  /** Puzzles that are right in the data set's other way (Dataset.alternative); absent where it has none. */
  readonly alternative?: { readonly name: string; readonly solved: number };
  /**
   * Puzzles that a majority vote over the last answers of the first 1, 2, … forms solves, as far as every puzzle has
   * had them (leastForms).
   */
  readonly votes: readonly number[];
  /** Every puzzle, in the order of the set. */
  readonly each: readonly SearchedPuzzle[];
  readonly seconds: number;
}

/** How to search a data set. haltAbove is 0 unless it is given; Infinity takes the surest of all forms. */
export type UntilSureOptions = Omit<SeatsOptions, 'first'> & Omit<EvaluateOptions, 'keep'>;

const { keep: _, first: __, ...fields } = { ...evaluateFields, ...seatsFields };
const untilSureFields: Fields<UntilSureOptions> = fields;

/**
 * Searches for every puzzle of a set. A puzzle that is done gives its seats to the next, so the mean is the cost.
 * Throws InputError for impossible options, Interrupted where shouldStop says so.
 */
export async function evaluateUntilSure(
  engine: Engine,
  dataset: Dataset,
  options: UntilSureOptions,
): Promise<UntilSure> {
  checkFields('search', options, untilSureFields);
  const total = puzzleCount(dataset, options.puzzles);
  const { haltAbove = 0, supervisionSteps = engine.config.supervisionSteps } = options;
  const puzzles = puzzlesOf(dataset, total, options.puzzleIds);
  const seats = new Seats(engine, puzzles, total, { ...options, haltAbove });
  const { leastForms = 0 } = options;
  const each: SearchedPuzzle[] = [];
  const surer = Array.from({ length: total }, (): SurerAnswer[] => []);
  const lastAnswers = Array.from({ length: total }, (): Answer[] => []);
  const votes = new Array<number>(leastForms).fill(0);
  const started = performance.now();
  let [finished, alsoSolved] = [0, 0];
  try {
    for (let thoughts = await seats.step(); thoughts.length > 0; thoughts = await seats.step()) {
      for (const { done, index, question, labels, steps, answer, surest, form, forms, passes, sure } of thoughts) {
        const isRight = ({ tokens }: Answer): boolean => scoreBoard(tokens, labels, 0, labels.length).exact;
        if (surest.haltLogit > (surer[index]!.at(-1)?.haltLogit ?? -Infinity))
          surer[index]!.push({ passes, haltLogit: surest.haltLogit, right: isRight(surest) });
        if (steps === supervisionSteps && forms <= leastForms) {
          lastAnswers[index]!.push(answer);
          votes[forms - 1]! += isRight(vote(lastAnswers[index]!)) ? 1 : 0;
        }
        if (!done) continue;
        const right = isRight(surest);
        each[index] = { passes, forms, form, haltLogit: surest.haltLogit, sure, right, surer: surer[index]! };
        alsoSolved += right || dataset.alternative?.accepts(question, surest.tokens) === true ? 1 : 0;
        finished++;
      }
      await options.onProgress?.({ done: finished + seats.underWay, total });
      if (options.shouldStop?.() === true) throw new Interrupted('evaluation stopped');
    }
  } finally {
    seats.dispose();
  }
  const count = (of: (puzzle: SearchedPuzzle) => boolean): number => each.filter(of).length;
  const sure = count((puzzle) => puzzle.sure);
  const falseStops = count((puzzle) => puzzle.sure && !puzzle.right);
  const passes = each.map((puzzle) => puzzle.passes).sort((a, b) => a - b);
  const middle = [passes[Math.floor((total - 1) / 2)]!, passes[Math.floor(total / 2)]!];
  return {
    puzzles: total,
    mostForms: seats.mostForms,
    supervisionSteps,
    haltAbove,
    solved: count((puzzle) => puzzle.right),
    sure,
    falseStops,
    headPrecision: sure === 0 ? null : (sure - falseStops) / sure,
    neverSure: total - sure,
    neverSureSolved: count((puzzle) => !puzzle.sure && puzzle.right),
    passes: {
      mean: passes.reduce((sum, one) => sum + one, 0) / total,
      median: (middle[0]! + middle[1]!) / 2,
      largest: passes.at(-1)!,
    },
    ...(dataset.alternative === undefined
      ? {}
      : { alternative: { name: dataset.alternative.name, solved: alsoSolved } }),
    votes,
    each,
    seconds: (performance.now() - started) / 1000,
  };
}
