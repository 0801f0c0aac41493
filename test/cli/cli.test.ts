/** The command line as a user meets it: help, refusals with exit code 2, and runs that survive being killed. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { helpText, readArguments } from '../../lib/cli/command.js';
import { commands } from '../../lib/cli/commands.js';
import { projectRoot } from '../../lib/files.js';
import { killedAtRename } from '../kill-at.js';
import { newFolder } from '../new-folder.js';

const cli = fileURLToPath(new URL('../../lib/cli.js', import.meta.url));

function run(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' });
}

/** Exit code 2, one line on standard error, nothing on standard output. */
function refuses(args: readonly string[], message: RegExp): void {
  const { status, stderr, stdout } = run(...args);
  assert.equal(status, 2, `${args.join(' ')}: exit code ${status}\n${stderr}`);
  const lines = stderr
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('error: '));
  assert.equal(lines.length, 1, stderr);
  assert.match(lines[0] ?? '', message);
  assert.equal(stdout, '');
}

describe('trm-lab', () => {
  const folder = newFolder();

  it('lists its commands, and every command explains itself with an example', () => {
    const { stdout, status } = run('--help');
    assert.equal(status, 0);
    for (const { name, example, minutes } of commands) {
      assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
      assert.ok(example.length > 0 && minutes.length > 0, name);
    }
    assert.match(run('train', '--help').stdout, /--seed N .*Default 0/);
    assert.match(run('solve', '--help').stdout, /\nExample, a second:\n {2}npm run trm -- solve [\d.]+\n$/);
  });

  it('every option that takes a number has a range, which the help names and a number beyond it violates', () => {
    let numbers = 0;
    for (const command of commands) {
      const help = helpText(command);
      for (const [name, { value = '', range }] of Object.entries(command.options)) {
        assert.equal(/^([A-Z]|SEED)$/.test(value), range !== undefined, `${command.name} --${name}`);
        if (range === undefined) continue;
        numbers++;
        assert.match(help, new RegExp(`--${name} .*\\(${range[0]} (or more|to ${range[1]})\\)\n`));
        const least = new Array<string>(command.count[0]).fill('4x4');
        for (const wrong of [range[0] - 1, 2 * range[1], 'x'])
          assert.throws(
            () => readArguments(command, [...least, `--${name}`, String(wrong)]),
            new RegExp(`--${name}: expected a (whole )?number from ${range[0]} to ${range[1]}, got ${wrong}`),
          );
      }
    }
    assert.ok(numbers > 20);
  });

  it('doctor says where the stated times do not hold, and how data sets are fetched', () => {
    const doctor = (level: string, data: string): string => {
      const env = { ...process.env, TRM_LAB_ISA: level, TRM_DATA: data };
      const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'doctor'], { encoding: 'utf8', env });
      assert.equal(status, 0, stderr);
      return stdout;
    };
    assert.match(
      doctor('portable', folder),
      /native engine +portable .*; the stated times are for avx512bf16: everything takes longer here/,
    );
    assert.match(doctor('portable', folder), /get it with npm run trm -- data get maze-hard, or set TRM_DATA/);
  });

  it('says in one sentence where a training overflowed, and starts a new one from the checkpoint that it names', () => {
    const train = (name: string, settings: string, ...more: string[]): SpawnSyncReturns<string> =>
      run(
        ...['train', '--experiment', 'sudoku-smoke', '--folder', path.join(folder, name)],
        ...['--set', `model.layers=1,training.warmupSteps=0,${settings}`, ...more],
      );
    const wild = train('wild', 'training.learningRate=10,training.weightDecay=10', '--checkpoint-every', '2');
    assert.equal(wild.status, 1);
    const [error = '', ...after] = wild.stderr.slice(wild.stderr.indexOf('error: ')).trim().split('\n');
    assert.deepEqual(after, []);
    const [, checkpoint = ''] = /; start a new run from it: --from (.*) --set training/.exec(error) ?? [];
    const tame = train('tame', 'training.steps=2,training.learningRate=0.001', '--from', checkpoint);
    assert.equal(tame.status, 0, tame.stderr);
    assert.match(tame.stdout, /^sudoku-smoke-seed0-\w{8}: [\d.]+ % exact/);
  });

  it('refuses what it does not know', () => {
    refuses(['teach'], /unknown command teach; expected one of doctor/);
    refuses(['trian'], /unknown command trian \(did you mean train\?\)/);
    refuses(['train', '--epochs', '3'], /Unknown option '--epochs'.*known options: --experiment/);
    refuses(['train', '--from', 'model.safetensors', '--record'], /--record: expected no --from with it/);
    refuses(['train', '--seed', 'x'], /--seed: expected a whole number from 0/);
    refuses(['train', '--set', 'training.stepz=3'], /training options: unknown field stepz/);
    refuses(['train', '--experiment', 'sudoku-5x5'], /expected one of sudoku-4x4/);
    refuses(['train', '--engine', 'cuda'], /--engine: expected one of auto, native, tfjs, torch, got cuda/);
    refuses(['ablate', '--only', 'trm,hmr'], /got hmr \(did you mean hrm\?\)/);
    refuses(['failure-modes', '--scale', 'paper'], /--scale: expected one of smoke, laptop, got paper/);
    refuses(['sweep', 'stand'], /expected status, got stand/);
    refuses(['sweep', 'status', '--runs', folder], /no array was submitted from this folder/);
    refuses(['evaluate'], /expected a checkpoint or --random SEED/);
    refuses(
      ['train', 'sudoku-4x4'],
      /train: this command takes options only, got sudoku-4x4 \(npm run trm -- train --h/,
    );
    refuses(['solve', 'abc'], /found no Sudoku in "abc": write 16, 36 or 81 cells, with a dot for an empty one/);
  });

  it('refuses a search of what is no setting of its task, model or training, or is set by --set', () => {
    const search = (...args: readonly string[]): string[] => [
      'search',
      '--experiment',
      'sudoku-smoke',
      '--dry',
      ...args,
    ];
    refuses(search('training.learningRate='), /search: expected .*, got "training\.learningRate="$/);
    refuses(search('foo'), /error: search: expected task\|model\|training\.FIELD=VALUE, got "foo"$/);
    refuses(search('evaluation.every=1|2'), /error: search: expected task\|model\|training\.FIELD/);
    for (const field of ['T', 'deepRecursions'])
      refuses(search(`model.${field}=1|2`, '--set', 'model.T=3'), /search --set: expected no model\.deepRecursions/);
  });

  it('prints what the published scale costs in FLOP and hours here, and starts it only with --yes', function () {
    this.timeout(60_000);
    const { status, stderr } = run(
      'train',
      '--experiment',
      'sudoku-extreme-paper',
      '--set',
      'model.hiddenSize=64,model.puzzleEmbeddingSize=64',
    );
    assert.equal(status, 1, stderr);
    const cost = /published scale: \d[\d.]* [PE]FLOP, [\d,.]+ (minutes|hours)( \([\d,]+ days\))? on this machine/;
    assert.match(stderr, cost);
    assert.match(
      stderr,
      /on this machine at [\d.]+ [MGT]FLOP\/s\. The speed was measured just now; other programs may/,
    );
    assert.match(stderr, /\n(native|tfjs) .*: [\d,.]+ ms a step; ends \d.*\nMore than 6 hours: add --yes to start it/);
    // ARC comes with the kit, so its published scale can be planned anywhere; a search of it is a sweep like any other.
    const task = 'task.canvas=10,task.maxTasks=6,task.augmentations=0,task.validationTasks=2';
    const sizes = 'model.hiddenSize=32,model.heads=2,model.puzzlePrefix=1,model.puzzleEmbeddingSize=32';
    const small = `${task},${sizes},model.innerMultiple=32`;
    const search = run(
      'search',
      '--experiment',
      'arc1-paper',
      '--set',
      small,
      'training.learningRate=1e-4',
      '--records',
      folder,
      '--runs',
      folder,
      '--json',
    );
    assert.equal(search.status, 1, search.stderr);
    assert.match(search.stderr, /1 run: 0 recorded, 1 to do, .*FLOP, .*on this machine at .*FLOP\/s/);
    assert.match(search.stderr, /measured just now[^]*start only with --yes/);
    assert.deepEqual(
      (JSON.parse(search.stdout) as { state: string }[]).map(({ state }) => state),
      ['waiting'],
    );
  });

  it('refuses files that are missing, truncated or wrong', () => {
    refuses(['verify', '--fixture', path.join(folder, 'none.safetensors')], /not found/);
    refuses(['evaluate', path.join(folder, 'none.safetensors')], /not found/);
    const shipped = path.join(projectRoot(), 'data', 'checkpoints', 'sudoku-4x4.safetensors');
    const cut = path.join(folder, 'cut.safetensors');
    copyFileSync(shipped, cut);
    truncateSync(cut, 5000);
    refuses(['evaluate', cut], /cut\.safetensors: .*truncated: expected \d+ bytes of tensor data, got 3312/);
    refuses(['evaluate', shipped, '--experiment', 'sudoku-6x6'], /expected puzzles of 16 cells and 6 tokens/);
    refuses(['evaluate', shipped, '--set', 'model.mixer=attention'], /the tensors do not fit the configuration/);
    const board = path.join(folder, 'short.csv');
    writeFileSync(board, `source,question,answer,rating\nx,${'.'.repeat(80)},${'1'.repeat(80)},0\n`);
    refuses(['data', 'check', board], /line 2.*81.*80/);
    refuses(['solve', '1'.repeat(16)], /1 appears twice in row 1/);
    refuses(['solve', '.'.repeat(16)], /exactly one solution, got several/);
    const twice = ['--steps', '3', '--set', 'model.supervisionSteps=2'];
    refuses(['solve', '1.........3..4.2', ...twice], /--steps: expected it or --set model\.supervisionSteps, got both/);
    refuses(['solve', '1'.repeat(80)], /a board of 16, 36 or 81, got 80 cells/);
    refuses(['convert', cut, path.join(folder, 'out.safetensors')], /truncated/);
    assert.ok(!existsSync(path.join(folder, 'out.safetensors')));
    refuses(['convert', shipped, shipped], /expected a new file, got one that exists/);
    refuses(['evaluate', shipped, '--random', '1'], /a checkpoint or --random SEED, and not both/);
  });

  it('solves a puzzle step by step, converts a PyTorch file, scores by votes, and says what a model costs', () => {
    const solved = JSON.parse(run('solve', '1.........3..4.2', '--json').stdout) as {
      right: boolean;
      legal: boolean;
      solution: string;
      steps: { rightCells: number; changed: unknown[] }[];
    };
    assert.deepEqual(
      [solved.right, solved.legal, solved.solution, solved.steps.at(-1)?.rightCells],
      [true, true, '1243432121343412', 16],
    );
    assert.ok((solved.steps[0]?.changed.length ?? 0) >= 11);
    const { stdout } = spawnSync(process.execPath, [cli, 'solve', '-'], {
      encoding: 'utf8',
      input: '1 . | . .\n. . | . .\n----+----\n. . | 3 .\n. 4 | . 2\n',
    });
    assert.match(stdout, /^puzzle 1\.{9}3\.\.4\.2\n 1 · │ · · \n/);
    assert.match(stdout, /\nsteps \d+ to 16: no change; .*, 16 of 16 cells right, legal\n\nright: /);
    assert.equal(
      stdout.match(/^─────┼─────$/gm)?.length,
      1 + solved.steps.filter((step) => step.changed.length).length,
    );

    assert.match(run('solve', '-2----4---1--3--').stderr, /put an argument that begins with - after --/);
    assert.match(run('solve', '--', '-2----4---1--3--').stdout, /right: it agrees with the exact solver/);
    const two = '1.........3..4.2\n1.....3......4.2\n';
    const several = spawnSync(process.execPath, [cli, 'solve', '-'], { encoding: 'utf8', input: two });
    assert.match(several.stderr, /^error: standard input: expected one Sudoku, got several boards$/m);

    const out = path.join(folder, 'tiny.safetensors');
    const converted = run(
      'convert',
      path.join(projectRoot(), 'test', 'checkpoint', 'fixtures', 'tiny-trm.pt'),
      out,
      '--set',
      'model.puzzleIds=2,model.latentRecursions=4',
    );
    assert.equal(converted.status, 0, converted.stderr);
    assert.match(converted.stderr, /puzzle table: 3 rows in the file, 2 wanted/);
    assert.match(converted.stdout, /1,746 trainable parameters .*n = 4/);
    assert.ok(existsSync(out));

    const shipped = path.join(projectRoot(), 'data', 'checkpoints', 'sudoku-4x4.safetensors');
    const voted = JSON.parse(
      run('evaluate', shipped, '--puzzles', '10', '--votes', '3', '--halt-above', '0', '--json').stdout,
    ) as { meanSteps: number; thinking: object; peakMemory: number };
    assert.ok(voted.meanSteps >= 1 && voted.meanSteps <= 16 && voted.peakMemory > 1e7);
    assert.deepEqual(voted.thinking, { haltAbove: 0, votes: 3, relabel: 'both', chains: 1, seed: 0 });

    const told = run('describe', 'trm-attention', '--task', 'maze', '--gflops', '100').stdout;
    for (const part of [
      '6,822,914 trainable',
      '30 layers',
      '306 TFLOP at batch 768',
      '65,104 steps',
      'published command for Maze-Hard has n = 4',
    ])
      assert.ok(told.includes(part), `${part} in\n${told}`);
  });

  it('ends a table with its paths, and reports any folder of records; the project stays as it is', function () {
    this.timeout(120_000);
    const records = path.join(folder, 'mine');
    // Other programs may write there meanwhile; what this test could make is called so.
    const made = (): unknown =>
      ['data/runs', 'data/search', 'figures', 'docs'].map((name) => {
        const place = path.join(projectRoot(), name);
        const names = readdirSync(place).filter((each) => /smoke|mine-report/.test(each));
        return names.map((each) => [each, statSync(path.join(place, each)).mtimeMs]);
      });
    const before = made();
    const ablation = run(
      ...['ablate', '--scale', 'smoke', '--only', 'trm,trm-act', '--seeds', '2'],
      ...['--records', records, '--runs', path.join(folder, 'ablation')],
    );
    assert.equal(ablation.status, 0, ablation.stderr);
    const name = path.join(records, 'table-1-sudoku-smoke');
    assert.deepEqual(ablation.stdout.trim().split('\n').slice(-4), [
      `records: ${records}`,
      `table: ${name}.md`,
      `table: ${name}.csv`,
      `figure: ${name}-accuracy-versus-cycles.png`,
    ]);
    assert.match(readFileSync(`${name}.md`, 'utf8'), /^\| w\/ ACT \| [\d.]+\s% \| [\d.]+\s±\s[\d.]+\s% \| 2 \|/m);
    // Fewer rows and seeds leave in the table what the folder has.
    const onlyOne = (precision: string, ...more: readonly string[]): SpawnSyncReturns<string> =>
      run(
        ...['ablate', '--scale', 'smoke', '--only', 'trm', '--seeds', '1', '--precision', precision, ...more],
        ...['--records', records, '--runs', path.join(folder, 'ablation')],
      );
    const fewer = onlyOne('float32');
    assert.equal(fewer.status, 0, fewer.stderr);
    assert.match(readFileSync(`${name}.md`, 'utf8'), /^\| w\/ ACT \| [\d.]+\s% \| [\d.]+\s±\s[\d.]+\s% \| 2 \|/m);
    // The record has one precision or the other; auto asks for neither.
    const warned = ['float32', 'bf16', 'auto'].map((each) => /another precision/.test(onlyOne(each, '--dry').stderr));
    assert.deepEqual([warned.filter(Boolean).length, warned[2]], [1, false]);
    const ofMine = path.join(records, 'mine.csv');
    writeFileSync(ofMine, 'a file of the user’s own\n');
    const again = run('report', '--records', records);
    assert.equal(again.status, 0, again.stderr);
    assert.equal(readFileSync(ofMine, 'utf8'), 'a file of the user’s own\n');
    const table = readFileSync(path.join(records, 'mine-report.md'), 'utf8');
    assert.ok(again.stdout.startsWith(table.trim()), again.stdout);
    const rows = table.split('\n').filter((line) => /^\| (TRM|w)/.test(line));
    assert.deepEqual(
      rows.map((line) => line.split(' | ').at(-1)),
      ['2 |', '2 |'],
    );
    const csv = readFileSync(path.join(records, 'mine-report.csv'), 'utf8').trim().split('\n');
    assert.equal(csv.length, 1 + 4); // a line a run
    for (const file of [
      `${name}-accuracy-versus-cycles.png`,
      path.join(records, 'mine-report-accuracy-versus-cycles.png'),
    ])
      assert.equal(readFileSync(file).subarray(1, 4).toString(), 'PNG');
    assert.deepEqual(made(), before);
    refuses(
      ['report', '--records', path.join(folder, 'nothing')],
      /--records: folder not found: .*nothing; check the path/,
    );
    refuses(['report', '--records', `${name}.md`], /--records: expected a folder, got the file/);
    refuses(['ablate', '--scale', 'smoke', '--records', `${name}.md`], /--records: expected a folder, got the file/);
  });

  it('search and failure modes end with tables and figures too; a run’s own folder is reported', function () {
    this.timeout(240_000);
    const ends = (name: string, ...args: readonly string[]): string => {
      const records = path.join(folder, name);
      const { status, stdout, stderr } = run(
        ...args,
        '--records',
        records,
        '--runs',
        path.join(folder, `${name}-runs`),
      );
      assert.equal(status, 0, `${stderr}${stdout}`); // what failed is said among the results
      const [where = '', ...files] = stdout.trim().split('\n').slice(-4);
      assert.equal(where, `records: ${records}`);
      const made = files.map((line) => /^(table|figure): (.*)$/.exec(line)?.[2] ?? assert.fail(line));
      assert.deepEqual(made.map(path.extname), ['.md', '.csv', '.png']);
      for (const file of made) assert.ok(statSync(file).size > 100, file);
      return readFileSync(made[0] ?? '', 'utf8');
    };
    const small = 'training.steps=2,evaluation.finalPuzzles=4';
    const tries = ends(
      'tries',
      'search',
      '--experiment',
      'sudoku-smoke',
      '--set',
      small,
      'training.learningRate=1e-4|1e-3',
    );
    assert.equal(tries.match(/^\| sudoku-smoke \|/gm)?.length, 2, tries);
    assert.match(ends('modes', 'failure-modes', '--scale', 'smoke'), /^\| failure mode \|/m);
    const [own = ''] = readdirSync(path.join(folder, 'tries-runs'));
    const one = path.join(folder, 'tries-runs', own);
    const reported = run('report', '--records', one);
    assert.equal(reported.status, 0, reported.stderr);
    assert.match(reported.stdout, new RegExp(`\ntable: .*${own}-report\\.md\ntable: .*\\.csv\nfigure: .*\\.png\n$`));
    assert.equal(
      readFileSync(path.join(one, `${own}-report.csv`), 'utf8')
        .trim()
        .split('\n').length,
      2,
    );
  });

  it('takes the settings of a run from a file, and those of the command line over it', function () {
    this.timeout(60_000);
    const file = path.join(folder, 'config.json');
    const config = (content: unknown): string[] => {
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
      return ['train', '--config', file, '--folder', path.join(folder, 'from-config')];
    };
    const outcome = run(
      ...config({ experiment: 'sudoku-smoke', model: { n: 1, T: 2 }, training: { steps: 9, batchSize: 4 } }),
      ...['--set', 'training.steps=3,model.T=1', '--json'],
    );
    assert.equal(outcome.status, 0, outcome.stderr);
    const { steps, experiment } = JSON.parse(outcome.stdout) as {
      steps: number;
      experiment: {
        base: string;
        model: { latentRecursions: number; deepRecursions: number };
        training: { batchSize: number };
      };
    };
    const { base, model, training } = experiment;
    assert.deepEqual([base, steps, training.batchSize, model.latentRecursions], ['sudoku-smoke', 3, 4, 1]);
    assert.equal(model.deepRecursions, 1);
    rmSync(path.join(folder, 'from-config'), { recursive: true });
    refuses(config('{"training": '), /config\.json: expected a JSON object .*: .*(JSON|end)/);
    refuses(config('{"training": {}, "training": {}}'), /config\.json: .*"training" twice in an object/);
    refuses(config('3'), /config\.json: expected a JSON object .*, got 3$/);
    refuses(config([]), /config\.json: expected a JSON object/);
    refuses(config({ trainig: {} }), /config\.json: unknown field trainig \(did you mean training\?\)/);
    refuses(config({ training: { stepz: 3 } }), /unknown field stepz \(did you mean steps\?\)/);
    refuses(config({ training: 3 }), /config\.json: training: expected an object of fields/);
    refuses(config({ variant: 3 }), /config\.json: variant: expected a name/);
    refuses(config({ experiment: 'sudoku-7x7' }), /expected one of sudoku-4x4/);
    refuses(['train', '--config', path.join(folder, 'none.json')], /file not found: .*none\.json/);
    refuses(['train', '--config', folder], /expected a file, got a folder/);
    assert.ok(!existsSync(path.join(folder, 'from-config')));
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    it(`${signal} lets a training save, and the same command goes on`, async function () {
      this.timeout(60_000);
      const own = path.join(folder, signal);
      const args = ['train', '--experiment', 'sudoku-smoke', '--set', 'training.steps=100000', '--folder', own];
      const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
      let [said, printed] = ['', ''];
      child.stdout.on('data', (text) => void (printed += String(text)));
      child.stderr.on('data', (text) => {
        said += String(text);
        if (/training: \d+\//.test(String(text))) child.kill(signal);
      });
      const [code] = (await once(child, 'close')) as [number | null];
      assert.equal(code, 1, said);
      assert.match(printed, /^stopped; continue with the same command and --resume/);
      assert.deepEqual(readdirSync(own), ['state.safetensors']);
    });

  it('a training goes on where its progress can be shown no more', async function () {
    this.timeout(60_000);
    const own = path.join(folder, 'unseen');
    const args = ['train', '--experiment', 'sudoku-smoke', '--folder', own];
    const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stderr.destroy(); // as after | head -1, or when the terminal is gone
    let printed = '';
    child.stdout.on('data', (text) => void (printed += String(text)));
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, 0);
    assert.match(printed, /^sudoku-smoke-seed0-.* exact, /);
    assert.ok(existsSync(path.join(own, 'record.json')));
  });

  it('a training in the current folder says so', () => {
    const small = ['train', '--experiment', 'sudoku-smoke', '--set', 'training.steps=1,evaluation.finalPuzzles=2'];
    const { stdout } = spawnSync(process.execPath, [cli, ...small, '--folder', '.'], {
      encoding: 'utf8',
      cwd: newFolder(),
    });
    assert.match(stdout, /; files in \.$/m);
  });

  it('refuses to begin in a folder that is gone', () => {
    if (process.platform === 'win32') return;
    const gone = path.join(folder, 'gone');
    const train = 'mkdir "$2"; cd "$2"; rmdir "$2"; exec "$0" "$1" train --experiment sudoku-smoke --folder "$3"';
    const own = path.join(folder, 'from-gone');
    const { status, stderr } = spawnSync('sh', ['-c', train, process.execPath, cli, gone, own], { encoding: 'utf8' });
    assert.equal(stderr, 'error: expected to be started in a folder, got one that is gone; go to another one: cd ~\n');
    assert.equal(status, 2);
    assert.ok(!existsSync(own));
  });

  it('Ctrl-C is heard while puzzles are made, and leaves nothing', async function () {
    this.timeout(60_000);
    const own = path.join(folder, 'never-begun');
    const args = ['train', '--experiment', 'sudoku-4x4', '--set', 'task.trainPuzzles=100000', '--folder', own];
    const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text) => {
      said += String(text);
      if (/preparing: /.test(String(text))) child.kill('SIGINT');
    });
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, 1, said);
    assert.match(
      said,
      /saving, then stopping; interrupt again to stop at once\nstopped while its puzzles .*; nothing was begun\n$/,
    );
    assert.equal(existsSync(own), false);
  });

  it('continues a killed run to the same bytes (kill -9, five times)', function () {
    this.timeout(240_000);
    const common = [
      ...['train', '--experiment', 'sudoku-smoke', '--set', 'training.steps=20,evaluation.every=7'],
      ...['--checkpoint-every', '2'],
    ];
    const whole = path.join(folder, 'whole');
    const first = run(...common, '--folder', whole, '--resume');
    assert.equal(first.status, 0, first.stderr);
    const begins = /has no checkpoint of this run, so it starts at the first step/;
    assert.match(first.stderr, begins);

    const killed = path.join(folder, 'killed');
    for (const nth of [2, 3, 4, 6, 5]) {
      const args = [...killedAtRename(nth), cli, ...common, '--folder', killed, '--resume'];
      const { signal, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      assert.equal(signal, 'SIGKILL', `at file ${nth}: ${stderr}`);
    }
    const last = run(...common, '--folder', killed, '--resume');
    assert.equal(last.status, 0, last.stderr);
    assert.doesNotMatch(last.stderr, begins);
    const model = (own: string): Buffer => readFileSync(path.join(own, 'model.safetensors'));
    assert.ok(model(killed).equals(model(whole)), 'model.safetensors differs');
    const accuracies = (at: string): unknown => {
      const { curve, evaluations } = JSON.parse(readFileSync(path.join(at, 'record.json'), 'utf8')) as {
        curve: unknown;
        evaluations: { seconds: number }[];
      };
      return { curve, evaluations: evaluations.map((evaluation) => ({ ...evaluation, seconds: 0 })) };
    };
    assert.deepEqual(accuracies(killed), accuracies(whole));
    assert.ok(existsSync(path.join(killed, 'state.safetensors')));
  });
});
