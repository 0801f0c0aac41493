/**
 * Pictures of ARC: a task's pairs, its versions, the candidates they voted for, and a model's accuracy without puzzle
 * ids.
 */
import { augmentGrid, noAugmentation } from '../data/arc.js';
import { isArcDataset, type ArcDataset } from '../data/arc-sets.js';
import type { ArcEntry } from '../data/arc-versions.js';
import { InputError, show } from '../errors.js';
import { anyObject, callback, checkCounts, checkFields, checkValue, objectOf, optional, whole } from '../fields.js';
import type { ArcVotes } from '../train/arc-votes.js';
import type { Evaluation, PuzzleIdMode } from '../train/evaluate.js';
import { arcView } from './boards.js';
import { shares } from './checks.js';
import { drawGrids, type LegendEntry } from './draw/grids.js';
import type { Drawing } from './draw/plotly.js';
import { colour } from './draw/style.js';
import { percentText, tableOfRows, type Table } from './tables.js';
import { plural } from '../words.js';

/** Small cells: grids are up to 30 wide, and several stand in a row. */
const cellSize = 14;

/**
 * A task's demonstrations and tests, each question next to its answer. Throws InputError for a puzzle that is not in
 * the data set, as all functions below do.
 */
export function drawTask(dataset: ArcDataset, puzzle: number): Drawing {
  const { id, train, test } = entryOf(dataset, puzzle).task;
  const views = [
    ...train.map((pair, i) => ({ ...pair, name: `shown ${i + 1}` })),
    ...test.map((pair, i) => ({ ...pair, name: `test ${i + 1}` })),
  ];
  return drawGrids(
    views.flatMap(({ input, output, name }) => [arcView(input, `${name}: question`), arcView(output, 'answer')]),
    { title: `ARC task ${id}`, columns: 4, cellSize },
  );
}

/** The orientations of turnGrid, as captions. */
const orientations = [
  'upright',
  'turned left',
  'half turn',
  'turned right',
  'left-right swapped',
  'top-bottom swapped',
  'transposed',
  'transposed the other way',
] as const;

/** The first pair of a task in its first `count` versions, each with its id and its transformation. */
export function drawVersions(dataset: ArcDataset, puzzle: number, count = 4): Drawing {
  checkCounts({ count });
  const { task, pairs } = entryOf(dataset, puzzle);
  const [pair] = pairs;
  if (pair === undefined) throw new Error(`task ${task.id} without pairs`);
  const views = Array.from({ length: Math.min(count, dataset.versions.count(puzzle)) }, (_, version) => {
    const augmentation = dataset.versions.augmentation(puzzle, version);
    return [
      arcView(
        augmentGrid(pair.input, augmentation),
        `id ${dataset.versions.id(puzzle, version)}: ` +
          (augmentation === noAugmentation ? 'as it is' : `${orientations[augmentation.dihedral]}, recoloured`),
      ),
      arcView(augmentGrid(pair.output, augmentation), 'answer'),
    ];
  });
  return drawGrids(views.flat(), { title: `Versions of task ${task.id}`, columns: 4, cellSize });
}

const wrongCell: LegendEntry = {
  cell: { symbol: '', fill: colour.paper, ink: colour.ink, crossed: true },
  meaning: 'wrong',
};

/** A test pair and the first `count` candidates for its answer, cells that are wrong crossed out. */
export function drawVotes(
  votes: ArcVotes,
  dataset: ArcDataset,
  puzzle: number,
  options: { readonly pair?: number; readonly count?: number } = {},
): Drawing {
  const { pair: index = 0, count = 4 } = checkFields<typeof options>('drawing', options, {
    pair: optional(whole(0)),
    count: optional(whole(1)),
  });
  checkValue('votes', votes, objectOf({ candidates: callback }));
  const { task, pairs } = entryOf(dataset, puzzle);
  const pair = pairs[index];
  if (pair === undefined) throw new InputError(`pair: expected 0 to ${pairs.length - 1}, got ${index}`);
  const candidates = votes
    .candidates(task.id, index)
    .filter(({ grid }) => grid.cells.length > 0)
    .slice(0, count);
  return drawGrids(
    [
      arcView(pair.input, 'question'),
      arcView(pair.output, 'right answer'),
      ...candidates.map(({ grid, votes: cast, haltProbability }) =>
        arcView(grid, `${plural(cast, 'vote')} · sure: ${Math.round(100 * haltProbability)} %`, pair.output),
      ),
    ],
    { title: `Votes on task ${task.id}`, columns: 3, legend: [wrongCell] },
  );
}

const evaluated = objectOf({ exactAccuracy: shares, cellAccuracy: shares });
const ofEveryMode = objectOf({ own: evaluated, blank: evaluated, shuffled: evaluated });

/**
 * The blank-id test: one model's accuracy on test pairs and on training pairs with each puzzle's own id, with none,
 * and with the next puzzle's.
 */
export function puzzleIdTable(
  test: Readonly<Record<PuzzleIdMode, Evaluation>>,
  training: Readonly<Record<PuzzleIdMode, Evaluation>>,
): Table {
  for (const [name, each] of Object.entries({ test, training })) checkValue(name, each, ofEveryMode);
  const names = { own: "the puzzle's own", blank: 'none', shuffled: "the next puzzle's" } as const;
  const last = (shares: readonly number[]): string => percentText(shares.at(-1));
  return tableOfRows(
    (['own', 'blank', 'shuffled'] as const).map((ids) => ({
      'puzzle id': names[ids],
      'test pairs right': last(test[ids].exactAccuracy),
      'test cells': last(test[ids].cellAccuracy),
      'training pairs right': last(training[ids].exactAccuracy),
      'training cells': last(training[ids].cellAccuracy),
    })),
  );
}

function entryOf(dataset: ArcDataset, puzzle: number): ArcEntry {
  checkValue('dataset', dataset, anyObject);
  const { name, versions } = dataset;
  if (!isArcDataset(dataset)) throw new InputError(`expected tasks of ARC, got ${name}`); // a notebook only claims it
  const entry = typeof puzzle === 'number' ? versions.entries[puzzle] : undefined;
  if (entry === undefined)
    throw new InputError(`puzzle: expected 0 to ${versions.entries.length - 1} of ${name}, got ${show(puzzle)}`);
  return entry;
}
