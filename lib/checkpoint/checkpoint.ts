/** Reads and writes checkpoints: the kit's own, in one safetensors file, and those of other programs. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { InputError, show, within } from '../errors.js';
import {
  anyObject,
  arrayOf,
  checkFields,
  checkValue,
  isObject,
  listOf,
  objectOf,
  oneOf,
  optional,
  pathText,
  whole,
  type FieldCheck,
  type Fields,
} from '../fields.js';
import { readJson } from '../json.js';
import {
  assembleCheckpoint,
  checkpointFormat,
  checkTensors,
  storedConfig,
  type Checkpoint,
  type LoadedCheckpoint,
} from './assemble.js';
import type { Bytes } from './bytes.js';
import { checkConfig, type ModelConfig } from '../model/config.js';
import { configBeside } from './config-beside.js';
import { chooseWeights, contentsOf, contentsOfTensors, type Contents, type WeightChoice } from './contents.js';
import { openBytes } from './file-bytes.js';
import { checkStorage, isPyTorchFile, readPyTorch } from './pytorch.js';
import { configFromReference, referenceFields, type ReferenceFields } from './reference-config.js';
import { listSafetensors } from './safetensors.js';
import { writeSafetensors } from './safetensors-file.js';
import { isShardIndex, listShards } from './shards.js';
import type { StoredTensor } from './tensor-data.js';
import { isWrapper } from './tensor-names.js';

/** How to open a file; all fields are optional. */
export interface LoadOptions {
  /** Fields that the caller knows; they override the file. Another puzzleIds resizes the puzzle table. */
  readonly config?: Partial<ModelConfig>;
  /**
   * Which weights to take if a file has both. Default: the average, unless the run's configuration says that it keeps
   * none.
   */
  readonly weights?: WeightChoice;
  /** Length of the caller's puzzles; it decides where the file leaves several lengths open. */
  readonly cells?: number;
}

const loadFields: Fields<LoadOptions> = {
  config: optional(anyObject), // its fields are checked with the model's
  weights: optional(oneOf('raw', 'average')),
  cells: optional(whole(1)),
};

const ignored: FieldCheck = () => undefined; // fields that loading and opening add
const saveFields: Fields<Parameters<typeof saveCheckpoint>[1] & LoadedCheckpoint & { readonly engine?: unknown }> = {
  config: anyObject,
  tensors: (value) =>
    value instanceof Map
      ? listOf(objectOf({ shape: listOf(whole(0)), data: arrayOf('Float32Array') }))([...value.values()])
      : 'a Map of tensors, as await averagedWeights(engine) gives',
  metadata: optional((value) =>
    isObject(value) && !('config' in value) && !('format' in value)
      ? undefined
      : 'an object without config and format, which saving fills in',
  ),
  notes: ignored,
  assumed: ignored,
  taken: ignored,
  engine: ignored,
};

/**
 * Writes a checkpoint atomically, in float32, with the reference's tensor names. `prefix` is put before every name, for
 * programs that expect the reference's wrappers, e.g. "_orig_mod.model.inner."; loading strips it again.
 * Throws InputError if the tensors are not exactly those of the configuration, or if the prefix is not a wrapper's.
 */
export function saveCheckpoint(
  file: string,
  checkpoint: Pick<Checkpoint, 'config' | 'tensors'> & Partial<Pick<Checkpoint, 'metadata'>>,
  prefix = '',
): void {
  checkValue('checkpoint', file, pathText);
  const { config, tensors, metadata = {} } = checkFields('checkpoint', checkpoint, saveFields);
  checkConfig(config);
  if (!isWrapper(prefix))
    throw new InputError(
      `prefix: expected a wrapper's such as model.inner. or _orig_mod.model.inner., got ${JSON.stringify(prefix)}`,
    );
  for (const [name, { data }] of tensors)
    if (!data.every(Number.isFinite))
      throw new InputError(`${file}: expected finite weights, got NaN or infinity in ${name}`);
  checkTensors(file, config, new Map([...tensors].map(([name, { shape }]) => [name, { dtype: 'F32', shape }])));
  const stored = new Map<string, StoredTensor>(
    [...tensors].map(([name, { shape, data }]) => [prefix + name, { dtype: 'F32', shape, data }]),
  );
  writeSafetensors(file, stored, { ...metadata, format: checkpointFormat, config: JSON.stringify(config) });
}

