/** Whether a run learned at all, and whether its halting head tells puzzles apart. */
import type { Evaluation } from '../train/evaluate.js';
import { finalEvaluation, quotedAccuracy, type RunRecord } from './record.js';

/** Least share of puzzles solved; runs below it did not learn the task. */
const leastSolved = 0.02;
/** Least ratio of right cells to those right by chance; an answer below it knows nothing of its puzzle. */
const aboveChance = 1.1;
/** A halting head is constant if its logits' standard deviation over puzzles is smaller; working heads have several. */
const leastVariation = 0.1;

/** Whether runs of one configuration learned their task: their mean is above the floor. False for an empty list. */
export function learned(records: readonly RunRecord[]): boolean {
  if (records.length === 0) return false;
  const mean = (value: (record: RunRecord) => number): number =>
    records.reduce((sum, record) => sum + value(record), 0) / records.length;
  const [{ experiment }] = records as [RunRecord];
  const chance = experiment.task.kind === 'sudoku' ? 1 / experiment.task.side : 0;
  const cells = mean((record) => finalEvaluation(record).cellAccuracy.at(-1) ?? NaN);
  return mean(quotedAccuracy) >= leastSolved && cells > aboveChance * chance;
}

/** Whether only some of a row's runs learned their task, so that their mean describes neither kind. */
export function learnedInPart(records: readonly RunRecord[]): boolean {
  return new Set(records.map((record) => learned([record]))).size > 1;
}

/**
 * What an evaluation shows about the halting head. constant: the head says the same about every puzzle, so its halting
 * tells nothing. varies: it does not. unknown: all puzzles are solved or none, and the record has no logits.
 */
export function haltingHead(evaluation: Evaluation): 'varies' | 'constant' | 'unknown' {
  const { exactAccuracy, haltingAccuracy, haltLogit } = evaluation;
  if (haltLogit !== undefined) return (haltLogit.deviation.at(-1) ?? 0) < leastVariation ? 'constant' : 'varies';
  const telling = exactAccuracy.map((share, step) => ({ share, right: haltingAccuracy[step] ?? NaN }));
  const mixed = telling.filter(({ share }) => share > 0 && share < 1);
  if (mixed.length === 0) return 'unknown';
  const same = (a: number, b: number): boolean => Math.abs(a - b) < 1e-9;
  return mixed.every(({ share, right }) => same(right, share) || same(right, 1 - share)) ? 'constant' : 'varies';
}
