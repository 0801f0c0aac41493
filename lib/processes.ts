/** Which processes of this machine are alive. */
import { existsSync, readFileSync, readlinkSync } from 'node:fs';

const namespace = '/proc/self/ns/pid';

/** Where this process's id counts: in a container, another than outside it. Undefined where the system has no such. */
export const pidNamespace = existsSync(namespace) ? readlinkSync(namespace) : undefined;

/** Whether a process is alive; a zombie is not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // alive, but another user's
  }
  return !isZombie(pid);
}

/** Whether a process has ended but its parent has not collected it, which in a container may never happen. */
function isZombie(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return true; // it ended during the read
    if (code === 'ENOENT') return false; // not Linux
    throw error;
  }
}
