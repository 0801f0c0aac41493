/**
 * Stands for describe or it where a data file, an engine or a library is not at hand: says so by name, for a skipped
 * test would fail the run.
 */
export function notAtHand(title: string, _test: unknown): void {
  console.error(`  ${title}`);
}
