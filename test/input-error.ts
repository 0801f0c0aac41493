/** What assert.throws and assert.rejects expect of bad input. */
import assert from 'node:assert/strict';
import { InputError } from '../lib/errors.js';

/** An InputError with such a message, or one that begins so; behind `start`, if that is given. */
export function inputError(message: RegExp | string, start = ''): (error: unknown) => boolean {
  return (error) => {
    const said = error instanceof InputError ? error.message : undefined;
    const fits = typeof message === 'string' ? said?.startsWith(message) : said !== undefined && message.test(said);
    return fits && said?.startsWith(start)
      ? true
      : assert.fail(`expected ${start}${String(message)}, got ${String(error)}`);
  };
}
