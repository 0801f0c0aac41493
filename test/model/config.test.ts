/** Configurations whose fields are right one by one but not together. */
import assert from 'node:assert/strict';
import { checkConfig, paperConfig, type ModelConfig } from '../../lib/model/config.js';
import { inputError } from '../input-error.js';

describe('a model configuration', () => {
  it('leaves every SwiGLU an inner size: that over channels, and that over positions where an MLP mixes them', () => {
    const none = { puzzlePrefix: 0, puzzleEmbeddingSize: 0, innerMultiple: 1, expansion: 0.3 };
    const few: ModelConfig = { ...paperConfig, ...none, hiddenSize: 16, sequenceLength: 2 };
    const says = inputError(
      /expansion: expected an inner size of 1 or more, got 0 \(expansion · 2 · 2\/3, rounded; 2 is /,
    );
    assert.throws(() => checkConfig(few), says);
    assert.throws(() => checkConfig({ ...few, hiddenSize: 2, sequenceLength: 16 }), says);
    checkConfig({ ...few, mixer: 'attention' });
    checkConfig({ ...few, sequenceLength: 3 });
  });
});
