/** The table of contents of the kit: what notebooks and other programs import. */

// errors and files
export { InputError } from './errors.js';
export { dataFile, projectRoot } from './files.js';
export { Random } from './random.js';

// data
export type { Dataset } from './data/dataset.js';
export { augmentedName, gridRows, parseAugmentedName, type ArcPair, type ArcTask } from './data/arc.js';
export type { Grid } from './data/grid.js';
export { readArcTasks } from './data/arc-json.js';
export { arcOverlap } from './data/arc-overlap.js';
export { arcDataset, isArcDataset, type ArcDataset, type ArcSetOptions } from './data/arc-sets.js';

// model
export { checkConfig, innerSize, paperConfig, positionsOf, type ModelConfig } from './model/config.js';
export type { Call, Schedule } from './model/calls.js';
export { buildSchedule, effectiveDepth, forwardPasses } from './model/schedule.js';
export {
  initialParameters,
  parameterCount,
  parameterSpecs,
  type ParameterSpec,
  type Tensor,
  type TensorMap,
} from './model/parameters.js';
export { loadCheckpoint, saveCheckpoint } from './model/checkpoint.js';

// engine
export { createEngine, type EngineOptions } from './engine/create.js';
export type {
  Batch,
  Engine,
  InferRequest,
  InferResult,
  LatentState,
  TrainRequest,
  TrainResult,
  UpdateRequest,
} from './engine/engine.js';

// train
export { paperTraining, rateFactor, type TrainingOptions } from './train/options.js';
export { evaluate, evaluateIds, type Evaluation } from './train/evaluate.js';
export { think, type Thought } from './train/think.js';
export { ArcVotes, type ArcScore, type ArcSubmission } from './train/arc-votes.js';
export { voteArc, type ArcVoteResult } from './train/evaluate-arc.js';
export { Trainer } from './train/trainer.js';
export { checkReference } from './train/reference-check.js';

// experiment
export { change, describeExperiment, type Experiment, type Scale } from './experiment/experiment.js';
export { experiment, experiments } from './experiment/experiments.js';
export { failureModeRuns } from './experiment/failure-modes.js';
export { variantExperiment } from './experiment/variants.js';
export { loadTask, type Task, type TaskData } from './experiment/task.js';
export { planFailureModes, planSearch, planTable, tableBases } from './sweep/plan.js';
export { openModel, randomModel, shippedCheckpoint } from './experiment/open.js';
export { viewsOf } from './experiment/views.js';
export { runExperiment, runId, type RunOutcome, type RunProgress } from './experiment/run.js';
export { closingEvaluation, finalEvaluation, readRecord, readRecords, type RunRecord } from './experiment/record.js';

// report
export {
  accuracyCurves,
  accuracyVersusCycles,
  distribution,
  haltingCurve,
  learningCurve,
  paperVersusOurs,
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
export {
  animateThoughts,
  arcView,
  drawSudoku,
  drawThoughts,
  mazeLegend,
  mazeView,
  sudokuLegend,
  sudokuView,
  thoughtMovie,
  thoughtPoints,
  type PuzzleKind,
} from './report/boards.js';
export { sudokuCells } from './report/cells.js';
export { animateGrids, drawGrid, drawGrids, type GridView } from './report/draw/grids.js';
export { modelTable, taskTable } from './report/model-table.js';
export { failureModeNotes, failureModesTable } from './report/failure-modes.js';
export { ratingsTable } from './report/ratings.js';
export { searchTable } from './report/searches.js';
export {
  comparedRows,
  orderings,
  paperTable,
  paperTableFrame,
  paperTableRows,
  tableRecords,
} from './report/paper-tables.js';
export { pairedTest, sameDistribution, spreadOf } from './report/statistics.js';
export { resultsTable, tableOfRows, toCsv, toMarkdown, withoutRuns, type Table } from './report/tables.js';
export { dataFrame, tableOfFrame } from './report/frames.js';
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
export { cellProgress, inNotebook, interrupted, Output, show } from './notebook/output.js';
export { sweepLive, trainLive } from './notebook/live.js';
export { drawSchedule, scheduleText } from './report/schedule.js';
export { mazeNumbers, mazeOverlap, summarizeMazes, type MazeNumbers } from './data/maze-numbers.js';
export { mazeDistributions, type MazeSample } from './report/mazes.js';
export {
  augmentedCopies,
  givenCounts,
  puzzleAt,
  ratingsOf,
  sudokuOverlap,
  summarizeSudokus,
} from './data/puzzles.js';
export { ownSudoku, type Puzzle } from './data/puzzle.js';
export { drawTask, drawVersions, drawVotes, puzzleIdTable, votesTable } from './report/arc.js';
export { thinkingRow, thoughtsTable } from './report/thoughts.js';
export {
  hardestThought,
  judgeThoughts,
  stopWhenSure,
  thinkAbout,
  type JudgedThought,
  type SolvedPuzzle,
} from './train/thoughts.js';
