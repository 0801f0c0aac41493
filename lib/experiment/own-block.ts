/** Identifies a custom block, one that replaces the kit's, in records and checkpoints. */
import { InputError } from '../errors.js';
import type { RunRecord } from './record.js';
import { hashOf } from './sealed.js';

/**
 * What a block of one's own is known by: SHA-256 of its text. What it takes from outside its text is not in it.
 */
function blockId(block: (...values: never[]) => unknown): string {
  return hashOf(block.toString());
}

/** The record's field for a custom block; none for the kit's. */
export function blockField(block: ((...values: never[]) => unknown) | undefined): Pick<RunRecord, 'block'> {
  return block === undefined ? {} : { block: blockId(block) };
}

/**
 * Throws InputError if the weights of a file were trained with a custom block, and `block` is another one or the kit's.
 */
export function checkBlock(
  file: string,
  trained: string | undefined,
  block: ((...values: never[]) => unknown) | undefined,
): void {
  if (trained === undefined || (block !== undefined && blockId(block) === trained)) return;
  throw new InputError(
    `${file}: expected the block that it was trained with (engine option block, SHA-256 ${trained.slice(0, 8)}…), ` +
      `got ${block === undefined ? "the kit's own" : 'another'}; give that block, in a program or a notebook`,
  );
}

/** Follows the name of a run that has either: ", own block 1a2b3c4d, from weights 5e6f7a8b"; else empty. */
export function ownNote({ block, start }: Pick<RunRecord, 'block' | 'start'>): string {
  return [
    block === undefined ? '' : `, own block ${block.slice(0, 8)}`,
    start === undefined ? '' : `, from weights ${start.slice(0, 8)}`,
  ].join('');
}
