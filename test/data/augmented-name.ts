/** What the name of an augmented ARC task says: its task and its augmentation. */
import assert from 'node:assert/strict';
import { noAugmentation, type ArcAugmentation } from '../../lib/data/arc.js';

/** Reads a name such as 007bbfb7|||t6|||0926183754, in which no colour is lost. */
export function parseAugmentedName(name: string): { readonly id: string; readonly augmentation: ArcAugmentation } {
  const [id = '', turn, map = '', ...rest] = name.split('|||');
  if (turn === undefined) return { id, augmentation: noAugmentation };
  assert.match(turn, /^t[0-7]$/, name);
  assert.match(map, /^0(?!.*(.).*\1)[1-9]{9}$/, name);
  assert.deepEqual(rest, [], name);
  return { id, augmentation: { dihedral: Number(turn[1]), colours: Uint8Array.from(map, Number) } };
}
