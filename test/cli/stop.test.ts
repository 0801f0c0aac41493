/** What a signal does to a long command. */
import assert from 'node:assert/strict';
import { stoppable } from '../../lib/cli/stop.js';

describe('a long command', () => {
  const told: string[] = [];
  const out = { json: false, line: () => undefined, result: () => undefined, note: (text: string) => told.push(text) };
  const stopsAt = (signals: readonly NodeJS.Signals[], terminal: boolean): Promise<boolean> =>
    stoppable(
      out,
      'saves and ends',
      (shouldStop) => {
        for (const signal of signals) process.emit(signal);
        return Promise.resolve(shouldStop());
      },
      terminal,
    );
  beforeEach(() => void told.splice(0));

  it('saves and ends when its terminal is closed, however often it is told', async () => {
    assert.equal(await stopsAt(['SIGHUP', 'SIGHUP'], true), true);
    assert.deepEqual(told, ['\nsaves and ends; interrupt again to stop at once']);
  });

  it('goes on when a terminal is closed that it does not have, as below nohup', async () => {
    assert.equal(await stopsAt(['SIGHUP'], false), false);
    assert.equal(await stopsAt(['SIGHUP', 'SIGTERM'], false), true);
    assert.equal(told.length, 1);
  });
});
