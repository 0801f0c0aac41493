/** Plans the runs of a table at a scale, of an ablation, a search or the failure modes, each with its seeds. */
import { didYouMean, InputError, show } from '../errors.js';
import { rawWeightsIn } from '../experiment/closing.js';
import {
  anyExperiment,
  change,
  checkExperiment,
  type Experiment,
  type ExperimentChanges,
  type Scale,
} from '../experiment/experiment.js';
import { experiments } from '../experiment/experiments.js';
import { failureModeRuns } from '../experiment/failure-modes.js';
import { puzzlesAskedFor, settingFor } from '../experiment/task.js';
import { atBaseRate, atEqualCost, rowExperiment } from '../experiment/rows.js';
import {
  anyObject,
  checkCounts,
  checkFields,
  checkValue,
  isObject,
  listOf,
  objectOf,
  oneOf,
  optional,
  text,
  type FieldCheck,
  type Fields,
  whole,
} from '../fields.js';
import { rowsOfTable, variant, type PaperRow, type Variant } from '../experiment/variants.js';

/** A planned run. */
export interface PlannedRun {
  readonly experiment: Experiment;
  readonly seed: number;
}

/** The paper's tables whose rows are models trained on puzzles. */
export type PaperTable = PaperRow['table'];

/**
 * The experiments each table is run on, by scale. Table 4 leaves out maze-10x10, whose budget is too small to solve any
 * maze. At desk scale, Table 4 has mazes alone, since three of its rows are Table 1's; the base of Table 1 has the
 * paper's n = 6, since that table measures recursion; Tables 2 and 3 would take days.
 */
const tableTasks: Readonly<Record<Scale, Readonly<Record<PaperTable, readonly string[]>>>> = {
  smoke: { 1: ['sudoku-smoke'], 2: ['sudoku-smoke'], 3: ['sudoku-smoke'], 4: ['sudoku-smoke'], 5: ['arc-smoke'] },
  laptop: {
    1: ['sudoku-6x6-study'],
    2: ['sudoku-6x6-study'],
    3: ['sudoku-6x6-study'],
    4: ['sudoku-6x6-study', 'maze-11x11-study'],
    5: ['arc-10x10-study'],
  },
  desk: {
    1: ['sudoku-extreme-desk-study'],
    2: [],
    3: [],
    4: ['maze-hard-desk'],
    5: [],
  },
  paper: {
    1: ['sudoku-extreme-paper'],
    2: ['sudoku-extreme-paper'],
    3: ['sudoku-extreme-paper'],
    4: ['sudoku-extreme-paper', 'maze-hard-paper'],
    5: ['arc1-paper', 'arc2-paper'],
  },
};

/** Throws InputError unless this is a plan. */
export function checkPlan(plan: readonly PlannedRun[]): void {
  checkValue('plan', plan, listOf(objectOf({ experiment: anyExperiment, seed: whole(0) })));
}

/** The scales that have experiments for a table. */
export function scalesOfTable(table: PaperTable): Scale[] {
  return (Object.keys(tableTasks) as Scale[]).filter((scale) => tableTasks[scale][table].length > 0);
}

/**
 * The experiments that a table's rows are variants of, at a scale. Throws InputError for an unknown table or scale, and
 * for a scale without such experiments.
 */
export function tableBases(table: PaperTable, scale: string): Experiment[] {
  rowsOfTable(table); // refuses other tables
  if (!Object.hasOwn(tableTasks, scale))
    throw new InputError(`scale: expected one of ${Object.keys(tableTasks).join(', ')}, got ${scale}`);
  const scales = scalesOfTable(table);
  if (!scales.includes(scale as Scale))
    throw new InputError(
      `table ${table} at scale ${scale}: expected one of the scales ${scales.join(', ')}, ` +
        'for which there is an experiment',
    );
  return tableTasks[scale as Scale][table].map((name) => {
    const base = experiments[name];
    if (base === undefined) throw new Error(`table ${table} at scale ${scale} names an unknown experiment ${name}`);
    return base;
  });
}

/** Which runs of a table are meant. */
export interface TableChoice {
  /** cost: instead of all rows, those cheaper per step, with more steps so that each costs as much as the base. */
  readonly budget?: 'steps' | 'cost';
  /** The name of the only base to take; default all. */
  readonly base?: string;
}

