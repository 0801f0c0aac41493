/** A sweep on the command line: its cost before it starts, its progress, Ctrl-C, and its report. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../errors.js';
import type { EngineOptions } from '../engine/create.js';
import { given } from '../fields.js';
import { lastSitting, recordsSoFar, type RunRecord } from '../experiment/record.js';
import { isProjectData, writeRunsReports, type RunsReport } from '../report/runs.js';
import type { PlannedRun } from '../sweep/plan.js';
import {
  prepareArrays,
  scriptOf,
  submitArray,
  type PreparedArray,
  type SlurmArray,
  type SlurmOptions,
} from '../sweep/slurm.js';
import {
  defaultJobs,
  hasRecord,
  recordsOf,
  runSweep,
  status,
  sweepFlop,
  sweepShare,
  type SweepRun,
} from '../sweep/sweep.js';
import { kitCommand, projectRoot, shownPath } from '../files.js';
import { prefixed } from '../model/describe.js';
import { below, choice, flag, numberOf, text, unreadWhere, type Arguments, type Option, type Out } from './command.js';
import { costText, measuredCost } from './cost.js';
import { readEngineOptions } from './engine-options.js';
import { stoppable } from './stop.js';
import { Progress } from '../progress.js';
import { plural } from '../words.js';

const onSlurm = (args: Arguments): boolean => text(args, 'launcher') === 'slurm';
const slurmOnly = (args: Arguments): string | undefined =>
  onSlurm(args) ? undefined : 'expected --launcher slurm with it';

export const runsOption: Option = {
  value: 'DIR',
  about: 'where runs keep their checkpoints, one folder each. Default runs',
};

export const sweepOptions: Readonly<Record<string, Option>> = {
  jobs: {
    value: 'N',
    range: [1, 1024],
    about: 'runs at the same time (local only). Default: as many as cores and free memory allow',
    unread: (args) =>
      onSlurm(args) ? 'expected --launcher local with it; the cluster decides how many runs go at once' : undefined,
  },
  records: {
    value: 'DIR',
    about:
      'folder of the records to read and write; tables and figures go there too. ' +
      'Default: data/runs (for search, data/search), with tables and figures in build/reports',
  },
  yes: { about: "start runs at the paper's scale" },
  runs: runsOption,
  dry: { about: 'only list what would run and what is recorded; for Slurm, write the script too' },
  launcher: {
    value: 'NAME',
    about:
      'local (this machine), or slurm: submit job arrays with one task per run and return (docs/slurm.md). ' +
      'Default local',
  },
  ...unreadWhere(
    slurmOnly,
    below('With --launcher slurm', {
      partition: { value: 'NAME', about: 'Slurm partition. Default: the cluster’s' },
      time: {
        value: 'TIME',
        about: 'time limit of one task, HH:MM:SS. Default: estimated from records, else from its FLOP',
      },
      'slurm-args': {
        value: '"ARGS"',
        about: 'further options of sbatch, written --slurm-args="--gres=gpu:1 --account=lab"',
      },
    }),
  ),
};

/** The folder of records in the arguments. Throws InputError if that exists and is no folder. */
export function recordsFolder(args: Arguments): string | undefined {
  const folder = text(args, 'records');
  if (folder === undefined) return undefined;
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw new InputError(`--records: expected a folder, got the file ${folder}`);
  return path.resolve(folder);
}

/** The folder of runs in the arguments. */
export function runsFolder(args: Arguments): string {
  return path.resolve(text(args, 'runs') ?? path.join(projectRoot(), 'runs'));
}

/** The purpose of a sweep: the default folder of its records, and the reports on them. */
export interface SweepPurpose {
  readonly records: string;
  /** `records`: those of the plan; `all`: those of the folder, in which a table's other rows and seeds may lie. */
  reports(records: readonly RunRecord[], all: readonly RunRecord[]): readonly RunsReport[];
}

/**
 * Makes the missing runs of a plan, with progress, and writes reports on the records so far. Returns the exit code, 0
 * if every run has its record.
 */
export async function sweep(
  plan: readonly PlannedRun[],
  args: Arguments,
  out: Out,
  purpose: SweepPurpose,
): Promise<number> {
  const folder = recordsFolder(args) ?? path.join(projectRoot(), purpose.records);
  const cluster = choice(args, 'launcher', ['local', 'slurm']) === 'slurm';
  const slurm = readSlurmOptions(args);
  const folders = { records: folder, folder: runsFolder(args) };
  const engine = { threads: 1, ...given(readEngineOptions(args)) };
  const before = await status(plan, { ...folders, onData: afterAWhile(out) });
  noteOtherPrecision(before, folder, engine.precision, out);
  const experiments = before.flatMap((run) => (hasRecord(run) ? [] : [run.experiment]));
  const jobs = cluster ? undefined : (numberOf(args, 'jobs') ?? defaultJobs(experiments, engine));
  await notePrice(before, engine, jobs, out);
  const dry = flag(args, 'dry');
  const held = !flag(args, 'yes') && experiments.some(({ scale }) => scale === 'paper');
  if (held) out.note('Runs at the published scale start only with --yes; these are the runs:');
  if (held || dry) for (const run of before) out.line(runLine(run));
  if (held || (dry && !cluster)) {
    out.result(before.map((run) => ({ id: run.id, state: run.state, share: run.share, flop: sweepFlop([run]) })));
    return held ? 1 : 0;
  }
  if (cluster) return launch(await prepareArrays(before, { ...folders, engine, slurm, dry }), args, out);
  const progress = new Progress();
  const runs = await stoppable(out, 'waiting for the runs to save, then stopping', (shouldStop) =>
    runSweep(before, {
      ...folders,
      engine,
      ...given({ jobs }),
      shouldStop,
      onProgress: (now) => progress.update('sweep', 'runs', now.length * sweepShare(now), now.length, noteOf(now)),
    }),
  );
  sayOutcome(runs, out);
  await report(runs, folder, purpose, out);
  return runs.every(hasRecord) ? 0 : 1;
}

