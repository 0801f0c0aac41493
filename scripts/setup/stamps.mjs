/** When a step of set-up is up to date: a stamp file holds the fingerprint of the inputs it was made from. */
import { createHash } from 'node:crypto';
import {
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { root, say, stateFolder } from './shell.mjs';

/**
 * A hash of the contents of files and folders and of further values (versions, paths) that decide what a step makes.
 * @param {string[]} inputs paths relative to the project; a missing one counts as missing
 * @param {unknown[]} values anything JSON can hold
 * @param {string} folder what the paths are relative to
 */
export function fingerprint(inputs, values = [], folder = root) {
  const hash = createHash('sha256').update(JSON.stringify(values));
  for (const input of inputs) {
    for (const file of filesUnder(path.join(folder, input))) {
      hash.update(`\0${path.relative(folder, file)}\0`).update(readFileSync(file));
    }
  }
  return hash.digest('hex');
}

/** Build output inside source folders: never an input. */
const notSources = new Set(['target', 'node_modules']);

function filesUnder(file) {
  if (!existsSync(file)) return [];
  if (!statSync(file).isDirectory()) return [file];
  return readdirSync(file)
    .filter((name) => !notSources.has(name) && !name.endsWith('.node') && !name.endsWith('.tmp'))
    .sort()
    .flatMap((name) => filesUnder(path.join(file, name)));
}

/**
 * @returns {{fingerprint: string, outcome: string, note: string} | undefined} what the step left behind, if anything
 */
export function readStamp(file) {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // cut short by a crash: do the step again
    throw error;
  }
}

/** Writes the stamp of a finished step, atomically. */
export function writeStamp(file, stamp) {
  mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(stamp)}\n`);
  renameSync(temporary, file);
}

/**
 * Runs `work` while no other set-up of this folder runs. A second one waits; the lock of a dead process is removed.
 * @template T
 * @param {() => Promise<T>} work
 * @param {string} lock the lock file
 * @returns {Promise<T>}
 */
export async function alone(work, lock = path.join(stateFolder, 'setup.lock')) {
  mkdirSync(path.dirname(lock), { recursive: true });
  for (let announced = false; !tryLock(lock); await new Promise((resolve) => setTimeout(resolve, 200))) {
    if (isAbandoned(lock)) removeAbandoned(lock);
    else if (!announced) {
      say(`Another set-up of this folder is running (process ${lockOwner(lock) ?? 'unknown'}); waiting for it.`);
      announced = true;
    }
  }
  const release = () => rmSync(lock, { force: true });
  const stop = () => process.exit(130);
  process.once('exit', release);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    release();
  }
}

/** The lock is placed with its content in it, so that a set-up that is killed right here leaves no empty one. */
function tryLock(lock) {
  const written = `${lock}.${process.pid}.new`;
  writeFileSync(written, String(process.pid));
  try {
    return placeNew(written, lock);
  } finally {
    rmSync(written, { force: true });
  }
}

/** Links a file under a second name, or copies it where links are impossible; false if that name is taken. */
function placeNew(from, to, place = linkSync) {
  try {
    place(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    if (place === linkSync && ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(error.code))
      return placeNew(from, to, (...names) => copyFileSync(...names, constants.COPYFILE_EXCL));
    throw error;
  }
}

/** Whether a lock's process is gone. A lock without a process is given time, since copying takes a moment. */
function isAbandoned(lock) {
  const owner = lockOwner(lock);
  // In a container that was restarted, this process may have the id of one that was killed.
  if (owner !== undefined) return owner === process.pid || !isRunning(owner);
  const written = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  return written !== undefined && Date.now() - written > 5000;
}

/** Removes the lock of a process that is gone; puts it back if another set-up has just taken it. */
function removeAbandoned(lock) {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
    if (!isAbandoned(aside)) placeNew(aside, lock);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error; // another was faster
  } finally {
    rmSync(aside, { force: true });
  }
}

/** The process that wrote the lock; undefined where that is not in it, or it has just gone. */
function lockOwner(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    return pid > 0 ? pid : undefined;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM'; // somebody else's process: running
  }
}
