/** Failures that teach: small experiments that show where these models break, each run with a record like any other. */
import type { Evaluation } from '../train/evaluate.js';
import { change, experiment, type Experiment, type ExperimentChanges, type Scale } from '../experiment/experiment.js';
import { variantExperiment, type PlannedRun } from './plan.js';
import { finalEvaluation, type RunRecord } from '../experiment/record.js';
import { variant } from '../experiment/variants.js';

/** One lesson: what is run, and what to look at. */
export interface Failure {
  readonly id: 'one-blank' | 'halting-bias' | 'puzzle-id';
  /** Where it was found. */
  readonly source: string;
  readonly question: string;
  /** What is looked at, row by row: a run, and its score on the scored puzzles or in a probe. */
  readonly looks: readonly Look[];
}

/** One number of a lesson. */
export interface Look {
  readonly label: string;
  /** Which run, by the end of its name. */
  readonly run: string;
  /** The score in its record. */
  readonly score: (record: RunRecord) => Evaluation | undefined;
}

/** All lessons. */
export const failures: readonly Failure[] = [
  {
    id: 'one-blank',
    source: 'arXiv 2601.10679',
    question:
      'Does a model that solves puzzles also solve the easiest ones, ' +
      'with a single blank cell? None were in its training.',
    looks: [
      { label: 'ordinary puzzles', run: 'failure-plain', score: finalEvaluation },
      { label: 'one blank cell', run: 'failure-plain', score: ({ probes }) => probes?.['one-blank'] },
    ],
  },
  {
    id: 'halting-bias',
    source: 'arXiv 2604.21999',
    question: 'Is a model trapped that begins by wanting to halt, and so is never shown what more steps are good for?',
    looks: [
      { label: 'bias −5, the paper’s', run: 'failure-plain', score: finalEvaluation },
      { label: 'bias 0', run: 'failure-halting-bias-0', score: finalEvaluation },
      { label: 'bias +5', run: 'failure-halting-bias-5', score: finalEvaluation },
    ],
  },
  {
    id: 'puzzle-id',
    source: 'arXiv 2512.11847',
    question: 'How much of an ARC answer is known from the puzzle’s id alone, not from the grids?',
    looks: [
      { label: 'training examples, own id', run: 'trm-attention', score: ({ onTraining }) => onTraining },
      {
        label: 'training examples, blank id',
        run: 'trm-attention',
        score: ({ otherIds }) => otherIds?.blank?.training,
      },
      {
        label: 'training examples, another’s id',
        run: 'trm-attention',
        score: ({ otherIds }) => otherIds?.shuffled?.training,
      },
      { label: 'test pairs, own id', run: 'trm-attention', score: finalEvaluation },
      { label: 'test pairs, blank id', run: 'trm-attention', score: ({ otherIds }) => otherIds?.blank?.scored },
      { label: 'test pairs, another’s id', run: 'trm-attention', score: ({ otherIds }) => otherIds?.shuffled?.scored },
    ],
  },
];

/** What the lessons are run on, by scale: Sudoku, and ARC, where puzzles have ids. */
const bases: Partial<Readonly<Record<Scale, { readonly sudoku: string; readonly arc: string }>>> = {
  smoke: { sudoku: 'sudoku-smoke', arc: 'arc-smoke' },
  laptop: { sudoku: 'sudoku-6x6-study', arc: 'arc-7x7-study' },
};

/** Scales at which the lessons can be run. */
export const failureScales = Object.keys(bases) as readonly Scale[];

/** The runs of all lessons at a scale. The one on ARC is a row of Table 5, and has its record with it. */
export function failureRuns(scale: Scale): Experiment[] {
  const names = bases[scale];
  if (names === undefined) throw new RangeError(`lessons are run at ${failureScales.join(' or ')} scale`);
  const sudoku = experiment(names.sudoku);
  const run = (end: string, changes: ExperimentChanges): Experiment =>
    change(sudoku, { ...changes, name: `${sudoku.name}-failure-${end}` });
  return [
    run('plain', { evaluation: { probes: { kinds: ['one-blank'], puzzles: scale === 'smoke' ? 10 : 500 } } }),
    run('halting-bias-0', { model: { haltingBias: 0 } }),
    run('halting-bias-5', { model: { haltingBias: 5 } }),
    variantExperiment(experiment(names.arc), variant('trm-attention')),
  ];
}

/** The runs of all lessons with seeds from 0. */
export function planFailures(scale: Scale, seeds: number): PlannedRun[] {
  return Array.from({ length: seeds }, (_, seed) =>
    failureRuns(scale).map((each) => ({ experiment: each, seed })),
  ).flat();
}

/** Whether a record is there for a lesson only, so that no other table or figure takes it. */
export function isFailure({ experiment: { name } }: RunRecord): boolean {
  return name.includes('-failure-');
}
