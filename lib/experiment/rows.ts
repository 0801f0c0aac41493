/** Rows of the paper's tables as experiments on a base. */
import { change, type Experiment } from './experiment.js';
import { experiments } from './experiments.js';
import type { ModelConfig } from '../model/config.js';
import { variants, type PaperRow, type Variant } from './variants.js';

/** One row of the paper on a base: its model and training, at the base's task, size and budget. */
export function variantExperiment(base: Experiment, { id }: Pick<Variant, 'id'>): Experiment {
  return change(base, { variant: id });
}

/**
 * Learning rates of rows whose best differs from their base's: the best of half, the same and double on validation
 * puzzles, one seed each (data/search). The plan of a table says how much better such a rate must be.
 */
const rowRates: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'sudoku-6x6-study': { 'trm-t2-n2': 0.016 },
  'sudoku-extreme-desk-study': { 'trm-t2-n2': 0.008, 'trm-separate-nets': 0.008, 'trm-act': 0.008 },
};

/** One row of a table on its base, at its best learning rate. */
export function rowExperiment(base: Experiment, row: Variant): Experiment {
  const learningRate = rowRates[base.name]?.[row.id];
  const experiment = variantExperiment(base, row);
  return learningRate === undefined ? experiment : change(experiment, { training: { learningRate } });
}

/** The same row at its base's rate; undefined where that is its best. */
export function atBaseRate(base: Experiment, row: Variant): Experiment | undefined {
  if (rowRates[base.name]?.[row.id] === undefined) return undefined;
  const experiment = variantExperiment(base, row);
  return change(experiment, { name: `${experiment.name}-base-rate` });
}

/** An experiment's learning rate if it differs from its base's. */
export function ownRate({ base, training: { learningRate } }: Experiment): number | undefined {
  return learningRate === (experiments[base]?.training.learningRate ?? learningRate) ? undefined : learningRate;
}

/**
 * Steps after which a row that is cheaper per step has spent its base's training FLOP. FLOP, not seconds: FLOP are the
 * same on every machine, however busy.
 */
const equalCostSteps: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'sudoku-6x6-study': { 'trm-t2-n2': 2625, 'trm-one-step-gradient': 1260, direct: 2782 },
};

/** A row with more steps, at its base's cost; undefined if its steps cost as much or more. */
export function atEqualCost(base: Experiment, row: Variant): Experiment | undefined {
  const steps = equalCostSteps[base.name]?.[row.id];
  if (steps === undefined) return undefined;
  const experiment = rowExperiment(base, row);
  const every = Math.round((base.evaluation.every * steps) / base.training.steps);
  return change(experiment, { name: `${experiment.name}-equal-cost`, training: { steps }, evaluation: { every } });
}

/** "T = 3, n = 6". */
export function recursionsOf({
  deepRecursions,
  latentRecursions,
}: Pick<ModelConfig, 'deepRecursions' | 'latentRecursions'>): string {
  return `T = ${deepRecursions}, n = ${latentRecursions}`;
}

/**
 * The label of a row of the paper for a model. If the label states TRM's T and n, this one states the model's. A row
 * with several readings names its own.
 */
export function rowLabel({ label, statesRecursions, reading }: PaperRow, model: ModelConfig): string {
  const recursions = statesRecursions ? ` (${recursionsOf(model)})` : '';
  return `${label}${recursions}${reading === undefined ? '' : `, ${reading}`}`;
}

/** What tables and figures call an experiment: the paper's label of its variant, or its own name. */
export function experimentLabel({ name, variant: id, model }: Pick<Experiment, 'name' | 'variant' | 'model'>): string {
  const row = variants.find((each) => each.id === id)?.rows[0];
  return row === undefined ? name : rowLabel(row, model);
}
