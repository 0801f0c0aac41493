/** What docs/library.md tells people to paste works as it stands. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadCheckpoint } from '../lib/checkpoint/checkpoint.js';
import { projectRoot } from '../lib/files.js';

describe('docs/library.md', function () {
  this.timeout(300_000); // some seconds each on an idle machine
  const page = readFileSync(path.join(projectRoot(), 'docs', 'library.md'), 'utf8');
  const programs = [...page.matchAll(/```js\n([^]*?)```/g)].map(([, text = '']) => text);
  let folder = '';
  before(() => {
    mkdirSync(path.join(projectRoot(), '.cache'), { recursive: true });
    folder = mkdtempSync(path.join(projectRoot(), '.cache', 'library-')).replaceAll(path.sep, '/');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What the program with some text in it prints, after changes that make it quick. */
  function run(has: string, changes: readonly (readonly [string, string])[] = []): string {
    const [program, second] = programs.filter((text) => text.includes(has));
    assert.ok(program !== undefined && second === undefined, has);
    for (const [from] of changes) assert.ok(program.includes(from), from);
    const library = pathToFileURL(path.join(projectRoot(), 'build', 'lib', 'index.js')).href;
    writeFileSync(
      path.join(folder, 'mine.mjs'),
      [["'trm-lab'", `'${library}'`] as const, ...changes].reduce(
        (text, [from, to]) => text.replaceAll(from, to),
        program,
      ),
    );
    const { status, stdout, stderr } = spawnSync(process.execPath, ['mine.mjs'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, TRM_SMOKE: '1' },
    });
    assert.equal(status, 0, stderr);
    return stdout;
  }

  it('has five programs, of at most fourteen lines each', () => {
    assert.equal(programs.length, 5);
    for (const program of programs) assert.ok(program.trim().split('\n').length <= 14, program);
  });

  it('shows a puzzle step by step', () => {
    const lines = run('drawThoughts').trim().split('\n');
    assert.match(lines.join('\n'), /step 1 ·[^]*to 16 ·/);
    assert.match(lines.at(-1)!, /^(0|1)\.\d{3}( (0|1)\.\d{3}){15}$/);
  });

  it('makes the bare step, with the shapes that it says', () => {
    const lines = run('createState').trim().split('\n');
    assert.equal(lines.length, 16);
    for (const [i, line] of lines.entries()) assert.match(line, new RegExp(`^${i + 1} true -?\\d+\\.\\d\\d$`));
  });

  it('trains step by step, and saves a checkpoint that opens', () => {
    const saved = path.join(folder, 'mine.safetensors');
    const lines = run('new Trainer', [
      ["'build/mine.safetensors'", `'${saved}'`],
      ['steps: 100', 'steps: 60'],
      ['puzzles: 100', 'puzzles: 10'],
    ]);
    assert.match(lines, /^50 \d\.\d+\n/);
    assert.equal(loadCheckpoint(saved).config.sequenceLength, 16);
  });

  it('makes a run with its record and a figure', () => {
    assert.match(
      run('runExperiment', [['{ seed: 0 }', `{ seed: 0, folder: '${folder}/run' }`]]),
      /build\/figures\/mine\.png/,
    );
  });

  it('makes an ablation in ten lines, here for seconds and with one seed, and ends with a table and a figure', () => {
    const stdout = run('planAblation', [
      ["'laptop'", "'smoke'"],
      ['[0, 1, 2]', '[0]'],
      ["{ records: 'runs/my-ablation' }", `{ records: '${folder}/records', folder: '${folder}/runs' }`],
      ["readRecords('runs/my-ablation')", `readRecords('${folder}/records')`],
    ]);
    for (const name of ['w/ ACT', 'answer-often']) assert.ok(stdout.includes(`| ${name}`), stdout);
    assert.match(stdout, /^build\/figures\/my-ablation\.png$/m);
  });
});
