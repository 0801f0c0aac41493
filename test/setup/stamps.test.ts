/** Set-up repeats a step when, and only when, its inputs changed, and never runs twice at once. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../lib/files.js';
import { newFolder } from '../new-folder.js';

const stampsModule = pathToFileURL(path.join(projectRoot(), 'scripts', 'setup', 'stamps.mjs')).href;

interface Stamps {
  fingerprint(inputs: string[], values: unknown[], folder: string): string;
  readStamp(file: string): unknown;
  writeStamp(file: string, stamp: unknown): void;
}

describe('set-up stamps', () => {
  let folder: string;
  let stamps: Stamps;

  before(async () => {
    stamps = (await import(stampsModule)) as Stamps;
  });
  beforeEach(() => {
    folder = newFolder();
    mkdirSync(path.join(folder, 'lib'));
    writeFileSync(path.join(folder, 'lib', 'a.ts'), 'a');
  });

  const now = (values: unknown[] = []): string => stamps.fingerprint(['lib', 'missing.json'], values, folder);

  it('a fingerprint is the same for the same contents, whatever their times', () => {
    const first = now();
    writeFileSync(path.join(folder, 'lib', 'a.ts'), 'a');
    assert.equal(now(), first);
  });

  it('a fingerprint differs after an edit, a new file, a rename, or another version of a tool', () => {
    const seen = new Set([now(), now(['v2'])]);
    appendFileSync(path.join(folder, 'lib', 'a.ts'), 'b');
    seen.add(now());
    writeFileSync(path.join(folder, 'lib', 'b.ts'), '');
    seen.add(now());
    rmSync(path.join(folder, 'lib', 'b.ts'));
    writeFileSync(path.join(folder, 'lib', 'c.ts'), '');
    seen.add(now());
    writeFileSync(path.join(folder, 'missing.json'), '');
    seen.add(now());
    assert.equal(seen.size, 6);
  });

  it('what a build writes into source folders is no input', () => {
    const first = now();
    mkdirSync(path.join(folder, 'lib', 'target'));
    writeFileSync(path.join(folder, 'lib', 'target', 'object.o'), 'x');
    writeFileSync(path.join(folder, 'lib', 'engine.node'), 'x');
    assert.equal(now(), first);
  });

  it('a stamp cut short by a crash counts as none', () => {
    const file = path.join(folder, 'stamp.json');
    stamps.writeStamp(file, { outcome: 'ready' });
    assert.deepEqual(stamps.readStamp(file), { outcome: 'ready' });
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 5));
    assert.equal(stamps.readStamp(file), undefined);
  });

  it('a killed process’s lock keeps nobody waiting who has its id, as in a restarted container', async () => {
    const lock = path.join(folder, 'lock');
    const own = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(lock)}, String(process.pid));`;
    assert.equal((await ended(['--input-type=module', '-e', own + holding(lock, '')])).code, 0);
  });

  it('a lock that names nobody, as a full disk leaves it, keeps nobody waiting', async () => {
    const lock = path.join(folder, 'lock');
    for (const content of ['', 'half', '0']) {
      writeFileSync(lock, content);
      utimesSync(lock, new Date(0), new Date(0));
      assert.equal((await ended(['--input-type=module', '-e', holding(lock, '')])).code, 0);
      assert.deepEqual(readdirSync(folder), ['lib'], 'nothing is left');
    }
  });

  it('a set-up that is stopped takes the program that it runs with it', async () => {
    const shell = pathToFileURL(path.join(projectRoot(), 'scripts', 'setup', 'shell.mjs')).href;
    const [lock, mark] = [path.join(folder, 'lock'), path.join(folder, 'pid')];
    const sleeper = `
      require('fs').writeFileSync(${JSON.stringify(mark)}, String(process.pid));
      setTimeout(() => 0, 60_000);`;
    const code = `
      import { alone } from ${JSON.stringify(stampsModule)};
      import { run } from ${JSON.stringify(shell)};
      const sleep = () => run('test-stop', [process.execPath, '-e', ${JSON.stringify(sleeper)}]);
      await alone(sleep, ${JSON.stringify(lock)});`;
    const setUp = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' });
    const ended = new Promise((resolve) => setUp.once('exit', resolve));
    const wait = async (done: () => boolean): Promise<boolean> => {
      for (let tries = 0; tries < 400 && !done(); tries++) await new Promise((resolve) => setTimeout(resolve, 25));
      return done();
    };
    const program = (): number => (existsSync(mark) ? Number(readFileSync(mark, 'utf8')) : 0);
    assert.ok(await wait(() => program() > 0));
    setUp.kill('SIGTERM');
    assert.equal(await ended, 130);
    const runs = (): boolean => {
      try {
        return process.kill(program(), 0);
      } catch {
        return false;
      }
    };
    assert.ok(await wait(() => !runs()), 'the program still runs');
    assert.equal(existsSync(lock), false);
  });

  it('four set-ups at once run one after the other, and one that died leaves nobody waiting', async () => {
    const lock = path.join(folder, 'lock');
    const diary = path.join(folder, 'diary');
    const gone = await ended(['-e', '0']);
    writeFileSync(lock, String(gone.pid)); // the lock of a process that no longer exists
    const work = `
      note('(');
      await new Promise((resolve) => setTimeout(resolve, 100));
      note(')');`;
    const note = `
      const { appendFileSync } = await import('node:fs');
      const note = (what) => appendFileSync(${JSON.stringify(diary)}, what);`;
    const program = note + holding(lock, work);
    const runs = await Promise.all([1, 2, 3, 4].map(() => ended(['--input-type=module', '-e', program])));
    assert.deepEqual(
      runs.map((run) => run.code),
      [0, 0, 0, 0],
    );
    assert.equal(readFileSync(diary, 'utf8'), '()()()()');
    assert.equal(existsSync(lock), false);
  });
});

/** A program that does something while it holds a lock. */
function holding(lock: string, work: string): string {
  return `
    const { alone } = await import(${JSON.stringify(stampsModule)});
    await alone(async () => {${work}}, ${JSON.stringify(lock)});`;
}

/** Runs node with the arguments to its end. */
function ended(args: string[]): Promise<{ pid: number | undefined; code: number | null }> {
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve({ pid: child.pid, code }));
  });
}
