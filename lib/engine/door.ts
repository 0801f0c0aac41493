/** The base class of all engines, which checks every call before an engine computes anything. */
import { InputError, show } from '../errors.js';
import { checkValue, frozen, whole } from '../fields.js';
import type { LatentId, Schedule } from '../model/calls.js';
import { positionsOf, type ModelConfig } from '../model/config.js';
import { parameterSpecs, sizeOf, type ParameterSpec, type TensorMap } from '../model/parameters.js';
import { buildSchedule } from '../model/schedule.js';
import {
  checkBatchSize,
  checkInfer,
  checkKind,
  checkLatents,
  checkTensors,
  checkTrain,
  checkUpdate,
} from './checks.js';
import {
  tensorsOf,
  type Engine,
  type InferRequest,
  type InferResult,
  type LatentState,
  type TensorKind,
  type TrainRequest,
  type TrainResult,
  type UpdateRequest,
} from './engine.js';

/**
 * Checks the contract of an engine and leaves the computing to its subclasses. A subclass gets only requests that fit
 * the model, in arrays that nobody else can change, and only its own states that are alive.
 */
export abstract class CheckedEngine<State extends CheckedState> implements Engine {
  abstract readonly kind: Engine['kind'];
  abstract readonly description: string;
  abstract readonly precision: Engine['precision'];
  abstract readonly threads: number | null;
  readonly config: ModelConfig;
  readonly schedule: Schedule;
  protected readonly specs: readonly ParameterSpec[];

  #optimizerSteps = 0;
  /** The states that are alive. */
  readonly #states = new Set<LatentState>();
  #hasParameters = false;
  /** new: no update has used them yet. */
  #gradientsAre: 'missing' | 'new' | 'used' = 'missing';
  #computing = false;
  /** What to free once the current call has ended. */
  readonly #toFree: (() => void)[] = [];
  #disposed = false;

  constructor(config: ModelConfig) {
    this.config = frozen(structuredClone(config));
    this.schedule = buildSchedule(this.config);
    this.specs = parameterSpecs(this.config);
  }

  protected abstract makeState(batchSize: number, owner: Owner): State;
  protected abstract infer(state: State, request: InferRequest): Promise<InferResult>;
  protected abstract train(state: State, request: TrainRequest): Promise<TrainResult>;
  /** Optimizer step `count`, 1, 2, …, from the gradients of the last training step. */
  protected abstract apply(request: UpdateRequest, count: number): Promise<void>;
  protected abstract read(kind: TensorKind): Promise<TensorMap>;
  /** Replaces only the tensors of this kind. */
  protected abstract write(kind: TensorKind, tensors: TensorMap): Promise<void>;
  /** Sets the average to the parameters, and the moments to zero. */
  protected abstract clear(parameters: TensorMap): Promise<void>;
  protected abstract gradients(): Promise<TensorMap>;
  protected abstract free(): void;

  get optimizerSteps(): number {
    return this.#optimizerSteps;
  }

  createState(batchSize: number): LatentState {
    this.#checkAlive();
    checkBatchSize(batchSize);
    const state: State = this.makeState(batchSize, {
      alone: (call) => this.#alone(call),
      release: (free) => {
        this.#states.delete(state);
        this.#afterwards(free);
      },
    });
    this.#states.add(state);
    return state;
  }

