/** Thinking wider from the command line, run in this process: evaluate --file and --until-sure, solve --until-sure. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadCheckpoint } from '../../lib/checkpoint/checkpoint.js';
import { given } from '../../lib/fields.js';
import { dataFile } from '../../lib/files.js';
import { readArguments, type Command } from '../../lib/cli/command.js';
import { evaluateCommand } from '../../lib/cli/evaluate.js';
import { solve } from '../../lib/cli/solve.js';
import { wider } from '../../lib/cli/wider.js';
import { exampleOf, type Dataset } from '../../lib/data/dataset.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { runExperiment } from '../../lib/experiment/run.js';
import { shippedCheckpoint } from '../../lib/experiment/open.js';
import { checkTask, loadTask } from '../../lib/experiment/task.js';
import { newFolder } from '../new-folder.js';

interface Ran {
  readonly code: number;
  readonly text: string;
  readonly result: Record<string, unknown>;
}

async function run(command: Command, ...argv: string[]): Promise<Ran> {
  const lines: string[] = [];
  let result: unknown;
  const code = await command.run(readArguments(command, argv), {
    json: false,
    line: (text) => void lines.push(text),
    result: (value) => (result = value),
    note: () => undefined,
  });
  return { code, text: lines.join('\n'), result: result as Record<string, unknown> };
}

describe('thinking wider', function () {
  this.timeout(60_000);
  const [small, large] = [shippedCheckpoint(16), shippedCheckpoint(81)];
  const puzzle = '1.........3..4.2';
  let folder = '';
  let file = '';
  before(() => {
    folder = newFolder();
    file = path.join(folder, 'mine.txt');
    writeFileSync(file, `${puzzle}\n12434321....3412\n`);
  });

  it('scores the puzzles of a file after every step', async () => {
    const { code, result, text } = await run(evaluateCommand, small, '--file', file, '--steps', '3');
    assert.equal(code, 0);
    assert.deepEqual(
      [result['puzzles'], result['supervisionSteps'], result['dataset'], result['chosenBy']],
      [2, 3, 'mine.txt', `--file ${file}`],
    );
    assert.equal((result['exactAccuracy'] as number[]).length, 3);
    assert.match(text, /^mine\.txt: 2 puzzles/);
  });

  it('says how many puzzles of a file the model was trained on, as they are and in another form', async () => {
    const medium = shippedCheckpoint(36);
    const { metadata } = loadCheckpoint(medium);
    const { train, test } = await loadTask(checkTask(JSON.parse(metadata['task']!)));
    const text = (set: Dataset, i: number): string =>
      Array.from(exampleOf(set, i).input, (token) => (token === 1 ? '.' : String(token - 1))).join('');
    const swapped = (board: string): string =>
      board.replace(/[12]/g, (digit) => (digit === '1' ? '2' : '1')).replace(/(.{6})(.{6})/, '$2$1'); // and two lines
    const lineOf = async (boards: readonly string[], ...more: string[]): Promise<readonly [string, unknown]> => {
      const mine = path.join(folder, 'of-training.txt');
      writeFileSync(mine, `${boards.join('\n')}\n`);
      const { text, result } = await run(evaluateCommand, medium, '--file', mine, '--steps', '1', ...more);
      return [text.split('\n')[2]!, result['trainingPuzzles']];
    };
    const [line, numbers] = await lineOf([text(train, 4), swapped(text(train, 7)), text(test, 0)]);
    assert.match(line, /^of the 3 puzzles, the model was trained on 2 \(1 as they are, 1 in another form\): /);
    assert.deepEqual(numbers, {
      set: 'of-training.txt',
      'test puzzles': 3,
      'in the training set': 1,
      'there in disguise': 2,
    });
    const [fewer] = await lineOf([text(train, 4), swapped(text(train, 7)), text(test, 0)], '--puzzles', '2');
    assert.match(fewer, /^of the 2 puzzles, the model was trained on 2 \(1 as they are, 1 in another form\): /);
    const maze = dataFile('checkpoints/maze-7x7.safetensors');
    const others = await run(evaluateCommand, maze, '--set', 'task.seed=3,task.testPuzzles=9', '--steps', '1');
    assert.match(others.text, /^none of the 9 puzzles is among the model's training puzzles/m);
    const own = await run(evaluateCommand, small, '--puzzles', '2', '--steps', '1');
    assert.doesNotMatch(own.text, /training puzzles/);
  });

  it('does not know the training puzzles of a changed file, or of weights that a training began with', async () => {
    const mine = path.join(folder, 'train.csv');
    const { train } = await loadTask(experiment('sudoku-4x4').task);
    const board = (i: number): string => Array.from(exampleOf(train, i).input, (token) => token - 1).join('');
    const write = (from: number): void =>
      writeFileSync(mine, `question\n${Array.from({ length: 20 }, (_, i) => `${board(from + i)}\n`).join('')}`);
    write(0);
    const task = { source: 'file', file: mine, trainPuzzles: 12, testPuzzles: 4, validationPuzzles: 0 } as const;
    const tiny = experiment('sudoku-smoke', { task, training: { steps: 2 }, evaluation: { every: 0, closing: [] } });
    const trained = async (name: string, from?: string): Promise<string> => {
      const options = { folder: path.join(folder, name), ...given({ from }) };
      (await runExperiment(tiny, options)).engine.dispose();
      return path.join(folder, name, 'model.safetensors');
    };
    const first = await trained('first');
    const lineOf = async (model: string, ...more: string[]): Promise<string> =>
      (await run(evaluateCommand, model, '--steps', '1', ...more)).text.split('\n')[2]!;
    assert.match(
      await lineOf(first, '--file', mine),
      /^of the 20 puzzles, the model was trained on \d+ \(12 as they ar/,
    );
    const next = await trained('next', first);
    assert.match(await lineOf(next), /some of these puzzles: its training started from the weights of another model$/);
    write(30);
    assert.match(
      await lineOf(first, '--file', mine),
      /some of these puzzles: the files that .* is made of have changed since$/,
    );
    assert.match(await lineOf(first), /some of these puzzles: the files that .* is made of have changed since$/);
  });

  it('searches a file, and says in text and in JSON what that solved, cost and got wrong', async () => {
    const limits = ['--until-sure', '--forms', '3', '--steps', '4'];
    const { result, text } = await run(evaluateCommand, small, '--file', file, ...limits, '--halt-above', '1000');
    const passes = { mean: 12, median: 12, largest: 12 }; // no logit is above 1,000: three forms of four steps each
    assert.deepEqual(
      [result['mostForms'], result['haltAbove'], result['sure'], result['neverSure'], result['headPrecision']],
      [3, 1000, 0, 2, null],
    );
    assert.deepEqual(result['passes'], passes);
    assert.equal((result['each'] as unknown[]).length, 2);
    assert.deepEqual(result['thinking'], {
      haltAbove: 1000,
      votes: 1,
      mostForms: 3,
      relabel: 'both',
      chains: 1,
      seed: 0,
    });
    assert.match(text, /search at test time.*\nup to 3 forms of 4 passes, until a halting logit is above 1000/);
    assert.match(text, /sure of 0; never sure of 2, /);
    assert.match(text, /passes a puzzle: 12 on average, median 12, at most 12/);
    assert.match(result['precision'] as string, /^(bf16|float32)$/); // the engine's
    const quick = await run(evaluateCommand, small, '--file', file, ...limits, '--halt-above', '-1000');
    assert.deepEqual(quick.result['passes'], { mean: 1, median: 1, largest: 1 });
    assert.equal(quick.result['sure'], 2);
  });

  it('refuses options that nothing would read, and files of other puzzles', async () => {
    const refused = (pattern: RegExp, command: Command, ...argv: string[]): Promise<void> =>
      assert.rejects(() => run(command, ...argv), pattern);
    await refused(/--forms: expected --until-sure/, evaluateCommand, small, '--forms', '3');
    await refused(
      /--votes: expected no --until-sure with it: forms then take turns/,
      evaluateCommand,
      small,
      '--until-sure',
      '--votes',
      '2',
    );
    await refused(
      /--experiment: expected no --file with it: the file says/,
      evaluateCommand,
      small,
      '--file',
      file,
      '--experiment',
      'sudoku-4x4',
    );
    await refused(
      /--set: expected fields of model, got task\.testPuzzles/,
      evaluateCommand,
      small,
      '--file',
      file,
      '--set',
      'task.testPuzzles=3',
    );
    const random = ['--random', '0', '--file', file, '--experiment', 'sudoku-4x4', '--steps', '1'];
    await refused(
      /--set: expected no task\.testPuzzles with --file .*mine\.txt, which says which puzzles to score/,
      evaluateCommand,
      ...random,
      ...['--set', 'task.testPuzzles=3,task.side=4'],
    );
    assert.equal((await run(evaluateCommand, ...random, '--set', 'task.side=4')).code, 0); // the model's size
    await refused(/--split: expected none/, evaluateCommand, small, '--file', file, '--split', 'test');
    await refused(/expected puzzles of 81 cells/, evaluateCommand, large, '--file', file);
    await refused(/--seed: expected --until-sure/, solve, puzzle, '--seed', '3');
    await refused(
      /--puzzles: expected at most the 2 of mine\.txt, got 3/,
      evaluateCommand,
      small,
      '--file',
      file,
      ...['--puzzles', '3'],
    );
    await refused(
      /--forms: expected a whole number from 1 to 65536, got -3/,
      solve,
      puzzle,
      '--until-sure',
      '--forms',
      '-3',
    );
    await refused(/^InputError: file not found: none\.csv$/, solve, 'none.csv');
    await refused(/expected a Sudoku or a file that holds one, got a folder/, solve, folder);
  });

  it('solves until it is sure, and says when it is not', async () => {
    // The first of the public-domain puzzles, which the shipped model does not solve as it stands.
    const hard = '.5.9.86..8....6..7..6.2......9....7.2.3...8.9.1....4......3.7..9..8....4..56.4.3.';
    const sure = await run(solve, hard, '--until-sure');
    assert.deepEqual([sure.code, sure.result['sure'], sure.result['right']], [0, true, true]);
    assert.ok((sure.result['forms'] as number) > 1 && (sure.result['form'] as number) > 0);
    assert.match(sure.text, /until the model is over 50\.0 % sure; one supervision step of one form is a pass\n/);
    assert.match(sure.text, /\nform 1, unchanged: an answer, .* sure, after 16 passes in all\n/);
    assert.match(sure.text, /\nsure after \d+ forms and \d+ passes: /);
    assert.match(sure.text, /\nright: it agrees with the exact solver/);
    const limits = ['--halt-above', '1000', '--forms', '2', '--steps', '3'];
    const unsure = await run(solve, puzzle, '--until-sure', ...limits);
    assert.deepEqual([unsure.result['sure'], unsure.result['forms'], unsure.result['passes']], [false, 2, 6]);
    assert.match(unsure.text, /\nunsure: 2 forms and 6 passes gave no answer that the model is sure of; /);
  });

  it('asked to stop, a search ends with the surest answer so far', async () => {
    const limits = ['--halt-above', '1000', '--forms', '65536'];
    setTimeout(() => process.emit('SIGINT'), 50);
    const { result, text } = await run(solve, puzzle, '--until-sure', ...limits);
    assert.ok((result['forms'] as number) < 65_536, String(result['forms']));
    assert.match(text, /\nunsure: \d[\d,]* forms? and \d[\d,]* pass/);
  });

  it('the study takes 9×9 models alone, and only as many puzzles as the official test subset has', async () => {
    await assert.rejects(run(wider, small), /expected a model of 9×9 Sudokus, got 16 cells/);
    await assert.rejects(run(wider, '--puzzles', '8001'), /--puzzles: expected a whole number from 1 to 8000/);
  });
});
