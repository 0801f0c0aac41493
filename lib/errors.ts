/** The one error that means "your input is wrong, and here is what to do". */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** A computation that failed through no mistake in the input or the kit. Any other error is a bug of ours. */
export class BrokenError extends Error {}

/** Work that was asked to stop. */
export class StoppedError extends BrokenError {}

/** A complaint for each field that is not among the known ones. */
export function unknownFields(fields: object, known: readonly string[]): string[] {
  return Object.keys(fields)
    .filter((key) => !known.includes(key))
    .map((key) => `unknown field ${key}${didYouMean(key, known)}, expected one of ${known.join(', ')}`);
}

/** " (did you mean learningRate?)" for a word that is a few typing errors away from a known one; else ''. */
export function didYouMean(word: string, known: readonly string[]): string {
  if (typeof word !== 'string') return '';
  const most = Math.max(1, Math.floor(word.length / 3)); // more changes would turn any word into any other
  const [nearest] = known
    .map((each) => ({ each, distance: slips(word.toLowerCase(), each.toLowerCase()) }))
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance);
  return nearest === undefined ? '' : ` (did you mean ${nearest.each}?)`;
}

/** Edit distance: letters to add, drop, replace or swap with the next one; infinite for long words. */
function slips(a: string, b: string): number {
  if (a.length > 64 || b.length > 64) return Infinity;
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const exchange = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? rows[i - 2]![j - 2]! + 1 : Infinity;
      row.push(Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, exchange, swap));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** The result of `make`; an InputError that it throws gets the prefix `where`, a file or a place in one. */
export function within<Result>(where: string, make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${where}: ${error.message}`);
    throw error;
  }
}

/**
 * A value as an error message shows it, in at most 120 characters: text is quoted, short lists show their items down
 * to two levels, and other objects and lists show only their kind.
 */
export function show(value: unknown): string {
  const text = showNested(value, 2);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

function showNested(value: unknown, lists: number): string {
  if (lists > 0 && Array.isArray(value) && value.length <= 8)
    return `[${value.map((item) => showNested(item, lists - 1)).join(', ')}]`;
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 121));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

/** A parser's message, or a name from a file, on one line and without characters that control a terminal. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').replace(/\p{Cc}/gu, '�');
}
