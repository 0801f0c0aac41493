/** Settings as a command line writes them: "training.steps=300,model.mixer=attention". */
import { didYouMean, InputError, show } from '../errors.js';
import { readJson } from '../json.js';
import { longNames } from '../experiment/words.js';
import { parts } from '../experiment/differences.js';
import { evaluationFields } from '../experiment/experiment.js';
import { taskFields } from '../experiment/task.js';
import { modelFields } from '../model/config.js';
import { trainingFields } from '../train/options.js';

export type Part = (typeof parts)[number];

/** Fields by part. Their objects have no prototype, so that __proto__ is an ordinary unknown name. */
export type Settings = { [P in Part]?: Record<string, unknown> };

/** The settings that a command reads: by part, all fields except some, each with its reason. */
export type ReadSettings = { readonly [P in Part]?: { readonly except: Readonly<Record<string, string>> } };

/** All fields of a part. */
export const everyField = { except: {} } as const;

/**
 * Reads a list of settings. Values are JSON if valid, else text; commas inside JSON do not separate. Throws InputError
 * for anything else, and for fields that are set twice.
 */
export function readSettings(list: string): Settings {
  const settings: Settings = {};
  if (/^[\s,]+$/.test(list)) throw new InputError(`--set: expected FIELD=VALUE, got ${show(list)}`);
  for (const item of list.split(/,(?=\s*(?:[a-z]+\.\w+\s*=|$))/).filter((written) => written.trim() !== '')) {
    const { part, field, parsed } = readField(item, '--set', parts);
    const fields = (settings[part] ??= Object.create(null) as Record<string, unknown>);
    if (field in fields) throw new InputError(`--set: expected ${part}.${field} once, got it twice`);
    fields[field] = parsed;
  }
  if (settings.model !== undefined) settings.model = Object.assign(Object.create(null), longNames(settings.model));
  return settings;
}

/** Field names by part, to recognise names written without their part. */
const wellKnown: Readonly<Partial<Record<Part, readonly string[]>>> = {
  training: Object.keys(trainingFields),
  model: [...Object.keys(modelFields), 'T', 'n', 'N_sup', 'act'],
  evaluation: Object.keys(evaluationFields),
  task: [...new Set(Object.values(taskFields).flatMap((fields) => Object.keys(fields)))],
};

/** Reads one "training.steps=300" of the allowed parts. Throws InputError, which opens with `place`, otherwise. */
export function readField<Allowed extends Part>(
  item: string,
  place: string,
  allowed: readonly Allowed[],
): {
  readonly part: Allowed;
  readonly field: string;
  readonly value: string;
  readonly parsed: unknown;
} {
  const [, part = '', field = '', value = ''] = /^\s*(\w+)\.(\w+)\s*=(.+)$/s.exec(item) ?? [];
  if (!(allowed as readonly string[]).includes(part))
    throw new InputError(
      `${place}: expected ${allowed.join('|')}.FIELD=VALUE, got ${show(item.trim())}${meant(item, allowed)}`,
    );
  const word = value.trim(); // text, such as attention, if it is no JSON
  return { part: part as Allowed, field, value: word, parsed: readJson(word, () => word) };
}

/** Throws InputError naming every setting that a command does not read, with its reason where there is one. */
export function refuseUnread(command: string, settings: Settings, read: ReadSettings): void {
  const unread = parts.flatMap((part) =>
    Object.keys(settings[part] ?? {}).flatMap((field) => {
      const except = read[part]?.except;
      if (except === undefined) return [`${part}.${field}`];
      return Object.hasOwn(except, field) ? [`${part}.${field} (${except[field]})`] : [];
    }),
  );
  if (unread.length === 0) return;
  const known = parts.filter((part) => read[part] !== undefined);
  throw new InputError(`${command} --set: expected fields of ${known.join(', ')}, got ${unread.join(', ')}`);
}

/** " (did you mean training.steps?)": suggests a full name for one without a part, or with a wrong part. */
function meant(item: string, allowed: readonly Part[]): string {
  const [, part = '', field = ''] = /^\s*(?:(\w+)\.)?(\w+)\s*=/.exec(item) ?? [];
  if ((allowed as readonly string[]).includes(part)) return ''; // the value is missing
  if (part !== '') return didYouMean(part, allowed);
  const names = allowed.flatMap((of) => (wellKnown[of] ?? []).map((each) => `${of}.${each}`));
  const exact = names.find((name) => name.split('.')[1]?.toLowerCase() === field.toLowerCase());
  return exact === undefined ? '' : ` (did you mean ${exact}?)`;
}
