/** Leaks between ARC sets: pairs and tasks that two sets share, in any orientation and colours. */
import { gridHash, type ArcPair, type ArcTask } from './arc.js';
import { turnGrid } from './grid.js';

/** What two splits have in common. */
export interface ArcOverlap {
  /**
   * Pairs of the second split, how many of them the first one has unchanged, and how many in any orientation and
   * colours.
   */
  readonly pairs: number;
  readonly same: number;
  readonly equivalent: number;
}

/** Counts the pairs of `scored` that `train` has as well. */
export function arcOverlap(train: readonly ArcPair[], scored: readonly ArcPair[]): ArcOverlap {
  const forms = new Set(train.map(canonicalPair));
  return {
    pairs: scored.length,
    same: samePairs(train, scored),
    equivalent: scored.filter((pair) => forms.has(canonicalPair(pair))).length,
  };
}

/** Number of pairs of `scored` that `train` has unchanged. */
export function samePairs(train: readonly ArcPair[], scored: readonly ArcPair[]): number {
  const exact = new Set(train.map(pairKey));
  return scored.filter((pair) => exact.has(pairKey(pair))).length;
}

/** Number of tasks with the same pairs as an earlier one, in any order. */
export function repeatedTasks(tasks: readonly ArcTask[]): number {
  return tasks.length - new Set(tasks.map(({ train, test }) => [...train, ...test].map(pairKey).sort().join())).size;
}

/**
 * A text that is the same for all orientations and colourings of a pair: the alphabetically first of its eight
 * orientations, with colours numbered by first appearance. Black stays black.
 */
export function canonicalPair({ input, output }: ArcPair): string {
  const forms = Array.from({ length: 8 }, (_, dihedral) => {
    const [a, b] = [turnGrid(input, dihedral), turnGrid(output, dihedral)];
    const names = new Map([[0, 0]]);
    const renamed = [...a.cells, ...b.cells].map((colour) => {
      const name = names.get(colour) ?? names.size;
      names.set(colour, name);
      return name;
    });
    return `${a.rows}×${a.columns} ${b.rows}×${b.columns} ${renamed.join('')}`;
  });
  return forms.sort()[0]!;
}

function pairKey({ input, output }: ArcPair): string {
  return `${gridHash(input)} ${gridHash(output)}`;
}
