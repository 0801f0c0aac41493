/**
 * The native engine: implements the contract by the addon,
 * in which each thread runs its share of the batch through the whole schedule.
 *
 * Memory holds weights, optimizer state, and per thread what the backward pass needs. It does not grow with the number
 * of steps.
 */
import { positionsOf, type ModelConfig } from '../../model/config.js';
import { sizeOf, type ParameterSpec, type TensorMap } from '../../model/parameters.js';
import type { LatentId } from '../../model/calls.js';
import { InputError } from '../../errors.js';
import { CheckedEngine, CheckedState, type Owner } from '../door.js';
import { checkMemory } from '../memory.js';
import {
  NotFiniteError,
  localWeights,
  tensorsOf,
  type Engine,
  type InferRequest,
  type InferResult,
  type Precision,
  type TensorKind,
  type TrainRequest,
  type TrainResult,
  type UpdateRequest,
} from '../engine.js';
import { plainModel } from '../plain-model.js';
import { chooseLevel, defaultThreads, loadAddon, type AddonEngine, type Level, type StepReply } from './addon.js';

/** How to compute. */
export interface NativeOptions {
  /** Default auto: bf16 where this CPU multiplies it faster than float32, else float32. */
  readonly precision?: Precision | 'auto' | undefined;
  /** Default one a core. */
  readonly threads?: number | undefined;
}

/** Numbers of the tensor kinds in the addon. */
const kindNumbers: Readonly<Record<TensorKind | 'gradient', number>> = {
  parameters: 0,
  average: 1,
  firstMoment: 2,
  secondMoment: 3,
  gradient: 4,
};

/** Makes the engine. Throws InputError if the addon is missing or this CPU lacks the precision asked for. */
export function createNativeEngine(config: ModelConfig, options: NativeOptions = {}): Engine {
  const { level, precision } = chooseLevel(options.precision ?? 'auto');
  return new NativeEngine(config, level, precision, options.threads ?? defaultThreads());
}

class NativeEngine extends CheckedEngine<NativeState> {
  readonly kind = 'native';
  readonly precision: Precision;
  readonly threads: number;
  readonly description: string;

