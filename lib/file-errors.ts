/** File-system errors in words: an InputError where a path or a place that the user named is to blame. */
import { BrokenError, InputError, show } from './errors.js';

/** The error of a failed read: an InputError where the path is to blame, else the error unchanged. */
export function readError(error: unknown, named: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new InputError(`file not found: ${named}; check the path`);
  if (code === 'ENXIO') return new InputError(`expected a file, got a device or a socket: ${named}`);
  if (code === 'EACCES' || code === 'EPERM') return new InputError(`no permission to read ${named}`);
  if (code === 'ELOOP') return new InputError(`${named}: expected a file, got a link that leads back to itself`);
  if (code === 'ENAMETOOLONG') return new InputError(`expected a path, got one that is too long: ${show(named)}`);
  return error;
}

/**
 * The error of a failed write: an InputError where the place is to blame, else the error unchanged.
 * `named` defaults to the path that the error names.
 */
export function writeError(error: unknown, named?: string): unknown {
  const { code = '', path: at, syscall = '' } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'there is no permission to',
    EPERM: 'there is no permission to',
    EROFS: 'the disk is read-only',
    ENOTDIR: 'a part of its path is a file',
    ELOOP: 'a link in its path leads back to itself',
    ENAMETOOLONG: 'its name is too long',
    EEXIST: 'a part of its path is a file',
    EISDIR: 'a folder has this name',
    ENOTEMPTY: 'another process has put something there meanwhile',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the quota is used up',
    EFBIG: 'the file would be larger than this disk, or ulimit -f, allows',
  };
  // ENOENT is also what mkdir of a nested folder gives on a read-only disk.
  const made = syscall === 'mkdir' ? 'folder' : syscall === 'open' && named !== undefined ? 'file' : undefined;
  const reason = code === 'ENOENT' && made !== undefined ? `no ${made} can be made there` : reasons[code];
  const place = named ?? at ?? (syscall === 'write' || syscall === 'fsync' ? 'a file' : undefined);
  return reason === undefined || place === undefined || error instanceof InputError
    ? error
    : new InputError(`${place} cannot be written: ${reason}; choose another place, or make room there`);
}

/** One sentence where the input, a place to write to or a device is to blame; else the stack trace. */
export function errorText(thrown: unknown): string {
  const error = writeError(thrown);
  if (!(error instanceof Error)) return `error: ${String(error)}`;
  return error instanceof InputError || error instanceof BrokenError ? error.message : (error.stack ?? error.message);
}
