/** The loop of one run: steps, evaluations when due, checkpoints, and the measurements so far. */
import { existsSync, renameSync } from 'node:fs';
import { isArcDataset } from '../data/arc-sets.js';
import type { Dataset } from '../data/dataset.js';
import type { EngineOptions } from '../engine/create.js';
import { NotFiniteError, type Engine } from '../engine/engine.js';
import { InputError, StoppedError } from '../errors.js';
import { given, stopAsked } from '../fields.js';
import { describe } from '../model/describe.js';
import { voteArc, type ArcVoteResult } from '../train/evaluate-arc.js';
import { evaluate, type EvaluateOptions, type Evaluation } from '../train/evaluate.js';
import type { Keeping } from '../train/kept.js';
import { addMetrics, noMetrics, type StepMetrics } from '../train/metrics.js';
import { stateStep, writeSnapshot } from '../train/snapshot.js';
import type { Trainer } from '../train/trainer.js';
import { closingPuzzles, type ClosingEvaluation } from './closing.js';
import { runCost, setSizes, thoughtsMade, type RunCost } from './cost.js';
import type { EventLog } from './event-log.js';
import type { Experiment } from './experiment.js';
import type { Claim } from './claim.js';
import { kitAtWork, sittingOf } from './provenance.js';
import { blockField } from './own-block.js';
import type { CurvePoint, RunEvaluation, RunRecord, Sitting } from './record.js';
import { FolderTakenError, keepAs, type RunFiles } from './run-folder.js';
import type { TaskData } from './task.js';

/** Progress of a run, for onProgress. */
export interface RunProgress {
  readonly phase: 'training' | 'evaluation';
  /** In training optimizer steps, in an evaluation puzzles. */
  readonly done: number;
  readonly total: number;
  /** Share of the run's FLOP that is done, evaluations included, 0 … 1. */
  readonly share: number;
  /** The curve so far, one point every 1/100 of the steps. */
  readonly curve: readonly CurvePoint[];
  readonly evaluations: readonly RunEvaluation[];
}

/** How a run is watched and stopped. All fields may be left out. */
export interface RunControls {
  /** Steps between checkpoints. Default: a twentieth of the run, at least 10. */
  readonly checkpointEvery?: number;
  /** Called after every step, and awaited, so that a notebook can draw. */
  readonly onProgress?: (progress: RunProgress) => void | Promise<void>;
  /**
   * Asked after every step of training, and during evaluations; true saves a checkpoint, or the finished part of an
   * evaluation, and ends the run unfinished.
   */
  readonly shouldStop?: () => boolean;
}

/** What a loop is given. */
export interface RunParts {
  readonly experiment: Experiment;
  readonly seed: number;
  readonly engine: Engine;
  readonly trainer: Trainer;
  readonly data: TaskData;
  readonly options: RunControls & { readonly engine?: EngineOptions };
  readonly id: string;
  readonly files: RunFiles;
  readonly claim: Claim;
  /** Where an evaluation keeps finished puzzles in case the run ends during it. */
  readonly keeping: Keeping;
  readonly log?: EventLog | undefined;
}

/** How puzzles are scored: a plan's evaluation, or a closing one. */
type Scoring = Pick<ClosingEvaluation, 'puzzles' | 'supervisionSteps' | 'puzzleIds' | 'weights'>;

/** What a run has measured so far: everything but the trainer's state that a resumed run must know. */
export interface Measured {
  readonly curve: readonly CurvePoint[];
  /** Sums over the steps since the last point of the curve, and the number of these steps. */
  readonly pending: StepMetrics;
  readonly pendingSteps: number;
  readonly evaluations: readonly RunEvaluation[];
  readonly closing: RunRecord['closing'];
  readonly sittings: readonly Sitting[];
  readonly seconds: { readonly training: number; readonly evaluation: number };
  /** Older states lack it. */
  readonly peakMemory?: number;
}

/** Before the first step. */
export const nothingMeasured: Measured = {
  curve: [],
  pending: noMetrics,
  pendingSteps: 0,
  evaluations: [],
  closing: {},
  sittings: [],
  seconds: { training: 0, evaluation: 0 },
};

