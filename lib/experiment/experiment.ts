/** An experiment as plain data: a task, a model, its training and its evaluation, at a stated scale. */
import { InputError, show } from '../errors.js';
import {
  anyObject,
  checkFields,
  isObject,
  listOf,
  objectOf,
  oneOf,
  optional,
  orNull,
  text,
  whole,
  type FieldCheck,
  type Fields,
} from '../fields.js';
import { checkConfig, type ModelConfig } from '../model/config.js';
import { checkTraining, type TrainingOptions } from '../train/options.js';
import { arcVote, checkClosing, type ClosingEvaluation } from './closing.js';
import { changeTask, shapeIsInFile, taskShape, type Task } from './task.js';
import { applyVariant, variant } from './variants.js';
import { longNames, type ModelChanges } from './words.js';

/** How much an experiment costs; tables never mix scales. */
export type Scale = (typeof scales)[number];

const scales = ['smoke', 'laptop', 'desk', 'paper'] as const;

/** When a run is evaluated, and on how many puzzles. */
export interface EvaluationPlan {
  /** Which puzzles to score: test, on which no choice is based, or validation, on which configurations are chosen. */
  readonly split: 'test' | 'validation';
  /** Optimizer steps between evaluations; 0 for only the final one. */
  readonly every: number;
  /** Puzzles scored at each evaluation during training; 0, or more than there are, means all. */
  readonly puzzles: number;
  /** Puzzles scored at the final evaluation; 0, or more than there are, means all. */
  readonly finalPuzzles: number;
  /** Unaugmented training puzzles scored at each of these evaluations too; at most all. Absent: none. */
  readonly trainingPuzzles?: number;
  /** Additional evaluations of the final model (closing.ts). */
  readonly closing: readonly ClosingEvaluation[];
}

/** One experiment; with a seed, it fixes a run. */
export interface Experiment {
  readonly name: string;
  readonly about: string;
  readonly scale: Scale;
  /** The named experiment that this one is or was changed from (experiments.ts). */
  readonly base: string;
  /** Id of the row of the paper's tables that this experiment reproduces (variants.ts), or null. */
  readonly variant: string | null;
  /** The case of a failure mode that this experiment was made for (failure-modes.ts), or null. */
  readonly failureMode: string | null;
  readonly task: Task;
  readonly model: ModelConfig;
  readonly training: TrainingOptions;
  readonly evaluation: EvaluationPlan;
}

/** Changes to an experiment: any fields of its parts. */
export interface ExperimentChanges {
  readonly name?: string;
  /** A row of the paper's tables by its id: its model and training, under other changes; null: no row any more. */
  readonly variant?: string | null;
  readonly failureMode?: string | null;
  readonly task?: Readonly<Record<string, unknown>>;
  readonly model?: ModelChanges;
  readonly training?: Partial<TrainingOptions>;
  readonly evaluation?: Partial<EvaluationPlan>;
}

/** Allowed values of each field of an evaluation plan; checkClosing checks the list `closing`. */
export const evaluationFields: Fields<EvaluationPlan> = {
  split: oneOf('test', 'validation'),
  every: whole(0),
  puzzles: whole(0),
  finalPuzzles: whole(0),
  trainingPuzzles: optional(whole(1)),
  closing: listOf(anyObject),
};
const nameForFiles: FieldCheck = (value) =>
  /^(?!\.+$)[^/\\\p{Cc}]{1,100}$/u.test(String(value))
    ? text(value)
    : 'a name without slashes, of at most 100 characters on one line';

/** What an experiment consists of; change checks its parts further. */
const experimentFields: Fields<Experiment> = {
  name: nameForFiles,
  about: text,
  scale: oneOf(...scales),
  base: text,
  variant: orNull(text),
  failureMode: orNull(text),
  task: objectOf({ kind: text }),
  model: anyObject,
  training: anyObject,
  evaluation: anyObject,
};

/** The check of a value that has the parts of an experiment. */
export const anyExperiment = objectOf(experimentFields);

const changesOfPart = optional((value) => (isObject(value) ? undefined : 'an object of changes'));
const textOrNull = optional(orNull(text));
const changeFields: Fields<ExperimentChanges> = {
  name: optional(nameForFiles),
  variant: textOrNull,
  failureMode: textOrNull,
  task: changesOfPart,
  model: changesOfPart,
  training: changesOfPart,
  evaluation: changesOfPart,
};

