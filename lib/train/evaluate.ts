/** Thinking without learning: a model's answers after each supervision step, scored over a data set. */
import { puzzleCount, testBatches } from '../data/batches.js';
import { checkDataset, checkFits, type Alternative, type Dataset } from '../data/dataset.js';
import { checkEngine } from '../engine/checks.js';
import type { Engine } from '../engine/engine.js';
import { InputError, StoppedError } from '../errors.js';
import { callback, checkFields, oneOf, optional, stopAsked, whole, type Fields } from '../fields.js';
import { Random } from '../random.js';
import { Keeping } from './kept.js';
import { scoreBoard } from './metrics.js';
import { Seats, thinkingFields, type NumberedPuzzle, type Thinking, type ThinkingOptions } from './seats.js';

/** Whose puzzle embedding a puzzle gets: its own, none (the blank id), or that of the next puzzle of the set. */
export type PuzzleIdMode = 'own' | 'blank' | 'shuffled';

/** One evaluation of a model. Arrays have an entry for each supervision step, 1 … N; accuracies are 0 … 1. */
export interface Evaluation {
  /** Share of boards whose every scored cell is right: the number in the paper's tables. */
  readonly exactAccuracy: readonly number[];
  /** Mean over boards of the share of right cells. */
  readonly cellAccuracy: readonly number[];
  /** Share of boards that the halting head judges correctly (logit ≥ 0 exactly if the board is right). */
  readonly haltingAccuracy: readonly number[];
  /** Mean and standard deviation of the halting logit over boards. Older records lack it. */
  readonly haltLogit?: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /**
   * Share of boards that are right by the data set's alternative rule (Dataset.alternative), such as mazes with any
   * shortest path. Absent if the set has no such rule.
   */
  readonly alternative?: { readonly name: string; readonly accuracy: readonly number[] };
  /** Puzzles scored. */
  readonly puzzles: number;
  /**
   * N, the supervision steps of each puzzle; the largest number if puzzles may halt. In the paper, they halt in
   * training only (spec §2.2).
   */
  readonly supervisionSteps: number;
  /** Mean supervision steps of a puzzle. Present only if puzzles may halt. */
  readonly meanSteps?: number;
  readonly seconds: number;
}

/** How to evaluate. */
export interface EvaluateOptions extends ThinkingOptions {
  /** Score only the first so many puzzles of the set. Default all. */
  readonly puzzles?: number;
  /** Which puzzle embedding each puzzle gets: shows how much of an answer its id alone determines. Default own. */
  readonly puzzleIds?: PuzzleIdMode;
  /** Called and awaited after every supervision step of every batch; an exception from it ends the evaluation. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void | Promise<void>;
  /** Asked after every supervision step; true ends the evaluation with a StoppedError. */
  readonly shouldStop?: () => boolean;
  /** Keep finished puzzles, so that an interrupted evaluation can continue. Default: nothing is kept. */
  readonly keep?: Keeping;
}

/** Allowed values of each option. */
export const evaluateFields: Fields<EvaluateOptions> = {
  ...thinkingFields,
  puzzles: optional(whole(1)),
  puzzleIds: optional(oneOf('own', 'blank', 'shuffled')),
  onProgress: optional(callback),
  shouldStop: optional(callback),
  keep: optional((value) => (value instanceof Keeping ? undefined : 'a Keeping')),
};

const { puzzleIds: _, ...idsFields } = evaluateFields;

/** Sums over puzzles. An array has a sum for each supervision step. */
interface Tally {
  /** Puzzles finished, and the supervision steps spent on them. */
  done: number;
  spent: number;
  seconds: number;
  /** Right boards, shares of right cells, right halting logits, boards right in the set's other way. */
  readonly exact: number[];
  readonly cells: number[];
  readonly halting: number[];
  readonly accepted: number[];
  /** Halting logits, and their squares. */
  readonly logits: number[];
  readonly squares: number[];
}

/**
 * Scores a model on a data set after every supervision step. Throws InputError for impossible options, StoppedError if
 * shouldStop returns true.
 */