/** The loop of one run, and what it has measured so far. */
export class RunLoop {
  /** true while this sitting has trained and evaluated nothing. */
  untouched = true;
  measured: Measured;
  readonly #parts: RunParts;
  readonly #experiment: Experiment;
  readonly #trainer: Trainer;
  readonly #cost: RunCost;
  readonly #flopPerThought: number;
  readonly #checkpointEvery: number;
  /** The step of the last regular checkpoint. */
  #lastRegular: number;
  /** Supervision steps a puzzle in the current evaluation; 0 outside evaluations. */
  #stepsAPuzzle = 0;
  readonly #kit = kitAtWork();
  /** The sittings before this one, and the optimizer step at which this one began. */
  readonly #earlier: readonly Sitting[];
  readonly #startStep: number;

  constructor(parts: RunParts, measured: Measured) {
    const { experiment, trainer, data, options } = parts;
    this.#parts = parts;
    this.#experiment = experiment;
    this.#trainer = trainer;
    this.#checkpointEvery = options.checkpointEvery ?? Math.max(10, Math.ceil(experiment.training.steps / 20));
    this.#lastRegular = trainer.step - (trainer.step % this.#checkpointEvery);
    this.measured = measured;
    this.#earlier = measured.sittings;
    this.#startStep = trainer.step;
    this.#cost = runCost(experiment, setSizes(experiment, data));
    this.#flopPerThought = describe(experiment.model).flopPerThought;
  }

