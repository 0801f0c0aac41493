/** Which runs a question needs: a table's rows at a scale, or the points of a search, each with its seeds. */
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
import { puzzlesAskedFor } from '../experiment/task.js';
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

/** A run that is wanted. */
export interface PlannedRun {
  readonly experiment: Experiment;
  readonly seed: number;
}

/** The paper's tables whose rows are models trained on puzzles. */
export type PaperTable = PaperRow['table'];

/**
 * What each table is tried on, by scale. maze-10x10 is not among Table 4's: at its budget no row would solve a maze.
 * Three of Table 4's rows are Table 1's, so at desk scale it has mazes alone.
 * Table 1 asks what recursion is worth, so its base has the paper's n = 6; Tables 2 and 3 would cost days.
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

/** Throws InputError for what is no plan. */
export function checkPlan(plan: readonly PlannedRun[]): void {
  checkValue('plan', plan, listOf(objectOf({ experiment: anyExperiment, seed: whole(0) })));
}

/** The scales at which there are experiments for a table. */
export function scalesOfTable(table: PaperTable): Scale[] {
  return (Object.keys(tableTasks) as Scale[]).filter((scale) => tableTasks[scale][table].length > 0);
}

/**
 * The experiments that a table's rows are variants of, at a scale. Throws InputError for what is no table, no scale, or
 * none of that table's.
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
  /** cost: in place of the rows those that cost less a step, with as many steps as cost what the base's do. */
  readonly budget?: 'steps' | 'cost';
  /** The name of the only base to take; default all. */
  readonly base?: string;
}

const choiceFields: Fields<TableChoice> = { budget: optional(oneOf('steps', 'cost')), base: optional(text) };

/**
 * The runs of one table: every row on every base, for `seeds` seeds from 0. Seeds are the outer loop, so that each seed
 * completes the table. One seed gives all rows the same puzzles in the same order, and the same initial weights where
 * names and shapes agree. `only`: the ids of the rows to take. Throws InputError for an id that is not in the table,
 * and for no number of seeds.
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

/** Every experiment with each seed from 0; a seed's runs come together. Throws InputError for no number of seeds. */
function withSeeds(planned: readonly Experiment[], seeds: number): PlannedRun[] {
  checkCounts({ seeds });
  return Array.from({ length: seeds }, (_, seed) => planned.map((experiment) => ({ experiment, seed }))).flat();
}

/** What is run for a row: itself, and at the base's rate too; nothing where another row's runs score it. */
function rowRuns(base: Experiment, row: Variant, rows: readonly Variant[]): Experiment[] {
  const scored = row.rawWeightsOf !== undefined && rawWeightsIn(base.evaluation) !== undefined;
  if (scored && rows.some(({ id }) => id === row.rawWeightsOf)) return [];
  return [rowExperiment(base, row), ...[atBaseRate(base, row) ?? []].flat()];
}

/**
 * Seeds that a table's plan asks for (docs/plan-laptop-tables.md, docs/plan-desk-tables.md); orderings are judged when
 * all are there.
 */
const seedPlans: Readonly<Record<string, Partial<Record<PaperTable, number>>>> = {
  'sudoku-6x6-study': { 1: 10, 2: 5, 3: 5, 4: 5 },
  'maze-11x11-study': { 4: 5 },
  'arc-10x10-study': { 5: 5 },
  'sudoku-extreme-desk-study': { 1: 3 },
  'maze-hard-desk': { 4: 1 },
};

/** Seeds that the plan has for rows at equal cost. */
export const equalCostSeeds = 5;

/** Seeds that the plan of a table has for a row; undefined where there is no plan. */
export function plannedSeeds(table: PaperTable, { base }: Pick<Experiment, 'base'>): number | undefined {
  return seedPlans[base]?.[table];
}

/** Whether the plan of a table has a seed: one beyond it is not looked at, whatever it would say. */
export function isPlannedSeed(table: PaperTable, { base }: Pick<Experiment, 'base'>, seed: number): boolean {
  return seed < (plannedSeeds(table, { base }) ?? Infinity);
}

const row: FieldCheck = (value) =>
  typeof value === 'string' || isObject(value) ? undefined : 'the id of a row, or changes with a name';

/** A row of an ablation: one of the paper's variants by its id, or changes of one's own under a name. */
export type AblationRow = string | (ExperimentChanges & { readonly name: string });

/**
 * The runs of an ablation of one's own: the base, then every row, each with all seeds; a seed's rows come together. One
 * seed gives all rows the same puzzles in the same order. Throws InputError for an unknown variant or field, an
 * impossible value, a name that is taken or no file's, and for seeds that are not whole numbers from 0, each once.
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
 * set. Throws InputError if the base keeps no validation puzzles, for a field or a value that is given twice, and for
 * no number of seeds.
 */
export function planSearch(base: Experiment, axes: readonly SearchAxis[], seeds: number): PlannedRun[] {
  checkExperiment(base);
  checkValue('axes', axes, listOf(anyObject));
  if (puzzlesAskedFor(base.task, 'validation') === 0)
    throw new InputError(
      `search on ${base.name}: expected a task with validation puzzles, got none; ` +
        `set task.${base.task.kind === 'arc' ? 'validationTasks' : 'validationPuzzles'}`,
    );
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
  return withSeeds(points, seeds);
}

/** The runs of failure modes with seeds from 0: of all, or of those named. Throws InputError as the others. */
export function planFailureModes(
  scale: Scale,
  seeds: number,
  only?: Parameters<typeof failureModeRuns>[1],
): PlannedRun[] {
  return withSeeds(failureModeRuns(scale, only), seeds);
}
