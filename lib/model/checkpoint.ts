/** Checkpoints: a model's configuration and weights in one safetensors file, and those that others saved. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../errors.js';
import { readUserFile } from '../files.js';
import { Bytes } from './bytes.js';
import { checkConfig, type ModelConfig } from './config.js';
import { inferConfig } from './infer-config.js';
import { parameterSpecs, type Tensor, type TensorMap } from './parameters.js';
import { isPyTorchFile, listPyTorch } from './pytorch.js';
import { configFromReference, longestYaml, readReferenceYaml } from './reference-config.js';
import { listSafetensors, writeSafetensors } from './safetensors.js';
import { isFloat, toFloat32, type StoredTensor, type TensorHandle } from './tensor-data.js';

const format = 'trm-lab/model/1';

/** A model as a file holds it. */
export interface Checkpoint {
  readonly config: ModelConfig;
  /** Every tensor of the configuration, by the reference's names without prefix, in its order. */
  readonly tensors: TensorMap;
  /** What else the file says, e.g. run, step, task. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface LoadOptions {
  /** Fields that the caller knows; they win over what the file says. A puzzleIds other than the file's resizes the puzzle table. */
  readonly config?: Partial<ModelConfig>;
}

/**
 * Writes a checkpoint atomically, float32, with the reference's tensor names. `prefix` goes before every name, for a program that
 * expects the reference's wrappers, e.g. "_orig_mod.model.inner."; loading strips it again.
 * Throws InputError if the tensors are not exactly those of the configuration, or the prefix is none of a wrapper's.
 */
export function saveCheckpoint(
  file: string,
  { config, tensors, metadata = {} }: Pick<Checkpoint, 'config' | 'tensors'> & Partial<Pick<Checkpoint, 'metadata'>>,
  prefix = '',
): void {
  if (prefix.replace(wrappers, '') !== '')
    throw new InputError(
      `prefix: expected a wrapper's such as model.inner. or _orig_mod.model.inner., got ${JSON.stringify(prefix)}`,
    );
  checkTensors(file, config, new Map([...tensors].map(([name, { shape }]) => [name, { dtype: 'F32', shape }])));
  const stored = new Map<string, StoredTensor>(
    [...tensors].map(([name, { shape, data }]) => [prefix + name, { dtype: 'F32', shape, data }]),
  );
  writeSafetensors(file, stored, { ...metadata, format, config: JSON.stringify(config) });
}

/**
 * Reads a checkpoint: ours, any safetensors file with the reference's names, or a state dict saved by PyTorch.
 * Where the file does not hold the configuration, it comes from an all_config.yaml beside it and from the shapes;
 * `notes` says what was assumed or changed. Nothing in the file is executed.
 * Throws InputError if the file is damaged, or listing every missing, unknown and misshaped tensor.
 */
export function loadCheckpoint(
  file: string | Uint8Array,
  options: LoadOptions = {},
): Checkpoint & { readonly notes: readonly string[] } {
  const bytes = new Bytes(file);
  try {
    const { handles, metadata } = isPyTorchFile(bytes)
      ? { handles: listPyTorch(bytes), metadata: {} }
      : listSafetensors(bytes);
    const found = stripPrefixes(bytes.name, handles);
    const notes: string[] = [];
    const { puzzleIds, ...known } = options.config ?? {};
    const own = inFile(bytes.name, () => configOf(file, found, metadata, known, notes));
    checkTensors(bytes.name, own, found);

    const config = puzzleIds === undefined ? own : checkConfig({ ...own, puzzleIds });
    const tensors = new Map<string, Tensor>();
    for (const { name, shape, role } of parameterSpecs(config)) {
      const data = toFloat32((found.get(name) as TensorHandle).read());
      if (role === 'puzzle-table' && own.puzzleIds !== config.puzzleIds) {
        notes.push(
          `puzzle table: ${own.puzzleIds} rows in the file, ${config.puzzleIds} wanted; every row is the mean of the file's`,
        );
        tensors.set(name, { shape, data: meanRows(data, own.puzzleIds, config.puzzleIds) });
      } else {
        tensors.set(name, { shape, data });
      }
    }
    const { format: _format, config: _config, ...rest } = metadata;
    return { config, tensors, metadata: rest, notes };
  } finally {
    bytes.close();
  }
}

