/** Tables beside the paper's: what the failures that teach came to, and how configurations were chosen. */
import { InputError } from '../errors.js';
import { differences } from '../experiment/differences.js';
import { experiments, type Experiment } from '../experiment/experiment.js';
import { failures, type Failure } from '../sweep/failures.js';
import { finalEvaluation, hashOf, quotedAccuracy, quotedPuzzles, type RunRecord } from '../experiment/record.js';
import { taskShape } from '../experiment/task.js';
import { pairedTest, spreadOf } from './statistics.js';
import { meanAndSpread, type Table } from './tables.js';

/** Rows of the lessons that have records at a scale: how many puzzles were solved in each case, and how long training ones were thought about. */
export function failuresTable(records: readonly RunRecord[], scale: string): Table {
  const rows = failures.flatMap((failure) => {
    const looks = failure.looks.map(({ label, run, score }) => ({
      label,
      // A row of Table 5 has its task's name before it, so only names that end in the run are its records.
      seen: records
        .filter(
          ({ experiment }) =>
            experiment.scale === scale &&
            experiment.name.endsWith(`-${run}`) &&
            isLessonTask(failure, experiment.task.kind),
        )
        .flatMap((record) => {
          const evaluation = score(record);
          return evaluation === undefined ? [] : [{ record, evaluation }];
        }),
    }));
    return looks.every(({ seen }) => seen.length === 0) ? [] : looks.map((look) => ({ ...look, failure }));
  });
  return {
    columns: [
      'lesson',
      'case',
      'puzzles solved',
      'seeds',
      'puzzles',
      'supervision steps in training',
      'found in',
      'runs',
    ],
    rows: rows.map(({ failure, label, seen }) => [
      failure.id,
      label,
      meanAndSpread(seen.map(({ evaluation }) => evaluation.exactAccuracy.at(-1) ?? NaN)),
      seen.length === 0 ? '–' : String(seen.length),
      seen[0] === undefined ? '–' : seen[0].evaluation.puzzles.toLocaleString('en'),
      stepsAtTheEnd(seen.map(({ record }) => record)),
      failure.source,
      seen.map(({ record }) => record.id).join(' '),
    ]),
  };
}

/** The questions of the lessons, below the table. */
export function failureNotes(): string[] {
  return failures.map(({ id, question, source }) => `**${id}** (${source}): ${question}`);
}

/**
 * Every try of every search, best first: how its settings differ from the experiment's of today, and what came of them on
 * validation puzzles, of ARC on validation tasks by two tries of the vote. Throws InputError for a record that was scored on anything else.
 */
