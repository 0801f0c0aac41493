/** Which colour, dash and marker a row has in figures: a row of the paper the same in all of them. */
import { variants, type Variant } from '../experiment/variants.js';
import { seriesCount } from './draw/plot-layout.js';
import type { LabelledRuns } from './tables.js';

/** Table 3's own rows last: its figure draws two curves, so they need no look of their own. */
const placed = [...variants].sort((one, other) => Number(onlyInTable3(one)) - Number(onlyInTable3(other)));

function onlyInTable3({ rows }: Variant): boolean {
  return rows.every(({ table }) => table === 3);
}

/** The place of a row of the paper among the series that figures tell apart; undefined for what is none. */
export function placeOf(variant: string | null): number | undefined {
  const index = placed.findIndex(({ id }) => id === variant);
  return index < 0 ? undefined : index % seriesCount;
}

/**
 * The place of every row of a figure, each once. A row of the paper has its own; one without, or whose place is taken,
 * gets the first that is free.
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
