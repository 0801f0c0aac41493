/**
 * The paper's tables with ours beside them:
 * which records belong to which row, what they say, and which orderings they bear out.
 */
import type { DataFrame } from 'danfojs-node';
import { rawWeightsIn } from '../experiment/closing.js';
import type { Experiment } from '../experiment/experiment.js';
import { haltingHead, learned } from '../experiment/learned.js';
import {
  closingEvaluation,
  finalEvaluation,
  hashOf,
  quotedAccuracy,
  quotedPuzzles,
  type RunRecord,
} from '../experiment/record.js';
import {
  paperResult,
  rowsOfTable,
  variant,
  atBaseRate,
  rowExperiment,
  type PaperRow,
  type Variant,
} from '../experiment/variants.js';
import { paperConfig, type ModelConfig } from '../model/config.js';
import { effectiveDepth, forwardPasses } from '../model/schedule.js';
import { parameterCount } from '../model/parameters.js';
import type { Evaluation } from '../train/evaluate.js';
import type { ComparedRow } from './figures.js';
import { dataFrame } from './frames.js';
import { orderingsText } from './orderings.js';
import { samplingError, spreadOf } from './statistics.js';
import { markdownText } from './escape.js';
import { meanAndSpread, notesOn, percentPoints, toMarkdown } from './tables.js';

type TableNumber = PaperRow['table'];

/** One row of one of the paper's tables, with our runs of it. */
export interface PaperTableRow {
  /**
   * The paper's row. A label that the paper uses twice has the variant's id behind it, so that rows, figures and
   * verdicts tell them apart. A label that states TRM's T and n states the base's.
   */
  readonly row: PaperRow;
  readonly variant: string;
  /** The row's experiment on the base; its records are the runs of exactly this. */
  readonly experiment: Experiment;
  /** Ours, one a seed, by seed; may be empty. */
  readonly records: readonly RunRecord[];
  /** Runs of the row at its base's learning rate, where its best is another; else the same runs. */
  readonly atBaseRate: readonly RunRecord[];
}

/** The rows of a table as variants of a base, with those records that were made with exactly their configuration. */
export function paperTableRows(table: TableNumber, base: Experiment, records: readonly RunRecord[]): PaperTableRow[] {
  const rows = rowsOfTable(table);
  return rows.map(({ variant: each, row: printed }) => {
    const twice = rows.filter(({ row: { label } }) => label === printed.label).length > 1;
    const experiment = rowExperiment(base, each);
    const label = `${printed.label}${printed.statesRecursions === true ? ` (${recursionsOf(experiment.model)})` : ''}`;
    const row = { ...printed, label: twice ? `${label}, ${each.id}` : label };
    const own = ownRecords(base, each, records);
    const other = atBaseRate(base, each);
    const bySeed = (runs: readonly RunRecord[]): RunRecord[] => [...runs].sort((a, b) => a.seed - b.seed);
    const slow = other === undefined ? own : runsOf(other, records);
    return { row, variant: each.id, experiment, records: bySeed(own), atBaseRate: bySeed(slow) };
  });
}

/** The records of a row: runs of exactly its experiment, or those of the row that it takes the raw weights of. */
function ownRecords(base: Experiment, row: Variant, records: readonly RunRecord[]): RunRecord[] {
  const raw = row.rawWeightsOf === undefined ? undefined : rawWeightsIn(base.evaluation);
  const own = runsOf(rowExperiment(base, raw === undefined ? row : variant(row.rawWeightsOf ?? row.id)), records);
  if (raw === undefined) return own;
  return own.flatMap((record) => {
    const evaluation = closingEvaluation(record, raw);
    const { step } = finalEvaluation(record);
    return evaluation === undefined
      ? []
      : [{ ...record, evaluations: [...record.evaluations.slice(0, -1), { ...evaluation, step }] }];
  });
}

