/** A fixture does not pass on an engine that leaves out what it holds. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { createEngine } from '../../lib/engine/create.js';
import { projectRoot } from '../../lib/files.js';
import { checkReference } from '../../lib/train/reference-check.js';

describe('a reference check', () => {
  it('fails an engine without a moving average, or without the average of one tensor', async () => {
    const file = path.join(projectRoot(), 'test/reference/direct-prediction.safetensors');
    const missing = async (left: (names: readonly string[]) => readonly string[]): Promise<string[]> => {
      const { passed, quantities } = await checkReference(file, async (config) => {
        const engine = await createEngine(config, { threads: 1, precision: 'float32' });
        const read = engine.readTensors.bind(engine);
        engine.readTensors = async (kind) => {
          const all = await read(kind);
          return kind === 'average' ? new Map(left([...all.keys()]).map((name) => [name, all.get(name)!])) : all;
        };
        return engine;
      });
      const failed = quantities.filter((each) => !each.passed).map(({ quantity }) => quantity);
      assert.equal(passed, failed.length === 0);
      return failed;
    };
    assert.deepEqual(await missing((names) => names), []);
    assert.deepEqual(await missing((names) => names.filter((name) => name !== 'q_head.bias')), [
      'their average: inner.q_head.bias',
    ]);
    assert.ok((await missing(() => [])).length > 5);
  });
});
