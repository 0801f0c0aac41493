/** The paper's tables repeated with the raw weights: how much of a difference is due to the moving average. */
import { rawWeightsIn } from '../experiment/closing.js';
import { closingEvaluation, quotedPuzzles, type RunRecord } from '../experiment/record.js';
import { legend } from './legend.js';
import { comparedOverSeeds, firstOf, heldAgainst, intervalText } from './orderings.js';
import type { PaperTableRow } from './paper-rows.js';
import { meanAndSpread, signedPoints, toMarkdown } from './tables.js';

/** A run's accuracy with raw weights on the puzzles that tables quote; undefined if not scored on all of these. */
function rawAccuracy(record: RunRecord): number | undefined {
  const name = rawWeightsIn(record.experiment.evaluation);
  const raw = name === undefined ? undefined : closingEvaluation(record, name);
  return raw?.puzzles === quotedPuzzles(record) ? raw.exactAccuracy.at(-1) : undefined;
}

/**
 * The rows with raw weights, each compared with the row of its ordering; those at equal cost, with the paper's best
 * row. Empty if no such pair was scored. The tables' plan does not have this, so nothing is judged.
 */
export function rawWeightsText(rows: readonly PaperTableRow[], withLegend = true): string {
  const first = firstOf(rows);
  if (first === undefined) return '';
  const pairs = [
    ...heldAgainst(rows).map(([other, { row, records }]) => ({ label: row.label, other, runs: records })),
    ...rows.map(({ row, atEqualCost: runs = [] }) => ({
      label: `${row.label}, ${runs[0]?.steps.toLocaleString('en') ?? '–'} steps`,
      other: first,
      runs,
    })),
  ];
  const lines = pairs.flatMap(({ label, other, runs }) => {
    const { test, seeds } = comparedOverSeeds(other.records, runs, rawAccuracy);
    if (seeds === 0) return [];
    return [[label, rawText(runs), test === null ? '–' : signedPoints(test.difference), intervalText(test), seeds]];
  });
  if (lines.length === 0) return '';
  const twins = rows.some(({ row }) => row.depthRow !== undefined)
    ? ', and for an HRM row the TRM with its k and T minus the row'
    : '';
  return [
    `Without the moving average. The difference is ${first.row.label} minus the row${twins}.` +
      (withLegend ? ` ${legend.rawWeights}` : ''),
    toMarkdown({
      columns: ['row', 'raw weights', 'difference', '95 % interval', 'seeds'],
      rows: [[first.row.label, rawText(first.records), '–', '–', first.records.length], ...lines].map((cells) =>
        cells.map(String),
      ),
    }),
  ].join('\n\n');
}

function rawText(runs: readonly RunRecord[]): string {
  return meanAndSpread(runs.flatMap((record) => rawAccuracy(record) ?? []));
}
