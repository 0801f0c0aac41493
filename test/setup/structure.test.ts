/**
 * The shape of lib/: imports run downhill, there is one barrel, every file opens with what it knows, clocks are read
 * where something is measured; and no line anywhere is too long to read.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../../lib/files.js';

/** From the ground up: a file may import its own layer and those before it. */
const layers = [
  'ground',
  'data',
  'model',
  'checkpoint',
  'engine',
  'train',
  'experiment',
  'sweep',
  'report',
  'notebook',
  'page',
  'cli',
  'barrel',
];
const ground = new Set([
  'errors.ts',
  'fields.ts',
  'file-errors.ts',
  'files.ts',
  'json.ts',
  'processes.ts',
  'progress.ts',
  'random.ts',
  'user-file.ts',
  'words.ts',
  'write-file.ts',
]);

/** Where code is written. */
const areas = ['lib', 'test', 'scripts', 'bench'];

const lib = path.join(projectRoot(), 'lib');
const sources = new Map(
  typescriptFiles(lib).map((file) => [path.relative(lib, file).split(path.sep).join('/'), readFileSync(file, 'utf8')]),
);

/** Files of lib/ that read a clock, each with its reason. None of them lets the time decide what is computed. */
const clocks: Readonly<Record<string, string>> = {
  'page/client.ts': 'which backend is the fastest of those that give the same answers',
  'page/page.ts': 'no cycle is shown for less time than an eye needs',
  'cli/cost.ts': 'when a run will end',
  'cli/sweep-progress.ts': 'whether it is time to say what takes so long',
  'cli/solve-until-sure.ts': 'whether a search is long enough to show how far it is',
  'cli/evaluate.ts': 'processor time of an evaluation',
  'experiment/cost.ts': 'speed of this machine',
  'experiment/provenance.ts': 'when a run ended',
  'experiment/run-loop.ts': 'seconds of a run, for its record',
  'notebook/live.ts': 'how often a figure is drawn',
  'progress.ts': 'rate and time left',
  'experiment/claim.ts': 'signs of life of a process',
  'sweep/slurm-task.ts': 'how often a task says how far it is',
  'sweep/work.ts': 'how often a run says how far it is',
  'train/evaluate.ts': 'seconds of an evaluation, for its record',
  'train/kept.ts': 'when an evaluation was last written down',
  'train/evaluate-arc.ts': 'seconds of a vote, for its record',
  'train/until-sure.ts': 'seconds of a search, for its record',
};

const widest = 120;
const tracked = execFileSync('git', ['ls-files', ...areas], { cwd: projectRoot(), encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.(ts|mjs|cjs|py|rs|css)$/.test(file) && existsSync(path.join(projectRoot(), file)));

describe('structure of lib/', () => {
  it('every file belongs to a layer and imports only its own or lower ones', () => {
    const uphill = [...sources.keys()].flatMap((file) =>
      importsOf(file)
        .filter((target) => layerOf(target) > layerOf(file))
        .map((target) => `${file} imports ${target}`),
    );
    assert.deepEqual(uphill, []);
  });

  it('no file imports itself, over however many others', () => {
    const finished = new Set<string>();
    const visit = (file: string, trail: readonly string[]): void => {
      assert.ok(!trail.includes(file), `cycle: ${[...trail, file].join(' → ')}`);
      if (finished.has(file)) return;
      for (const target of importsOf(file)) visit(target, [...trail, file]);
      finished.add(file);
    };
    for (const file of sources.keys()) visit(file, []);
  });

  it('only index.ts passes on what other files export', () => {
    const barrels = [...sources]
      .filter(([, text]) => /^export\s+(type\s+)?(\*|\{[^}]*\})[^;]*\sfrom\s/m.test(text))
      .map(([file]) => file);
    assert.deepEqual(barrels, ['index.ts']);
  });

  it('every file opens with a sentence', () => {
    const silent = [...sources]
      .filter(
        ([, text]) => !/^(#!.*\n)?\/\*\*\s+(?:\*\s*)?[A-Za-z`'"][^]{15,}?[.:]\s[^]*?\*\//.test(text.slice(0, 1500)),
      )
      .map(([file]) => file);
    assert.deepEqual(silent, []);
  });

  it('randomness comes in as an argument', () => {
    assert.deepEqual(filesWith(/\bMath\.random\s*\(|\bcrypto\.getRandomValues\b/), []);
  });

  it('clocks are read only where time is measured, shown or waited for', () => {
    const clock = /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bprocess\.(hrtime|cpuUsage|uptime)\b/;
    assert.deepEqual(filesWith(clock), Object.keys(clocks).sort());
  });
});

describe('lines', () => {
  it(`of code are at most ${widest} characters long`, () => {
    const long = tracked.flatMap((file) =>
      readFileSync(path.join(projectRoot(), file), 'utf8')
        .split('\n')
        .flatMap((line, index) => (line.length > widest ? [`${file}:${index + 1}`] : [])),
    );
    assert.deepEqual(long, []);
  });
});

/** The files of lib/ whose code matches. */
function filesWith(pattern: RegExp): string[] {
  return [...sources]
    .filter(([, text]) => pattern.test(withoutComments(text)))
    .map(([file]) => file)
    .sort();
}

function typescriptFiles(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const file = path.join(folder, name);
      if (statSync(file).isDirectory())
        return name === 'target' || name === 'node_modules' ? [] : typescriptFiles(file);
      return name.endsWith('.ts') && !name.endsWith('.d.ts') ? [file] : [];
    });
}

function layerOf(file: string): number {
  if (file === 'index.ts') return layers.indexOf('barrel');
  if (ground.has(file)) return layers.indexOf('ground');
  const layer = layers.indexOf(file.split('/')[0]?.replace(/\.ts$/, '') ?? '');
  assert.ok(layer >= 0, `lib/${file} is in no layer; expected one of the folders ${layers.slice(1, -1).join(', ')}`);
  return layer;
}

/** The files of lib/ that a file imports, types and deferred imports included. */
function importsOf(file: string): string[] {
  const text = withoutComments(sources.get(file) ?? assert.fail(`lib/${file} is imported and does not exist`));
  const specifiers = [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)'(\.[^']+)'/g)].map((match) => match[1] ?? '');
  return specifiers.map((specifier) => path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts'));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
}
