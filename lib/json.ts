/**
 * Reads JSON from any source: the caller words the refusal; with bounds, the size is checked before anything is
 * allocated, and repeated names are refused.
 */
import { reasonOf, show } from './errors.js';

/** The most that a text may hold, counted by its brackets, commas and colons; a bound left out is infinite. */
export interface JsonBounds {
  /** Depth of nesting. */
  readonly levels: number;
  /** Lists and objects. */
  readonly lists?: number;
  readonly values?: number;
  readonly names?: number;
}

/** The parsed value; for invalid JSON, or text beyond the bounds, what `refuse` returns for the reason, or throws. */
export function readJson(json: string, refuse: (reason: string) => unknown, bounds?: JsonBounds): unknown {
  try {
    return bounds === undefined ? JSON.parse(json) : parseJson(json, bounds);
  } catch (error) {
    if (error instanceof SyntaxError) return refuse(reasonOf(error));
    throw error;
  }
}

/**
 * The parsed value. Throws SyntaxError for invalid JSON, as JSON.parse does, for text beyond the bounds, and for an
 * object with a repeated name, where JSON.parse would keep the last value.
 */
export function parseJson(json: string, bounds: JsonBounds): unknown {
  const found = { lists: 0, values: 0, names: 0 };
  const count = (what: keyof typeof found): void => {
    if (++found[what] > (bounds[what] ?? Infinity)) throw new SyntaxError(`more than ${bounds[what]} ${what}`);
  };
  const open: (Set<string> | undefined)[] = [undefined]; // names so far of each open list or object
  let text = '';
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === '"') {
      const start = i++;
      while (i < json.length && json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
      text = json.slice(start, i + 1);
    } else if (character === '{' || character === '[') {
      count('lists');
      if (open.push(undefined) > bounds.levels + 1)
        throw new SyntaxError(`more than ${bounds.levels} levels of nesting`);
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === ',') {
      count('values');
    } else if (character === ':') {
      count('names');
      if (text === '') continue; // a colon without a name: JSON.parse refuses it below
      const name = JSON.parse(text) as string;
      text = '';
      const names = (open[open.length - 1] ??= new Set());
      if (names.has(name)) throw new SyntaxError(`${show(name)} twice in an object`);
      names.add(name);
    }
  }
  return JSON.parse(json);
}
