/** Training hyperparameters: the options of one training, and their values at every optimizer step. */
import { updateFields } from '../engine/checks.js';
import type { TrainRequest, UpdateRequest } from '../engine/engine.js';
import { between, checkFields, frozen, oneOf, optional, whole, type Fields } from '../fields.js';

/** A training as plain data. The paper's values are those of its Sudoku run (spec §4.5). */
export interface TrainingOptions {
  /** Optimizer steps. Each makes one supervision step of the whole batch. Paper: 65,104. */
  readonly steps: number;
  /** B, puzzles per batch. Paper: 768. */
  readonly batchSize: number;
  /**
   * The paper's code uses adam-atan2, its text says AdamW.
   * muon, which orthogonalises the update of every matrix (arXiv 2502.16982), is not in the paper.
   */
  readonly optimizer: UpdateRequest['optimizer'];
  /** Cross-entropy over stablemax or softmax. Paper: stablemax. */
  readonly loss: TrainRequest['loss'];
  /** Learning rate after warm-up. Paper: 1e-4. */
  readonly learningRate: number;
  /** Steps in which the rate rises linearly from 0. Paper: 2,000. */
  readonly warmupSteps: number;
  /**
   * Share of the steps after warm-up, at the end, over which the rate falls along a half cosine, 0 … 1.
   * Reference: 1, which has no effect, because its finalRateRatio is 1.
   */
  readonly decayFraction: number;
  /** Rate at the last step as a share of learningRate, 0 … 1. Paper: 1, so the rate does not fall. */
  readonly finalRateRatio: number;
  /** Decoupled weight decay. Paper: 1.0 for Sudoku and Maze, 0.1 for ARC. */
  readonly weightDecay: number;
  /** Decay of the first moment, the moving mean of the gradient. Paper: 0.9. */
  readonly beta1: number;
  /** Decay of the second moment, the moving mean of the squared gradient. Paper: 0.95. */
  readonly beta2: number;
  /** Learning rate of the puzzle table, which SignSGD trains. Paper: 1e-4 for Sudoku and Maze, 1e-2 for ARC. */
  readonly puzzleLearningRate: number;
  /** Weight decay of the puzzle table. Paper: 1.0 for Sudoku and Maze, 0.1 for ARC. */
  readonly puzzleWeightDecay: number;
  /** Decay of the moving average of the weights that evaluations use; 0 for no average. Paper: 0.999. */
  readonly emaRate: number;
  /**
   * Supervision steps that a puzzle gets in training; evaluations use the model's. With fewer, more of every batch is
   * new, and a small model at a high rate memorises fewer puzzles. Not in the paper. Absent: the model's.
   */
  readonly supervisionSteps?: number;
  /**
   * Rows [until, N]: until that share of the optimizer steps, a puzzle gets N supervision steps in training; after the
   * last row, supervisionSteps. A model that already answers well then learns to continue from its own latents.
   * Not in the paper. Absent: no rows.
   */
  readonly supervisionCurriculum?: readonly SupervisionStage[];
  /**
   * Batches that take turns, one optimizer step each. Consecutive steps then learn from different puzzles, and a
   * small batch at a high rate has no time to be memorised.
   * Not in the paper. Absent: 1, so a batch stays until its puzzles halt.
   */
  readonly interleavedBatches?: number;
}

/** One row of a supervision curriculum. */
export type SupervisionStage = readonly [until: number, supervisionSteps: number];

/** The published Sudoku run (spec §4.5). */
export const paperTraining: TrainingOptions = frozen({
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
});

/** Allowed values of each field. */
export const trainingFields: Fields<TrainingOptions> = {
  steps: whole(1, 1e9),
  batchSize: whole(1, 65_536),
  optimizer: updateFields.optimizer,
  loss: oneOf('stablemax', 'softmax'),
  learningRate: updateFields.learningRate,
  warmupSteps: whole(0, 1e9),
  decayFraction: between(0, 1),
  finalRateRatio: between(0, 1),
  weightDecay: updateFields.weightDecay,
  beta1: updateFields.beta1,
  beta2: updateFields.beta2,
  puzzleLearningRate: updateFields.puzzleLearningRate,
  puzzleWeightDecay: updateFields.puzzleWeightDecay,
  emaRate: updateFields.emaRate,
  supervisionSteps: optional(whole(1, 1024)),
  supervisionCurriculum: optional(supervisionStages),
  interleavedBatches: optional(whole(1, 1024)),
};

/** Checks training options from any source. Throws InputError naming every unknown, missing or impossible field. */
export function checkTraining(candidate: unknown): TrainingOptions {
  return checkFields('training options', candidate, trainingFields);
}

/** Checks a supervision curriculum; returns what it expected, undefined if the curriculum is right. */
function supervisionStages(rows: unknown): string | undefined {
  let before = 0;
  const rising = (row: unknown): boolean => {
    if (!Array.isArray(row) || row.length !== 2) return false;
    const [until, count] = row as unknown[];
    const right = typeof until === 'number' && until > before && until < 1 && whole(1, 1024)(count) === undefined;
    before = until as number;
    return right;
  };
  return Array.isArray(rows) && rows.length > 0 && rows.every(rising)
    ? undefined
    : 'rows [until, N] such as [[0.5,1],[0.8,2]], until rising between 0 and 1, N whole from 1 to 1024';
}

/** Puzzles under way at any time, those of all interleaved batches. */
export function seatsOf({ batchSize, interleavedBatches = 1 }: TrainingOptions): number {
  return batchSize * interleavedBatches;
}

/** N_sup in training at optimizer step 1, 2, …, and the first step of the stage with this N_sup. */
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

/**
 * The factor on both learning rates at optimizer step 1, 2, … (spec §4.3): linear warm-up, then constant,
 * then ½(1 + cos πp) down to finalRateRatio over the last decayFraction of the steps.
 */
export function rateFactor(step: number, options: TrainingOptions): number {
  const { steps, warmupSteps, decayFraction, finalRateRatio } = options;
  if (step < warmupSteps) return step / warmupSteps;
  const decaySteps = Math.max(0, (steps - warmupSteps) * decayFraction);
  const start = steps - decaySteps; // the step before the decay, which still has the whole rate
  const progress = step <= start ? 0 : Math.min(1, (step - start) / decaySteps);
  return finalRateRatio + (1 - finalRateRatio) * 0.5 * (1 + Math.cos(Math.PI * progress));
}

/** The optimizer's request at optimizer step 1, 2, … */
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
