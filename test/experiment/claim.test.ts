/** Claims: of many processes one gets a folder, and who has lost a claim leaves the new one's alone. */
import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { claim, isClaimed } from '../../lib/experiment/claim.js';
import { newFolder } from '../new-folder.js';

describe('claims', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => void (folder = newFolder()));

  it('is lost once another has taken it over, and not before', () => {
    const held = claim(folder);
    assert.equal(held?.isHeld(), true);
    rmSync(path.join(folder, 'claim.json'));
    assert.equal(held?.isHeld(), true); // nobody else has it
    const other = claim(folder);
    assert.deepEqual([held?.isHeld(), other?.isHeld()], [false, true]);
    other?.release();
  });

  it('of four processes that go for the same folders at once, one gets each: new, abandoned, or cut off', async () => {
    const dead = JSON.stringify({ host: hostname(), pid: 2 ** 30 });
    const folders = Array.from({ length: 600 }, (_, i) => path.join(folder, String(i)));
    folders.forEach((own, i) => {
      if (i % 3 === 0) return;
      mkdirSync(own);
      writeFileSync(path.join(own, 'claim.json'), i % 3 === 1 ? dead : dead.slice(0, 9));
    });
    const children = [0, 1, 2, 3].map(() => fork(fileURLToPath(new URL('./claim-child.js', import.meta.url)), folders));
    try {
      await Promise.all(children.map(message)); // all are there
      const got = children.map(message) as Promise<string[]>[];
      for (const child of children) child.send('go');
      const holders = (await Promise.all(got)).flat();
      assert.deepEqual(holders.sort(), [...folders].sort());
      assert.ok(folders.every((own) => isClaimed(own)));
      assert.deepEqual(
        folders.flatMap((own) => readdirSync(own)),
        folders.map(() => 'claim.json'),
        'nothing is left lying',
      );
    } finally {
      for (const child of children) child.kill();
    }
  });

  it('a process killed while it removed an abandoned claim leaves nobody waiting; one that lives is waited for', () => {
    const [file, turn] = ['claim.json', 'claim.json.turn'].map((name) => path.join(folder, name)) as [string, string];
    writeFileSync(file, JSON.stringify({ host: hostname(), pid: 2 ** 30 }));
    writeFileSync(turn, JSON.stringify({ host: hostname(), pid: process.pid }));
    assert.equal(claim(folder), undefined);
    writeFileSync(turn, JSON.stringify({ host: hostname(), pid: 2 ** 30 + 1 }));
    const held = claim(folder);
    assert.ok(held !== undefined);
    assert.deepEqual(readdirSync(folder), ['claim.json']);
    held.release();
  });

  it(
    'a holder whose claim was taken over, or whose folder is gone, neither keeps it alive nor takes it away, ' +
      'and does not fail',
    () => {
      const file = path.join(folder, 'claim.json');
      const { setInterval: original } = globalThis;
      let signOfLife = (): void => undefined;
      globalThis.setInterval = ((work: () => void, every: number) => {
        signOfLife = work;
        return original(work, every);
      }) as typeof setInterval;
      try {
        const held = claim(folder);
        assert.ok(held !== undefined);
        const longAgo = new Date(Date.now() - 5 * 60_000);
        utimesSync(file, longAgo, longAgo);
        signOfLife();
        assert.ok(Date.now() - statSync(file).mtimeMs < 60_000);

        const others = JSON.stringify({ host: 'another', pid: 1 });
        writeFileSync(file, others);
        utimesSync(file, longAgo, longAgo);
        signOfLife();
        assert.ok(Date.now() - statSync(file).mtimeMs > 60_000);
        held.release();
        assert.equal(readFileSync(file, 'utf8'), others);

        rmSync(folder, { recursive: true });
        signOfLife();
        held.release();
      } finally {
        globalThis.setInterval = original;
      }
    },
  );
});

function message(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
}
