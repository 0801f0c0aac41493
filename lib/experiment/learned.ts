/** Whether a run learned at all, and whether its halting head tells puzzles apart. */
import type { Evaluation } from '../train/evaluate.js';
import { finalEvaluation, quotedAccuracy, type RunRecord } from './record.js';

/** Runs that solve fewer puzzles did not learn the task, whatever they differ in. */
const leastSolved = 0.02;
/** Cells right by chance, and a little over it: below, an answer knows nothing of its puzzle. */
const aboveChance = 1.1;
/** A head whose logits vary by less over puzzles says the same to all of them; one that works varies by several. */
const leastVariation = 0.1;

/**
 * Whether runs of one configuration learned their task: the mean over them is above the floor. An empty list did not.
 */
export function learned(records: readonly RunRecord[]): boolean {
  if (records.length === 0) return false;
  const mean = (value: (record: RunRecord) => number): number =>
    records.reduce((sum, record) => sum + value(record), 0) / records.length;
  const [{ experiment }] = records as [RunRecord];
  const chance = experiment.task.kind === 'sudoku' ? 1 / experiment.task.side : 0;
  const cells = mean((record) => finalEvaluation(record).cellAccuracy.at(-1) ?? NaN);
  return mean(quotedAccuracy) >= leastSolved && cells > aboveChance * chance;
}

/** Whether some of a row's runs learned their task and others did not, so that their mean is that of neither. */
export function learnedInPart(records: readonly RunRecord[]): boolean {
  return new Set(records.map((record) => learned([record]))).size > 1;
}

/**
 * What an evaluation says of the halting head. constant: it says the same to every puzzle, so that nothing can be read
 * from when it halts. varies: it does not. unknown: all puzzles are solved or none, and the logits were not kept.
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
