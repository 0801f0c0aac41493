/** Claims: of many processes one gets a folder, and who has lost a claim leaves the new one's alone. */
import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { claim, holderText, isClaimed } from '../../lib/experiment/claim.js';
import { pidNamespace } from '../../lib/processes.js';
import { newFolder } from '../new-folder.js';

/** Content of a claim of a process here. */
const by = (pid: number, namespace = pidNamespace): string => JSON.stringify({ host: hostname(), namespace, pid });

function age(file: string, seconds: number): void {
  const then = new Date(Date.now() - 1000 * seconds);
  utimesSync(file, then, then);
}

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
    const dead = by(2 ** 30);
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
    writeFileSync(file, by(2 ** 30));
    writeFileSync(turn, by(process.pid));
    assert.equal(claim(folder), undefined);
    for (const left of [by(2 ** 30 + 1), '', by(process.pid).slice(0, 9)]) {
      writeFileSync(file, by(2 ** 30));
      writeFileSync(turn, left);
      if (!left.endsWith('}')) assert.equal(claim(folder), undefined, 'it may be about to be written');
      age(turn, 120);
      const held = claim(folder);
      assert.ok(held !== undefined, left);
      assert.deepEqual(readdirSync(folder), ['claim.json']);
      held.release();
    }
  });

  it('of a container with the same host name counts until it lapses: its process ids mean nothing here', () => {
    const file = path.join(folder, 'claim.json');
    if (process.platform === 'linux') {
      const held = claim(folder);
      const { namespace } = JSON.parse(readFileSync(file, 'utf8')) as { readonly namespace: unknown };
      assert.equal(namespace, `pid:[${statSync('/proc/self/ns/pid').ino}]`);
      held?.release();
    }
    for (const pid of [process.pid, process.ppid, 2 ** 30]) {
      writeFileSync(file, by(pid, 'pid:[1]'));
      assert.equal(claim(folder), undefined, String(pid));
      assert.match(holderText(folder), /life \d s ago; without another, it is free in 1(5 min 0|4 min 5\d) s\)$/);
      age(file, 14 * 60);
      assert.equal(isClaimed(folder), true);
      assert.match(holderText(folder), /life 14 min \d s ago; without another, it is free in (1 min 0|5\d) s\)$/);
      age(file, 16 * 60);
      assert.equal(isClaimed(folder), false);
    }
  });

  it("under this process's number from before its start is a predecessor's, of a container that was restarted", () => {
    const file = path.join(folder, 'claim.json');
    writeFileSync(file, by(process.pid));
    assert.equal(claim(folder), undefined, 'its own');
    age(file, process.uptime() + 5);
    claim(folder)!.release();
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
