/** A trainer's snapshot as one safetensors file, so that a run killed at any moment continues to the same bytes. */
import { createHash } from 'node:crypto';
import { loadCheckpoint } from '../checkpoint/checkpoint.js';
import { fromBytes } from '../checkpoint/file-bytes.js';
import { listSafetensors } from '../checkpoint/safetensors.js';
import { readMetadata, writeSafetensors } from '../checkpoint/safetensors-file.js';
import type { StoredTensor } from '../checkpoint/tensor-data.js';
import { checkTensors } from '../engine/checks.js';
import { tensorKinds, tensorsOf, type TensorKind } from '../engine/engine.js';
import { InputError, show } from '../errors.js';
import { readJson } from '../json.js';
import type { LatentId } from '../model/calls.js';
import { positionsOf, type ModelConfig } from '../model/config.js';
import { parameterSpecs, type ParameterSpec, type Tensor, type TensorMap } from '../model/parameters.js';
import { buildSchedule } from '../model/schedule.js';
import { pieces } from '../write-file.js';
import type { TrainerSnapshot } from './trainer.js';

const format = 'trm-lab/state/2';

/** Writes a snapshot atomically; `extra`, plain JSON, comes back with it. */
export function writeSnapshot(file: string, snapshot: TrainerSnapshot, extra: unknown): void {
  const { carry } = snapshot;
  const seats = carry.steps.length;
  const length = carry.puzzles.tokens.length / seats;
  const tensors = new Map<string, StoredTensor>();
  for (const [kind, map] of snapshot.tensors) {
    for (const [name, { shape, data }] of map) tensors.set(`${kind}/${name}`, { dtype: 'F32', shape, data });
  }
  for (const [latent, data] of snapshot.latents)
    tensors.set(`latents/${latent}`, { dtype: 'F32', shape: [data.length], data });
  tensors.set('carry/tokens', { dtype: 'I32', shape: [seats, length], data: carry.puzzles.tokens });
  tensors.set('carry/labels', { dtype: 'I32', shape: [seats, length], data: carry.puzzles.labels });
  tensors.set('carry/puzzleIds', { dtype: 'I32', shape: [seats], data: carry.puzzles.puzzleIds });
  tensors.set('carry/steps', { dtype: 'I32', shape: [seats], data: carry.steps });
  tensors.set('carry/halted', { dtype: 'I32', shape: [seats], data: Int32Array.from(carry.halted) });
  const metadata = {
    format,
    step: String(snapshot.step),
    stream: JSON.stringify(snapshot.stream),
    extra: JSON.stringify(extra),
    sums: JSON.stringify(Object.fromEntries([...tensors].map(([name, tensor]) => [name, hashOfTensor(tensor)]))),
  };
  writeSafetensors(file, tensors, { ...metadata, seal: sealOf(metadata) });
}

/** The plain JSON that came with a snapshot. Throws InputError if the file is damaged or no snapshot. */
export function snapshotExtra(file: string): unknown {
  return storedJson(file, 'extra', readMetadata(file)['extra']);
}

/** Reads a snapshot for a model. Throws InputError if the file is damaged or of another model. */
export function readSnapshot(
  file: string,
  config: ModelConfig,
  seats: number,
): { readonly snapshot: TrainerSnapshot; readonly extra: unknown } {
  return fromState(file, (state) => snapshotIn(file, state, config, seats));
}

function snapshotIn(
  file: string,
  { metadata, tensor }: OpenState,
  config: ModelConfig,
  seats: number,
): { readonly snapshot: TrainerSnapshot; readonly extra: unknown } {
  const step = Number(metadata['step']);
  if (!/^\d{1,15}$/.test(metadata['step'] ?? ''))
    throw new InputError(`${file}: expected a step count, got ${show(metadata['step'])}; start over without resume`);

  const floats = (name: string, shape: readonly number[]): Float32Array => tensor(name, 'F32', shape) as Float32Array;
  const integers = (name: string, shape: readonly number[]): Int32Array => tensor(name, 'I32', shape) as Int32Array;

  const specs = parameterSpecs(config);
  const kinds = new Map<TensorKind, Map<string, Tensor>>();
  for (const kind of tensorKinds) {
    kinds.set(
      kind,
      new Map(
        tensorsOf(kind, specs).map(({ name, shape }) => [name, { shape, data: floats(`${kind}/${name}`, shape) }]),
      ),
    );
  }
  const latentSize = seats * positionsOf(config) * config.hiddenSize;
  const latents = new Map<LatentId, Float32Array>(
    buildSchedule(config).latents.map((latent) => [latent, floats(`latents/${latent}`, [latentSize])]),
  );
  const cells = [seats, config.sequenceLength];
  const halted = integers('carry/halted', [seats]);
  const neither = halted.find((value) => value !== 0 && value !== 1);
  if (neither !== undefined)
    throw new InputError(
      `${file}: carry/halted: expected 0 or 1 for every seat, got ${neither}; ` +
        'the file is damaged: start over without resume',
    );
  return {
    snapshot: {
      step,
      carry: {
        puzzles: {
          tokens: integers('carry/tokens', cells),
          labels: integers('carry/labels', cells),
          puzzleIds: integers('carry/puzzleIds', [seats]),
        },
        steps: integers('carry/steps', [seats]),
        halted: Uint8Array.from(halted),
      },
      // The stream itself checks this position when it is restored.
      stream: storedJson(file, 'the stream', metadata['stream']) as TrainerSnapshot['stream'],
      tensors: kinds,
      latents,
    },
    extra: storedJson(file, 'extra', metadata['extra']),
  };
}

