/**
 * Many runs on one machine: skips recorded runs, refuses stale records, makes several runs at once, and survives being
 * killed.
 */
import { fork, type ChildProcess } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { checkEngineOptions, type EngineOptions } from '../engine/create.js';
import { InputError } from '../errors.js';
import { anyObject, callback, checkFields, optional, pathText, stopAsked, whole, type Fields } from '../fields.js';
import { projectRoot } from '../files.js';
import { isClaimed } from '../experiment/claim.js';
import { checkShared, expectedBytes, runCost, setSizes, type RunCost } from '../experiment/cost.js';
import { changesText, sameTrial } from '../experiment/differences.js';
import type { Experiment } from '../experiment/experiment.js';
import { checkPlan, type PlannedRun } from './plan.js';
import { recordsSoFar, type RunRecord } from '../experiment/record.js';
import { runId, settingsHash } from '../experiment/run.js';
import type { WorkerMessage } from './worker.js';
import { loadTask, type TaskData } from '../experiment/task.js';
import { notedShare, type WorkOrder } from './work.js';
import { checkPlace } from '../write-file.js';

/** recorded: already before this sweep; finished: by this sweep. taken: another process works on it. */
export type RunState = 'recorded' | 'waiting' | 'running' | 'finished' | 'stopped' | 'taken' | 'failed';

/** The status of one run of a sweep. */
export interface SweepRun extends PlannedRun {
  readonly id: string;
  readonly state: RunState;
  /** Share of the run's FLOP that is done, 0 … 1. */
  readonly share: number;
  readonly cost: RunCost;
  /** The error, if the state is failed. */
  readonly message?: string;
}

/** How to run a sweep. */
export interface SweepOptions {
  /** Folder of records: read before the sweep, and written when a run finishes. Default data/runs. */
  readonly records?: string;
  /** Where runs keep their checkpoints, one folder a run. Default runs. */
  readonly folder?: string;
  /**
   * The engine of every run. Its threads are 1 by default: several runs side by side use the cores better than one run
   * with several threads.
   */
  readonly engine?: EngineOptions;
  /** Runs at once. Default: as many as the cores and the free memory hold. */
  readonly jobs?: number;
  readonly onProgress?: (runs: readonly SweepRun[]) => void;
  /** Called with the number of puzzles prepared, if that takes long: a run's id depends on its puzzles. */
  readonly onData?: (done: number, total: number) => void;
  /** Polled; true lets running ones save and end. */
  readonly shouldStop?: () => boolean;
}

const sweepFields: Fields<SweepOptions> = {
  records: optional(pathText),
  folder: optional(pathText),
  engine: optional(anyObject),
  jobs: optional(whole(1)),
  onProgress: optional(callback),
  onData: optional(callback),
  shouldStop: optional(callback),
};

/**
 * Finds the status of each planned run. Runs that come with a status do not make their puzzles again. Throws InputError
 * if a record in the folder is damaged, or stale: of the same experiment and seed, but with another configuration or
 * other data; StoppedError as loadTask.
 */
export async function status(
  plan: readonly (PlannedRun | SweepRun)[],
  options: Pick<SweepOptions, 'records' | 'folder' | 'onData' | 'shouldStop'> = {},
): Promise<SweepRun[]> {
  const { records: recordFolder, folder } = foldersOf(options);
  const records = recordsSoFar(recordFolder);
  const dataOf = cachedTasks(options);
  const runs: SweepRun[] = [];
  for (const planned of plan) {
    const { experiment, seed } = planned;
    const { id, cost } = 'id' in planned ? planned : known(planned, await dataOf(experiment));
    refuseStale(records, planned, id, recordFolder);
    const recorded = records.some((record) => record.id === id);
    const state = recorded ? 'recorded' : isClaimed(path.join(folder, id)) ? 'taken' : 'waiting';
    runs.push({ experiment, seed, id, state, share: recorded ? 1 : notedShare(path.join(folder, id)), cost });
  }
  return runs;
}

