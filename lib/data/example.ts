/** A question and its answer as data sets hold them. */

/** One example as token ids, question and answer of the same length L. */
export interface Example {
  readonly input: Uint8Array;
  readonly label: Uint8Array;
}

/** Label of a cell that is not scored, as engines take it. */
export const ignoredLabel = -100;
