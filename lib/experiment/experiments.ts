/** The experiments that commands and notebooks name, as their differences to the paper's Sudoku run. */
import { didYouMean, InputError } from '../errors.js';
import { frozen } from '../fields.js';
import { checkConfig, paperConfig, type ModelConfig } from '../model/config.js';
import { checkTraining, paperTraining, type TrainingOptions } from '../train/options.js';
import { arcVote, checkClosing, type ClosingEvaluation } from './closing.js';
import { change, type EvaluationPlan, type Experiment, type ExperimentChanges } from './experiment.js';
import { taskShape } from './task.js';

/** Settings at which tiny models learn in minutes; the differences from the paper's, each with its reason. */
const smallModel: Partial<ModelConfig> = {
  hiddenSize: 64, // the paper's 512 buys accuracy that small boards do not need
  heads: 4,
  puzzlePrefix: 1, // one prefix token carries the whole puzzle embedding; the other 15 would only be padding
  puzzleEmbeddingSize: 64,
};
const smallTraining: Partial<TrainingOptions> = {
  batchSize: 64,
  learningRate: 1e-3, // small networks can afford to go higher
  puzzleLearningRate: 1e-3,
  warmupSteps: 100,
  weightDecay: 0.1,
  puzzleWeightDecay: 0.1,
  emaRate: 0.99, // a run of 500 steps has no time for 0.999
};

/** The published commands for ARC (spec §4.5): attention and n = 4, little weight decay, quick puzzle embeddings. */
const paperArcModel: Partial<ModelConfig> = { mixer: 'attention', positions: 'rotary', latentRecursions: 4 };
const paperMazeModel = paperArcModel; // the published command for Maze-Hard asks for the same network
const paperArcTraining: Partial<TrainingOptions> = {
  weightDecay: 0.1,
  puzzleWeightDecay: 0.1,
  puzzleLearningRate: 1e-2,
};

/** For 9×9 Sudokus on two cores. */
const model9x9: Partial<ModelConfig> = {
  ...smallModel,
  hiddenSize: 128,
  puzzleEmbeddingSize: 128,
  innerMultiple: 32,
  latentRecursions: 2,
};
/**
 * A training of minutes or hours. At this high rate, puzzles that stay for several steps would be memorised
 * (docs/small-batches.md).
 */
const quickTraining: Partial<TrainingOptions> = {
  ...smallTraining,
  optimizer: 'muon',
  batchSize: 32,
  supervisionSteps: 1,
  learningRate: 4e-3,
  emaRate: 0.999,
  decayFraction: 1,
  finalRateRatio: 0,
};
/** The paper's numbers of puzzles and copies, on as many 6×6 boards as exist. */
const generatedSudoku = {
  kind: 'sudoku',
  side: 6,
  source: 'generated',
  trainPuzzles: 1000,
  testPuzzles: 1000,
  validationPuzzles: 500,
  augmentations: 1000,
  minDifficulty: 0,
  seed: 0,
} as const;
const sudokuExtreme1000 = { ...generatedSudoku, side: 9, source: 'sudoku-extreme', testPuzzles: 2000 } as const;
/** Drawn like Maze-Hard's, in every orientation. */
const generatedMaze = {
  kind: 'maze',
  source: 'generated',
  testPuzzles: 500,
  validationPuzzles: 250,
  augmentation: 'dihedral',
  seed: 0,
} as const;
const mazeHard = {
  ...generatedMaze,
  side: 30,
  source: 'maze-hard',
  leastDistance: 109,
  trainPuzzles: 1000,
  testPuzzles: 0,
  validationPuzzles: 0,
} as const;
/** Accuracy on training puzzles at the end: how much the model memorised. */
const onTraining = (puzzles: number): ClosingEvaluation => ({ name: 'training', on: 'training', puzzles });
/** Thinking longer than trained. */
const longer = (puzzles: number, supervisionSteps = 256): ClosingEvaluation => ({
  name: 'longer',
  on: 'scored',
  puzzles,
  supervisionSteps,
});
/** The weights as trained, without their moving average. */
const rawWeights = (puzzles: number): ClosingEvaluation => ({
  name: 'raw-weights',
  on: 'scored',
  puzzles,
  weights: 'raw',
});
/** The easiest puzzles there are (arXiv 2601.10679). */
const oneBlank = (puzzles: number): ClosingEvaluation => ({ name: 'one-blank', on: 'one-blank', puzzles });
/** How much of an answer the puzzle id alone determines (arXiv 2512.11847). */
const otherIds = (trainingPuzzles: number): ClosingEvaluation[] =>
  (['blank', 'shuffled'] as const).flatMap((puzzleIds): ClosingEvaluation[] => [
    { name: `scored-${puzzleIds}-ids`, on: 'scored', puzzles: 0, puzzleIds },
    { name: `training-${puzzleIds}-ids`, on: 'training', puzzles: trainingPuzzles, puzzleIds },
  ]);
