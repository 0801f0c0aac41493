/** trm-lab bench: side-by-side measurements of the engines and PyTorch. */
import path from 'node:path';
import { projectRoot } from '../files.js';
import { text, flag, integer, type Command } from './command.js';
import { runNode } from './notebooks.js';

export const bench: Command = {
  name: 'bench',
  summary: 'Measure native, tfjs and PyTorch side by side in one interleaved run, every level this CPU has.',
  positionals: '',
  count: [0, 0],
  options: {
    cases: { type: 'string', value: 'A,B', about: 'a, b, c, d, e (bench/cases.mjs). Default all, with --quick a' },
    engines: { type: 'string', value: 'A,B', about: 'some of native, tfjs, pytorch. Default all' },
    levels: { type: 'string', value: 'A,B', about: 'instruction levels. Default all this CPU has' },
    pytorch: {
      type: 'string',
      value: 'A,B',
      about: 'modes of PyTorch: eager, compiled (a minute a case to compile). Default both',
    },
    rounds: { type: 'string', value: 'N', about: 'timed steps of each, 1 to 1000' },
    write: {
      type: 'boolean',
      about: 'write the record bench/results/LEVEL.json (LEVEL: the best of this CPU; its other cases are kept)',
    },
    quick: {
      type: 'boolean',
      about: 'fewest rounds, and the smallest case unless others are named: shows that it works',
    },
  },
  example: 'npm run bench -- --cases a,b --engines native,tfjs',
  minutes: 'ten minutes to an hour; it says how long before it starts',

  async run(args, out) {
    const rounds = integer(args, 'rounds', 1, 1000);
    const words = (['cases', 'engines', 'levels', 'pytorch'] as const).flatMap((name) => {
      const value = text(args, name);
      return value === undefined ? [] : [`--${name}=${value}`];
    });
    const code = await runNode(path.join(projectRoot(), 'bench', 'bench.mjs'), [
      ...words,
      ...(rounds === undefined ? [] : [`--rounds=${rounds}`]),
      ...(flag(args, 'quick') ? ['--quick'] : []),
      ...(flag(args, 'write') ? ['--write'] : []),
    ]);
    if (code !== 2) out.result({ passed: code === 0 }); // 2: the input was wrong, nothing was measured
    return code;
  },
};
