/** The loop of one run: steps, evaluations where they are due, checkpoints, and what it has measured so far. */
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

/** What a run tells while it goes on. */
export interface RunProgress {
  readonly phase: 'training' | 'evaluation';
  /** Training: optimizer steps; evaluation: puzzles. */
  readonly done: number;
  readonly total: number;
  /** Part of the whole run that is done, its evaluations included, 0 … 1, by FLOP. */
  readonly share: number;
  /** The curve so far, one point every 1/100 of the steps. */
  readonly curve: readonly CurvePoint[];
  readonly evaluations: readonly RunEvaluation[];
}

/** What a run is asked while it goes on; all fields may be left out. */
export interface RunControls {
  /** Steps between checkpoints. Default: a twentieth of the run, at least 10. */
  readonly checkpointEvery?: number;
  /** Awaited, so that a notebook can draw. */
  readonly onProgress?: (progress: RunProgress) => void | Promise<void>;
  /** Polled after every step; true saves a checkpoint and ends the run unfinished. */
  readonly shouldStop?: () => boolean;
}

/** What a loop works with. */
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
  /** Where its evaluations keep what they have finished. */
  readonly keeping: Keeping;
  readonly log?: EventLog | undefined;
}

/** How puzzles are scored: a plan's evaluation, or a closing one. */
type Scoring = Pick<ClosingEvaluation, 'puzzles' | 'supervisionSteps' | 'puzzleIds' | 'weights'>;

/** Everything but the trainer's state that a resumed run must know. */
export interface Measured {
  readonly curve: readonly CurvePoint[];
  readonly pending: StepMetrics;
  readonly pendingSteps: number;
  readonly evaluations: readonly RunEvaluation[];
  readonly closing: RunRecord['closing'];
  /** Of the sittings before this one. */
  readonly sittings: readonly Sitting[];
  readonly seconds: { readonly training: number; readonly evaluation: number };
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
  /** True while nothing was trained or evaluated in this sitting. */
  untouched = true;
  progress: Measured;
  readonly #parts: RunParts;
  readonly #experiment: Experiment;
  readonly #trainer: Trainer;
  readonly #cost: RunCost;
  readonly #flopPerThought: number;
  readonly #checkpointEvery: number;
  /** The step of the last regular checkpoint. */
  #regular: number;
  /** Supervision steps a puzzle of the evaluation that is going on; 0 while there is none. */
  #scoring = 0;
  readonly #kit = kitAtWork();
  /** Sittings before this one, and the step at which this one began. */
  readonly #earlier: readonly Sitting[];
  readonly #from: number;

  constructor(parts: RunParts, progress: Measured) {
    const { experiment, trainer, data, options } = parts;
    this.#parts = parts;
    this.#experiment = experiment;
    this.#trainer = trainer;
    this.#checkpointEvery = options.checkpointEvery ?? Math.max(10, Math.ceil(experiment.training.steps / 20));
    this.#regular = trainer.step - (trainer.step % this.#checkpointEvery);
    this.progress = progress;
    this.#earlier = progress.sittings;
    this.#from = trainer.step;
    this.#cost = runCost(experiment, setSizes(experiment, data));
    this.#flopPerThought = describe(experiment.model).flopPerThought;
  }

