/** Evaluates a model on ARC as the paper does: it answers every version of every test pair, and the versions vote. */
import { cropGrid, restoreGrid } from '../data/arc.js';
import { isArcDataset, type ArcDataset } from '../data/arc-sets.js';
import type { Dataset } from '../data/dataset.js';
import { ignoredLabel, type Batch } from '../data/example.js';
import { checkEngine } from '../engine/checks.js';
import type { Engine, InferResult, Weights } from '../engine/engine.js';
import { sigmoid } from '../engine/losses.js';
import { InputError } from '../errors.js';
import { checkFields, optional, whole, type Fields } from '../fields.js';
import { ArcVotes, type ArcScore, type StoredVotes } from './arc-votes.js';
import { evaluateFields, watch, type EvaluateOptions } from './evaluate.js';
import { finite, thinkOnce } from './think.js';
import { scoreBoard } from './metrics.js';

/** How to vote. */
export interface ArcVoteOptions
  extends Omit<EvaluateOptions, 'puzzles' | 'haltAbove' | 'forms' | 'votes' | 'chains' | 'noise' | 'random'> {
  /** Versions of each task that vote, the original first. Default all. */
  readonly versions?: number;
  /**
   * Where votes are counted, for looking at them later.
   * Giving the votes of another model pools the two. Default: fresh.
   */
  readonly votes?: ArcVotes;
}

const { weights, batchSize, supervisionSteps, puzzleIds, onProgress, shouldStop, keep } = evaluateFields;
const voteFields: Fields<ArcVoteOptions> = {
  ...{ weights, batchSize, supervisionSteps, puzzleIds, onProgress, shouldStop, keep },
  versions: optional(whole(1)),
  votes: optional((value) => (value instanceof ArcVotes ? undefined : 'ArcVotes')),
};

/** What a vote came to. */
export interface ArcVoteResult extends ArcScore {
  /** Share of all augmented test examples that were answered exactly after the last supervision step. */
  readonly exactAccuracy: number;
  readonly supervisionSteps: number;
  readonly seconds: number;
}

/** What a vote has counted after so many places. */
interface Counted {
  readonly done: number;
  readonly exact: number;
  readonly seconds: number;
  readonly votes: StoredVotes;
}

/**
 * Lets versions vote on the test pairs of a set. Throws InputError for impossible options, and a set not of ARC;
 * StoppedError where shouldStop says so.
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
  const {
    weights = 'average',
    batchSize = 128,
    supervisionSteps = engine.config.supervisionSteps,
    votes = new ArcVotes(),
  } = options;
  const { versions, sequenceLength: length } = dataset;
  const places = placesOf(dataset, options.versions ?? Infinity);
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
    while (done < places.length) {
      const seats = places.slice(done, done + batchSize);
      const batch = batchOf(dataset, seats, puzzleIds);
      const answer = await answerTo(engine, batch, weights, supervisionSteps, (steps) =>
        watch(options, done + (seats.length * steps) / supervisionSteps, places.length),
      );
      seats.forEach(({ puzzle, version, pair }, seat) => {
        const predicted = cropGrid(answer.predictions.subarray(seat * length, (seat + 1) * length), versions.canvas);
        const haltProbability = sigmoid(finite(answer.haltLogits[seat]));
        votes.add(
          versions.entries[puzzle]!.task.id,
          pair,
          restoreGrid(predicted, versions.augmentation(puzzle, version)),
          haltProbability,
        );
        if (scoreBoard(answer.predictions, batch.labels, seat, length).exact) exact++;
      });
      done += seats.length;
      kept?.note(() => ({ done, exact, seconds: seconds(), votes: votes.stored() }));
    }
  } finally {
    kept?.end(done === places.length);
  }
  return {
    ...votes.score(versions.entries),
    exactAccuracy: exact / Math.max(places.length, 1),
    supervisionSteps,
    seconds: seconds(),
  };
}

/** What new seats answer after all their steps; `afterStep` is called after each. */
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

/** One test pair in one version of its task. */
interface Place {
  readonly puzzle: number;
  readonly version: number;
  readonly pair: number;
}

function placesOf({ versions }: ArcDataset, most: number): Place[] {
  return versions.entries.flatMap(({ pairs }, puzzle) =>
    Array.from({ length: Math.min(most, versions.count(puzzle)) }, (_, version) =>
      pairs.map((_, pair) => ({ puzzle, version, pair })),
    ).flat(),
  );
}

function batchOf(
  { versions, sequenceLength: length, ignore }: ArcDataset,
  seats: readonly Place[],
  mode: NonNullable<EvaluateOptions['puzzleIds']>,
): Batch {
  const tokens = new Int32Array(seats.length * length);
  const labels = new Int32Array(seats.length * length);
  seats.forEach(({ puzzle, version, pair }, seat) => {
    const { input, label } = versions.examples(puzzle, version)[pair]!;
    tokens.set(input, seat * length);
    labels.set(
      Int32Array.from(label, (token) => (token === ignore ? ignoredLabel : token)),
      seat * length,
    );
  });
  const idOf = ({ puzzle, version }: Place): number => {
    if (mode === 'blank') return 0;
    const owner = mode === 'own' ? puzzle : (puzzle + 1) % versions.entries.length;
    return versions.id(owner, version % versions.count(owner));
  };
  return { tokens, labels, puzzleIds: Int32Array.from(seats, idOf) };
}
