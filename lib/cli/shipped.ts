/** The shipped 9×9 model on local puzzles, compared with the record of the run that trained it. */
import path from 'node:path';
import { InputError } from '../errors.js';
import type { EngineOptions } from '../engine/create.js';
import { openModel, shippedCheckpoint } from '../experiment/open.js';
import { finalEvaluation, readRecord, type RunRecord } from '../experiment/record.js';
import { loadTask } from '../experiment/task.js';
import { projectRoot } from '../files.js';
import { Progress } from '../progress.js';
import { percentText } from '../report/tables.js';
import { evaluate, type Evaluation } from '../train/evaluate.js';
import { taskOfCheckpoint } from './evaluate-task.js';

/** The shipped weights' accuracy here, and their origin. */
export interface ShippedScore {
  /** The record of the run that made them. */
  readonly record: RunRecord;
  /** The score here. */
  readonly dataset: string;
  readonly evaluation: Evaluation;
  /** Record and score in words. */
  readonly text: string;
}

/** Notebook 7 shows that further cycles gain little; the record has those of training. */
const cycles = 64;

/**
 * Scores the shipped 9×9 model on Sudoku-Extreme's test puzzles, or on public-domain ones where that set is not at
 * hand. Throws StoppedError if asked to stop.
 */
export async function scoreShipped(
  puzzles: number,
  engineOptions: EngineOptions,
  shouldStop: () => boolean,
): Promise<ShippedScore> {
  const file = shippedCheckpoint(81);
  const { engine, config, metadata } = await openModel(file, engineOptions);
  const progress = new Progress();
  try {
    const run = metadata['run'];
    if (run === undefined) throw new InputError(`${file}: expected the name of the run that made it, got none`);
    const record = readRecord(path.join(projectRoot(), 'data', 'runs', `${run}.json`));
    const { test } = await loadTask(taskOfCheckpoint({ config, metadata }).task);
    const evaluation = await evaluate(engine, test, {
      puzzles,
      supervisionSteps: cycles,
      shouldStop,
      onProgress: ({ done, total }) => progress.update('evaluating', 'puzzles', done, total),
    });
    return { record, dataset: test.name, evaluation, text: scoreText(record, test.name, evaluation) };
  } finally {
    engine.dispose();
  }
}

/** Separate sentences on the record and on the puzzles here, which may be of two sets. */
function scoreText(record: RunRecord, dataset: string, here: Evaluation): string {
  const there = finalEvaluation(record);
  const accuracy = ({ exactAccuracy }: Evaluation, cycle: number): string => percentText(exactAccuracy[cycle - 1]);
  const shown = [1, 2, 4, 8, 16, 32, 64].filter((cycle) => cycle <= here.supervisionSteps);
  const same = dataset === record.data.test.name;
  return [
    'shipped weights (not trained just now): data/checkpoints/sudoku-9x9.safetensors',
    `its record, data/runs/${record.id}.json: ${accuracy(there, there.supervisionSteps)} of ` +
      `${there.puzzles.toLocaleString('en')} Sudoku-Extreme test puzzles after ${there.supervisionSteps} cycles`,
    `measured here: ${accuracy(here, here.supervisionSteps)} of ${here.puzzles} puzzles after ` +
      `${here.supervisionSteps} cycles, ${dataset}`,
    `  cycles ${shown.map((cycle) => String(cycle).padStart(7)).join(' ')}`,
    `  solved ${shown.map((cycle) => accuracy(here, cycle).padStart(7)).join(' ')}`,
    same
      ? `these are the first ${here.puzzles} puzzles of the record`
      : 'these are not the puzzles of the record, so the two numbers cannot be compared',
  ].join('\n');
}