/** By the number of guesses a solver needs: rating 0 needs logic alone. */
const byRating = (puzzles: number): ClosingEvaluation[] => [
  { name: 'rating-0', on: 'scored', puzzles, ratings: [0, 1] },
  { name: 'rating-1-9', on: 'scored', puzzles, ratings: [1, 10] },
  { name: 'rating-10-49', on: 'scored', puzzles, ratings: [10, 50] },
  { name: 'rating-50-and-more', on: 'scored', puzzles, ratings: [50, null] },
];
const deskEvaluation = { every: 2000, puzzles: 200, closing: [onTraining(200), longer(60), ...byRating(1000)] };
const overnightEvaluation = {
  ...deskEvaluation,
  puzzles: 500,
  closing: [rawWeights(2000), onTraining(1000), longer(0, 64), ...byRating(0)],
};
const deskTraining = {
  ...quickTraining,
  steps: 8000,
  supervisionCurriculum: [[0.6, 1]],
  supervisionSteps: 4,
  interleavedBatches: 64,
} as const;
/** For runs of hours, which end with more supervision steps a puzzle. */
const longDeskTraining = {
  ...deskTraining,
  supervisionCurriculum: [
    [0.6, 1],
    [0.8, 4],
  ],
  supervisionSteps: 8,
} as const;

/** For mazes and ARC tasks, where distant cells depend on each other. */
const smallAttentionModel: Partial<ModelConfig> = {
  ...smallModel,
  mixer: 'attention',
  positions: 'rotary',
  innerMultiple: 32,
  deepRecursions: 2,
  latentRecursions: 2,
};
/** For mazes with long paths. */
const longMazeModel: Partial<ModelConfig> = {
  ...smallAttentionModel,
  // A solved maze mostly leaves at once; unless enough of them stay, nothing is learned about staying right.
  explorationProbability: 0.5,
};
const longMazeTraining: Partial<TrainingOptions> = {
  ...quickTraining,
  learningRate: 8e-3,
  emaRate: 0.995,
  supervisionCurriculum: [
    [0.5, 1],
    [0.8, 4],
  ],
  supervisionSteps: 16,
  interleavedBatches: 24,
};

const arcStudyTask = {
  kind: 'arc',
  set: 'arc1',
  canvas: 7,
  subsets: ['training'],
  testSubset: 'training',
  maxTasks: 60,
  validationTasks: 20,
  augmentations: 16,
  seed: 0,
} as const;
const arcStudyModel: Partial<ModelConfig> = {
  ...smallAttentionModel,
  deepRecursions: 1,
  supervisionSteps: 4,
  explorationProbability: 0.5,
};
const arcStudyTraining: Partial<TrainingOptions> = {
  ...quickTraining,
  puzzleLearningRate: 1e-2,
  warmupSteps: 50,
  emaRate: 0.995,
  supervisionCurriculum: [[0.6, 1]],
  supervisionSteps: 4,
  interleavedBatches: 32,
};
const arcStudyEvaluation = { puzzles: 0, closing: [arcVote, onTraining(100), ...otherIds(100)] };

