/** Schedules in words and pictures, against the paper's pseudo-code written out by hand. */
import assert from 'node:assert/strict';
import { paperConfig, type ModelConfig } from '../../lib/model/config.js';
import { buildSchedule } from '../../lib/model/schedule.js';
import { scheduleText } from '../../lib/model/schedule-text.js';
import { drawSchedule } from '../../lib/report/schedule.js';

const text = (changes: Partial<ModelConfig> = {}): string =>
  scheduleText(buildSchedule({ ...paperConfig, ...changes }));

describe('a schedule', () => {
  it('of the paper’s TRM reads like its pseudo-code', () => {
    assert.equal(
      text(),
      ' 2 × [z ← net(y + x + z)] × 6,  y ← net(y + z)    (no gradient)\n     [z ← net(y + x + z)] × 6,  ' +
        'y ← net(y + z)    (gradient)',
    );
  });

  it('with the one-step gradient says how few calls have it', () => {
    assert.equal(
      text({ gradient: 'one-step', deepRecursions: 2, latentRecursions: 2 }),
      '     [z ← net(y + x + z)] × 2,  y ← net(y + z)    (no gradient)\n     [z ← net(y + x + z)] × 2,  ' +
        'y ← net(y + z)    (gradient in the last 2 calls)',
    );
  });

  it('of HRM names its two networks, and of direct prediction its one call', () => {
    const halves = { separateNets: true, deepRecursions: 2, latentRecursions: 2 };
    assert.equal(
      text({ recursion: 'hrm', gradient: 'one-step', ...halves }),
      '     [z ← fL(y + x + z)] × 2,  y ← fH(y + z)    (no gradient)\n' +
        '     [z ← fL(y + x + z)] × 2,  y ← fH(y + z)    (gradient in the last 2 calls)',
    );
    assert.equal(text({ recursion: 'direct' }), '     y ← fH(y + x)    (gradient)');
  });

  it('with a single latent is cut where x is left out', () => {
    assert.equal(
      text({ recursion: 'single-z', deepRecursions: 1 }),
      '     [z ← net(x + z)] × 6,  z ← net(z)    (gradient)',
    );
  });

  it('too long for a line has a line for each formula', () => {
    const lines = text({ recursion: 'multi-z', latentCount: 4, latentRecursions: 4, deepRecursions: 1 }).split('\n');
    assert.equal(lines.length, 5);
    assert.equal(lines[4], '     y ← net(z1 + z2 + z3 + z4 + y)    (gradient)');
  });

  it('is drawn with a disc for each call, filled where there is gradient', () => {
    for (const draw of [drawSchedule, scheduleText])
      assert.throws(() => draw(paperConfig as never), /schedule: expected that of buildSchedule, got an object/);
    assert.ok(drawSchedule(buildSchedule(paperConfig), 'T < 4').svg.includes('>T &lt; 4</text>'));
    assert.throws(() => drawSchedule(buildSchedule(paperConfig), 5 as never), /title: expected text, got 5/);
    const { svg } = drawSchedule(buildSchedule(paperConfig));
    const discs = svg.match(/<circle [^>]*r="11"[^>]*>/g) ?? [];
    assert.equal(discs.length, 21); // T(n + 1) = 3 · 7
    assert.equal(discs.filter((disc) => !disc.includes('fill="#FFFFFF"')).length, 7); // n + 1
  });
});
