/** One optimizer step at a time: refill halted seats, make one supervision step, learn from it, decide who halts. */
import { BatchStream, type BatchStreamState } from '../data/batches.js';
import { checkDataset, checkFits, type Dataset } from '../data/dataset.js';
import { ignoredLabel } from '../data/example.js';
import { checkEngine, checkLatents, checkTensors, mapByNames } from '../engine/checks.js';
import { tensorKinds, tensorsOf, type Engine, type LatentState, type TensorKind } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { arrayOf, checkFields, objectOf, whole } from '../fields.js';
import { positionsOf } from '../model/config.js';
import { initialParameters, parameterSpecs, type TensorMap } from '../model/parameters.js';
import type { LatentId } from '../model/calls.js';
import { Random } from '../random.js';
import {
  advance,
  aged,
  emptyCarry,
  firstSteps,
  joinArrays,
  joinCarries,
  lastSteps,
  partOf,
  refill,
  splitCarry,
  type Carry,
} from './carry.js';
import { stepMetrics, type StepMetrics } from './metrics.js';
import { checkTraining, seatsOf, supervisionAt, updateRequest, type TrainingOptions } from './options.js';

/**
 * The whole state of a training; a restored training continues to the same bytes. The seats of interleaved batches are
 * concatenated.
 */
export interface TrainerSnapshot {
  readonly step: number;
  readonly carry: Carry;
  readonly stream: BatchStreamState;
  readonly tensors: ReadonlyMap<TensorKind, TensorMap>;
  readonly latents: ReadonlyMap<LatentId, Float32Array>;
}

/** The trainer whose weights an engine holds: the last one that was started or restored on it. */
const holders = new WeakMap<Engine, Trainer>();

/** Trains one model on one data set. Call `start` or `restore`, then `trainStep` until `done`. */
export class Trainer {
  /** Optimizer steps made; undefined before `start` or `restore`. */
  #step: number | undefined;
  readonly #engine: Engine;
  readonly #options: TrainingOptions;
  readonly #random: Random;
  readonly #stream: BatchStream;
  /** Latents and carry of each batch. The paper has one batch; interleaved ones take turns. */
  readonly #latents: readonly LatentState[];
  readonly #carries: Carry[];
  #stepping = false;

  /** The seed fixes initial weights, order of puzzles, augmentation draws and exploration, each by its own stream. */
  constructor(engine: Engine, dataset: Dataset, options: TrainingOptions, seed: number) {
    this.#engine = engine;
    checkEngine(engine);
    checkDataset(dataset);
    checkFits(dataset, engine.config);
    if (dataset.puzzleIds > engine.config.puzzleIds)
      throw new InputError(
        `${dataset.name}: expected at most the ${engine.config.puzzleIds} puzzle ids that the model has, got ` +
          `${dataset.puzzleIds}; make it with puzzleIds ${dataset.puzzleIds}`,
      );
    this.#options = structuredClone(checkTraining(options));
    this.#random = new Random(seed);
    this.#stream = new BatchStream(dataset, { batchSize: options.batchSize, random: this.#random.fork('order') });
    const batches = Array.from({ length: options.interleavedBatches ?? 1 });
    this.#latents = batches.map(() => engine.createState(options.batchSize));
    this.#carries = batches.map(() => emptyCarry(options.batchSize, dataset.sequenceLength));
  }

  /** Optimizer steps made. */
  get step(): number {
    return this.#step ?? 0;
  }

  get done(): boolean {
    return this.step >= this.#options.steps;
  }

