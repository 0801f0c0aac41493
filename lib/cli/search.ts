/** trm-lab search: tries settings of an experiment on its validation split, and leaves a record of every try. */
import { InputError } from '../errors.js';
import { longNames } from '../experiment/words.js';
import { planSearch, type SearchAxis } from '../sweep/plan.js';
import { searchReport } from '../report/runs.js';
import { numberOf, type Command } from './command.js';
import { engineOptions } from './engine-options.js';
import {
  experimentOptions,
  readChanges,
  readExperiment,
  variantOption,
  wholeExperiment,
} from './experiment-options.js';
import { readField } from './settings.js';
import { sweep, sweepOptions } from './sweep-progress.js';

export const search: Command = {
  name: 'search',
  summary: 'Try settings of an experiment on its validation split. The test split is never used.',
  positionals: '<field=value|value …>',
  count: [1, 8],
  options: {
    ...experimentOptions(
      () => ({
        ...wholeExperiment,
        evaluation: { except: { split: 'a search scores validation puzzles only' } },
      }),
      'training.steps=300,task.validationPuzzles=100',
      'It needs validation puzzles, as sudoku-6x6 has them',
    ),
    variant: variantOption,
    seeds: { value: 'N', range: [1, 100], about: 'seeds 0 … N−1 of every combination. Default 1' },
    ...sweepOptions,
    ...engineOptions,
  },
  example: "search --experiment sudoku-6x6 'training.learningRate=5e-4|1e-3|2e-3' 'training.weightDecay=0.1|1'",
  minutes: 'six runs, a minute or two each',

  async run(args, out) {
    const base = readExperiment(args);
    const axes = args.positionals.map(readAxis);
    const set = readChanges(args);
    const twice = axes.find(({ part, field }) => Object.hasOwn(set[part] ?? {}, field));
    if (twice !== undefined)
      throw new InputError(
        `search --set: expected no ${twice.part}.${twice.field}, of which this search tries values; leave it out`,
      );
    const plan = planSearch(base, axes, numberOf(args, 'seeds') ?? 1);
    return sweep(plan, args, out, {
      records: 'data/search',
      reports: (records) => [searchReport(base, records)],
    });
  },
};

/** Reads "training.learningRate=5e-4|1e-3". The evaluation of a search is fixed. */
function readAxis(written: string): SearchAxis {
  const read = (item: string) => readField(item, 'search', ['task', 'model', 'training']);
  const { part, field, value } = read(written);
  const tried = value.split('|').map((each) => {
    const { parsed } = read(`${part}.${field}=${each}`);
    return Object.entries(part === 'model' ? longNames({ [field]: parsed }) : { [field]: parsed })[0];
  });
  return { part, field: tried[0]?.[0] ?? field, values: tried.map((each) => each?.[1]) };
}
