/** Files that cannot be read are refused in words by every reader, whatever keeps them from being read. */
import assert from 'node:assert/strict';
import { execFileSync, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildArc } from '../lib/data/arc-build.js';
import { readArcTasks } from '../lib/data/arc-json.js';
import { textOf } from '../lib/data/text.js';
import { readNpy } from '../lib/data/npy.js';
import { readReferenceFolder, writeReferenceFolder } from '../lib/data/reference-format.js';
import { sudokuDataset } from '../lib/data/sudoku-sets.js';
import { InputError } from '../lib/errors.js';
import { writeNewFolder } from '../lib/data/new-folder.js';
import { claim } from '../lib/experiment/claim.js';
import { readRecords } from '../lib/experiment/record.js';
import { errorText } from '../lib/file-errors.js';
import { dataFile, projectRoot, shownPath, userFile } from '../lib/files.js';
import { readUserFile } from '../lib/user-file.js';
import { checkPlace, makeFolder, pieces, temporaryName, writeFileAtomic } from '../lib/write-file.js';
import { loadCheckpoint } from '../lib/checkpoint/checkpoint.js';
import { readSafetensors } from '../lib/checkpoint/safetensors-file.js';
import { newFolder } from './new-folder.js';
import { inputError } from './input-error.js';

const readers: Readonly<Record<string, (file: string) => unknown>> = {
  whole: (file) => readUserFile(file),
  lines: (file) => textOf(file).next(),
  zipped: (file) => textOf(`${file}.gz`).next(),
  npy: (file) => readNpy(file, { dimensions: 1, most: 1, largest: 1 }),
  safetensors: readSafetensors,
  checkpoint: (file) => loadCheckpoint(file),
  arc: readArcTasks,
};

