#!/usr/bin/env node
/** The command line: finds the command, reads its arguments, and turns errors into exit codes. */
import { commands } from './cli/commands.js';
import { helpText, readArguments, row, type Command, type Out } from './cli/command.js';
import { BrokenError, didYouMean, InputError, StoppedError } from './errors.js';
import { errorText, readError, writeError } from './file-errors.js';
import { kitCommand } from './files.js';
import { kitVersion } from './experiment/provenance.js';
import { endProgressLine } from './progress.js';

/** Columns of help lines: the terminal's, within a readable range. */
const columns = Math.min(120, Math.max(80, process.stdout.columns ?? 120));

/** Exit codes: 0 done, 1 a check failed or the run broke, 2 the input was wrong. */
async function main(argv: readonly string[]): Promise<number> {
  goWhereUserIs();
  const [first, second] = argv;
  const isHelp = first === 'help' || first === '--help';
  const [name, ...rest] = isHelp && second !== undefined ? [second, '--help'] : argv;
  if (name === undefined || name === '--help' || name === 'help') {
    process.stdout.write(overview());
    return 0;
  }
  if (name === '--version') {
    process.stdout.write(`${kitVersion()}\n`);
    return 0;
  }
  const names = commands.map((each) => each.name);
  const command = commands.find((each) => each.name === name);
  if (command === undefined)
    throw new InputError(`unknown command ${name}${didYouMean(name, names)}; expected one of ${names.join(', ')}`);
  const args = readArguments(command, rest);
  if (args.options['help'] === true) {
    process.stdout.write(`${helpText(command, columns)}\n`);
    return 0;
  }
  return command.run(args, output(args.options['json'] === true));
}

/** npm starts its scripts in the project's folder, but a user's paths count from the user's folder. */
function goWhereUserIs(): void {
  const { npm_lifecycle_event: script, INIT_CWD: start } = process.env;
  delete process.env['INIT_CWD']; // the programs that are started from here have places of their own
  if (script === 'trm' && start !== undefined) {
    try {
      process.chdir(start);
    } catch (error) {
      throw readError(error, start);
    }
  }
  try {
    process.cwd(); // Node caches the answer, so a run survives the removal of its folder
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new InputError('expected to be started in a folder, got one that is gone; go to another one: cd ~');
  }
}

function output(json: boolean): Out {
  return {
    json,
    line: (text) => {
      if (json) return;
      endProgressLine();
      process.stdout.write(`${text}\n`);
    },
    result: (value) => {
      if (!json) return;
      endProgressLine();
      process.stdout.write(`${JSON.stringify(value, null, 1)}\n`);
    },
    note: (text) => {
      endProgressLine();
      process.stderr.write(`${text}\n`);
    },
  };
}

function overview(): string {
  const width = Math.max(...commands.map((command: Command) => command.name.length));
  const lines = commands.map(({ name, summary }) => row(`${name.padEnd(width)}  `, summary, columns));
  return [
    `${kitCommand} <command> [options]`,
    '',
    ...lines,
    '',
    '<command> --help shows its options, an example and how long it takes.',
    '',
  ].join('\n');
}

// A reader that closes the pipe early (| head) has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`error: ${errorText(writeError(error, 'standard output'))}\n`);
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

// Progress that cannot be shown, as its terminal is gone or the disk of its log is full, ends no run.
process.stderr.on('error', () => undefined);

main(process.argv.slice(2))
  .finally(endProgressLine)
  .then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      const wrongInput = writeError(error) instanceof InputError;
      const named = wrongInput || (error instanceof BrokenError && !(error instanceof StoppedError));
      process.stderr.write(`${named ? 'error: ' : ''}${errorText(error)}\n`);
      process.exitCode = wrongInput ? 2 : 1;
    },
  );
