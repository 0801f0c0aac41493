/** How a model is trained: the options of one training run, the checks on them, and the learning rate at each step. */
import type { TrainRequest, UpdateRequest } from '../engine/engine.js';
import { InputError, show, unknownFields } from '../errors.js';
import type { Recursions } from '../model/config.js';

/** A training run as plain data. Defaults in comments are the paper's for Sudoku (spec §4.5). */
export interface TrainingOptions {
  /** Optimizer steps; one supervision step of the whole batch each. Paper: 65,104. */
  readonly steps: number;
  /** B, puzzles thought about at once. Paper: 768. */
  readonly batchSize: number;
  /** Paper's code: adam-atan2; its text: AdamW. Not in the paper: muon, which makes the step of every matrix orthogonal (arXiv 2502.16982). */
  readonly optimizer: UpdateRequest['optimizer'];
  /** Paper: stablemax. */
  readonly loss: TrainRequest['loss'];
  /** Learning rate after warm-up. Paper: 1e-4. */
  readonly learningRate: number;
  /** Steps in which the rate rises linearly from 0. Paper: 2,000. */
  readonly warmupSteps: number;
  /** The last part of the steps after warm-up in which the rate falls along a cosine, 0 … 1. Reference: 1 (inert, as its final ratio is 1). */
  readonly decayFraction: number;
  /** Rate at the last step as a share of learningRate, 0 … 1. Paper: 1, no decay. */
  readonly finalRateRatio: number;
  /** Decoupled weight decay. Paper: 1.0 for Sudoku and Maze, 0.1 for ARC. */
  readonly weightDecay: number;
  /** Paper: 0.9 and 0.95. */
  readonly beta1: number;
  readonly beta2: number;
  /** SignSGD on the puzzle table. Paper: 1e-4 for Sudoku and Maze, 1e-2 for ARC. */
  readonly puzzleLearningRate: number;
  readonly puzzleWeightDecay: number;
  /** Exponential moving average of the weights used for evaluation; 0 for none. Paper: 0.999. */
  readonly emaRate: number;
  /**
   * Not in the paper; absent: its start values. The latents of a seat that takes a new puzzle are drawn, every value normal with
   * this standard deviation, instead of one stored vector at every position: the model learns to think from anywhere
   * (random initialisation of EqR, arXiv 2605.21488, which has 1). Evaluation still starts from the stored values.
   */
  readonly randomStart?: number;
  /**
   * Not in the paper; absent: the model's. Supervision steps a puzzle gets in training, while evaluations still take the model's:
   * with fewer, more of every batch is new, and a small model at a high rate learns less of its puzzles by heart.
   */
  readonly supervisionSteps?: number;
  /**
   * Not in the paper; absent: none. Rows [until, N]: up to that share of the steps a puzzle gets N supervision steps in training, after
   * the last row supervisionSteps: a model that answers well enough then learns to go on from latents of its own.
   */
  readonly supervisionCurriculum?: readonly SupervisionStage[];
  /**
   * Not in the paper; absent: 1, so that a batch stays until its puzzles halt. This many batches are thought about in turn, a step
   * each: steps that follow each other learn from different puzzles, and a small batch at a high rate has no time to learn
   * its own puzzles by heart.
   */
  readonly interleavedBatches?: number;
  /**
   * Not in the paper; absent: none. Rows [until, T, n]: up to that share of the steps a supervision step makes T deep recursions of n
   * latent ones, after the last row the model's own. CGAR (arXiv 2511.08653) has [[0.3, 1, 2], [0.6, 2, 4]] before T = 3, n = 6.
   * Evaluations on the way think as deep as training then does.
   */
  readonly depthCurriculum?: readonly CurriculumStage[];
}

/** One row of a supervision curriculum. */
export type SupervisionStage = readonly [until: number, supervisionSteps: number];

