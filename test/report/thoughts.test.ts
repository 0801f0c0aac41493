/** Puzzles worth looking at, found with an engine whose thoughts are written out by hand. */
import assert from 'node:assert/strict';
import { ungrouped } from '../../lib/data/dataset.js';
import type { Engine, InferRequest, InferResult } from '../../lib/engine/engine.js';
import { InputError } from '../../lib/errors.js';
import { paperConfig } from '../../lib/model/config.js';
import { puzzleAt } from '../../lib/report/puzzles.js';
import { longestThought, stopWhenSure, thinkAbout } from '../../lib/report/thoughts.js';

/** Three puzzles of two cells: 2 1, 3 1 and 4 1, each with the answer 5 5. */
const puzzles = ungrouped([2, 3, 4].map((token) => ({ input: Uint8Array.of(token, 1), label: Uint8Array.of(5, 5) })), { name: 'three', note: '', width: 2, height: 1, vocabSize: 6 });

const right = [5, 5];
const wrong = [5, 4];
/** The answers to each puzzle after steps 1 … 4, and the probability of halting with them. */
const script: Readonly<Record<number, readonly (readonly [answer: readonly number[], sure: number])[]>> = {
  2: [[right, 0.9], [right, 0.95], [right, 0.99], [right, 0.99]],
  3: [[wrong, 0.1], [right, 0.2], [wrong, 0.6], [right, 0.9]], // right to stay from step 4
  4: [[wrong, 0.1], [wrong, 0.2], [wrong, 0.2], [wrong, 0.2]],
};

/** An engine that follows the script; only what thinking uses is there. */
function scripted(): Engine {
  let step = 0;
  const engine: Pick<Engine, 'config' | 'createState' | 'inferStep'> = {
    config: { ...paperConfig, supervisionSteps: 4 },
    createState: (batchSize) => ({ batchSize, dispose: () => undefined, read: async () => new Map(), write: async () => undefined }),
    inferStep: async ({ batchSize }, { tokens, reset }: InferRequest): Promise<InferResult> => {
      assert.equal(batchSize, 1);
      step = reset[0] === 1 ? 0 : step + 1;
      const [answer, sure] = script[tokens[0] ?? 0]?.[step] ?? assert.fail('no such puzzle');
      return { predictions: Int32Array.from(answer), haltLogits: Float32Array.of(Math.log(sure / (1 - sure))), continueLogits: new Float32Array(1) };
    },
  };
  return engine as Engine;
}

describe('puzzles worth looking at', () => {
  it('a puzzle is found by its place, and one that is not there is refused', () => {
    assert.deepEqual(puzzleAt(puzzles, 1), { question: Int32Array.of(3, 1), solution: Int32Array.of(5, 5), puzzleId: 0 });
    assert.throws(() => puzzleAt(puzzles, 3), new InputError('puzzle: expected 0 to 2, got 3'));
  });

  it('thinking about one gives the answer after every step', async () => {
    const { thoughts } = await thinkAbout(scripted(), puzzleAt(puzzles, 1));
    assert.deepEqual(thoughts.map(({ prediction }) => [...prediction]), [wrong, right, wrong, right]);
    assert.deepEqual(thoughts.map(({ haltProbability }) => Number(haltProbability.toFixed(6))), [0.1, 0.2, 0.6, 0.9]);
  });

  it('the longest thought is the solved puzzle that was right to stay latest', async () => {
    assert.equal((await longestThought(scripted(), puzzles)).index, 1);
    assert.equal((await longestThought(scripted(), puzzles, 1)).index, 0);
  });

  it('stopping when sure: steps and solved puzzles by hand', async () => {
    const points = await stopWhenSure(scripted(), puzzles, [0.5, 0.8]);
    assert.deepEqual(points, [
      { sureness: 0.5, exactAccuracy: 1 / 3, meanSteps: (1 + 3 + 4) / 3 }, // the second stops at step 3, wrong
      { sureness: 0.8, exactAccuracy: 2 / 3, meanSteps: (1 + 4 + 4) / 3 },
    ]);
  });
});
