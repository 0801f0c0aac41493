/** trm-lab verify: replays the reference's fixtures on an engine and prints the largest error of every quantity. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { createEngine } from '../engine/create.js';
import { projectRoot } from '../files.js';
import { checkReference, type ReferenceReport } from '../train/reference-check.js';
import { text, type Command } from './command.js';
import { engineOptions, readEngineOptions } from './engine-options.js';

const { precision: _, ...exactOptions } = engineOptions;

export const verify: Command = {
  name: 'verify',
  summary: "Compare an engine with PyTorch's numbers: logits, latents, losses, gradients, parameters and evaluation.",
  positionals: '',
  count: [0, 0],
  options: {
    fixture: {
      value: 'FILE',
      about: 'one fixture (.safetensors, with its .json next to it). Default: all in test/reference',
    },
    ...exactOptions,
  },
  example: 'verify --engine tfjs --backend wasm --fixture test/reference/trm-mlp.safetensors',
  minutes: 'seconds',

  async run(args, out) {
    const given = text(args, 'fixture');
    const folder = path.join(projectRoot(), 'test', 'reference');
    const files =
      given === undefined
        ? readdirSync(folder)
            .filter((name) => name.endsWith('.safetensors'))
            .sort()
            .map((name) => path.join(folder, name))
        : [path.resolve(given)];
    const options = { ...readEngineOptions(args), precision: 'float32' } as const; // as the fixtures are
    const reports: ReferenceReport[] = [];
    for (const file of files) {
      const report = await checkReference(file, (config) => createEngine(config, options));
      reports.push(report);
      out.line(`${report.passed ? 'ok  ' : 'FAIL'} ${report.name} on ${report.engine}`);
      for (const { quantity, error, tolerance, passed } of report.quantities) {
        out.line(
          `     ${passed ? ' ' : '✗'} ${quantity.padEnd(28)} largest error ${error.toExponential(1)}  (tolerance ` +
            `${tolerance.toExponential(0)})`,
        );
      }
    }
    const failed = reports.filter((report) => !report.passed).length;
    out.line(`${reports.length - failed} of ${reports.length} fixtures agree with PyTorch`);
    out.result(reports);
    return failed === 0 ? 0 : 1;
  },
};
