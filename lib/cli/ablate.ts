/** trm-lab ablate: the runs behind one of the paper's tables, with seeds. */
import { given } from '../fields.js';
import { paperTableReport } from '../report/runs.js';
import { planTable, tableBases, type PaperTable } from '../sweep/plan.js';
import { choice, flag, numberOf, text, type Command } from './command.js';
import { engineOptions } from './engine-options.js';
import { sweep, sweepOptions } from './sweep-progress.js';

export const ablate: Command = {
  name: 'ablate',
  summary:
    "Complete one of the paper's tables: every row with several seeds, several runs at once. Recorded runs count " +
    '(without --records, those in data/runs); only the missing ones run.',
  positionals: '',
  count: [0, 0],
  options: {
    table: {
      value: 'N',
      range: [1, 5],
      about: '1 ablations, 2 latents, 3 recursions, 4 models on Sudoku and mazes, 5 models on ARC. Default 1',
    },
    scale: {
      value: 'NAME',
      about: 'smoke (seconds), laptop (minutes a run), desk (an hour or two a run) or paper (days). Default laptop',
    },
    seeds: { value: 'N', range: [1, 100], about: 'seeds 0 … N−1 of every row. Default 3' },
    only: { value: 'ID,…', about: 'only these rows, by the ids of describe --all' },
    base: { value: 'NAME', about: 'only this one of the experiments that the table runs on' },
    'equal-cost': {
      about: 'instead, run the rows that cost less per step, with more steps: the same total FLOP as the first row',
    },
    ...sweepOptions,
    ...engineOptions,
  },
  example: 'ablate --table 1 --seeds 3 --records runs/my-table-1',
  minutes: 'about 25 minutes on two cores; Ctrl-C stops it, the same command continues',

  async run(args, out) {
    const scale = choice(args, 'scale', ['smoke', 'laptop', 'desk', 'paper']) ?? 'laptop';
    const table = (numberOf(args, 'table') ?? 1) as PaperTable;
    const only = text(args, 'only')?.split(',');
    const budget = flag(args, 'equal-cost') ? 'cost' : 'steps';
    const chosen = { budget, ...given({ base: text(args, 'base') }) } as const;
    const plan = planTable(table, scale, numberOf(args, 'seeds') ?? 3, only, chosen);
    return sweep(plan, args, out, {
      records: 'data/runs',
      reports: (_, all) =>
        tableBases(table, scale)
          .filter(({ name }) => name === (chosen.base ?? name))
          .map((each) => paperTableReport(table, each, all)),
    });
  },
};
