/** The shape a record must have before anything reads it: its checksum proves only that it is unchanged. */
import { InputError, within } from '../errors.js';
import {
  anyObject,
  checkFields,
  isObject,
  listOf,
  number,
  objectOf,
  optional,
  orNull,
  text,
  whole,
  type FieldCheck,
  type Fields,
} from '../fields.js';
import type { Evaluation } from '../train/evaluate.js';
import type { ArcVoteResult } from '../train/evaluate-arc.js';
import { anyExperiment, checkRecorded, type Experiment } from './experiment.js';

const shares = listOf(number);
const evaluation: Fields<Evaluation> = {
  puzzles: whole(0),
  supervisionSteps: whole(1),
  exactAccuracy: shares,
  cellAccuracy: shares,
  haltingAccuracy: shares,
  haltLogit: optional(objectOf({ mean: shares, deviation: shares })),
  alternative: optional(objectOf({ name: text, accuracy: shares })),
  meanSteps: optional(number),
  seconds: number,
};
const madeAtStep = objectOf({ ...evaluation, step: whole(0), training: optional(objectOf(evaluation)) });
const vote: Fields<ArcVoteResult> = {
  passAt: anyObject,
  tasks: whole(0),
  pairs: whole(0),
  votes: whole(0),
  exactAccuracy: number,
  supervisionSteps: whole(1),
  seconds: number,
};
const closing: FieldCheck = (value) => {
  const object = anyObject(value);
  if (object !== undefined) return object;
  const each = (result: unknown): string | undefined =>
    isObject(result) && 'passAt' in result ? objectOf(vote)(result) : objectOf(evaluation)(result);
  return listOf(each)(Object.values(value as object));
};
const point = {
  step: whole(0),
  answerLoss: orNull(number),
  haltLoss: orNull(number),
  exactAccuracy: orNull(number),
  cellAccuracy: orNull(number),
  meanSteps: orNull(number),
};
/** Fields of a sitting. */
export const sitting = {
  from: whole(0),
  to: whole(0),
  version: text,
  commit: orNull(text),
  node: text,
  platform: text,
  cpu: text,
  cores: whole(0),
  engine: text,
  threads: orNull(whole(0)),
  precision: text,
  finishedAt: text,
};
/** What a record says of a data set. */
export const dataSummary = { name: text, sha256: text, examples: whole(0) };

/** What a run has measured so far: common to a record and to the state of an unfinished run. */
const measured = {
  curve: listOf(objectOf(point)),
  sittings: listOf(objectOf(sitting)),
  closing,
  seconds: objectOf({ training: number, evaluation: number }),
};

const record = {
  schema: text,
  id: text,
  experiment: anyExperiment,
  seed: whole(0),
  start: optional(text),
  block: optional(text),
  data: objectOf({ train: objectOf(dataSummary), test: objectOf(dataSummary) }),
  model: objectOf({ parameters: whole(0, 1e12), depth: number, forwardPasses: number }),
  steps: whole(0),
  peakMemory: number,
  evaluations: listOf(madeAtStep, 1),
  ...measured,
  sittings: listOf(objectOf(sitting), 1),
};

/**
 * Checks that a record from any source has all its fields, and that they can be those of a run.
 * Throws InputError naming those that are missing or wrong.
 */
export function checkRecord(name: string, candidate: unknown): void {
  const { experiment, evaluations } = checkFields(name, candidate, record) as {
    readonly experiment: Experiment;
    readonly evaluations: readonly (Evaluation & { readonly step: number })[];
  };
  within(name, () => checkRecorded(experiment));
  evaluations.forEach(({ step, supervisionSteps, exactAccuracy, cellAccuracy, haltingAccuracy }, i) => {
    for (const list of [exactAccuracy, cellAccuracy, haltingAccuracy])
      if (list.length !== supervisionSteps)
        throw new InputError(
          `${name}: expected accuracies of ${supervisionSteps} supervision steps, got ${list.length} at step ${step}`,
        );
    const before = evaluations[i - 1]?.step ?? -1;
    if (step <= before)
      throw new InputError(`${name}: expected evaluations in the order of their steps, got ${step} after ${before}`);
  });
}

/** Checks what the state of a run has measured. Throws InputError naming what is missing or wrong. */
export function checkMeasured(name: string, candidate: unknown): void {
  const expected = objectOf({
    ...measured,
    pending: anyObject,
    pendingSteps: whole(0),
    peakMemory: optional(number),
    evaluations: listOf(madeAtStep),
  })(candidate);
  if (expected !== undefined) throw new InputError(`${name}: expected ${expected}; start over without resume`);
}
