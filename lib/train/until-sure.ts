/** Searches a whole data set: tries forms of each puzzle until the halting head is sure, and scores its answers. */
import { puzzleCount } from '../data/batches.js';
import type { Alternative, Dataset } from '../data/dataset.js';
import type { Engine } from '../engine/engine.js';
import { checkFields, type Fields } from '../fields.js';
import { vote, type Answer } from './ensemble.js';
import { checkScorable, evaluateFields, puzzlesOf, settingsOf, watch, type EvaluateOptions } from './evaluate.js';
import { scoreBoard } from './metrics.js';
import { Seats, seatsFields, type SeatsOptions, type Thinking } from './seats.js';

/** How one puzzle ended. */
export interface SearchedPuzzle {
  /** Supervision steps of all its forms, times chains. */
  readonly passes: number;
  /** Number of forms tried, and the form that gave the answer; 0 is the original. */
  readonly forms: number;
  readonly form: number;
  /** The halting logit of the answer: the first sure one, else the surest of all. */
  readonly haltLogit: number;
  readonly sure: boolean;
  readonly right: boolean;
  /**
   * Every answer surer than all before it, in order. They tell the result of any lower limit of passes, and of any
   * threshold up to the search's own.
   */
  readonly surer: readonly SurerAnswer[];
}

/** An answer surer than all before it, and the passes made until then. */
export interface SurerAnswer {
  readonly passes: number;
  readonly haltLogit: number;
  readonly right: boolean;
}

/** The accuracy and cost of a search. No table compares it with a single pass: their amounts of compute differ. */
export interface UntilSure {
  readonly puzzles: number;
  /** The limits: forms a puzzle, supervision steps a form, and the logit above which the head counts as sure. */
  readonly mostForms: number;
  readonly supervisionSteps: number;
  readonly haltAbove: number;
  /** Chains of thought a form. */
  readonly chains: number;
  /** Puzzles whose answer is right, sure or not. */
  readonly solved: number;
  /** Puzzles the head was sure of, those of them answered wrongly, and the share answered rightly (null of none). */
  readonly sure: number;
  readonly falseStops: number;
  readonly headPrecision: number | null;
  /** Puzzles it was never sure of, and those among them whose surest answer is right. */
  readonly neverSure: number;
  readonly neverSureSolved: number;
  /** Passes a puzzle. */
  readonly passes: { readonly mean: number; readonly median: number; readonly largest: number };
  /**
   * Puzzles right by the data set's alternative rule (Dataset.alternative), and those the head was sure of that are
   * wrong by it. Absent if the set has no such rule.
   */
  readonly alternative?: { readonly name: string; readonly solved: number; readonly falseStops: number };
  /**
   * Puzzles that a majority vote over the last answers of the first 1, 2, … forms solves, up to the number of forms
   * that every puzzle has had (leastForms).
   */
  readonly votes: readonly number[];
  /** Every puzzle, in the order of the set. */
  readonly each: readonly SearchedPuzzle[];
  readonly seconds: number;
}

/** Options of a search. Default of haltAbove: 0; Infinity takes the surest answer of all forms. */
export type UntilSureOptions = SeatsOptions & EvaluateOptions;

const untilSureFields: Fields<UntilSureOptions> = { ...evaluateFields, ...seatsFields };

/** A finished puzzle: its result, whether it is right by the alternative rule, and the votes of its first forms. */
interface Finished extends SearchedPuzzle {
  readonly index: number;
  readonly alsoRight: boolean;
  readonly voted: readonly boolean[];
}

/** What the search for one puzzle has found so far. */
interface Search {
  readonly surer: SurerAnswer[];
  /** The last answer of each of its first forms, and whether the vote of those so far is right. */
  readonly lastAnswers: Answer[];
  readonly voted: boolean[];
}

/** The kept state of an interrupted search; puzzles that were in their seats start over. */
interface SearchState {
  readonly done: number;
  readonly seconds: number;
  readonly finished: readonly Finished[];
}

/**
 * Searches every puzzle of a set. A finished puzzle gives its seats to the next, so the mean of passes is the cost.
 * Throws InputError for impossible options, StoppedError if shouldStop returns true.
 */
