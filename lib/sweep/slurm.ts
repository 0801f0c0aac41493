/** A sweep as a Slurm job array: its script, the resources of a task, its submission, and the status of its tasks. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isTfjs, type EngineOptions } from '../engine/create.js';
import { InputError, show } from '../errors.js';
import { writeFileAtomic } from '../write-file.js';
import { describe } from '../model/describe.js';
import { isClaimed } from '../experiment/claim.js';
import { checkShared, expectedBytes, runCost, thoughtsMade } from '../experiment/cost.js';
import { hashOf } from '../experiment/sealed.js';
import { lastSitting, recordsSoFar, type RunRecord } from '../experiment/record.js';
import { foldersOf, status, type SweepOptions, type SweepRun } from './sweep.js';
import type { PlannedRun } from './plan.js';
import { notedShare, type WorkOrder } from './work.js';

/** The user's options for the array. */
export interface SlurmOptions {
  readonly partition?: string;
  /** Time limit of one task, in Slurm's format. Default: from measured runs, else from the FLOP. */
  readonly time?: string;
  /** Further options of sbatch, one each, such as --gres=gpu:1. */
  readonly args?: readonly string[];
}

/** The resources of one task of the array. */
export interface TaskResources {
  readonly threads: number;
  readonly megabytes: number;
  readonly minutes: number;
}

/** An array of runs on the shared file system. */
export interface SlurmArray {
  /** Holds order.json, array.sh, job.json once it is submitted, and the tasks' logs. */
  readonly folder: string;
  readonly orders: readonly WorkOrder[];
}

/** An array before its submission. */
export interface PreparedArray extends SlurmArray {
  readonly resources: TaskResources;
  readonly options: SlurmOptions;
}

/** An array in Slurm, with its job id. */
export interface SubmittedArray extends SlurmArray {
  readonly job: string;
}

/** The status of a task. queued and lost follow from Slurm, the other states from the run's files. */
export interface TaskStatus {
  readonly id: string;
  readonly state: 'recorded' | 'running' | 'queued' | 'lost';
  readonly share: number;
  /** Slurm's state, or the last line of a lost task's log. */
  readonly note: string;
}

/** Slurm's own default of MaxArraySize. Every index is below it, so it is also the most tasks of an array. */
const defaultMaxArraySize = 1001;
/** Options of sbatch that would break the array; each with the reason, or with our option for it. */
const ownOptions: Readonly<Record<string, string>> = {
  array: 'it has one task per run',
  output: 'logs lie in the array’s folder',
  'open-mode': 'a requeued task appends to its log',
  ntasks: 'a run is one process',
  signal: 'the signal tells a task to save',
  'no-requeue': 'a task continues after its node fails',
  wrap: 'the script says what runs',
  'cpus-per-task': 'use --threads',
  time: 'use --time',
  partition: 'use --partition',
};
const shortOptions: Readonly<Record<string, string>> = {
  a: 'array',
  o: 'output',
  n: 'ntasks',
  c: 'cpus-per-task',
  t: 'time',
  p: 'partition',
};
/** Assumed FLOP/s of one thread if no record tells; slow, since it only sets a time limit. */
const assumedSpeed = 10e9;

/**
 * The resources of a task for any of these runs: 1.5 times what the slowest recorded run of the same experiment took on
 * an engine of this kind; without one, twice what its FLOP take at the lowest recorded speed of such an engine's
 * thread, or else at the assumed speed. Memory is at least what is expected.
 */
export function taskResources(
  runs: readonly Pick<SweepRun, 'experiment' | 'cost'>[],
  records: readonly RunRecord[],
  engine: EngineOptions = {},
): TaskResources {
  const { threads = 1 } = engine;
  const kind = isTfjs(engine) ? 'tfjs' : engine.engine === 'torch' ? 'torch' : 'native';
  const ofKind = records.filter((record) => lastSitting(record).engine.split(' ')[0] === kind);
  const speeds = ofKind.map(speedOfThread).filter((speed) => speed > 0);
  const speed = speeds.length === 0 ? assumedSpeed : Math.min(...speeds);
  const needs = runs.map(({ experiment, cost }) => {
    const alike = ofKind.filter((record) => record.experiment.name === experiment.name);
    const flop = cost.training + cost.evaluation;
    const seconds =
      alike.length === 0
        ? (2 * flop) / (speed * threads)
        : 1.5 * Math.max(...alike.map((record) => flop / (speedOfThread(record) * threads)));
    const bytes = Math.max(expectedBytes(experiment, engine), ...alike.map(({ peakMemory }) => 1.5 * peakMemory));
    return { seconds, bytes };
  });
  return {
    threads,
    megabytes: 64 * Math.ceil(Math.max(...needs.map(({ bytes }) => bytes)) / 2 ** 26),
    minutes: Math.max(5, Math.ceil(Math.max(...needs.map(({ seconds }) => seconds)) / 60)),
  };
}

/**
 * The array's script: one task for each run, requeued if its node fails, and told to save a minute before its time
 * limit.
 */
