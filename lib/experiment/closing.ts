/** Closing evaluations: further evaluations of a run's final model, besides the one that tables quote. */
import { exampleOf, someOf, ungrouped, type Dataset } from '../data/dataset.js';
import { blankToken } from '../data/sudoku.js';
import { InputError, within } from '../errors.js';
import { checkFields, number, oneOf, optional, whole, type Fields } from '../fields.js';
import { Random } from '../random.js';
import type { ArcVoteResult } from '../train/evaluate-arc.js';
import { puzzlesOf, type Evaluation } from '../train/evaluate.js';
import type { Task } from './task.js';

/** One closing evaluation: which puzzles, and how the model thinks about them. */
export interface ClosingEvaluation {
  /** Its key in the record's map; each once. */
  readonly name: string;
  /**
   * scored: the puzzles that the run is scored on. training: training puzzles, not augmented.
   * one-blank, for Sudoku only: the scored puzzles with all cells filled in but one (arXiv 2601.10679).
   */
  readonly on: (typeof sets)[number];
  /** How many puzzles, from the first of the set on; 0 for all. */
  readonly puzzles: number;
  /** N, supervision steps of each puzzle. Default the model's. */
  readonly supervisionSteps?: number;
  /** The puzzle embedding: none, or that of the next puzzle of the set. Default the puzzle's own. */
  readonly puzzleIds?: 'blank' | 'shuffled';
  /** raw: the weights as trained. Default their moving average. */
  readonly weights?: 'raw';
  /** Only those puzzles that their source rates `least` or more and below `below`; null for no limit. */
  readonly ratings?: readonly [least: number, below: number | null];
  /** ARC: the versions of each task that vote on its answer, from the first on; 0 for all. */
  readonly votes?: number;
}

/** The result of a closing evaluation: an ARC vote has a score of its own. */
export type ClosingResult = Evaluation | ArcVoteResult;

/** ARC's own score: all versions of a task vote on its answer. */
export const arcVote: ClosingEvaluation = { name: 'vote', on: 'scored', puzzles: 0, votes: 0 };

/** The closing evaluation that scores the raw weights on the puzzles that tables quote; undefined where none does. */
export function rawWeightsIn({ closing }: { readonly closing: readonly ClosingEvaluation[] }): string | undefined {
  return closing.find(({ on, weights, votes }) => on === 'scored' && weights === 'raw' && votes === undefined)?.name;
}

/** Whether a result is a vote of ARC's versions. */
export function isVote(result: ClosingResult): result is ArcVoteResult {
  return 'passAt' in result;
}

const sets = ['scored', 'training', 'one-blank'] as const;

const fields: Fields<ClosingEvaluation> = {
  name: (value) => (typeof value === 'string' && /^[\w-]+$/.test(value) ? undefined : 'letters, digits and -'),
  on: oneOf(...sets),
  puzzles: whole(0),
  supervisionSteps: optional(whole(1)),
  puzzleIds: optional(oneOf('blank', 'shuffled')),
  weights: optional(oneOf('raw')),
  ratings: optional(ratingBand),
  votes: optional(whole(0)),
};

/** Checks a list from any source. Throws InputError naming what is wrong, or what this task does not allow. */
export function checkClosing(list: readonly ClosingEvaluation[], task: Task): void {
  const names = new Set<string>();
  list.forEach((each, index) => {
    checkFields(`evaluation.closing[${index}]`, each, fields, (question) => impossibleOn(task, question));
    if (names.has(each.name))
      throw new InputError(`evaluation.closing: expected each name once, got ${each.name} twice`);
    names.add(each.name);
  });
}

/** What in a closing evaluation does not fit this task. */
function impossibleOn(task: Task, { on, puzzles, votes }: ClosingEvaluation): string[] {
  return [
    ...(on === 'one-blank' && task.kind !== 'sudoku'
      ? [`on: expected a task of Sudokus for one-blank, got ${task.kind}`]
      : []),
    ...(votes !== undefined && (task.kind !== 'arc' || on !== 'scored' || puzzles !== 0)
      ? ['votes: expected all scored tasks of an ARC task with it']
      : []),
  ];
}

/** Checks a band of ratings; returns what it expected, undefined if the band is right. */
function ratingBand(value: unknown): string | undefined {
  const [least, below] = (Array.isArray(value) && value.length === 2 ? value : []) as readonly unknown[];
  const limits = number(least) === undefined && (below === null || number(below) === undefined);
  return limits && (below === null || (below as number) > (least as number))
    ? undefined
    : '[least, below], the second larger or null';
}

/**
 * The puzzles of a closing evaluation; undefined if none has a rating in its band. Throws InputError for ratings of a
 * set that has none.
 */
export function closingPuzzles(
  { name, on, puzzles, ratings }: ClosingEvaluation,
  train: Dataset,
  scored: Dataset,
): Dataset | undefined {
  const all = on === 'training' ? train : scored;
  const count = puzzles === 0 ? all.examples : Math.min(puzzles, all.examples);
  if (ratings === undefined) return on === 'one-blank' ? oneBlank(all, count) : all;
  const rated = all.ratings;
  if (rated === null) throw new InputError(`${name}: expected a set with ratings, got ${all.name}, which has none`);
  const [least, below] = ratings;
  const members = Array.from({ length: count }, (_, i) => i).filter((i) => {
    const rating = rated[i] ?? NaN;
    return rating >= least && (below === null || rating < below);
  });
  if (members.length === 0) return undefined;
  const band = someOf(all, members, `${all.name}, ${name}`);
  return on === 'one-blank' ? oneBlank(band, members.length) : band;
}

/**
 * Throws InputError for an evaluation that is impossible on these puzzles: by rating where they have no ratings, with
 * shuffled ids where all share one. A run checks this before its training.
 */
export function checkQuestions(list: readonly ClosingEvaluation[], train: Dataset, scored: Dataset): void {
  for (const question of list) {
    const puzzles = closingPuzzles(question, train, scored);
    if (puzzles !== undefined) within(question.name, () => puzzlesOf(puzzles, 1, question.puzzleIds));
  }
}

/** The first `count` puzzles of a set, filled in but for one cell each, drawn from the puzzle's open cells. */
export function oneBlank(scored: Dataset, count: number): Dataset {
  const examples = Array.from({ length: count }, (_, i) => {
    const { input, label } = exampleOf(scored, i);
    const open = [...input.keys()].filter((cell) => input[cell] === blankToken);
    const easy = label.slice();
    if (open.length > 0) easy[open[new Random(i).fork('one blank').integer(open.length)] ?? 0] = blankToken;
    return { input: easy, label };
  });
  const { name, note, width, height, vocabSize } = scored;
  return ungrouped(examples, { name: `${name}, one blank cell`, note, width, height, vocabSize });
}