/** Throws InputError for a record that can't stand in one table with run `id`. */
function refuseStale(
  records: readonly RunRecord[],
  { experiment, seed }: PlannedRun,
  id: string,
  folder: string,
): void {
  const alike = records.filter((record) => record.experiment.name === experiment.name && isPlain(record));
  const older = alike.find(
    (record) => settingsHash(record.id) !== settingsHash(id) && sameTrial(record.experiment, experiment),
  );
  if (older !== undefined)
    throw new InputError(
      `record ${older.id}: expected one of the puzzles of ${id}; their file has changed since, so both can't ` +
        `stand in the same table: delete it or move it out of ${folder}`,
    );
  // The tries of a search share a name and differ in settings, so another one is no stale record.
  if (experiment.evaluation.split !== 'test') return;
  const stale = alike.find((record) => record.seed === seed && record.id !== id);
  if (stale !== undefined)
    throw new InputError(
      `record ${stale.id}: expected ${id} (changed since: ` +
        `${changesText(stale.experiment, experiment) || 'the puzzles'}). The two can't stand in the same table: ` +
        `delete it or move it out of ${folder}`,
    );
}

/** Whether a run had the kit's block, and the weights of its seed at the start. */
const isPlain = ({ block, start }: RunRecord): boolean => block === undefined && start === undefined;

/** Id and cost of a run, which need its puzzles. */
function known({ experiment, seed }: PlannedRun, data: TaskData): Pick<SweepRun, 'id' | 'cost'> {
  return { id: runId(experiment, seed, data), cost: runCost(experiment, setSizes(experiment, data)) };
}

/**
 * Makes the missing runs of a plan, or of a status. A failed run does not stop the others. Returns the final status of
 * each. Throws InputError for impossible options, and as status does.
 */
export async function runSweep(
  plan: readonly (PlannedRun | SweepRun)[],
  options: SweepOptions = {},
): Promise<SweepRun[]> {
  checkPlan(plan);
  checkFields('sweep', options, sweepFields);
  checkEngineOptions(options.engine ?? {});
  const { records, folder } = foldersOf(options);
  if (options.engine?.block !== undefined)
    throw new InputError('block: a sweep has processes of its own, which take no function; call runExperiment instead');
  const engine = { threads: 1, ...options.engine };
  for (const { experiment } of plan) checkShared(experiment, engine);
  const runs = await status(plan, options);
  const waiting = runs.flatMap(({ state, experiment }) => (state === 'waiting' ? [experiment] : []));
  // Now, not once the first run is finished.
  if (waiting.length > 0) checkPlace(path.join(records, 'record.json'));
  const { jobs = defaultJobs(waiting, engine) } = options;
  const children = new Set<ChildProcess>();
  const update = (index: number, change: Partial<SweepRun>): void => {
    runs[index] = { ...runs[index]!, ...change };
    options.onProgress?.(runs);
  };
  options.onProgress?.(runs);

  const start = async (index: number): Promise<void> => {
    const { experiment, seed, id } = runs[index]!;
    const order = { run: { experiment, seed }, id, engine, folder: path.join(folder, id), records };
    update(index, { state: 'running' });
    const { child, ended } = startWorker(order, ({ kind, ...rest }) => {
      const state = kind === 'progress' ? 'running' : kind;
      update(index, { state, ...rest, ...(kind === 'finished' ? { share: 1 } : {}) });
    });
    children.add(child);
    const how = await ended;
    children.delete(child);
    if (runs[index]!.state === 'running')
      update(index, {
        state: 'failed',
        message: `its process ended with ${how}; what it had saved is kept: run the same command again`,
      });
  };

  const nextWaiting = (): number =>
    stopAsked(options.shouldStop) ? -1 : runs.findIndex(({ state }) => state === 'waiting');
  const lane = async (): Promise<void> => {
    for (let next = nextWaiting(); next >= 0; next = nextWaiting()) await start(next);
  };
  // By now, the other process has finished its runs, still works on them, or was killed.
  const lookAgain = async (): Promise<void> => {
    const taken = runs.flatMap(({ state }, index) => (state === 'taken' ? [index] : []));
    if (taken.length === 0) return;
    const now = await status(
      taken.map((index) => runs[index]!),
      options,
    );
    taken.forEach((index, at) => update(index, now[at]!));
  };
  const watch = setInterval(() => {
    if (options.shouldStop?.() !== true) return;
    for (const child of children) if (child.connected) child.send('stop', unheard);
  }, 200);
  try {
    do {
      await Promise.all(Array.from({ length: jobs }, lane));
      await lookAgain();
    } while (nextWaiting() >= 0);
  } finally {
    clearInterval(watch);
    for (const child of children) if (child.connected) child.send('stop', unheard); // after an error
  }
  return runs;
}

