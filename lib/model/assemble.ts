/** A model out of named tensors: the wrappers' prefixes stripped, the configuration found, every shape checked. */
import { InputError } from '../errors.js';
import { MemoryBytes } from './bytes.js';
import { checkConfig, type ModelConfig } from './config.js';
import { inferConfig } from './infer-config.js';
import { parameterSpecs, type Tensor, type TensorMap } from './parameters.js';
import { listSafetensors } from './safetensors.js';
import { isFloat, toFloat32, type TensorHandle } from './tensor-data.js';

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

/** Tensors and text as a file names them. */
export interface NamedTensors {
  readonly handles: ReadonlyMap<string, TensorHandle>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Options that stand in a file beside the checkpoint. */
export interface OptionsBeside {
  /** For messages. */
  readonly file: string;
  readonly config: Partial<ModelConfig>;
}

/** The model in the bytes of a safetensors file; `name` is for messages. Throws InputError if they are damaged or make no model. */
export function checkpointOfBytes(bytes: Uint8Array, name: string): Checkpoint {
  return assembleCheckpoint(name, listSafetensors(new MemoryBytes(bytes, name)));
}

/**
 * The model that tensors make. `beside` is asked for options only where the file holds no configuration; `notes` takes what was assumed or changed.
 * Throws InputError listing every missing, unknown and misshaped tensor.
 */
export function assembleCheckpoint(
  name: string,
  { handles, metadata }: NamedTensors,
  options: LoadOptions = {},
  beside: () => OptionsBeside | undefined = () => undefined,
  notes: string[] = [],
): Checkpoint {
  const found = stripPrefixes(name, handles);
  const { puzzleIds, ...known } = options.config ?? {};
  const own = inFile(name, () => configOf(found, metadata, known, beside, notes));
  checkTensors(name, own, found);

  const config = puzzleIds === undefined ? own : checkConfig({ ...own, puzzleIds });
  const tensors = new Map<string, Tensor>();
  for (const { name: tensor, shape, role } of parameterSpecs(config)) {
    const data = toFloat32((found.get(tensor) as TensorHandle).read());
    if (role === 'puzzle-table' && own.puzzleIds !== config.puzzleIds) {
      notes.push(
        `puzzle table: ${own.puzzleIds} rows in the file, ${config.puzzleIds} wanted; every row is the mean of the file's`,
      );
      tensors.set(tensor, { shape, data: meanRows(data, own.puzzleIds, config.puzzleIds) });
    } else {
      tensors.set(tensor, { shape, data });
    }
  }
  const { format: _format, config: _config, ...rest } = metadata;
  return { config, tensors, metadata: rest };
}

/** The configuration: stored in the file, or from options beside it and the shapes. */
function configOf(
  found: ReadonlyMap<string, TensorHandle>,
  metadata: Readonly<Record<string, string>>,
  known: Partial<ModelConfig>,
  beside: () => OptionsBeside | undefined,
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
  const yaml = beside();
  if (yaml !== undefined) notes.push(`configuration: options from ${yaml.file}, shapes from the tensors`);
  const shapes = new Map([...found].map(([name, { shape }]) => [name, shape]));
  const { config, assumed } = inferConfig(shapes, { ...yaml?.config, ...known });
  if (assumed.length > 0) notes.push(`configuration: the file does not say, so assumed ${assumed.join(', ')}`);
  return config;
}

/** Prefixes that PyTorch's and the reference's wrappers put before a name (spec §8.1), outermost first. */
export const wrappers = /^(?:_orig_mod\.|module\.|model\.|inner\.)+/;
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
export function checkTensors(
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