/** The experiments that commands and notebooks name. */
export const experiments: Readonly<Record<string, Experiment>> = Object.fromEntries(
  [
    define({
      name: 'sudoku-4x4',
      about:
        '4×4 Sudoku in seconds (half a minute without Rust): shows learning, not generalisation (augmentation can ' +
        'reach all 288 solution grids)',
      scale: 'laptop',
      task: { ...generatedSudoku, side: 4, trainPuzzles: 300, testPuzzles: 300, validationPuzzles: 0 },
      // A TRM with T = 3, n = 6 solves these boards in its first cycle. A single layer with short recursions shows what
      // further cycles add.
      model: {
        ...smallModel,
        layers: 1,
        hiddenSize: 32,
        heads: 2,
        puzzleEmbeddingSize: 32,
        deepRecursions: 1,
        latentRecursions: 2,
      },
      training: { ...smallTraining, steps: 550 },
      evaluation: { every: 110, puzzles: 0 },
    }),
    define({
      name: 'sudoku-smoke',
      about: '4×4 Sudoku in seconds: shows only that everything runs',
      scale: 'smoke',
      task: {
        ...generatedSudoku,
        side: 4,
        trainPuzzles: 40,
        testPuzzles: 20,
        validationPuzzles: 10,
        augmentations: 10,
      },
      model: { ...smallModel, hiddenSize: 16, heads: 2, puzzleEmbeddingSize: 16 },
      training: { ...smallTraining, batchSize: 8, steps: 20, warmupSteps: 5 },
      evaluation: { every: 10, puzzles: 10, closing: [rawWeights(10), onTraining(10), oneBlank(10), longer(10, 20)] },
    }),
    define({
      name: 'sudoku-6x6',
      about: '6×6 Sudoku, 1,000 training puzzles, a few minutes',
      scale: 'laptop',
      task: generatedSudoku,
      model: smallModel,
      training: { ...smallTraining, steps: 1000 },
      evaluation: { every: 250, puzzles: 250 },
    }),
    define({
      name: 'sudoku-6x6-study',
      about:
        "hard 6×6 Sudoku (two or more guesses per puzzle) for the paper's tables: 100 runs of Table 1 take 2.7 " +
        'core-hours',
      scale: 'laptop',
      task: { ...generatedSudoku, minDifficulty: 2 },
      model: { ...smallModel, innerMultiple: 32 }, // 256 would make most of these small networks padding
      // 24 batches of 32 in turn keep as many puzzles under way as the paper's batch of 768, and the model memorises
      // none. Found on validation puzzles (data/search, docs/plan-laptop-tables.md).
      training: {
        ...quickTraining,
        steps: 900,
        learningRate: 8e-3,
        emaRate: 0.995,
        supervisionCurriculum: [[0.6, 1]],
        supervisionSteps: 4,
        interleavedBatches: 24,
      },
      evaluation: {
        every: 225,
        puzzles: 100,
        finalPuzzles: 500,
        closing: [rawWeights(500), onTraining(200), oneBlank(200), longer(400, 64)],
      },
    }),
    define({
      name: 'sudoku-9x9',
      about: 'real 9×9 puzzles, 1,000 for training, 3,000 steps: six minutes on two cores',
      scale: 'laptop',
      task: { ...generatedSudoku, side: 9, source: 'public-domain', validationPuzzles: 0 },
      model: model9x9,
      // Found on validation puzzles (data/search, docs/small-batches.md).
      training: { ...deskTraining, steps: 3000, learningRate: 8e-3, emaRate: 0.995 },
      evaluation: { every: 1000, puzzles: 200 },
    }),
    define({
      name: 'sudoku-extreme-desk',
      about: 'Sudoku-Extreme, 1,000 training puzzles, 8,000 steps: 30 to 90 minutes per table row',
      scale: 'desk',
      task: sudokuExtreme1000,
      model: model9x9,
      training: deskTraining,
      evaluation: deskEvaluation,
    }),
    define({
      name: 'sudoku-extreme-desk-study',
      about:
        "Sudoku-Extreme, 1,000 training puzzles, 8,000 steps, with the paper's T = 3, n = 6 for Table 1: 30 to 150 " +
        'minutes per row',
      scale: 'desk',
      task: sudokuExtreme1000,
      model: { ...model9x9, latentRecursions: 6 },
      training: deskTraining,
      evaluation: { ...deskEvaluation, closing: [rawWeights(0), onTraining(200), longer(400, 64), ...byRating(1000)] },
    }),
    define({
      name: 'sudoku-extreme-desk-long',
      about:
        'Sudoku-Extreme, 1,000 training puzzles, two hours of one core: 32,000 steps, the last two fifths with ' +
        'several supervision steps per puzzle',
      scale: 'desk',
      task: sudokuExtreme1000,
      model: model9x9,
      training: { ...longDeskTraining, steps: 32_000 },
      evaluation: { ...deskEvaluation, every: 8000 },
    }),
    define({
      name: 'sudoku-extreme-overnight',
      about:
        'Sudoku-Extreme, 1,000 training puzzles, 215,000 steps: seven hours of one core; 10,000 test puzzles. It ' +
        'over-fits: sudoku-extreme-desk-long solves more with one seventh of the steps',
      scale: 'desk',
      task: { ...sudokuExtreme1000, testPuzzles: 10_000 },
      model: model9x9,
      training: { ...longDeskTraining, steps: 215_000 },
      evaluation: { ...overnightEvaluation, every: 21_500 },
    }),
    define({
      name: 'sudoku-extreme-overnight-n6',
      about:
        "Sudoku-Extreme with the paper's n = 6, 92,000 steps: four hours of one core with AMX; 10,000 test puzzles. " +
        'Each of the 1,000 training puzzles has 100,000 augmented copies, so that hardly any comes twice',
      scale: 'desk',
      task: { ...sudokuExtreme1000, testPuzzles: 10_000, augmentations: 100_000 },
      model: { ...model9x9, latentRecursions: 6 },
      training: { ...longDeskTraining, steps: 92_000 },
      evaluation: { ...overnightEvaluation, every: 9_200 },
    }),
    define({
      name: 'sudoku-extreme-paper',
      about: "the paper's TRM-MLP on Sudoku-Extreme, unchanged: 65,104 steps of 768 puzzles",
      scale: 'paper',
      task: { ...sudokuExtreme1000, testPuzzles: 0, validationPuzzles: 0 },
      model: {},
      training: {},
      evaluation: { every: 6510, puzzles: 4000 },
    }),
    define({
      name: 'maze-7x7',
      about:
        '7×7 mazes generated like Maze-Hard, 10 to 20 minutes; 30,000 for training: an MLP needs many mazes to ' +
        'generalise',
      scale: 'laptop',
      task: { ...generatedMaze, side: 7, leastDistance: 8, trainPuzzles: 30_000 },
      model: { ...smallModel, innerMultiple: 32, deepRecursions: 1, latentRecursions: 2 },
      training: {
        ...smallTraining,
        batchSize: 32,
        steps: 10_000,
        learningRate: 2e-3,
        emaRate: 0.999,
        decayFraction: 0.5,
        finalRateRatio: 0.05,
      },
      evaluation: { every: 2000, puzzles: 100, closing: [onTraining(200)] },
    }),
    define({
      name: 'maze-11x11-study',
      about:
        '11×11 mazes whose goal is at least 20 steps away, for Table 4: the first supervision step solves hardly ' +
        'any',
      scale: 'laptop',
      task: { ...generatedMaze, side: 11, leastDistance: 20, trainPuzzles: 20_000 },
      model: longMazeModel,
      training: { ...longMazeTraining, steps: 1800 },
      evaluation: { every: 450, puzzles: 100, closing: [onTraining(200)] },
    }),
    define({
      name: 'maze-10x10',
      about:
        '10×10 mazes generated like Maze-Hard, 1,000 for training, with attention as in the paper: a starting point ' +
        'for tuning; its 600 steps solve none of 500 test mazes',
      scale: 'laptop',
      task: { ...generatedMaze, side: 10, leastDistance: 20, trainPuzzles: 1000, augmentation: 'none' },
      model: smallAttentionModel,
      training: { ...smallTraining, batchSize: 16, steps: 600 },
      evaluation: { every: 200, puzzles: 100, closing: [onTraining(100)] },
    }),
    define({
      name: 'maze-hard-desk',
      about: 'Maze-Hard, 1,000 training mazes of 30×30, trained like maze-11x11-study: two hours of one core',
      scale: 'desk',
      task: mazeHard,
      model: longMazeModel,
      training: { ...longMazeTraining, steps: 5000 },
      evaluation: { every: 1250, puzzles: 100, closing: [onTraining(100)] },
    }),
    define({
      name: 'maze-hard-paper',
      about:
        "the paper's TRM-Att on Maze-Hard, unchanged: 65,104 steps of 768 mazes, not augmented, as the published " +
        'command builds them',
      scale: 'paper',
      task: { ...mazeHard, augmentation: 'none' },
      model: paperMazeModel,
      training: {},
      evaluation: { every: 6510, puzzles: 0 },
    }),
    define({
      name: 'arc-smoke',
      about: 'six ARC-AGI-1 tasks in seconds: shows only that everything runs',
      scale: 'smoke',
      task: { ...arcStudyTask, canvas: 10, maxTasks: 6, validationTasks: 2, augmentations: 2 },
      model: {
        ...smallModel,
        mixer: 'attention',
        positions: 'rotary',
        hiddenSize: 16,
        heads: 2,
        innerMultiple: 32,
        puzzleEmbeddingSize: 16,
        deepRecursions: 1,
        latentRecursions: 1,
        supervisionSteps: 2,
      },
      training: { ...smallTraining, batchSize: 4, steps: 4, warmupSteps: 2 },
      evaluation: { every: 2, puzzles: 2, closing: [arcVote, onTraining(4), ...otherIds(4)] },
    }),
    define({
      name: 'arc-10x10',
      about:
        'the 60 smallest ARC-AGI-1 training tasks that fit 10×10, trained as in the paper: a starting point for ' +
        'tuning; its 1,000 steps solve none of 40 test tasks',
      scale: 'laptop',
      task: { ...arcStudyTask, canvas: 10, augmentations: 8 },
      model: { ...smallAttentionModel, supervisionSteps: 4 },
      training: {
        ...smallTraining,
        batchSize: 32,
        learningRate: 2e-3,
        puzzleLearningRate: 1e-2,
        warmupSteps: 50,
        steps: 1000,
      },
      evaluation: { ...arcStudyEvaluation, every: 250 },
    }),
    define({
      name: 'arc-7x7-study',
      about:
        'the 60 ARC-AGI-1 training tasks that fit 7×7, three minutes: their demonstrations are the training set; ' +
        'their test pairs are the test set or, for 20 tasks, the validation set',
      scale: 'laptop',
      task: arcStudyTask,
      model: arcStudyModel,
      training: { ...arcStudyTraining, steps: 5000 },
      evaluation: { ...arcStudyEvaluation, every: 1000 },
    }),
    define({
      name: 'arc-10x10-study',
      about:
        'the 178 ARC-AGI-1 training tasks that fit 10×10, 60 of them for validation, for Table 5: 9 to 51 minutes ' +
        'per run',
      scale: 'laptop',
      task: { ...arcStudyTask, canvas: 10, maxTasks: 0, validationTasks: 60 },
      model: arcStudyModel,
      training: { ...arcStudyTraining, steps: 15_000 },
      evaluation: { ...arcStudyEvaluation, every: 3000 },
    }),
    define({
      name: 'arc1-paper',
      about:
        "the paper's TRM-Att on ARC-AGI-1, unchanged: 518,226 steps of 768 examples, 1,000 versions a task, " +
        'voting at the end',
      scale: 'paper',
      task: { kind: 'arc', set: 'arc1', canvas: 30, augmentations: 1000, seed: 0 },
      model: paperArcModel,
      training: { ...paperArcTraining, steps: 518_226 },
      evaluation: { every: 51_822, puzzles: 0, closing: [arcVote] },
    }),
    define({
      name: 'arc2-paper',
      about:
        "the paper's TRM-Att on ARC-AGI-2, unchanged: 722,098 steps of 768 examples, 1,000 versions a task, " +
        'voting at the end',
      scale: 'paper',
      task: { kind: 'arc', set: 'arc2', canvas: 30, augmentations: 1000, seed: 0 },
      model: paperArcModel,
      training: { ...paperArcTraining, steps: 722_098 },
      evaluation: { every: 72_209, puzzles: 0, closing: [arcVote] },
    }),
  ].map((experiment) => [experiment.name, experiment]),
);
frozen(experiments); // who changed one would change every plan that is based on it