/** One row of a depth curriculum. */
export type CurriculumStage = readonly [until: number, deepRecursions: number, latentRecursions: number];

/** The published Sudoku run (spec §4.5). */
export const paperTraining: TrainingOptions = {
  steps: 65_104,
  batchSize: 768,
  optimizer: 'adam-atan2',
  loss: 'stablemax',
  learningRate: 1e-4,
  warmupSteps: 2000,
  decayFraction: 1,
  finalRateRatio: 1,
  weightDecay: 1,
  beta1: 0.9,
  beta2: 0.95,
  puzzleLearningRate: 1e-4,
  puzzleWeightDecay: 1,
  emaRate: 0.999,
};

const choices = { optimizer: ['adam-atan2', 'adamw', 'muon'], loss: ['stablemax', 'softmax'] } as const;

const ranges: Readonly<
  Record<
    Exclude<
      keyof TrainingOptions,
      'optimizer' | 'loss' | 'randomStart' | keyof typeof optionalCounts | keyof typeof curricula
    >,
    readonly [low: number, high: number, whole?: boolean]
  >
> = {
  steps: [1, 1e9, true],
  batchSize: [1, 65_536, true],
  learningRate: [0, 10],
  warmupSteps: [0, 1e9, true],
  decayFraction: [0, 1],
  finalRateRatio: [0, 1],
  weightDecay: [0, 100],
  beta1: [0, 0.999999],
  beta2: [0, 0.999999],
  puzzleLearningRate: [0, 10],
  puzzleWeightDecay: [0, 100],
  emaRate: [0, 0.999999],
};

/** Whole numbers from 1 that may be left out, with the largest that makes sense. */
const optionalCounts = { supervisionSteps: 1024, interleavedBatches: 1024 } as const;

/** Curricula, which may be left out: what a row says after `until`, an example, and the largest number in it. */
const curricula = {
  supervisionCurriculum: { counts: ['N'], example: '[[0.5,1],[0.8,2]]', most: 1024 },
  depthCurriculum: { counts: ['T', 'n'], example: '[[0.3,1,2],[0.6,2,4]]', most: 64 },
} as const;

/** Checks training options from any source. Throws InputError naming every unknown, missing or impossible field. */
export function checkTraining(candidate: unknown): TrainingOptions {
  if (typeof candidate !== 'object' || candidate === null || Array.isArray(candidate)) {
    throw new InputError(`training options: expected an object, got ${show(candidate)}`);
  }
  const fields = candidate as Record<string, unknown>;
  const problems = unknownFields(fields, [
    ...Object.keys(paperTraining),
    'randomStart',
    ...Object.keys(optionalCounts),
    ...Object.keys(curricula),
  ]);
  for (const [key, [low, high, whole]] of Object.entries(ranges)) {
    const value = fields[key];
    if (typeof value !== 'number' || !(value >= low && value <= high) || (whole === true && !Number.isInteger(value))) {
      problems.push(
        `${key}: expected a ${whole === true ? 'whole number' : 'number'} from ${low} to ${high}, got ${show(value)}`,
      );
    }
  }
  for (const [key, allowed] of Object.entries(choices)) {
    if (!(allowed as readonly unknown[]).includes(fields[key]))
      problems.push(`${key}: expected one of ${allowed.join(', ')}, got ${show(fields[key])}`);
  }
  const start = fields['randomStart'];
  if (start !== undefined && (typeof start !== 'number' || !(start > 0 && start <= 100)))
    problems.push(`randomStart: expected a number above 0, at most 100, or nothing, got ${show(start)}`);
  for (const [key, most] of Object.entries(optionalCounts)) {
    const value = fields[key];
    if (value !== undefined && !(Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most))
      problems.push(`${key}: expected a whole number from 1 to ${most}, or nothing, got ${show(value)}`);
  }
  for (const key of Object.keys(curricula) as (keyof typeof curricula)[]) {
    if (fields[key] !== undefined) problems.push(...curriculumProblems(key, fields[key]));
  }
  if (problems.length > 0) throw new InputError(`training options: ${problems.join('; ')}`);
  return candidate as TrainingOptions;
}