export function arrayScript({ folder, orders, resources, options }: PreparedArray): string {
  const { partition, time, args = [] } = options;
  if (partition !== undefined && !/^[\w.,-]+$/.test(partition))
    throw new InputError(`--partition: expected names of partitions, got ${JSON.stringify(partition)}`);
  if (time !== undefined && !/^((\d+-)?\d+(:\d\d){0,2}|UNLIMITED)$/.test(time))
    throw new InputError(`--time: expected MINUTES, HH:MM:SS or D-HH:MM:SS, got ${JSON.stringify(time)}`);
  args.forEach(checkSbatchOption);
  const { threads, megabytes, minutes } = resources;
  const task = fileURLToPath(new URL('./slurm-task.js', import.meta.url));
  return [
    '#!/bin/bash',
    '#SBATCH --job-name=trm-lab',
    `#SBATCH --array=0-${orders.length - 1}`,
    '#SBATCH --ntasks=1',
    `#SBATCH --cpus-per-task=${threads}`,
    `#SBATCH --mem=${megabytes}M`,
    `#SBATCH --time=${time ?? minutes}`,
    '#SBATCH --requeue',
    '#SBATCH --open-mode=append',
    '#SBATCH --signal=B:TERM@60',
    `#SBATCH --output="${folder.replaceAll('%', '%%')}/%a.log"`,
    ...(partition === undefined ? [] : [`#SBATCH --partition=${partition}`]),
    ...args.map((arg) => `#SBATCH ${arg}`),
    '',
    '# exec, so that Slurm signals the run itself',
    `exec ${[process.execPath, task, path.join(folder, 'order.json')].map(shellWord).join(' ')} "$SLURM_ARRAY_TASK_ID"`,
    '',
  ].join('\n');
}

/**
 * Throws InputError for anything but an option of sbatch, and for options that the array sets itself, also in the short
 * and abbreviated forms that sbatch accepts.
 */
function checkSbatchOption(arg: string): void {
  const [, dashes = '', name = ''] = /^(--?)([A-Za-z][\w-]*)(=[^\n\r]*)?$/.exec(arg) ?? [];
  if (name === '') throw new InputError(`--slurm-args: expected options such as --gres=gpu:1, got ${show(arg)}`);
  const [letter = ''] = name;
  const own = dashes === '-' ? shortOptions[letter] : Object.keys(ownOptions).find((each) => each.startsWith(name));
  if (own !== undefined)
    throw new InputError(`--slurm-args: expected options that the array leaves open, got ${arg}: ${ownOptions[own]}`);
}

/**
 * Writes orders and scripts for the runs of a plan that are neither recorded nor queued, in as few arrays as the
 * cluster's MaxArraySize allows; returns none if there are none. Submits nothing. `dry`: does not ask Slurm for its
 * queue, so it works without Slurm. Throws InputError as status does, and for impossible options of sbatch.
 */
export async function prepareArrays(
  plan: readonly (PlannedRun | SweepRun)[],
  options: SweepOptions & { readonly slurm?: SlurmOptions; readonly dry?: boolean } = {},
): Promise<PreparedArray[]> {
  const { records, folder: runs } = foldersOf(options);
  const queued = new Set(
    (options.dry === true ? [] : arrays(runs)).flatMap((array) =>
      taskStatus(array)
        .filter(({ state }) => state === 'queued' || state === 'running')
        .map(({ id }) => id),
    ),
  );
  const missing = (await status(plan, options)).filter(({ id, state }) => state === 'waiting' && !queued.has(id));
  if (missing.length === 0) return [];
  const engine: EngineOptions = { threads: 1, ...options.engine };
  for (const { experiment } of plan) checkShared(experiment, engine);
  const { slurm = {} } = options;
  const known = recordsSoFar(records);
  const ofTorch = known.some((record) => lastSitting(record).engine.startsWith('torch '));
  if (engine.engine === 'torch' && engine.torch?.device !== 'cpu' && slurm.time === undefined && !ofTorch)
    throw new InputError(
      "--time: expected the time limit of a task, got none, and no record says how fast torch is on the cluster's GPUs",
    );
  const orders = missing.map(
    ({ experiment, seed, id }): WorkOrder => ({
      run: { experiment, seed },
      id,
      engine,
      folder: path.resolve(runs, id),
      records: path.resolve(records),
    }),
  );
  const settings = {
    resources: taskResources(missing, known, engine),
    options: slurm,
  };
  const most = maxArraySize();
  const parts = Array.from({ length: Math.ceil(orders.length / most) }, (_, part) =>
    orders.slice(part * most, (part + 1) * most),
  );
  return parts.map((part) => writeArray(runs, { ...settings, orders: part }));
}

/** Writes an array into a new folder, with the next free number. */
function writeArray(runs: string, parts: Omit<PreparedArray, 'folder'>): PreparedArray {
  const numbers = arrayNames(runs).map((name) => Number.parseInt(name, 10));
  const name = `${Math.max(-1, ...numbers) + 1}-${hashOf(parts.orders).slice(0, 8)}`;
  const array: PreparedArray = { ...parts, folder: path.resolve(arraysFolder(runs), name) };
  const script = arrayScript(array);
  writeFileAtomic(path.join(array.folder, 'order.json'), JSON.stringify(array.orders, null, 1));
  writeFileAtomic(scriptOf(array), script);
  return array;
}

