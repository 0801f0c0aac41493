/** trm-lab describe: what a model is and costs, before it is trained. */
import { describe, describeText } from '../model/describe.js';
import { measuredSpeed } from '../experiment/cost.js';
import { applyVariant, paperOddities, publishedTasks, variant, variants } from '../experiment/variants.js';
import { modelTable, taskTable } from '../report/model-table.js';
import { toMarkdown } from '../report/tables.js';
import { paperTraining } from '../train/options.js';
import { InputError } from '../errors.js';
import { paperConfig, type ModelConfig } from '../model/config.js';
import {
  anyNumber,
  choice,
  flag,
  numberOf,
  text,
  unreadWhere,
  type Arguments,
  type Command,
  type Option,
} from './command.js';
import { measuredNow } from './cost.js';
import { listExperiments, listSettings } from './describe-lists.js';
import { engineOptions, readEngineOptions } from './engine-options.js';

const tasks = ['sudoku', 'maze', 'arc'] as const satisfies readonly (keyof typeof publishedTasks)[];

const oneModel: Readonly<Record<string, Option>> = {
  task: {
    value: 'NAME',
    about: 'sudoku, maze (30×30) or arc (30×30): use the sizes, n and steps of that published run. Default sudoku',
  },
  'batch-size': { value: 'N', range: [1, 1e6], about: 'puzzles at once, for memory and FLOP a step. Default 768' },
  gflops: {
    value: 'N',
    range: [0.001, anyNumber],
    fraction: true,
    about: 'useful GFLOP/s, for the hours. Default: measured on this machine over a few training steps of this model',
  },
  ...unreadWhere(
    (args) =>
      text(args, 'gflops') === undefined
        ? undefined
        : 'expected no --gflops with it: with --gflops nothing is measured',
    engineOptions,
  ),
};

const lists = ['all', 'experiments', 'settings'] as const;

export const describeCommand: Command = {
  name: 'describe',
  summary:
    "Describe a row of the paper's tables: schedule, shapes, parameters, depth, FLOP a step, memory, " +
    "hours at the paper's scale on this machine. Or list all rows, experiments or settings.",
  positionals: '[variant]',
  count: [0, 1],
  options: {
    ...unreadWhere(
      (args) =>
        args.positionals.length > 0
          ? 'expected no variant with it'
          : lists.filter((name) => flag(args, name)).length > 1
            ? 'expected one list at a time'
            : undefined,
      {
        all: { about: "list every row of the paper's tables: our counts next to the paper's numbers" },
        experiments: { about: 'list every experiment: what it is, its parameters and its FLOP' },
        settings: {
          about: 'list every setting that --set changes: allowed values, the paper’s value, and its meaning',
        },
      },
    ),
    ...unreadWhere((args) => {
      const list = lists.find((name) => flag(args, name));
      return list === undefined ? undefined : `expected a variant with it, not --${list}`;
    }, oneModel),
  },
  example: 'describe trm',
  minutes: 'seconds; immediate with --gflops or for a list',

  async run(args, out) {
    const [id] = args.positionals;
    if (flag(args, 'all')) {
      const { table, notes } = modelTable();
      out.line(toMarkdown(table));
      out.line('');
      out.line(`Trainable parameters on each task\n\n${toMarkdown(taskTable())}\n`);
      notes.forEach((note, i) => out.line(`[${i + 1}] ${note}`));
      out.line(`\nOn the paper itself:\n${paperOddities.map((each) => `* ${each}`).join('\n')}`);
      out.result(variants.map((row) => ({ ...row, ...describe(applyVariant(paperConfig, row)) })));
      return 0;
    }
    if (flag(args, 'experiments')) {
      listExperiments(out);
      return 0;
    }
    if (flag(args, 'settings')) {
      listSettings(out);
      return 0;
    }
    if (id === undefined)
      throw new InputError(
        'describe: expected a variant, --all, --experiments or --settings; ' +
          `variants: ${variants.map((each) => each.id).join(', ')}`,
      );
    const row = variant(id);
    const { model, steps, label } = publishedTasks[choice(args, 'task', tasks) ?? 'sudoku'];
    const config = applyVariant({ ...paperConfig, ...model }, row);
    const given = numberOf(args, 'gflops');
    const batchSize = numberOf(args, 'batch-size') ?? 768;
    if (given === undefined) out.note(`measuring this machine's speed on a few puzzles of this size`);
    const gflops = given ?? (await measuredGflops(config, args));
    const options = { batchSize, steps, gflops };
    out.line(`${row.id}, ${label}: ${row.tests}`);
    out.line(describeText(config, options));
    if (given === undefined) out.line(`\n${measuredNow}`);
    const notes = [
      row.note,
      ...row.rows.map(({ footnote, label: where, table }) =>
        footnote === undefined ? undefined : `Table ${table}, ${where}: ${footnote}`,
      ),
    ].filter((note) => note !== undefined);
    if (notes.length > 0) out.line(`\nnotes\n${notes.map((note) => `  ${note}`).join('\n')}`);
    out.result({ ...describe(config, options), gflops, measured: given === undefined });
    return 0;
  },
};

/** This machine's speed on a model of the paper, to three digits. */
async function measuredGflops(model: ModelConfig, args: Arguments): Promise<number> {
  const { flopPerSecond } = await measuredSpeed({ model, training: paperTraining }, readEngineOptions(args));
  return Number((flopPerSecond / 1e9).toPrecision(3));
}
