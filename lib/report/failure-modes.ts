/** The table of failure modes: what became of each in our runs. */
import { failureCaseRecords, failureModes } from '../experiment/failure-modes.js';
import type { RunRecord } from '../experiment/record.js';
import { spreadOf } from './statistics.js';
import { meanAndSpread, type Table } from './tables.js';

/**
 * Every case of which there are records at a scale: puzzles solved, and how long training puzzles were thought about.
 */
export function failureModesTable(records: readonly RunRecord[], scale: string): Table {
  const rows = failureModes.flatMap((mode) => {
    const cases = mode.cases.map((each) => ({
      mode,
      label: each.label,
      seen: failureCaseRecords(mode, each, records, scale).flatMap((record) => {
        const evaluation = each.score(record);
        return evaluation === undefined ? [] : [{ record, evaluation }];
      }),
    }));
    return cases.every(({ seen }) => seen.length === 0) ? [] : cases;
  });
  return {
    columns: [
      'failure mode',
      'case',
      'puzzles solved',
      'seeds',
      'puzzles',
      'supervision steps in training',
      'found in',
      'runs',
    ],
    rows: rows.map(({ mode, label, seen }) => [
      mode.id,
      label,
      meanAndSpread(seen.map(({ evaluation }) => evaluation.exactAccuracy.at(-1) ?? NaN)),
      seen.length === 0 ? '–' : String(seen.length),
      seen[0] === undefined ? '–' : seen[0].evaluation.puzzles.toLocaleString('en'),
      stepsAtTheEnd(seen.map(({ record }) => record)),
      mode.source,
      seen.map(({ record }) => record.id).join(' '),
    ]),
  };
}

/** The question of each failure mode, below the table. */
export function failureModeNotes(): string[] {
  return failureModes.map(({ id, question, source }) => `**${id}** (${source}): ${question}`);
}

/**
 * Supervision steps that a training puzzle took before it left, over the last tenth of the training; "–" where none
 * left.
 */
function stepsAtTheEnd(records: readonly RunRecord[]): string {
  const steps = records.flatMap(({ curve }) =>
    curve.slice(-Math.ceil(curve.length / 10)).flatMap(({ meanSteps }) => meanSteps ?? []),
  );
  return steps.length === 0 ? '–' : spreadOf(steps).mean.toFixed(1);
}