  /** Returns false if asked to stop before the end; a checkpoint is on disk either way. */
  async toTheEnd(): Promise<boolean> {
    const { training, evaluation } = this.#experiment;
    while (!this.#trainer.done) {
      // Before the step, not after it: a run that was stopped or killed when an evaluation was due makes it when it
      // goes on.
      const due = evaluation.every > 0 && this.#trainer.step > 0 && this.#trainer.step % evaluation.every === 0;
      if (due && !this.#evaluatedHere) await this.#save();
      if (due && !(await this.#evaluate(evaluation.puzzles))) return false;
      await this.#train();
      const { step, done } = this.#trainer;
      await this.#tell('training', step, training.steps);
      const stop = stopAsked(this.#parts.options.shouldStop);
      if (stop || done || step % this.#checkpointEvery === 0) await this.#save();
      if (stop && !done) return false;
    }
    if (!(await this.#evaluate(evaluation.finalPuzzles))) return false;
    return this.#close();
  }

  /** The closing evaluations that are not made yet; false if asked to stop. */
  async #close(): Promise<boolean> {
    for (const question of this.#experiment.evaluation.closing) {
      if (Object.hasOwn(this.progress.closing, question.name)) continue;
      const puzzles = closingPuzzles(question, this.#parts.data.train, this.#scored);
      if (puzzles === undefined) continue;
      const result = await (question.votes === undefined
        ? this.#score(puzzles, question)
        : this.#vote(puzzles, question));
      if (result === undefined) return false;
      this.progress = { ...this.progress, closing: { ...this.progress.closing, [question.name]: result } };
      await this.#save();
    }
    return true;
  }

  async #train(): Promise<void> {
    this.untouched = false;
    const started = performance.now();
    const metrics = await this.#trainStep();
    const { curve, pending, pendingSteps, seconds } = this.progress;
    const sums = addMetrics(pending, metrics);
    const steps = pendingSteps + 1;
    const stretch = Math.max(1, Math.floor(this.#experiment.training.steps / 100));
    const full = steps >= stretch || this.#trainer.done;
    this.progress = {
      ...this.progress,
      curve: full ? [...curve, this.#curvePoint(sums, steps)] : curve,
      pending: full ? noMetrics : sums,
      pendingSteps: full ? 0 : steps,
      seconds: { ...seconds, training: seconds.training + (performance.now() - started) / 1000 },
    };
  }

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

  /** Which checkpoints there are to go back to. What led to the overflow may be in the last one already. */
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

  /** Returns false if interrupted; a resumed run goes on with it. */
  async #evaluate(puzzles: number): Promise<boolean> {
    if (this.#evaluatedHere) return true;
    const result = await this.#score(this.#scored, { puzzles });
    if (result === undefined) return false;
    const { trainingPuzzles = 0 } = this.#experiment.evaluation;
    const training =
      trainingPuzzles === 0 ? undefined : await this.#score(this.#parts.data.train, { puzzles: trainingPuzzles });
    if (trainingPuzzles > 0 && training === undefined) return false;
    const made = { ...result, step: this.#trainer.step, ...given({ training }) };
    this.progress = { ...this.progress, evaluations: [...this.progress.evaluations, made] };
    await this.#save();
    await this.#tell('evaluation', result.puzzles, result.puzzles);
    return true;
  }

  /** A resumed run may stand on a step that it has evaluated already. */
  get #evaluatedHere(): boolean {
    return this.progress.evaluations.some(({ step }) => step === this.#trainer.step);
  }

  get #scored(): Dataset {
    return this.#experiment.evaluation.split === 'test' ? this.#parts.data.test : this.#parts.data.validation;
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
    return this.#measured(supervisionSteps, (watched) =>
      evaluate(this.#parts.engine, dataset, { ...options, ...watched }),
    );
  }

  /** Lets the versions of ARC tasks vote; undefined if interrupted. */
  #vote(
    dataset: Dataset,
    { name, votes = 0, supervisionSteps }: ClosingEvaluation,
  ): Promise<ArcVoteResult | undefined> {
    if (!isArcDataset(dataset)) throw new InputError(`${name}: expected ARC tasks to vote on, got ${dataset.name}`);
    const options = given({ versions: votes === 0 ? undefined : votes, supervisionSteps });
    return this.#measured(supervisionSteps, (watched) =>
      voteArc(this.#parts.engine, dataset, { ...options, ...watched }),
    );
  }

  /** Evaluates with progress and a stop, and counts the time; undefined if interrupted. */
  async #measured<Result extends { readonly seconds: number }>(
    supervisionSteps: number | undefined,
    work: (watched: Pick<EvaluateOptions, 'onProgress' | 'shouldStop' | 'keep'>) => Promise<Result>,
  ): Promise<Result | undefined> {
    this.untouched = false;
    this.#scoring = supervisionSteps ?? this.#experiment.model.supervisionSteps;
    try {
      const result = await work({
        onProgress: ({ done, total }) => this.#tell('evaluation', done, total),
        ...given({ shouldStop: this.#parts.options.shouldStop }),
        keep: this.#parts.keeping,
      });
      const { seconds } = this.progress;
      this.progress = { ...this.progress, seconds: { ...seconds, evaluation: seconds.evaluation + result.seconds } };
      return result;
    } catch (error) {
      if (error instanceof StoppedError) return undefined;
      throw error;
    } finally {
      this.#scoring = 0;
    }
  }

  async #tell(phase: RunProgress['phase'], done: number, total: number): Promise<void> {
    const { curve, evaluations } = this.progress;
    this.#parts.log?.(curve, evaluations);
    await this.#parts.options.onProgress?.({
      phase,
      done,
      total,
      share: this.#share(phase === 'evaluation' ? done * this.#scoring : 0),
      curve,
      evaluations,
    });
  }

  /** `thoughts`: supervision steps of puzzles in the evaluation that is going on. */
  #share(thoughts: number): number {
    const all = thoughtsMade(this.progress) + thoughts;
    const { steps } = this.#experiment.training;
    const done = (this.#cost.training * this.#trainer.step) / steps + all * this.#flopPerThought;
    return Math.min(1, done / (this.#cost.training + this.#cost.evaluation));
  }

  async #save(): Promise<void> {
    const { id, experiment, seed, options, claim } = this.#parts;
    if (!claim.isHeld())
      throw new FolderTakenError(
        `${this.#parts.files.state}: another process has taken over run ${id}, since this one gave no sign of life`,
      );
    const sitting = sittingOf(this.#kit, this.#parts.engine, this.#from, this.#trainer.step);
    this.progress = { ...this.progress, sittings: joined([...this.#earlier, sitting]) };
    const { state, recent, earlier } = this.#parts.files;
    const { step } = this.#trainer;
    const regular = step >= this.#regular + this.#checkpointEvery;
    if (regular && existsSync(recent)) renameSync(recent, earlier);
    writeSnapshot(state, await this.#trainer.snapshot(), {
      id,
      experiment,
      seed,
      progress: this.progress,
      ...blockField(options.engine?.block),
    });
    this.#parts.keeping.remove(); // its evaluations' results are in the state
    if (!regular) return;
    keepAs(state, recent);
    this.#regular = step;
  }
}

/** Sittings in a row that differ in nothing but their steps and times, as one. */
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
