/** Failure modes that others found in recursive models; small runs with ordinary records test each one here. */
import { InputError } from '../errors.js';
import type { Evaluation } from '../train/evaluate.js';
import { change, type Experiment, type ExperimentChanges, type Scale } from './experiment.js';
import { experiment } from './experiments.js';
import { closingEvaluation, finalEvaluation, type RunRecord } from './record.js';
import { variantExperiment } from './rows.js';
import { variant } from './variants.js';

/** One failure mode: what is asked, and which runs answer. */
export interface FailureMode {
  readonly id: 'one-blank' | 'halting-bias' | 'puzzle-id' | 'over-fitting';
  /** Where it was found. */
  readonly source: string;
  readonly question: string;
  readonly cases: readonly FailureCase[];
}

/** One number of a failure mode: a score, and the runs whose records hold it. */
export interface FailureCase {
  readonly label: string;
  /** Selects the runs: those made for this case, or those of a row of the paper's tables. */
  readonly runs: Partial<Pick<Experiment, 'failureMode' | 'variant'>>;
  readonly score: (record: RunRecord) => Evaluation | undefined;
}

const puzzleIdCase = (label: string, score: FailureCase['score']): FailureCase => ({
  label: `TRM-Att, ${label}`,
  runs: { variant: 'trm-attention' },
  score,
});

const oneBlankCase = (model: string, row: string): FailureCase => ({
  label: `${model}, one blank cell`,
  runs: { variant: row },
  score: (record) => closingEvaluation(record, 'one-blank'),
});

const overfittingCase = (layers: 2 | 4, puzzles: 'training' | 'new'): FailureCase => ({
  label: `${layers} layers, ${puzzles} puzzles`,
  runs: { failureMode: `over-fitting-${layers}-layers` },
  score: (record) => (puzzles === 'new' ? finalEvaluation(record) : finalEvaluation(record).training),
});

/** All failure modes. */
export const failureModes: readonly FailureMode[] = [
  {
    id: 'one-blank',
    source: 'arXiv 2601.10679',
    question:
      'Does a model that solves ordinary puzzles also solve the easiest ones, with a single blank cell? It was not ' +
      'trained on any.',
    cases: [
      { label: 'TRM, ordinary puzzles', runs: { variant: 'trm' }, score: finalEvaluation },
      oneBlankCase('TRM', 'trm'),
      oneBlankCase('HRM', 'hrm'),
      oneBlankCase('TRM-Att', 'trm-attention'),
      oneBlankCase('direct prediction', 'direct'),
    ],
  },
  {
    id: 'halting-bias',
    source: 'arXiv 2604.21999',
    question:
      'Does a model that starts out halting early get trapped, because it never sees what more steps are good for?',
    cases: [
      { label: 'bias −5, the paper’s', runs: { variant: 'trm' }, score: finalEvaluation },
      { label: 'bias 0', runs: { failureMode: 'halting-bias-0' }, score: finalEvaluation },
      { label: 'bias +5', runs: { failureMode: 'halting-bias-5' }, score: finalEvaluation },
    ],
  },
  {
    id: 'puzzle-id',
    source: 'arXiv 2512.11847',
    question: 'How much of an ARC answer comes from the puzzle’s id rather than from the grids?',
    cases: [
      puzzleIdCase('training examples, own id', (record) => closingEvaluation(record, 'training')),
      puzzleIdCase('training examples, blank id', (record) => closingEvaluation(record, 'training-blank-ids')),
      puzzleIdCase('training examples, another’s id', (record) => closingEvaluation(record, 'training-shuffled-ids')),
      puzzleIdCase('test pairs, own id', finalEvaluation),
      puzzleIdCase('test pairs, blank id', (record) => closingEvaluation(record, 'scored-blank-ids')),
      puzzleIdCase('test pairs, another’s id', (record) => closingEvaluation(record, 'scored-shuffled-ids')),
    ],
  },
  {
    id: 'over-fitting',
    source: 'arXiv 2510.04871',
    question:
      'With few training puzzles, do four layers memorise more than two layers, at the same number of layer calls a ' +
      'step? The training puzzles are not augmented.',
    cases: [
      overfittingCase(2, 'training'),
      overfittingCase(2, 'new'),
      overfittingCase(4, 'training'),
      overfittingCase(4, 'new'),
    ],
  },
];

