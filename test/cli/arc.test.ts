/** ARC on the command line: built, checked, shown, voted on and submitted. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { readArcTasks } from '../../lib/data/arc-json.js';
import { InputError } from '../../lib/errors.js';
import { dataFile } from '../../lib/files.js';
import { Random } from '../../lib/random.js';
import { newFolder } from '../new-folder.js';

const cli = fileURLToPath(new URL('../../lib/cli.js', import.meta.url));
function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' });
}

describe('trm-lab with ARC', function () {
  this.timeout(60_000);
  const folder = newFolder();

  it('builds a set in a folder of its own, the same bytes for the same seed', () => {
    const build = (name: string): { sha256: string; train: unknown; test: unknown; ids: number } => {
      const { status, stdout, stderr } = run(
        'data',
        'build',
        'arc1',
        '--canvas',
        '3',
        '--augmentations',
        '2',
        '--out',
        path.join(folder, name),
        '--json',
      );
      assert.equal(status, 0, stderr);
      return JSON.parse(stdout) as ReturnType<typeof build>;
    };
    const [a, b] = [build('a'), build('b')];
    assert.equal(a.sha256, b.sha256);
    // Of ARC-1 and ConceptARC, the tasks whose grids all fit 3×3: counted here again, by hand.
    const fitting = ['arc1_training', 'arc1_evaluation', 'conceptarc'].map((name) =>
      readArcTasks(dataFile(`arc/${name}.json.gz`)).filter(({ train, test }) =>
        [...train, ...test].every(
          ({ input, output }) => Math.max(input.rows, input.columns, output.rows, output.columns) <= 3,
        ),
      ),
    );
    const tasks = fitting.flat().length;
    assert.ok(tasks > 5);
    assert.deepEqual(
      [(a.train as { groups: number }).groups, (a.test as { groups: number }).groups],
      [tasks, fitting[1]!.length],
    );
    const again = run('data', 'build', 'arc1', '--canvas', '3', '--out', path.join(folder, 'a'));
    assert.deepEqual([again.status, /expected a new or empty folder/.test(again.stderr)], [2, true]);
    assert.match(run('data', 'build', 'arc1').stderr, /expected --out FOLDER/);
  });

  it('checks files of tasks, and refuses damaged ones whole', () => {
    const { stdout } = run('data', 'check', dataFile('arc/conceptarc.json.gz'));
    assert.match(stdout, /160 tasks, 427 demonstration and 480 test pairs, every grid sound/);
    const bad = path.join(folder, 'bad.json');
    writeFileSync(bad, '{"train":[{"input":[[0]],"output":[[10]]}],"test":[]}');
    const { status, stderr } = run('data', 'check', bad);
    assert.equal(status, 2);
    assert.match(
      stderr,
      /error: bad\.json, task bad, train pair 1, output, row 1, column 1: expected a colour from 0 to 9, got 10/,
    );
  });

  it('refuses tasks whose puzzle ids are others than those that the checkpoint learned', () => {
    const shipped = dataFile('checkpoints/arc-7x7.safetensors');
    const scored = (...more: string[]): string => {
      const { stdout, stderr } = run('evaluate', shipped, '--steps', '1', '--votes', '1', ...more);
      return stdout + stderr;
    };
    const tasks = readArcTasks(dataFile('arc/arc1_training.json.gz'));
    const small = ({ train, test }: (typeof tasks)[number]): boolean =>
      [...train, ...test].every(({ input, output }) =>
        [input, output].every(({ rows, columns }) => rows <= 7 && columns <= 7),
      );
    const file = path.join(folder, 'some.json');
    const rowsOf = ({ cells, columns }: { cells: Uint8Array; columns: number }): number[][] =>
      Array.from({ length: cells.length / columns }, (_, row) => [
        ...cells.subarray(row * columns, (row + 1) * columns),
      ]);
    const pairsOf = (pairs: (typeof tasks)[number]['train']): unknown =>
      pairs.map(({ input, output }) => ({ input: rowsOf(input), output: rowsOf(output) }));
    const some = tasks.filter(small).slice(3, 9);
    writeFileSync(
      file,
      JSON.stringify(
        Object.fromEntries(some.map(({ id, train, test }) => [id, { train: pairsOf(train), test: pairsOf(test) }])),
      ),
    );
    const refused =
      /error: .*: expected tasks with the puzzle ids that the checkpoint learned, got \d+ of \d+ with others/;
    for (const other of [
      ['--file', file],
      ['--set', 'task.maxTasks=50'],
      ['--set', 'task.augmentations=15'],
      ['--set', 'task.seed=5'],
    ])
      assert.match(scored(...other), refused, other.join(' '));
    assert.match(scored('--file', file, '--puzzle-ids', 'blank'), /^ARC some\.json test within 7×7: \d+ puzzles/);
    assert.match(scored(), /puzzles chosen by the checkpoint/);
  });

  it('damaged gzip files are read or refused, never anything else', () => {
    const good = gzipSync(
      JSON.stringify({ a: { train: [{ input: [[0, 1]], output: [[2]] }], test: [{ input: [[3]], output: [[4]] }] } }),
    );
    const random = new Random(6);
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const bytes = Buffer.from(good);
      for (let change = 0; change < 1 + random.integer(3); change++)
        bytes[random.integer(bytes.length)] = random.integer(256);
      const file = path.join(folder, 'mutated.json.gz');
      writeFileSync(file, random.bernoulli(0.3) ? bytes.subarray(0, random.integer(bytes.length)) : bytes);
      try {
        readArcTasks(file);
      } catch (error) {
        assert.ok(error instanceof InputError, String(error));
        refused++;
      }
    }
    assert.ok(refused > 150, `${refused} of 300`);
  });

  it('votes with random weights, and writes two attempts for every test pair', () => {
    const file = path.join(folder, 'submission.json');
    const asked = ['evaluate', '--random', '0', '--experiment', 'arc-smoke', '--puzzle-ids', 'blank'];
    const submit = (): ReturnType<typeof run> => run(...asked, '--votes', '2', '--threads', '1', '--submission', file);
    const { status, stdout, stderr } = submit();
    assert.equal(status, 0, stderr);
    assert.match(stdout, /votes: 10 on 5 test pairs of 4 tasks/);
    assert.match(stdout, /pass@1 .*pass@2 .*pass@1000 /);
    const attempts = Object.values(
      JSON.parse(readFileSync(file, 'utf8')) as Record<string, { attempt_1: unknown; attempt_2: unknown }[]>,
    );
    assert.deepEqual([attempts.length, attempts.flat().length], [4, 5]);
    assert.match(submit().stderr, /--submission: expected a new file, got .*submission\.json, which exists/);
    const asJson = run(...asked, '--votes', '2', '--threads', '1', '--json');
    const { thinking } = JSON.parse(asJson.stdout) as { thinking: { votes?: number; versions?: number } };
    assert.deepEqual([thinking.votes, thinking.versions], [undefined, 2]);
    assert.match(
      run(...asked, '--votes', '2', '--seed', '7').stderr,
      /error: --seed: nothing is random in a vote of the versions of ARC tasks; leave it out/,
    );
    const refused = run(
      'evaluate',
      '--random',
      '0',
      '--experiment',
      'sudoku-smoke',
      '--submission',
      path.join(folder, 'no.json'),
    );
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /--submission: expected an ARC experiment/);
    const few = ['evaluate', '--random', '0', '--experiment', 'arc-smoke', '--threads', '1', '--puzzles', '2'];
    const without = run(...few, '--halt-above', '0');
    assert.equal(without.status, 0, without.stderr);
    assert.match(
      without.stdout,
      /2 puzzles, [^]*\nno vote: it does not support --puzzles, --halt-above; leave that out/,
    );
    assert.ok(!without.stdout.includes('pass@'));
    const both = run(...few, '--votes', '2');
    assert.deepEqual([both.status, both.stdout], [2, '']);
    assert.match(both.stderr, /--votes: expected no --puzzles with it: the versions of all tasks vote/);
    assert.ok(!existsSync(path.join(folder, 'no.json')));
  });

  it('shows what splits share', () => {
    assert.match(
      run('data', 'show', '--experiment', 'arc-smoke').stdout,
      /ARC-AGI-1 test within 10×10, 4 small tasks: of 5 pairs, 0 are among the training pairs as they are/,
    );
  });
});
