/** Which processes of this machine live. */
import { readFileSync } from 'node:fs';

/** Whether a process lives; a zombie does not. */
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