/** What keeps a value from being a curriculum of that name. */
function curriculumProblems(key: keyof typeof curricula, stages: unknown): string[] {
  const { counts, example, most } = curricula[key];
  const expected = `${key}: expected rows [until, ${counts.join(', ')}] such as ${example}, until rising between 0 and 1, ${counts.join(' and ')} whole from 1 to ${most}`;
  if (!Array.isArray(stages) || stages.length === 0) return [`${expected}, got ${show(stages)}`];
  let before = 0;
  for (const stage of stages as unknown[]) {
    const [until, ...given] = Array.isArray(stage) ? (stage as unknown[]) : [];
    const whole =
      given.length === counts.length &&
      given.every((count) => Number.isInteger(count) && (count as number) >= 1 && (count as number) <= most);
    if (typeof until !== 'number' || !(until > before && until < 1) || !whole)
      return [`${expected}, got the row ${show(stage)}`];
    before = until;
  }
  return [];
}

/** Puzzles that are being thought about at any time. */
export function seatsOf({ batchSize, interleavedBatches = 1 }: TrainingOptions): number {
  return batchSize * interleavedBatches;
}

/** Supervision steps that a puzzle gets at optimizer step 1, 2, … of a run whose model has so many, and the step that this began with. */
export function supervisionAt(
  step: number,
  { steps, supervisionCurriculum = [], supervisionSteps }: TrainingOptions,
  model: { readonly supervisionSteps: number },
): { readonly supervisionSteps: number; readonly since: number } {
  const at = supervisionCurriculum.findIndex(([until]) => step <= until * steps);
  const passed = at === -1 ? supervisionCurriculum.length : at;
  const since = passed === 0 ? 1 : Math.floor(supervisionCurriculum[passed - 1]![0] * steps) + 1;
  return { supervisionSteps: supervisionCurriculum[passed]?.[1] ?? supervisionSteps ?? model.supervisionSteps, since };
}

/** T and n at optimizer step 1, 2, … of a run whose model has these. */
export function recursionsAt(
  step: number,
  { steps, depthCurriculum = [] }: TrainingOptions,
  model: Recursions,
): Recursions {
  const stage = depthCurriculum.find(([until]) => step <= until * steps);
  return stage === undefined
    ? { deepRecursions: model.deepRecursions, latentRecursions: model.latentRecursions }
    : { deepRecursions: stage[1], latentRecursions: stage[2] };
}

/**
 * The factor on both learning rates at optimizer step 1, 2, … (spec §4.3): linear warm-up, then constant,
 * then ½(1 + cos πp) down to finalRateRatio over the last decayFraction of the steps.
 */
export function rateFactor(step: number, options: TrainingOptions): number {
  const { steps, warmupSteps, decayFraction, finalRateRatio } = options;
  if (step < warmupSteps) return step / warmupSteps;
  const decaySteps = Math.max(1, (steps - warmupSteps) * decayFraction);
  const progress = Math.min(1, Math.max(0, (step - (steps - decaySteps)) / decaySteps));
  return finalRateRatio + (1 - finalRateRatio) * 0.5 * (1 + Math.cos(Math.PI * progress));
}

/** The optimizer step number `step` (1, 2, …) of a run. */
export function updateRequest(step: number, options: TrainingOptions): UpdateRequest {
  const factor = rateFactor(step, options);
  const { optimizer, weightDecay, beta1, beta2, puzzleWeightDecay, emaRate } = options;
  return {
    optimizer,
    learningRate: options.learningRate * factor,
    weightDecay,
    beta1,
    beta2,
    puzzleLearningRate: options.puzzleLearningRate * factor,
    puzzleWeightDecay,
    emaRate,
  };
}
