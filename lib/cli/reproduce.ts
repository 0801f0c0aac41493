/** trm-lab reproduce: everything a first-time reader wants to see, in one command. */
import { StoppedError } from '../errors.js';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { describeExperiment } from '../experiment/describe.js';
import type { Experiment, ExperimentChanges } from '../experiment/experiment.js';
import { experiment } from '../experiment/experiments.js';
import { lastSitting } from '../experiment/record.js';
import { runExperiment } from '../experiment/run.js';
import { hasExtreme } from '../data/sudoku-sets.js';
import { projectRoot } from '../files.js';
import { accuracyVersusCycles } from '../report/figures.js';
import { saveFigure } from '../report/draw/plotly.js';
import { resultsTable } from '../report/tables.js';
import { chooseLevel, whyUnavailable } from '../engine/native/addon.js';
import { flag, seedOf, seedOption, type Command, type Out } from './command.js';
import type { EngineOptions } from '../engine/create.js';
import { engineOptions, readEngineOptions } from './engine-options.js';
import { duration, Progress } from '../progress.js';
import { scoreShipped, type ShippedScore } from './shipped.js';
import { stoppable } from './stop.js';
import { showProgress } from './train.js';

export const reproduce: Command = {
  name: 'reproduce',
  summary:
    "Run notebooks 1 and 2, train on real 9×9 puzzles, print our number next to the paper's, draw accuracy versus " +
    'cycles, and score the shipped 9×9 model.',
  positionals: '',
  count: [0, 0],
  options: {
    seed: seedOption('seed of the 9×9 run'),
    smoke: { about: 'only a few steps: shows that everything works, but learns nothing' },
    ...engineOptions,
  },
  example: 'reproduce',
  minutes: 'about 8 minutes',

  async run(args, out) {
    const options = readEngineOptions(args);
    const smoke = flag(args, 'smoke');
    const pace = smoke ? 'smoke' : paceOf(options);
    const chosen = chooseExperiment(pace);
    out.note(
      `Three parts: notebooks 1 and 2, training on real 9×9 puzzles (about ${trainingTakes[pace]}), and the shipped ` +
        '9×9 model on such puzzles (under a minute). Interrupt at any time; run again to continue.',
    );

    for (const notebook of ['1-how-it-thinks', '2-train']) {
      const code = await runNode(
        path.join(projectRoot(), 'scripts', 'notebooks.mjs'),
        ['run', path.join(projectRoot(), 'notebooks', `${notebook}.ipynb`)],
        smoke ? { TRM_SMOKE: '1' } : {},
      );
      if (code !== 0) return 1;
    }

    out.note(describeExperiment(chosen));
    const progress = new Progress();
    const outcome = await stoppable(out, 'saving, then stopping', (shouldStop) =>
      runExperiment(chosen, {
        seed: seedOf(args),
        engine: options,
        resume: true,
        shouldStop,
        onProgress: (state) => showProgress(progress, state),
      }),
    );
    outcome.engine.dispose();
    const { record } = outcome;
    if (record === undefined) {
      out.line('stopped; the same command continues from here');
      return 1;
    }

    out.line('');
    out.line(resultsTable([record]));
    // In the run's folder: the committed figures are those of the committed records.
    const figure = await saveFigure(
      'accuracy-versus-cycles',
      accuracyVersusCycles([record]),
      path.relative(projectRoot(), outcome.folder),
    );
    out.line('');
    out.line(`accuracy versus cycles: ${figure}`);
    out.line(
      `training took ${duration(record.seconds.training)}, evaluation ${duration(record.seconds.evaluation)}, ` +
        `on ${lastSitting(record).engine}`,
    );
    const shipped = await scored(out, pace, options);
    if (shipped === undefined) return 1;
    out.line('');
    out.line(shipped.text);
    const { dataset, evaluation } = shipped;
    out.result({ trained: record, shipped: { run: shipped.record.id, dataset, evaluation } });
    return 0;
  },
};

/** Runs one of the project's own scripts, its output passed through to standard error, and returns its exit code. */
function runNode(script: string, args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, ...environment },
    });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

/** The shipped model's score; undefined if interrupted. */
async function scored(out: Out, pace: Pace, options: EngineOptions): Promise<ShippedScore | undefined> {
  out.note(`\nThe shipped 9×9 model solves ${shippedPuzzles[pace]} puzzles`);
  try {
    return await stoppable(out, 'stopping after this step', (shouldStop) =>
      scoreShipped(shippedPuzzles[pace], options, shouldStop),
    );
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error;
    out.line('stopped; the same command continues from here');
    return undefined;
  }
}

/** The speed class of this machine, which determines what fits a quarter of an hour on two cores. */
type Pace = 'bf16' | 'float32' | 'tfjs' | 'smoke';

function paceOf({ engine, precision = 'auto' }: EngineOptions): Exclude<Pace, 'smoke'> {
  return engine === 'tfjs' || whyUnavailable() !== undefined ? 'tfjs' : chooseLevel(precision).precision;
}

/** What a pace changes of the experiment: a step takes 0.1 s in bf16, 0.3 s in float32 at AVX2, a second on tfjs. */
const paces: Readonly<Record<Pace, ExperimentChanges>> = {
  bf16: {},
  float32: { training: { steps: 1500 }, evaluation: { every: 500, puzzles: 100, finalPuzzles: 400 } },
  // With so few steps, each of 64 batches would get too few turns.
  tfjs: { training: { steps: 500, interleavedBatches: 16 }, evaluation: { every: 0, finalPuzzles: 200 } },
  smoke: { training: { steps: 10 }, evaluation: { every: 0, finalPuzzles: 20 } },
};
const trainingTakes: Readonly<Record<Pace, string>> = {
  bf16: 'six minutes',
  float32: 'eight minutes',
  tfjs: 'nine minutes',
  smoke: 'half a minute',
};

/** Number of puzzles that the shipped model is scored on, to fit a minute. */
const shippedPuzzles: Readonly<Record<Pace, number>> = { bf16: 300, float32: 150, tfjs: 50, smoke: 2 };

/**
 * Sudoku-Extreme if its files are available, else the shipped public-domain puzzles; fewer steps on slower machines.
 */
function chooseExperiment(pace: Pace): Experiment {
  return experiment('sudoku-9x9', { ...(hasExtreme() ? { task: { source: 'sudoku-extreme' } } : {}), ...paces[pace] });
}
