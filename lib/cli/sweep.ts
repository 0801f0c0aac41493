/** trm-lab sweep status: the status of the runs submitted to Slurm. */
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../errors.js';
import { arrays, taskStatus, type TaskStatus } from '../sweep/slurm.js';
import { flag, type Command } from './command.js';
import { runsFolder, runsOption } from './sweep-progress.js';
import { Progress } from '../progress.js';
import { plural } from '../words.js';

const lookEvery = 5000; // ms

export const sweepCommand: Command = {
  name: 'sweep',
  summary:
    'Show the state of the runs that ablate, search or failure-modes gave to Slurm: recorded, running, queued or lost.',
  positionals: 'status',
  count: [1, 1],
  options: {
    runs: runsOption,
    follow: { about: 'repeat every five seconds until no run is queued or running' },
  },
  example: 'sweep status --follow',
  minutes: 'immediate; with --follow, as long as the runs take',

  async run(args, out) {
    const [what] = args.positionals;
    if (what !== 'status') throw new InputError(`sweep: expected status, got ${String(what)}`);
    const progress = new Progress();
    let tasks = statusOf(runsFolder(args));
    while (flag(args, 'follow') && tasks.some(({ state }) => state === 'queued' || state === 'running')) {
      progress.update(
        'sweep',
        'runs',
        tasks.reduce((sum, { share }) => sum + share, 0),
        tasks.length,
        counts(tasks),
      );
      await sleep(lookEvery);
      tasks = statusOf(runsFolder(args));
    }
    for (const { id, state, share, note } of tasks)
      out.line(
        `${state.padEnd(9)} ${String(Math.floor(100 * share)).padStart(3)} %  ${id}${note === '' ? '' : `  (${note})`}`,
      );
    out.line(counts(tasks));
    out.result(tasks);
    return tasks.every(({ state }) => state === 'recorded') ? 0 : 1;
  },
};

/** Every run ever submitted, with its status in its latest array. Throws InputError if there is none. */
function statusOf(runs: string): TaskStatus[] {
  const latest = new Map(arrays(runs).flatMap((array) => taskStatus(array).map((task) => [task.id, task] as const)));
  if (latest.size === 0)
    throw new InputError(
      'no array was submitted from this folder of runs; submit one with ablate --launcher slurm, ' +
        'or name another folder with --runs',
    );
  return [...latest.values()];
}

function counts(tasks: readonly TaskStatus[]): string {
  const states = ['recorded', 'running', 'queued', 'lost'] as const;
  const words = states
    .map((state) => `${tasks.filter((task) => task.state === state).length} ${state}`)
    .filter((words) => !words.startsWith('0 '));
  const lost = tasks.some(({ state }) => state === 'lost');
  const remedy = lost ? '; to continue the lost ones, repeat the command that submitted them' : '';
  return `${plural(tasks.length, 'run')}: ${words.join(', ')}${remedy}`;
}
