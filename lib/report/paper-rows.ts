/** Which records belong to which row of the paper's tables. */
import { rawWeightsIn } from '../experiment/closing.js';
import { sameTrial } from '../experiment/differences.js';
import { anyExperiment, type Experiment } from '../experiment/experiment.js';
import { InputError } from '../errors.js';
import { closingEvaluation, finalEvaluation, type RunRecord } from '../experiment/record.js';
import { atBaseRate, atEqualCost, rowExperiment, rowLabel } from '../experiment/rows.js';
import { rowsOfTable, variant, type PaperRow, type Variant } from '../experiment/variants.js';
import { checkValue } from '../fields.js';
import { isPlannedSeed } from '../sweep/plan.js';
import { checkRecords } from './checks.js';

/** One row of one of the paper's tables, with our runs of it. */
export interface PaperTableRow {
  /**
   * The paper's row. If its label is ambiguous, it includes the reading, so that rows, figures and verdicts differ. If
   * it states TRM's T and n, it states the base's.
   */
  readonly row: PaperRow;
  readonly variant: string;
  /** The row's experiment on the base; `records` holds runs of exactly this one. */
  readonly experiment: Experiment;
  /** Ours, one a seed, by seed; may be empty. */
  readonly records: readonly RunRecord[];
  /** Runs of the row at its base's learning rate; equal to `records` if that is its best. */
  readonly atBaseRate: readonly RunRecord[];
  /** Runs of the row with more steps, at its base's cost; undefined if its steps are not cheaper. */
  readonly atEqualCost: readonly RunRecord[] | undefined;
}

/**
 * The rows of a table as variants of a base, each with the records of exactly its configuration. Throws InputError for
 * an unknown table, an invalid base or record, and a run that is given twice.
 */
export function paperTableRows(
  table: PaperRow['table'],
  base: Experiment,
  records: readonly RunRecord[],
): PaperTableRow[] {
  const rows = rowsOfTable(table);
  checkValue('base', base, anyExperiment);
  checkRecords(records);
  return rows.map(({ variant: each, row: printed }) => {
    const experiment = rowExperiment(base, each);
    const row = { ...printed, label: rowLabel(printed, experiment.model) };
    const own = ownRecords(base, each, records);
    const other = atBaseRate(base, each);
    const bySeed = (runs: readonly RunRecord[]): RunRecord[] =>
      runs.filter(({ seed }) => isPlannedSeed(table, base, seed)).sort((a, b) => a.seed - b.seed);
    const slow = other === undefined ? own : runsOf(other, records);
    const equal = atEqualCost(base, each);
    const atSameCost = equal === undefined ? undefined : bySeed(runsOf(equal, records));
    return {
      row,
      variant: each.id,
      experiment,
      records: bySeed(own),
      atBaseRate: bySeed(slow),
      atEqualCost: atSameCost,
    };
  });
}

/**
 * The records of a row: runs of exactly its experiment. For a row of raw weights, runs of the row with the same
 * training, with the raw weights' evaluation as their only one.
 */
function ownRecords(base: Experiment, row: Variant, records: readonly RunRecord[]): RunRecord[] {
  const raw = row.rawWeightsOf === undefined ? undefined : rawWeightsIn(base.evaluation);
  const own = runsOf(rowExperiment(base, raw === undefined ? row : variant(row.rawWeightsOf ?? row.id)), records);
  if (raw === undefined) return own;
  return own.flatMap((record) => {
    const evaluation = closingEvaluation(record, raw);
    const { step } = finalEvaluation(record);
    return evaluation === undefined ? [] : [{ ...record, evaluations: [{ ...evaluation, step }], closing: {} }];
  });
}

/**
 * The records of exactly one experiment, with the kit's block and weights from the seed. Throws InputError if their
 * puzzles differ because a file has changed.
 */
export function runsOf(experiment: Experiment | undefined, records: readonly RunRecord[]): RunRecord[] {
  const own = records.filter(
    (record) =>
      experiment !== undefined &&
      record.block === undefined &&
      record.start === undefined &&
      record.experiment.name === experiment.name &&
      sameTrial(record.experiment, experiment),
  );
  const other = own.find(({ data }) => puzzlesOf(data) !== puzzlesOf(own[0]!.data));
  if (other !== undefined)
    throw new InputError(
      `${experiment!.name}: expected runs on the same puzzles, got ${own[0]!.id} and ${other.id}, which were made ` +
        'before and after their file changed; move the older records away',
    );
  return own;
}

const puzzlesOf = ({ train, test }: RunRecord['data']): string => `${train.sha256} ${test.sha256}`;
