/** The one error that means "your input is wrong, and here is what to do": everything else is a bug of ours. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** Throws an InputError that says what was expected, what came and, if given, what to do. */
export function reject(expected: string, got: unknown, remedy?: string): never {
  throw new InputError(`expected ${expected}, got ${show(got)}${remedy === undefined ? '' : `; ${remedy}`}`);
}

/** A complaint for each field that is not among the known ones. */
export function unknownFields(fields: object, known: readonly string[]): string[] {
  return Object.keys(fields)
    .filter((key) => !known.includes(key))
    .map((key) => `unknown field ${key}, expected one of ${known.join(', ')}`);
}

/**
 * A value as an error message shows it: short, text quoted, a short list by its items, and what may be nested however
 * deep only by its kind.
 */
export function show(value: unknown): string {
  const text =
    Array.isArray(value) && value.length <= 8 ? `[${value.map(showShallow).join(', ')}]` : showShallow(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

function showShallow(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 121));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
