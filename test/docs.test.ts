/** README, docs and the other pages: short where promised, true to the code, with links that lead somewhere. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { commands } from '../lib/cli/commands.js';
import { reproduce } from '../lib/cli/reproduce.js';
import { projectRoot } from '../lib/files.js';
import { paperConfig } from '../lib/model/config.js';
import { describe as describeModel } from '../lib/model/describe.js';

const read = (file: string): string => readFileSync(path.join(projectRoot(), file), 'utf8');
const pages = [
  ...[
    'README.md',
    'CONTRIBUTING.md',
    'DEVIATIONS.md',
    'bench/README.md',
    'data/README.md',
    'figures/README.md',
    'data/runs/README.md',
    'data/search/README.md',
  ],
  ...readdirSync(path.join(projectRoot(), 'docs')).map((name) => `docs/${name}`),
];
const isFile = (file: string): boolean => existsSync(path.join(projectRoot(), file));
const withoutCode = (text: string): string => text.replace(/^```[^]*?^```/gm, '').replace(/`[^`\n]*`/g, '');

describe('README', () => {
  const readme = read('README.md');

  it('is one page of at most 1,200 words, with one picture beside the moving one', () => {
    assert.ok(readme.split(/\s+/).filter((word) => word !== '').length <= 1200);
    assert.deepEqual(
      [...readme.matchAll(/!\[[^\]]*\]\(([^)]*)\)/g)].map(([, file]) => file),
      ['figures/one-sudoku.gif', 'figures/accuracy-versus-cycles.png'],
    );
  });

  it('begins with commands that work in a fresh clone', () => {
    for (const command of ['npm ci && npm run lab', 'npm ci && npm run reproduce', 'npm ci && npm test'])
      assert.match(readme, new RegExp(`^${command}$`, 'm'));
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const name of ['lab', 'reproduce', 'test']) assert.ok(name in scripts, name);
  });

  it('has no number but those of the records, of the commands and of names', () => {
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
    assert.equal(engines.node, '^20.19.0 || >=22.12.0');
    assert.ok(readme.includes(`takes ${reproduce.minutes} on two cores`));
    const own = withoutCode(readme)
      .replace(/<!-- (\w+) -->[^]*?<!-- \/\1 -->/g, '') // from records: test/report/files.test.ts
      .replace(/\]\([^)]*\)/g, ']')
      .replace(reproduce.minutes, '');
    const names = new Set([
      'Node.js 20 ',
      '20.19',
      '22.12',
      '3.10',
      '9×9',
      'Tables 1 to 3',
      'Table 4',
      'Table 5',
      'notebooks 1 and 2',
      'AVX-512-BF16',
      'AVX2',
      `${Math.round(describeModel(paperConfig, { gflops: 100 }).hours! / 24)} days at 100 GFLOP/s`,
    ]);
    const rest = [...names].reduce((text, name) => text.replaceAll(name, ''), own).replace(/\[\d-[\w-]+\]/g, '');
    assert.deepEqual(rest.match(/[^\n]*\d[^\n]*/g) ?? [], []);
  });

  it('says of every command how long it takes, as the command does', () => {
    const lines = [...readme.matchAll(/^npm run trm -- (\w+)[^#\n]*# (.*)$/gm)];
    assert.ok(lines.length >= 5 && lines.length <= 6);
    for (const [, name, minutes = ''] of lines) {
      const command = commands.find((each) => each.name === name) ?? assert.fail(`no command ${name}`);
      assert.ok(command.minutes.startsWith(minutes.trim()), `${name}: ${minutes} beside ${command.minutes}`);
    }
  });

  it('solves with the shipped models what it says they solve', function () {
    this.timeout(60_000);
    const lines = [...readme.matchAll(/^npm run trm -- (solve [^#\n]*?) +#/gm)].map(([, line = '']) => line.split(' '));
    assert.equal(lines.length, 2);
    const cli = fileURLToPath(new URL('../lib/cli.js', import.meta.url));
    for (const args of lines) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      assert.match(stdout, /\nright: it agrees with the exact solver, and this is the only solution\n$/);
    }
  });
});

describe('pages', () => {
  for (const page of pages) {
    it(`${page}: links lead to files, and headings that they name are there`, () => {
      const lost = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !/^(https?|#)/.test(target))
        .filter((target) => !existsSync(path.join(projectRoot(), path.dirname(page), target.split('#')[0] ?? '')));
      assert.deepEqual(lost, []);
    });

    it(`${page}: a run that it names has a record`, () => {
      const lost = [...read(page).matchAll(/[a-z][\w-]*-seed\d+-[0-9a-f]{8}(?! \(its record is in the history)/g)]
        .map(([id]) => id)
        .filter((id) =>
          ['runs', 'search', 'precision', 'wider'].every((folder) => !isFile(`data/${folder}/${id}.json`)),
        );
      assert.deepEqual(lost, []);
    });

    it(`${page}: no line of prose is over 120 characters`, () => {
      const long = read(page)
        .split('\n')
        .filter((line) => [...line].length > 120 && !/^[|!<]/.test(line));
      assert.deepEqual(long, []);
    });

    it(`${page}: a command over several lines is one command`, () => {
      const cut = read(page).match(/^(?:npm|npx) .*[^\\\n]\n *--\w.*/gm) ?? [];
      assert.deepEqual(cut, []);
    });
  }
});

describe('docs/spec.md', () => {
  it('has every section that a comment in the code points to', () => {
    const sections = new Set(
      [...read('docs/spec.md').matchAll(/^##+ (\d+(?:\.\d+)*)\.? /gm)].map(([, number]) => number),
    );
    const cited = sourceFiles('lib', 'test', 'scripts', 'bench').flatMap((file) =>
      [...read(file).matchAll(/\bspec,? (§\d[^)\n]*)/g)].flatMap(([, places = '']) =>
        [...places.matchAll(/§(\d+(?:\.\d+)*)/g)].map(([, number = '']) => ({ file, number })),
      ),
    );
    assert.ok(cited.length > 50);
    assert.deepEqual(
      cited.filter(({ number }) => !sections.has(number)),
      [],
    );
  });
});

/** TypeScript, JavaScript, Python and Rust files of some folders, paths in the project. */
function sourceFiles(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(path.join(projectRoot(), folder), { withFileTypes: true }).flatMap((entry) => {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return ['target', 'node_modules', '.venv'].includes(entry.name) ? [] : sourceFiles(name);
      return /\.(ts|mjs|cjs|py|rs)$/.test(entry.name) ? [name] : [];
    }),
  );
}