/** What to say where a base has other recursions than the paper's TRM. */
function otherRecursions({ model }: Experiment): string {
  const [ours, papers] = [recursionsOf(model), recursionsOf(paperConfig)];
  return ours === papers ? '' : `, and TRM here has ${ours} where the paper’s has ${papers}`;
}

function recursionsOf({
  deepRecursions,
  latentRecursions,
}: Pick<ModelConfig, 'deepRecursions' | 'latentRecursions'>): string {
  return `T = ${deepRecursions}, n = ${latentRecursions}`;
}

/** Our runs of a table, row after row, each row's by seed. */
export function tableRecords(table: TableNumber, base: Experiment, records: readonly RunRecord[]): RunRecord[] {
  return paperTableRows(table, base, records).flatMap((row) => row.records);
}

/**
 * "model | paper | ours | seeds | 95 % interval | …" as Markdown,
 * and below it which of the paper's orderings our runs bear out.
 */
export function paperTable(table: TableNumber, base: Experiment, records: readonly RunRecord[]): string {
  const rows = paperTableRows(table, base, records);
  const notes = [...new Set(rows.flatMap(({ row: { footnote } }) => (footnote === undefined ? [] : [footnote])))];
  const twoRates = rows.some((row) => row.atBaseRate.some(({ id }) => !row.records.some((own) => own.id === id)));
  const columns = [
    'model',
    `paper, ${paperData(base)}`,
    'ours',
    ...(twoRates ? ['at the base’s rate'] : []),
    'seeds',
    'puzzles',
    '± of puzzles',
    'cells',
    'halting head',
    'seconds',
    'cycles',
    'forward passes',
    'depth',
    'parameters',
  ];
  const cells = rows.map(({ row, experiment, records: ours, atBaseRate: slow }) => {
    const paper = paperResult(row, base.task);
    const mark = row.footnote === undefined ? '' : ` <sup>${notes.indexOf(row.footnote) + 1}</sup>`;
    return [
      `${row.label}${mark}`,
      paper === null ? '–' : `${paper.toFixed(1)} %`,
      meanAndSpread(ours.map(quotedAccuracy)),
      ...(twoRates ? [meanAndSpread(slow.map(quotedAccuracy))] : []),
      ...measuredCells(ours),
      String(forwardPasses(experiment.model)),
      String(effectiveDepth(experiment.model)),
      parameterCount(experiment.model).toLocaleString('en'),
    ];
  });
  const data = [...new Set(rows.flatMap(({ records: ours }) => ours.map((record) => record.data.test.name)))];
  const about =
    data.length === 0
      ? `Nothing of ${base.name} was run yet.`
      : `Ours: ${data.map(markdownText).join('; ')}, scale ${base.scale}; ${whatCounts(base)}, ` +
        'mean ± standard deviation over seeds. “± of puzzles” is the standard error of counting so few. Seconds are of one training. “Cycles” are supervision steps that a training puzzle got. Beside the paper’s numbers, not against them: ' +
        `boards and sizes differ${otherRecursions(base)}.`;
  const floor = rows.filter(({ records: ours }) => ours.length > 0 && !learned(ours)).map(({ row }) => row.label);
  const below = [
    about,
    floor.length === 0 ? '' : `Did not learn (under 2 % of puzzles, or cells at chance): ${floor.join(', ')}.`,
    ...notesOn(rows.flatMap(({ records: ours }) => ours)),
    ...notes.map((note, i) => `<sup>${i + 1}</sup> ${note}`),
    orderingsText(rows),
  ];
  return [toMarkdown({ columns, rows: cells }), ...below.filter((text) => text !== '')].join('\n\n');
}