/**
 * Reads a checkpoint: ours, any safetensors file with the reference's names, or a PyTorch file of a training script.
 * If the file lacks a configuration of ours, the run's own (in the file or next to it) and the tensors' shapes give it.
 * Nothing in the file is executed.
 * Throws InputError if the file is damaged, or listing every missing, unknown and misshaped tensor.
 */
export function loadCheckpoint(file: string | Uint8Array, options: LoadOptions = {}): LoadedCheckpoint {
  checkFields('checkpoint', options, loadFields);
  if (typeof file !== 'string' && !(file instanceof Uint8Array))
    throw new InputError(`checkpoint: expected the path of a file, or its bytes, got ${show(file)}`);
  const opened: Bytes[] = [];
  const open = (each: string | Uint8Array): Bytes => {
    const bytes = openBytes(each);
    opened.push(bytes);
    return bytes;
  };
  try {
    const bytes = open(typeof file === 'string' ? fileIn(file) : file);
    const { contents: inside, metadata } = readContents(bytes, open);
    if (metadata['format']?.startsWith('trm-lab/state/') === true)
      throw new InputError(
        `${bytes.name}: expected a model, got the state of a training; its folder holds model.safetensors at the end`,
      );
    const contents = withAverageBeside(inside, bytes, open);
    const ours = within(bytes.name, () => storedConfig(metadata)) !== undefined;
    const settings = ours ? nothing : settingsOf(bytes, contents, metadata, typeof file === 'string');
    const left = contents.left.filter((key) => !settings.used.includes(key));
    const chosen = chooseWeights(bytes.name, { ...contents, left }, options.weights, settings.averaged);
    checkStorage(bytes, chosen.tensors);
    const facts = configFromReference(settings.fields);
    const loaded = assembleCheckpoint(bytes.name, { ...chosen, metadata }, facts, options.config, options.cells);
    const assumed = [...chosen.assumed, ...loaded.assumed];
    const { taken } = chosen;
    const notes = [...(taken === undefined ? [] : [taken]), ...settings.notes, ...loaded.notes];
    if (assumed.length > 0) notes.push(`configuration: the file does not say, so assumed ${assumed.join(', ')}`);
    return { ...loaded, assumed: assumed.filter((each) => !trainingOnly.test(each)), notes, taken };
  } finally {
    for (const each of opened) each.close();
  }
}

/** Assumptions that matter for training only: no answer depends on them. */
const trainingOnly = /^(?:gradient|halting) = /;

/** Names of checkpoints in the folders that trainers write, the preferred ones first. */
const usualNames = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];

/**
 * The file itself, or the model's file in a folder that a trainer wrote. Throws InputError if the folder has no file of
 * a usual name, or several models.
 */
function fileIn(file: string): string {
  if (!existsSync(file) || !statSync(file).isDirectory()) return file;
  const usual = usualNames.map((name) => path.join(file, name)).find((each) => existsSync(each));
  const names = readdirSync(file).sort();
  const models = names.filter((name) => /\.safetensors$/.test(name) && !/-\d+-of-\d+\./.test(name));
  if (usual !== undefined && models.length < 2) return usual; // of two, one may be the average
  const remedy = names.some((name) => name.endsWith('.distcp'))
    ? 'it is a distributed checkpoint: make one file of it in Python, ' +
      `torch.distributed.checkpoint.format_utils.dcp_to_torch_save(${JSON.stringify(file)}, "weights.pt")`
    : models.length > 0
      ? `name one of its models (${models.slice(0, 6).join(', ')}${models.length > 6 ? ', …' : ''})`
      : 'name a checkpoint in it';
  throw new InputError(`expected a file, got a folder: ${file}; ${remedy}`);
}

/** Files that are not checkpoints, recognised by how they begin, and what to do. */
const otherKinds: readonly (readonly [begins: (start: string) => boolean, what: string])[] = [
  [
    (start) => start.startsWith('version https://git-lfs'),
    'is a Git LFS pointer, not the file itself; fetch it with git lfs pull',
  ],
  [(start) => /^\s*<(?:!doctype|html|\?xml)/i.test(start), 'is a web page, not a checkpoint; download the file itself'],
  [
    (start) => ['\x1f\x8b', '\x28\xb5\x2f\xfd', 'BZh', '\xfd7zXZ'].some((each) => start.startsWith(each)),
    'is compressed; uncompress it first',
  ],
  [
    (start) => start.startsWith('\x89HDF'),
    'is HDF5, as Keras writes it; save the weights as safetensors under the published tensor names',
  ],
  [(start) => start.startsWith('GGUF'), 'is a GGUF file, as language models use it, not a TRM checkpoint'],
  [(start) => start.startsWith('\x93NUMPY'), 'is a NumPy array, not a checkpoint'],
  [(start) => start.startsWith('ustar', 257), 'is a tar archive; unpack it and name the checkpoint in it'],
  [
    (start) => start.startsWith('\x80') && start.charCodeAt(1) >= 2 && start.charCodeAt(1) <= 5,
    'is a plain Python pickle, not a file of torch.save; save it again in Python: ' +
      'import pickle, torch; torch.save(pickle.load(open("FILE", "rb")), "weights.pt")',
  ],
];

