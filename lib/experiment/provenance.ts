/** Where a run was made: versions, commit, machine, engine. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Engine } from '../engine/engine.js';
import { projectRoot } from '../files.js';
import type { Sitting } from './record.js';

/** The kit's version, from package.json. */
export function kitVersion(): string {
  return (JSON.parse(readFileSync(path.join(projectRoot(), 'package.json'), 'utf8')) as { version: string }).version;
}

/** Version and commit of this process. Read at its start, since the checkout may change meanwhile. */
export function kitAtWork(): Pick<Sitting, 'version' | 'commit'> {
  return { version: kitVersion(), commit: commit() };
}

/** A sitting that ends now; `from` and `to` are optimizer steps. */
export function sittingOf(kit: ReturnType<typeof kitAtWork>, engine: Engine, from: number, to: number): Sitting {
  const cpus = os.cpus();
  return {
    from,
    to,
    ...kit,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    engine: engine.description,
    threads: engine.threads,
    precision: engine.precision,
    finishedAt: new Date().toISOString(),
  };
}

/** The checked-out commit, "+changes" if the tree differs from it, null outside a git checkout. */
function commit(): string | null {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: projectRoot(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const clean = git('status', '--porcelain', '--untracked-files=no') === '';
    return `${git('rev-parse', 'HEAD')}${clean ? '' : '+changes'}`;
  } catch (error) {
    // No git, or no checkout (an unpacked archive): both are ordinary.
    if (error instanceof Error) return null;
    throw error;
  }
}