/** seeds, puzzles, their sampling error, cells, halting head, seconds of a run, cycles of a training puzzle. */
function measuredCells(ours: readonly RunRecord[]): string[] {
  const [first] = ours;
  if (first === undefined) return ['–', '–', '–', '–', '–', '–', '–'];
  const mean = (values: readonly number[]): number => spreadOf(values).mean;
  const finals = ours.map(finalEvaluation);
  const puzzles = quotedPuzzles(first);
  const cycles = ours.flatMap(({ curve }) => curve.flatMap(({ meanSteps }) => meanSteps ?? []));
  return [
    String(ours.length),
    puzzles.toLocaleString('en'),
    percentPoints(samplingError(mean(ours.map(quotedAccuracy)), puzzles)),
    `${percentPoints(mean(finals.map(({ cellAccuracy }) => cellAccuracy.at(-1) ?? NaN)))} %`,
    haltingText(finals),
    String(Math.round(mean(ours.map(({ seconds }) => seconds.training)))),
    cycles.length === 0 ? '–' : mean(cycles).toFixed(1),
  ];
}

/** "right in 97 %"; "constant" where the head says the same to every puzzle, in so many seeds. */
function haltingText(finals: readonly Evaluation[]): string {
  const constant = finals.filter((each) => haltingHead(each) === 'constant').length;
  if (constant === finals.length) return 'constant';
  const right = spreadOf(finals.map(({ haltingAccuracy }) => haltingAccuracy.at(-1) ?? NaN)).mean;
  return `right in ${Math.round(100 * right)} %${constant === 0 ? '' : `, constant in ${constant} of ${finals.length}`}`;
}

/** The same rows as numbers, accuracies 0 … 1, for sorting, joining and CSV. Rows that were not run have nulls. */
export function paperTableFrame(table: TableNumber, base: Experiment, records: readonly RunRecord[]): DataFrame {
  return dataFrame(
    paperTableRows(table, base, records).map(({ row, variant: id, experiment, records: ours }) => {
      const spread = ours.length === 0 ? null : spreadOf(ours.map(quotedAccuracy));
      return {
        variant: id,
        model: row.label,
        paper: shareOf(paperResult(row, base.task)),
        ours: spread?.mean ?? null,
        deviation: spread?.deviation ?? null,
        low: spread?.interval?.[0] ?? null,
        high: spread?.interval?.[1] ?? null,
        seeds: ours.length,
        puzzles: ours[0] === undefined ? null : quotedPuzzles(ours[0]),
        depth: effectiveDepth(experiment.model),
        forwardPasses: forwardPasses(experiment.model),
        parameters: parameterCount(experiment.model),
        runs: ours.map((record) => record.id).join(' '),
      };
    }),
  );
}

/** The same rows for the figure that draws ours beside the paper's. */
export function comparedRows(table: TableNumber, base: Experiment, records: readonly RunRecord[]): ComparedRow[] {
  return paperTableRows(table, base, records).map(({ row, records: ours }) => ({
    name: row.label,
    paper: shareOf(paperResult(row, base.task)),
    ours: ours.map(quotedAccuracy),
  }));
}

/** The records of exactly one experiment. */
function runsOf(experiment: Experiment | undefined, records: readonly RunRecord[]): RunRecord[] {
  return records.filter(
    (record) =>
      experiment !== undefined &&
      record.experiment.name === experiment.name &&
      sameTrial(record.experiment, experiment),
  );
}

function sameTrial(a: Experiment, b: Experiment): boolean {
  const trial = ({ task, model, training, evaluation, scale }: Experiment): string =>
    hashOf({ task, model, training, evaluation, scale });
  return trial(a) === trial(b);
}

/** What the paper's column is of, and what is counted in ours. */
function paperData({ task }: Experiment): string {
  if (task.kind === 'arc') return `ARC-AGI-${task.set === 'arc1' ? 1 : 2}`;
  return task.kind === 'maze' ? 'Maze-Hard' : 'Sudoku-Extreme';
}

function whatCounts({ task }: Experiment): string {
  return task.kind === 'arc'
    ? 'share of test tasks solved in two tries by the votes of their versions ' +
        '(a task of several test pairs counts by its share)'
    : 'share of test puzzles solved whole after the last supervision step';
}

function shareOf(percent: number | null): number | null {
  return percent === null ? null : percent / 100;
}
