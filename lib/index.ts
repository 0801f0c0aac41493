/** The table of contents of the kit: what notebooks and programs of your own import. docs/library.md has examples. */

// Basics: errors that say what to do, where files are, seeded random numbers.
export { InputError } from './errors.js';
export { dataFile, projectRoot } from './files.js';
export { Random } from './random.js';

// Puzzles: look at them, count them, compare two sets, or bring your own.
export type { Batch } from './data/example.js';
export { ratingsOf, type Dataset } from './data/dataset.js';
export type { ArcPair, ArcTask } from './data/arc.js';
export type { ArcDataset } from './data/arc-sets.js';
export type { Grid } from './data/grid.js';
export { summarizeMazes } from './data/maze-numbers.js';
export { overlapOf } from './data/overlap.js';
export { augmentedCopies, ownSudoku, puzzleAt, type Puzzle } from './data/puzzle.js';
export { givenCounts, summarizeSudokus } from './data/sudoku-numbers.js';

// Puzzle files, and puzzles in other forms, for votes and searches.
export { loadPuzzleFile } from './data/puzzle-file.js';
export { formsOf } from './data/forms.js';
export { gridForms, sudokuForms } from './data/relabelling.js';

// The model: its configuration, its schedule of calls, its size, its checkpoints.
export { paperConfig, type ModelConfig } from './model/config.js';
export type { Call, Schedule } from './model/calls.js';
export { buildSchedule, effectiveDepth } from './model/schedule.js';
export { scheduleText } from './model/schedule-text.js';
export { describe as describeModel, type ModelDescription } from './model/describe.js';
export { parameterCount, type Tensor, type TensorMap } from './model/parameters.js';
export { loadCheckpoint, saveCheckpoint } from './checkpoint/checkpoint.js';

// Engines and training: one step at a time, or a whole training with its evaluations.
export { createEngine, type EngineOptions } from './engine/create.js';
export type { Block, BlockParts } from './engine/tfjs/block.js';
export type {
  Engine,
  InferRequest,
  InferResult,
  LatentState,
  TrainRequest,
  UpdateRequest,
  Weights,
} from './engine/engine.js';
export { paperTraining, type TrainingOptions } from './train/options.js';
export { averagedWeights, Trainer } from './train/trainer.js';
export { evaluate, evaluateIds, type Evaluation } from './train/evaluate.js';

// Thinking: one puzzle step by step, when to stop, and the votes of ARC.
export type { Thought } from './train/think.js';
export { searchForms } from './train/search.js';
export { evaluateUntilSure, type UntilSure } from './train/until-sure.js';
export type { Thinking } from './train/seats.js';
export {
  hardestThought,
  judgeSudoku,
  stopWhenSure,
  thinkAbout,
  type JudgedThought,
  type SolvedPuzzle,
} from './train/thoughts.js';
export { ArcVotes, type ArcScore, type ArcSubmission } from './train/arc-votes.js';
export { voteArc, type ArcVoteResult } from './train/evaluate-arc.js';

// Experiments: plain data, one change away from each other, run to a record.
export { change, type Experiment, type ExperimentChanges, type Scale } from './experiment/experiment.js';
export { describeExperiment } from './experiment/describe.js';
export { experiment, experiments } from './experiment/experiments.js';
export { variants, type Variant } from './experiment/variants.js';
export { loadTask, type Task, type TaskData } from './experiment/task.js';
export { openModel, shippedCheckpoint } from './experiment/open.js';
export type { ModelChanges } from './experiment/words.js';
export { runExperiment, type RunOutcome } from './experiment/run.js';
export type { RunProgress } from './experiment/run-loop.js';
export { finalEvaluation, readRecord, readRecords, withRecorded, type RunRecord } from './experiment/record.js';

// Many runs: the rows of a table or the points of a search, planned for several seeds.
export { planAblation, planSearch, planTable, tableBases, type AblationRow } from './sweep/plan.js';

// Tables from records: results, the paper's tables with ours beside them, statistics over seeds.
export { labelledRuns, resultsTable, tableOfRows, toCsv, toMarkdown, type Table } from './report/tables.js';
export { dataFrame, recordRows, tableOfFrame, type FrameRow } from './report/frames.js';
export { comparedRows, paperTable, paperTableFrame } from './report/paper-tables.js';
export { paperTableRows } from './report/paper-rows.js';
export { ablationRecords, ablationRows, ablationTable, ablationText } from './report/ablation.js';
export { modelTable } from './report/model-table.js';
export { searchTable } from './report/searches.js';
export { pairedTest, spreadOf } from './report/statistics.js';
export { puzzleIdTable } from './report/arc.js';
export { thinkingRow, untilSureText } from './report/thoughts.js';

// Figures from rows and records: curves of accuracy, of learning, of halting, of cost.
export {
  accuracyCurves,
  accuracyVersusCycles,
  distribution,
  haltingCurve,
  paperVersusOurs,
  rowsVersusCycles,
  stoppingCurve,
  thinkingCurve,
} from './report/figures.js';
export {
  accuracyVersusDepth,
  costVersusAccuracy,
  haltingOverTraining,
  learningCurves,
  longerThinking,
  trainingVersusTest,
} from './report/study-figures.js';

// Pictures of puzzles, of thoughts and of schedules.
export {
  animateThoughts,
  drawSudoku,
  drawThoughts,
  mazeLegend,
  mazeView,
  sudokuView,
  thoughtMovie,
  thoughtPoints,
} from './report/boards.js';
export { drawGrids, type GridView } from './report/draw/grids.js';
export { drawTask, drawVersions, drawVotes } from './report/arc.js';
export { drawSchedule } from './report/schedule.js';

// Output: below a cell or in a terminal, live during training, or as a file.
export { show } from './notebook/output.js';
export { sweepLive, trainLive } from './notebook/live.js';
export {
  saveFigure,
  saveMovie,
  toPng,
  toSvg,
  type Animation,
  type Drawing,
  type Figure,
  type Movie,
} from './report/draw/plotly.js';