/** Path of an array's script. */
export function scriptOf({ folder }: SlurmArray): string {
  return path.join(folder, 'array.sh');
}

/** Submits a prepared array. Throws InputError if sbatch is missing or refuses it. */
export function submitArray(array: PreparedArray): SubmittedArray {
  const reply = tried('sbatch', ['--parsable', scriptOf(array)]);
  if (typeof reply !== 'string') throw reply;
  const [job = ''] = reply.trim().split(';');
  writeFileAtomic(path.join(array.folder, 'job.json'), JSON.stringify({ job }));
  return { folder: array.folder, orders: array.orders, job };
}

/** The most tasks that the cluster allows in an array; Slurm's default if it does not say. */
function maxArraySize(): number {
  const config = tried('scontrol', ['show', 'config']);
  const said = typeof config === 'string' ? /^MaxArraySize\s*=\s*(\d+)$/m.exec(config)?.[1] : undefined;
  return Math.max(1, Number(said ?? defaultMaxArraySize));
}

/** All arrays that were ever submitted from a folder of runs, the oldest first. */
export function arrays(runs: string): SubmittedArray[] {
  const submitted = arrayNames(runs)
    .map((name) => path.join(arraysFolder(runs), name))
    .filter((own) => existsSync(path.join(own, 'job.json')));
  const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
  return submitted
    .map((own) => ({
      folder: own,
      orders: read(path.join(own, 'order.json')) as WorkOrder[],
      ...(read(path.join(own, 'job.json')) as { job: string }),
    }))
    .sort((a, b) => Number.parseInt(path.basename(a.folder), 10) - Number.parseInt(path.basename(b.folder), 10));
}

/**
 * Where each task of an array stands. A task that Slurm no longer knows and that left no record is lost:
 * submit the sweep again.
 */
export function taskStatus({ folder, orders, job }: SubmittedArray): TaskStatus[] {
  const done = orders.every(({ id, records }) => existsSync(path.join(records, `${id}.json`)));
  const queue = done ? new Map<number, string>() : queueOf(job);
  return orders.map(({ id, records, folder: own }, index): TaskStatus => {
    if (existsSync(path.join(records, `${id}.json`))) return { id, state: 'recorded', share: 1, note: '' };
    const share = notedShare(own);
    const slurmState = queue.get(index);
    if (slurmState !== undefined)
      return { id, state: isClaimed(own) && slurmState === 'RUNNING' ? 'running' : 'queued', share, note: slurmState };
    if (isClaimed(own)) return { id, state: 'running', share, note: 'outside Slurm' };
    const log = path.join(folder, `${index}.log`);
    return {
      id,
      state: 'lost',
      share,
      note: existsSync(log) ? (readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '') : 'no log',
    };
  });
}

/** Slurm's states of an array's tasks, by index, without tasks that ended or that Slurm has forgotten. */
function queueOf(job: string): Map<number, string> {
  const queue = tried('squeue', ['--noheader', '--array', `--jobs=${job}`, '--format=%K %T']);
  if (typeof queue === 'string') return readQueue(queue);
  if (queue.message.includes('Invalid job id')) return new Map(); // all ended a while ago
  throw queue;
}

/** Reads lines of "index STATE". */
export function readQueue(lines: string): Map<number, string> {
  const ended = /^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY|BOOT_FAIL|DEADLINE)/;
  const tasks = [...lines.matchAll(/^(\d+) (\w+)$/gm)].map(([, index, state]) => [Number(index), state ?? ''] as const);
  return new Map(tasks.filter(([, state]) => !ended.test(state)));
}

/** The output of a Slurm program, or why there is none. */
function tried(program: string, args: readonly string[]): string | InputError {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
    return new InputError(
      code === 'ENOENT'
        ? `${program}: not found on this machine; --launcher slurm needs one that can submit to Slurm ` +
            '(--dry only writes the script)'
        : `${program}: ${(stderr ?? String(error)).trim()}`,
    );
  }
}

function arrayNames(runs: string): string[] {
  const folder = arraysFolder(runs);
  return existsSync(folder) ? readdirSync(folder).filter((name) => /^\d+-/.test(name)) : [];
}

function arraysFolder(runs: string): string {
  return path.join(runs, 'slurm');
}

/** FLOP/s of one thread in a recorded run. */
function speedOfThread(record: RunRecord): number {
  const threads = lastSitting(record).threads ?? 1;
  const { training, evaluation } = record.seconds;
  return flopOf(record) / (training + evaluation) / threads;
}

/** FLOP of a recorded run: its steps and the evaluations it made. */
function flopOf(record: RunRecord): number {
  const { experiment } = record;
  return runCost(experiment).training + describe(experiment.model).flopPerThought * thoughtsMade(record);
}

function shellWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
