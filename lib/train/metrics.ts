/**
 * How right predictions are: cell accuracy, exact accuracy and halting accuracy,
 * as the reference counts them (spec §3.3).
 */
import { ignoredLabel } from '../data/example.js';
import type { TrainResult } from '../engine/engine.js';
import type { Carry } from './carry.js';

/** One board's score. */
export interface BoardScore {
  /** Scored cells (label not ignored). */
  readonly cells: number;
  readonly rightCells: number;
  /** Every scored cell is right (true for a board without scored cells). */
  readonly exact: boolean;
}

/** Scores board `seat` of predictions against labels, both [B, L]. */
export function scoreBoard(predictions: Int32Array, labels: Int32Array, seat: number, length: number): BoardScore {
  let cells = 0;
  let rightCells = 0;
  for (let i = seat * length; i < (seat + 1) * length; i++) {
    if (labels[i] === ignoredLabel) continue;
    cells++;
    if (labels[i] === predictions[i]) rightCells++;
  }
  return { cells, rightCells, exact: rightCells === cells };
}

/** Sums over one training step. Only seats that halt in it count for the accuracies (spec §3.3). */
export interface StepMetrics {
  /** Seats that halted in this step with at least one scored cell. */
  readonly count: number;
  /**
   * Sums over those seats: shares of right cells, exact boards, right halting logits, supervision steps. At the start
   * of a curriculum's stage interleaved batches count as older, so there `steps` exceeds the steps made.
   */
  readonly cellAccuracy: number;
  readonly exactAccuracy: number;
  readonly haltingAccuracy: number;
  readonly steps: number;
  /** Sums over all seats, halted or not. */
  readonly answerLoss: number;
  readonly haltLoss: number;
  readonly continueLoss: number;
}

/** The metrics of no step, to add to. */
export const noMetrics: StepMetrics = {
  count: 0,
  cellAccuracy: 0,
  exactAccuracy: 0,
  haltingAccuracy: 0,
  steps: 0,
  answerLoss: 0,
  haltLoss: 0,
  continueLoss: 0,
};

/** The metrics of one training step. `after`: the carry that `advance` returned for it. */
export function stepMetrics(result: TrainResult, after: Carry): StepMetrics {
  const batchSize = after.steps.length;
  const length = after.puzzles.labels.length / batchSize;
  const sums = { ...noMetrics };
  for (let seat = 0; seat < batchSize; seat++) {
    sums.answerLoss += result.answerLoss[seat] ?? NaN;
    sums.haltLoss += result.haltLoss[seat] ?? NaN;
    sums.continueLoss += result.continueLoss[seat] ?? NaN;
    const { cells, rightCells, exact } = scoreBoard(result.predictions, after.puzzles.labels, seat, length);
    if (after.halted[seat] === 0 || cells === 0) continue;
    sums.count++;
    sums.cellAccuracy += rightCells / cells;
    sums.exactAccuracy += exact ? 1 : 0;
    sums.haltingAccuracy += (result.haltLogits[seat] ?? NaN) >= 0 === exact ? 1 : 0;
    sums.steps += after.steps[seat] ?? 0;
  }
  return sums;
}

/** The metrics of two stretches of steps together. */
export function addMetrics(a: StepMetrics, b: StepMetrics): StepMetrics {
  return {
    count: a.count + b.count,
    cellAccuracy: a.cellAccuracy + b.cellAccuracy,
    exactAccuracy: a.exactAccuracy + b.exactAccuracy,
    haltingAccuracy: a.haltingAccuracy + b.haltingAccuracy,
    steps: a.steps + b.steps,
    answerLoss: a.answerLoss + b.answerLoss,
    haltLoss: a.haltLoss + b.haltLoss,
    continueLoss: a.continueLoss + b.continueLoss,
  };
}
