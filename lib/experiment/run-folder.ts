/** The folder of a run: claimed while a process works in it, and never shared by two runs. */
import { existsSync, linkSync, rmSync } from 'node:fs';
import path from 'node:path';
import { InputError, within } from '../errors.js';
import { isObject } from '../fields.js';
import { clearAbandoned, lacksLinks, writeFileAtomic } from '../write-file.js';
import { openBytes } from '../checkpoint/file-bytes.js';
import { readMetadata } from '../checkpoint/safetensors-file.js';
import { snapshotExtra } from '../train/snapshot.js';
import { claim, holderText, type Claim } from './claim.js';
import { changesText, parts } from './differences.js';
import { readRecord, type RunRecord } from './record.js';

/** What a run leaves in its folder. */
export interface RunFiles {
  /** The last checkpoint. */
  readonly state: string;
  /** The last two regular checkpoints: after an overflow, the run may still be sound there. */
  readonly recent: string;
  readonly earlier: string;
  readonly model: string;
  readonly record: string;
  /** The learning curve once more, as CSV. */
  readonly curve: string;
  /** The learning curve as TensorBoard event files in a folder, if asked for. */
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

/** A run's name, experiment and seed. */
export type NamedRun = Pick<RunRecord, 'id' | 'experiment' | 'seed'>;

/**
 * Claims the folder of a run, creating it if needed, and removes files that killed processes left half written. `job`:
 * see claim. Throws FolderTakenError if a living process holds it, InputError if a file with the name of one of this
 * run's belongs to another run, or to none.
 */
export function takeFolder(folder: string, run: NamedRun, job?: string): Claim {
  const held = claim(folder, job);
  if (held === undefined)
    throw new FolderTakenError(
      `${folder}: ${holderText(folder)} works on a run there; wait for it, or choose another folder`,
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

/** The content of a file in parts: Node cannot read 2 GiB at once. */
function* contentOf(file: string): Generator<Uint8Array> {
  const bytes = openBytes(file);
  try {
    const most = 2 ** 26;
    for (let at = 0; at < bytes.size; at += most) yield bytes.read(at, Math.min(most, bytes.size - at));
  } finally {
    bytes.close();
  }
}

/** The run that a file belongs to; a model's file states no settings. Throws InputError for a damaged file. */
function ownerOf(kind: 'state' | 'model' | 'record', file: string): Partial<NamedRun> {
  if (kind === 'record') return readRecord(file);
  const toStartOver = 'to start over, delete this file';
  if (kind === 'state') {
    const extra = within(toStartOver, () => snapshotExtra(file));
    return isObject(extra) && typeof extra['id'] === 'string' ? (extra as Partial<NamedRun>) : {};
  }
  const { run: id } = within(toStartOver, () => readMetadata(file));
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