  inferStep(state: LatentState, request: InferRequest): Promise<InferResult> {
    return this.#alone(() => {
      const own = this.#ready(state);
      checkInfer(this.config, own.batchSize, request);
      return this.infer(own, copied(request));
    });
  }

  trainStep(state: LatentState, request: TrainRequest): Promise<TrainResult> {
    return this.#alone(async () => {
      const own = this.#ready(state);
      checkTrain(this.config, own.batchSize, request);
      this.#gradientsAre = 'missing';
      const result = await this.train(own, copied(request));
      this.#gradientsAre = 'new';
      return result;
    });
  }

  update(request: UpdateRequest): Promise<void> {
    return this.#alone(async () => {
      checkUpdate(request);
      if (this.#gradientsAre !== 'new')
        throw new InputError('update needs the gradients of a training step; call trainStep first');
      this.#gradientsAre = 'used';
      await this.apply(request, this.#optimizerSteps + 1);
      this.#optimizerSteps++;
    });
  }

  async readTensors(kind: TensorKind): Promise<TensorMap> {
    this.#checkAlive();
    checkKind(kind);
    return this.read(kind);
  }

  writeTensors(kind: TensorKind, given: TensorMap): Promise<void> {
    return this.#alone(async () => {
      checkKind(kind);
      checkTensors(tensorsOf(kind, this.specs), given, kind);
      const tensors = new Map([...given].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]));
      this.#gradientsAre = 'missing';
      await this.write(kind, tensors);
      if (kind !== 'parameters') return;
      await this.clear(tensors);
      this.#optimizerSteps = 0;
      this.#hasParameters = true;
    });
  }

  setOptimizerSteps(steps: number): void {
    checkValue('optimizer steps', steps, whole(0));
    this.#optimizerSteps = steps;
  }

  async readGradients(): Promise<TensorMap> {
    this.#checkAlive();
    if (this.#gradientsAre === 'missing')
      throw new InputError('gradients: expected a training step first, got none; call trainStep');
    return this.gradients();
  }

  dispose(): void {
    if (this.#disposed) return;
    for (const state of [...this.#states]) state.dispose();
    this.#disposed = true;
    this.#afterwards(() => this.free());
  }

  /** Calls `free` now, or once the current call has ended. */
  #afterwards(free: () => void): void {
    if (this.#computing) this.#toFree.push(free);
    else free();
  }

  /** Throws InputError unless a state is alive and this engine's, and there are parameters. */
  #ready(state: LatentState): State {
    if (state instanceof CheckedState) state.checkAlive();
    if (!this.#states.has(state))
      throw new InputError(`latents: expected a state that createState of this engine made, got ${show(state)}`);
    if (!this.#hasParameters)
      throw new InputError('engine: expected parameters, got none yet; write them by writeTensors, or start a Trainer');
    return state as State;
  }

  #checkAlive(): void {
    if (this.#disposed) throw new InputError('engine: it was disposed of; make another one');
  }

  /** Runs a call. Throws InputError if another one is running. */
  async #alone<Result>(call: () => Promise<Result>): Promise<Result> {
    this.#checkAlive();
    if (this.#computing)
      throw new InputError('engine: expected one call after another, got one during another; await each');
    this.#computing = true;
    try {
      return await call();
    } finally {
      this.#computing = false;
      for (const free of this.#toFree.splice(0)) free();
    }
  }
}

/** The services of an engine for its states. */
export interface Owner {
  /** Runs a call. Throws InputError if another one is running. */
  alone<Result>(call: () => Promise<Result>): Promise<Result>;
  /** Forgets a state, and frees its memory as soon as no call is running. */
  release(free: () => void): void;
}

/** Checks calls on latents; the subclass decides where they are held. */
export abstract class CheckedState implements LatentState {
  readonly batchSize: number;
  protected readonly latents: readonly LatentId[];
  /** [B, S, D]. */
  protected readonly shape: readonly [number, number, number];
  readonly #owner: Owner;
  #disposed = false;

  constructor({ config, schedule }: Engine, batchSize: number, owner: Owner) {
    this.batchSize = batchSize;
    this.latents = schedule.latents;
    this.shape = [batchSize, positionsOf(config), config.hiddenSize];
    this.#owner = owner;
  }

  protected abstract fetch(): Promise<ReadonlyMap<LatentId, Float32Array>>;
  protected abstract replace(latents: ReadonlyMap<LatentId, Float32Array>): Promise<void>;
  protected abstract free(): void;

  async read(): Promise<ReadonlyMap<LatentId, Float32Array>> {
    this.checkAlive();
    return this.#owner.alone(() => this.fetch());
  }

  async write(latents: ReadonlyMap<LatentId, Float32Array>): Promise<void> {
    this.checkAlive();
    checkLatents(latents, this.latents, sizeOf(this.shape));
    const copies = new Map([...latents].map(([id, values]) => [id, values.slice()]));
    await this.#owner.alone(() => this.replace(copies));
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#owner.release(() => this.free());
  }

  /** Throws InputError if the state was disposed of. */
  checkAlive(): void {
    if (this.#disposed) throw new InputError('latents: the state was disposed of, or its engine; make another one');
  }
}

/** A request with copies of its arrays: the caller may change its own before the engine has read them. */
function copied<Request extends object>(request: Request): Request {
  const copy = (value: unknown): unknown => {
    if (!ArrayBuffer.isView(value)) return value;
    const array = value as Int32Array | Uint8Array; // not slice: that of a Buffer or of shared memory does not copy
    return array[Symbol.toStringTag] === 'Int32Array' ? new Int32Array(array) : new Uint8Array(array);
  };
  return Object.fromEntries(Object.entries(request).map(([name, value]) => [name, copy(value)])) as Request;
}
