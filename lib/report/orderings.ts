/** Which of the paper's orderings our runs bear out: paired differences over seeds, with all that limits them. */
import { learned, learnedInPart } from '../experiment/learned.js';
import { quotedAccuracy, type RunRecord } from '../experiment/record.js';
import { paperResult, type PaperRow } from '../experiment/variants.js';
import { equalCostSeeds, plannedSeeds } from '../sweep/plan.js';
import { legend } from './legend.js';
import type { PaperTableRow } from './paper-rows.js';
import { holm, pairedTest, rankCorrelation, type PairedTest } from './statistics.js';
import { meanAndSpread, signedPoints, toMarkdown } from './tables.js';

/**
 * confirmed, contradicted: the corrected p is below 0.05, in the paper's direction or against it. not resolved: it is
 * not. limits only: the paper's effect is smaller than half our interval, so by the plan only the interval is reported.
 * not decided: one of the two rows did not learn. not complete: runs of the table's plan are missing. not run: no seed
 * has both rows.
 */
export type Verdict =
  | 'confirmed'
  | 'contradicted'
  | 'not resolved'
  | 'limits only'
  | 'not decided'
  | 'not complete'
  | 'not run';

/** Our result on one of the paper's orderings. */
export interface Ordering {
  readonly better: string;
  readonly worse: string;
  /** The paper's difference, 0 … 1. */
  readonly paper: number;
  /** Ours, better − worse, 0 … 1, over the seeds that both rows have; null until they are complete. */
  readonly ours: PairedTest | null;
  /** Its p by Holm's correction over the table's orderings; null where it is not judged. */
  readonly p: number | null;
  readonly seeds: number;
  readonly verdict: Verdict;
}

/** Two-sided level at which a difference counts. */
const level = 0.05;

/**
 * The orderings that a table claims: every row against the paper's best, and in Table 3 each HRM against the TRM with
 * the same k and T. Rows that tie in the paper claim none.
 */
export function orderings(rows: readonly PaperTableRow[]): Ordering[] {
  const found = heldAgainst(rows).map((pair) => {
    const [better, worse] = (paperOf(pair[0]) ?? 0) > (paperOf(pair[1]) ?? 0) ? pair : ([pair[1], pair[0]] as const);
    const { test, seeds } = comparedOverSeeds(better.records, worse.records);
    const planned = plannedSeeds(better.row.table, better.experiment);
    const lacking: Verdict | null = seeds === 0 ? 'not run' : seeds < (planned ?? 2) ? 'not complete' : null;
    return { better, worse, test: lacking === null ? test : null, seeds, planned, lacking };
  });
  // A table is judged only when all of its plan is there.
  const whole = found.every(({ planned, lacking }) => planned === undefined || lacking === null);
  const tested = found.flatMap(({ test }) => test ?? []);
  const corrected = holm(tested.map(({ p }) => p));
  return found.map(({ better, worse, test, seeds, lacking }) => {
    const paper = ((paperOf(better) ?? 0) - (paperOf(worse) ?? 0)) / 100;
    const open = lacking ?? (whole ? null : 'not complete');
    const decided = learned(better.records) && learned(worse.records);
    const p = open === null && decided && test !== null ? (corrected[tested.indexOf(test)] ?? NaN) : null;
    const verdict = open ?? (decided ? judged(test, p, paper) : 'not decided');
    return { better: better.row.label, worse: worse.row.label, paper, ours: test, p, seeds, verdict };
  });
}

function judged(test: PairedTest | null, p: number | null, paper: number): Verdict {
  if (test === null || p === null) return 'not resolved';
  if (paper < (test.interval[1] - test.interval[0]) / 2) return 'limits only';
  return p >= level ? 'not resolved' : test.difference > 0 ? 'confirmed' : 'contradicted';
}

/** The difference of two rows over the seeds that both have a score for; `test` is null for fewer than two. */
export function comparedOverSeeds(
  left: readonly RunRecord[],
  right: readonly RunRecord[],
  score: (record: RunRecord) => number | undefined = quotedAccuracy,
): { readonly test: PairedTest | null; readonly seeds: number } {
  const shared = left.flatMap((record) => {
    const own = score(record);
    const others = right.filter(({ seed }) => seed === record.seed).flatMap((other) => score(other) ?? []);
    return own === undefined || others[0] === undefined ? [] : [[own, others[0]] as const];
  });
  const [ours, others] = [shared.map(([a]) => a), shared.map(([, b]) => b)];
  return { test: pairedTest(ours, others), seeds: shared.length };
}