  /** Writes the initial weights: the given ones, or the seed's. Throws InputError on a second call. */
  async start(weights?: TensorMap): Promise<void> {
    if (this.#step !== undefined)
      throw new InputError('trainer: expected start once, before any step; make another Trainer to start over');
    const initial = weights ?? initialParameters(this.#engine.config, this.#random.fork('weights'));
    await this.#engine.writeTensors('parameters', initial);
    holders.set(this.#engine, this);
    this.#step = 0;
  }

  /**
   * One optimizer step: one supervision step of every seat, and the update from its gradient (spec §2.1, §4). Returns
   * metrics of the weights before the update. Throws InputError before `start` or `restore`, during another step, after
   * the last step, and if another Trainer was started on the engine. After a failed step the puzzle order is as before
   * it.
   */
  async trainStep(): Promise<StepMetrics> {
    if (this.#step === undefined) throw new InputError('trainer: expected start or restore before the first step');
    this.#checkHolds();
    if (this.done) throw new InputError(`trainer: expected ${this.#options.steps} steps in all, got another one`);
    if (this.#stepping)
      throw new InputError('trainer: expected one step after another, got one during another; await each');
    const position = this.#stream.state();
    this.#stepping = true;
    try {
      return await this.#makeStep();
    } catch (error) {
      this.#stream.restore(position);
      throw error;
    } finally {
      this.#stepping = false;
    }
  }

  async #makeStep(): Promise<StepMetrics> {
    const step = this.step + 1;
    const { supervisionSteps, since } = supervisionAt(step, this.#options, this.#engine.config);
    const config = { ...this.#engine.config, supervisionSteps };
    const batches = this.#carries.length;
    const turn = (step - 1) % batches;
    const refilled = refill(this.#carries[turn]!, this.#stream.next());
    // Interleaved batches that began at equal age would all be new at once, then all one step old, and so on. So at the
    // start of every curriculum stage, each counts as older than the one before it.
    const starts = step < since + batches;
    const carry = starts ? aged(refilled, Math.floor((supervisionSteps * turn) / batches)) : refilled;
    const result = await this.#engine.trainStep(this.#latents[turn]!, {
      ...carry.puzzles,
      reset: firstSteps(refilled), // resets new puzzles, whatever their counted age
      last: lastSteps(carry, config),
      loss: this.#options.loss,
    });
    await this.#engine.update(updateRequest(step, this.#options));
    const exploration = this.#random.fork('exploration').fork(step - 1);
    const after = advance(carry, result.haltLogits, result.continueLogits, config, exploration);
    this.#carries[turn] = after;
    this.#step = step;
    return stepMetrics(result, after);
  }

  /** A copy of the whole state. */
  async snapshot(): Promise<TrainerSnapshot> {
    this.#checkHolds();
    const tensors = new Map<TensorKind, TensorMap>();
    for (const kind of tensorKinds) tensors.set(kind, await this.#engine.readTensors(kind));
    const states: ReadonlyMap<LatentId, Float32Array>[] = [];
    for (const state of this.#latents) states.push(await state.read());
    const latents = this.#engine.schedule.latents.map((id) => {
      const ofBatches = states.map((state) => state.get(id)!);
      return [id, joinArrays(Float32Array, ofBatches)] as const;
    });
    return {
      step: this.step,
      carry: joinCarries(this.#carries),
      stream: this.#stream.state(),
      tensors,
      latents: new Map(latents),
    };
  }

  /** Restores a snapshot of the same experiment and seed. Throws InputError, before any change, for a damaged one. */
  async restore(snapshot: TrainerSnapshot): Promise<void> {
    this.#checkSnapshot(snapshot);
    for (const kind of tensorKinds) await this.#engine.writeTensors(kind, snapshot.tensors.get(kind)!);
    holders.set(this.#engine, this);
    this.#engine.setOptimizerSteps(snapshot.step);
    const batches = this.#latents.length;
    for (const [turn, state] of this.#latents.entries()) {
      await state.write(new Map([...snapshot.latents].map(([id, values]) => [id, partOf(values, turn, batches)])));
    }
    this.#stream.restore(snapshot.stream);
    splitCarry(snapshot.carry, batches).forEach((carry, turn) => (this.#carries[turn] = carry));
    this.#step = snapshot.step;
  }

  dispose(): void {
    for (const state of this.#latents) state.dispose();
  }

  #checkHolds(): void {
    if (holders.get(this.#engine) !== this && this.#step !== undefined)
      throw new InputError('trainer: another Trainer was started on its engine, which holds its weights no more');
  }

  #checkSnapshot(snapshot: TrainerSnapshot): void {
    const { config, schedule } = this.#engine;
    const seats = seatsOf(this.#options);
    const [cells, each] = [arrayOf('Int32Array', seats * config.sequenceLength), arrayOf('Int32Array', seats)];
    checkFields('snapshot', snapshot, {
      step: whole(0),
      carry: objectOf({
        puzzles: objectOf({ tokens: cells, labels: cells, puzzleIds: each }),
        steps: each,
        halted: arrayOf('Uint8Array', seats),
      }),
      stream: objectOf({ pass: whole(0), position: whole(0) }),
      tensors: mapByNames,
      latents: mapByNames,
    });
    const { puzzles, steps, halted } = snapshot.carry;
    for (const [name, values, most] of [
      ['tokens', puzzles.tokens, config.vocabSize],
      ['labels', puzzles.labels.filter((label) => label !== ignoredLabel), config.vocabSize],
      ['puzzleIds', puzzles.puzzleIds, config.puzzleIds],
      ['steps', steps, Infinity],
      ['halted', halted, 2],
    ] as const) {
      const wrong = values.find((value) => value < 0 || value >= most);
      if (wrong !== undefined)
        throw new InputError(`snapshot: ${name}: expected whole numbers from 0 and below ${most}, got ${wrong}`);
    }
    const specs = parameterSpecs(config);
    for (const kind of tensorKinds)
      checkTensors(tensorsOf(kind, specs), snapshot.tensors.get(kind)!, `snapshot: ${kind}`);
    checkLatents(snapshot.latents, schedule.latents, seats * positionsOf(config) * config.hiddenSize);
  }
}

/**
 * The weights that evaluations use, for saveCheckpoint: the average of the trained weights, with the latents' start
 * values and the current puzzle table, which have no average (spec §4.4). Throws InputError if this is no engine.
 */
export async function averagedWeights(engine: Engine): Promise<TensorMap> {
  checkEngine(engine);
  return new Map([...(await engine.readTensors('parameters')), ...(await engine.readTensors('average'))]);
}
