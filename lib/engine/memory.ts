/** Memory: how much this process may use, and the refusal of what needs more. */
import os from 'node:os';
import { InputError } from '../errors.js';

/** Bytes that this process may use: the machine's memory, or its control group's limit if that is lower. */
export function memoryLimit(): number {
  const limit = process.constrainedMemory(); // if unlimited: 0, or more than any machine has
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
}

/**
 * Throws InputError if something would take more bytes than `limit`; a process that tried would be killed.
 * `whose` names the owner of the memory in the message.
 */
export function checkMemory(
  what: string,
  bytes: number,
  remedy: string,
  limit = memoryLimit(),
  whose = 'this process may use',
): void {
  if (bytes > limit)
    throw new InputError(
      `${what}: expected to need at most the ${gigabytes(limit)} of memory that ${whose}, ` +
        `got ${gigabytes(bytes)}; ${remedy}`,
    );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toLocaleString('en', { maximumFractionDigits: 1 })} GB`;
}