  readonly #addon: AddonEngine;
  /** Numbers of the tensors in the addon. */
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(config: ModelConfig, level: Level, precision: Precision, threads: number) {
    super(config);
    this.precision = precision;
    this.threads = threads;
    this.description = `native ${level}`;
    this.#addon = translated(
      () => new (loadAddon().NativeEngine)(plainModel(this.config, this.schedule), level, threads),
    );
    this.#numbers = new Map(this.#addon.tensorNames().map((name, number) => [name, number]));
    const unknown = this.specs.filter(({ name }) => !this.#numbers.has(name));
    if (unknown.length > 0 || this.#numbers.size !== this.specs.length)
      throw new Error(
        'the addon and the library disagree on the tensors: ' +
          `${unknown.map(({ name }) => name).join(', ')}; run npm run setup`,
      );
  }

  protected makeState(batchSize: number, owner: Owner): NativeState {
    const { config, schedule } = this;
    const bytes = 4 * batchSize * positionsOf(config) * config.hiddenSize * schedule.latents.length;
    checkMemory(`a batch of ${batchSize}`, bytes, 'take fewer seats (training.batchSize, or --batch-size)');
    return new NativeState(this, this.#addon, batchSize, owner);
  }

  protected async infer(state: NativeState, request: InferRequest): Promise<InferResult> {
    const { tokens, puzzleIds, reset, weights, wantLogits = false } = request;
    return resultOf(
      await translatedStep(() =>
        this.#addon.infer(state.number, tokens, puzzleIds, reset, weights === 'average', wantLogits),
      ),
      wantLogits,
    );
  }

  protected async train(state: NativeState, request: TrainRequest): Promise<TrainResult> {
    const { tokens, puzzleIds, reset, labels, last, loss, wantLogits = false } = request;
    const reply = await translatedStep(() =>
      this.#addon.train(state.number, tokens, puzzleIds, reset, labels, last, loss === 'softmax', wantLogits),
    );
    return {
      ...resultOf(reply, wantLogits),
      answerLoss: reply.answerLoss,
      haltLoss: reply.haltLoss,
      continueLoss: reply.continueLoss,
      ...(this.config.halting === 'halt-or-continue' ? { continueTargets: reply.continueTargets } : {}),
    };
  }

  protected async apply(request: UpdateRequest, count: number): Promise<void> {
    translated(() => this.#addon.update({ ...request, count }));
  }

  protected async read(kind: TensorKind): Promise<TensorMap> {
    return this.#read(tensorsOf(kind, this.specs), kindNumbers[kind]);
  }

  protected async write(kind: TensorKind, tensors: TensorMap): Promise<void> {
    for (const { name } of tensorsOf(kind, this.specs))
      this.#addon.writeTensor(kindNumbers[kind], this.#numbers.get(name)!, tensors.get(name)!.data);
  }

  protected async clear(parameters: TensorMap): Promise<void> {
    await this.write('average', parameters);
    const zeros = new Map(
      this.specs.map(({ name, shape }) => [name, { shape, data: new Float32Array(sizeOf(shape)) }]),
    );
    await this.write('firstMoment', zeros);
    await this.write('secondMoment', zeros);
  }

  protected async gradients(): Promise<TensorMap> {
    const gradients = this.#read(tensorsOf('average', this.specs), kindNumbers.gradient);
    const size = this.config.puzzleEmbeddingSize;
    if (size === 0) return gradients;
    const data = this.#addon.readPuzzleGradients();
    return new Map([...gradients, [localWeights, { shape: [data.length / size, size], data }]]);
  }

  protected free(): void {
    this.#addon.dispose();
  }

  #read(specs: readonly ParameterSpec[], kind: number): Map<string, { shape: readonly number[]; data: Float32Array }> {
    return new Map(
      specs.map(({ name, shape }) => [name, { shape, data: this.#addon.readTensor(kind, this.#numbers.get(name)!) }]),
    );
  }
}

/** Latents that the addon holds. */
class NativeState extends CheckedState {
  readonly number: number;
  readonly #addon: AddonEngine;

  constructor(engine: Engine, addon: AddonEngine, batchSize: number, owner: Owner) {
    super(engine, batchSize, owner);
    this.number = translated(() => addon.createState(batchSize));
    this.#addon = addon;
  }

  protected async fetch(): Promise<ReadonlyMap<LatentId, Float32Array>> {
    return new Map(this.latents.map((latent, i) => [latent, this.#addon.readLatent(this.number, i)]));
  }

  protected async replace(latents: ReadonlyMap<LatentId, Float32Array>): Promise<void> {
    this.latents.forEach((latent, i) => this.#addon.writeLatent(this.number, i, latents.get(latent)!));
  }

  protected free(): void {
    this.#addon.disposeState(this.number);
  }
}

function resultOf({ predictions, haltLogits, continueLogits, logits }: StepReply, wantLogits: boolean): InferResult {
  return { predictions, haltLogits, continueLogits, ...(wantLogits ? { logits } : {}) };
}

/** Runs a call of the addon and turns its errors into those of the contract. */
function translated<Reply>(call: () => Reply): Reply {
  try {
    return call();
  } catch (error) {
    throw translation(error);
  }
}

async function translatedStep(step: () => Promise<StepReply>): Promise<StepReply> {
  try {
    return await step();
  } catch (error) {
    throw translation(error);
  }
}

/**
 * The addon's error codes: InvalidArg for bad input and too little memory, NumberExpected for non-finite numbers.
 */
function translation(error: unknown): unknown {
  const { code, message } = error as Error & { code?: string };
  if (code === 'NumberExpected') return new NotFiniteError(message);
  if (code === 'InvalidArg') return new InputError(message);
  return error;
}