  /** Trains and evaluates. Returns false if asked to stop before the end; a checkpoint is on disk either way. */
  async toTheEnd(): Promise<boolean> {
    const { training, evaluation } = this.#experiment;
    while (!this.#trainer.done) {
      // Before the step, not after it, so that a resumed run still makes an evaluation that was due when it stopped.
      const before = this.#trainer.step;
      if (evaluation.every > 0 && before > 0 && before % evaluation.every === 0 && !this.#evaluatedHere) {
        await this.#save(); // a run that is killed while evaluating keeps its training
        if (!(await this.#evaluate(evaluation.puzzles))) return false;
      }
      await this.#train();
      const { step, done } = this.#trainer;
      await this.#tell('training', step, training.steps);
      const stop = stopAsked(this.#parts.options.shouldStop);
      if (stop || done || step % this.#checkpointEvery === 0) await this.#save();
      if (stop && !done) return false;
    }
    if (!(await this.#evaluate(evaluation.finalPuzzles))) return false;
    return this.#evaluateClosing();
  }

  /** One optimizer step, and a point of the curve every 1/100 of the steps. */
  async #train(): Promise<void> {
    this.untouched = false;
    const started = performance.now();
    const metrics = await this.#trainStep();
    const { curve, pending, pendingSteps, seconds } = this.measured;
    const sums = addMetrics(pending, metrics);
    const steps = pendingSteps + 1;
    const stretch = Math.max(1, Math.floor(this.#experiment.training.steps / 100));
    const full = steps >= stretch || this.#trainer.done;
    this.measured = {
      ...this.measured,
      curve: full ? [...curve, this.#curvePoint(sums, steps)] : curve,
      pending: full ? noMetrics : sums,
      pendingSteps: full ? 0 : steps,
      seconds: { ...seconds, training: seconds.training + (performance.now() - started) / 1000 },
    };
  }

  /** The trainer's step. If its numbers overflow, the error names the checkpoints to go back to. */
  async #trainStep(): Promise<StepMetrics> {
    try {
      return await this.#trainer.trainStep();
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      throw new NotFiniteError(
        `step ${this.#trainer.step + 1} of ${this.#parts.id}: ${error.message}; ${this.#wayBack()}`,
      );
    }
  }

  #curvePoint(sums: StepMetrics, steps: number): CurvePoint {
    const seats = steps * this.#experiment.training.batchSize;
    const perHalted = (sum: number): number | null => (sums.count === 0 ? null : sum / sums.count);
    return {
      step: this.#trainer.step,
      answerLoss: sums.answerLoss / seats,
      haltLoss: sums.haltLoss / seats,
      exactAccuracy: perHalted(sums.exactAccuracy),
      cellAccuracy: perHalted(sums.cellAccuracy),
      meanSteps: perHalted(sums.steps),
    };
  }

  /** Evaluates the model at this step, once. Returns false if interrupted; a resumed run continues the evaluation. */
  async #evaluate(puzzles: number): Promise<boolean> {
    if (this.#evaluatedHere) return true;
    const result = await this.#score(this.#scoredSet, { puzzles });
    if (result === undefined) return false;
    const { trainingPuzzles: few } = this.#experiment.evaluation;
    const training = few === undefined ? few : await this.#score(this.#parts.data.train, { puzzles: few });
    if (few !== undefined && training === undefined) return false;
    const made = { ...result, step: this.#trainer.step, ...given({ training }) };
    this.measured = { ...this.measured, evaluations: [...this.measured.evaluations, made] };
    await this.#save();
    await this.#tell('evaluation', result.puzzles, result.puzzles);
    return true;
  }

  /** Whether this step is evaluated, as it may be already when a run is resumed. */
  get #evaluatedHere(): boolean {
    return this.measured.evaluations.some(({ step }) => step === this.#trainer.step);
  }

  get #scoredSet(): Dataset {
    return this.#experiment.evaluation.split === 'test' ? this.#parts.data.test : this.#parts.data.validation;
  }

  /** Makes the closing evaluations that are not made yet. Returns false if interrupted. */
  async #evaluateClosing(): Promise<boolean> {
    for (const question of this.#experiment.evaluation.closing) {
      if (Object.hasOwn(this.measured.closing, question.name)) continue;
      const puzzles = closingPuzzles(question, this.#parts.data.train, this.#scoredSet);
      if (puzzles === undefined) continue;
      const result = await (question.votes === undefined
        ? this.#score(puzzles, question)
        : this.#vote(puzzles, question));
      if (result === undefined) return false;
      this.measured = { ...this.measured, closing: { ...this.measured.closing, [question.name]: result } };
      await this.#save();
    }
    return true;
  }

  /** Scores the current model on the first so many puzzles of a set, 0 for all; undefined if interrupted. */
  #score(
    dataset: Dataset,
    { puzzles, supervisionSteps, puzzleIds, weights }: Scoring,
  ): Promise<Evaluation | undefined> {
    const options = {
      puzzles: puzzles === 0 ? dataset.examples : puzzles,
      ...given({ supervisionSteps, puzzleIds, weights }),
    };
    return this.#timed(supervisionSteps, (watched) =>
      evaluate(this.#parts.engine, dataset, { ...options, ...watched }),
    );
  }

  /** Lets the versions of ARC tasks vote; undefined if interrupted. */
  #vote(
    dataset: Dataset,
    { name, votes = 0, supervisionSteps, puzzleIds, weights }: ClosingEvaluation,
  ): Promise<ArcVoteResult | undefined> {
    if (!isArcDataset(dataset)) throw new InputError(`${name}: expected ARC tasks to vote on, got ${dataset.name}`);
    const options = given({ versions: votes === 0 ? undefined : votes, supervisionSteps, puzzleIds, weights });
    return this.#timed(supervisionSteps, (watched) => voteArc(this.#parts.engine, dataset, { ...options, ...watched }));
  }

  /** An evaluation that reports progress, can be stopped, and adds to the run's seconds; undefined if interrupted. */
  async #timed<Result extends { readonly seconds: number }>(
    supervisionSteps: number | undefined,
    work: (watched: Pick<EvaluateOptions, 'onProgress' | 'shouldStop' | 'keep'>) => Promise<Result>,
  ): Promise<Result | undefined> {
    this.untouched = false;
    this.#stepsAPuzzle = supervisionSteps ?? this.#experiment.model.supervisionSteps;
    try {
      const result = await work({
        onProgress: ({ done, total }) => this.#tell('evaluation', done, total),
        ...given({ shouldStop: this.#parts.options.shouldStop }),
        keep: this.#parts.keeping,
      });
      const { seconds } = this.measured;
      this.measured = { ...this.measured, seconds: { ...seconds, evaluation: seconds.evaluation + result.seconds } };
      return result;
    } catch (error) {
      if (error instanceof StoppedError) return undefined;
      throw error;
    } finally {
      this.#stepsAPuzzle = 0;
    }
  }

  async #tell(phase: RunProgress['phase'], done: number, total: number): Promise<void> {
    const { curve, evaluations } = this.measured;
    this.#parts.log?.(curve, evaluations);
    await this.#parts.options.onProgress?.({
      phase,
      done,
      total,
      share: this.#share(phase === 'evaluation' ? done * this.#stepsAPuzzle : 0),
      curve,
      evaluations,
    });
  }

  /** Share of the run that is done, 0 … 1. `thoughts`: puzzles times supervision steps of the current evaluation. */
  #share(thoughts: number): number {
    const all = thoughtsMade(this.measured) + thoughts;
    const { steps } = this.#experiment.training;
    const done = (this.#cost.training * this.#trainer.step) / steps + all * this.#flopPerThought;
    return Math.min(1, done / (this.#cost.training + this.#cost.evaluation));
  }

  /** Writes a checkpoint, and keeps the last two regular ones. */
  async #save(): Promise<void> {
    const { id, experiment, seed, options, claim, engine } = this.#parts;
    const { state, recent, earlier } = this.#parts.files;
    if (!claim.isHeld())
      throw new FolderTakenError(
        `${state}: another process has taken over run ${id}, since this one gave no sign of life`,
      );
    const { step } = this.#trainer;
    const sitting = sittingOf(this.#kit, engine, this.#startStep, step);
    const sittings = joined([...this.#earlier, sitting]);
    this.measured = { ...this.measured, sittings, peakMemory: peakSoFar(this.measured) };
    const regular = step >= this.#lastRegular + this.#checkpointEvery;
    if (regular && existsSync(recent)) renameSync(recent, earlier);
    writeSnapshot(state, await this.#trainer.snapshot(), {
      id,
      experiment,
      seed,
      progress: this.measured,
      ...blockField(options.engine?.block),
    });
    this.#parts.keeping.remove(); // the state now contains the results kept there
    if (!regular) return;
    keepAs(state, recent);
    this.#lastRegular = step;
  }

  /** The checkpoints to go back to after an overflow. The last one may already contain its cause. */
  #wayBack(): string {
    const { state, recent, earlier } = this.#parts.files;
    const kept = [earlier, recent, state].flatMap((file) => {
      const step = existsSync(file) ? stateStep(file) : undefined;
      return step === undefined || step > this.#trainer.step ? [] : [{ file, step }];
    });
    const [oldest, newest] = [kept[0], kept.at(-1)];
    const lower = `training.learningRate=${Number((this.#experiment.training.learningRate / 2).toPrecision(2))}`;
    if (oldest === undefined || newest === undefined)
      return `there is no checkpoint yet; start over with --set ${lower}`;
    const also = newest.step > oldest.step ? `, the last one ${newest.file} (step ${newest.step})` : '';
    return (
      `the checkpoint from before is ${oldest.file} (step ${oldest.step})${also}; ` +
      `start a new run from it: --from ${oldest.file} --set ${lower}`
    );
  }
}

/** Peak resident memory of this sitting and those before it, bytes. */
export function peakSoFar({ peakMemory = 0 }: Measured): number {
  return Math.max(peakMemory, process.resourceUsage().maxRSS * 1024);
}

/** Merges consecutive sittings that differ only in their steps and times. */
function joined(sittings: readonly Sitting[]): Sitting[] {
  const made = ({ from: _, to: __, finishedAt: ___, ...rest }: Sitting): string => JSON.stringify(rest);
  const result: Sitting[] = [];
  for (const sitting of sittings) {
    const last = result.at(-1);
    if (last !== undefined && made(last) === made(sitting)) result[result.length - 1] = { ...sitting, from: last.from };
    else result.push(sitting);
  }
  return result;
}
