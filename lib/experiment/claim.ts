/** Claims on a folder, so that two processes, on one machine or several, never work on the same run. */
import { randomUUID } from 'node:crypto';
import {
  constants,
  copyFileSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { show } from '../errors.js';
import { given } from '../fields.js';
import { writeError } from '../file-errors.js';
import { duration } from '../progress.js';
import { lacksLinks, makeFolder, removeHalf } from '../write-file.js';
import { isAlive, pidNamespace } from '../processes.js';

/**
 * A claim counts as abandoned after this many ms without a sign of life. A process id alone proves little: its process
 * may run on another machine, or a restart may have given the id to another process.
 */
const abandonedAfter = 15 * 60_000;
const signOfLifeEvery = 60_000;

interface Owner {
  readonly host: string;
  readonly pid: number;
  /** Where its pid counts: containers may share a host's name. */
  readonly namespace?: string;
  /** Tells one claim from another of the same process. */
  readonly token?: string;
  /** Name of the process at a scheduler, which may restart it on another machine after a failure. */
  readonly job?: string;
}

/** A claim that is held. */
export interface Claim {
  /** False once another process believed this one dead and took the claim over. */
  isHeld(): boolean;
  release(): void;
}

/**
 * Claims a folder, creating it if needed; undefined if a living process holds it. `job`: a name that only one process
 * has at a time. A process takes over the claims of its predecessors of the same `job`, whatever machine they ran on.
 */
export function claim(folder: string, job?: string): Claim | undefined {
  const file = claimFile(folder);
  const token = randomUUID();
  const owner: Owner = { host: os.hostname(), pid: process.pid, token, ...given({ namespace: pidNamespace, job }) };
  const isOwn = (): boolean => readOwner(file)?.token === token;
  const written = `${file}.${token}`;
  try {
    makeFolder(folder);
    // Placed with its content in it, so that nobody ever reads half a claim.
    writeFileSync(written, JSON.stringify(owner));
    if (!placeNew(written, file) && !isClaimed(folder, job) && removeAbandoned(file, written, job))
      placeNew(written, file);
  } catch (error) {
    throw writeError(error, file);
  } finally {
    removeHalf(written);
  }
  if (!isOwn()) return undefined; // the file decides: over a network, a call may succeed and yet report failure
  clearLeftOvers(folder);
  const timer = setInterval(() => {
    try {
      if (isOwn()) utimesSync(file, new Date(), new Date());
    } catch {
      // A file system that fails for a moment is no reason to end a training; the next sign of life is a minute away.
    }
  }, signOfLifeEvery);
  timer.unref();
  return {
    isHeld: () => (readOwner(file)?.token ?? token) === token,
    release: () => {
      clearInterval(timer);
      if (isOwn()) rmSync(file, { force: true });
    },
  };
}

/** Whether a living process holds a folder. A process with the same `job` does not count. */
export function isClaimed(folder: string, job?: string): boolean {
  return isHeld(readOwner(claimFile(folder)), job);
}

/** For messages: 'process 4711 on "node7" (last sign of life 40 s ago; without another, it is free in 14 min 20 s)'. */
export function holderText(folder: string): string {
  const owner = readOwner(claimFile(folder));
  if (owner === undefined) return 'another process';
  const silent = Math.max(0, Date.now() - owner.seen);
  const seen = `last sign of life ${duration(silent / 1000)} ago`;
  const lapses = `without another, it is free in ${duration(Math.max(0, abandonedAfter - silent) / 1000)}`;
  return `process ${show(owner.pid)} on ${show(owner.host)} (${seen}; ${lapses})`;
}

function isHeld(owner: ReturnType<typeof readOwner>, job: string | undefined): boolean {
  if (owner === undefined || (job !== undefined && owner.job === job)) return false;
  if (Date.now() - owner.seen > abandonedAfter) return false;
  if (owner.host !== os.hostname() || owner.namespace !== pidNamespace) return true;
  // A predecessor may have had the same id: before a reboot, or this process's own in a container that was restarted.
  const running = owner.pid === process.pid ? process.uptime() : os.uptime();
  return owner.seen > Date.now() - 1000 * running && isAlive(owner.pid);
}

/**
 * Removes a claim that nobody holds. False if somebody holds it after all, or another process is removing it. A second
 * file, placed like a claim, admits one process at a time; otherwise a process could remove a claim that is new by
 * then.
 */
function removeAbandoned(file: string, written: string, job: string | undefined): boolean {
  const turn = `${file}.turn`;
  if (!placeNew(written, turn)) {
    const owner = readOwner(turn);
    if (owner === undefined ? !isOlder(turn, signOfLifeEvery) : isHeld(owner, job)) return false;
    rmSync(turn, { force: true }); // left by a process that was killed right here
    if (!placeNew(written, turn)) return false;
  }
  try {
    if (isHeld(readOwner(file), job)) return false;
    rmSync(file, { force: true });
    return true;
  } finally {
    rmSync(turn, { force: true });
  }
}

/** Links a file under a second name, or copies it where links are impossible; false if that name is taken. */
function placeNew(from: string, to: string, place: (from: string, to: string) => void = linkSync): boolean {
  try {
    place(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    if (place === linkSync && lacksLinks(error)) return placeNew(from, to, copyNew);
    throw error;
  }
}

function copyNew(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_EXCL);
}

/** Removes what processes left that were killed while they claimed. */
function clearLeftOvers(folder: string): void {
  for (const name of readdirSync(folder).filter((each) => /^claim\.json\.[\da-f-]{36}$/.test(each))) {
    const file = path.join(folder, name);
    if (isOlder(file, abandonedAfter)) rmSync(file, { force: true });
  }
}

/** Whether a file was written more than so many ms ago; false if there is none. */
function isOlder(file: string, ms: number): boolean {
  return Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > ms;
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