export function searchTable(records: readonly RunRecord[]): Table {
  const groups = new Map<string, RunRecord[]>();
  for (const record of records) {
    const { evaluation } = record.experiment;
    const configuration = configurationHash(record.experiment);
    if (evaluation.split !== 'validation')
      throw new InputError(
        `record ${record.id}: expected a try scored on validation puzzles, got ${evaluation.split}; a configuration chosen by it would be chosen by its own test`,
      );
    groups.set(configuration, [...(groups.get(configuration) ?? []), record]);
  }
  const chosen = new Set(Object.values(experiments).map(configurationHash));
  const tries = [...groups.values()].map((own) => {
    const { experiment } = own[0]!;
    const base = searchedFrom(experiment.name);
    const settings = base === undefined ? experiment.name : differencesText(base, experiment);
    const solved = own.map(quotedAccuracy);
    return {
      searched: base?.name ?? '–',
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

/** The named experiment that a try started from: names of tries begin with it. */
function searchedFrom(name: string): Experiment | undefined {
  const bases = Object.values(experiments).filter((base) => name === base.name || name.startsWith(`${base.name}-`));
  return bases.sort((a, b) => b.name.length - a.name.length)[0];
}

/**
 * "task.side 7, model.mixer mlp": what sets a try apart from the named experiment that it started from;
 * what the task fixes of the model follows it.
 */
function differencesText(base: Experiment, tried: Experiment): string {
  const follows = Object.keys(taskShape(base.task));
  const changed = differences(base, tried)
    .filter(({ part, field }) => part !== 'evaluation' && !(part === 'model' && follows.includes(field)))
    .map(({ part, field, to }) => `${part}.${field} ${settingText(to)}`);
  return changed.length === 0 ? 'as it is' : changed.join(', ');
}

/** Lists, such as a curriculum, as they are written on the command line. */
function settingText(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? 'none');
}

/** Runs that were made twice, with the same experiment and seed, in two precisions: [runs in bf16, the same in float32], by experiment. */
export function precisionPairs(
  records: readonly RunRecord[],
  again: readonly RunRecord[],
): { readonly name: string; readonly bf16: readonly RunRecord[]; readonly float32: readonly RunRecord[] }[] {
  const pairs = again.flatMap((float32) => {
    const bf16 = records.find(({ id }) => id === float32.id);
    if (float32.provenance.precision !== 'float32')
      throw new InputError(
        `data/precision: expected records of float32 runs, got ${float32.id} in ${float32.provenance.precision}`,
      );
    return bf16?.provenance.precision === 'bf16' ? [{ bf16, float32 }] : [];
  });
  return [...new Set(pairs.map(({ bf16 }) => bf16.experiment.name))].map((name) => {
    const own = pairs.filter(({ bf16 }) => bf16.experiment.name === name);
    return { name, bf16: own.map((pair) => pair.bf16), float32: own.map((pair) => pair.float32) };
  });
}

/** Does bfloat16 learn as float32 does? Puzzles solved at each evaluation, both precisions, and a paired test over seeds. */
export function precisionTable(records: readonly RunRecord[], again: readonly RunRecord[]): Table {
  return {
    columns: ['experiment', 'steps', 'bf16', 'float32', 'bf16 − float32, points', 'p', 'seeds', 'puzzles', 'runs'],
    rows: precisionPairs(records, again).flatMap(({ name, bf16, float32 }) =>
      (bf16[0]?.evaluations ?? []).map(({ step, puzzles }, i) => {
        const [left, right] = [bf16, float32].map((own) =>
          own.map(({ evaluations }) => evaluations[i]?.exactAccuracy.at(-1) ?? NaN),
        ) as [number[], number[]];
        const test = pairedTest(left, right);
        return [
          name,
          step.toLocaleString('en'),
          meanAndSpread(left),
          meanAndSpread(right),
          test === null ? '–' : (100 * test.difference).toFixed(1),
          test === null ? '–' : test.p.toFixed(3),
          String(left.length),
          puzzles.toLocaleString('en'),
          bf16.map(({ id }) => id).join(' '),
        ];
      }),
    ),
  };
}

/** Puzzles solved by how hard their source rates them, where runs asked for it (probe rating-bands): one row a model and band. */
export function ratingsTable(records: readonly RunRecord[]): Table {
  const byName = new Map<string, RunRecord[]>();
  for (const record of records)
    if (bandsOf(record).length > 0)
      byName.set(record.experiment.name, [...(byName.get(record.experiment.name) ?? []), record]);
  return {
    columns: ['experiment', 'scale', 'solver’s rating', 'puzzles', 'solved', 'seeds', 'runs'],
    rows: [...byName].flatMap(([name, own]) =>
      [...new Set(own.flatMap(bandsOf))].map((band) => {
        const seen = own.flatMap((record) => record.probes?.[band] ?? []);
        return [
          name,
          own[0]?.experiment.scale ?? '',
          band.replace('rating ', ''),
          seen[0]?.puzzles.toLocaleString('en') ?? '–',
          meanAndSpread(seen.map(({ exactAccuracy }) => exactAccuracy.at(-1) ?? NaN)),
          String(seen.length),
          own.map(({ id }) => id).join(' '),
        ];
      }),
    ),
  };
}

function bandsOf({ probes = {} }: RunRecord): string[] {
  return Object.keys(probes).filter((name) => name.startsWith('rating '));
}

/** A table without its last column, the run ids, which are for files that are read by machines. */
export function withoutRuns({ columns, rows }: Table): Table {
  return { columns: columns.slice(0, -1), rows: rows.map((row) => row.slice(0, -1)) };
}

function isLessonTask({ id }: Failure, kind: string): boolean {
  return (id === 'puzzle-id') === (kind === 'arc');
}

/** Supervision steps that a training puzzle took before it left, over the last tenth of the training; "–" where none left. */
function stepsAtTheEnd(records: readonly RunRecord[]): string {
  const steps = records.flatMap(({ curve }) =>
    curve.slice(-Math.ceil(curve.length / 10)).flatMap(({ meanSteps }) => meanSteps ?? []),
  );
  return steps.length === 0 ? '–' : spreadOf(steps).mean.toFixed(1);
}
