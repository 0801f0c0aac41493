/** Schedules written by hand run on both engines, which get the same losses and gradients by different means. */
import assert from 'node:assert/strict';
import type { Engine } from '../../lib/engine/engine.js';
import { whyUnavailable } from '../../lib/engine/native/addon.js';
import { createNativeEngine } from '../../lib/engine/native/engine.js';
import { createTfjsEngine } from '../../lib/engine/tfjs/backend.js';
import type { ModelConfig } from '../../lib/model/config.js';
import { notAtHand } from '../not-at-hand.js';
import { assertSame, configOf, constant, odd, trained } from './own-schedules.js';

describe('a schedule of one’s own', function () {
  this.timeout(60_000);

  const native = (config: ModelConfig): Engine => createNativeEngine(config, { precision: 'float32', threads: 1 });
  const tfjs = (config: ModelConfig): Promise<Engine> => createTfjsEngine(config, { backend: 'cpu' });

  for (const schedule of [odd, ...constant])
    (whyUnavailable() === undefined ? it : notAtHand)(`is the same to both engines: ${schedule}`, async () => {
      const [ours, theirs] = [await trained(configOf(schedule), native), await trained(configOf(schedule), tfjs)];
      assertSame(ours, theirs);
      if (schedule === odd) assert.ok([...ours.gradients.keys()].some((name) => name.startsWith('H_level')));
    });

  for (const schedule of constant)
    it(`has a gradient of zero where none flows: ${schedule}`, async () => {
      const { gradients } = await trained(configOf(schedule), tfjs);
      const without = [...gradients].filter(([, data]) => data.every((value) => value === 0)).map(([name]) => name);
      for (const name of ['embed_tokens.embedding_weight', 'puzzle_emb.local_weights'])
        assert.ok(without.includes(name), name);
      for (const [name, data] of gradients)
        if (name.startsWith('H_level') || name.startsWith('lm_head'))
          assert.ok(
            data.some((value) => value !== 0),
            name,
          );
      assert.equal(without.filter((name) => name.startsWith('L_level')).length, schedule.includes('fL') ? 8 : 0);
    });
});
