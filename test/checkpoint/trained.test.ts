/**
 * A model trained by this kit and saved by PyTorch predicts here what it predicts in PyTorch,
 * on 200 real puzzles (make-trained.py).
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { loadSudokuFile } from '../../lib/data/sudoku-file.js';
import { publicDomainFile } from '../../lib/data/sudoku-sets.js';
import { tokensOfBoard } from '../../lib/data/sudoku.js';
import { createEngine } from '../../lib/engine/create.js';
import { whyUnavailable } from '../../lib/engine/native/addon.js';
import { dataFile, projectRoot } from '../../lib/files.js';
import { loadCheckpoint } from '../../lib/checkpoint/checkpoint.js';
import type { ModelConfig } from '../../lib/model/config.js';
import { readSafetensors } from '../../lib/checkpoint/safetensors-file.js';
import { notAtHand } from '../not-at-hand.js';

const fixture = (name: string): string => path.join(projectRoot(), 'test', 'checkpoint', 'fixtures', name);
const puzzles = 200;
const cells = 81;

describe('a trained model saved by PyTorch', function () {
  this.timeout(60_000);
  const { tensors, metadata } = readSafetensors(fixture('trained-9x9.safetensors'));
  const steps = JSON.parse(metadata['steps'] ?? '') as number[];
  const config = JSON.parse(metadata['config'] ?? '') as ModelConfig;
  const [predictions, haltLogits] = [
    tensors.get('predictions')!.data as Uint8Array,
    tensors.get('haltLogits')!.data as Float32Array,
  ];

  it('is understood from its shapes, but for what they cannot tell', () => {
    const { config: inferred } = loadCheckpoint(fixture('trained-9x9.pt'), {
      config: { deepRecursions: 2, latentRecursions: 2 },
    });
    // an MLP has no heads; several roundings give the same inner sizes
    const { heads: _, innerMultiple, ...told } = config;
    assert.deepEqual({ ...inferred, heads: 0, innerMultiple }, { ...told, heads: 0, innerMultiple });
  });

  for (const kind of ['native', 'tfjs'] as const) {
    // tfjs takes a twentieth of a second a puzzle for the sixteen steps, so it follows PyTorch through the first four.
    const compared = steps.filter((step) => kind === 'native' || step <= 4);
    (kind === 'tfjs' || whyUnavailable() === undefined ? it : notAtHand)(
      `predicts the same on ${puzzles} real puzzles on the ${kind} engine, ` +
        `after supervision steps ${compared.join(', ')}`,
      async () => {
        const { config: known, tensors: weights } = loadCheckpoint(fixture('trained-9x9.pt'), { config });
        const engine = await createEngine(known, { engine: kind, precision: 'float32', threads: 2 });
        await engine.writeTensors('parameters', weights);
        const boards = await loadSudokuFile(dataFile(publicDomainFile), { limit: puzzles });
        const tokens = Int32Array.from(boards.flatMap(({ question }) => [...tokensOfBoard(question)]));
        const state = engine.createState(puzzles);
        let right = 0;
        for (let step = 1; step <= Math.max(...compared); step++) {
          const reset = new Uint8Array(puzzles).fill(step === 1 ? 1 : 0);
          const answer = await engine.inferStep(state, {
            tokens,
            puzzleIds: new Int32Array(puzzles),
            reset,
            weights: 'raw',
          });
          const at = steps.indexOf(step);
          if (at < 0) continue;
          const expected = predictions.subarray(at * puzzles * cells, (at + 1) * puzzles * cells);
          const different = answer.predictions.reduce((count, token, i) => count + (token === expected[i] ? 0 : 1), 0);
          assert.equal(different, 0, `${different} of ${expected.length} cells differ after step ${step}`);
          const error = answer.haltLogits.reduce(
            (most, logit, seat) => Math.max(most, Math.abs(logit - haltLogits[at * puzzles + seat]!)),
            0,
          );
          // float32 through 12 calls a step
          assert.ok(error < 1e-3, `halting logits differ by ${error} after step ${step}`);
          right = expected.reduce(
            (count, token, i) => count + (token === boards[Math.floor(i / cells)]!.answer[i % cells]! + 1 ? 1 : 0),
            0,
          );
        }
        assert.ok(right > 0.6 * puzzles * cells, 'the model should have learned something');
        state.dispose();
        engine.dispose();
      },
    );
  }
});
