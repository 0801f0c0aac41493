/**
 * The native engine: the contract in front of the addon,
 * which runs each thread's share of the batch through the whole schedule.
 *
 * Memory: weights, optimizer, and what the backward pass needs per thread, nothing per operation.
 * It does not grow with the number of steps.
 */
import { positionsOf, type ModelConfig } from '../../model/config.js';
import { parameterSpecs, sizeOf, type ParameterSpec, type TensorMap } from '../../model/parameters.js';
import type { LatentId, Schedule } from '../../model/calls.js';
import { buildSchedule } from '../../model/schedule.js';
import { InputError } from '../../errors.js';
import { checkBatchSize, checkInfer, checkLatents, checkTensors, checkTrain } from '../checks.js';
import {
  NotFiniteError,
  localWeights,
  tensorsOf,
  type Engine,
  type InferRequest,
  type InferResult,
  type LatentState,
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
  /** Default auto: bf16 where this CPU multiplies it, else float32. */
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

class NativeEngine implements Engine {
  readonly kind = 'native';
  readonly config: ModelConfig;
  readonly schedule: Schedule;
  readonly precision: Precision;
  readonly threads: number;
  readonly description: string;
  optimizerSteps = 0;

  readonly #addon: AddonEngine;
  readonly #specs: readonly ParameterSpec[];
  /** Numbers of the tensors in the addon. */
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(config: ModelConfig, level: Level, precision: Precision, threads: number) {
    this.config = config;
    this.schedule = buildSchedule(config);
    this.precision = precision;
    this.threads = threads;
    this.description = `native ${level}`;
    this.#addon = translated(() => new (loadAddon().NativeEngine)(plainModel(config, this.schedule), level, threads));
    this.#specs = parameterSpecs(config);
    this.#numbers = new Map(this.#addon.tensorNames().map((name, number) => [name, number]));
    const unknown = this.#specs.filter(({ name }) => !this.#numbers.has(name));
    if (unknown.length > 0 || this.#numbers.size !== this.#specs.length)
      throw new Error(
        'the addon and the library disagree on the tensors: ' +
          `${unknown.map(({ name }) => name).join(', ')}; run npm run setup`,
      );
  }

  createState(batchSize: number): LatentState {
    checkBatchSize(batchSize);
    return new NativeState(
      this.#addon,
      batchSize,
      this.schedule.latents,
      positionsOf(this.config) * this.config.hiddenSize,
    );
  }

  async inferStep(state: LatentState, request: InferRequest): Promise<InferResult> {
    checkInfer(this.config, state, request);
    const wantLogits = request.wantLogits === true;
    return resultOf(
      await translatedStep(() =>
        this.#addon.infer(
          stateNumber(state),
          request.tokens,
          request.puzzleIds,
          request.reset,
          request.weights === 'average',
          wantLogits,
        ),
      ),
      wantLogits,
    );
  }

  async trainStep(state: LatentState, request: TrainRequest): Promise<TrainResult> {
    checkTrain(this.config, state, request);
    const wantLogits = request.wantLogits === true;
    const { tokens, puzzleIds, reset, labels, last, loss } = request;
    const reply = await translatedStep(() =>
      this.#addon.train(stateNumber(state), tokens, puzzleIds, reset, labels, last, loss === 'softmax', wantLogits),
    );
    return {
      ...resultOf(reply, wantLogits),
      answerLoss: reply.answerLoss,
      haltLoss: reply.haltLoss,
      continueLoss: reply.continueLoss,
      ...(this.config.halting === 'halt-or-continue' ? { continueTargets: reply.continueTargets } : {}),
    };
  }

  async update(request: UpdateRequest): Promise<void> {
    translated(() => this.#addon.update({ ...request, count: this.optimizerSteps + 1 }));
    this.optimizerSteps++;
  }

  async readTensors(kind: TensorKind): Promise<TensorMap> {
    return this.#read(tensorsOf(kind, this.#specs), kindNumbers[kind]);
  }

  async writeTensors(kind: TensorKind, tensors: TensorMap): Promise<void> {
    checkTensors(tensorsOf(kind, this.#specs), tensors, kind);
    this.#write(kind, tensors);
    if (kind !== 'parameters') return;
    this.#write('average', tensors);
    const zeros = new Map(
      this.#specs.map(({ name, shape }) => [name, { shape, data: new Float32Array(sizeOf(shape)) }]),
    );
    this.#write('firstMoment', zeros);
    this.#write('secondMoment', zeros);
    this.optimizerSteps = 0;
  }

  setOptimizerSteps(steps: number): void {
    this.optimizerSteps = steps;
  }

  async readGradients(): Promise<TensorMap> {
    const gradients = this.#read(tensorsOf('average', this.#specs), kindNumbers.gradient);
    const size = this.config.puzzleEmbeddingSize;
    if (size === 0) return gradients;
    const data = this.#addon.readPuzzleGradients();
    return new Map([...gradients, [localWeights, { shape: [data.length / size, size], data }]]);
  }

  dispose(): void {
    this.#addon.dispose();
  }

  #read(specs: readonly ParameterSpec[], kind: number): Map<string, { shape: readonly number[]; data: Float32Array }> {
    return new Map(
      specs.map(({ name, shape }) => [name, { shape, data: this.#addon.readTensor(kind, this.#numbers.get(name)!) }]),
    );
  }

  #write(kind: TensorKind, tensors: TensorMap): void {
    for (const { name } of tensorsOf(kind, this.#specs))
      this.#addon.writeTensor(kindNumbers[kind], this.#numbers.get(name)!, tensors.get(name)!.data);
  }
}

/** Latents that the addon holds. */
class NativeState implements LatentState {
  readonly batchSize: number;
  readonly number: number;
  readonly #addon: AddonEngine;
  readonly #latents: readonly LatentId[];
  readonly #perSeat: number;

  constructor(addon: AddonEngine, batchSize: number, latents: readonly LatentId[], perSeat: number) {
    this.batchSize = batchSize;
    this.number = translated(() => addon.createState(batchSize));
    this.#addon = addon;
    this.#latents = latents;
    this.#perSeat = perSeat;
  }

  async read(): Promise<ReadonlyMap<LatentId, Float32Array>> {
    return new Map(this.#latents.map((latent, i) => [latent, this.#addon.readLatent(this.number, i)]));
  }

  async write(latents: ReadonlyMap<LatentId, Float32Array>): Promise<void> {
    checkLatents(latents, this.#latents, this.batchSize * this.#perSeat);
    this.#latents.forEach((latent, i) => this.#addon.writeLatent(this.number, i, latents.get(latent)!));
  }

  dispose(): void {
    this.#addon.disposeState(this.number);
  }
}

function stateNumber(state: LatentState): number {
  if (!(state instanceof NativeState)) throw new TypeError('latents: expected a state made by this engine');
  return state.number;
}

function resultOf({ predictions, haltLogits, continueLogits, logits }: StepReply, wantLogits: boolean): InferResult {
  return { predictions, haltLogits, continueLogits, ...(wantLogits ? { logits } : {}) };
}

/** Runs a call of the addon, with its errors as the contract has them. */
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
 * The addon tells bad input, too little memory included, and numbers that are not finite apart by its errors' codes.
 */
function translation(error: unknown): unknown {
  const { code, message } = error as Error & { code?: string };
  if (code === 'NumberExpected') return new NotFiniteError(message);
  if (code === 'InvalidArg') return new InputError(message);
  return error;
}
