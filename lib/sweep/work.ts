/**
 * Makes one planned run in this process: claims it, resumes an earlier try, and leaves its progress and record on disk.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { EngineOptions } from '../engine/create.js';
import { StoppedError } from '../errors.js';
import { given } from '../fields.js';
import { turn } from '../progress.js';
import { writeFileAtomic } from '../write-file.js';
import type { PlannedRun } from './plan.js';
import { readRecord } from '../experiment/record.js';
import { runExperiment } from '../experiment/run.js';
import { FolderTakenError, runFiles } from '../experiment/run-folder.js';

/** One run, and where its files go. */
export interface WorkOrder {
  readonly run: PlannedRun;
  readonly id: string;
  readonly engine: EngineOptions;
  /** Checkpoints and progress of this run. */
  readonly folder: string;
  /** Folder of the finished run's record. */
  readonly records: string;
}

/** How to work. */
export interface WorkOptions {
  readonly shouldStop: () => boolean;
  /** Told now and then how much is done, 0 … 1. */
  readonly onShare: (share: number) => void;
  /** A name that only one process has at a time, such as a Slurm task, which takes over its own earlier claim. */
  readonly job?: string;
}

const tellEvery = 250; // ms
const noteEvery = 5000; // ms

/**
 * Does a run. stopped: it was asked to, and has saved; taken: another process works on it. Throws what the run throws.
 */
export async function work(
  { run, id, engine, folder, records }: WorkOrder,
  options: WorkOptions,
): Promise<'finished' | 'stopped' | 'taken'> {
  let [toldAt, notedAt, reached] = [-Infinity, -Infinity, 0];
  const note = (): void => writeFileAtomic(progressFile(folder), JSON.stringify({ share: reached }));
  try {
    const outcome = await runExperiment(run.experiment, {
      id,
      seed: run.seed,
      engine,
      folder,
      resume: true,
      ...given({ job: options.job }),
      shouldStop: options.shouldStop,
      onProgress: async ({ share }) => {
        const now = performance.now();
        reached = share;
        if (now - notedAt > noteEvery) {
          note();
          notedAt = now;
        }
        if (now - toldAt < tellEvery) return;
        toldAt = now;
        options.onShare(share);
        await turn();
      },
    });
    outcome.engine.dispose();
    note();
    if (outcome.record === undefined) return 'stopped';
    const file = runFiles(folder).record;
    readRecord(file); // a record that can't be read back is no result
    writeFileAtomic(path.join(records, `${id}.json`), readFileSync(file));
    return 'finished';
  } catch (error) {
    if (error instanceof FolderTakenError) return 'taken';
    if (error instanceof StoppedError) return 'stopped';
    throw error;
  }
}

/** Share done according to a run's folder, 0 … 1; 0 without a valid note. */
export function notedShare(folder: string): number {
  try {
    const noted = JSON.parse(readFileSync(progressFile(folder), 'utf8')) as { readonly share?: unknown } | null;
    return typeof noted?.share === 'number' && noted.share >= 0 && noted.share <= 1 ? noted.share : 0;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

function progressFile(folder: string): string {
  return path.join(folder, 'progress.json');
}
