/** Translates the published code's options into our configuration. */
import { InputError, show } from '../errors.js';
import { isObject } from '../fields.js';
import { rotaryBase, type ModelConfig, type Recursion } from '../model/config.js';

/** Options by the reference's names (spec §1.1). `architecture` is its `name:` of the model class. */
export type ReferenceFields = Readonly<Record<string, unknown>>;

/** Options that are the same number in both. */
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

/** Names of the published model files, and the recursion that each implements. */
const architectures: readonly (readonly [pattern: RegExp, recursion: Recursion])[] = [
  [/\btrm_singlez\b|single-?z/i, 'single-z'],
  [/\btrm_hier6\b|multi-?z/i, 'multi-z'],
  [/\btransformers_baseline\b|\bdirect\b/i, 'direct'],
  [/\bhrm/i, 'hrm'],
  [/\btrm/i, 'trm'],
];

/** Our options that the reference's fields fix. Throws InputError if a field has an impossible value. */
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
  // HRM and the direct baseline use as many positions as the embedding fills, and ignore the option (spec §6).
  const prefix = recursion === 'hrm' || recursion === 'direct' ? 0 : (number('puzzle_emb_len') ?? 0);
  if (prefix > 0) config.puzzlePrefix = prefix;
  if (size !== undefined) {
    config.puzzleEmbeddingSize = size;
    const hiddenSize = number('hidden_size');
    if (size === 0) config.puzzlePrefix = 0;
    else if (prefix <= 0 && hiddenSize !== undefined) config.puzzlePrefix = Math.ceil(size / hiddenSize); // spec §1.3
  }
  if (typeof fields['mlp_t'] === 'boolean') config.mixer = fields['mlp_t'] ? 'mlp' : 'attention';
  const positions = fields['pos_encodings'];
  if (positions !== undefined) {
    if (positions !== 'none' && positions !== 'rope' && positions !== 'learned')
      throw new InputError(`pos_encodings: expected none, rope or learned, got ${show(positions)}`);
    config.positions = positions === 'rope' ? 'rotary' : positions;
  }
  // HRM and the direct baseline ignore this option, which their configurations may have.
  if (typeof fields['no_ACT_continue'] === 'boolean' && recursion !== 'hrm' && recursion !== 'direct')
    config.halting = fields['no_ACT_continue'] ? 'halt' : 'halt-or-continue';
  return config as Partial<ModelConfig>;
}

/** Options that are true or false. ema: whether the run averaged its weights. */
const flags = ['mlp_t', 'no_ACT_continue', 'ema', 'use_ema'];
/** Constants of this kit that are options of the published code: other values would give other answers. */
const fixed: Readonly<Record<string, number>> = { rms_norm_eps: 1e-5, rope_theta: rotaryBase };
/** The known options by their lower-case names, which some programs write. */
const known: ReadonlyMap<string, string> = new Map(
  [
    ...Object.keys(numbers),
    ...flags,
    ...Object.keys(fixed),
    'L_layers',
    'H_layers',
    'puzzle_emb_ndim',
    'puzzle_emb_len',
    'pos_encodings',
  ].map((name) => [name.toLowerCase(), name]),
);
/** Deeper levels of a configuration hold no options of a model. */
const deepest = 8;

/**
 * The known options of a configuration, given as plain data, at any depth; everything else is skipped.
 * Throws InputError if an option has two different values, one of the wrong type, or one that `fixed` excludes.
 */
export function referenceFields(configuration: unknown, where: string): ReferenceFields {
  const fields: Record<string, unknown> = {};
  const take = (key: string, value: unknown): void => {
    if (key in fields && fields[key] !== value)
      throw new InputError(
        `${where}: ${key === 'architecture' ? 'the name of the architecture' : key} is given twice, ` +
          `as ${show(fields[key])} and ${show(value)}`,
      );
    fields[key] = value;
  };
  const visit = (value: unknown, depth: number, parent = ''): void => {
    if (!isObject(value) || depth > deepest) return;
    for (const [key, inner] of Object.entries(value)) {
      const name = known.get(key.toLowerCase());
      if (name !== undefined && inner !== null && inner !== undefined && typeof inner !== 'object')
        take(name === 'use_ema' ? 'ema' : name, readOption(name, inner, where));
      // Losses, runs and projects have a `name` too: the model's stands in arch or is FILE@CLASS, and is a known one.
      else if (key === 'name' && (parent === 'arch' || String(inner).includes('@'))) {
        if (architectures.some(([pattern]) => pattern.test(String(inner)))) take('architecture', inner);
      } else visit(inner, depth + 1, key);
    }
  };
  visit(configuration, 0);
  for (const [name, value] of Object.entries(fixed))
    if (fields[name] !== undefined && fields[name] !== value)
      throw new InputError(`${where}: ${name} = ${show(fields[name])}: this kit computes with ${value} only`);
  return fields;
}

/** One option's value; text such as "3" or "true" is read as a number or a boolean. */
function readOption(name: string, value: unknown, where: string): unknown {
  if (name === 'pos_encodings') return value;
  if (flags.includes(name)) {
    const word = String(value).toLowerCase();
    if (word === 'true' || word === 'false') return word === 'true';
    throw new InputError(`${where}: ${name}: expected true or false, got ${show(value)}`);
  }
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number))
    throw new InputError(`${where}: ${name}: expected a number, got ${show(value)}`);
  return number;
}
