/** Failure modes that others found in recursive models, each tried here by small runs with records like any other. */
import type { Evaluation } from '../train/evaluate.js';
import { change, type Experiment, type ExperimentChanges, type Scale } from './experiment.js';
import { experiment } from './experiments.js';
import { closingEvaluation, finalEvaluation, type RunRecord } from './record.js';
import { variantExperiment } from './rows.js';
import { variant } from './variants.js';

/** One failure mode: what is asked, and which runs answer. */
export interface FailureMode {
  readonly id: 'one-blank' | 'halting-bias' | 'puzzle-id';
  /** Where it was found. */
  readonly source: string;
  readonly question: string;
  readonly cases: readonly FailureCase[];
}

/** One number of a failure mode: runs, and a score in their records. */
export interface FailureCase {
  readonly label: string;
  /** The runs it is read from: those of this case, or those of a row of the paper's tables. */
  readonly runs: Partial<Pick<Experiment, 'failureMode' | 'variant'>>;
  readonly score: (record: RunRecord) => Evaluation | undefined;
}

const puzzleIdCase = (label: string, score: FailureCase['score']): FailureCase => ({
  label,
  runs: { variant: 'trm-attention' },
  score,
});

/** All failure modes. */
export const failureModes: readonly FailureMode[] = [
  {
    id: 'one-blank',
    source: 'arXiv 2601.10679',
    question:
      'Does a model that solves puzzles also solve the easiest ones, with a single blank cell? None were in its ' +
      'training.',
    cases: [
      { label: 'ordinary puzzles', runs: { variant: 'trm' }, score: finalEvaluation },
      {
        label: 'one blank cell',
        runs: { variant: 'trm' },
        score: (record) => closingEvaluation(record, 'one-blank'),
      },
    ],
  },
  {
    id: 'halting-bias',
    source: 'arXiv 2604.21999',
    question: 'Is a model trapped that begins by wanting to halt, and so is never shown what more steps are good for?',
    cases: [
      { label: 'bias −5, the paper’s', runs: { variant: 'trm' }, score: finalEvaluation },
      { label: 'bias 0', runs: { failureMode: 'halting-bias-0' }, score: finalEvaluation },
      { label: 'bias +5', runs: { failureMode: 'halting-bias-5' }, score: finalEvaluation },
    ],
  },
  {
    id: 'puzzle-id',
    source: 'arXiv 2512.11847',
    question: 'How much of an ARC answer is known from the puzzle’s id alone, not from the grids?',
    cases: [
      puzzleIdCase('training examples, own id', (record) => closingEvaluation(record, 'training')),
      puzzleIdCase('training examples, blank id', (record) => closingEvaluation(record, 'training-blank-ids')),
      puzzleIdCase('training examples, another’s id', (record) => closingEvaluation(record, 'training-shuffled-ids')),
      puzzleIdCase('test pairs, own id', finalEvaluation),
      puzzleIdCase('test pairs, blank id', (record) => closingEvaluation(record, 'scored-blank-ids')),
      puzzleIdCase('test pairs, another’s id', (record) => closingEvaluation(record, 'scored-shuffled-ids')),
    ],
  },
];

/** What they are tried on, by scale: Sudoku, and ARC, where puzzles have ids. */
const bases: Partial<Readonly<Record<Scale, { readonly sudoku: string; readonly arc: string }>>> = {
  smoke: { sudoku: 'sudoku-smoke', arc: 'arc-smoke' },
  laptop: { sudoku: 'sudoku-6x6-study', arc: 'arc-7x7-study' },
};

/** Scales at which they can be run. */
export const failureScales = Object.keys(bases) as readonly Scale[];

/** The runs of all failure modes at a scale. Those that are rows of Tables 1 and 5 share their records. */
export function failureModeRuns(scale: Scale): Experiment[] {
  const names = bases[scale];
  if (names === undefined) throw new RangeError(`failure modes are run at ${failureScales.join(' or ')} scale`);
  const sudoku = experiment(names.sudoku);
  const run = (failureMode: string, changes: ExperimentChanges): Experiment =>
    change(sudoku, { ...changes, failureMode, name: `${sudoku.name}-${failureMode}` });
  return [
    variantExperiment(sudoku, variant('trm')),
    run('halting-bias-0', { model: { haltingBias: 0 } }),
    run('halting-bias-5', { model: { haltingBias: 5 } }),
    variantExperiment(experiment(names.arc), variant('trm-attention')),
  ];
}

/** The records that a case is read from, at a scale: of the failure mode's own kind of task. */
export function failureCaseRecords(
  { id }: FailureMode,
  { runs }: FailureCase,
  records: readonly RunRecord[],
  scale: string,
): RunRecord[] {
  return records.filter(
    ({ experiment: { failureMode, variant: row, task, ...rest } }) =>
      rest.scale === scale &&
      (id === 'puzzle-id') === (task.kind === 'arc') &&
      (runs.failureMode === undefined ? row === runs.variant : failureMode === runs.failureMode),
  );
}
