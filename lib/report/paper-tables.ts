/**
 * The paper's tables with ours beside them:
 * which records belong to which row, what they say, and which orderings they bear out.
 */
import type { DataFrame } from 'danfojs-node';
import type { Experiment } from '../experiment/experiment.js';
import { hashOf, quotedAccuracy, quotedPuzzles, type RunRecord } from '../experiment/record.js';
import { paperResult, rowsOfTable, variantExperiment, type PaperRow } from '../experiment/variants.js';
import { paperConfig, type ModelConfig } from '../model/config.js';
import { effectiveDepth, forwardPasses } from '../model/schedule.js';
import { parameterCount } from '../model/parameters.js';
import type { ComparedRow } from './figures.js';
import { dataFrame } from './frames.js';
import { pairedTest, spreadOf } from './statistics.js';
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
}

/** The rows of a table as variants of a base, with those records that were made with exactly their configuration. */
export function paperTableRows(table: TableNumber, base: Experiment, records: readonly RunRecord[]): PaperTableRow[] {
  const rows = rowsOfTable(table);
  return rows.map(({ variant: each, row: printed }) => {
    const twice = rows.filter(({ row: { label } }) => label === printed.label).length > 1;
    const experiment = variantExperiment(base, each);
    const label = `${printed.label}${printed.statesRecursions === true ? ` (${recursionsOf(experiment.model)})` : ''}`;
    const row = { ...printed, label: twice ? `${label}, ${each.id}` : label };
    const own = records.filter(
      (record) => record.experiment.name === experiment.name && sameTrial(record.experiment, experiment),
    );
    return { row, variant: each.id, experiment, records: [...own].sort((a, b) => a.seed - b.seed) };
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
  const columns = [
    'model',
    `paper, ${paperData(base)}`,
    'ours',
    'seeds',
    '95 % interval',
    'puzzles scored',
    'depth',
    'forward passes',
    'our parameters',
  ];
  const cells = rows.map(({ row, experiment, records: ours }) => {
    const [first] = ours;
    const paper = paperResult(row, base.task);
    const mark = row.footnote === undefined ? '' : ` <sup>${notes.indexOf(row.footnote) + 1}</sup>`;
    const interval = first === undefined ? null : spreadOf(ours.map(quotedAccuracy)).interval;
    return [
      `${row.label}${mark}`,
      paper === null ? '–' : `${paper.toFixed(1)} %`,
      meanAndSpread(ours.map(quotedAccuracy)),
      first === undefined ? '–' : String(ours.length),
      interval === null
        ? '–'
        : `${percentPoints(Math.max(0, interval[0]))}–${percentPoints(Math.min(1, interval[1]))} %`,
      first === undefined ? '–' : quotedPuzzles(first).toLocaleString('en'),
      String(effectiveDepth(experiment.model)),
      String(forwardPasses(experiment.model)),
      parameterCount(experiment.model).toLocaleString('en'),
    ];
  });
  const data = [...new Set(rows.flatMap(({ records: ours }) => ours.map((record) => record.data.test.name)))];
  const about =
    data.length === 0
      ? `Nothing of ${base.name} was run yet.`
      : `Ours: ${data.map(markdownText).join('; ')}, scale ${base.scale}; ${whatCounts(base)}, ` +
        'mean ± standard deviation over seeds. Beside the paper’s numbers, not against them: ' +
        `boards and sizes differ${otherRecursions(base)}.`;
  const below = [
    about,
    ...notesOn(rows.flatMap(({ records: ours }) => ours)),
    ...notes.map((note, i) => `<sup>${i + 1}</sup> ${note}`),
    orderingsText(rows),
  ];
  return [toMarkdown({ columns, rows: cells }), ...below.filter((text) => text !== '')].join('\n\n');
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

/** What our runs say of one of the paper's orderings. */
export interface Ordering {
  readonly better: string;
  readonly worse: string;
  /** The paper's difference, percentage points. */
  readonly paper: number;
  /** Ours, better − worse, 0 … 1; null where fewer than two seeds have both. */
  readonly ours: number | null;
  readonly p: number | null;
  readonly seeds: number;
  readonly verdict: 'confirmed' | 'contradicted' | 'not resolved' | 'not run';
}

/** Two-sided level at which a difference counts. */
const level = 0.05;

/**
 * The orderings that a table claims, judged by paired t-tests over the seeds that both rows have: every row against the
 * one that the paper has first, and in Table 3 HRM against TRM at the same k and T. Rows that are level in the paper
 * make none.
 */
export function orderings(rows: readonly PaperTableRow[]): Ordering[] {
  const reported = rows.filter((each) => paperOf(each) !== null);
  const first = reported.find((each) => reported.every((other) => (paperOf(each) ?? 0) >= (paperOf(other) ?? 0)));
  const pairs = reported.flatMap((each): [PaperTableRow, PaperTableRow][] => {
    const twin = each.row.depthRow?.net === 'HRM' ? reported.find(({ row }) => isTwin(row, each.row)) : first;
    return twin === undefined || paperOf(twin) === paperOf(each) ? [] : [[twin, each]];
  });
  return pairs.map(([left, right]) => {
    const [better, worse] = (paperOf(left) ?? 0) >= (paperOf(right) ?? 0) ? [left, right] : [right, left];
    const shared = better.records.flatMap((record) => {
      const other = worse.records.find(({ seed }) => seed === record.seed);
      return other === undefined ? [] : [[quotedAccuracy(record), quotedAccuracy(other)] as const];
    });
    const test = pairedTest(
      shared.map(([a]) => a),
      shared.map(([, b]) => b),
    );
    const verdict =
      test === null ? 'not run' : test.p >= level ? 'not resolved' : test.difference > 0 ? 'confirmed' : 'contradicted';
    return {
      better: better.row.label,
      worse: worse.row.label,
      paper: (paperOf(better) ?? 0) - (paperOf(worse) ?? 0),
      ours: test?.difference ?? null,
      p: test?.p ?? null,
      seeds: shared.length,
      verdict,
    };
  });
}

function orderingsText(rows: readonly PaperTableRow[]): string {
  const judged = orderings(rows).filter(({ verdict }) => verdict !== 'not run');
  if (judged.length === 0) return '';
  const lines = judged.map(({ better, worse, paper, ours, p, seeds, verdict }) => [
    better,
    worse,
    `+${paper.toFixed(1)}`,
    `${(ours ?? 0) >= 0 ? '+' : '−'}${percentPoints(Math.abs(ours ?? 0))}`,
    p === null ? '–' : p < 0.001 ? '< 0.001' : p.toFixed(3),
    String(seeds),
    verdict,
  ]);
  return [
    `Which of the paper’s orderings our runs bear out, by a two-sided paired t-test over seeds at ${level} ` +
      `(${judged.length === 1 ? 'one test' : `${judged.length} tests, not corrected for their number`}):`,
    toMarkdown({
      columns: ['paper: better', 'than', 'by, points', 'ours, points', 'p', 'seeds', 'verdict'],
      rows: lines,
    }),
  ].join('\n\n');
}

/** Whether two rows of Table 3 are TRM and HRM at the same k and T. */
function isTwin({ depthRow: trm }: PaperRow, { depthRow: hrm }: PaperRow): boolean {
  return trm?.net === 'TRM' && trm.k === hrm?.k && trm.T === hrm.T;
}

function sameTrial(a: Experiment, b: Experiment): boolean {
  const trial = ({ task, model, training, evaluation, scale }: Experiment): string =>
    hashOf({ task, model, training, evaluation, scale });
  return trial(a) === trial(b);
}

function paperOf({ row, experiment }: PaperTableRow): number | null {
  return paperResult(row, experiment.task);
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
