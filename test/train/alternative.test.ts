/** Evaluation counts mazes both ways: by exact match, and by any valid shortest path. */
import assert from 'node:assert/strict';
import { ungrouped } from '../../lib/data/dataset.js';
import { isShortestPath, mazeAnswer, parseMaze } from '../../lib/data/maze.js';
import type { Engine } from '../../lib/engine/engine.js';
import { paperConfig } from '../../lib/model/config.js';
import { evaluate } from '../../lib/train/evaluate.js';

const question = parseMaze('S   #   G'); // two ways round the wall, the rule takes the one that goes down first
const other = parseMaze('Soo #o  G');
const about = { name: 'one maze', note: '', width: 3, height: 3, vocabSize: 6 };

/** An engine that gives these answers, one a supervision step. */
function answering(...answers: readonly Uint8Array[]): Engine {
  let step = 0;
  const state = { batchSize: 1, dispose: () => undefined };
  const result = (): object => ({
    predictions: Int32Array.from(answers[step++ % answers.length]!),
    haltLogits: Float32Array.of(1),
  });
  return {
    config: { ...paperConfig, ...about, sequenceLength: 9, supervisionSteps: answers.length },
    createState: () => state,
    inferStep: () => Promise.resolve(result()),
  } as unknown as Engine;
}

describe('evaluation of puzzles with several answers', () => {
  it('counts the rule’s path as exact, another shortest one as valid only, a broken one as neither', async () => {
    const label = mazeAnswer(question);
    const set = ungrouped([{ input: question, label }], {
      ...about,
      alternative: { name: 'valid shortest path', accepts: isShortestPath },
    });
    const { exactAccuracy, alternative } = await evaluate(answering(question, other, label), set);
    assert.deepEqual(exactAccuracy, [0, 0, 1]);
    assert.deepEqual(alternative, { name: 'valid shortest path', accuracy: [0, 1, 1] });
  });

  it('says nothing of another way where a puzzle has one answer', async () => {
    const result = await evaluate(answering(other), ungrouped([{ input: question, label: other }], about));
    assert.ok(!('alternative' in result));
  });
});
