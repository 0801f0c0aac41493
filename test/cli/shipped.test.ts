/** The shipped 9×9 model: its record and what it solves here stay apart, with Sudoku-Extreme at hand and without. */
import { StoppedError } from '../../lib/errors.js';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { scoreShipped } from '../../lib/cli/shipped.js';
import { puzzleAt } from '../../lib/data/puzzle.js';
import { hasExtreme } from '../../lib/data/sudoku-sets.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { openModel, shippedCheckpoint } from '../../lib/experiment/open.js';
import { loadTask } from '../../lib/experiment/task.js';
import { thinkAbout } from '../../lib/train/thoughts.js';
import { notAtHand } from '../not-at-hand.js';

const float32 = { precision: 'float32' } as const;

const publicDomain = loadTask(experiment('sudoku-9x9').task);

/** How many of the first public-domain test puzzles the model solves, thinking about one at a time. */
async function solvedAlone(puzzles: number, cycles: number): Promise<number> {
  const { test } = await publicDomain;
  const { engine } = await openModel(shippedCheckpoint(81), float32);
  let solved = 0;
  for (let i = 0; i < puzzles; i++) {
    const { solution, thoughts } = await thinkAbout(engine, puzzleAt(test, i), cycles);
    if (thoughts.at(-1)!.prediction.every((token, cell) => token === solution[cell])) solved += 1;
  }
  engine.dispose();
  return solved;
}

describe('the shipped 9×9 model', function () {
  this.timeout(120_000);
  const given = process.env['TRM_DATA'];
  const atHand = hasExtreme();
  delete process.env['TRM_DATA'];
  const inTheProject = hasExtreme(); // in its own data/
  if (given !== undefined) process.env['TRM_DATA'] = given;
  const without = inTheProject ? notAtHand : it;
  const withIt = atHand ? it : notAtHand;
  afterEach(() => {
    if (given !== undefined) process.env['TRM_DATA'] = given;
  });

  without('is scored on public-domain puzzles without Sudoku-Extreme, beside its record', async () => {
    delete process.env['TRM_DATA'];
    const puzzles = 4;
    const { record, dataset, evaluation, text } = await scoreShipped(puzzles, float32, () => false);
    assert.equal(record.id, 'sudoku-extreme-desk-long-seed0-deff48ec');
    assert.equal(dataset, 'Sudoku 9×9 public-domain test');
    assert.match(text, /^shipped weights \(not trained just now\): data\/checkpoints\/sudoku-9x9\.safetensors\n/);
    assert.match(
      text,
      /record, data\/runs\/sudoku-extreme-.*: 51\.6 % of 2,000 Sudoku-Extreme test puzzles after 16 cycles\n/,
    );
    assert.match(text, /\nmeasured here: [\d.]+ % of 4 puzzles after 64 cycles, Sudoku 9×9 public-domain test\n/);
    assert.match(text, /\nthese are not the puzzles .* cannot be compared$/);
    assert.equal(await solvedAlone(puzzles, 64), evaluation.exactAccuracy[63]! * puzzles);
  });

  without('evaluate takes those puzzles too, and says so', async () => {
    const cli = fileURLToPath(new URL('../../lib/cli.js', import.meta.url));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [cli, 'evaluate', shippedCheckpoint(81), '--puzzles', '4', '--steps', '8', '--precision', 'float32', '--json'],
      { encoding: 'utf8', env: { ...process.env, TRM_DATA: '' } },
    );
    assert.equal(status, 0, stderr);
    const { dataset, chosenBy, exactAccuracy } = JSON.parse(stdout) as {
      dataset: string;
      chosenBy: string;
      exactAccuracy: number[];
    };
    assert.equal(dataset, 'Sudoku 9×9 public-domain test');
    assert.match(chosenBy, /^experiment sudoku-9x9: .* names Sudoku-Extreme, which is not installed \(TRM_DATA\)$/);
    assert.equal(await solvedAlone(4, 8), exactAccuracy[7]! * 4);
  });

  withIt('is scored on the puzzles of its record with Sudoku-Extreme', async () => {
    const { record, dataset, text } = await scoreShipped(2, float32, () => false);
    assert.equal(dataset, record.data.test.name);
    assert.match(text, /\nthese are the first 2 puzzles of the record$/);
  });

  it('stops when asked', async () => {
    await assert.rejects(
      scoreShipped(2, float32, () => true),
      StoppedError,
    );
  });
});
