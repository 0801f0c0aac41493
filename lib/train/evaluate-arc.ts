/** Evaluates a model on ARC as the paper does: it answers every version of every test pair, and the versions vote. */
import { cropGrid, restoreGrid } from '../data/arc.js';
import { isArcDataset, type ArcDataset } from '../data/arc-sets.js';
import { toBatch } from '../data/batches.js';
import { checkDataset, checkFits, type Dataset } from '../data/dataset.js';
import type { Batch } from '../data/example.js';
import { checkEngine } from '../engine/checks.js';
import type { Engine, InferResult, Weights } from '../engine/engine.js';
import { sigmoid } from '../engine/losses.js';
import { InputError } from '../errors.js';
import { checkFields, optional, whole, type Fields } from '../fields.js';
import { ArcVotes, type ArcScore, type StoredVotes } from './arc-votes.js';
import { evaluateFields, idsInstead, watch, type EvaluateOptions, type PuzzleIdMode } from './evaluate.js';
import { scoreBoard } from './metrics.js';
import { finite, thinkOnce } from './think.js';

/** How to vote. */
export interface ArcVoteOptions
  extends Omit<EvaluateOptions, 'puzzles' | 'haltAbove' | 'forms' | 'votes' | 'chains' | 'noise' | 'random'> {
  /** Versions of each task that vote, the original first. Default all. */
  readonly versions?: number;
  /**
   * Where votes are counted, to look at them later. Votes of other models already in it are pooled with this one's.
   * Default: an empty ballot.
   */
  readonly votes?: ArcVotes;
}

const { weights, batchSize, supervisionSteps, puzzleIds, onProgress, shouldStop, keep } = evaluateFields;
const voteFields: Fields<ArcVoteOptions> = {
  ...{ weights, batchSize, supervisionSteps, puzzleIds, onProgress, shouldStop, keep },
  versions: optional(whole(1)),
  votes: optional((value) => (value instanceof ArcVotes ? undefined : 'ArcVotes')),
};

/** The result of a vote. */
export interface ArcVoteResult extends ArcScore {
  /** Share of all test examples, versions included, answered exactly after the last supervision step. */
  readonly exactAccuracy: number;
  readonly supervisionSteps: number;
  readonly seconds: number;
}

/** A vote's state after the first `done` test examples. */
interface Counted {
  readonly done: number;
  readonly exact: number;
  readonly seconds: number;
  readonly votes: StoredVotes;
}

/**
 * Answers every test pair of a set in every version of its task, and lets the versions vote. Throws InputError for
 * impossible options and for a set that is not ARC's; StoppedError if shouldStop returns true.
 */
export async function voteArc(
  engine: Engine,
  dataset: ArcDataset,
  options: ArcVoteOptions = {},
): Promise<ArcVoteResult> {
  checkEngine(engine);
  checkFields('vote', options, voteFields);
  if (!isArcDataset(dataset))
    throw new InputError(`vote: expected a set of ARC tasks, got ${(dataset as Dataset).name}`);
  checkDataset(dataset);
  checkFits(dataset, engine.config);
  idsInstead(dataset, options.puzzleIds ?? 'own'); // refuses shuffled ids of one task
  const {
    weights = 'average',
    batchSize = 128,
    supervisionSteps = engine.config.supervisionSteps,
    votes = new ArcVotes(),
  } = options;
  const examples = examplesOf(dataset, options.versions);
  const { puzzleIds = 'own', keep } = options;
  const kept = await keep?.open<Counted>(engine, {
    versions: options.versions,
    weights,
    batchSize,
    supervisionSteps,
    puzzleIds,
    puzzles: [dataset.name, dataset.sha256],
    before: votes.stored(),
  });
  const found = kept?.found;
  if (found !== undefined) votes.restore(found.votes);
  const started = performance.now();
  const seconds = (): number => (found?.seconds ?? 0) + (performance.now() - started) / 1000;
  let exact = found?.exact ?? 0;
  let done = found?.done ?? 0;
  try {
    while (done < examples.length) {
      const seats = examples.slice(done, done + batchSize);
      const batch = batchOf(dataset, seats, puzzleIds);
      const answer = await answerTo(engine, batch, weights, supervisionSteps, (steps) =>
        watch(options, done + (seats.length * steps) / supervisionSteps, examples.length),
      );
      castVotes(dataset, seats, answer, votes);
      exact += seats.filter(
        (_, seat) => scoreBoard(answer.predictions, batch.labels, seat, dataset.sequenceLength).exact,
      ).length;
      done += seats.length;
      kept?.note(() => ({ done, exact, seconds: seconds(), votes: votes.stored() }));
    }
  } finally {
    kept?.end(done === examples.length);
  }
  return {
    ...votes.score(dataset.versions.entries),
    exactAccuracy: exact / Math.max(examples.length, 1),
    supervisionSteps,
    seconds: seconds(),
  };
}

/** Answers in new seats after all supervision steps; calls `afterStep` after each. */
async function answerTo(
  engine: Engine,
  batch: Batch,
  weights: Weights,
  supervisionSteps: number,
  afterStep: (steps: number) => Promise<void>,
): Promise<InferResult> {
  const state = engine.createState(batch.puzzleIds.length);
  try {
    for (let step = 0; ; step++) {
      const answer = await thinkOnce(engine, state, batch, step, weights);
      await afterStep(step + 1);
      if (step + 1 === supervisionSteps) return answer;
    }
  } finally {
    state.dispose();
  }
}

/** Counts what seats answer, turned back to the task's own form, as votes for their test pairs (spec §5.8). */
function castVotes(
  { versions, sequenceLength: L }: ArcDataset,
  seats: readonly TestExample[],
  { predictions, haltLogits }: InferResult,
  votes: ArcVotes,
): void {
  seats.forEach(({ task, version, pair }, seat) => {
    const answered = cropGrid(predictions.subarray(seat * L, (seat + 1) * L), versions.canvas);
    const grid = restoreGrid(answered, versions.augmentation(task, version));
    votes.add(versions.entries[task]!.task.id, pair, grid, sigmoid(finite(haltLogits[seat])));
  });
}

/** One test pair in one version of its task, as indices; version 0 is the original. */
interface TestExample {
  readonly task: number;
  readonly version: number;
  readonly pair: number;
}

/** Every test pair in every version, or in the first `most` of them. */
function examplesOf({ versions }: ArcDataset, most = Infinity): TestExample[] {
  return versions.entries.flatMap(({ pairs }, task) =>
    Array.from({ length: Math.min(most, versions.count(task)) }, (_, version) =>
      pairs.map((_, pair) => ({ task, version, pair })),
    ).flat(),
  );
}

function batchOf(dataset: ArcDataset, seats: readonly TestExample[], mode: PuzzleIdMode): Batch {
  const { versions } = dataset;
  const idOf = ({ task, version }: TestExample): number => {
    if (mode === 'blank') return 0;
    const owner = mode === 'own' ? task : (task + 1) % versions.entries.length;
    return versions.id(owner, version % versions.count(owner));
  };
  return toBatch(
    dataset,
    seats.map((seat) => ({ example: versions.examples(seat.task, seat.version)[seat.pair]!, id: idOf(seat) })),
  );
}
