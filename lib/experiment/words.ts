/** The paper's names of model fields, T, n, N_sup and act, accepted besides the long names. */
import { InputError, show } from '../errors.js';
import type { ModelConfig } from '../model/config.js';

/** Short names of deepRecursions, latentRecursions, supervisionSteps and halting. */
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
 * Replaces the paper's names by the long ones. Throws InputError if a field is given by both, or act is not a boolean.
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

/** The paper's name of a model field, T, n or N_sup; the field's own name where the paper has none. */
export function paperName(field: string): string {
  const [word] = Object.entries(longName).find(([, name]) => name === field) ?? [];
  return word === undefined || word === 'act' ? field : word;
}

function haltingOf(act: unknown): ModelConfig['halting'] {
  if (act !== true && act !== false) throw new InputError(`model.act: expected true or false, got ${show(act)}`);
  return act ? 'halt-or-continue' : 'halt';
}
