/** Options do what they say: read alone, or at work in a command that is run in this process. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { ablate } from '../../lib/cli/ablate.js';
import { readArguments, type Arguments, type Command } from '../../lib/cli/command.js';
import { readEngineOptions } from '../../lib/cli/engine-options.js';
import { evaluateCommand } from '../../lib/cli/evaluate.js';
import { readExperiment } from '../../lib/cli/experiment-options.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { atBaseRate, rowExperiment } from '../../lib/experiment/rows.js';
import { variant } from '../../lib/experiment/variants.js';
import { train } from '../../lib/cli/train.js';
import type { RunRecord } from '../../lib/experiment/record.js';
import { shippedCheckpoint } from '../../lib/experiment/open.js';
import type { Evaluation } from '../../lib/train/evaluate.js';
import { newFolder } from '../new-folder.js';

const args = (line: string): Arguments => readArguments(train, line.split(' '));

/** What a command gives to programs. */
async function result<Result>(command: Command, ...argv: string[]): Promise<Result> {
  let made: unknown;
  const code = await command.run(readArguments(command, argv), {
    json: false,
    line: () => undefined,
    result: (value) => (made = value),
    note: () => undefined,
  });
  assert.equal(code, 0);
  return made as Result;
}

describe('options', function () {
  this.timeout(60_000);

  it('--variant makes the experiment that row of a table', () => {
    const { model, variant } = readExperiment(args('--experiment sudoku-smoke --variant hrm'));
    assert.deepEqual([model.recursion, variant], ['hrm', 'hrm']);
  });

  it('a row stays that row with the settings of its table, and with others is an experiment of its own', () => {
    const row = '--experiment sudoku-extreme-desk-study --variant trm-t2-n2';
    const rated = (rate: number) => readExperiment(args(`${row} --set training.learningRate=${rate}`));
    const table = rowExperiment(experiment('sudoku-extreme-desk-study'), variant('trm-t2-n2'));
    assert.deepEqual(rated(table.training.learningRate), table);
    const base = experiment('sudoku-extreme-desk-study');
    const slow = atBaseRate(base, variant('trm-t2-n2'));
    assert.deepEqual(rated(base.training.learningRate), slow);
    assert.deepEqual(readExperiment(args(row)), slow);
    assert.equal(rated(0.003).variant, null);
    assert.equal(readExperiment(args(`${row} --set task.testPuzzles=10`)).variant, 'trm-t2-n2');
  });

  it('--engine, --threads and --precision reach the engine', () => {
    const { engine, threads, precision } = readEngineOptions(args('--engine native --threads 3 --precision float32'));
    assert.deepEqual([engine, threads, precision], ['native', 3, 'float32']);
  });

  it('--seed is the seed of the run', async () => {
    const folder = path.join(newFolder(), 'three');
    const one = 'training.steps=1,evaluation.finalPuzzles=2';
    const { seed } = await result<RunRecord>(
      train,
      ...['--experiment', 'sudoku-smoke', '--seed', '3', '--set', one, '--folder', folder],
    );
    assert.equal(seed, 3);
  });

  it('--noise moves the chains after the first', async () => {
    const halting = async (noise: string): Promise<readonly number[]> => {
      const few = ['--puzzles', '4', '--steps', '3', '--chains', '3', '--noise', noise];
      const { haltLogit } = await result<Evaluation>(evaluateCommand, shippedCheckpoint(16), ...few);
      return haltLogit?.mean ?? [];
    };
    const [without, loud] = [await halting('0'), await halting('5')];
    assert.deepEqual([without.length, loud.length, [...without, ...loud].every(Number.isFinite)], [3, 3, true]);
    assert.notDeepEqual(without, loud);
  });

  it('--table chooses the table of an ablation', async () => {
    const folder = newFolder();
    const runs = await result<readonly { readonly id: string }[]>(
      ablate,
      ...['--table', '2', '--scale', 'smoke', '--seeds', '1', '--dry'],
      ...['--records', path.join(folder, 'records'), '--runs', path.join(folder, 'runs')],
    );
    assert.deepEqual(
      runs.map(({ id }) => id.replace(/^sudoku-smoke-(.*)-seed0-\w{8}$/, '$1')),
      ['trm', 'trm-multi-z', 'trm-multi-z-7', 'trm-single-z'],
    );
  });
});
