/** What the kernel does about tslab's own faults, against the real libraries. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../../lib/files.js';

const flood = `
const { Publisher, Subscriber } = require('zeromq');
(async () => {
  const [sender, reader] = [new Publisher({ sendHighWaterMark: 0 }), new Subscriber({ receiveHighWaterMark: 0 })];
  await sender.bind('tcp://127.0.0.1:*');
  reader.connect(sender.lastEndpoint);
  reader.subscribe();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const sent = Array.from({ length: 5000 }, (_, i) => sender.send([String(i), Buffer.alloc(2000)]));
  await Promise.all(sent);
  let last = -1;
  while (last < 4999) {
    const number = Number((await reader.receive())[0]);
    if (number !== last + 1) throw new Error('got ' + number + ' after ' + last);
    last = number;
  }
  console.log('all in turn');
  process.exit();
})();`;

function flooded(before: readonly string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...before, '-e', flood], {
    cwd: projectRoot(),
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, said: stdout + stderr };
}

describe('the kernel', () => {
  it('sends messages in turn that nobody waits for; ZeroMQ alone refuses them', function () {
    this.timeout(120_000);
    const inTurn = path.join(projectRoot(), 'scripts', 'setup', 'tslab', 'in-turn.cjs');
    assert.deepEqual(flooded(['--require', inTurn]), { status: 0, said: 'all in turn\n' });
    assert.match(flooded([]).said, /Socket is busy writing/, 'in-turn.cjs can go');
  });
});
