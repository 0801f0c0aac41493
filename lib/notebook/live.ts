/** Training before the reader's eyes: the learning curve grows while it runs, and Interrupt keeps what was learned. */
import { checkExperiment, type Experiment } from '../experiment/experiment.js';
import { anyObject, checkValue } from '../fields.js';
import type { PlannedRun } from '../sweep/plan.js';
import { recordsSoFar, type RunRecord } from '../experiment/record.js';
import { turn } from '../progress.js';
import { runExperiment, type RunOptions, type RunOutcome } from '../experiment/run.js';
import type { RunProgress } from '../experiment/run-loop.js';
import { foldersOf, hasRecord, runSweep, sweepShare, type SweepOptions, type SweepRun } from '../sweep/sweep.js';
import { experimentsOf } from '../report/ablation.js';
import { accuracyVersusCycles, learningCurve } from '../report/figures.js';
import {
  cellProgress,
  endInterruptedCell,
  inNotebook,
  interruptedFromNow,
  Output,
  show,
  showPicture,
} from './output.js';
import { percentText } from '../report/tables.js';

let unfinished: Promise<unknown> = Promise.resolve();

/**
 * Trains before the reader's eyes: a progress line, and the learning curve growing below it.
 * Interrupt stops at the next step and keeps what was learned (on disk; the stopped engine is let go);
 * calling again goes on from there, and a finished run is read back at once. Takes the options of runExperiment.
 */
export async function trainLive(experiment: Experiment, options: RunOptions = {}): Promise<RunOutcome> {
  checkExperiment(experiment);
  checkValue('run', options, anyObject);
  // An interrupted cell ends before its run has saved, so the next call waits for it.
  await unfinished;
  const run = watchedRun(experiment, options);
  unfinished = run.catch(() => undefined); // the caller gets the failure through `run` itself
  return run;
}

async function watchedRun(experiment: Experiment, options: RunOptions): Promise<RunOutcome> {
  const progress = cellProgress();
  const figure = new Output();
  const subtitle = `${experiment.name}, seed ${options.seed ?? 0}`;
  const totalSteps = experiment.training.steps;
  const caption = { subtitle, totalSteps, split: experiment.evaluation.split };
  let drawnAt = -Infinity;
  let drawn = { points: 0, evaluations: 0 };
  const draw = async ({ curve, evaluations }: Pick<RunProgress, 'curve' | 'evaluations'>): Promise<void> => {
    if (curve.length === drawn.points && evaluations.length === drawn.evaluations) return;
    drawn = { points: curve.length, evaluations: evaluations.length };
    await showPicture(learningCurve(curve, evaluations, caption), figure);
    drawnAt = performance.now();
  };
  const outcome = await runExperiment(experiment, {
    resume: true,
    shouldStop: interruptedFromNow(),
    onData: (done, total) => progress.update('preparing', 'puzzles', done, total),
    ...options,
    onProgress: async (state) => {
      progress.update(
        state.phase === 'training' ? 'training' : 'testing',
        state.phase === 'training' ? 'steps' : 'puzzles',
        state.done,
        state.total,
        noteOf(state),
      );
      // Drawing takes a fifth of a second; this limits it to a tenth of the time.
      if (inNotebook() && performance.now() - drawnAt > 2000) await draw(state);
      await turn();
      await options.onProgress?.(state);
    },
  }).finally(() => progress.end());
  if (inNotebook()) await show(learningCurve(outcome.curve, outcome.evaluations, caption), figure);
  if (outcome.record !== undefined) return outcome;
  outcome.engine.dispose(); // an interrupted cell has no result, so nobody else could
  await show(
    `Stopped after ${outcome.steps} of ${totalSteps} steps; what was learned is kept. Run this cell again to continue.`,
  );
  endInterruptedCell();
  return outcome;
}

/**
 * Makes the missing runs of a plan, several at once, with a progress line and accuracy versus cycles of the finished
 * runs. A run that is planned twice (tables share rows) is made once. Interrupt lets the runs save and end; calling
 * again continues them. Takes the options of runSweep. Throws InputError if two experiments have one name, Error if a
 * run failed.
 */
export async function sweepLive(plan: readonly PlannedRun[], options: SweepOptions = {}): Promise<SweepRun[]> {
  experimentsOf(plan); // refuses two of one name
  checkValue('sweep', options, anyObject);
  await unfinished;
  const progress = cellProgress();
  const figure = new Output();
  let drawn = 0;
  const draw = async (runs: readonly SweepRun[], send: typeof showPicture): Promise<void> => {
    const done = runs.filter(hasRecord).map(({ id }) => id);
    if (!inNotebook() || done.length === drawn) return;
    drawn = done.length;
    const records = recordsSoFar(foldersOf(options).records).filter(({ id }) => done.includes(id));
    await send(accuracyVersusCycles(inOrder(records, plan)), figure);
  };
  let drawing: Promise<void> = Promise.resolve(); // draws one picture at a time, so that the last one stays
  const once = new Map(plan.map((run) => [`${run.experiment.name} ${run.seed}`, run]));
  const sweep = runSweep([...once.values()], {
    shouldStop: interruptedFromNow(),
    onData: (done, total) => progress.update('preparing', 'puzzles', done, total),
    ...options,
    onProgress: (runs) => {
      drawing = drawing.then(() => draw(runs, showPicture));
      drawing.catch(() => undefined); // its failure reaches the caller after the sweep
      const busy = runs.filter(({ state }) => state === 'running').map(({ id }) => id);
      progress.update('runs', 'runs', runs.length * sweepShare(runs), runs.length, busy.join(' · '));
      options.onProgress?.(runs);
    },
  }).finally(() => progress.end());
  unfinished = sweep.catch(() => undefined); // the caller gets the failure through `sweep` itself
  const runs = await sweep;
  await drawing;
  drawn = 0;
  await draw(runs, show);
  const failed = runs.find(({ state }) => state === 'failed');
  if (failed !== undefined) throw new Error(`${failed.id} failed: ${failed.message ?? ''}`);
  const left = runs.filter((run) => !hasRecord(run)).length;
  if (left > 0) {
    await show(
      `Stopped with ${left} of ${runs.length} runs unfinished; what they learned is kept. ` +
        'Run this cell again to continue.',
    );
    endInterruptedCell();
  }
  return runs;
}

/** Records in the order of a plan's experiments, so that every picture has the same colours. */
function inOrder(records: readonly RunRecord[], plan: readonly PlannedRun[]): RunRecord[] {
  const names = plan.map(({ experiment }) => experiment.name);
  const placeOf = ({ experiment }: RunRecord): number => names.indexOf(experiment.name);
  return [...records].sort((a, b) => placeOf(a) - placeOf(b) || a.seed - b.seed);
}

function noteOf({ curve, evaluations }: RunProgress): string {
  const loss = curve.at(-1)?.answerLoss;
  const exact = evaluations.at(-1)?.exactAccuracy.at(-1);
  return [
    loss === undefined ? '' : `loss ${loss.toFixed(3)}`,
    exact === undefined ? '' : `${percentText(exact)} solved`,
  ]
    .filter((part) => part !== '')
    .join(' · ');
}
