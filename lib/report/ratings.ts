/** Accuracy by difficulty of the puzzles. */
import type { ClosingEvaluation } from '../experiment/closing.js';
import { closingEvaluation, type RunRecord } from '../experiment/record.js';
import { meanAndSpread, type Table } from './tables.js';

/** Puzzles solved by their source's rating, from runs that evaluated this: one row for each model and band. */
export function ratingsTable(records: readonly RunRecord[]): Table {
  const byName = new Map<string, RunRecord[]>();
  for (const record of records)
    if (bandsOf(record).length > 0)
      byName.set(record.experiment.name, [...(byName.get(record.experiment.name) ?? []), record]);
  return {
    columns: ['experiment', 'scale', 'solver’s rating', 'puzzles', 'solved', 'seeds', 'runs'],
    rows: [...byName].flatMap(([name, own]) =>
      bandsOf(own[0]!).map(({ name: band, ratings }) => {
        const seen = own.flatMap((record) => closingEvaluation(record, band) ?? []);
        return [
          name,
          own[0]?.experiment.scale ?? '',
          bandText(ratings!),
          seen[0]?.puzzles.toLocaleString('en') ?? '–',
          meanAndSpread(seen.map(({ exactAccuracy }) => exactAccuracy.at(-1) ?? NaN)),
          String(seen.length),
          own.map(({ id }) => id).join(' '),
        ];
      }),
    ),
  };
}

/** The closing evaluations by rating that a run has made. */
function bandsOf({ experiment, closing }: RunRecord): ClosingEvaluation[] {
  return experiment.evaluation.closing.filter(
    ({ name, ratings }) => ratings !== undefined && Object.hasOwn(closing, name),
  );
}

/** "1–9", "0", "50 and more". */
function bandText([least, below]: NonNullable<ClosingEvaluation['ratings']>): string {
  if (below === null) return `${least} and more`;
  return below === least + 1 ? String(least) : `${least}–${below - 1}`;
}
