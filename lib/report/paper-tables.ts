/** The paper's tables with ours: our results row by row, and which of the paper's orderings they confirm. */
import type { DataFrame } from 'danfojs-node';
import { runCost } from '../experiment/cost.js';
import type { Experiment } from '../experiment/experiment.js';
import { learned, learnedInPart } from '../experiment/learned.js';
import { finalEvaluation, quotedAccuracy, quotedPuzzles, type RunRecord } from '../experiment/record.js';
import { recursionsOf } from '../experiment/rows.js';
import { paperResult, type PaperRow } from '../experiment/variants.js';
import { paperConfig } from '../model/config.js';
import { effectiveDepth, forwardPasses } from '../model/schedule.js';
import { parameterCount } from '../model/parameters.js';
import type { ComparedRow } from './figures.js';
import { dataFrame, tableOfFrame, type FrameRow } from './frames.js';
import { deadSeedsText, equalCostText, heldAgainst, intervalText, orderings, orderingsText } from './orderings.js';
import { paperTableRows, type PaperTableRow } from './paper-rows.js';
import { legend } from './legend.js';
import { provenanceText } from './provenance.js';
import { rawWeightsText } from './raw-weights.js';
import { samplingError, spreadOf } from './statistics.js';
import { markdownText } from './escape.js';
import { arcName } from './best.js';
import {
  byVotes,
  haltingText,
  meanAndSpread,
  notesOn,
  percentPoints,
  signedPoints,
  toCsv,
  toMarkdown,
} from './tables.js';

type TableNumber = PaperRow['table'];

/** A note for a base whose T and n are not those of the paper's TRM. */
function otherRecursions({ model }: Experiment): string {
  const [ours, papers] = [recursionsOf(model), recursionsOf(paperConfig)];
  return ours === papers ? '' : ` TRM here has ${ours} where the paper’s has ${papers}.`;
}

/**
 * As Markdown: "model | paper | ours | seeds | …", a second table of the rows' costs, so that neither is wider than a
 * page, and which orderings of the paper our runs confirm. A page of several tables has the legend once.
 */
export function paperTable(
  table: TableNumber,
  base: Experiment,
  records: readonly RunRecord[],
  withLegend = true,
): string {
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
    'sampling error',
    'cells',
    'halting head',
  ];
  const results = rows.map(({ row, records: ours, atBaseRate: slow }) => {
    const paper = paperResult(row, base.task);
    const mark = row.footnote === undefined ? '' : ` <sup>${notes.indexOf(row.footnote) + 1}</sup>`;
    return [
      `${row.label}${mark}`,
      paper === null ? '–' : `${paper.toFixed(1)} %`,
      meanAndSpread(ours.map(quotedAccuracy)),
      ...(twoRates
        ? [slow.some(({ id }) => ours.some((own) => own.id === id)) ? '–' : meanAndSpread(slow.map(quotedAccuracy))]
        : []),
      ...measuredCells(ours),
    ];
  });
  const costs = toMarkdown({
    columns: ['model', 'seconds', 'TFLOP', 'cycles', 'forward passes', 'depth', 'parameters'],
    rows: rows.map(({ row, experiment, records: ours }) => [row.label, ...costCells(ours, experiment)]),
  });
  const below = [
    costs,
    dataText(base, rows),
    withLegend && rows.some(({ records: ours }) => ours.length > 0) ? legend.columns : '',
    commonerText(rows),
    twoRates ? '“At the base’s rate”: the row trained with the base’s learning rate instead of its own.' : '',
    floorText(rows),
    ...notesOn(rows.flatMap(({ records: ours }) => ours)),
    ...notes.map((note, i) => `<sup>${i + 1}</sup> ${note}`),
    orderingsText(rows, withLegend),
    equalCostText(rows),
    rawWeightsText(rows, withLegend),
    provenanceText(table, base, rows),
  ];
  return [toMarkdown({ columns, rows: results }), ...below.filter((text) => text !== '')].join('\n\n');
}

/**
 * The table in brief, as Markdown: every row that was run, its score, its difference from the row it is compared with,
 * and the verdict on the paper's ordering.
 */
