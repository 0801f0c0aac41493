/** The paper's words for fields of a model: T, n, N_sup and act, beside the long names. */
import { InputError, show } from '../errors.js';
import type { ModelConfig } from '../model/config.js';

/** What may be said instead of deepRecursions, latentRecursions, supervisionSteps and halting. */
export interface PaperWords {
  readonly T?: number;
  readonly n?: number;
  readonly N_sup?: number;
  /** true: halting is learned with a continue pass ("w/ ACT"); false: the paper's own rule. */
  readonly act?: boolean;
}

/** Changes of a model, by the paper's words or the long names. */
export type ModelChanges = Partial<ModelConfig> & PaperWords;

const longName = {
  T: 'deepRecursions',
  n: 'latentRecursions',
  N_sup: 'supervisionSteps',
  act: 'halting',
} as const satisfies Record<keyof PaperWords, keyof ModelConfig>;

/**
 * The same fields by their long names.
 * Throws InputError where one is said in both, or act is neither true nor false.
 */
export function longNames(fields: Readonly<Record<string, unknown>>): Partial<ModelConfig> {
  const long: Record<string, unknown> = { ...fields };
  for (const [word, name] of Object.entries(longName)) {
    if (!Object.hasOwn(fields, word)) continue;
    if (Object.hasOwn(fields, name))
      throw new InputError(`model: expected ${word} or ${name}, which are one, got both`);
    delete long[word];
    long[name] = word === 'act' ? haltingOf(fields[word]) : fields[word];
  }
  return long;
}

function haltingOf(act: unknown): ModelConfig['halting'] {
  if (act !== true && act !== false) throw new InputError(`model.act: expected true or false, got ${show(act)}`);
  return act ? 'halt-or-continue' : 'halt';
}
