/** The folder of a run: claimed while it is worked on, and only ever one run's. */
import { existsSync, linkSync, rmSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../errors.js';
import { isObject } from '../fields.js';
import { clearAbandoned, lacksLinks, writeFileAtomic } from '../write-file.js';
import { openBytes } from '../checkpoint/file-bytes.js';
import { readMetadata } from '../checkpoint/safetensors-file.js';
import { snapshotExtra } from '../train/snapshot.js';
import { claim, type Claim } from './claim.js';
import { changesText, parts } from './differences.js';
import { readRecord, type RunRecord } from './record.js';

/** What a run leaves in its folder. */
export interface RunFiles {
  /** The last checkpoint. */
  readonly state: string;
  /** The last regular one, and the one before it: where a run whose numbers overflow was still sound. */
  readonly recent: string;
  readonly earlier: string;
  readonly model: string;
  readonly record: string;
  /** The learning curve once more, as CSV. */
  readonly curve: string;
  /** And, where it was asked for, as a folder of TensorBoard's event files. */
  readonly events: string;
}

/** Another process works in the folder. */
export class FolderTakenError extends InputError {}

/** Where a run's files lie. */
export function runFiles(folder: string): RunFiles {
  return {
    state: path.join(folder, 'state.safetensors'),
    recent: path.join(folder, 'state-recent.safetensors'),
    earlier: path.join(folder, 'state-earlier.safetensors'),
    model: path.join(folder, 'model.safetensors'),
    record: path.join(folder, 'record.json'),
    curve: path.join(folder, 'curve.csv'),
    events: path.join(folder, 'tensorboard'),
  };
}

/** A run's name, and what a person set of it. */
export type NamedRun = Pick<RunRecord, 'id' | 'experiment' | 'seed'>;

/**
 * Claims the folder of a run, creating it if needed, and removes what killed processes left there half written.
 * `job`: see claim. Throws FolderTakenError if a living process holds it, InputError if a file of another run, or of
 * none, has the name of one of this run's.
 */
export function takeFolder(folder: string, run: NamedRun, job?: string): Claim {
  const held = claim(folder, job);
  if (held === undefined)
    throw new FolderTakenError(
      `${folder}: another process works on a run there; wait for it, or choose another folder`,
    );
  try {
    clearAbandoned(folder);
    for (const kind of ['state', 'model', 'record'] as const) {
      const file = runFiles(folder)[kind];
      const owner = existsSync(file) ? ownerOf(kind, file) : run;
      if (owner.id !== run.id)
        throw new InputError(
          `${file}: expected a ${kind} of run ${run.id}, got one of ${owner.id ?? 'no run'}` +
            `${changedSince(run, owner)}; choose another folder`,
        );
    }
    const { curve, state, record } = runFiles(folder);
    if (existsSync(curve) && !existsSync(state) && !existsSync(record))
      throw new InputError(`${curve}: expected no file that no run has made, since a run writes one; move it away`);
    return held;
  } catch (error) {
    held.release();
    throw error;
  }
}

/** Gives a file a second name, which keeps its content when the first one gets another. */
export function keepAs(file: string, name: string, link: (file: string, name: string) => void = linkSync): void {
  rmSync(name, { force: true });
  try {
    link(file, name);
  } catch (error) {
    if (!lacksLinks(error)) throw error;
    writeFileAtomic(name, contentOf(file));
  }
}

/** What a file holds, in parts: Node reads no file of 2 GiB whole. */
function* contentOf(file: string): Generator<Uint8Array> {
  const bytes = openBytes(file);
  try {
    const most = 2 ** 26;
    for (let at = 0; at < bytes.size; at += most) yield bytes.read(at, Math.min(most, bytes.size - at));
  } finally {
    bytes.close();
  }
}

/** The run that a file says it is of; a model's file has no settings. Throws InputError for a damaged one. */
function ownerOf(kind: 'state' | 'model' | 'record', file: string): Partial<NamedRun> {
  if (kind === 'record') return readRecord(file);
  if (kind === 'state') {
    const extra = snapshotExtra(file);
    return isObject(extra) && typeof extra['id'] === 'string' ? (extra as Partial<NamedRun>) : {};
  }
  const { run: id } = readMetadata(file);
  return id === undefined ? {} : { id };
}

/** What this run changes in another one: "; changed since: training.steps 60 → 80". */
function changedSince({ experiment, seed }: NamedRun, other: Partial<NamedRun>): string {
  const { experiment: theirs } = other;
  if (!isObject(theirs) || !parts.every((part) => isObject(theirs[part]))) return '';
  const changes = [changesText(theirs, experiment), seed === other.seed ? '' : `seed ${other.seed} → ${seed}`];
  const told = changes.filter((each) => each !== '').join(', ');
  return told === '' ? ' on other puzzles, or from other weights' : `; changed since: ${told}`;
}
