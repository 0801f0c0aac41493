/** Reads the configuration that a training script left next to its checkpoint, in YAML or JSON. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { InputError, reasonOf } from '../errors.js';
import { parseJson } from '../json.js';
import { readUserFile } from '../user-file.js';
import { referenceFields, type ReferenceFields } from './reference-config.js';

/** Usual names of such files, the most specific first. */
const names = ['all_config.yaml', 'config.yaml', 'config.yml', 'config.json', 'hparams.yaml', 'args.json'];

/**
 * Bounds of a configuration: real ones have a few kilobytes, and a YAML parser's time and stack grow faster than the
 * text.
 */
const bounds = { bytes: 64 * 2 ** 10, lines: 4000, commas: 4000, brackets: 400 };

/** The first such file in a folder that has known options. Throws InputError if one cannot be read. */
export function configBeside(folder: string): { readonly file: string; readonly fields: ReferenceFields } | undefined {
  for (const name of names) {
    const file = path.join(folder, name);
    if (!existsSync(file)) continue;
    const fields = readConfigText(readUserFile(file, bounds.bytes).toString('utf8'), file);
    if (Object.keys(fields).length > 0) return { file, fields };
  }
  return undefined;
}

/** The known options in the text of a configuration. Throws InputError if it is too long, too deep or broken. */
export function readConfigText(text: string, file: string): ReferenceFields {
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  const tooMuch =
    text.length > bounds.bytes ||
    count(/\n/g) > bounds.lines ||
    count(/,/g) > bounds.commas ||
    count(/[[{]/g) > bounds.brackets ||
    /^[ \t]*(?:[-?:][ \t]+){9}|^[ \t]{100}/m.test(text);
  if (tooMuch) throw new InputError(`${file}: expected a configuration of a few kilobytes; move the file away`);
  let configuration: unknown;
  try {
    configuration = file.endsWith('.json')
      ? parseJson(text.replace(/^\uFEFF/, ''), { levels: bounds.brackets })
      : parse(text, { merge: true, logLevel: 'error' });
  } catch (error) {
    throw new InputError(`${file}: ${reasonOf(error)}; mend it or move the file away`);
  }
  return referenceFields(configuration, file);
}
