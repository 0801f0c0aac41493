/** What a run costs before it is started: its FLOP, from the schedule, and this machine's speed, from a few steps. */
import type { Split } from '../data/splits.js';
import { activationBudget } from '../engine/checks.js';
import { createEngine, isTfjs, type EngineOptions } from '../engine/create.js';
import type { LatentState } from '../engine/engine.js';
import { checkMemory } from '../engine/memory.js';
import { checkEven, rankCount, torchBytes } from '../engine/torch/ranks.js';
import { positionsOf } from '../model/config.js';
import { describe } from '../model/describe.js';
import { buildSchedule } from '../model/schedule.js';
import { initialParameters } from '../model/parameters.js';
import { Random } from '../random.js';
import { seatsOf, updateRequest } from '../train/options.js';
import { isVote, type ClosingResult } from './closing.js';
import type { Experiment } from './experiment.js';
import type { RunRecord } from './record.js';
import { puzzlesAskedFor, type TaskData } from './task.js';

/** FLOP of one run, of its networks only. */
export interface RunCost {
  readonly training: number;
  readonly evaluation: number;
}

/** Puzzles in the sets of a task, where they are known. */
export interface SetSizes {
  readonly train: number;
  /** The set that is scored. */
  readonly scored: number;
}

/** How many puzzles a run learns from and is scored on. */
export function setSizes({ evaluation }: Experiment, { train, test, validation }: TaskData): SetSizes {
  return { train: train.examples, scored: evaluation.split === 'test' ? test.examples : validation.examples };
}

/** FLOP of a run. Without `sizes`, each set counts with as many puzzles as the task asks for. */
export function runCost({ model, training, evaluation, task }: Experiment, sizes?: SetSizes): RunCost {
  const { flopPerTrainingStep, flopPerThought } = describe(model, { batchSize: training.batchSize });
  const asked = (split: Split): number => puzzlesAskedFor(task, split);
  const { train, scored } = sizes ?? { train: asked('train'), scored: asked(evaluation.split) };
  const of = (puzzles: number, most: number): number => (puzzles === 0 ? most : Math.min(puzzles, most || Infinity));
  const onTheWay = evaluation.every === 0 ? 0 : Math.ceil(training.steps / evaluation.every) - 1;
  const bands = evaluation.closing.filter(({ ratings }) => ratings !== undefined).length;
  const closing = evaluation.closing.reduce((sum, { on, puzzles, supervisionSteps, ratings, votes }) => {
    // Bands of ratings share the puzzles: evenly, for lack of the data.
    const all = of(puzzles, on === 'training' ? train : scored) / (ratings === undefined ? 1 : bands);
    // At most: tasks of few colours have fewer versions.
    const versions =
      votes === undefined || task.kind !== 'arc' ? 1 : Math.min(votes || Infinity, 1 + task.augmentations);
    return sum + all * versions * (supervisionSteps ?? model.supervisionSteps);
  }, 0);
  const { trainingPuzzles = 0 } = evaluation;
  const onTraining = trainingPuzzles === 0 ? 0 : (onTheWay + 1) * of(trainingPuzzles, train);
  const thoughts =
    model.supervisionSteps *
      (onTheWay * of(evaluation.puzzles, scored) + of(evaluation.finalPuzzles, scored) + onTraining) +
    closing;
  return {
    training: flopPerTrainingStep * training.steps,
    evaluation: flopPerThought * thoughts,
  };
}

/** Puzzles times supervision steps in the evaluations made so far. In an ARC vote each version counts as a puzzle. */
export function thoughtsMade({ evaluations, closing }: Pick<RunRecord, 'evaluations' | 'closing'>): number {
  const steps = (result: ClosingResult): number =>
    (isVote(result) ? result.votes : result.puzzles) * result.supervisionSteps;
  const onTraining = evaluations.flatMap(({ training }) => training ?? []);
  return [...evaluations, ...onTraining, ...Object.values(closing)].reduce((sum, result) => sum + steps(result), 0);
}

/** Memory of a process besides its model: Node, the library, the data sets. */
const processBytes = 350e6;
/** The same with PyTorch loaded. */
const torchProcessBytes = 700e6;

/**
 * Estimated memory of a run: weights, optimizer, and the latents, three times while they are saved. Autodiff also keeps
 * activations: tfjs those of as many puzzles as fit its budget, torch those of the whole batch, which count here only
 * if it computes on the CPU. The native engine keeps few.
 */
