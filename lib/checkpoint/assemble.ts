/** Makes a model from named tensors: finds its configuration and checks every shape. */
import { plural } from '../words.js';
import { InputError, reasonOf, within } from '../errors.js';
import { isObject } from '../fields.js';
import { readJson } from '../json.js';
import { MemoryBytes } from './bytes.js';
import { checkConfig, type ModelConfig } from '../model/config.js';
import { inferConfig } from './infer-config.js';
import { parameterSpecs, type Tensor, type TensorMap } from '../model/parameters.js';
import { listSafetensors } from './safetensors.js';
import { isFloat, toFloat32, type TensorHandle } from './tensor-data.js';
import { bareTensors } from './tensor-names.js';

/** The format name in this kit's checkpoints. */
export const checkpointFormat = 'trm-lab/model/1';

/** The model of a file. */
export interface Checkpoint {
  readonly config: ModelConfig;
  /** Every tensor of the configuration, by the reference's names without prefix, in its order. */
  readonly tensors: TensorMap;
  /** Other metadata of the file, e.g. run, step, task. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A checkpoint, and how it was interpreted. */
export interface LoadedCheckpoint extends Checkpoint {
  /** What was taken from where, and what was ignored or changed. */
  readonly notes: readonly string[];
  /** Which of online and averaged weights were taken and which left; undefined if the file has only one set. */
  readonly taken?: string | undefined;
  /** Assumptions on what neither file nor caller says, as "field = value". A wrong one makes every answer wrong. */
  readonly assumed: readonly string[];
}

/** Tensors by their names without wrappers, and the file's metadata. */
export interface NamedTensors {
  readonly tensors: ReadonlyMap<string, TensorHandle>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The model in the bytes of a safetensors file; `name` is for messages. Throws InputError if they are damaged or are
 * no such file.
 */
export function checkpointOfBytes(bytes: Uint8Array, name: string): Checkpoint {
  const { handles, metadata } = listSafetensors(new MemoryBytes(bytes, name));
  return assembleCheckpoint(name, { tensors: bareTensors(name, handles), metadata });
}

/**
 * The model of these tensors. `facts`, from the run's configuration, count if the file has no configuration of ours;
 * `known` overrides both. Another number of puzzleIds in `known` than in the file resizes the puzzle table. `cells` is
 * the sequence length that the caller needs. Throws InputError if the model has another one, and listing every missing,
 * unknown and misshaped tensor.
 */
export function assembleCheckpoint(
  name: string,
  { tensors: found, metadata }: NamedTensors,
  facts: Partial<ModelConfig> = {},
  { puzzleIds, ...known }: Partial<ModelConfig> = {},
  cells?: number,
): LoadedCheckpoint {
  const notes: string[] = [];
  const { config: own, assumed } = within(name, () => {
    const stored = storedConfig(metadata);
    if (stored !== undefined)
      return { config: checkConfig({ ...checkConfig(stored), ...known }), assumed: storedAssumptions(metadata, known) };
    return inferConfig(new Map([...found].map(([each, { shape }]) => [each, shape])), { ...facts, ...known }, cells);
  });
  checkTensors(name, own, found);
  if (cells !== undefined && cells !== own.sequenceLength)
    throw new InputError(
      `${name}: expected puzzles of ${own.sequenceLength} cells and ${own.vocabSize} tokens, got ${cells} cells; ` +
        'open another checkpoint',
    );
  const config = puzzleIds === undefined ? own : checkConfig({ ...own, puzzleIds });
  const tensors = new Map<string, Tensor>();
  for (const { name: tensor, shape, role } of parameterSpecs(config)) {
    const data = toFloat32((found.get(tensor) as TensorHandle).read());
    if (!data.every(Number.isFinite))
      throw new InputError(`${name}: ${tensor}: expected finite numbers, got NaN or infinity; open another checkpoint`);
    if (role === 'puzzle-table' && own.puzzleIds !== config.puzzleIds) {
      notes.push(
        `puzzle table: ${own.puzzleIds} rows in the file, ${config.puzzleIds} wanted; ` +
          "every row is the mean of the file's",
      );
      tensors.set(tensor, { shape, data: meanRows(data, own.puzzleIds, config.puzzleIds) });
    } else {
      tensors.set(tensor, { shape, data });
    }
  }
  const { format: _format, config: _config, assumed: _assumed, ...rest } = metadata;
  return { config, tensors, metadata: rest, notes, assumed };
}

/** The configuration that this kit stored in a file; undefined if it has none, or another program's. */
export function storedConfig(metadata: Readonly<Record<string, string>>): unknown {
  const { config: stored, format } = metadata;
  if (format !== undefined && format !== checkpointFormat && /^trm-lab\/(?!state\/)/.test(format))
    throw new InputError(
      `format: expected ${checkpointFormat}, got ${reasonOf(format.slice(0, 80))}, of another version of this kit; ` +
        'convert it there',
    );
  if (stored === undefined) return undefined;
  const fields = readJson(stored, (reason) => {
    if (format !== checkpointFormat) return undefined;
    throw new InputError(`metadata config: expected JSON, got ${reason}`);
  });
  const ours = isObject(fields) && 'hiddenSize' in fields;
  return ours || format === checkpointFormat ? fields : undefined;
}

/** What was assumed when a file was converted, less what the caller now says. */
function storedAssumptions(
  { assumed = '[]' }: Readonly<Record<string, string>>,
  known: Partial<ModelConfig>,
): readonly string[] {
  const refuse = (reason: string): never => {
    throw new InputError(`metadata assumed: expected a list of texts in JSON, got ${reason}`);
  };
  const list = readJson(assumed, refuse);
  if (!Array.isArray(list) || !list.every((each) => typeof each === 'string')) return refuse(reasonOf(assumed));
  return list.filter((each) => !Object.hasOwn(known, each.split(' = ')[0] ?? ''));
}

/** Throws InputError listing all differences between tensors and those of a configuration. */
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
  for (const name of found.keys())
    if (!names.has(name)) problems.push(`${reasonOf(name.slice(0, 80))} is not part of the model`);
  if (problems.length === 0) return;
  const shown = problems.slice(0, 3);
  if (problems.length > shown.length) shown.push(`${problems.length - shown.length} more`);
  throw new InputError(
    `${file}: the tensors do not fit the configuration (${config.recursion}, ${config.mixer}, ` +
      `${plural(config.layers, 'layer')} of ${config.hiddenSize}): ${shown.join('; ')}; choose a checkpoint of such ` +
      'a model, or the configuration that fits it',
  );
}

/** [newRows, width], with every row the mean of the old rows (as the reference's loader does, spec §8.1). */
function meanRows(data: Float32Array, rows: number, newRows: number): Float32Array {
  const width = data.length / rows;
  const mean = new Float64Array(width);
  for (let i = 0; i < data.length; i++) (mean[i % width] as number) += (data[i] as number) / rows;
  const resized = new Float32Array(newRows * width);
  for (let row = 0; row < newRows; row++) resized.set(mean, row * width);
  return resized;
}
