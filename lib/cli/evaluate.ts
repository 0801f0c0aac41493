/** trm-lab evaluate: scores a checkpoint on puzzles, after every supervision step. */
import { openModel } from '../experiment/open.js';
import { loadTask } from '../experiment/task.js';
import { evaluate } from '../train/evaluate.js';
import { choice, integer, type Command } from './command.js';
import { engineOptions, readEngineOptions } from './engine-options.js';
import { readExperiment, experimentOptions } from './experiment-options.js';
import { duration } from '../report/progress.js';
import { TerminalProgress } from './progress.js';
import { percent } from './train.js';
import { InputError } from '../errors.js';

export const evaluateCommand: Command = {
  name: 'evaluate',
  summary: 'Score a checkpoint: exact, cell and halting accuracy after every supervision step.',
  positionals: '<checkpoint>',
  count: [1, 1],
  options: {
    ...experimentOptions,
    split: { type: 'string', value: 'NAME', about: 'test, train or validation. Default test' },
    puzzles: { type: 'string', value: 'N', about: 'score only the first N puzzles. Default all' },
    steps: { type: 'string', value: 'N', about: "supervision steps, 1 to 4096; more than trained with is allowed. Default the model's" },
    'batch-size': { type: 'string', value: 'N', about: 'puzzles at once, 1 to 65536. Default 128' },
    ...engineOptions,
  },
  example: 'trm-lab evaluate data/checkpoints/sudoku-4x4.safetensors --experiment sudoku-4x4',
  minutes: 'seconds',

  async run(args, out) {
    const [file = ''] = args.positionals;
    const experiment = readExperiment(args);
    const { engine, config, notes } = await openModel(file, readEngineOptions(args));
    for (const note of notes) out.note(note);
    try {
      const data = await loadTask(experiment.task);
      const dataset = data[choice(args, 'split', ['train', 'test', 'validation']) ?? 'test'];
      if (dataset.vocabSize !== config.vocabSize || dataset.sequenceLength !== config.sequenceLength) {
        throw new InputError(
          `expected puzzles of ${config.sequenceLength} cells and ${config.vocabSize} tokens, as ${file} was trained on, got ${dataset.sequenceLength} and ${dataset.vocabSize} from ${experiment.name}; choose the fitting --experiment`,
        );
      }
      const progress = new TerminalProgress();
      const puzzles = integer(args, 'puzzles', 1, 1e9);
      const supervisionSteps = integer(args, 'steps', 1, 4096);
      const batchSize = integer(args, 'batch-size', 1, 65_536);
      const result = await evaluate(engine, dataset, {
        ...(puzzles === undefined ? {} : { puzzles }),
        ...(supervisionSteps === undefined ? {} : { supervisionSteps }),
        ...(batchSize === undefined ? {} : { batchSize }),
        onProgress: ({ done, total }) => progress.update('evaluating', 'puzzles', done, total),
      });
      progress.end();
      out.line(`${dataset.name}: ${result.puzzles} puzzles, ${duration(result.seconds)}, ${(result.puzzles / result.seconds).toFixed(1)} puzzles/s, ${engine.description}`);
      if (dataset.note !== '') out.line(dataset.note);
      out.line('step   exact    cells  halting');
      for (let step = 0; step < result.supervisionSteps; step++) {
        const row = [result.exactAccuracy[step], result.cellAccuracy[step], result.haltingAccuracy[step]];
        out.line(`${String(step + 1).padStart(4)} ${row.map((share) => percent(share).padStart(8)).join(' ')}`);
      }
      out.result({ checkpoint: file, dataset: dataset.name, sha256: dataset.sha256, engine: engine.description, ...result });
      return 0;
    } finally {
      engine.dispose();
    }
  },
};