export function expectedBytes({ model, training }: Experiment, options: EngineOptions = {}): number {
  const { engine, torch, precision } = options;
  const { weightBytes, activationBytes } = describe(model, { batchSize: training.batchSize });
  const latents = 4 * seatsOf(training) * positionsOf(model) * model.hiddenSize * buildSchedule(model).latents.length;
  const kept = Math.max(activationBytes / training.batchSize, Math.min(activationBytes, 4 * activationBudget));
  const own = processBytes + 2 * weightBytes + 3 * latents;
  if (engine !== 'torch') return own + (isTfjs(options) ? kept : 0);
  const ranks = torch?.devices ?? 1;
  const here = own + ranks * torchProcessBytes;
  if (torch?.device !== 'cpu') return here;
  const seats = (training.batchSize / rankCount(torch)) * ranks;
  const bf16 = precision === 'bf16' ? 'bf16' : 'float32';
  const compiled = torch.compile === true;
  return here + torchBytes(model, { seats, ranks, learning: true, precision: bf16, compiled });
}

/** Throws InputError where the ranks of the torch engine could not share a run's batch evenly. */
export function checkShared({ name, training }: Experiment, { engine, torch }: EngineOptions = {}): void {
  if (engine === 'torch') checkEven(name, training.batchSize, rankCount(torch ?? {}));
}

/** Throws InputError, before anything is loaded, if a run's batch cannot be shared or this machine lacks the memory. */
export function checkRunnable(experiment: Experiment, engine?: EngineOptions): void {
  checkShared(experiment, engine);
  checkMemory(
    experiment.name,
    expectedBytes(experiment, engine),
    'set a smaller training.batchSize, training.interleavedBatches or model.hiddenSize',
  );
}

/** How fast this machine is on a model. */
export interface MeasuredSpeed {
  /** Useful FLOP a second. */
  readonly flopPerSecond: number;
  /** The engine's own description. */
  readonly engine: string;
}

/**
 * Measures this machine's speed on an experiment's model with a few training steps on random puzzles; on a GPU, with
 * ten steps of the whole batch. Throws InputError if the engine asked for is not available.
 */
export async function measuredSpeed(
  { model, training }: Pick<Experiment, 'model' | 'training'>,
  options: EngineOptions = {},
): Promise<MeasuredSpeed> {
  const engine = await createEngine(model, options);
  const onGpu = engine.kind === 'torch' && engine.threads === null;
  // On a CPU, a costly model gets only as many puzzles as keep a few threads or ranks busy. A cheap one gets the whole
  // batch: the optimizer takes the same time for any number of puzzles, so its share must be that of a run.
  const ranks = rankCount(options.torch ?? {});
  const few = Math.max(4, Math.floor(1e11 / describe(model, { batchSize: 1 }).flopPerTrainingStep));
  const batchSize = onGpu ? training.batchSize : Math.min(training.batchSize, Math.ceil(few / ranks) * ranks);
  let state: LatentState | undefined;
  try {
    const latents = (state = engine.createState(batchSize));
    const random = new Random(0);
    await engine.writeTensors('parameters', initialParameters(model, random.fork('weights')));
    const tokens = Int32Array.from({ length: batchSize * model.sequenceLength }, () => random.integer(model.vocabSize));
    const step = async (count: number): Promise<void> => {
      const reset = new Uint8Array(batchSize).fill(count === 1 ? 1 : 0);
      await engine.trainStep(latents, {
        tokens,
        labels: tokens,
        puzzleIds: new Int32Array(batchSize),
        reset,
        last: new Uint8Array(batchSize),
        loss: training.loss,
      });
      await engine.update(updateRequest(count, training));
    };
    let count = 1;
    let started = performance.now();
    await step(1);
    if (onGpu || performance.now() - started < 2000) {
      // The first step also allocates buffers, fills caches or compiles, which distorts the time of short steps.
      started = performance.now();
      do await step(++count);
      while (onGpu ? count < 11 : performance.now() - started < 500);
      count--;
    }
    const seconds = (performance.now() - started) / 1000;
    const flopPerSecond = (describe(model, { batchSize }).flopPerTrainingStep * count) / seconds;
    return { flopPerSecond, engine: engine.description };
  } finally {
    state?.dispose();
    engine.dispose();
  }
}