describe('files', () => {
  it('are shown relative to the current folder, that as a dot, and in full outside it', () => {
    const [here, above] = [process.cwd(), path.dirname(process.cwd())];
    assert.deepEqual([here, path.join(here, 'runs', 'a'), above, path.join(above, 'b')].map(shownPath), [
      '.',
      path.join('runs', 'a'),
      above,
      path.join(above, 'b'),
    ]);
  });

  let folder = '';
  const at = (...names: string[]): string => path.join(folder, ...names);
  before(() => {
    folder = newFolder();
    chmodSync(folder, 0o755);
    mkdirSync(at('folder'));
    mkdirSync(at('folder.gz'));
    for (const name of ['plain', 'plain.gz', 'locked', 'locked.gz']) writeFileSync(at(name), 'x');
    for (const name of ['locked', 'locked.gz']) chmodSync(at(name), 0);
  });

  /** What a reader makes of a file, as somebody without rights to everything. */
  async function outcome(read: () => unknown): Promise<unknown> {
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    let result: unknown;
    try {
      result = read(); // every reader opens its file at once
    } catch (error) {
      return error;
    } finally {
      if (root) process.seteuid?.(0);
    }
    return Promise.resolve(result).catch((error: unknown) => error);
  }

  for (const [name, read] of Object.entries(readers)) {
    it(`that are not there, are folders, lie below a file or may not be read: ${name}`, async () => {
      for (const [file, message] of [
        ['none', /^file not found: /],
        ['folder', /^expected a file, got a folder: |^folder: expected .* ARC tasks as .json files, got neither/],
        ['plain/none', /^file not found: /],
        ['locked', /^no permission to read /],
      ] as const) {
        const error = await outcome(() => read(at(file)));
        assert.ok(error instanceof InputError && message.test(error.message), `${file}: ${String(error)}`);
      }
    });
  }

  it('are written of arrays one behind the other, each in pieces that a call takes', () => {
    const bytes = Uint8Array.from({ length: 20 }, (_, i) => i);
    const view = new Uint16Array(bytes.buffer, 4, 5);
    assert.deepEqual(
      [...pieces(view, 4)].map((piece) => [...piece]),
      [
        [4, 5, 6, 7],
        [8, 9, 10, 11],
        [12, 13],
      ],
    );
    assert.deepEqual([[...pieces(view)].length, [...pieces(new Uint8Array())].length], [1, 0]);
    writeFileAtomic(at('parts'), [bytes.subarray(17), new Float64Array(), view, bytes.subarray(0, 1)]);
    assert.deepEqual([...readFileSync(at('parts'))], [17, 18, 19, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0]);
    const failing = function* (): Generator<Uint8Array> {
      yield bytes;
      throw new Error('cannot go on');
    };
    const before = readdirSync(folder);
    assert.throws(() => writeFileAtomic(at('parts'), failing()), /cannot go on/);
    assert.deepEqual([readdirSync(folder), readFileSync(at('parts')).length], [before, 14]);
  });

  it('cannot be written where a file, a folder or the rights are in the way, and leave nothing behind', async () => {
    mkdirSync(at('closed'));
    chmodSync(at('closed'), 0o555);
    const before = readdirSync(folder).sort();
    for (const [file, reason] of [
      ['plain/below', 'a part of its path is a file'],
      ['closed/new', 'there is no permission to'],
      ['closed/deep/new', 'there is no permission to'],
    ] as const) {
      const error = await outcome(() => writeFileAtomic(at(file), 'text'));
      assert.ok(
        error instanceof InputError && error.message.startsWith(`${at(file)} cannot be written: ${reason};`),
        `${file}: ${String(error)}`,
      );
    }
    assert.throws(
      () => writeFileAtomic(at('folder'), 'text'),
      inputError(/folder cannot be written: a folder has this name;/),
    );
    assert.deepEqual([readdirSync(folder).sort(), readdirSync(at('closed'))], [before, []]);
    for (const place of ['plain', 'locked/below']) assert.throws(() => readRecords(at(place)), InputError);
  });

  it('are refused in words by whatever writes to a place without permission, or to a disk that is full', async () => {
    const closed = at('closed');
    mkdirSync(closed, { recursive: true });
    chmodSync(closed, 0o555);
    for (const write of [
      () => claim(path.join(closed, 'run')),
      () => writeNewFolder(path.join(closed, 'set'), (unfinished) => unfinished.text('a', 'b')),
      () => writeNewFolder(path.join(closed, 'set'), (unfinished) => unfinished.folder('a')),
    ]) {
      const error = await outcome(write);
      assert.ok(
        error instanceof InputError && /cannot be written: there is no permission to; /.test(error.message),
        String(error),
      );
    }
    assert.deepEqual(readdirSync(closed), []);
    if (!existsSync('/dev/full')) return; // not Linux
    symlinkSync('/dev/full', temporaryName(at('full')));
    assert.throws(
      () => writeFileAtomic(at('full'), 'text'),
      inputError(`${at('full')} cannot be written: the disk is full`),
    );
    assert.ok(!existsSync(at('full')) && !existsSync(temporaryName(at('full'))));
  });

  it('behind a link are written where it leads; pipes and devices are no place', () => {
    const target = at('folder', 'target');
    writeFileSync(target, 'old');
    symlinkSync(path.join('folder', 'target'), at('link'));
    writeFileAtomic(at('link'), 'new');
    assert.deepEqual([readFileSync(target, 'utf8'), readlinkSync(at('link'))], ['new', path.join('folder', 'target')]);
    execFileSync('mkfifo', [at('pipe')]);
    for (const write of [() => writeFileAtomic(at('pipe'), 'text'), () => checkPlace(at('pipe'))])
      assert.throws(write, inputError(`${at('pipe')}: expected a file, got a device or a pipe; choose another place`));
    assert.ok(lstatSync(at('pipe')).isFIFO());
    rmSync(target);
    for (const write of [() => writeFileAtomic(at('link'), 'text'), () => checkPlace(at('link'))])
      assert.throws(
        write,
        inputError(`${at('link')}: expected a file or a free name, got a link to nothing; remove it`),
      );
    assert.ok(lstatSync(at('link')).isSymbolicLink() && !existsSync(target));
    for (const each of [at('link'), at('pipe')]) rmSync(each);
  });

  it('of a new folder lie where a link to an empty one leads; one that cannot be replaced is refused at once', () => {
    mkdirSync(at('empty'));
    symlinkSync('empty', at('link'));
    writeNewFolder(at('link'), ({ text }) => text('a', 'b'));
    assert.deepEqual([readFileSync(at('empty', 'a'), 'utf8'), readlinkSync(at('link'))], ['b', 'empty']);
    rmSync(at('empty', 'a'));
    const before = process.cwd();
    process.chdir(at('empty'));
    const refused = (out: string, what: string): void =>
      assert.throws(
        () => writeNewFolder(out, () => assert.fail('began its work')),
        inputError(`${out}: expected a new folder, or an empty one to replace, got ${what}; name a folder in it`),
      );
    try {
      for (const out of ['.', at('empty'), at('link')]) refused(out, 'the current folder');
    } finally {
      process.chdir(before);
    }
    const disk = '/dev/shm'; // a disk of its own on most Linux machines
    if (existsSync(disk) && readdirSync(disk).length === 0 && statSync(disk).dev !== statSync('/dev').dev)
      refused(disk, 'the top folder of a disk');
    rmSync(at('link'));
    rmSync(at('empty'), { recursive: true });
  });

  it('larger than a limit allows are refused in words, and leave what was there', () => {
    if (process.platform === 'win32') return;
    writeFileAtomic(at('limited'), 'before');
    const script = `
      import { writeFileAtomic } from '${new URL('../lib/write-file.js', import.meta.url).href}';
      try { writeFileAtomic(process.argv[1], 'x'.repeat(1e6)); } catch (error) { console.log(String(error)); }`;
    const limited = 'ulimit -f 1; exec "$0" --input-type=module --eval "$1" "$2"';
    const said = execFileSync('sh', ['-c', limited, process.execPath, script, at('limited')], { encoding: 'utf8' });
    assert.match(said, /^InputError: .*limited cannot be written: the file would be larger than .*ulimit -f, allows; /);
    assert.equal(readFileSync(at('limited'), 'utf8'), 'before');
    assert.ok(!readdirSync(folder).some((name) => name.endsWith('.tmp')));
    rmSync(at('limited'));
  });

  it('of a folder that another process made meanwhile stay as they are', () => {
    const set = at('set');
    const made = (): void =>
      void writeNewFolder(set, ({ text }) => {
        text('ours', 'ours');
        writeFileAtomic(path.join(set, 'theirs'), 'theirs');
      });
    const refusal = /^InputError: .*set cannot be written: another process has put something there meanwhile; /;
    assert.throws(made, refusal);
    rmSync(set, { recursive: true });
    mkdirSync(set);
    assert.throws(made, refusal);
    assert.deepEqual(readdirSync(set), ['theirs']);
    assert.ok(!readdirSync(folder).some((name) => name.endsWith('.tmp')));
    rmSync(set, { recursive: true });
  });

  it('below folders that another process makes at the same time are made all the same', async function () {
    this.timeout(120_000);
    const file = fileURLToPath(new URL('./folder-child.js', import.meta.url));
    const children = [1, 2].map(() => fork(file, [at('both'), '3000']));
    try {
      await Promise.all(children.map((child) => once(child, 'message'))); // both are there
      const ends = children.map((child) => once(child, 'exit'));
      for (const child of children) child.send('go');
      assert.deepEqual(await Promise.all(ends), [
        [0, null],
        [0, null],
      ]);
    } finally {
      for (const child of children) child.kill();
    }
    assert.equal(readdirSync(at('both')).length, 3000);
    rmSync(at('both'), { recursive: true });
  });

  it('below folders that a file system refuses to make are refused at once', () => {
    const place = existsSync('/proc/self') ? '/proc/x' : at('plain', 'x');
    const call = "import('./build/lib/write-file.js').then(({ makeFolder }) => makeFolder(process.argv[1]))";
    for (const each of [place, path.join(place, 'deep', 'er')]) {
      // A process of its own: a call that never returns could not be ended here.
      const { signal, stderr } = spawnSync(process.execPath, ['-e', call, each], {
        cwd: projectRoot(),
        encoding: 'utf8',
        timeout: 20_000,
      });
      assert.equal(signal, null, `${each}: did not end`);
      assert.match(stderr, /ENOENT|ENOTDIR/);
      assert.throws(() => writeFileAtomic(path.join(each, 'file'), 'text'), InputError);
      assert.throws(() => claim(each), InputError);
    }
    makeFolder(at('new', 'and', 'deep'));
    makeFolder(at('new', 'and', 'deep'));
    assert.deepEqual(readdirSync(at('new', 'and')), ['deep']);
    assert.throws(() => makeFolder(at('plain')), /EEXIST/);
    symlinkSync(at('nothing'), at('astray'));
    for (const each of [at('astray'), at('astray', 'below')])
      assert.throws(
        () => writeFileAtomic(path.join(each, 'file'), 'text'),
        /^InputError: .*astray: expected a folder, got a link to nothing; make what it links to, or remove it$/,
      );
    rmSync(at('astray'));
    rmSync(at('new'), { recursive: true });
  });

  it('that the disk refuses are one sentence, whoever wrote them; a fault of the kit is not', () => {
    const refusal = Object.assign(new Error('EROFS: read-only'), { code: 'EROFS', syscall: 'mkdir', path: '/x' });
    assert.match(errorText(refusal), /^\/x cannot be written: the disk is read-only; choose another place/);
    const below = Object.assign(new Error('ENOENT'), { code: 'ENOENT', syscall: 'mkdir', path: '/x/y' });
    assert.match(errorText(below), /^\/x\/y cannot be written: no folder can be made there; /);
    assert.match(errorText(new TypeError('x is not a function')), /^TypeError: x is not a function\n +at /);
    assert.match(errorText(Object.assign(new Error('EPIPE'), { code: 'EPIPE', syscall: 'write' })), /^Error: EPIPE\n/);
  });

  it('are not overwritten by folders', async () => {
    const sets = await sudokuDataset({
      side: 4,
      source: 'generated',
      trainPuzzles: 2,
      testPuzzles: 1,
      validationPuzzles: 0,
      augmentations: 0,
      minDifficulty: 0,
      seed: 0,
    });
    for (const write of [
      (out: string) => writeReferenceFolder(out, sets),
      (out: string) => buildArc({ set: 'arc1', canvas: 10, maxTasks: 1, augmentations: 0, seed: 0 }, out),
    ]) {
      for (const out of [at('plain'), at('plain', 'below')])
        assert.throws(() => write(out), inputError(/plain.*expected a new or empty folder, got a file/));
    }
    assert.ok(existsSync(at('plain')));
  });

  it('of a published set are refused with the command that fetches them', () => {
    assert.throws(
      () => dataFile('none.csv.gz', 'maze-hard'),
      /; get it by npm run trm -- data get maze-hard, or set TRM/,
    );
    assert.throws(() => dataFile('none.csv.gz'), /none\.csv\.gz not found in .*; set TRM_DATA to the folder/);
  });

  it('of a data folder are named, and lie in it', () => {
    for (const name of [undefined, '', '.', './', '/', '..', '../package.json', 'arc/../../package.json'])
      assert.throws(() => dataFile(name as never), /data file: expected the name of a file in a data folder, got/);
    assert.equal(dataFile('./arc/../README.md'), dataFile('README.md'));
    assert.throws(() => userFile(undefined as never), /file: expected the path of a file or folder, got undefined/);
    assert.throws(() => userFile('../none.csv'), /file or folder not found: \/.*none\.csv/);
  });

  it('that are far too long are refused before they are read', () => {
    const long = (name: string): void => {
      mkdirSync(path.dirname(at(name)), { recursive: true });
      writeFileSync(at(name), '');
      truncateSync(at(name), 3e9); // a hole: takes no room
    };
    long('set/train/dataset.json');
    assert.throws(
      () => readReferenceFolder(at('set')),
      inputError(/dataset\.json: expected at most 65536 bytes, got 3000000000$/),
    );
    assert.throws(() => readUserFile('/dev/zero', 10), /expected a file, got a pipe or a device/);
  });
});
