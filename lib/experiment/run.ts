/** Runs an experiment with a seed, from the claim of its folder to its record; the loop is in run-loop.ts. */
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createEngine, checkEngineOptions, type EngineOptions } from '../engine/create.js';
import { EngineLostError, type Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import {
  anyObject,
  callback,
  checkFields,
  flag,
  given,
  isObject,
  objectOf,
  oneOf,
  optional,
  pathText,
  text,
  whole,
  type Fields,
} from '../fields.js';
import { projectRoot } from '../files.js';
import { saveCheckpoint } from '../checkpoint/checkpoint.js';
import { parameterCount } from '../model/parameters.js';
import { effectiveDepth, forwardPasses } from '../model/schedule.js';
import { Keeping } from '../train/kept.js';
import { seatsOf } from '../train/options.js';
import { readSnapshot, readStartWeights, stateStep, type StartWeights } from '../train/snapshot.js';
import { averagedWeights, Trainer } from '../train/trainer.js';
import { writeFileAtomic } from '../write-file.js';
import type { Claim } from './claim.js';
import { checkQuestions } from './closing.js';
import { checkRunnable } from './cost.js';
import { curveCsv } from './curve-csv.js';
import { openEventLog } from './event-log.js';
import { checkExperiment, type Experiment } from './experiment.js';
import { blockField, checkBlock } from './own-block.js';
import {
  lastSitting,
  readRecord,
  recordSchema,
  summaryOf,
  writeRecord,
  type CurvePoint,
  type RunEvaluation,
  type RunRecord,
} from './record.js';
import { checkMeasured } from './record-shape.js';
import { runFiles, takeFolder, type RunFiles } from './run-folder.js';
import { nothingMeasured, peakSoFar, RunLoop, type Measured, type RunControls } from './run-loop.js';
import { hashOf } from './sealed.js';
import { checkOrigin, loadTask, settingFor, type TaskData } from './task.js';

/** How to run. All fields may be left out. */
export interface RunOptions extends RunControls {
  /** Fixes weights, order, augmentation and exploration. Default 0. */
  readonly seed?: number;
  readonly engine?: EngineOptions;
  /** Where checkpoints and the record go; a relative path counts from the project's root. Default runs/<id>. */
  readonly folder?: string;
  /**
   * Go on from the folder's last checkpoint if there is one. A finished run is not run again.
   * Default false: start over.
   */
  readonly resume?: boolean;
  /**
   * A training state or checkpoint whose weights the run starts from, instead of the seed's. Optimizer and moving
   * average start anew. Such a run has an id of its own. Default: none.
   */
  readonly from?: string;
  /** Refuse to start over in a folder with a stopped run. Default false. */
  readonly keepStopped?: boolean;
  /** Called with each change that fitted the weights of `from` to the model, and if a finished run is trained again. */
  readonly onNote?: (note: string) => void;
  /** Called with the number of puzzles prepared so far, if that takes long. `total`: Infinity if unknown. */
  readonly onData?: (done: number, total: number) => void;
  /** Also write the growing curve as TensorBoard event files, to the folder tensorboard in the run's folder. */
  readonly log?: 'tensorboard';
  /** A name that only one process has at a time, such as a Slurm task, which takes over its own earlier claim. */
  readonly job?: string;
  /** The task's data as loadTask gave it. Default: the run loads it. */
  readonly data?: TaskData;
  /** The run's id in a plan. If the run's own id differs, its puzzles have changed since. */
  readonly id?: string;
}

const runFields: Fields<RunOptions> = {
  seed: optional(whole(0)),
  engine: optional(anyObject),
  folder: optional(pathText),
  resume: optional(flag),
  from: optional(pathText),
  keepStopped: optional(flag),
  onNote: optional(callback),
  onData: optional(callback),
  log: optional(oneOf('tensorboard')),
  job: optional(text),
  data: optional(objectOf({ train: anyObject, test: anyObject, validation: anyObject })),
  id: optional(text),
  checkpointEvery: optional(whole(1)),
  onProgress: optional(callback),
  shouldStop: optional(callback),
};

/** A run, finished or stopped. The caller disposes of the engine, which holds the trained weights. */
export interface RunOutcome {
  readonly id: string;
  readonly folder: string;
  /** Optimizer steps made. */
  readonly steps: number;
  /** Absent if the run was stopped. */
  readonly record?: RunRecord;
  readonly engine: Engine;
  readonly data: TaskData;
  readonly curve: readonly CurvePoint[];
  readonly evaluations: readonly RunEvaluation[];
}

/**
 * The name of a run: experiment, seed, and a hash of all that determines its result, except the engine. The task
 * determines validation puzzles and ratings, unless it reads a file, which may change.
 */
export function runId(
  experiment: Experiment,
  seed: number,
  data: TaskData,
  start?: StartWeights,
  block?: EngineOptions['block'],
): string {
  const { name, task, model, training, evaluation } = experiment;
  const [train, test] = [data.train.sha256, data.test.sha256];
  const { split, closing } = evaluation;
  const read =
    !('file' in task) || task.file === undefined
      ? {}
      : {
          validation: split === 'validation' ? data.validation.sha256 : undefined,
          ratings: closing.some(({ ratings }) => ratings !== undefined)
            ? [data.train, data[split]].map(({ ratings }) => [...(ratings ?? [])])
            : undefined,
        };
  const fixed = { task, model, training, evaluation, train, test, ...read, start: start?.sha256 };
  const hash = hashOf({ ...fixed, ...blockField(block) });
  return `${name}-seed${seed}-${hash.slice(0, 8)}`;
}

/** The hash in a run's id, of its settings and its puzzles. */
export const settingsHash = (id: string): string => id.slice(id.lastIndexOf('-') + 1);

/**
 * Runs an experiment to its end, or until it is asked to stop. Throws InputError for impossible options, and if another
 * process works in its folder or another run left something there; StoppedError as loadTask.
 */
export async function runExperiment(experiment: Experiment, options: RunOptions = {}): Promise<RunOutcome> {
  const { seed = 0 } = checkFields('run', options, runFields);
  checkEngineOptions(options.engine ?? {});
  checkExperiment(experiment);
  checkRunnable(experiment, options.engine);
  if (options.data !== undefined) checkOrigin(options.data, experiment.task);
  const data = options.data ?? (await loadTask(experiment.task, options.onData, options.shouldStop));
  const start = options.from === undefined ? undefined : readStartWeights(options.from, experiment.model);
  for (const note of start?.notes ?? []) options.onNote?.(note);
  if (start !== undefined) checkBlock(options.from!, start.block, options.engine?.block);
  const id = runId(experiment, seed, data, start, options.engine?.block);
  if (options.id !== undefined && options.id !== id)
    throw new InputError(
      `${experiment.name}: expected run ${options.id}, as it was planned, got ${id}; ` +
        'its puzzles have changed since: plan it again',
    );
  const folder = path.resolve(projectRoot(), options.folder ?? path.join('runs', id));
  const { split, closing } = experiment.evaluation;
  const { examples, note } = data[split];
  if (examples === 0)
    throw new InputError(
      `${experiment.name}: expected ${split} puzzles to score the model on, got none; ` +
        `${settingFor(experiment.task, split)}choose another evaluation.split${note === '' ? '' : `. ${note}`}`,
    );
  checkQuestions(closing, data.train, data[split]);
  const claim = takeFolder(folder, { id, experiment, seed }, options.job);
  try {
    return await runClaimed(experiment, { ...options, seed, folder }, id, data, start, claim);
  } finally {
    claim.release();
  }
}

/** The run, once its folder is claimed: an engine, a trainer at its start or at the last checkpoint, the loop. */
async function runClaimed(
  experiment: Experiment,
  options: RunOptions & { readonly seed: number; readonly folder: string },
  id: string,
  data: TaskData,
  start: StartWeights | undefined,
  claim: Claim,
): Promise<RunOutcome> {
  const { seed, folder, resume = false } = options;
  const files = runFiles(folder);
  if (resume) checkFinished(files, folder);
  else checkUnfinished(files, folder, id, experiment.training.steps, options);
  const engine = await createEngine(experiment.model, options.engine);
  let trainer: Trainer | undefined;
  try {
    trainer = new Trainer(engine, data.train, experiment.training, seed);
    let measured = nothingMeasured;
    if (resume && existsSync(files.state)) measured = await restore(trainer, files.state, experiment);
    else await trainer.start(start?.tensors);
    const keeping = new Keeping({ folder, resume });
    const log = options.log === undefined ? undefined : await openEventLog(files.events, options.engine?.backend);
    log?.(measured.curve, measured.evaluations);
    const run = new RunLoop(
      { experiment, seed, engine, trainer, data, options, id, files, claim, keeping, log },
      measured,
    );
    const finished = await run.toTheEnd();
    const { curve, evaluations } = run.measured;
    const outcome = { id, folder, steps: trainer.step, engine, data, curve, evaluations };
    if (!finished) return outcome;
    // A run that was already finished keeps its record, with its original commit and time.
    if (run.untouched && existsSync(files.record)) {
      const record = readRecord(files.record);
      const { engine: madeOn, precision } = lastSitting(record);
      options.onNote?.(`${folder}: this run was finished before (${madeOn}, ${precision}); its results are kept`);
      return { ...outcome, record };
    }
    const about = { ...given({ start: start?.sha256 }), ...blockField(options.engine?.block) };
    const record = { ...recordOf(experiment, seed, outcome, run.measured), ...about };
    await keepResults(files, record, engine);
    return { ...outcome, record };
  } catch (error) {
    engine.dispose();
    if (error instanceof EngineLostError)
      throw new EngineLostError(`${id}: ${error.message}; ${lastCheckpoint(files.state)}`);
    throw error;
  } finally {
    trainer?.dispose();
  }
}

/** Throws InputError for a finished run that cannot be resumed, since its last checkpoint is gone. */
function checkFinished({ record, state }: RunFiles, folder: string): void {
  if (existsSync(record) && !existsSync(state))
    throw new InputError(
      `${folder}: expected the last checkpoint of this finished run, got none (${path.basename(state)}); ` +
        'use its record and its model as they are, or train it again without resume',
    );
}

/** Throws InputError for a stopped run that is to be kept, and notes that a finished one is trained again. */
function checkUnfinished(
  { record, state }: RunFiles,
  folder: string,
  id: string,
  steps: number,
  { keepStopped, onNote }: Pick<RunOptions, 'keepStopped' | 'onNote'>,
): void {
  const step = existsSync(state) ? stateStep(state) : undefined;
  const stopped = existsSync(state) && (!existsSync(record) || (step !== undefined && step < steps));
  if (keepStopped === true && stopped)
    throw new InputError(
      `${folder}: run ${id} was stopped at step ${step ?? '?'} of ${steps}; ` +
        'continue it with --resume, or discard it and start over with --restart',
    );
  if (existsSync(record))
    onNote?.(`${folder}: this run is finished; it is trained again from the first step, not resumed`);
}

/** Restores a trainer from a checkpoint. Returns what the run had measured by then. */
async function restore(trainer: Trainer, state: string, { model, training }: Experiment): Promise<Measured> {
  const { snapshot, extra } = readSnapshot(state, model, seatsOf(training));
  const { progress } = (extra ?? {}) as { readonly progress?: Measured };
  if (!isObject(progress))
    throw new InputError(`${state}: expected the progress of a run, got none; start over without resume`);
  checkMeasured(state, progress);
  await trainer.restore(snapshot);
  return progress;
}

function lastCheckpoint(stateFile: string): string {
  return existsSync(stateFile) ? `the last good checkpoint is ${stateFile}` : 'there is no checkpoint yet';
}

/** Writes the model, the curve and the record of a finished run, and removes its checkpoints but the last. */
async function keepResults(files: RunFiles, record: RunRecord, engine: Engine): Promise<void> {
  const { id: run, steps, experiment, block, start, data } = record;
  saveCheckpoint(files.model, {
    config: experiment.model,
    tensors: await averagedWeights(engine),
    metadata: {
      run,
      step: String(steps),
      task: JSON.stringify(experiment.task),
      trainSha256: data.train.sha256,
      ...given({ block, start }),
    },
  });
  writeFileAtomic(files.curve, curveCsv(record.curve, record.evaluations));
  writeRecord(files.record, record);
  for (const file of [files.recent, files.earlier]) rmSync(file, { force: true });
}

/** The record of a run that is finished. */
function recordOf(
  experiment: Experiment,
  seed: number,
  { id, steps, data }: Pick<RunOutcome, 'id' | 'steps' | 'data'>,
  measured: Measured,
): RunRecord {
  const { sittings, seconds, curve, evaluations, closing } = measured;
  return {
    schema: recordSchema,
    id,
    experiment,
    seed,
    data: {
      train: summaryOf(data.train),
      test: summaryOf(experiment.evaluation.split === 'test' ? data.test : data.validation),
    },
    model: {
      parameters: parameterCount(experiment.model),
      depth: effectiveDepth(experiment.model),
      forwardPasses: forwardPasses(experiment.model),
    },
    sittings,
    steps,
    seconds,
    peakMemory: peakSoFar(measured),
    curve,
    evaluations,
    closing,
  };
}
