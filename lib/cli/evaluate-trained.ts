/**
 * The part of trm-lab evaluate that says what a checkpoint was trained on: whether the puzzles to score are among its
 * training puzzles, and whether ARC tasks have the puzzle ids that it learned.
 */
import { isDeepStrictEqual } from 'node:util';
import { isArcDataset } from '../data/arc-sets.js';
import { someOf, type Dataset } from '../data/dataset.js';
import { kindOfSet } from '../data/forms.js';
import { overlapOf, type Overlap } from '../data/overlap.js';
import { InputError } from '../errors.js';
import type { OpenModel } from '../experiment/open.js';
import type { Task } from '../experiment/task.js';
import { plural } from '../words.js';
import { namedTask, type ChosenData } from './evaluate-task.js';
import { loadShown } from './experiment-options.js';

/** What is known of the training puzzles. */
export interface TrainedOn {
  readonly line: string;
  readonly overlap?: Overlap;
}

/** Most puzzles to score, and most training puzzles, that are compared: together they take ten seconds at most. */
const mostScored = 10_000;
const mostTrained = 30_000;

/**
 * Whether a checkpoint was trained on the puzzles to score, as they stand or in disguise. Undefined for its own task,
 * whose splits share none, and for puzzles other than Sudokus and mazes. Throws StoppedError where `shouldStop` says
 * so.
 */
export async function trainedOn(
  { metadata }: Pick<OpenModel, 'metadata'>,
  { dataset, from }: ChosenData,
  shouldStop: () => boolean,
  puzzles = dataset.examples,
): Promise<TrainedOn | undefined> {
  if (kindOfSet(dataset) === 'other') return undefined;
  const unknown = (reason: string): TrainedOn => ({
    line: `it is not known whether the model was trained on some of these puzzles: ${reason}`,
  });
  const { trainSha256, start } = metadata;
  if (start !== undefined) return unknown('its training started from the weights of another model');
  try {
    const own = namedTask(metadata);
    if (own === undefined) return unknown('the checkpoint names no task');
    const asOwn = isDeepStrictEqual(from?.task, own) ? from : undefined;
    if (asOwn === undefined && 'trainPuzzles' in own && own.trainPuzzles > mostTrained)
      return unknown(tooMany(own.trainPuzzles));
    const train = asOwn?.train ?? (await trainingSet(own, shouldStop));
    if (trainSha256 !== undefined && train.sha256 !== trainSha256)
      return unknown(`the files that ${train.name} is made of have changed since`);
    if (asOwn !== undefined && own.kind !== 'folder') return undefined; // the splits of a folder are the user's
    if (train.examples > mostTrained) return unknown(tooMany(train.examples));
    const few = Math.min(puzzles, mostScored);
    return compared(train, few < dataset.examples ? someOf(dataset, [...Array(few).keys()]) : dataset, puzzles);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return unknown(error.message);
  }
}

const tooMany = (puzzles: number): string =>
  `it has ${puzzles.toLocaleString('en')} training puzzles, and at most ${mostTrained.toLocaleString('en')} are ` +
  'compared';

async function trainingSet(task: Task, shouldStop: () => boolean): Promise<Dataset> {
  return (await loadShown(task, 'its training puzzles', shouldStop)).train;
}

/** Compares the first of the puzzles to score with the training puzzles. Throws InputError as overlapOf. */
function compared(train: Dataset, scored: Dataset, puzzles: number): TrainedOn {
  const overlap = overlapOf(train, scored);
  const { 'in the training set': same, 'there in disguise': disguised } = overlap;
  const which = `${scored.examples < puzzles ? 'the first ' : 'the '}${plural(scored.examples, 'puzzle')}`;
  const caution = 'on new puzzles it may solve fewer';
  if (disguised === 0)
    return { line: `none of ${which} is among the model's training puzzles, as it is or in another form`, overlap };
  // Of 9×9 Sudokus the solutions are compared: equivalent puzzles share one, and so may others.
  if (kindOfSet(train) === 'sudoku' && train.width === 9)
    return {
      line:
        `of ${which}, the model was trained on ${same} as they are, and ${disguised} have the solution of a ` +
        `training puzzle, as it is or in another form: ${caution}`,
      overlap,
    };
  const how = `${same} as they are, ${disguised - same} in another form`;
  return { line: `of ${which}, the model was trained on ${disguised} (${how}): ${caution}`, overlap };
}

/**
 * A puzzle embedding belongs to one version of one task. Returns a caution if it is unknown whether the puzzles to
 * score have the ids that the checkpoint learned for them. Throws InputError if ARC tasks have others, unless the model
 * is to use no ids.
 */
export async function checkIds(
  { metadata }: Pick<OpenModel, 'metadata'>,
  { dataset, from }: ChosenData,
  puzzleIds: string,
  shouldStop: () => boolean,
): Promise<string | undefined> {
  if (dataset.puzzleIds === 1 || from === undefined || puzzleIds !== 'own') return undefined;
  const own = namedTask(metadata);
  if (isDeepStrictEqual(from.task, own) || from.train.sha256 === metadata['trainSha256']) return undefined;
  const learned = own?.kind === 'arc' && from.task.kind === 'arc' ? await trainingSet(own, shouldStop) : undefined;
  if (own?.kind !== 'arc' || learned === undefined || !isArcDataset(learned) || !isArcDataset(dataset))
    return (
      'it is not known whether these puzzles have the ids that the model learned for them: the checkpoint ' +
      `${own === undefined ? 'names no task' : 'was trained on other data'}; --puzzle-ids blank scores it without ids`
    );
  const known = new Map(
    learned.versions.entries.map(({ task }, i) => [task.id, { task, id: learned.versions.id(i, 0) }]),
  );
  const task = from.task as typeof own;
  const sameVersions = task.seed === own.seed && task.augmentations === own.augmentations;
  const { entries } = dataset.versions;
  const strange = entries.filter(({ task }, i) => {
    const learnedAs = known.get(task.id);
    return (
      !sameVersions ||
      learnedAs?.id !== dataset.versions.id(i, 0) ||
      !isDeepStrictEqual(learnedAs.task.train, task.train)
    );
  });
  if (strange.length > 0)
    throw new InputError(
      `${dataset.name}: expected tasks with the puzzle ids that the checkpoint learned, got ${strange.length} of ` +
        `${entries.length} with others: an id numbers a task and its version among all tasks. Score the ` +
        "checkpoint's own task, or give --puzzle-ids blank",
    );
  return undefined;
}
