/** What two experiments differ in, field by field. */
import type { Experiment } from './experiment.js';
import { hashOf } from './sealed.js';

/** The parts of an experiment. */
export const parts = ['task', 'model', 'training', 'evaluation'] as const;

/** A field that two experiments have different values for; undefined where one of them has none. */
export interface Difference {
  readonly part: (typeof parts)[number];
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** The fields that differ, in the order of the first experiment's, then of the second's own. */
export function differences(from: Experiment, to: Experiment): Difference[] {
  return parts.flatMap((part) => {
    const [left, right] = [from[part], to[part]] as unknown as [Record<string, unknown>, Record<string, unknown>];
    return [...new Set([...Object.keys(left), ...Object.keys(right)])]
      .filter((field) => hashOf(left[field] ?? null) !== hashOf(right[field] ?? null))
      .map((field) => ({ part, field, from: left[field], to: right[field] }));
  });
}

/** Whether two experiments differ only in their names. */
export function sameTrial(a: Experiment, b: Experiment): boolean {
  const trial = ({ task, model, training, evaluation, scale }: Experiment): string =>
    hashOf({ task, model, training, evaluation, scale });
  return trial(a) === trial(b);
}

/** "model.layers 2 → 1, task.trainPuzzles 300 → 100": what the second changes in the first; empty if nothing. */
export function changesText(from: Experiment, to: Experiment): string {
  return differences(from, to)
    .map(({ part, field, from: left, to: right }) => `${part}.${field} ${settingText(left)} → ${settingText(right)}`)
    .join(', ');
}

/** A value as it is written on the command line: a list, such as a curriculum, as JSON; "none" where there is none. */
export function settingText(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? 'none');
}
