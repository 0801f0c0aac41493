/** An engine whose recursions can be made fewer or more between steps: another engine takes over its tensors and latents. */
import { checkConfig, type ModelConfig, type Recursions } from '../model/config.js';
import type { TensorMap } from '../model/parameters.js';
import type { LatentId, Schedule } from '../model/schedule.js';
import {
  tensorKinds,
  type Engine,
  type InferRequest,
  type InferResult,
  type LatentState,
  type Precision,
  type TensorKind,
  type TrainRequest,
  type TrainResult,
  type UpdateRequest,
} from './engine.js';

/** The contract of an engine, and the change of depth. Gradients of before a change cannot be read after it. */
export class StagedEngine implements Engine {
  readonly kind: Engine['kind'];
  readonly precision: Precision;
  readonly #make: (config: ModelConfig) => Promise<Engine>;
  readonly #states = new Set<StagedState>();
  #engine: Engine;

  private constructor(engine: Engine, make: (config: ModelConfig) => Promise<Engine>) {
    this.#engine = engine;
    this.#make = make;
    this.kind = engine.kind;
    this.precision = engine.precision;
  }

  /** `make` makes an engine of the kind wanted for any depth of the model. */
  static async create(config: ModelConfig, make: (config: ModelConfig) => Promise<Engine>): Promise<StagedEngine> {
    return new StagedEngine(await make(config), make);
  }

  get description(): string {
    return this.#engine.description;
  }

  /** With the recursions of now. */
  get config(): ModelConfig {
    return this.#engine.config;
  }

  get schedule(): Schedule {
    return this.#engine.schedule;
  }

  get optimizerSteps(): number {
    return this.#engine.optimizerSteps;
  }

  /** From now on a supervision step makes this many recursions. Throws InputError if the model cannot. */
  async setRecursions({ deepRecursions, latentRecursions }: Recursions): Promise<void> {
    const old = this.#engine;
    if (old.config.deepRecursions === deepRecursions && old.config.latentRecursions === latentRecursions) return;
    const engine = await this.#make(checkConfig({ ...old.config, deepRecursions, latentRecursions }));
    try {
      for (const kind of tensorKinds) await engine.writeTensors(kind, await old.readTensors(kind)); // parameters first: writing them clears the others
      engine.setOptimizerSteps(old.optimizerSteps);
      for (const state of this.#states) await state.moveTo(engine);
    } catch (error) {
      engine.dispose();
      throw error;
    }
    this.#engine = engine;
    old.dispose();
  }

  createState(batchSize: number): LatentState {
    const state = new StagedState(this.#engine.createState(batchSize), () => this.#states.delete(state));
    this.#states.add(state);
    return state;
  }

  trainStep(state: LatentState, request: TrainRequest): Promise<TrainResult> {
    return this.#engine.trainStep(innerOf(state), request);
  }

  update(request: UpdateRequest): Promise<void> {
    return this.#engine.update(request);
  }

  inferStep(state: LatentState, request: InferRequest): Promise<InferResult> {
    return this.#engine.inferStep(innerOf(state), request);
  }

  readTensors(kind: TensorKind): Promise<TensorMap> {
    return this.#engine.readTensors(kind);
  }

  writeTensors(kind: TensorKind, tensors: TensorMap): Promise<void> {
    return this.#engine.writeTensors(kind, tensors);
  }

  setOptimizerSteps(steps: number): void {
    this.#engine.setOptimizerSteps(steps);
  }

  readGradients(): Promise<TensorMap> {
    return this.#engine.readGradients();
  }

  dispose(): void {
    this.#engine.dispose();
  }
}

/** Latents that follow when the engine changes. */
class StagedState implements LatentState {
  readonly batchSize: number;
  readonly #forget: () => void;
  inner: LatentState;

  constructor(inner: LatentState, forget: () => void) {
    this.batchSize = inner.batchSize;
    this.inner = inner;
    this.#forget = forget;
  }

  async moveTo(engine: Engine): Promise<void> {
    const latents = await this.inner.read();
    const next = engine.createState(this.batchSize);
    await next.write(latents);
    this.inner.dispose();
    this.inner = next;
  }

  read(): Promise<ReadonlyMap<LatentId, Float32Array>> {
    return this.inner.read();
  }

  write(latents: ReadonlyMap<LatentId, Float32Array>): Promise<void> {
    return this.inner.write(latents);
  }

  dispose(): void {
    this.inner.dispose();
    this.#forget();
  }
}

function innerOf(state: LatentState): LatentState {
  if (!(state instanceof StagedState)) throw new TypeError('latents: expected a state made by this engine');
  return state.inner;
}