export async function evaluate(engine: Engine, dataset: Dataset, options: EvaluateOptions = {}): Promise<Evaluation> {
  checkFields('evaluation', options, evaluateFields);
  checkScorable(engine, dataset, options);
  const { supervisionSteps = engine.config.supervisionSteps, batchSize = 128, votes = 1, chains = 1, keep } = options;
  const total = puzzleCount(dataset, options.puzzles);
  const puzzles = puzzlesOf(dataset, total, options.puzzleIds);
  const kept = await keep?.open<Tally>(engine, settingsOf(dataset, { ...options, supervisionSteps, batchSize }));
  const tally = kept?.found ?? emptyTally(supervisionSteps);
  for (let i = 0; i < tally.done; i++) puzzles.next();
  const { seconds } = tally;
  const started = performance.now();
  // An interrupted evaluation continues after its last finished part. If puzzles may halt, parts are longer, since
  // seats run empty at the end of each.
  const batches = options.haltAbove === undefined ? 1 : 8;
  const part = kept === undefined ? total : batches * Math.max(1, Math.floor(batchSize / (votes * chains)));
  try {
    while (tally.done < total) {
      const seats = new Seats(engine, puzzles, Math.min(part, total - tally.done), options);
      for await (const thoughts of seats.thoughts()) {
        for (const thinking of thoughts) score(thinking, dataset.alternative, tally);
        await watch(options, tally.done + seats.underWay, total);
      }
      tally.seconds = seconds + (performance.now() - started) / 1000;
      const finished = structuredClone(tally); // only whole parts may be kept
      kept?.note(() => finished);
    }
  } finally {
    kept?.end(tally.done === total);
  }
  return evaluationOf(tally, dataset.alternative, options.haltAbove !== undefined);
}

function emptyTally(supervisionSteps: number): Tally {
  const zeros = (): number[] => Array.from({ length: supervisionSteps }, () => 0);
  const [exact, cells, halting, accepted, logits, squares] = [zeros(), zeros(), zeros(), zeros(), zeros(), zeros()];
  return { done: 0, spent: 0, seconds: 0, exact, cells, halting, accepted, logits, squares };
}

/** Adds one puzzle's answer after a supervision step to the sums. */
function score(
  { question, labels, steps, answer, done }: Thinking,
  other: Alternative | undefined,
  tally: Tally,
): void {
  const { rightCells, cells, exact } = scoreBoard(answer.tokens, labels, 0, labels.length);
  const accepted = exact || other?.accepts(question, answer.tokens) === true;
  // A halted puzzle's answer also counts for the steps it skipped.
  for (let step = steps - 1; step < (done ? tally.exact.length : steps); step++) {
    tally.exact[step]! += exact ? 1 : 0;
    tally.cells[step]! += rightCells / cells;
    tally.halting[step]! += answer.haltLogit >= 0 === exact ? 1 : 0;
    tally.accepted[step]! += accepted ? 1 : 0;
    tally.logits[step]! += answer.haltLogit;
    tally.squares[step]! += answer.haltLogit ** 2;
  }
  tally.done += done ? 1 : 0;
  tally.spent += done ? steps : 0;
}

/** Means and shares of a finished evaluation. */
function evaluationOf(tally: Tally, other: Alternative | undefined, mayHalt: boolean): Evaluation {
  const mean = (sums: readonly number[]): number[] => sums.map((sum) => sum / tally.done);
  const logits = mean(tally.logits);
  return {
    puzzles: tally.done,
    supervisionSteps: tally.exact.length,
    exactAccuracy: mean(tally.exact),
    cellAccuracy: mean(tally.cells),
    haltingAccuracy: mean(tally.halting),
    haltLogit: {
      mean: logits,
      deviation: mean(tally.squares).map((square, i) => Math.sqrt(Math.max(0, square - logits[i]! ** 2))),
    },
    ...(other === undefined ? {} : { alternative: { name: other.name, accuracy: mean(tally.accepted) } }),
    ...(mayHalt ? { meanSteps: tally.spent / tally.done } : {}),
    seconds: tally.seconds,
  };
}

/**
 * The same evaluation with each puzzle's own id, the blank id, and the next puzzle's id: how much answers depend on the
 * id (arXiv 2512.11847). Throws InputError for impossible options, and data whose puzzles share one id.
 */
