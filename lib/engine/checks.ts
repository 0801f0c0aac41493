/** The door of every engine: sizes and ids are checked once, here, so that engines may trust them. */
import { ignoredLabel } from '../data/example.js';
import { InputError, show } from '../errors.js';
import { checkValue, whole } from '../fields.js';
import type { LatentId } from '../model/calls.js';
import type { ModelConfig } from '../model/config.js';
import { sizeOf, type ParameterSpec, type TensorMap } from '../model/parameters.js';
import type { Engine, InferRequest, LatentState, TrainRequest } from './engine.js';

/** Numbers that an engine with autodiff keeps of one part of a batch; larger batches are cut. */
export const activationBudget = 4e8;

/** Throws InputError for what is no engine, such as all that openModel gives. */
export function checkEngine(engine: Engine): void {
  if (typeof engine?.inferStep !== 'function')
    throw new InputError(`engine: expected one, such as engine of what openModel gives, got ${show(engine)}`);
}

/** Throws InputError unless B is a possible number of seats. */
export function checkBatchSize(batchSize: number): void {
  checkValue('batch size', batchSize, whole(1, 65_536));
}

/** Throws InputError naming the first field of a request that does not fit the model. */
export function checkInfer(config: ModelConfig, state: LatentState, request: InferRequest): void {
  const B = state.batchSize;
  checkLength('tokens', request.tokens, B * config.sequenceLength);
  checkLength('puzzleIds', request.puzzleIds, B);
  checkLength('reset', request.reset, B);
  checkIds('tokens', request.tokens, config.vocabSize);
  checkIds('puzzleIds', request.puzzleIds, config.puzzleIds);
}

/** The same for a training step, labels included. */
export function checkTrain(config: ModelConfig, state: LatentState, request: TrainRequest): void {
  checkInfer(config, state, { ...request, weights: 'raw' });
  checkLength('labels', request.labels, request.tokens.length);
  checkLength('last', request.last, state.batchSize);
  checkIds('labels', request.labels, config.vocabSize, ignoredLabel);
}

/** Throws InputError listing every tensor that is missing, has another shape, or holds NaN or infinity. */
export function checkTensors(specs: readonly ParameterSpec[], tensors: TensorMap, what: string): void {
  const problems: string[] = [];
  for (const { name, shape } of specs) {
    const tensor = tensors.get(name);
    if (tensor === undefined) problems.push(`${name} is missing`);
    else if (tensor.shape.join() !== shape.join() || tensor.data.length !== sizeOf(shape))
      problems.push(
        `${name}: expected shape [${shape.join(', ')}], ` +
          `got [${tensor.shape.join(', ')}] with ${tensor.data.length} numbers`,
      );
    else if (!tensor.data.every(Number.isFinite)) problems.push(`${name} holds NaN or infinity`);
  }
  if (problems.length > 0)
    throw new InputError(
      `${what}: ${problems.slice(0, 5).join('; ')}${problems.length > 5 ? `; and ${problems.length - 5} more` : ''}`,
    );
}

/** Throws InputError unless there is each of the latents, with so many numbers. */
export function checkLatents(
  latents: ReadonlyMap<LatentId, Float32Array>,
  ids: Iterable<LatentId>,
  expected: number,
): void {
  for (const id of ids) {
    const length = latents.get(id)?.length;
    if (length !== expected)
      throw new InputError(`latent ${id}: expected ${expected} numbers, got ${length ?? 'none'}`);
  }
}

function checkLength(name: string, values: { readonly length: number }, expected: number): void {
  if (values.length !== expected) throw new InputError(`${name}: expected ${expected} numbers, got ${values.length}`);
}

function checkIds(name: string, values: Int32Array, count: number, besides?: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if ((value < 0 || value >= count) && value !== besides)
      throw new InputError(`${name}[${i}]: expected 0 to ${count - 1}, got ${value}`);
  }
}
