/** What these tests share: batches at a step, a distance, and a look at the worker processes. */
import { execFileSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import type { TrainRequest } from '../../lib/engine/engine.js';
import { workerFile } from '../../lib/engine/torch/worker.js';
import type { ModelConfig } from '../../lib/model/config.js';
import { request as randomRequest } from '../engine/small.js';

export { odd, update } from '../engine/small.js';

/** A batch at a step: seats are new at step 0 only, and puzzles share rows. */
export function request(config: ModelConfig, batchSize: number, step: number): TrainRequest {
  return {
    ...randomRequest(config, batchSize, step),
    puzzleIds: Int32Array.from({ length: batchSize }, (_, seat) => (seat + step) % config.puzzleIds),
    reset: new Uint8Array(batchSize).fill(step === 0 ? 1 : 0),
    last: Uint8Array.from({ length: batchSize }, (_, seat) => seat % 2),
  };
}

/** Root mean square of the difference, relative to that of the second. */
export function distance(mine: Float32Array, theirs: Float32Array): number {
  const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return norm(mine.map((value, i) => value - theirs[i]!)) / Math.max(norm(theirs), 1e-9);
}

/** Workers of this process that were seen: they stay its own when their parents are gone. */
const seen = new Set<number>();

/**
 * Processes below this one that run the worker, torchrun's among them, and those that did when last looked for: their
 * ids and command lines. Another test run may have workers of its own meanwhile.
 */
export function workers(): { readonly pid: number; readonly line: string }[] {
  const processes = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => {
      const [, pid, parent] = /^\s*(\d+)\s+(\d+)/.exec(line) ?? [];
      return { pid: Number(pid), parent: Number(parent), line };
    });
  const parents = new Map(processes.map(({ pid, parent }) => [pid, parent]));
  const isOwn = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined; at = parents.get(at))
      if (at === process.pid || seen.has(at)) return true;
    return false;
  };
  const own = processes.filter(({ pid, line }) => line.includes(workerFile) && isOwn(pid));
  for (const { pid } of own) seen.add(pid);
  return own.map(({ pid, line }) => ({ pid, line }));
}

/** Waits until none of these processes is left; returns those that are after `seconds`. */
export async function left(seconds = 30): Promise<string[]> {
  for (let tries = 0; workers().length > 0 && tries < seconds * 10; tries++) await setTimeout(100);
  return workers().map(({ line }) => line);
}
