/** The table of searches: how configurations were chosen. */
import { InputError } from '../errors.js';
import { differences, settingText } from '../experiment/differences.js';
import type { Experiment } from '../experiment/experiment.js';
import { experiments } from '../experiment/experiments.js';
import { finalEvaluation, quotedAccuracy, quotedPuzzles, type RunRecord } from '../experiment/record.js';
import { hashOf } from '../experiment/sealed.js';
import { taskShape } from '../experiment/task.js';
import { checkRecords } from './checks.js';
import { spreadOf } from './statistics.js';
import { haltingText, meanAndSpread, type Table } from './tables.js';

/**
 * Every try of every search, best first: its differences from the experiment as it is today, and its accuracy on
 * validation puzzles; on ARC, on validation tasks by two tries of the vote. Throws InputError for a record that was
 * scored on anything else.
 */
export function searchTable(records: readonly RunRecord[]): Table {
  checkRecords(records);
  const groups = new Map<string, RunRecord[]>();
  for (const record of records) {
    const { evaluation } = record.experiment;
    const configuration = configurationHash(record.experiment);
    if (evaluation.split !== 'validation')
      throw new InputError(
        `record ${record.id}: expected a try scored on validation puzzles, got ${evaluation.split}; a ` +
          'configuration chosen by it would be chosen by its own test',
      );
    groups.set(configuration, [...(groups.get(configuration) ?? []), record]);
  }
  const chosen = new Set(Object.values(experiments).map(configurationHash));
  const tries = [...groups.values()].map((own) => {
    const { experiment } = own[0]!;
    const base = experiments[experiment.base];
    const settings = base === undefined ? experiment.name : settingsText(base, experiment);
    const solved = own.map(quotedAccuracy);
    return {
      searched: experiment.base,
      settings,
      own,
      solved,
      taken: chosen.has(configurationHash(experiment)),
      mean: spreadOf(solved).mean,
    };
  });
  tries.sort(
    (a, b) =>
      a.searched.localeCompare(b.searched, 'en') || b.mean - a.mean || a.settings.localeCompare(b.settings, 'en'),
  );
  return {
    columns: [
      'experiment',
      'settings, where others than its own',
      'taken',
      'validation puzzles solved',
      'cells',
      'halting head',
      'puzzles',
      'seeds',
      'steps',
      'training, s',
      'runs',
    ],
    rows: tries.map(({ searched, settings, own, solved, taken }) => [
      searched,
      settings,
      taken ? 'yes' : '–',
      meanAndSpread(solved),
      meanAndSpread(own.map((record) => finalEvaluation(record).cellAccuracy.at(-1) ?? NaN)),
      haltingText(own.map(finalEvaluation)),
      Math.min(...own.map(quotedPuzzles)).toLocaleString('en'),
      String(own.length),
      own[0]?.steps.toLocaleString('en') ?? '–',
      String(Math.round(spreadOf(own.map(({ seconds }) => seconds.training)).mean)),
      own.map(({ id }) => id).join(' '),
    ]),
  };
}

function configurationHash({ task, model, training }: Experiment): string {
  return hashOf([task, model, training]);
}

/** The differences of a try from the named experiment it started from: "task.side 7, model.mixer mlp". */
function settingsText(base: Experiment, tried: Experiment): string {
  const follows = Object.keys(taskShape(base.task)); // determined by the task
  const changed = differences(base, tried)
    .filter(({ part, field }) => part !== 'evaluation' && !(part === 'model' && follows.includes(field)))
    .map(({ part, field, to }) => `${part}.${field} ${settingText(to)}`);
  return changed.length === 0 ? 'as it is' : changed.join(', ');
}
