/** Claims on a folder, so that two processes, on one machine or several, never work on the same run. */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A claim counts as abandoned after this long without a sign of life: its process may be on another machine, or its id in use by another one since a restart. */
const abandonedAfter = 15 * 60_000;
const signOfLifeEvery = 60_000;

interface Owner {
  readonly host: string;
  readonly pid: number;
  /** What the process is to a scheduler that starts it anew after a failure, perhaps on another machine. */
  readonly job?: string;
}

/** A claim that is held. */
export interface Claim {
  release(): void;
}

/**
 * Claims a folder, creating it if needed; undefined if a living process holds it. `job`: a name under which only one
 * process lives at a time; it takes over what an earlier one of the same name had claimed, wherever that ran.
 */
export function claim(folder: string, job?: string): Claim | undefined {
  mkdirSync(folder, { recursive: true });
  const file = claimFile(folder);
  if (isClaimed(folder, job)) return undefined;
  rmSync(file, { force: true });
  try {
    const handle = openSync(file, 'wx');
    writeSync(handle, JSON.stringify({ host: os.hostname(), pid: process.pid, ...(job === undefined ? {} : { job }) } satisfies Owner));
    closeSync(handle);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined; // another was faster
    throw error;
  }
  const timer = setInterval(() => utimesSync(file, new Date(), new Date()), signOfLifeEvery);
  timer.unref();
  return {
    release: () => {
      clearInterval(timer);
      rmSync(file, { force: true });
    },
  };
}

/** Whether a living process, other than one that did the same `job`, holds a folder. A process that was killed holds nothing. */
export function isClaimed(folder: string, job?: string): boolean {
  const owner = readOwner(claimFile(folder));
  if (owner === undefined || (job !== undefined && owner.job === job)) return false;
  if (Date.now() - owner.seen > abandonedAfter) return false;
  if (owner.host !== os.hostname()) return true;
  const bootedAt = Date.now() - 1000 * os.uptime();
  return owner.seen > bootedAt && isAlive(owner.pid);
}

function claimFile(folder: string): string {
  return path.join(folder, 'claim.json');
}

/** Undefined where there is no claim, or one that was cut off while it was written. */
function readOwner(file: string): (Owner & { readonly seen: number }) | undefined {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Owner;
    return { ...owner, seen: statSync(file).mtimeMs };
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it lives, and is someone else's
  }
  return !isZombie(pid);
}

/** Whether a process has ended and only waits for its parent to notice, which in a container may never happen. */
function isZombie(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  if (!existsSync(stat)) return false; // not Linux
  return /\) [ZX] /.test(readFileSync(stat, 'latin1'));
}