const choiceFields: Fields<TableChoice> = { budget: optional(oneOf('steps', 'cost')), base: optional(text) };

/**
 * The runs of one table: every row on every base, with seeds 0 … `seeds` − 1. Seeds are the outer loop, so that each
 * seed completes the table. All rows with one seed get the same puzzles in the same order, and the same initial weights
 * where names and shapes agree. `only`: the ids of the rows to take. Throws InputError for an id that is not in the
 * table, and unless `seeds` is a whole number of at least 1.
 */
export function planTable(
  table: PaperTable,
  scale: Scale,
  seeds: number,
  only?: readonly string[],
  choice: TableChoice = {},
): PlannedRun[] {
  const { budget = 'steps', base: onlyBase } = checkFields('choice', choice, choiceFields);
  checkValue('only', only, optional(listOf(text, 1)));
  const all = tableBases(table, scale);
  const bases = all.filter(({ name }) => onlyBase === undefined || name === onlyBase);
  if (bases.length === 0)
    throw new InputError(
      `table ${table} at scale ${scale}: expected a base among ${all.map(({ name }) => name).join(', ')}, ` +
        `got ${onlyBase}${didYouMean(
          onlyBase ?? '',
          all.map(({ name }) => name),
        )}`,
    );
  const ids = [...new Set(rowsOfTable(table).map(({ variant: { id } }) => id))];
  const unknown = (only ?? []).filter((id) => !ids.includes(id));
  if (unknown.length > 0)
    throw new InputError(
      `table ${table}: expected rows among ${ids.join(', ')}, ` +
        `got ${unknown.map((id) => `${id}${didYouMean(id, ids)}`).join(', ')}`,
    );
  const rows = ids.filter((id) => only === undefined || only.includes(id)).map(variant);
  const planned = bases.flatMap((base) =>
    rows.flatMap((row) => (budget === 'steps' ? rowRuns(base, row, rows) : [atEqualCost(base, row) ?? []].flat())),
  );
  if (planned.length === 0)
    throw new InputError(
      `table ${table} at scale ${scale}: expected rows that are run at equal cost, got none among ${ids.join(', ')}`,
    );
  return withSeeds(planned, seeds);
}

/** Every experiment with each seed from 0, grouped by seed. Throws InputError unless `seeds` is a whole number ≥ 1. */
function withSeeds(planned: readonly Experiment[], seeds: number): PlannedRun[] {
  checkCounts({ seeds });
  return Array.from({ length: seeds }, (_, seed) => planned.map((experiment) => ({ experiment, seed }))).flat();
}

/** The runs of a row: at its own rate, and also at its base's; none if another row's runs score its raw weights. */
function rowRuns(base: Experiment, row: Variant, rows: readonly Variant[]): Experiment[] {
  const scored = row.rawWeightsOf !== undefined && rawWeightsIn(base.evaluation) !== undefined;
  if (scored && rows.some(({ id }) => id === row.rawWeightsOf)) return [];
  return [rowExperiment(base, row), ...[atBaseRate(base, row) ?? []].flat()];
}

/**
 * Number of seeds in each table's plan (docs/plan-laptop-tables.md, docs/plan-desk-tables.md). Orderings are judged
 * once all are there.
 */
const seedPlans: Readonly<Record<string, Partial<Record<PaperTable, number>>>> = {
  'sudoku-6x6-study': { 1: 10, 2: 5, 3: 5, 4: 5 },
  'maze-11x11-study': { 4: 5 },
  'arc-10x10-study': { 5: 5 },
  'sudoku-extreme-desk-study': { 1: 3 },
  'maze-hard-desk': { 4: 1 },
};

/** Number of seeds in the plan for rows at equal cost. */
export const equalCostSeeds = 5;

/** Number of seeds in the plan of a table; undefined without a plan. */
export function plannedSeeds(table: PaperTable, { base }: Pick<Experiment, 'base'>): number | undefined {
  return seedPlans[base]?.[table];
}

/** Whether a seed is in the plan of a table. Runs with further seeds are ignored, whatever their results. */
export function isPlannedSeed(table: PaperTable, { base }: Pick<Experiment, 'base'>, seed: number): boolean {
  return seed < (plannedSeeds(table, { base }) ?? Infinity);
}

