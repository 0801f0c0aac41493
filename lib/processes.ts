/** Whether a process lives, and names for files that it writes only while it does. */
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';

/** Whether a process of this machine lives; a zombie does not. */
export function isAlive(pid: number): boolean {
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

/** A name for what becomes a file or folder of this path once it is complete. */
export function temporaryName(final: string): string {
  return `${final}.${machine()}.${process.pid}.tmp`;
}

/** Whether a name is a temporary one of a process of this machine that lives no more. */
export function isAbandoned(name: string): boolean {
  const [, on, pid] = /\.([\w-]+)\.(\d+)\.tmp$/.exec(name) ?? [];
  return on === machine() && Number(pid) !== process.pid && !isAlive(Number(pid));
}

/** This machine, as part of a name: processes are numbered on each anew, folders may be shared. */
function machine(): string {
  return os.hostname().replaceAll(/[^\w-]/g, '_');
}