export async function evaluateUntilSure(
  engine: Engine,
  dataset: Dataset,
  options: UntilSureOptions,
): Promise<UntilSure> {
  checkFields('search', options, untilSureFields);
  checkScorable(engine, dataset, options);
  const total = puzzleCount(dataset, options.puzzles);
  const {
    haltAbove = 0,
    supervisionSteps = engine.config.supervisionSteps,
    leastForms = 0,
    chains = 1,
    keep,
  } = options;
  const puzzles = puzzlesOf(dataset, total, options.puzzleIds);
  const settings = settingsOf(dataset, { ...options, haltAbove, supervisionSteps });
  const kept = await keep?.open<SearchState>(engine, { search: true, ...settings });
  const { done: before = 0, seconds: spent = 0, finished: earlier = [] } = kept?.found ?? {};
  const each: Finished[] = [];
  for (const puzzle of earlier) each[puzzle.index] = puzzle;
  const waiting = (function* () {
    for (let next = puzzles.next(); next.done !== true; next = puzzles.next())
      if (each[next.value.index] === undefined) yield next.value;
  })();
  const seats = new Seats(engine, waiting, total - before, { ...options, haltAbove });
  const searches = Array.from({ length: total }, (): Search => ({ surer: [], lastAnswers: [], voted: [] }));
  const started = performance.now();
  const seconds = (): number => spent + (performance.now() - started) / 1000;
  let finished = before;
  try {
    for await (const thoughts of seats.thoughts()) {
      for (const thinking of thoughts) {
        const search = searches[thinking.index]!;
        note(search, thinking, thinking.steps === supervisionSteps && thinking.forms <= leastForms);
        if (!thinking.done) continue;
        each[thinking.index] = finishedOf(search, thinking, dataset.alternative);
        finished++;
      }
      if (finished > before)
        kept?.note(() => ({
          done: finished,
          seconds: seconds(),
          finished: each.filter((puzzle) => puzzle !== undefined),
        }));
      await watch(options, finished + seats.underWay, total);
    }
  } finally {
    kept?.end(finished === total);
  }
  return {
    ...totalsOf(each, dataset.alternative, leastForms),
    mostForms: seats.mostForms,
    supervisionSteps,
    haltAbove,
    chains,
    seconds: seconds(),
  };
}

/** Notes an answer surer than all before; if a first form has just ended (`votes`), also its answer and the vote. */
function note({ surer, lastAnswers, voted }: Search, thinking: Thinking, votes: boolean): void {
  const { passes, answer, surest } = thinking;
  if (surest.haltLogit > (surer.at(-1)?.haltLogit ?? -Infinity))
    surer.push({ passes, haltLogit: surest.haltLogit, right: isRight(surest, thinking) });
  if (!votes) return;
  lastAnswers.push(answer);
  voted.push(isRight(vote(lastAnswers), thinking));
}

/** How the search for a puzzle ended. */
function finishedOf({ surer, voted }: Search, thinking: Thinking, other: Alternative | undefined): Finished {
  const { index, question, surest, passes, forms, form, sure } = thinking;
  const right = isRight(surest, thinking);
  const alsoRight = right || other?.accepts(question, surest.tokens) === true;
  return { passes, forms, form, haltLogit: surest.haltLogit, sure, right, surer, index, alsoRight, voted };
}

function isRight({ tokens }: Answer, { labels }: Thinking): boolean {
  return scoreBoard(tokens, labels, 0, labels.length).exact;
}

/** Totals over all puzzles. */
function totalsOf(
  each: readonly Finished[],
  alternative: Alternative | undefined,
  leastForms: number,
): Omit<UntilSure, 'mostForms' | 'supervisionSteps' | 'haltAbove' | 'chains' | 'seconds'> {
  const { length: total } = each;
  const count = (of: (puzzle: Finished) => boolean): number => each.filter(of).length;
  const sure = count((puzzle) => puzzle.sure);
  const falseStops = count((puzzle) => puzzle.sure && !puzzle.right);
  const passes = each.map((puzzle) => puzzle.passes).sort((a, b) => a - b);
  const middle = [passes[Math.floor((total - 1) / 2)]!, passes[Math.floor(total / 2)]!];
  return {
    puzzles: total,
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
    ...(alternative === undefined
      ? {}
      : {
          alternative: {
            name: alternative.name,
            solved: count((puzzle) => puzzle.alsoRight),
            falseStops: count((puzzle) => puzzle.sure && !puzzle.alsoRight),
          },
        }),
    votes: Array.from({ length: leastForms }, (_, i) => count((puzzle) => puzzle.voted[i]!)),
    each: each.map(({ index: _, alsoRight: __, voted: ___, ...puzzle }) => puzzle),
  };
}