/** A probability as tables print it: "0.013", "< 0.001", a dash for none. */
export function probabilityText(p: number | null): string {
  return p === null ? '–' : p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** The 95 % interval of a difference in percentage points: "+0.1 to +7.9"; a dash for none. */
export function intervalText(test: PairedTest | null): string {
  return test === null || !Number.isFinite(test.interval[0])
    ? '–'
    : `${signedPoints(test.interval[0])} to ${signedPoints(test.interval[1])}`;
}

/** The orderings as Markdown, with what limits them; empty if nothing was run. */
export function orderingsText(rows: readonly PaperTableRow[], withLegend = true): string {
  const found = orderings(rows).filter(({ verdict }) => verdict !== 'not run');
  if (found.length === 0) return '';
  const lines = found.map(({ better, worse, paper, ours, p, seeds, verdict }) => [
    better,
    worse,
    signedPoints(paper),
    ours === null ? '–' : signedPoints(ours.difference),
    intervalText(ours),
    probabilityText(p),
    String(seeds),
    verdict,
  ]);
  const tests = found.filter(({ ours }) => ours !== null).length;
  return [
    `The paper’s orderings in our runs; ${
      found.every(({ p }) => p === null)
        ? 'none is judged yet'
        : `p is corrected for ${tests === 1 ? 'one test' : `${tests} tests`}`
    }.${withLegend ? ` ${legend.orderings}` : ''}`,
    toMarkdown({
      columns: ['paper: better', 'than', 'paper', 'ours', '95 % interval', 'p', 'seeds', 'verdict'],
      rows: lines,
    }),
    ...correlationText(found),
    ...deadSeedsText(rows),
  ].join('\n\n');
}

/**
 * Compares the cheaper rows with the table's first row at equal cost; empty without such runs. Judged as the orderings
 * are, with a correction over these rows alone.
 */
export function equalCostText(rows: readonly PaperTableRow[]): string {
  const first = firstOf(rows);
  const found = rows.flatMap(({ row, atEqualCost: runs = [] }) => {
    const { test, seeds } = comparedOverSeeds(first?.records ?? [], runs);
    return runs.length === 0 ? [] : [{ label: row.label, runs, test, seeds, complete: seeds >= equalCostSeeds }];
  });
  if (first === undefined || found.length === 0) return '';
  const judged = found.flatMap(({ complete, test }) => (complete && test !== null ? [test] : []));
  const corrected = holm(judged.map(({ p }) => p));
  const lines = found.map(({ label, runs, test, seeds, complete }) => {
    const shown = complete && test !== null;
    return [
      label,
      runs[0]?.steps.toLocaleString('en') ?? '–',
      meanAndSpread(runs.map(quotedAccuracy)),
      shown ? signedPoints(test.difference) : '–',
      intervalText(shown ? test : null),
      probabilityText(shown ? (corrected[judged.indexOf(test)] ?? null) : null),
      complete ? String(seeds) : `${seeds} of ${equalCostSeeds}`,
    ];
  });
  const { steps } = first.experiment.training;
  return [
    `At equal cost. These rows cost less per step. Here they get more steps than the ` +
      `${steps.toLocaleString('en')} of ${first.row.label}, for the same total FLOP. ` +
      `The difference is ${first.row.label} minus the row.`,
    toMarkdown({ columns: ['row', 'steps', 'ours', 'difference', '95 % interval', 'p', 'seeds'], rows: lines }),
  ].join('\n\n');
}

/** Fewest rows to correlate; with fewer, nearly every order of ranks may be chance. */
const fewestToRank = 5;

/** The rank correlation of our effects with the paper's. */
function correlationText(found: readonly Ordering[]): string[] {
  const measured = found.flatMap(({ paper, ours, p }) => (ours === null || p === null ? [] : [{ paper, ours }]));
  if (measured.length < fewestToRank) return [];
  const correlation = rankCorrelation(
    measured.map(({ paper }) => paper),
    measured.map(({ ours }) => ours.difference),
  );
  return [
    `Rank correlation of our effects with the paper’s: ${
      correlation === null
        ? 'none, as all of ours or all of the paper’s are the same'
        : `${correlation.rho.toFixed(2).replace('-', '−')} over ${measured.length} rows ` +
          `(p ${probabilityText(correlation.p)}, two-sided, by Student’s t)`
    }.`,
  ];
}

/** A warning for each row in which only some seeds learned: its mean describes neither kind of run. */
export function deadSeedsText(rows: readonly PaperTableRow[]): string[] {
  return rows.flatMap(({ row, records }) => {
    return learned(records) && learnedInPart(records)
      ? [
          `${row.label}: ${records.filter((record) => !learned([record])).length} of its ${records.length} seeds ` +
            'did not learn, so its mean and interval mix two kinds of runs.',
        ]
      : [];
  });
}

/** The pairs of rows that the paper ranks: the row to compare with, and the row. */
export function heldAgainst(rows: readonly PaperTableRow[]): [PaperTableRow, PaperTableRow][] {
  const reported = rows.filter((each) => paperOf(each) !== null);
  const first = firstOf(rows);
  return reported.flatMap((each): [PaperTableRow, PaperTableRow][] => {
    const twin = each.row.depthRow?.net === 'HRM' ? reported.find(({ row }) => isTwin(row, each.row)) : first;
    return twin === undefined || paperOf(twin) === paperOf(each) ? [] : [[twin, each]];
  });
}

/** The paper's best row. */
export function firstOf(rows: readonly PaperTableRow[]): PaperTableRow | undefined {
  const reported = rows.filter((each) => paperOf(each) !== null);
  return reported.find((each) => reported.every((other) => (paperOf(each) ?? 0) >= (paperOf(other) ?? 0)));
}

/** Whether two rows of Table 3 are TRM and HRM at the same k and T. */
function isTwin({ depthRow: trm }: PaperRow, { depthRow: hrm }: PaperRow): boolean {
  return trm?.net === 'TRM' && trm.k === hrm?.k && trm.T === hrm.T;
}

function paperOf({ row, experiment }: PaperTableRow): number | null {
  return paperResult(row, experiment.task);
}
