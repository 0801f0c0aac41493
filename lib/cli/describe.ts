/** trm-lab describe: what a model is and costs, before it is trained. */
import { describe, describeText } from '../model/describe.js';
import { applyVariant, variant, variants } from '../experiment/variants.js';
import { parameterCount } from '../model/parameters.js';
import { effectiveDepth, forwardPasses } from '../model/schedule.js';
import { InputError } from '../errors.js';
import { paperConfig } from '../model/config.js';
import { flag, number, integer, type Command } from './command.js';

export const describeCommand: Command = {
  name: 'describe',
  summary: "A row of the paper's tables: schedule, shapes, parameters, depth, FLOP a step, memory, hours at the paper's scale.",
  positionals: '[variant]',
  count: [0, 1],
  options: {
    all: { type: 'boolean', about: "one line for every row of the paper's tables" },
    'batch-size': { type: 'string', value: 'N', about: 'puzzles at once, for memory and FLOP a step. Default 768' },
    gflops: { type: 'string', value: 'N', about: 'useful GFLOP/s of the machine, for the hours. Default 200' },
  },
  example: 'trm-lab describe trm',
  minutes: 'at once',

  async run(args, out) {
    const [id] = args.positionals;
    if (flag(args, 'all')) {
      for (const row of variants) {
        const config = applyVariant(paperConfig, row);
        out.line(`${row.id.padEnd(28)} ${String(parameterCount(config)).padStart(10)} parameters, depth ${String(effectiveDepth(config)).padStart(3)}, ${forwardPasses(config)} forward passes`);
      }
      out.result(variants.map((row) => ({ ...row, ...describe(applyVariant(paperConfig, row)) })));
      return 0;
    }
    if (id === undefined) throw new InputError(`trm-lab describe: expected a variant or --all; variants: ${variants.map((each) => each.id).join(', ')}`);
    const config = applyVariant(paperConfig, variant(id));
    const options = { batchSize: integer(args, 'batch-size', 1, 1e6) ?? 768, gflops: number(args, 'gflops', 0.001, 1e9) ?? 200 };
    out.line(describeText(config, options));
    out.result(describe(config, options));
    return 0;
  },
};