/** An experiment by name. Throws InputError listing the known names. */
export function experiment(name: string, changes: ExperimentChanges = {}): Experiment {
  const names = Object.keys(experiments);
  if (!names.includes(name))
    throw new InputError(`experiment: expected one of ${names.join(', ')}, got ${name}${didYouMean(name, names)}`);
  return change(experiments[name]!, changes);
}

/** Builds a named experiment from its differences to the paper's Sudoku run. */
function define(
  parts: Omit<Experiment, 'base' | 'variant' | 'failureMode' | 'model' | 'training' | 'evaluation'> & {
    model: Partial<ModelConfig>;
    training: Partial<TrainingOptions>;
    /** Default: all test puzzles at the end, and no other evaluation. */
    evaluation: Pick<EvaluationPlan, 'every' | 'puzzles'> & Partial<EvaluationPlan>;
  },
): Experiment {
  const { every, puzzles, ...more } = parts.evaluation;
  const evaluation: EvaluationPlan = { split: 'test', every, puzzles, finalPuzzles: 0, closing: [], ...more };
  checkClosing(evaluation.closing, parts.task);
  return {
    ...parts,
    evaluation,
    base: parts.name,
    variant: null,
    failureMode: null,
    model: checkConfig({ ...paperConfig, ...taskShape(parts.task), ...parts.model }),
    training: checkTraining({ ...paperTraining, ...parts.training }),
  };
}