const row: FieldCheck = (value) =>
  typeof value === 'string' || isObject(value) ? undefined : 'the id of a row, or changes with a name';

/** A row of an ablation: the id of one of the paper's variants, or your own changes under a name. */
export type AblationRow = string | (ExperimentChanges & { readonly name: string });

/**
 * The runs of your own ablation: the base and every row, each with all seeds, grouped by seed. All rows with one seed
 * get the same puzzles in the same order. Throws InputError for an unknown variant or field, an impossible value, a
 * name that is taken or unfit for a file, for a base that is scored on validation puzzles and has none, and unless the
 * seeds are distinct whole numbers from 0.
 */
export function planAblation(
  base: Experiment,
  rows: readonly AblationRow[],
  seeds: readonly number[] = [0, 1],
): PlannedRun[] {
  const expected = listOf(whole(0), 1)(seeds);
  if (expected !== undefined || new Set(seeds).size < seeds.length)
    throw new InputError(`seeds: expected ${expected ?? 'each seed once'}, got ${show(seeds)}`);
  checkExperiment(base);
  if (base.evaluation.split === 'validation') checkValidation(`ablation of ${base.name}`, base);
  checkValue('ablation', rows, listOf(row));
  const changed = rows.map((row) =>
    change(base, typeof row === 'string' ? { variant: row } : { variant: null, ...row }),
  );
  const planned = [base, ...changed];
  const names = planned.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new InputError(`ablation: expected every row to have a name of its own, got ${twice} twice`);
  return seeds.flatMap((seed) => planned.map((experiment) => ({ experiment, seed })));
}

/** Throws InputError unless a task has validation puzzles. */
function checkValidation(what: string, { task }: Experiment): void {
  if (puzzlesAskedFor(task, 'validation') === 0)
    throw new InputError(
      `${what}: expected a task with validation puzzles, got none; ${settingFor(task, 'validation')}` +
        'name another experiment, such as sudoku-6x6',
    );
}

/** One axis of a search: a field such as training.learningRate, and the values to try. */
export interface SearchAxis {
  readonly part: 'task' | 'model' | 'training';
  readonly field: string;
  readonly values: readonly unknown[];
}

const axisFields: Fields<SearchAxis> = {
  part: oneOf('task', 'model', 'training'),
  field: text,
  values: listOf(() => undefined, 1),
};

/**
 * The runs of a search: every combination of the axes' values, always scored on the validation split, never on the test
 * set. Throws InputError if a run keeps no validation puzzles, for a field or a value that is given twice, and for no
 * number of seeds.
 */
export function planSearch(base: Experiment, axes: readonly SearchAxis[], seeds: number): PlannedRun[] {
  checkExperiment(base);
  checkValue('axes', axes, listOf(anyObject));
  const tried = new Set<string>();
  for (const axis of axes) {
    checkFields('axis of a search', axis, axisFields);
    const { part, field, values } = axis;
    if (tried.has(`${part}.${field}`))
      throw new InputError(`search: expected ${part}.${field} once, got it twice; write all its values in one`);
    tried.add(`${part}.${field}`);
    if (new Set(values.map((value) => JSON.stringify(value))).size < values.length)
      throw new InputError(`search: expected different values of ${part}.${field}, got ${show(values)}`);
  }
  const combinations = axes.reduce<ExperimentChanges[]>(
    (sofar, { part, field, values }) =>
      sofar.flatMap((changes) => values.map((value) => ({ ...changes, [part]: { ...changes[part], [field]: value } }))),
    [{}],
  );
  const points = combinations.map((changes) =>
    change(base, { ...changes, name: `${base.base}-search`, evaluation: { split: 'validation' } }),
  );
  for (const point of points) checkValidation(`search on ${base.name}`, point);
  return withSeeds(points, seeds);
}

/** The runs of all failure modes, or of those in `only`, with seeds from 0. Throws InputError as the other plans do. */
export function planFailureModes(
  scale: Scale,
  seeds: number,
  only?: Parameters<typeof failureModeRuns>[1],
): PlannedRun[] {
  return withSeeds(failureModeRuns(scale, only), seeds);
}
