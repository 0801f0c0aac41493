/** Which colour, dash and marker a row has in figures: a row of the paper the same in all of them. */
import { variants, type Variant } from '../experiment/variants.js';
import { seriesCount } from './draw/plot-layout.js';
import type { LabelledRuns } from './tables.js';

/** Table 3's own rows last: its figure draws two curves, so they need no look of their own. */
const placed = [...variants].sort((one, other) => Number(onlyInTable3(one)) - Number(onlyInTable3(other)));

function onlyInTable3({ rows }: Variant): boolean {
  return rows.every(({ table }) => table === 3);
}

/** A paper row's index among the distinguishable series; undefined for any other id. */
export function placeOf(variant: string | null): number | undefined {
  const index = placed.findIndex(({ id }) => id === variant);
  return index < 0 ? undefined : index % seriesCount;
}

/**
 * The series index of every row of a figure, all different. A row of the paper gets its own; a row without one, or
 * whose own is taken, gets the first free one.
 */
export function seriesPlaces(rows: readonly LabelledRuns[]): number[] {
  const taken = new Set<number>();
  const take = (place: number): number => {
    taken.add(place);
    return place;
  };
  const own = rows.map(({ variant, records: [first] }) => {
    const place = placeOf(variant ?? first?.experiment.variant ?? null);
    return place === undefined || taken.has(place) ? undefined : take(place);
  });
  return own.map((place) => {
    let free = 0;
    while (taken.has(free)) free++;
    return place ?? take(free);
  });
}
