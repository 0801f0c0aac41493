/** trm-lab notebooks: type-checks notebooks, or runs them without Jupyter. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { InputError } from '../errors.js';
import { projectRoot } from '../files.js';
import { flag, integer, type Arguments, type Command } from './command.js';

const runOnly = ({ positionals }: Arguments): string | undefined =>
  positionals[0] === 'run' ? undefined : 'expected with notebooks run only; check runs nothing';

export const notebooks: Command = {
  name: 'notebooks',
  summary: 'Check notebooks (types and traps, nothing runs) or run them headless.',
  positionals: '<check|run> [notebook or folder]…',
  count: [1, 100],
  options: {
    inplace: {
      type: 'boolean',
      about: 'run: write the outputs back into the notebooks. Default: leave them as they are',
      unread: runOnly,
    },
    timeout: {
      type: 'string',
      value: 'SECONDS',
      about: 'run: most time for one cell, 1 to 86400. Default 600',
      unread: runOnly,
    },
  },
  example: 'notebooks run notebooks/2-train.ipynb',
  minutes: 'under three minutes a notebook',

  async run(args, out) {
    const [mode = '', ...given] = args.positionals;
    if (mode !== 'check' && mode !== 'run')
      throw new InputError(`trm-lab notebooks: expected check or run, got ${mode}`);
    const targets =
      given.length > 0 ? given.map((target) => path.resolve(target)) : [path.join(projectRoot(), 'notebooks')];
    const timeout = integer(args, 'timeout', 1, 86_400);
    const code = await runNode(path.join(projectRoot(), 'scripts', 'notebooks.mjs'), [
      mode,
      ...targets,
      ...(flag(args, 'inplace') ? ['--inplace'] : []),
      ...(timeout === undefined ? [] : [`--timeout=${timeout}`]),
    ]);
    if (code !== 2) out.result({ mode, targets, passed: code === 0 }); // 2: the input was wrong, nothing ran
    return code;
  },
};

/** Runs one of the project's own scripts, its output passed through to standard error, and returns its exit code. */
export function runNode(script: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, ...environment },
    });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