/** Says which records stay although they used another precision than the one asked for. */
function noteOtherPrecision(
  runs: readonly SweepRun[],
  folder: string,
  asked: EngineOptions['precision'],
  out: Out,
): void {
  if (asked === undefined || asked === 'auto') return;
  const others = recordsOf(runs, recordsSoFar(folder)).filter((record) => lastSitting(record).precision !== asked);
  if (others.length > 0)
    out.note(
      `${plural(others.length, 'recorded run')} used another precision than ${asked} and will not be run again; ` +
        `for a table in ${asked} alone, give another --records`,
    );
}

/** Says how many runs are missing, their FLOP, and their time on this machine unless a cluster makes them (no jobs). */
async function notePrice(
  runs: readonly SweepRun[],
  engine: EngineOptions,
  jobs: number | undefined,
  out: Out,
): Promise<void> {
  const missing = runs.filter((run) => !hasRecord(run));
  const words = [`${runs.length - missing.length} recorded`, `${missing.length} to do`];
  if (jobs !== undefined && missing.some(({ experiment }) => experiment.scale !== 'smoke')) {
    if (missing.some(({ experiment }) => experiment.scale === 'paper'))
      out.note("measuring this machine's speed on a few puzzles");
    words.push(costText(await measuredCost(missing, engine, jobs)));
  } else if (missing.length > 0) words.push(`${prefixed(sweepFlop(missing))}FLOP`);
  out.note(`${plural(runs.length, 'run')}: ${words.join(', ')}`);
}

function runLine(run: SweepRun): string {
  const percent = String(Math.floor(100 * run.share)).padStart(3);
  const flop = `${prefixed(sweepFlop([run]))}FLOP`.padStart(12);
  return `${run.state.padEnd(9)} ${percent} % of ${flop}  ${run.id}`;
}

/** Writes the reports on a sweep's records, and prints their paths. */
async function report(runs: readonly SweepRun[], folder: string, purpose: SweepPurpose, out: Out): Promise<void> {
  const all = recordsSoFar(folder);
  const records = recordsOf(runs, all);
  const reports = records.length === 0 ? [] : purpose.reports(records, all);
  const files = await writeRunsReports(folder, reports);
  for (const { text: shown } of reports) out.line(shown);
  out.line(`records: ${shownPath(folder)}`);
  for (const file of files) out.line(`${file.endsWith('.png') ? 'figure' : 'table'}: ${shownPath(file)}`);
  if (isProjectData(folder))
    out.line(`${purpose.records} is the project’s own folder: npm run report updates its tables`);
  out.result({
    runs: runs.map(({ id, state, message }) => ({ id, state, ...given({ message }) })),
    records: shownPath(folder),
    files: files.map(shownPath),
  });
}

/** Explains a long wait before a sweep begins, once. */
function afterAWhile(out: Out): () => void {
  const began = performance.now();
  let said = false;
  return () => {
    if (said || performance.now() - began < 2000) return;
    said = true;
    out.note('generating the puzzles of the plan, to find its records among the others');
  };
}

/** Submits prepared arrays, or with --dry only prints the paths of their scripts. */
function launch(prepared: readonly PreparedArray[], args: Arguments, out: Out): number {
  if (prepared.length === 0) {
    out.line('nothing to submit: every run has its record or is in the queue');
    out.result([]);
    return 0;
  }
  const dry = flag(args, 'dry');
  const launched: readonly (SlurmArray & { readonly job?: string })[] = dry ? prepared : prepared.map(submitArray);
  const results = launched.map((array) => ({
    ...given({ job: array.job }),
    script: shownPath(scriptOf(array)),
    runs: array.orders.map(({ id }) => id),
  }));
  for (const { job, script, runs } of results)
    out.line(
      job === undefined
        ? `not submitted: ${script}, ${plural(runs.length, 'run')}`
        : `job ${job}: ${plural(runs.length, 'run')} submitted (${script})`,
    );
  if (!dry) out.line(`${kitCommand} sweep status shows their progress`);
  out.result(results);
  return 0;
}

function readSlurmOptions(args: Arguments): SlurmOptions {
  const [partition, time, more] = ['partition', 'time', 'slurm-args'].map((name) => text(args, name));
  return given({ partition, time, args: more?.split(/\s+/).filter((word) => word !== '') });
}

function sayOutcome(runs: readonly SweepRun[], out: Out): void {
  for (const { id, message } of runs.filter(({ state }) => state === 'failed'))
    out.line(`failed: ${id}: ${message ?? ''}`);
  const complete = runs.filter(hasRecord).length;
  const taken = runs.filter(({ state }) => state === 'taken').length;
  const words = [
    `${complete} of ${runs.length} runs have their record`,
    ...(taken === 0 ? [] : [`${taken} are being worked on by another process`]),
    ...(complete === runs.length ? [] : ['the same command continues from here']),
  ];
  out.line(words.join('; '));
}

function noteOf(runs: readonly SweepRun[]): string {
  const failed = runs.filter(({ state }) => state === 'failed').length;
  const running = runs
    .filter(({ state }) => state === 'running')
    .map(({ id, share }) => `${id} ${Math.floor(100 * share)} %`);
  return [...(failed === 0 ? [] : [`${failed} failed`]), ...running].join(' · ');
}