export async function evaluateIds(
  engine: Engine,
  dataset: Dataset,
  options: Omit<EvaluateOptions, 'puzzleIds'> = {},
): Promise<Readonly<Record<PuzzleIdMode, Evaluation>>> {
  checkFields('evaluation', options, idsFields);
  const withIds = (puzzleIds: PuzzleIdMode): Promise<Evaluation> =>
    evaluate(engine, dataset, { ...options, puzzleIds });
  const shuffled = await withIds('shuffled'); // first, as it refuses sets whose puzzles share one id
  return { own: await withIds('own'), blank: await withIds('blank'), shuffled };
}

/** Throws InputError if the engine's model does not fit the puzzles, or they cannot be scored. */
export function checkScorable(engine: Engine, dataset: Dataset, { puzzles, puzzleIds = 'own' }: EvaluateOptions): void {
  checkEngine(engine);
  checkDataset(dataset);
  const { config } = engine;
  checkFits(dataset, config);
  const { name, ids, puzzleOffsets, sequenceLength: L, labels, ignore } = dataset;
  const total = puzzleCount(dataset, puzzles);
  const strange =
    puzzleIds === 'blank' ? -1 : ids.findIndex((id, i) => puzzleOffsets[i]! < total && id >= config.puzzleIds);
  if (strange >= 0)
    throw new InputError(
      `${name}: expected puzzle ids below ${config.puzzleIds}, as the model has, got ${ids[strange]}: it has not ` +
        'learned these puzzles by their ids; score it without them (puzzleIds blank, or --puzzle-ids blank)',
    );
  if (ignore === null) return;
  for (let i = 0; i < total; i++)
    if (labels.subarray(i * L, (i + 1) * L).every((label) => label === ignore))
      throw new InputError(`${name}, example ${i + 1}: expected cells to score, got none; leave it out`);
}

/**
 * Calls onProgress and shouldStop after a supervision step. `done` includes fractions for puzzles under way. Throws
 * StoppedError if shouldStop returns true, InputError if it returns no boolean.
 */
export async function watch(
  { onProgress, shouldStop }: Pick<EvaluateOptions, 'onProgress' | 'shouldStop'>,
  done: number,
  total: number,
): Promise<void> {
  await onProgress?.({ done, total });
  if (stopAsked(shouldStop)) throw new StoppedError('evaluation stopped');
}

/** All that determines the result of an evaluation or a search, except model and engine, as plain JSON. */
export function settingsOf(dataset: Dataset, options: EvaluateOptions): Record<string, unknown> {
  const { onProgress: _, shouldStop: __, keep: ___, ...settings } = options;
  return {
    ...settings,
    forms: options.forms?.draw(1, new Random(0)),
    random: options.random?.fork('kept').uint32(),
    total: puzzleCount(dataset, options.puzzles),
    puzzles: [dataset.name, dataset.sha256],
  };
}

/** The puzzles of a data set one at a time, with the ids that a mode gives them. Throws InputError as idsInstead. */
export function puzzlesOf(dataset: Dataset, count: number, mode: PuzzleIdMode = 'own'): Iterator<NumberedPuzzle> {
  const idFor = idsInstead(dataset, mode);
  const puzzles = testBatches(dataset, 1, count);
  return (function* () {
    let index = 0;
    for (const puzzle of puzzles)
      yield { index: index++, puzzle: { ...puzzle, puzzleIds: puzzle.puzzleIds.map(idFor) } };
  })();
}

/** The replacement for each puzzle id. Throws InputError for shuffled ids if all puzzles share one. */
export function idsInstead({ name, ids }: Dataset, mode: PuzzleIdMode): (id: number) => number {
  if (mode === 'own') return (id) => id;
  if (mode === 'blank') return () => 0;
  const distinct = [...new Set(ids)];
  if (distinct.length < 2)
    throw new InputError(
      `${name}: expected puzzles with ids of their own to exchange, got one id for all; shuffled ids are for ARC`,
    );
  const next = new Map(distinct.map((id, i) => [id, distinct[(i + 1) % distinct.length]!]));
  return (id) => next.get(id) ?? 0;
}
