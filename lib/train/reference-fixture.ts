/** Fixtures of the reference: a training and an evaluation as PyTorch computed them, read and understood. */
import path from 'node:path';
import { configFromReference, type ReferenceFields } from '../checkpoint/reference-config.js';
import { readSafetensors } from '../checkpoint/safetensors-file.js';
import { InputError, show } from '../errors.js';
import { anyObject, listOf, number, objectOf, text, whole, type Fields } from '../fields.js';
import { readJson } from '../json.js';
import { checkConfig, paperConfig, type ModelConfig } from '../model/config.js';
import type { Tensor } from '../model/parameters.js';
import { readUserFile } from '../user-file.js';

/** The JSON description of a fixture. */
export interface FixtureJson {
  readonly name: string;
  readonly architecture: string;
  readonly config: ReferenceFields;
  readonly batch_size: number;
  readonly train_steps: number;
  readonly optimizer: {
    readonly lr: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly weight_decay: number;
  };
  readonly puzzle_emb_optimizer: { readonly lr: number; readonly weight_decay: number };
  readonly ema: number;
  readonly metrics: readonly Readonly<Record<string, number>>[];
  readonly eval_metrics: Readonly<Record<string, number>>;
}

/** A fixture, read and checked. */
export interface Fixture {
  readonly json: FixtureJson;
  readonly config: ModelConfig;
  /** Float tensors by key. Throws InputError if it is missing. */
  floats(key: string): Float32Array;
  integers(key: string): Int32Array;
  has(key: string): boolean;
  /** Tensors whose keys have a prefix, by the rest of their keys. */
  under(prefix: string): Map<string, Tensor>;
}

/**
 * Reads `<name>.safetensors`, with `<name>.json` beside it. Throws InputError if a file is missing, damaged or no
 * fixture.
 */
export function readFixture(file: string): Fixture {
  if (!file.endsWith('.safetensors')) throw new InputError(`fixture: expected a .safetensors file, got ${file}`);
  const { tensors } = readSafetensors(file);
  const json = readDescription(file.replace(/\.safetensors$/, '.json'));
  const find = (key: string): { shape: readonly number[]; data: unknown } => {
    const tensor = tensors.get(key);
    if (tensor === undefined)
      throw new InputError(
        `${path.basename(file)}: expected a tensor ${key}, got none; it is no fixture of the reference`,
      );
    return tensor;
  };
  const typed = <Data>(key: string, type: new (length: number) => Data): Data => {
    const { data } = find(key);
    if (!(data instanceof type)) throw new InputError(`${path.basename(file)}: expected ${type.name} data in ${key}`);
    return data;
  };
  // What the reference's options do not say is in the fixture's architecture and tensors.
  const separateNets =
    json.architecture === 'hrm' ||
    (json.architecture === 'trm' && [...tensors.keys()].some((key) => key.startsWith('init/inner.H_level')));
  const config = checkConfig({
    ...paperConfig,
    ...configFromReference({ ...json.config, architecture: json.architecture }),
    separateNets,
    gradient: json.architecture === 'hrm' || json.name === 'trm-one-step-gradient' ? 'one-step' : 'last-recursion',
  });
  return {
    json,
    config,
    floats: (key) => typed(key, Float32Array),
    integers: (key) => typed(key, Int32Array),
    has: (key) => tensors.has(key),
    under: (prefix) =>
      new Map(
        [...tensors]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, { shape }]) => [key.slice(prefix.length), { shape, data: typed(key, Float32Array) }]),
      ),
  };
}

/** A description; the optimizers' numbers are checked as training options. */
const description = objectOf({
  name: text,
  architecture: text,
  config: anyObject,
  batch_size: whole(0),
  train_steps: whole(0),
  optimizer: anyObject,
  puzzle_emb_optimizer: anyObject,
  ema: number,
  metrics: listOf(anyObject),
  eval_metrics: anyObject,
} satisfies Fields<FixtureJson>);

function readDescription(file: string): FixtureJson {
  const name = path.basename(file);
  const json = readJson(readUserFile(file).toString('utf8'), (reason) => {
    throw new InputError(`${name}: expected JSON, got ${reason}`);
  });
  const expected = description(json);
  if (expected !== undefined)
    throw new InputError(`${name}: expected a fixture's description, ${expected}, got ${show(json)}`);
  return json as FixtureJson;
}