/** The optimizer step of a training state, read from its header alone; undefined for any other file. */
export function stateStep(file: string): number | undefined {
  try {
    const metadata = readMetadata(file);
    return metadata['format'] === format ? Number(metadata['step']) : undefined;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** Weights that a new run starts from, in place of its seed's. */
export interface StartWeights {
  readonly tensors: TensorMap;
  /** Hash of the numbers, which identifies runs that start from them. */
  readonly sha256: string;
  /** The custom block that they were trained with, as the file states it; undefined for the kit's. */
  readonly block: string | undefined;
  /** What was done to fit them to the model, such as another number of puzzle ids. */
  readonly notes: readonly string[];
}

/**
 * Reads start weights: the current parameters of a training state, or the weights of a checkpoint, ours or others'.
 * Throws InputError if the file is damaged, or its tensors are not the model's.
 */
export function readStartWeights(file: string, config: ModelConfig): StartWeights {
  const specs = parameterSpecs(config);
  const { tensors, block, notes } =
    stateStep(file) === undefined ? checkpointWeights(file, config) : stateWeights(file, specs);
  checkTensors(specs, tensors, file);
  const hash = createHash('sha256');
  for (const { name } of specs) hash.update(hashOfTensor(tensors.get(name)!));
  return { tensors, sha256: hash.digest('hex'), block, notes };
}

function checkpointWeights(file: string, config: ModelConfig): Omit<StartWeights, 'sha256'> {
  const { tensors, metadata, notes } = loadCheckpoint(file, { config });
  return { tensors, block: metadata['block'], notes };
}

function stateWeights(file: string, specs: readonly ParameterSpec[]): Omit<StartWeights, 'sha256'> {
  return fromState(file, ({ metadata, tensor }) => {
    const extra = (storedJson(file, 'extra', metadata['extra']) ?? {}) as { readonly block?: string };
    const parameters = specs.map(({ name, shape }) => {
      const data = tensor(`parameters/${name}`, 'F32', shape) as Float32Array;
      return [name, { shape, data }] as const;
    });
    return { tensors: new Map(parameters), block: extra.block, notes: [] };
  });
}

/** SHA-256 of a tensor's numbers, in hexadecimal. */
function hashOfTensor({ data }: Pick<StoredTensor, 'data'>): string {
  const hash = createHash('sha256');
  for (const piece of pieces(data)) hash.update(piece);
  return hash.digest('hex');
}

/** SHA-256 of all metadata, including the tensors' checksums. */
function sealOf({ format, step, stream, extra, sums }: Readonly<Record<string, string>>): string {
  return createHash('sha256')
    .update(JSON.stringify([format, step, stream, extra, sums]))
    .digest('hex');
}

/** An open state file: its header is verified, its tensors are still unread. */
interface OpenState {
  readonly metadata: Readonly<Record<string, string>>;
  /** Reads a tensor. Throws InputError for another shape, before reading, and for changed numbers. */
  tensor(name: string, dtype: 'F32' | 'I32', shape: readonly number[]): Float32Array | Int32Array;
}

/** Reads a state file with `read`. Throws InputError naming the damaged part. */
function fromState<Result>(file: string, read: (state: OpenState) => Result): Result {
  return fromBytes(file, (bytes) => {
    const { handles, metadata } = listSafetensors(bytes);
    if (metadata['format'] !== format)
      throw new InputError(
        `${file}: expected a training state (${format}), ` +
          `got ${metadata['format'] ?? 'another kind of safetensors file'}`,
      );
    const damaged = (part: string): never => {
      throw new InputError(
        `${file}: ${part} is not as it was written (its checksum differs); the file is damaged: ` +
          'take an earlier checkpoint, or start over without resume',
      );
    };
    if (metadata['seal'] !== sealOf(metadata)) damaged('what the file says of itself');
    const sums = storedJson(file, 'checksums', metadata['sums']) as Readonly<Record<string, string>>;
    return read({
      metadata,
      tensor(name, dtype, shape) {
        const handle = handles.get(name);
        if (handle === undefined || handle.dtype !== dtype || handle.shape.join() !== shape.join())
          throw new InputError(
            `${file}: ${name}: expected shape [${shape.join(', ')}] of ${dtype}, ` +
              `got ${handle === undefined ? 'none' : `[${handle.shape.join(', ')}] of ${handle.dtype}`}; ` +
              'it belongs to another model or is damaged: take another one, or start over without resume',
          );
        const stored = handle.read();
        if (hashOfTensor(stored) !== sums[name]) damaged(name);
        return stored.data as Float32Array | Int32Array;
      },
    });
  });
}

/** A JSON part of the metadata; null if absent. */
function storedJson(file: string, what: string, stored: string | undefined): unknown {
  return readJson(stored ?? 'null', (reason) => {
    throw new InputError(
      `${file}: expected ${what} as JSON, got ${reason}; the file is damaged: start over without resume`,
    );
  });
}
