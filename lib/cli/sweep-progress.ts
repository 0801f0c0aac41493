/** Running a sweep from the command line: its cost before it starts, its progress, Ctrl-C, and what came of it. */
import path from 'node:path';
import type { EngineOptions } from '../engine/create.js';
import type { PlannedRun } from '../experiment/plan.js';
import { runSweep, standOf, sweepFlop, sweepShare, type SweepRun } from '../experiment/sweep.js';
import { prefixed } from '../model/describe.js';
import { integer, text, type Arguments, type Option, type Out } from './command.js';
import { costText } from './cost.js';
import { readEngineOptions } from './engine-options.js';
import { TerminalProgress } from './progress.js';

export const sweepOptions: Readonly<Record<string, Option>> = {
  jobs: { type: 'string', value: 'N', about: 'runs at once. Default as many as the cores and the free memory hold, one thread each' },
  records: { type: 'string', value: 'DIR', about: 'where records are looked for and go' },
  dry: { type: 'boolean', about: 'say what would run and what is recorded, and stop' },
};

/** Runs what is missing of a plan and says so. Returns the exit code, 0 if every run has its record. */
export async function sweep(plan: readonly PlannedRun[], args: Arguments, out: Out, records: string): Promise<number> {
  const folder = path.resolve(text(args, 'records') ?? records);
  const before = await standOf(plan, { records: folder });
  const missing = before.filter(({ state }) => state !== 'recorded');
  const engine = definedOf(readEngineOptions(args));
  if (missing.some(({ experiment: { scale } }) => scale === 'paper')) out.note("measuring this machine's speed on a few puzzles");
  const cost = missing.length === 0 ? '' : `, ${missing.some(({ experiment }) => experiment.scale !== 'smoke') ? await costText(missing, engine) : `${prefixed(sweepFlop(missing))}FLOP`}`;
  out.note(`${plan.length} runs: ${plan.length - missing.length} recorded, ${missing.length} to do${cost}`);
  if (args.options['dry'] === true) {
    for (const run of before) out.line(`${run.state.padEnd(9)} ${`${prefixed(sweepFlop([run]))}FLOP`.padStart(12)}  ${run.id}`);
    out.result(before.map((run) => ({ id: run.id, state: run.state, flop: sweepFlop([run]) })));
    return 0;
  }
  const progress = new TerminalProgress();
  let stopAsked = false;
  const stop = (): void => {
    if (stopAsked) process.exit(130);
    stopAsked = true;
    out.note('\nlets the runs save and ends; once more to end at once');
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    const jobs = integer(args, 'jobs', 1, 1024);
    const runs = await runSweep(plan, {
      records: folder,
      engine,
      ...(jobs === undefined ? {} : { jobs }),
      shouldStop: () => stopAsked,
      onProgress: (now) => progress.update('sweep', 'runs', now.length * sweepShare(now), now.length, noteOf(now)),
    });
    progress.end();
    return report(runs, out);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

function report(runs: readonly SweepRun[], out: Out): number {
  for (const { id, message } of runs.filter(({ state }) => state === 'failed')) out.line(`failed: ${id}: ${message ?? ''}`);
  const complete = runs.filter(({ state }) => state === 'recorded' || state === 'finished').length;
  const taken = runs.filter(({ state }) => state === 'taken').length;
  out.line(`${complete} of ${runs.length} runs have their record${taken === 0 ? '' : `; ${taken} are being worked on by another process`}${complete < runs.length ? '; the same command goes on from here' : ''}`);
  out.result(runs.map(({ id, state, message }) => ({ id, state, ...(message === undefined ? {} : { message }) })));
  return complete === runs.length ? 0 : 1;
}

function noteOf(runs: readonly SweepRun[]): string {
  const failed = runs.filter(({ state }) => state === 'failed').length;
  const running = runs.filter(({ state }) => state === 'running').map(({ id, share }) => `${id} ${Math.floor(100 * share)} %`);
  return [...(failed === 0 ? [] : [`${failed} failed`]), ...running].join(' · ');
}

/** Without the fields that were not given. */
function definedOf(options: EngineOptions): EngineOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
