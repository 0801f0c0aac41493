/** The reference's option names, and the all_config.yaml its runs leave beside their checkpoints, as our configuration. */
import { InputError, show } from '../errors.js';
import type { ModelConfig, Recursion } from './config.js';

/** Options by the reference's names (spec §1.1); unknown ones are ignored. `architecture` is its `name:` of the model class. */
export type ReferenceFields = Readonly<Record<string, unknown>>;

/** Options that are one number in both. */
const numbers: Readonly<Record<string, keyof ModelConfig>> = {
  H_cycles: 'deepRecursions',
  L_cycles: 'latentRecursions',
  hidden_size: 'hiddenSize',
  num_heads: 'heads',
  expansion: 'expansion',
  vocab_size: 'vocabSize',
  seq_len: 'sequenceLength',
  num_puzzle_identifiers: 'puzzleIds',
  halt_max_steps: 'supervisionSteps',
  halt_exploration_prob: 'explorationProbability',
};

/** Names of the published model files with the recursion each implements. */
const architectures: readonly (readonly [pattern: RegExp, recursion: Recursion])[] = [
  [/\btrm_singlez\b|single-?z/i, 'single-z'],
  [/\btrm_hier6\b|multi-?z/i, 'multi-z'],
  [/\btransformers_baseline\b|\bdirect\b/i, 'direct'],
  [/\bhrm/i, 'hrm'],
  [/\btrm/i, 'trm'],
];

/** The options that the reference's fields fix, by our names. Throws InputError if a known field has an impossible type. */
export function configFromReference(fields: ReferenceFields): Partial<ModelConfig> {
  const config: { -readonly [Key in keyof ModelConfig]?: ModelConfig[Key] | number } = {};
  const number = (name: string): number | undefined => {
    const value = fields[name];
    if (value !== undefined && typeof value !== 'number')
      throw new InputError(`${name}: expected a number, got ${show(value)}`);
    return value;
  };
  for (const [name, ours] of Object.entries(numbers)) {
    const value = number(name);
    if (value !== undefined) (config as Record<string, number>)[ours] = value;
  }

  const recursion = architectures.find(([pattern]) => pattern.test(String(fields['architecture'] ?? '')))?.[1];
  if (recursion !== undefined) {
    config.recursion = recursion;
    if (recursion === 'hrm')
      Object.assign(config, { separateNets: true, gradient: 'one-step', halting: 'halt-or-continue' });
    if (recursion === 'multi-z') config.latentCount = 6;
    if (recursion === 'direct') config.halting = 'halt-over-continue';
  }
  const layers = number(recursion === 'direct' ? 'H_layers' : 'L_layers');
  if (layers !== undefined) config.layers = layers;

  const size = number('puzzle_emb_ndim');
  if (size !== undefined) {
    config.puzzleEmbeddingSize = size;
    // HRM and the direct baseline take as many positions as the embedding fills, whatever the option says (spec §6).
    const prefix = recursion === 'hrm' || recursion === 'direct' ? 0 : (number('puzzle_emb_len') ?? 0);
    const hiddenSize = number('hidden_size');
    if (size === 0) config.puzzlePrefix = 0;
    else if (prefix > 0) config.puzzlePrefix = prefix;
    else if (hiddenSize !== undefined) config.puzzlePrefix = Math.ceil(size / hiddenSize); // spec §1.3
  }
  if (typeof fields['mlp_t'] === 'boolean') config.mixer = fields['mlp_t'] ? 'mlp' : 'attention';
  const positions = fields['pos_encodings'];
  if (positions !== undefined) {
    if (positions !== 'none' && positions !== 'rope' && positions !== 'learned')
      throw new InputError(`pos_encodings: expected none, rope or learned, got ${show(positions)}`);
    config.positions = positions === 'rope' ? 'rotary' : positions;
  }
  // HRM and the direct baseline know no such option, though their configurations may carry it.
  if (typeof fields['no_ACT_continue'] === 'boolean' && recursion !== 'hrm' && recursion !== 'direct')
    config.halting = fields['no_ACT_continue'] ? 'halt' : 'halt-or-continue';
  return config as Partial<ModelConfig>;
}

const flags = ['mlp_t', 'no_ACT_continue'];
const wanted = new Set([
  ...Object.keys(numbers),
  ...flags,
  'L_layers',
  'H_layers',
  'puzzle_emb_ndim',
  'puzzle_emb_len',
  'pos_encodings',
  'name',
]);

/** Most bytes of an all_config.yaml: real ones have a few kilobytes. */
export const longestYaml = 1_000_000;

/**
 * The known options of an all_config.yaml: lines `key: value` at any indentation, as the reference's writer leaves them.
 * This is no YAML reader: a known key with anything but a plain value is refused (InputError), everything else is passed over.
 */
export function readReferenceYaml(text: string, file: string): ReferenceFields {
  if (text.length > longestYaml)
    throw new InputError(`${file}: expected a configuration of a few kilobytes, got ${text.length} characters`);
  const fields: Record<string, unknown> = {};
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const [, key = '', value = ''] = /^([A-Za-z_]+):(?:\s+(\S.*))?$/s.exec(line.trim()) ?? []; // one way to read a line: time stays linear
    if (!wanted.has(key)) continue;
    const plain = /^(?:'([\w.@/-]*)'|"([\w.@/-]*)"|([\w.@/+-]+))(?:\s+#.*)?$/.exec(value);
    if (plain === null)
      throw new InputError(
        `${file}, line ${i + 1}: expected "${key}: value" with a plain value, got ${JSON.stringify(line.trim().slice(0, 80))}; write it plainly, or move the file away and give the options`,
      );
    const word = plain[1] ?? plain[2] ?? plain[3] ?? '';
    if (key === 'name') {
      // Loss and model each have a name; the model's holds its class.
      if (architectures.some(([pattern]) => pattern.test(word))) fields['architecture'] = word;
      continue;
    }
    const read = flags.includes(key)
      ? { true: true, false: false }[word]
      : key === 'pos_encodings'
        ? word
        : Number(word);
    if (read === undefined || Number.isNaN(read))
      throw new InputError(
        `${file}, line ${i + 1}: ${key}: got ${JSON.stringify(word)}, which is no ${flags.includes(key) ? 'true or false' : 'number'}`,
      );
    if (key in fields && fields[key] !== read)
      throw new InputError(
        `${file}, line ${i + 1}: ${key} is given twice, as ${String(fields[key])} and ${String(read)}`,
      );
    fields[key] = read;
  }
  return fields;
}
