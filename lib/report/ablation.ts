/** The table of your own ablation: its runs row by row, in the order of the plan, and each row against the base. */
import { changesText } from '../experiment/differences.js';
import type { Experiment } from '../experiment/experiment.js';
import { finalEvaluation, quotedAccuracy, quotedPuzzles, voteOf, type RunRecord } from '../experiment/record.js';
import { experimentLabel } from '../experiment/rows.js';
import { hashOf } from '../experiment/sealed.js';
import { InputError } from '../errors.js';
import { parameterCount } from '../model/parameters.js';
import { effectiveDepth } from '../model/schedule.js';
import { checkPlan, type PlannedRun } from '../sweep/plan.js';
import { checkRecords } from './checks.js';
import { comparedOverSeeds, probabilityText } from './orderings.js';
import { runsOf } from './paper-rows.js';
import { holm } from './statistics.js';
import {
  byVotes,
  labelledRuns,
  meanAndSpread,
  signedPoints,
  splitsText,
  toMarkdown,
  type LabelledRuns,
} from './tables.js';
import { countsText, plural } from '../words.js';

/** One row of an ablation with its runs; accepted by figures of table rows. */
export interface AblationRuns extends LabelledRuns {
  readonly experiment: PlannedRun['experiment'];
}

/**
 * The experiments of a plan in its order, each once. Throws InputError if two have one name, since records are
 * identified by name and seed.
 */
export function experimentsOf(plan: readonly PlannedRun[]): Experiment[] {
  checkPlan(plan);
  const once = new Map<string, Experiment>();
  for (const { experiment } of plan) {
    const first = once.get(experiment.name) ?? experiment;
    if (hashOf(first) !== hashOf(experiment))
      throw new InputError(
        `plan: expected one experiment of each name, got two different ones named ${experiment.name}; ` +
          'give one of them another name: change(experiment, { name: … })',
      );
    once.set(experiment.name, first);
  }
  return [...once.values()];
}

/**
 * The rows of a plan, the base first, each with its records for the plan's seeds, in order of seed; a row may have
 * none. Throws InputError as experimentsOf, for a run that is given twice, and if records of a row have different
 * puzzles.
 */
export function ablationRows(plan: readonly PlannedRun[], records: readonly RunRecord[]): AblationRuns[] {
  checkRecords(records);
  return experimentsOf(plan).map((experiment) => ({
    row: { label: experimentLabel(experiment) },
    experiment,
    records: runsOf(experiment, records)
      .filter(({ seed }) => plan.some((run) => run.seed === seed && run.experiment.name === experiment.name))
      .sort((a, b) => a.seed - b.seed),
  }));
}

/** The records of a plan, row after row, each row's by seed. */
export function ablationRecords(plan: readonly PlannedRun[], records: readonly RunRecord[]): RunRecord[] {
  return ablationRows(plan, records).flatMap(({ records: own }) => own);
}

/** The changes of each row from the base, one row a line. */
export function ablationText(plan: readonly PlannedRun[]): string {
  const [base, ...rows] = ablationRows(plan, []);
  if (base === undefined) return 'an empty plan';
  const seeds = [...new Set(plan.map(({ seed }) => seed))];
  const lines = rows.map(
    ({ row, experiment }) => `${row.label}: ${changesText(base.experiment, experiment) || 'no change'}`,
  );
  return [`${base.row.label}: the base; ${plural(plan.length, 'run')}, seeds ${seeds.join(', ')}`, ...lines].join('\n');
}

/**
 * The table of an ablation, as Markdown: each row's model in the paper's words, its accuracy after the first and the
 * last cycle (on ARC by the vote, which exists for the last alone), and its difference from the base, paired by seed. A
 * row that was scored on other puzzles than the base has no difference.
 */
export function ablationTable(plan: readonly PlannedRun[], records: readonly RunRecord[]): string {
  const rows = ablationRows(plan, records);
  return rowsTable(rows, rows[0]);
}

/** The same table for any records, in order of first appearance, without a base. */
export function recordsTable(records: readonly RunRecord[]): string {
  return rowsTable(labelledRuns(records).map((runs) => ({ ...runs, experiment: runs.records[0].experiment })));
}

function rowsTable(rows: readonly AblationRuns[], base?: AblationRuns): string {
  const others = rows.filter(({ records }) => base !== undefined && !scoredAlike([...base.records, ...records]));
  const against = new Map(
    rows
      .filter((each) => base !== undefined && each.experiment !== base.experiment && !others.includes(each))
      .flatMap((row) => {
        const { test } = comparedOverSeeds(row.records, base?.records ?? []);
        return test === null ? [] : [[row, test] as const];
      }),
  );
  const corrected = holm([...against.values()].map(({ p }) => p));
  const lines = rows.map((each) => {
    const { row, experiment, records: own } = each;
    const { model } = experiment;
    const recursions = model.schedule === undefined ? [model.deepRecursions, model.latentRecursions] : ['–', '–'];
    const test = against.get(each);
    const p = corrected[[...against.keys()].indexOf(each)];
    return [
      row.label,
      ...recursions.map(String),
      String(model.layers),
      model.mixer,
      model.halting === 'halt-or-continue' ? 'yes' : 'no',
      String(effectiveDepth(model)),
      parameterCount(model).toLocaleString('en'),
      own.some(voteOf) ? '–' : meanAndSpread(own.map((record) => finalEvaluation(record).exactAccuracy[0] ?? NaN)),
      meanAndSpread(own.map(quotedAccuracy)),
      ...(base === undefined
        ? []
        : [test === undefined ? '–' : signedPoints(test.difference), probabilityText(p ?? null)]),
      String(own.length),
    ];
  });
  const columns = ['row', 'T', 'n', 'layers', 'mixer', 'ACT', 'depth', 'parameters', 'first cycle', 'last cycle'];
  const compared = base === undefined ? [] : ['against the base, points', 'p'];
  const table = toMarkdown({ columns: [...columns, ...compared, 'seeds'], rows: lines });
  const run = rows.flatMap(({ records: own }) => own);
  const splits = splitsText(rows.map(({ experiment }) => experiment.evaluation.split));
  const about =
    run.length === 0
      ? 'No runs of this plan yet.'
      : `Share of ${countsText(run.map(quotedPuzzles))} ` +
        `${splits} ${run.some(voteOf) ? `tasks ${byVotes}` : 'puzzles fully solved'}, ` +
        'mean ± standard deviation over seeds' +
        `${base === undefined ? '' : '; p is from a two-sided t-test paired by seed, Holm-corrected over the rows'}.`;
  const apart = others.map(({ row }) => row.label).join(', ');
  return [
    table,
    about,
    ...(apart === '' ? [] : [`Scored on different puzzles from the base, so not compared: ${apart}.`]),
  ].join('\n\n');
}

/** Whether all runs were scored on the same puzzles, and on equally many. */
function scoredAlike(records: readonly RunRecord[]): boolean {
  return new Set(records.map((record) => `${record.data.test.sha256} ${quotedPuzzles(record)}`)).size <= 1;
}
