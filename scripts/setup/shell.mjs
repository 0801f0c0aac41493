/**
 * How set-up talks and runs programs: one line a step, a sign of life while it lasts, the whole output in a log file.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Where logs and the lock of set-up lie; safe to delete. */
export const stateFolder = path.join(root, '.cache');

export const windows = process.platform === 'win32';

let quiet = false;

/** If quiet, steps with nothing to do print nothing. */
export function setQuiet(value) {
  quiet = value;
}

/** Prints one line of news. */
export function say(text) {
  process.stdout.write(`${text}\n`);
}

/** Prints a line that only matters to somebody who asked for set-up. */
export function sayUnlessQuiet(text) {
  if (!quiet) say(text);
}

export function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

/** A failure of a program that set-up ran: what it was, how it ended, the end of its output, where the rest is. */
export class CommandError extends Error {
  constructor(command, ending, log) {
    super(`${command}: ${ending}\n${indent(tail(log, 15))}\n  whole output: ${path.relative(process.cwd(), log)}`);
  }
}

/**
 * Runs a program with its output in .cache/logs/<name>.log and, when it lasts, one line of progress every ten seconds.
 * The program ends with this process.
 * @param {string} name what it is for; names the log file
 * @param {string[]} argv program and arguments; no shell reads them
 * @param {{env?: object, cwd?: string, timeoutSeconds?: number}} [options]
 * @returns {Promise<string>} the output
 * @throws {CommandError} if it does not start, ends with another code than 0, or takes longer than the time limit
 */
export async function run(name, argv, { env = {}, cwd = root, timeoutSeconds = 3600 } = {}) {
  const [program, ...args] = argv;
  const command = [path.basename(program), ...args.slice(0, 3)].join(' ');
  const logFolder = path.join(stateFolder, 'logs');
  mkdirSync(logFolder, { recursive: true });
  const log = path.join(logFolder, `${name}.log`);
  const output = openSync(log, 'w');
  const started = Date.now();
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', output, output] });
  closeSync(output);
  const end = () => child.kill();
  process.once('exit', end);
  const progress = setInterval(() => say(`    ${name}: ${seconds(started)} so far, ${lastLine(log)}`), 10_000);
  const limit = setTimeout(() => child.kill('SIGKILL'), timeoutSeconds * 1000);
  try {
    const ending = await new Promise((resolve) => {
      child.on('error', (error) => resolve(error.message));
      child.on('exit', (code, signal) =>
        resolve(code === 0 ? '' : signal ? `ended by ${signal}` : `exit code ${code}`),
      );
    });
    if (ending !== '') throw new CommandError(command, ending, log);
    return readFileSync(log, 'utf8');
  } finally {
    clearInterval(progress);
    clearTimeout(limit);
    process.off('exit', end);
  }
}

/** The first of the programs that starts and answers `args` with code 0, or undefined. */
export function firstThatRuns(programs, args) {
  return programs.find((program) => spawnSync(program, args, { stdio: 'ignore', timeout: 20_000 }).status === 0);
}

/** The programs to try for Python: PYTHON if set, else the usual names. */
export function pythonCandidates() {
  const chosen = process.env.PYTHON;
  return chosen ? [chosen] : windows ? ['python', 'python3'] : ['python3', 'python'];
}

function tail(file, count) {
  return readFileSync(file, 'utf8').trimEnd().split(/\r?\n/).slice(-count).join('\n');
}

/** What the program printed last, short: pip and cargo redraw their line with carriage returns. */
function lastLine(log) {
  if (statSync(log).size === 0) return 'no output yet';
  const lines = readFileSync(log, 'utf8')
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== '');
  return (lines.at(-1) ?? '').trim().slice(0, 90);
}

function indent(text) {
  return text.replace(/^/gm, '  | ');
}
