/** evaluate and data on files and checkpoints of other people: what cannot be known is said, and nothing is lost. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadCheckpoint, saveCheckpoint } from '../../lib/checkpoint/checkpoint.js';
import { shippedCheckpoint } from '../../lib/experiment/open.js';
import { projectRoot } from '../../lib/files.js';
import { newFolder } from '../new-folder.js';

const cli = fileURLToPath(new URL('../../lib/cli.js', import.meta.url));
const checkpoint = (name: string): string => path.join(projectRoot(), 'data', 'checkpoints', `${name}.safetensors`);

describe('files and checkpoints of other people', function () {
  this.timeout(120_000);
  const folder = newFolder();

  const run = (args: readonly string[], options: object = {}): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', ...options });
  const refuses = (args: readonly string[], says: RegExp, options: object = {}): void => {
    const { status, stderr } = run(args, options);
    assert.equal(status, 2, stderr);
    assert.match(stderr, says);
  };
  const evaluate = (...args: string[]): SpawnSyncReturns<string> => run(['evaluate', ...args, '--steps', '1']);

  it('a pipe is refused: what was read to tell its kind would be lost', () => {
    const shell = (command: string): SpawnSyncReturns<string> =>
      spawnSync('sh', ['-c', `printf '1...............\\n' | "${process.execPath}" "${cli}" ${command}`], {
        encoding: 'utf8',
      });
    const says = /expected a file, got a pipe or a device, which is read only once; save what it gives first/;
    for (const [command, message] of [
      ['data check /dev/stdin', says],
      [`evaluate "${checkpoint('sudoku-4x4')}" --file /dev/stdin`, says],
      ['solve /dev/stdin', /got a pipe or a device; give - and send it to standard input/],
    ] as const) {
      const { status, stderr } = shell(command);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
    }
    // Opening a named pipe would wait for its other end.
    const pipe = path.join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const killed = { timeout: 30_000, killSignal: 'SIGKILL' };
    refuses(['evaluate', checkpoint('sudoku-4x4'), '--file', pipe], says, killed);
  });

  it('an empty word is no path: a variable of the shell may be unset', () => {
    refuses(['data', 'check', ''], /got an empty word; is a variable unset\?/);
    refuses(['convert', checkpoint('sudoku-4x4'), ''], /got an empty word/);
  });

  it('under npm, paths count from where the user stands', () => {
    writeFileSync(path.join(folder, 'mine.txt'), '..2.4..1.4......\n');
    const env = { ...process.env, npm_lifecycle_event: 'trm', INIT_CWD: folder };
    const { status, stderr, stdout } = run(['data', 'check', 'mine.txt'], { cwd: projectRoot(), env });
    assert.equal(status, 2, stdout);
    assert.match(stderr, /mine\.txt, line 1: expected exactly one solution, got several/); // it was found
  });

  it('where nobody knows whether puzzles have the ids that a model learned, that is said', () => {
    const set = path.join(folder, 'arc-set');
    const model = checkpoint('arc-7x7');
    const built = run(['data', 'build', 'arc1', '--canvas', '7', '--augmentations', '0', '--out', set]);
    assert.equal(built.status, 0, built.stderr);
    const says = /it is not known whether these puzzles have the ids that the model learned for them: the checkpoint /;
    const from = ['--file', set, '--puzzles', '5'];
    const { status, stdout, stderr } = evaluate(model, ...from);
    assert.equal(status, 0, stderr);
    assert.match(stdout, says);
    assert.doesNotMatch(evaluate(model, ...from, '--puzzle-ids', 'blank').stdout, says);
    const nameless = path.join(folder, 'nameless.safetensors');
    const { config, tensors } = loadCheckpoint(model);
    saveCheckpoint(nameless, { config, tensors });
    const other = evaluate(nameless, '--experiment', 'arc-7x7-study', '--puzzles', '5');
    assert.match(
      other.stdout,
      /learned for them: the checkpoint names no task; --puzzle-ids blank scores it without ids/,
    );
    const few = path.join(folder, 'few.safetensors');
    const table = tensors.get('puzzle_emb.weights')!;
    const width = config.puzzleEmbeddingSize;
    const puzzle_emb = { shape: [3, width], data: table.data.slice(0, 3 * width) };
    saveCheckpoint(few, {
      config: { ...config, puzzleIds: 3 },
      tensors: new Map([...tensors, ['puzzle_emb.weights', puzzle_emb]]),
    });
    refuses(['evaluate', few, ...from], /expected puzzle ids below 3, as the model has, got \d+: .*--puzzle-ids blank/);
  });

  it('a folder whose answers are wrong or hidden says so', () => {
    const set = path.join(folder, 'set');
    cpSync(path.join(projectRoot(), 'test', 'data', 'fixtures', 'ignore-null'), set, { recursive: true });
    const labels = path.join(set, 'test', 'all__labels.npy');
    const right = readFileSync(labels);
    const model = shippedCheckpoint(16);
    assert.match(evaluate(model, '--file', set).stdout, /exact/);
    writeFileSync(
      labels,
      right.map((value, i) => (i < right.length - 96 ? value : value === 5 ? 2 : value + 1)),
    );
    assert.match(
      evaluate(model, '--file', set).stdout,
      /example 1: the answer (changes the given|breaks a rule).*; scored as it stands/,
    );
    writeFileSync(
      labels,
      right.map((value, i) => (i < right.length - 96 ? value : 0)),
    );
    const meta = path.join(set, 'test', 'dataset.json');
    writeFileSync(meta, readFileSync(meta, 'utf8').replace('"ignore_label_id": null', '"ignore_label_id": 0'));
    refuses(['evaluate', model, '--file', set], /example 1: expected cells to score, got none; leave it out/);
  });

  it('a folder whose Sudokus have several solutions says so, also as the task of --set', () => {
    const set = path.join(folder, 'blank-set');
    cpSync(path.join(projectRoot(), 'test', 'data', 'fixtures', 'ignore-null'), set, { recursive: true });
    const inputs = path.join(set, 'test', 'all__inputs.npy');
    writeFileSync(
      inputs,
      readFileSync(inputs).map((value, i, { length }) => (i < length - 16 ? value : 1)),
    );
    for (const how of [
      ['--file', set],
      ['--set', `task.kind=folder,task.folder=${set}`],
    ])
      assert.match(
        evaluate(shippedCheckpoint(16), ...how).stdout,
        /1 of 6 Sudokus have several solutions; only the folder's counts as right/,
      );
  });

  it('mazes that are answered by another shortest path are scored by any, too', () => {
    const question = `S ##### G#####${'#'.repeat(35)}`;
    const answers = [1, 7].map((cell) => `${question.slice(0, cell)}o${question.slice(cell + 1)}`);
    const file = path.join(folder, 'mazes.csv');
    writeFileSync(file, ['question,answer', ...answers.map((answer) => `${question},${answer}`), ''].join('\n'));
    const { stdout, stderr } = evaluate(checkpoint('maze-7x7'), '--file', file);
    assert.match(stdout, /another shortest path than this kit's rule picks: 1 of 2\./, stderr);
    assert.match(stdout, /^step .* valid shortest path\n {3}1 .* %$/m);
  });

  it('ARC tasks that do not fit are named', () => {
    const tasks = (side: number): object => {
      const grid = Array.from({ length: side }, () => Array<number>(side).fill(1));
      return { train: [{ input: grid, output: grid }], test: [{ input: grid, output: grid }] };
    };
    const file = path.join(folder, 'tasks.json');
    writeFileSync(file, JSON.stringify({ small: tasks(3), large: tasks(8) }));
    const { stdout, stderr } = evaluate(checkpoint('arc-7x7'), '--file', file, '--puzzle-ids', 'blank', '--votes', '1');
    assert.match(stdout, /Left out as too large: 1 of the file's 2 tasks \(large\)/, stderr);
  });

  it('Sudokus as JSON are told the form they need', () => {
    const file = path.join(folder, 'list.json');
    writeFileSync(file, '[{"question": "..2.4..1.4......"}]');
    refuses(['data', 'check', file], /expected a table or boards of Sudoku, got JSON or XML; write it as CSV/);
  });

  it('puzzles that are not those of the training are no training puzzles', () => {
    const { config, tensors, metadata } = loadCheckpoint(checkpoint('sudoku-4x4'));
    const other = path.join(folder, 'other.safetensors');
    saveCheckpoint(other, { config, tensors, metadata: { ...metadata, trainSha256: 'x', run: 'a\u001b[31m' } });
    const { stdout, stderr } = evaluate(other, '--split', 'train', '--puzzles', '4', '--resume');
    assert.match(stdout, /these are not the training puzzles of the model, or their files have changed/, stderr);
    assert.ok(!stdout.includes('\u001b'), 'a name in a file does not steer the terminal');
    assert.match(stderr, /--resume: nothing of this evaluation, .* it starts over/);
  });

  it('weights that overflow are no result', () => {
    const { config, tensors } = loadCheckpoint(checkpoint('sudoku-4x4'));
    const huge = path.join(folder, 'huge.safetensors');
    const name = 'embed_tokens.embedding_weight';
    const data = tensors.get(name)!.data.map(() => 3e38);
    saveCheckpoint(huge, { config, tensors: new Map([...tensors, [name, { ...tensors.get(name)!, data }]]) });
    for (const args of [
      ['evaluate', huge, '--puzzles', '4'],
      ['solve', '12..34..2.4..3.1', '--checkpoint', huge],
    ]) {
      const { status, stderr, stdout } = run(args);
      assert.equal(status, 1, stdout);
      assert.match(stderr, /^error: .*the model answers NaN: its weights are so large that its numbers overflow$/m);
    }
    const nan = { ...tensors.get(name)!, data: data.fill(NaN) };
    assert.throws(
      () => saveCheckpoint(huge, { config, tensors: new Map([...tensors, [name, nan]]) }),
      /expected finite weights, got NaN or infinity in embed_tokens\.embedding_weight/,
    );
    assert.throws(
      () => saveCheckpoint(huge, { config, tensors, metadata: { step: 5 } as never }),
      /metadata step: expected text, got 5/,
    );
  });

  it('a place that cannot be written to is found before anything is computed', () => {
    refuses(
      ['evaluate', checkpoint('arc-7x7'), '--votes', '2', '--submission', path.join(checkpoint('arc-7x7'), 'x.json')],
      /cannot be written: a part of its path is a file/,
    );
    if (!existsSync('/dev/full')) return;
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', `"${process.execPath}" "${cli}" describe --settings > /dev/full`],
      {
        encoding: 'utf8',
      },
    );
    assert.equal(status, 1);
    assert.match(stderr, /^error: standard output cannot be written: the disk is full; /);
    assert.equal(stderr.trim().split('\n').length, 1);
  });
});
