/** Examples, as data sets hold them, and batches, as engines take them. */

/** A question and its answer, token ids, [L] each. */
export interface Example {
  readonly input: Uint8Array;
  readonly label: Uint8Array;
}

/** Label of a cell that is not scored, as engines take it. */
export const ignoredLabel = -100;

/** B puzzles, one per seat. */
export interface Batch {
  /** Token ids 0 … V−1, [B, L]. */
  readonly tokens: Int32Array;
  /** Right answers, token ids or ignoredLabel, [B, L]. */
  readonly labels: Int32Array;
  /** Row of the puzzle table, [B]. */
  readonly puzzleIds: Int32Array;
}
