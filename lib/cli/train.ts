/** trm-lab train: runs one experiment with one seed. */
import path from 'node:path';
import { InputError } from '../errors.js';
import { given } from '../fields.js';
import { projectRoot, shownPath } from '../files.js';
import { describeExperiment } from '../experiment/describe.js';
import { finalEvaluation, lastSitting, voteOf } from '../experiment/record.js';
import { checkRunnable } from '../experiment/cost.js';
import { runExperiment } from '../experiment/run.js';
import type { RunProgress } from '../experiment/run-loop.js';
import { anyNumber, choice, flag, numberOf, seedOf, seedOption, text, type Command } from './command.js';
import { costText, measuredCost, paceText } from './cost.js';
import { engineOptions, readEngineOptions } from './engine-options.js';
import { configOption, experimentOptions, readExperiment, variantOption } from './experiment-options.js';
import { duration, Progress } from '../progress.js';
import { percentText } from '../report/tables.js';
import { passLine } from './evaluate-arc.js';
import { keepRecord } from './keep-record.js';
import { stoppable } from './stop.js';

/** Longest run at the paper's scale that starts without --yes. */
const unaskedHours = 6;

export const train: Command = {
  name: 'train',
  summary: 'Train a model: show progress, write checkpoints, evaluate it and write one record.',
  positionals: '',
  count: [0, 0],
  options: {
    ...experimentOptions(),
    variant: variantOption,
    config: configOption,
    seed: seedOption('seed of weights, order, augmentation and exploration'),
    folder: {
      value: 'DIR',
      about:
        'where checkpoints, record.json and curve.csv (the losses, for any plotting program) go. ' +
        'Default runs/<run id>',
    },
    log: {
      value: 'NAME',
      about: "tensorboard: during the run, also write event files to the folder's tensorboard. Default none",
    },
    resume: {
      about: 'continue from the last checkpoint in the folder; a finished run is not run again',
    },
    restart: {
      about: 'if the folder holds the same run, stopped, start over: its checkpoints are lost',
      unread: (args) => (flag(args, 'resume') ? 'expected no --resume with it' : undefined),
    },
    from: {
      value: 'CHECKPOINT',
      about: 'start a new run from the weights of this training state or checkpoint, with the settings given here',
    },
    'checkpoint-every': {
      value: 'N',
      range: [1, anyNumber],
      about: 'steps between checkpoints. Default a twentieth of the run, at least 10',
    },
    record: { about: 'also copy the record to data/runs, where the tables read it, unless it has one of this run' },
    yes: { about: "start a run at the paper's scale even if it takes more than six hours" },
    ...engineOptions,
  },
  example: 'train --experiment sudoku-4x4 --seed 1',
  minutes: 'seconds (half a minute without Rust)',

  async run(args, out) {
    const experiment = readExperiment(args);
    out.note(describeExperiment(experiment));
    checkRunnable(experiment, readEngineOptions(args));
    if (experiment.scale === 'paper') {
      out.note("measuring this machine's speed on a few puzzles");
      const cost = await measuredCost([{ experiment }], readEngineOptions(args));
      out.note(`the published scale: ${costText(cost)}`);
      out.note(paceText(cost, experiment));
      if (cost.hours > unaskedHours && !flag(args, 'yes')) {
        out.note(`More than ${unaskedHours} hours: add --yes to start it.`);
        return 1;
      }
    }
    const progress = new Progress();
    const pathOf = (name: string): string | undefined => {
      const named = text(args, name);
      return named === undefined ? undefined : path.resolve(named);
    };
    const [folder, from] = [pathOf('folder'), pathOf('from')];
    if (from !== undefined && flag(args, 'record'))
      throw new InputError('--record: expected no --from with it: tables compare runs that start from nothing');
    const log = choice(args, 'log', ['tensorboard']);
    const checkpointEvery = numberOf(args, 'checkpoint-every');
    const resume = flag(args, 'resume');
    let begun = false;
    const outcome = await stoppable(out, 'saving, then stopping', (shouldStop) =>
      runExperiment(experiment, {
        seed: seedOf(args),
        engine: readEngineOptions(args),
        resume,
        keepStopped: !flag(args, 'restart'),
        onNote: (note) => out.note(note),
        onProgress: (state) => {
          if (resume && !begun && state.phase === 'training' && state.done === 1)
            out.note('--resume: the folder has no checkpoint of this run, so it starts at the first step');
          begun = true;
          showProgress(progress, state);
        },
        onData: (done, total) => progress.update('preparing', 'puzzles', done, total),
        shouldStop,
        ...given({ folder, from, log, checkpointEvery }),
      }),
    );
    outcome.engine.dispose();
    const { record } = outcome;
    if (record === undefined) {
      out.line(`stopped; continue with the same command and --resume (${shownPath(outcome.folder)})`);
      return 1;
    }
    if (flag(args, 'record')) {
      const records = path.join(projectRoot(), 'data', 'runs');
      keepRecord(record.id, path.join(outcome.folder, 'record.json'), records, out);
    }
    const { exactAccuracy, cellAccuracy, puzzles } = finalEvaluation(record);
    const vote = voteOf(record);
    out.line(
      `${record.id}: ${percentText(exactAccuracy.at(-1))} exact, ${percentText(cellAccuracy.at(-1))} of cells, ` +
        `on ${puzzles} ${experiment.evaluation.split} puzzles`,
    );
    const { note } = outcome.data[experiment.evaluation.split];
    if (note !== '') out.line(note);
    if (vote !== undefined) out.line(passLine(vote));
    out.line(`exact after each supervision step: ${exactAccuracy.map((share) => percentText(share)).join(' ')}`);
    out.line(
      `training ${duration(record.seconds.training)}, evaluation ${duration(record.seconds.evaluation)}, ` +
        `${lastSitting(record).engine}; files in ${shownPath(outcome.folder)}`,
    );
    out.result(record);
    return 0;
  },
};

/** One line about where a run stands. */
export function showProgress(progress: Progress, { phase, done, total, curve, evaluations }: RunProgress): void {
  const point = curve.at(-1);
  const loss = point === undefined ? '' : `loss ${point.answerLoss.toFixed(4)}`;
  const exact = evaluations.at(-1)?.exactAccuracy.at(-1);
  const note = [loss, exact === undefined ? '' : `exact ${percentText(exact)}`]
    .filter((part) => part !== '')
    .join(' · ');
  progress.update(
    phase === 'training' ? 'training' : 'evaluating',
    phase === 'training' ? 'steps' : 'puzzles',
    done,
    total,
    note,
  );
}
