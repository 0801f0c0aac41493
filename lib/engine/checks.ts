/** The checks of door.ts on sizes, ids and numbers, which engines may then trust. */
import { ignoredLabel } from '../data/example.js';
import { InputError, show } from '../errors.js';
import {
  arrayOf,
  between,
  checkFields,
  checkValue,
  flag,
  oneOf,
  optional,
  whole,
  type FieldCheck,
  type Fields,
} from '../fields.js';
import type { LatentId } from '../model/calls.js';
import type { ModelConfig } from '../model/config.js';
import { sizeOf, type ParameterSpec, type TensorMap } from '../model/parameters.js';
import {
  tensorKinds,
  type Engine,
  type InferRequest,
  type TensorKind,
  type TrainRequest,
  type UpdateRequest,
} from './engine.js';

/** Most activations, in numbers, that tfjs keeps for a backward pass; a batch that needs more is cut in parts. */
export const activationBudget = 4e8;

const isFloats = arrayOf('Float32Array');

/** The check of a map of tensors or latents. */
export const mapByNames: FieldCheck = (value) => (value instanceof Map ? undefined : 'a Map by names');

const inferFields: Fields<InferRequest> = {
  tokens: arrayOf('Int32Array'),
  puzzleIds: arrayOf('Int32Array'),
  reset: arrayOf('Uint8Array'),
  weights: oneOf('raw', 'average'),
  wantLogits: optional(flag),
};

/** The fields that a training request has and an inference request lacks. */
const learningFields = {
  labels: arrayOf('Int32Array'),
  last: arrayOf('Uint8Array'),
  loss: oneOf('stablemax', 'softmax'),
};

const { weights: _, ...seatFields } = inferFields;
const trainFields: Fields<TrainRequest> = { ...seatFields, ...learningFields };
const { labels, last, loss } = learningFields;
// A training request may be given for inference: the fields that inference does not use are allowed.
const thinkFields = { ...inferFields, labels: optional(labels), last: optional(last), loss: optional(loss) };

/** The check of each field of an update. */
export const updateFields: Fields<UpdateRequest> = {
  optimizer: oneOf('adam-atan2', 'adamw', 'muon'),
  learningRate: between(0, 10),
  weightDecay: between(0, 100),
  beta1: between(0, 0.999999),
  beta2: between(0, 0.999999),
  puzzleLearningRate: between(0, 10),
  puzzleWeightDecay: between(0, 100),
  emaRate: between(0, 0.999999),
};

/** Throws InputError for what is not an engine, such as the whole result of openModel. */
export function checkEngine(engine: Engine): void {
  if (typeof engine?.inferStep !== 'function')
    throw new InputError(`engine: expected one, such as engine of what openModel gives, got ${show(engine)}`);
}

/** Throws InputError unless B is a possible number of seats. */
export function checkBatchSize(batchSize: number): void {
  checkValue('batch size', batchSize, whole(1, 65_536));
}

/** Throws InputError naming what in a request does not fit the model or a batch of B seats. */
export function checkInfer(config: ModelConfig, B: number, request: InferRequest): void {
  checkFields('thinking step', request, thinkFields);
  checkSeats(config, B, request);
}

/** As checkInfer for a training step, labels included. */
export function checkTrain(config: ModelConfig, B: number, request: TrainRequest): void {
  checkFields('training step', request, trainFields);
  checkSeats(config, B, request);
  checkLength('labels', request.labels, B * config.sequenceLength);
  checkLength('last', request.last, B);
  checkIds('labels', request.labels, config.vocabSize, ignoredLabel);
  checkIds('last', request.last, 2);
}

/** Throws InputError naming every number of an update that would harm the weights. */
export function checkUpdate(request: UpdateRequest): void {
  checkFields('update', request, updateFields);
}

/** Throws InputError for an unknown kind of tensors. */
export function checkKind(kind: TensorKind): void {
  checkValue('kind of tensors', kind, oneOf(...tensorKinds));
}

/** Throws InputError listing every tensor that is missing, unknown, of another shape, or not finite. */
export function checkTensors(specs: readonly ParameterSpec[], tensors: TensorMap, what: string): void {
  checkValue(what, tensors, mapByNames);
  const known = new Set(specs.map(({ name }) => name));
  const problems = [...tensors.keys()].filter((name) => !known.has(name)).map((name) => `${name} is none of them`);
  for (const { name, shape } of specs) {
    const tensor = tensors.get(name);
    if (tensor === undefined) problems.push(`${name} is missing`);
    else if (!Array.isArray(tensor?.shape) || isFloats(tensor.data) !== undefined)
      problems.push(`${name}: expected a shape and data in a Float32Array, got ${show(tensor)}`);
    else if (tensor.shape.join() !== shape.join() || tensor.data.length !== sizeOf(shape))
      problems.push(
        `${name}: expected shape [${shape.join(', ')}], ` +
          `got [${tensor.shape.join(', ')}] with ${tensor.data.length} numbers`,
      );
    else if (!allFinite(tensor.data)) problems.push(`${name} holds NaN or infinity`);
  }
  if (problems.length > 0)
    throw new InputError(
      `${what}: ${problems.slice(0, 5).join('; ')}${problems.length > 5 ? `; and ${problems.length - 5} more` : ''}`,
    );
}

/** Throws InputError unless the map has exactly these latents, each of `expected` finite numbers. */
export function checkLatents(
  latents: ReadonlyMap<LatentId, Float32Array>,
  ids: readonly LatentId[],
  expected: number,
): void {
  checkValue('latents', latents, mapByNames);
  for (const id of latents.keys()) checkValue('latents', id, oneOf(...ids));
  for (const id of ids) {
    const values = latents.get(id)!;
    checkValue(`latent ${id}`, values, isFloats);
    checkLength(`latent ${id}`, values, expected);
    if (!allFinite(values)) throw new InputError(`latent ${id} holds NaN or infinity`);
  }
}

/** A plain loop for speed: latents may be written before every step. */
function allFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

function checkSeats(config: ModelConfig, B: number, { tokens, puzzleIds, reset }: Omit<InferRequest, 'weights'>): void {
  checkLength('tokens', tokens, B * config.sequenceLength);
  checkLength('puzzleIds', puzzleIds, B);
  checkLength('reset', reset, B);
  checkIds('tokens', tokens, config.vocabSize);
  checkIds('puzzleIds', puzzleIds, config.puzzleIds);
  checkIds('reset', reset, 2);
}

function checkLength(name: string, values: { readonly length: number }, expected: number): void {
  if (values.length !== expected) throw new InputError(`${name}: expected ${expected} numbers, got ${values.length}`);
}

function checkIds(name: string, values: Int32Array | Uint8Array, count: number, besides?: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if ((value < 0 || value >= count) && value !== besides)
      throw new InputError(`${name}[${i}]: expected 0 to ${count - 1}, got ${value}`);
  }
}