/** The configuration: stored in the file, or from all_config.yaml beside it and the shapes. */
function configOf(
  file: string | Uint8Array,
  found: ReadonlyMap<string, TensorHandle>,
  metadata: Readonly<Record<string, string>>,
  known: Partial<ModelConfig>,
  notes: string[],
): ModelConfig {
  const stored = metadata['config'];
  if (stored !== undefined) {
    let fields: unknown;
    try {
      fields = JSON.parse(stored);
    } catch (error) {
      throw new InputError(
        `metadata config: expected JSON, got ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    return checkConfig({ ...checkConfig(fields), ...known });
  }
  const yaml = typeof file === 'string' ? yamlBeside(file) : undefined;
  if (yaml !== undefined) notes.push(`configuration: options from ${yaml.file}, shapes from the tensors`);
  const shapes = new Map([...found].map(([name, { shape }]) => [name, shape]));
  const { config, assumed } = inferConfig(shapes, { ...yaml?.config, ...known });
  if (assumed.length > 0) notes.push(`configuration: the file does not say, so assumed ${assumed.join(', ')}`);
  return config;
}

/** The options in the all_config.yaml that the reference leaves beside its checkpoints, if there is one. */
function yamlBeside(checkpoint: string): { readonly file: string; readonly config: Partial<ModelConfig> } | undefined {
  const file = path.join(path.dirname(checkpoint), 'all_config.yaml');
  if (!existsSync(file)) return undefined;
  return {
    file,
    config: configFromReference(readReferenceYaml(readUserFile(file, longestYaml).toString('utf8'), file)),
  };
}

/** Prefixes that PyTorch's and the reference's wrappers put before a name (spec §8.1), outermost first. */
const wrappers = /^(?:_orig_mod\.|module\.|model\.|inner\.)+/;
/** Tensors some forks save that the model recomputes. */
const recomputed = /^(?:rotary_emb\.|puzzle_emb\.local_)/;

function stripPrefixes(file: string, handles: ReadonlyMap<string, TensorHandle>): Map<string, TensorHandle> {
  const stripped = new Map<string, TensorHandle>();
  for (const [name, handle] of handles) {
    const short = name.replace(wrappers, '');
    if (recomputed.test(short)) continue;
    if (stripped.has(short))
      throw new InputError(
        `${file}: two tensors are called ${JSON.stringify(short)} once prefixes such as "_orig_mod.model.inner." are removed`,
      );
    stripped.set(short, handle);
  }
  return stripped;
}

/** Compares tensors with those of a configuration. Throws one InputError listing all differences. */
function checkTensors(
  file: string,
  config: ModelConfig,
  found: ReadonlyMap<string, Pick<TensorHandle, 'dtype' | 'shape'>>,
): void {
  const problems: string[] = [];
  const specs = parameterSpecs(config);
  for (const { name, shape } of specs) {
    const tensor = found.get(name);
    if (tensor === undefined) problems.push(`${name} is missing`);
    else if (!isFloat(tensor.dtype)) problems.push(`${name}: expected floating numbers, got ${tensor.dtype}`);
    else if (tensor.shape.join() !== shape.join())
      problems.push(`${name}: expected [${shape.join(', ')}], got [${tensor.shape.join(', ')}]`);
  }
  const names = new Set(specs.map(({ name }) => name));
  for (const name of found.keys()) if (!names.has(name)) problems.push(`${name.slice(0, 80)} is not part of the model`);
  if (problems.length === 0) return;
  const shown = problems.slice(0, 12);
  if (problems.length > shown.length) shown.push(`${problems.length - shown.length} more`);
  throw new InputError(
    `${file}: the tensors do not fit the configuration (${config.recursion}, ${config.mixer}, ${config.layers} layers of ${config.hiddenSize}): ${shown.join('; ')}`,
  );
}

/** [newRows, width], every row the mean of the old ones (the reference's loader, spec §8.1). */
function meanRows(data: Float32Array, rows: number, newRows: number): Float32Array {
  const width = data.length / rows;
  const mean = new Float64Array(width);
  for (let i = 0; i < data.length; i++) (mean[i % width] as number) += (data[i] as number) / rows;
  const resized = new Float32Array(newRows * width);
  for (let row = 0; row < newRows; row++) resized.set(mean, row * width);
  return resized;
}

/** Runs `make`, putting the file's name before an InputError's message. */
function inFile<Result>(file: string, make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    if (error instanceof InputError) throw new InputError(`${file}: ${error.message}`);
    throw error;
  }
}
