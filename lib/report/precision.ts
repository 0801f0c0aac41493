/** Whether bfloat16 learns as float32 does, from runs made in both. */
import { InputError } from '../errors.js';
import { precisionOf, type RunRecord } from '../experiment/record.js';
import { probabilityText } from './orderings.js';
import { pairedTest } from './statistics.js';
import { meanAndSpread, signedPoints, type Table } from './tables.js';

/**
 * Runs that were made twice, with the same experiment and seed, in two precisions: [runs in bf16, the same in
 * float32], by experiment.
 */
export function precisionPairs(
  records: readonly RunRecord[],
  again: readonly RunRecord[],
): { readonly name: string; readonly bf16: readonly RunRecord[]; readonly float32: readonly RunRecord[] }[] {
  const pairs = again.flatMap((float32) => {
    const bf16 = records.find(({ id }) => id === float32.id);
    if (precisionOf(float32) !== 'float32')
      throw new InputError(
        `data/precision: expected records of float32 runs, got ${float32.id} in ${precisionOf(float32)}`,
      );
    return bf16 !== undefined && precisionOf(bf16) === 'bf16' ? [{ bf16, float32 }] : [];
  });
  return [...new Set(pairs.map(({ bf16 }) => bf16.experiment.name))].map((name) => {
    const own = pairs.filter(({ bf16 }) => bf16.experiment.name === name);
    return { name, bf16: own.map((pair) => pair.bf16), float32: own.map((pair) => pair.float32) };
  });
}

/**
 * Does bfloat16 learn as float32 does? Puzzles solved at each evaluation, both precisions, and a paired test over
 * seeds.
 */
export function precisionTable(records: readonly RunRecord[], again: readonly RunRecord[]): Table {
  return {
    columns: ['experiment', 'steps', 'bf16', 'float32', 'bf16 − float32, points', 'p', 'seeds', 'puzzles', 'runs'],
    rows: precisionPairs(records, again).flatMap(({ name, bf16, float32 }) =>
      (bf16[0]?.evaluations ?? []).map(({ step, puzzles }, i) => {
        const [left, right] = [bf16, float32].map((own) =>
          own.map(({ evaluations }) => evaluations[i]?.exactAccuracy.at(-1) ?? NaN),
        ) as [number[], number[]];
        const test = pairedTest(left, right);
        return [
          name,
          step.toLocaleString('en'),
          meanAndSpread(left),
          meanAndSpread(right),
          test === null ? '–' : signedPoints(test.difference),
          probabilityText(test?.p ?? null),
          String(left.length),
          puzzles.toLocaleString('en'),
          bf16.map(({ id }) => id).join(' '),
        ];
      }),
    ),
  };
}
