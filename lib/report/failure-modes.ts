/** The table of failure modes: what became of each in our runs. */
import { failureCaseRecords, failureModes } from '../experiment/failure-modes.js';
import { quotedAccuracy, type RunRecord } from '../experiment/record.js';
import { intervalText, probabilityText } from './orderings.js';
import { holm, pairedTest, spreadOf } from './statistics.js';
import { meanAndSpread, percentText, signedPoints, type LabelledRuns, type Table } from './tables.js';

/** Every case with records at a scale: puzzles solved, and supervision steps of training puzzles. */
export function failureModesTable(records: readonly RunRecord[], scale: string): Table {
  const rows = failureModes.flatMap((mode) => {
    const cases = mode.cases.map((each) => {
      const seen = failureCaseRecords(mode, each, records, scale).flatMap((record) => {
        const evaluation = each.score(record);
        return evaluation === undefined ? [] : [{ record, evaluation }];
      });
      const solved = seen.map(({ evaluation }) => evaluation.exactAccuracy.at(-1) ?? NaN);
      return { mode, label: each.label, seen, solved };
    });
    return cases.every(({ seen }) => seen.length === 0) ? [] : cases;
  });
  return {
    columns: [
      'failure mode',
      'case',
      'puzzles solved',
      'worst seed',
      'seeds',
      'puzzles',
      'cycles at the end',
      'found in',
      'runs',
    ],
    rows: rows.map(({ mode, label, seen, solved }) => [
      mode.id,
      label,
      meanAndSpread(solved),
      solved.length === 0 ? '–' : percentText(Math.min(...solved)),
      seen.length === 0 ? '–' : String(seen.length),
      seen[0] === undefined ? '–' : seen[0].evaluation.puzzles.toLocaleString('en'),
      stepsAtTheEnd(seen.map(({ record }) => record)),
      mode.source,
      seen.map(({ record }) => record.id).join(' '),
    ]),
  };
}

/** Notes below the table: the question of each failure mode, and the result on over-fitting over the seeds. */
export function failureModeNotes(records: readonly RunRecord[], scale: string): string[] {
  return [
    'Cycles at the end: mean supervision steps per puzzle over the last tenth of training.',
    ...failureModes.map(({ id, question, source }) => `**${id}** (${source}): ${question}`),
    ...overfittingText(records, scale),
  ];
}

/** The learning curves of both networks on training and on new puzzles, in the order of the cases. */
export function overfittingRows(records: readonly RunRecord[], scale: string): LabelledRuns[] {
  const mode = failureModes.find(({ id }) => id === 'over-fitting');
  return (mode?.cases ?? []).map((each) => ({
    row: { label: each.label },
    records: failureCaseRecords(mode!, each, records, scale).map((record) => ({
      ...record,
      evaluations: record.evaluations.flatMap((made, i) => {
        const scored = each.score({ ...record, evaluations: record.evaluations.slice(0, i + 1) });
        return scored === undefined ? [] : [{ ...scored, step: made.step }];
      }),
    })),
  }));
}

/** Whether four layers lose more accuracy from training to new puzzles than two, and which solve more new ones. */
function overfittingText(records: readonly RunRecord[], scale: string): string[] {
  const [trainedTwo, newTwo, trainedFour, newFour] = overfittingRows(records, scale).map(
    ({ records: own }) => new Map(own.map((record) => [record.seed, quotedAccuracy(record)])),
  );
  const seeds = [...(newTwo?.keys() ?? [])].filter((seed) => newFour?.has(seed));
  const of = (shares: ReadonlyMap<number, number> | undefined): number[] =>
    seeds.map((seed) => shares?.get(seed) ?? NaN);
  const less = (left: readonly number[], right: readonly number[]): number[] =>
    left.map((value, i) => value - (right[i] ?? NaN));
  const tests = [
    [
      'Accuracy lost from training to new puzzles, four layers minus two layers',
      pairedTest(less(of(trainedFour), of(newFour)), less(of(trainedTwo), of(newTwo))),
    ],
    ['Accuracy on new puzzles, two layers minus four layers', pairedTest(of(newTwo), of(newFour))],
  ] as const;
  const corrected = holm(tests.flatMap(([, test]) => test?.p ?? []));
  return tests.flatMap(([what, test], i) =>
    test === null
      ? []
      : [
          `${what}: ${signedPoints(test.difference)} points, 95 % interval ${intervalText(test)}, ` +
            `p ${probabilityText(corrected[i] ?? null)} ` +
            `(paired over ${test.n} seeds, Holm-corrected for two tests).`,
        ],
  );
}

/**
 * Mean supervision steps of a training puzzle before it left, over the last tenth of the training; "–" if none left.
 */
function stepsAtTheEnd(records: readonly RunRecord[]): string {
  const steps = records.flatMap(({ curve }) =>
    curve.slice(-Math.ceil(curve.length / 10)).flatMap(({ meanSteps }) => meanSteps ?? []),
  );
  return steps.length === 0 ? '–' : spreadOf(steps).mean.toFixed(1);
}