/**
 * The same experiment with other values. What the task fixes (vocabulary, length, puzzle ids) follows the task.
 * Throws InputError for unknown fields and impossible values.
 */
export function change(base: Experiment, changes: ExperimentChanges): Experiment {
  return changed(base, changes, taskShape);
}

function changed(
  base: Experiment,
  changes: ExperimentChanges,
  shapeOf: (task: Task) => ReturnType<typeof taskShape>,
): Experiment {
  checkFields('experiment', changes, changeFields);
  if (!isObject(base))
    throw new InputError(`experiment: expected one, such as experiment('sudoku-6x6'), got ${show(base)}`);
  checkFields('experiment', base, experimentFields);
  const task = changeTask(base.task, changes.task ?? {});
  // A base's closing evaluations suit its own kind of task only.
  const closing = task.kind === base.task.kind ? {} : { closing: task.kind === 'arc' ? [arcVote] : [] };
  const plan = { ...base.evaluation, ...closing, ...changes.evaluation };
  const evaluation = checkFields('evaluation', plan, evaluationFields);
  checkClosing(evaluation.closing, task);
  const row = typeof changes.variant === 'string' ? variant(changes.variant) : undefined;
  if (row !== undefined && base.variant !== null)
    throw new InputError(
      `experiment.variant: expected none on ${base.name}, which is row ${base.variant} already, got ${row.id}; ` +
        'a row is a change of a plain base',
    );
  const model = row === undefined ? base.model : applyVariant(base.model, row);
  return {
    ...base,
    name: changes.name ?? (row === undefined ? base.name : `${base.name}-${row.id}`),
    variant: changes.variant === undefined ? base.variant : changes.variant,
    failureMode: changes.failureMode === undefined ? base.failureMode : changes.failureMode,
    task,
    model: changeModel(model, longNames({ ...changes.model }), shapeOf(task)),
    training: checkTraining({ ...base.training, ...row?.training, ...changes.training }),
    evaluation,
  };
}

/**
 * A model with the sizes of its task, and the given changes. Throws InputError for a change that the task overrules,
 * that the model does not read, or that gives attention without saying its positions.
 */
function changeModel(model: ModelConfig, own: Partial<ModelConfig>, shape: ReturnType<typeof taskShape>): ModelConfig {
  for (const [field, size] of Object.entries(shape) as [keyof typeof shape, number][])
    if (own[field] !== undefined && own[field] !== size)
      throw new InputError(`model.${field}: expected ${size}, which its task fixes, got ${show(own[field])}`);
  if (model.mixer === 'mlp' && own.mixer === 'attention' && own.positions === undefined && model.positions === 'none')
    throw new InputError(
      'model.mixer attention: expected model.positions beside it: rotary, as in the paper, learned, or none, with ' +
        'which attention cannot tell cells apart',
    );
  const whole = { ...model, ...own };
  for (const field of unread(whole))
    if (own[field] !== undefined && own[field] !== model[field])
      throw new InputError(
        `model.${field}: expected none beside ${
          whole.schedule === undefined
            ? 'recursion direct, which makes no recursions'
            : 'a schedule, which says what is called'
        }, got ${show(own[field])}`,
      );
  return checkConfig({ ...model, ...shape, ...own });
}

/** Fields that a model ignores if it has its own schedule or no recursion. */
function unread({ schedule, recursion }: Pick<ModelConfig, 'schedule' | 'recursion'>): (keyof ModelConfig)[] {
  return schedule !== undefined || recursion === 'direct' ? ['deepRecursions', 'latentRecursions', 'gradient'] : [];
}

/** Throws InputError unless this is an experiment that `change` could have made. */
export function checkExperiment(candidate: Experiment): void {
  change(candidate, {});
}

/**
 * The same for the experiment of a record. A file that its task names is not opened, since it may have moved or changed
 * since: the model keeps the sizes that it had.
 */
export function checkRecorded(candidate: Experiment): void {
  changed(candidate, {}, (task) => {
    const { vocabSize, sequenceLength, puzzleIds } = candidate.model;
    return shapeIsInFile(task) ? { vocabSize, sequenceLength, puzzleIds } : taskShape(task);
  });
}
