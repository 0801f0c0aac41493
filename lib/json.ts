/**
 * JSON from any source: refused in the reader's words; where it is given bounds, its size is seen before anything is
 * made of it, and no name is taken twice.
 */
import { reasonOf, show } from './errors.js';

/** Most of what a text may hold, counted by its brackets, commas and colons; what is left out has no bound. */
export interface JsonBounds {
  /** Of nesting. */
  readonly levels: number;
  /** Lists and objects. */
  readonly lists?: number;
  readonly values?: number;
  readonly names?: number;
}

/** What a text says; of a text that is no JSON, or beyond the bounds, what `refuse` makes of the reason, or throws. */
export function readJson(json: string, refuse: (reason: string) => unknown, bounds?: JsonBounds): unknown {
  try {
    return bounds === undefined ? JSON.parse(json) : parseJson(json, bounds);
  } catch (error) {
    if (error instanceof SyntaxError) return refuse(reasonOf(error));
    throw error;
  }
}

/**
 * What a text says. Throws SyntaxError, as JSON.parse does, for text that is no JSON; also where it goes beyond the
 * bounds, or an object has a name twice, of which JSON.parse would keep the last.
 */
export function parseJson(json: string, bounds: JsonBounds): unknown {
  const found = { lists: 0, values: 0, names: 0 };
  const count = (what: keyof typeof found): void => {
    if (++found[what] > (bounds[what] ?? Infinity)) throw new SyntaxError(`more than ${bounds[what]} ${what}`);
  };
  const open: (Set<string> | undefined)[] = [undefined]; // the names so far of all that is open at this place
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
      const name = JSON.parse(text) as string;
      const names = (open[open.length - 1] ??= new Set());
      if (names.has(name)) throw new SyntaxError(`${show(name)} twice in an object`);
      names.add(name);
    }
  }
  return JSON.parse(json);
}