/** The contents of a file of any kind. Throws InputError for a kind that is not a checkpoint. */
function readContents(
  bytes: Bytes,
  open: (file: string) => Bytes,
): { readonly contents: Contents; readonly metadata: Readonly<Record<string, string>> } {
  if (isPyTorchFile(bytes)) return { contents: contentsOf(readPyTorch(bytes)), metadata: {} };
  if (isShardIndex(bytes)) return { contents: contentsOfTensors(listShards(bytes, open)), metadata: {} };
  const start = Buffer.from(bytes.read(0, Math.min(bytes.size, 262))).toString('latin1');
  const other = otherKinds.find(([begins]) => begins(start));
  if (other !== undefined) throw new InputError(`${bytes.name}: ${other[1]}`);
  const { handles, metadata } = listSafetensors(bytes);
  return { contents: contentsOfTensors(handles), metadata };
}

/** Adds an average from its own file: some training scripts save step_300_ema next to step_300. */
function withAverageBeside(contents: Contents, bytes: Bytes, open: (file: string) => Bytes): Contents {
  const file = `${bytes.name}_ema`;
  if (contents.averages.length > 0 || !existsSync(file)) return contents;
  const beside = open(file);
  const { online, averages } = readContents(beside, open).contents;
  const found = [...averages, ...online];
  for (const { tensors } of found) checkStorage(beside, tensors);
  return { ...contents, averages: found.map((set) => ({ ...set, where: path.basename(file) })) };
}

/** The run's configuration. */
interface Settings {
  readonly fields: ReferenceFields;
  readonly averaged: { readonly value: boolean; readonly where: string } | undefined;
  /** Entries of the file that were read as configuration. */
  readonly used: readonly string[];
  readonly notes: readonly string[];
}

const nothing: Settings = { fields: {}, averaged: undefined, used: [], notes: [] };

/** The run's configuration: options in the file, then those of a file next to it. */
function settingsOf(
  bytes: Bytes,
  contents: Contents,
  metadata: Readonly<Record<string, string>>,
  lookBeside: boolean,
): Settings {
  const entries = [
    ...contents.settings,
    ...Object.entries(metadata).map(([where, value]) => ({ where, value, kind: 'metadata' })),
  ].map(({ where, value, kind }) => ({ kind, where, value: { [where]: parsed(value) } }));
  const used = entries.filter(({ value }) => Object.keys(referenceFields(value, bytes.name)).length > 0);
  const inside = referenceFields(Object.assign({}, ...used.map(({ value }) => value)), bytes.name);
  const beside = lookBeside ? configBeside(path.dirname(bytes.name)) : undefined;
  const notes: string[] = [];
  const source = used.map(({ where, kind }) => (kind === undefined ? where : `${where} (${kind})`)).join(', ');
  if (used.length > 0) notes.push(`configuration: from ${source} in the file, shapes from the tensors`);
  const differing = Object.keys(beside?.fields ?? {}).filter(
    (key) => key in inside && inside[key] !== beside?.fields[key],
  );
  if (beside !== undefined && (used.length === 0 || differing.length > 0))
    notes.push(
      used.length === 0
        ? `configuration: options from ${beside.file}, shapes from the tensors`
        : `configuration: ${beside.file} says otherwise of ${differing.join(', ')}; the file's own word counts`,
    );
  const fields = { ...beside?.fields, ...inside };
  const { ema } = fields;
  const where = 'ema' in inside ? source : (beside?.file ?? '');
  return {
    fields,
    averaged: typeof ema === 'boolean' ? { value: ema, where: `${where} (ema: ${String(ema)})` } : undefined,
    used: used.map((each) => each.where),
    notes,
  };
}

/** Parses a configuration that is kept as JSON text. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string' || !value.trimStart().startsWith('{')) return value;
  return readJson(value, () => value); // it may only look like JSON
}