/** Starts the process of a run. `ended`: by which signal or exit code it ended, or why it never began. */
function startWorker(
  order: WorkOrder,
  onMessage: (message: WorkerMessage) => void,
): { readonly child: ChildProcess; readonly ended: Promise<string> } {
  const child = fork(new URL('./worker.js', import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  child.on('message', onMessage);
  child.send(order, unheard);
  const ended = new Promise<string>((resolve) => {
    // Not 'exit', which on a busy machine may precede the last message.
    child.once('close', (code, signal) => resolve(signal ?? `code ${code}`));
    child.once('error', ({ message }) => resolve(message));
  });
  return { child, ended };
}

/** Ignores a failed send: a child that has just ended reports by its exit. */
function unheard(): void {}

/** Whether a run has its record, of this sweep or from before. */
export function hasRecord({ state }: Pick<SweepRun, 'state'>): boolean {
  return state === 'recorded' || state === 'finished';
}

/** FLOP of runs, training and evaluation. */
export function sweepFlop(runs: readonly Pick<SweepRun, 'cost'>[]): number {
  return runs.reduce((sum, { cost }) => sum + cost.training + cost.evaluation, 0);
}

/** Share of a sweep's FLOP that is done, 0 … 1. */
export function sweepShare(runs: readonly SweepRun[]): number {
  const total = sweepFlop(runs);
  return total === 0 ? 1 : runs.reduce((sum, run) => sum + sweepFlop([run]) * run.share, 0) / total;
}

/** The records of these runs, in their order; runs without a record are left out. */
export function recordsOf(runs: readonly SweepRun[], records: readonly RunRecord[]): RunRecord[] {
  return runs.flatMap(({ id }) => records.find((each) => each.id === id) ?? []);
}

/** Where records and runs are, by default in the project; a relative folder counts from its root. */
export function foldersOf(options: Pick<SweepOptions, 'records' | 'folder'>): {
  readonly records: string;
  readonly folder: string;
} {
  return {
    records: path.resolve(projectRoot(), options.records ?? 'data/runs'),
    folder: path.resolve(projectRoot(), options.folder ?? 'runs'),
  };
}

/** Loads each task once. */
function cachedTasks({
  onData,
  shouldStop,
}: Pick<SweepOptions, 'onData' | 'shouldStop'>): (experiment: Experiment) => Promise<TaskData> {
  const loaded = new Map<string, Promise<TaskData>>();
  return ({ task }) => {
    const key = JSON.stringify(task);
    const data = loaded.get(key) ?? loadTask(task, onData, shouldStop);
    loaded.set(key, data);
    return data;
  };
}

/**
 * Number of runs at once, at least one: their threads fit the cores, and processes of the largest run's size fit half
 * the free memory. A GPU has one run at a time, since no run knows what others keep in its memory.
 */
export function defaultJobs(
  experiments: readonly Experiment[],
  engine: EngineOptions,
  cores = os.availableParallelism(),
  freeBytes = process.availableMemory(),
): number {
  if (engine.engine === 'torch' && engine.torch?.device !== 'cpu') return 1;
  const largest = Math.max(1, ...experiments.map((experiment) => expectedBytes(experiment, engine)));
  return Math.max(1, Math.min(Math.floor(cores / (engine.threads ?? 1)), Math.floor(freeBytes / 2 / largest)));
}
