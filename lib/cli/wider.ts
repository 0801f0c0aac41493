/** trm-lab wider: the study of thinking wider behind a figure of docs/results.md. */
import path from 'node:path';
import { InputError, StoppedError } from '../errors.js';
import { assumedLine } from './checkpoint-options.js';
import { experiment } from '../experiment/experiments.js';
import { openModel, shippedCheckpoint } from '../experiment/open.js';
import { loadTask, changeTask } from '../experiment/task.js';
import { widerPlan, type WiderRecord } from '../experiment/wider-record.js';
import { widerStudy } from '../experiment/wider.js';
import { kitCommand, projectRoot, shownPath } from '../files.js';
import { duration, Progress } from '../progress.js';
import { widerTable } from '../report/wider.js';
import { toText } from '../report/tables.js';
import { flag, numberOf, seedOf, seedOption, type Command } from './command.js';
import { engineOptions, readEngineOptions } from './engine-options.js';
import { keepRecord } from './keep-record.js';
import { stoppable } from './stop.js';

export const wider: Command = {
  name: 'wider',
  summary:
    'Run the test-time search study (docs/thinking-wider.md): what a 9×9 model solves with more passes, spent on ' +
    'votes, the surest answer, stopping when sure, more cycles or noisy chains. Once stopped, it can be continued.',
  positionals: '[checkpoint]',
  count: [0, 1],
  options: {
    puzzles: {
      value: 'N',
      range: [1, 8000],
      about: `official test puzzles, from the ${widerPlan.testFrom + 1}st on. Default 1000`,
    },
    seed: seedOption('seed of forms and noise'),
    record: { about: 'copy the record to data/wider, where the report reads it' },
    ...engineOptions,
  },
  example: 'wider --threads 1 --record',
  minutes: 'a quarter of an hour on an idle core, an hour on a busy one',

  async run(args, out) {
    const checkpoint = args.positionals[0] ?? shippedCheckpoint(81);
    const testPuzzles = numberOf(args, 'puzzles') ?? widerPlan.testPuzzles;
    const seed = seedOf(args);
    const plan = { ...widerPlan, testPuzzles };
    const { task } = experiment('sudoku-extreme-desk-long');
    const { engine, notes, assumed } = await openModel(checkpoint, readEngineOptions(args));
    for (const note of notes) out.note(note);
    const folder = path.join(projectRoot(), 'runs', 'wider');
    const progress = new Progress();
    let record: WiderRecord;
    try {
      if (engine.config.sequenceLength !== 81)
        throw new InputError(
          `${checkpoint}: expected a model of 9×9 Sudokus, got ${engine.config.sequenceLength} cells`,
        );
      const sets = await loadTask(changeTask(task, { testPuzzles: plan.testFrom + testPuzzles }));
      record = await stoppable(out, 'stopping; finished parts are kept; the one in progress is lost', (shouldStop) =>
        widerStudy({
          ...sets,
          engine,
          checkpoint,
          command: [`${kitCommand} wider`, ...args.positionals, `--puzzles ${testPuzzles} --seed ${seed}`].join(' '),
          folder,
          plan,
          seed,
          shouldStop,
          onProgress: ({ done, total, what }) => progress.update('thinking wider', 'passes', done, total, what),
        }),
      );
    } catch (error) {
      if (!(error instanceof StoppedError)) throw error;
      out.line('stopped; the same command continues');
      return 1;
    } finally {
      engine.dispose();
    }
    const file = path.join(folder, record.id, 'record.json');
    if (flag(args, 'record')) keepRecord(record.id, file, path.join(projectRoot(), 'data', 'wider'), out);
    out.line(toText(widerTable(record)));
    out.line(`${record.passes.toLocaleString('en')} passes in ${duration(record.seconds)}; ${shownPath(file)}`);
    if (assumed.length > 0) out.line(assumedLine(assumed));
    out.result({ ...record, assumed });
    return 0;
  },
};
