/** scripts/notebooks.mjs refuses what the kernel would trip over, and says where. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../lib/files.js';

interface Notebook {
  readonly cells: readonly object[];
  readonly metadata: object;
}

interface Output {
  readonly output_type: string;
  readonly text?: readonly string[];
  readonly data?: Record<string, string>;
}

describe('scripts/notebooks.mjs', function () {
  this.timeout(120_000); // a compiler starts for every notebook

  let folder: string;
  let fingerprintsOf: (notebook: Notebook) => object;
  let stalenessOf: (notebook: Notebook) => string | undefined;
  before(async () => {
    ({ fingerprintsOf, stalenessOf } = (await import(
      pathToFileURL(path.join(projectRoot(), 'scripts', 'notebooks', 'freshness.mjs')).href
    )) as { fingerprintsOf: typeof fingerprintsOf; stalenessOf: typeof stalenessOf });
    mkdirSync(path.join(projectRoot(), '.cache'), { recursive: true });
    // inside the project, where the types of node are found
    folder = mkdtempSync(path.join(projectRoot(), '.cache', 'notebooks-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Writes a notebook of one heading and the given code cells, so that code starts at cell 2. */
  function notebook(name: string, ...sources: string[]): string {
    const cells = [
      { cell_type: 'markdown', id: 'title', metadata: {}, source: '# Title' },
      ...sources.map((source, index) => ({
        cell_type: 'code',
        id: `code-${index}`,
        metadata: { tags: ['kept'], execution: { at: 'noon' } },
        execution_count: null,
        outputs: [],
        source,
      })),
    ];
    const file = path.join(folder, `${name}.ipynb`);
    writeFileSync(
      file,
      JSON.stringify({
        cells,
        metadata: { kernelspec: { name: 'tslab' }, widgets: 1 },
        nbformat: 4,
        nbformat_minor: 5,
      }),
    );
    return file;
  }

  function notebooks(...args: string[]): { code: number | null; said: string } {
    const { TRM_SMOKE: _, ...env } = process.env; // a smoke run's outputs never count as fresh
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [path.join(projectRoot(), 'scripts', 'notebooks.mjs'), ...args],
      { encoding: 'utf8', env },
    );
    return { code: status, said: stdout + stderr };
  }

  it('run goes on while the project changes under it, as it does in a build', () => {
    writeFileSync(path.join(folder, 'own.js'), 'export const one = 1;\n');
    writeFileSync(path.join(folder, 'own.d.ts'), 'export const one: number;\n');
    const changed = notebook(
      'changed',
      "import fs from 'node:fs';\nimport { parse } from 'yaml';\nimport { one } from './own.js';",
      'for (let i = 0; i < 4; i++) {\n' +
        "  fs.writeFileSync('own.d.ts', 'export const one: number;' + ' '.repeat(i));\n" +
        "  fs.mkdirSync('node_modules/yaml', { recursive: true });\n" +
        '  await new Promise((ready) => setTimeout(ready, 700));\n' +
        "  fs.rmSync('node_modules', { recursive: true });\n" +
        '  await new Promise((ready) => setTimeout(ready, 700));\n}',
    );
    const { code, said } = notebooks('run', changed);
    assert.equal(code, 0, said);
  });

  it('check accepts what runs: names from earlier cells, await of a call, loops inside functions', () => {
    const good = notebook(
      'good',
      'const one = async (): Promise<number> => 1;',
      'const word = { await: await one() };\nconst f = async () => { for await (const x of [one()]) x; ' +
        '};\nawait f();\nword.await;',
    );
    assert.deepEqual(notebooks('check', good).code, 0);
  });

  it('check refuses type errors and the await traps, each with cell and line', () => {
    const { code, said } = notebooks(
      'check',
      notebook('types', 'const a = 1;', '\nconst b: string = a;'),
      notebook('group', 'const f = async () => 1;\nconst v = await (f());'),
      notebook('import', "import os from 'node:os';\nconst v = await (os.cpus());"),
      notebook('loop', 'for await (const x of [1]) x;'),
    );
    assert.equal(code, 1);
    assert.match(said, /types\.ipynb cell 3, line 2:7: TS2322/);
    assert.match(said, /group\.ipynb cell 2, line 2:11: tslab understands top-level await only before a name/);
    assert.match(said, /import\.ipynb cell 2, line 2:11: tslab understands/);
    assert.match(said, /loop\.ipynb cell 2, line 1:1: tslab has no top-level "for await"/);
    assert.match(said, /0 passed, 4 failed/);
  });

  it('check refuses what is no notebook, or names a folder as a file it reads, in a sentence', () => {
    const write = (name: string, content: unknown): string => {
      const file = path.join(folder, `${name}.ipynb`);
      writeFileSync(file, JSON.stringify(content));
      return file;
    };
    const cell = { cell_type: 'code', source: '1', outputs: [], metadata: {}, execution_count: null };
    const whole = { nbformat: 4, nbformat_minor: 5, metadata: {} };
    const reading = (pattern: string): object => ({
      ...whole,
      cells: [{ ...cell, metadata: { tags: [`reads=${pattern}`] } }],
    });
    for (const [content, message] of [
      [null, /odd\.ipynb: expected a notebook of format 4, got something else/],
      [{ ...whole, cells: [null, cell] }, /odd\.ipynb, cell 1: expected an object, got something else/],
      [{ ...whole, cells: [{ ...cell, source: 1 }] }, /odd\.ipynb, cell 1: expected source to be text/],
      [{ ...whole, cells: [{ ...cell, metadata: { tags: 1 } }] }, /cell 1: expected metadata to be an object/],
      [
        reading('data/*'),
        /odd\.ipynb: the tag reads=data\/\*: expected files, got the folder arc too; write reads=data/,
      ],
      [reading('data'), /the tag reads=data: expected files, got the folder data too/],
      [reading('../*'), /the tag reads=\.\.\/\*: expected files of the project/],
    ] as const) {
      const { code, said } = notebooks('check', write('odd', content));
      assert.equal(code, 2);
      assert.match(said, message);
      assert.equal(said.trim().split('\n').length, 1, said);
    }
    const through = reading('package.json/x') as unknown as Notebook;
    assert.deepEqual(Object.keys(fingerprintsOf(through)), ['code', 'inputs']);
  });

  it('run refuses a throw, a promise nobody awaits, an ended process and a cell that takes too long', () => {
    const { code, said } = notebooks(
      'run',
      '--timeout=1',
      notebook('throw', '1;', "throw new Error('boom');"),
      notebook(
        'input',
        "import { InputError } from '../../dist/index.js';\nthrow new InputError('expected 1, got 2');",
      ),
      notebook('late', "Promise.reject(new Error('late'));"),
      notebook('exit', 'process.exit(0);'),
      notebook('slow', 'await new Promise((resolve) => setTimeout(resolve, 60_000));'),
    );
    assert.equal(code, 1);
    assert.match(said, /throw\.ipynb cell 3 failed:[^]*\n +Error: boom\n( +at evalmachine[^\n]*\n)+FAIL/);
    assert.match(said, /input\.ipynb cell 2 failed:\n +expected 1, got 2\nFAIL/);
    assert.match(said, /late\.ipynb cell 2 failed:\s+not caught by the cell: Error: late/);
    assert.match(said, /exit\.ipynb failed: a cell ended the process/);
    assert.match(said, /slow\.ipynb cell 2 failed:\s+the cell took longer than 1 s/);
    assert.match(said, /0 passed, 5 failed/);
  });

  it(
    'run --inplace keeps outputs, updates displays in place, drops volatile metadata, ' +
      'and a second run changes nothing',
    () => {
      const file = notebook(
        'outputs',
        "console.log('a'); console.log('b');",
        "import * as tslab from 'tslab';\nconst live = tslab.newDisplay();\nlive.html('first');\nlive.html('second');",
      );
      assert.equal(notebooks('run', '--inplace', file).code, 0);
      const written = readFileSync(file, 'utf8');
      const { cells, metadata } = JSON.parse(written) as {
        cells: { outputs: Output[]; metadata: unknown }[];
        metadata: object;
      };
      assert.deepEqual(
        cells[1]?.outputs.map(({ text }) => text),
        [['a\n', 'b\n']],
      );
      assert.deepEqual(
        cells[2]?.outputs.map(({ data }) => data),
        [{ 'text/html': 'second' }],
      );
      assert.deepEqual(cells[2]?.metadata, { tags: ['kept'] });
      assert.deepEqual(Object.keys(metadata), ['kernelspec', 'language_info', 'trm_lab']);
      assert.equal(notebooks('run', '--inplace', file).code, 0);
      assert.equal(readFileSync(file, 'utf8'), written);
    },
  );

  it('run draws into build/figures unless the outputs go into the notebook, so that the committed figures stay', () => {
    const file = notebook(
      'figure',
      `import { saveFigure } from '../../dist/index.js';\nconst svg = '<svg xmlns="http://www.w3.org/2000/svg" ` +
        `width="9" height="9"/>';\nconst saved = await saveFigure('runner-test', { svg, width: 9, height: 9, text: ` +
        "'' });\nconsole.log(saved);",
    );
    const { code, said } = notebooks('run', '--verbose', file);
    assert.equal(code, 0, said);
    assert.match(said, /^build\/figures\/runner-test\.png$/m);
    assert.ok(!existsSync(path.join(projectRoot(), 'figures', 'runner-test.png')));
  });

  it('outputs are stale once the code, or a file that a cell says it reads, is another; prose may change', () => {
    const input = path.join(folder, 'input-1.txt');
    const pattern = path.relative(projectRoot(), path.join(folder, 'input-*.txt')).replaceAll('\\', '/');
    const notebookOf = (source: string, tags: readonly string[] = []): Notebook => ({
      cells: [
        { cell_type: 'markdown', metadata: {}, source: 'prose' },
        { cell_type: 'code', metadata: { tags }, source, outputs: [{}] },
      ],
      metadata: {},
    });
    const fresh = (notebook: Notebook): Notebook => ({ ...notebook, metadata: { trm_lab: fingerprintsOf(notebook) } });
    assert.match(stalenessOf(notebookOf('1;')) ?? '', /were not made by/);
    const ran = fresh(notebookOf('1;'));
    assert.equal(stalenessOf(ran), undefined);
    assert.equal(stalenessOf({ ...ran, cells: ran.cells.slice(1) }), undefined); // without its prose
    assert.match(stalenessOf({ ...ran, cells: notebookOf('2;').cells }) ?? '', /its code was changed/);

    writeFileSync(input, 'one');
    const reader = fresh(notebookOf('1;', [`reads=${pattern}`]));
    assert.equal(stalenessOf(reader), undefined);
    writeFileSync(input, 'two');
    assert.match(stalenessOf(reader) ?? '', /records or other files that it reads/);
    writeFileSync(input, 'one');
    assert.equal(stalenessOf(reader), undefined);
    writeFileSync(path.join(folder, 'input-2.txt'), '');
    assert.match(stalenessOf(reader) ?? '', /records or other files that it reads/);
  });

  it('wrong arguments and files that are no notebooks are told apart from failing ones: exit code 2', () => {
    const broken = path.join(folder, 'broken.ipynb');
    writeFileSync(broken, '{');
    assert.match(notebooks('check', broken).said, /broken\.ipynb: expected a notebook \(JSON\)/);
    for (const args of [
      ['check', broken],
      ['check', 'missing.ipynb'],
      ['walk', broken],
      ['run', '--timeout=soon', broken],
      ['check', mkdtempSync(path.join(folder, 'empty-'))],
    ]) {
      assert.equal(notebooks(...args).code, 2, args.join(' '));
    }
  });
});
