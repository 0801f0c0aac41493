/** Checks of the arguments of this folder: experiments, records with each run once, rows of records, shares. */
import { anyExperiment } from '../experiment/experiment.js';
import type { RunRecord } from '../experiment/record.js';
import { InputError } from '../errors.js';
import { anyObject, between, checkValue, listOf, number, objectOf, text, whole } from '../fields.js';

/** A share, 0 … 1, and a list of them. */
export const share = between(0, 1);
export const shares = listOf(share);

const measured = listOf(number);
const anyRecord = objectOf({
  id: text,
  experiment: anyExperiment,
  seed: whole(0),
  data: objectOf({ train: anyObject, test: anyObject }),
  model: anyObject,
  sittings: listOf(anyObject),
  seconds: anyObject,
  curve: listOf(anyObject),
  evaluations: listOf(objectOf({ exactAccuracy: measured, cellAccuracy: measured, haltingAccuracy: measured })),
  closing: anyObject,
});

/**
 * Throws InputError unless these are records, each run once: a second copy would count as another seed. `nameOf`: the
 * identity of a run.
 */
export function checkRecords(records: readonly RunRecord[], nameOf = ({ id }: RunRecord): string => id): void {
  checkValue('records', records, listOf(anyRecord));
  const names = new Set<string>();
  for (const record of records) {
    const name = nameOf(record);
    if (names.has(name))
      throw new InputError(`records: expected every run once, got ${name} twice; leave one of them out`);
    names.add(name);
  }
}

/** The same for every row; different rows may share runs. */
export function checkRows(rows: readonly { readonly records: readonly RunRecord[] }[]): void {
  checkValue('rows', rows, listOf(objectOf({ row: objectOf({ label: text }), records: listOf(anyRecord) })));
  for (const { records } of rows) checkRecords(records);
}
