/** Whether a process lives, and names for files that it writes only while it does. */
import { readFileSync } from 'node:fs';
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
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return true; // it ended while it was looked at
    if (code === 'ENOENT') return false; // not Linux
    throw error;
  }
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