export function paperTableInBrief(table: TableNumber, base: Experiment, records: readonly RunRecord[]): string {
  const rows = paperTableRows(table, base, records);
  const [pairs, found] = [heldAgainst(rows), orderings(rows)];
  const run = rows.filter(({ records: ours }) => ours.length > 0);
  const lines = run.map((each) => {
    const { row, records: ours } = each;
    const paper = paperResult(row, base.task);
    const ordering = found[pairs.findIndex(([, worse]) => worse === each)];
    return [
      row.label,
      paper === null ? '–' : `${paper.toFixed(1)} %`,
      meanAndSpread(ours.map(quotedAccuracy)),
      String(ours.length),
      ordering === undefined || ordering.ours === null ? '–' : signedPoints(ordering.ours.difference),
      intervalText(ordering?.ours ?? null),
      ordering?.verdict ?? '–',
    ];
  });
  const missing = rows.filter((each) => !run.includes(each)).map(({ row }) => row.label);
  return [
    toMarkdown({
      columns: ['model', `paper, ${paperData(base)}`, 'ours', 'seeds', 'difference', '95 % interval', 'ordering'],
      rows: lines,
    }),
    dataText(base, rows),
    missing.length === 0 ? '' : `Not run: ${missing.join('; ')}.`,
    floorText(rows),
    ...notesOn(rows.flatMap(({ records: ours }) => ours)),
    ...deadSeedsText(rows),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}

/** The puzzles of a table's scores, and what counts as one. */
function dataText(base: Experiment, rows: readonly PaperTableRow[]): string {
  const data = [...new Set(rows.flatMap(({ records: ours }) => ours.map((record) => record.data.test.name)))];
  return data.length === 0
    ? `No runs on ${base.name} yet.`
    : `Ours: ${data.map(markdownText).join('; ')}, scale ${base.scale}; ${whatCounts(base)}.${otherRecursions(base)}`;
}

/** The rows that did not learn; empty where all did. */
function floorText(rows: readonly PaperTableRow[]): string {
  const floor = rows.filter(({ records: ours }) => ours.length > 0 && !learned(ours)).map(({ row }) => row.label);
  return floor.length === 0 ? '' : `Did not learn: ${floor.join(', ')}.`;
}

/** The rows whose halting head is right less often than the constant answer that is commoner in its run. */
function commonerText(rows: readonly PaperTableRow[]): string {
  const worse = rows.flatMap(({ row, records }) => {
    if (records.length === 0) return [];
    const finals = records.map(finalEvaluation);
    const solved = finals.map(({ exactAccuracy }) => exactAccuracy.at(-1) ?? NaN);
    const [right, commoner] = [
      finals.map(({ haltingAccuracy }) => haltingAccuracy.at(-1) ?? NaN),
      solved.map((share) => Math.max(share, 1 - share)),
    ].map((shares) => Math.round(100 * spreadOf(shares).mean)) as [number, number];
    return right < commoner ? [`${row.label} (${right} % instead of ${commoner} %)`] : [];
  });
  return worse.length === 0
    ? ''
    : `Halting heads that are right less often than the more common verdict alone: ${worse.join(', ')}.`;
}

/** Seeds, puzzles, sampling error, cells, halting head. */
function measuredCells(ours: readonly RunRecord[]): string[] {
  const [first] = ours;
  if (first === undefined) return ['–', '–', '–', '–', '–'];
  const mean = (values: readonly number[]): number => spreadOf(values).mean;
  const finals = ours.map(finalEvaluation);
  const puzzles = quotedPuzzles(first);
  return [
    String(ours.length),
    puzzles.toLocaleString('en'),
    percentPoints(samplingError(mean(ours.map(quotedAccuracy)), puzzles)),
    `${percentPoints(mean(finals.map(({ cellAccuracy }) => cellAccuracy.at(-1) ?? NaN)))} %`,
    haltingText(finals),
  ];
}

/** Seconds and TFLOP of a run, cycles of a training puzzle, forward passes, depth, parameters. */
function costCells(ours: readonly RunRecord[], experiment: Experiment): string[] {
  const { model } = experiment;
  const cycles = ours.flatMap(({ curve }) => curve.flatMap(({ meanSteps }) => meanSteps ?? []));
  return [
    ours.length === 0 ? '–' : String(Math.round(spreadOf(ours.map(({ seconds }) => seconds.training)).mean)),
    (runCost(experiment).training / 1e12).toFixed(1),
    cycles.length === 0 ? '–' : spreadOf(cycles).mean.toFixed(1),
    String(forwardPasses(model)),
    String(effectiveDepth(model)),
    parameterCount(model).toLocaleString('en'),
  ];
}

/** The same rows as numbers, accuracies 0 … 1, for sorting and joining. Rows that were not run have nulls. */
export function paperTableFrame(table: TableNumber, base: Experiment, records: readonly RunRecord[]): DataFrame {
  return dataFrame(numberRows(table, base, records));
}

/** The same as CSV, numbers with at most four decimals. It does without danfojs, which is slow to load. */
export function paperTableCsv(table: TableNumber, base: Experiment, records: readonly RunRecord[]): string {
  const rows = numberRows(table, base, records);
  const columns = Object.keys(rows[0] ?? {});
  return toCsv(tableOfFrame({ columns, values: rows.map((row) => Object.values(row)) }, 4));
}

function numberRows(table: TableNumber, base: Experiment, records: readonly RunRecord[]): FrameRow[] {
  return paperTableRows(table, base, records).map(({ row, variant: id, experiment, records: ours }) => {
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
  });
}

/** The same rows for the figure that draws ours beside the paper's. */
export function comparedRows(table: TableNumber, base: Experiment, records: readonly RunRecord[]): ComparedRow[] {
  return paperTableRows(table, base, records).map(({ row, records: ours }) => ({
    name: row.label,
    paper: shareOf(paperResult(row, base.task)),
    ours: ours.map(quotedAccuracy),
    ...(learnedInPart(ours) ? { noMean: true } : {}),
  }));
}

/** The puzzles of the paper's numbers that stand next to ours. */
export function paperData({ task }: Experiment): string {
  if (task.kind === 'arc') return arcName(task);
  return task.kind === 'maze' ? 'Maze-Hard' : 'Sudoku-Extreme';
}

function whatCounts({ task, evaluation: { split } }: Experiment): string {
  return task.kind === 'arc'
    ? `share of ${split} tasks ${byVotes}`
    : `share of ${split} puzzles fully solved after the last supervision step`;
}

function shareOf(percent: number | null): number | null {
  return percent === null ? null : percent / 100;
}
