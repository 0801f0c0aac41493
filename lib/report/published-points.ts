/**
 * What others published on Sudoku-Extreme with its 1,000 training puzzles (data/published), each point with its source.
 * FLOP are counted as for our runs: what a published configuration costs a step, times its steps.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { applyVariant, variant } from '../experiment/variants.js';
import { between, checkFields, oneOf, optional, text, whole, type Fields } from '../fields.js';
import { projectRoot } from '../files.js';
import { paperConfig } from '../model/config.js';
import { describe } from '../model/describe.js';

/** One published model. */
export interface PublishedPoint {
  /** The model, and who published it. */
  readonly name: string;
  readonly by: string;
  readonly source: string;
  /** Share of test puzzles solved in a single pass, 0 … 1. */
  readonly solved: number;
  /** Optimizer steps, and puzzles a step. */
  readonly steps: number;
  readonly batchSize: number;
  /** A row of the paper's tables with this model's published size, which determines its FLOP … */
  readonly model?: string;
  /** … or its FLOP a puzzle and step. */
  readonly flopPerPuzzle?: number;
  readonly note?: string;
}

const fields: Fields<PublishedPoint> = {
  name: text,
  by: text,
  source: text,
  solved: between(0, 1),
  steps: whole(1),
  batchSize: whole(1),
  model: optional(oneOf('trm', 'trm-attention', 'hrm')),
  flopPerPuzzle: optional(between(1, 1e15)),
  note: optional(text),
};

/** All points. Throws InputError for an invalid file. */
export function publishedPoints(): PublishedPoint[] {
  const file = path.join('data', 'published', 'sudoku-extreme.json');
  const points = JSON.parse(readFileSync(path.join(projectRoot(), file), 'utf8')) as unknown[];
  return points.map((point, i) =>
    checkFields(`${file}, point ${i + 1}`, point, fields, ({ model, flopPerPuzzle }) =>
      (model === undefined) === (flopPerPuzzle === undefined) ? ['expected model or flopPerPuzzle, and not both'] : [],
    ),
  );
}

/** FLOP of its whole training. */
export function publishedFlop({ model, flopPerPuzzle = 0, steps, batchSize }: PublishedPoint): number {
  if (model === undefined) return flopPerPuzzle * batchSize * steps;
  return describe(applyVariant(paperConfig, variant(model)), { batchSize }).flopPerTrainingStep * steps;
}
