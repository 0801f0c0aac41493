/** A question and its answer as data sets hold them, and a batch of them as engines take it. */

/** One example as token ids, question and answer of the same length L. */
export interface Example {
  readonly input: Uint8Array;
  readonly label: Uint8Array;
}

/** Label of a cell that is not scored, as engines take it. */
export const ignoredLabel = -100;

/** B puzzles, one a seat. */
export interface Batch {
  /** Token ids 0 … V−1, [B, L]. */
  readonly tokens: Int32Array;
  /** Right answers, token ids or ignoredLabel, [B, L]. */
  readonly labels: Int32Array;
  /** Row of the puzzle table, [B]. */
  readonly puzzleIds: Int32Array;
}
