/** Cells whose label is −100 in a folder of the Python builders: no loss, no share of any accuracy, on both engines. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { testBatches } from '../../lib/data/batches.js';
import type { Dataset } from '../../lib/data/dataset.js';
import { readReferenceFolder } from '../../lib/data/reference-format.js';
import { whyUnavailable } from '../../lib/engine/native/addon.js';
import { openModel, type OpenModel } from '../../lib/experiment/open.js';
import { projectRoot } from '../../lib/files.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { newFolder } from '../new-folder.js';

const tests = path.join(projectRoot(), 'test');
const cells = 16;
const puzzles = 6;

describe('labels of −100', () => {
  let folder = '';
  before(() => {
    folder = path.join(newFolder(), 'set');
    cpSync(path.join(tests, 'data', 'fixtures', 'ignore-null'), folder, { recursive: true });
  });

  /** The test set with labels as a builder of int64 writes them, each made of the right one by `label`. */
  function labelled(label: (right: number, cell: number) => number): Dataset {
    const right = readFileSync(path.join(tests, 'data', 'fixtures', 'ignore-null', 'test', 'all__labels.npy'));
    const values = [...right.subarray(right.length - puzzles * cells)];
    const header = `{'descr': '<i8', 'fortran_order': False, 'shape': (${puzzles}, ${cells}), }`.padEnd(117);
    const start = Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, 'latin1');
    const data = BigInt64Array.from(values, (value, i) => BigInt(label(value, i % cells)));
    writeFileSync(path.join(folder, 'test', 'all__labels.npy'), Buffer.concat([start, Buffer.from(data.buffer)]));
    return readReferenceFolder(folder).test;
  }
  const other = (right: number): number => (right === 5 ? 2 : right + 1);
  const half = (from: number): Dataset => labelled((right, cell) => (cell >= from && cell < from + 8 ? right : -100));

  const engines = whyUnavailable() === undefined ? (['native', 'tfjs'] as const) : (['tfjs'] as const);
  for (const engine of engines)
    describe(engine, function () {
      this.timeout(60_000);
      let model: OpenModel;
      before(async () => {
        model = await openModel(path.join(tests, 'checkpoint', 'fixtures', 'saved', 'config-inside', 'step_300'), {
          engine,
          precision: engine === 'native' ? 'float32' : 'auto',
        });
      });
      after(() => model?.engine.dispose());
      /** Exact and cell accuracy after the last step. */
      const scores = async (set: Dataset): Promise<(number | undefined)[]> => {
        const { exactAccuracy, cellAccuracy } = await evaluate(model.engine, set, {});
        return [exactAccuracy.at(-1), cellAccuracy.at(-1)];
      };

      it('a cell that is wrong counts, and does not once its label is −100', async () => {
        assert.deepEqual(await scores(labelled((right) => right)), [1, 1]);
        assert.deepEqual(await scores(labelled((right, cell) => (cell === 3 ? other(right) : right))), [0, 15 / 16]);
        assert.deepEqual(await scores(labelled((right, cell) => (cell === 3 ? -100 : right))), [1, 1]);
        const eightScored = labelled((right, cell) => (cell < 8 ? -100 : cell < 10 ? other(right) : right));
        assert.deepEqual(await scores(eightScored), [0, 6 / 8]);
      });

      it('the loss of a board is the mean over its scored cells', async () => {
        const lossOf = async (set: Dataset): Promise<number[]> => {
          const [batch] = [...testBatches(set, puzzles)];
          const state = model.engine.createState(puzzles);
          const ones = new Uint8Array(puzzles).fill(1);
          const { tokens, labels, puzzleIds } = batch!;
          const request = { tokens, labels, puzzleIds, reset: ones, last: new Uint8Array(puzzles) };
          const { answerLoss } = await model.engine.trainStep(state, { ...request, loss: 'stablemax' });
          state.dispose();
          return [...answerLoss];
        };
        const wrong = (right: number, cell: number): number => (cell % 5 === 1 ? other(right) : right);
        const whole = await lossOf(labelled(wrong));
        const [first, second] = [await lossOf(half(0)), await lossOf(half(8))];
        const right = await lossOf(labelled((label) => label));
        for (let i = 0; i < puzzles; i++) {
          assert.ok(
            Math.abs(right[i]! - (first[i]! + second[i]!) / 2) < 1e-5,
            `${right[i]}: ${first[i]}, ${second[i]}`,
          );
          assert.ok(whole[i]! > right[i]! + 0.5);
        }
      });
    });
});