export const failureModeIds = failureModes.map(({ id }) => id);

/** What failure modes are tested on: Sudoku; ARC, whose puzzles have ids; Sudoku with few training puzzles. */
interface Bases {
  readonly sudoku: string;
  readonly arc: string;
  readonly few: ExperimentChanges;
}
const bases: Partial<Readonly<Record<Scale, Bases>>> = {
  smoke: {
    sudoku: 'sudoku-smoke',
    arc: 'arc-smoke',
    few: { task: { trainPuzzles: 20, augmentations: 0 }, evaluation: { trainingPuzzles: 10, closing: [] } },
  },
  laptop: {
    sudoku: 'sudoku-6x6-study',
    arc: 'arc-10x10-study',
    // Twice the steps of the tables, on 400 puzzles (docs/plan-laptop-tables.md).
    few: {
      task: { trainPuzzles: 400, augmentations: 0 },
      training: { steps: 1800, interleavedBatches: 8 },
      evaluation: { every: 300, puzzles: 400, finalPuzzles: 400, trainingPuzzles: 400, closing: [] },
    },
  },
};

/** Scales that have failure-mode runs. */
export const failureScales = Object.keys(bases) as readonly Scale[];

/**
 * The runs of all failure modes, or of those in `only`, at a scale. Runs that are rows of the paper's tables share
 * their records. Throws InputError for a scale without such runs.
 */
export function failureModeRuns(scale: Scale, only: readonly FailureMode['id'][] = failureModeIds): Experiment[] {
  const names = bases[scale];
  if (names === undefined)
    throw new InputError(`failure modes: expected scale ${failureScales.join(' or ')}, got ${scale}`);
  const sudoku = experiment(names.sudoku);
  const run = (failureMode: string, changes: ExperimentChanges): Experiment =>
    change(sudoku, { ...changes, failureMode, name: `${sudoku.name}-${failureMode}` });
  const fewPuzzles = (layers: 2 | 4): Experiment =>
    run(`over-fitting-${layers}-layers`, {
      ...names.few,
      ...(layers === 2 ? {} : { model: variant('trm-4-layers').model }),
    });
  const runs: readonly (readonly [of: readonly FailureMode['id'][], run: Experiment])[] = [
    [['one-blank', 'halting-bias'], variantExperiment(sudoku, variant('trm'))],
    [['halting-bias'], run('halting-bias-0', { model: { haltingBias: 0 } })],
    [['halting-bias'], run('halting-bias-5', { model: { haltingBias: 5 } })],
    [['puzzle-id'], variantExperiment(experiment(names.arc), variant('trm-attention'))],
    [['over-fitting'], fewPuzzles(2)],
    [['over-fitting'], fewPuzzles(4)],
    ...['hrm', 'trm-attention', 'direct'].map(
      (row) => [['one-blank'], variantExperiment(sudoku, variant(row))] as const,
    ),
  ];
  return runs.filter(([of]) => of.some((id) => only.includes(id))).map(([, each]) => each);
}

/**
 * The records of a case at a scale: on the experiment that its failure mode is tested on. Of a table row, no runs at
 * another learning rate or budget.
 */
export function failureCaseRecords(
  { id }: FailureMode,
  { runs }: FailureCase,
  records: readonly RunRecord[],
  scale: string,
): RunRecord[] {
  const names = bases[scale as Scale];
  const base = id === 'puzzle-id' ? names?.arc : names?.sudoku;
  if (base === undefined) return [];
  const row = typeof runs.variant === 'string' ? variantExperiment(experiment(base), variant(runs.variant)) : undefined;
  return records.filter(
    ({ experiment: own }) =>
      own.base === base && (row === undefined ? own.failureMode === runs.failureMode : own.name === row.name),
  );
}
