/** The part of trm-lab describe that lists all experiments and settings. */
import { readFileSync } from 'node:fs';
import { runCost } from '../experiment/cost.js';
import { evaluationFields } from '../experiment/experiment.js';
import { experiments } from '../experiment/experiments.js';
import { taskFields } from '../experiment/task.js';
import { given, type Fields } from '../fields.js';
import { modelFields, paperConfig } from '../model/config.js';
import { prefixed } from '../model/describe.js';
import { parameterCount } from '../model/parameters.js';
import { paperTraining, trainingFields } from '../train/options.js';
import type { Out } from './command.js';

/** Every experiment with what it is, its parameters, and the FLOP of one run. */
export function listExperiments(out: Out): void {
  const rows = Object.values(experiments).map((experiment) => {
    const { name, about, scale, model } = experiment;
    const { training, evaluation } = runCost(experiment);
    return { name, about, scale, parameters: parameterCount(model), flop: training + evaluation };
  });
  for (const { name, about, scale, parameters, flop } of rows)
    out.line(`${name}: ${scale}, ${parameters.toLocaleString('en')} parameters, ${prefixed(flop)}FLOP\n  ${about}`);
  out.result(rows);
}

/** One field that --set and --config change. */
interface Setting {
  /** Its full name, e.g. training.steps. */
  readonly name: string;
  /** The kind of task that has it; absent for the other parts. */
  readonly kind?: string;
  readonly values: string;
  /** Its value in the paper's Sudoku run; absent without one. */
  readonly paper?: unknown;
  readonly meaning: string;
}

/** Lists every setting with its values, the paper's value if there is one, and its meaning. */
export function listSettings(out: Out): void {
  const tasks = Object.entries(taskFields).flatMap(([kind, fields]) =>
    settingsOf('task', fields, taskDocs[kind as keyof typeof taskDocs], {}).map((each) => ({ ...each, kind })),
  );
  const settings: Setting[] = [
    ...settingsOf('model', modelFields, ['model/config', 'ModelConfig'], paperConfig),
    ...settingsOf('training', trainingFields, ['train/options', 'TrainingOptions'], paperTraining),
    ...settingsOf('evaluation', evaluationFields, ['experiment/experiment', 'EvaluationPlan'], {}),
    ...tasks,
  ];
  for (const { name, kind, values, paper, meaning } of settings) {
    const head = [`${name}: ${values}`, ...(paper === undefined ? [] : [`the paper ${String(paper)}`])];
    out.line(`${head.join('; ')}${kind === undefined ? '' : ` (kind ${kind})`}\n  ${meaning}`);
  }
  out.line(
    'A setting that you leave out keeps its value in the experiment. describe --experiments lists the experiments.',
  );
  out.result(settings);
}

/** The file and type whose comments explain the fields of each kind of task. */
const taskDocs = {
  sudoku: ['data/sudoku-sets', 'SudokuSetOptions'],
  maze: ['data/maze-sets', 'MazeSetOptions'],
  arc: ['data/arc-sets', 'ArcSetOptions'],
  folder: ['experiment/task', 'FolderTask'],
} as const satisfies Readonly<Record<keyof typeof taskFields, readonly [string, string]>>;

const impossible = Symbol('a value that no field takes');

function settingsOf(
  part: string,
  fields: Fields,
  [file, type]: readonly [string, string],
  paper: object,
): readonly Setting[] {
  const meanings = commentsOf(file, type);
  return Object.entries(fields).map(([field, check]): Setting => {
    const meaning = meanings.get(field);
    if (meaning === undefined) throw new Error(`${type}: no comment says what ${field} means`);
    return {
      name: `${part}.${field}`,
      values: check(impossible) ?? 'any value',
      ...given({ paper: (paper as Readonly<Record<string, unknown>>)[field] }),
      meaning,
    };
  });
}

/** The comments on a type's fields, from the declaration file that the compiler writes next to the code. */
function commentsOf(file: string, type: string): ReadonlyMap<string, string> {
  const declared = readFileSync(new URL(`../${file}.d.ts`, import.meta.url), 'utf8');
  const [, body = ''] = new RegExp(`interface ${type} [^{]*\\{\\n([^]*?)\\n\\}`).exec(declared) ?? [];
  const fields = [...body.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*readonly (\w+)/g)];
  return new Map(
    fields.map(([, comment = '', field = '']) => [
      field,
      comment
        .replace(/\n\s*\*/g, ' ')
        .replace(/\s+/g, ' ')
        .trim(),
    ]),
  );
}
