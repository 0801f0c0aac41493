/** Notebooks: prose and calls only, executed, type-checked as the kernel would, and readable where nothing runs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { projectRoot } from '../lib/files.js';

interface Output {
  readonly output_type: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly text?: readonly string[];
}

interface Cell {
  readonly cell_type: 'code' | 'markdown';
  readonly metadata: { readonly tags?: readonly string[] };
  readonly source: readonly string[];
  readonly outputs?: readonly Output[];
}

/** The parts of the compiler's syntax tree used here. */
interface Node {
  readonly parent: Node;
  forEachChild(visit: (child: Node) => void): void;
  getText(): string;
}

interface Compiler {
  readonly ScriptTarget: { readonly ES2022: number };
  createSourceFile(name: string, text: string, target: number, setParents: boolean): Node;
  isFunctionLike(node: Node): boolean;
  isClassLike(node: Node): boolean;
  isImportDeclaration(node: Node): node is Node & { readonly moduleSpecifier: Node };
  isShorthandPropertyAssignment(node: Node): boolean;
  isBindingElement(node: Node): node is Node & { readonly name: Node };
  isVariableDeclaration(node: Node): node is Node & { readonly name: Node; readonly type?: Node };
}

// The fork of TypeScript that tslab compiles cells with: the project's own version has no compiler interface.
const require = createRequire(import.meta.url);
const compiler = createRequire(require.resolve('tslab/package.json'))('@tslab/typescript-for-tslab') as Compiler;

const folder = path.join(projectRoot(), 'notebooks');
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.ipynb'))
  .sort();
const cellsOf = (name: string): readonly Cell[] =>
  (JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as { cells: Cell[] }).cells;
const codeOf = (name: string): { readonly cell: Cell; readonly number: number; readonly source: string }[] =>
  cellsOf(name).flatMap((cell, i) =>
    cell.cell_type === 'code' ? [{ cell, number: i + 1, source: cell.source.join('') }] : [],
  );

/** All nodes of a cell's syntax tree. */
function nodesOf(source: string): Node[] {
  const nodes: Node[] = [];
  const visit = (node: Node): void => {
    nodes.push(node);
    node.forEachChild(visit);
  };
  visit(compiler.createSourceFile('cell.ts', source, compiler.ScriptTarget.ES2022, true));
  return nodes;
}

/**
 * Where a piece of code that the text of a notebook suggests belongs: how it begins, the marked line that it replaces,
 * and what that line becomes.
 */
const places: readonly (readonly [begins: RegExp, marked: RegExp, becomes: (code: string) => string])[] = [
  [/^\{ (model|training|task):/, /^const changes: .*← .*$/m, (code) => `const changes: ExperimentChanges = ${code};`],
  [/^(model|training|task):/, /^ {2}\/\/ ← .*$/m, (code) => `  ${code}`],
  [/^\{ name:/, /^ {2}\{ name:.*← .*$/m, (code) => `  ${code},`],
  [/^const passed =/, /^ {4}const passed =.*← .*$/m, (code) => `    ${code}`],
];

/** The cells with a marked line, once for every piece of code that the notebook suggests in its place. */
function suggestedCells(name: string): string[] {
  const prose = cellsOf(name).flatMap(({ cell_type, source }) => (cell_type === 'markdown' ? source.join('') : []));
  const pieces = [...prose.join('\n').matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
  const sources = codeOf(name).map(({ source }) => source);
  return [
    ...places.flatMap(([begins, marked, becomes]) =>
      pieces
        .filter((code) => begins.test(code))
        .flatMap((code) =>
          sources
            .filter((source) => marked.test(source))
            .map((source) => source.replace(marked, () => becomes(code.replaceAll('\\|', '|')))),
        ),
    ),
    ...sources
      .filter((source) => /^ {2}\/\/ \w+:/m.test(source))
      .map((source) => source.replace(/^ {2}\/\/ (\w+:)/gm, '  $1')),
  ];
}

/** A function that a reader is to change: const block: Block = … */
function isBlock({ parent }: Node): boolean {
  return compiler.isVariableDeclaration(parent) && parent.type?.getText() === 'Block';
}

describe('notebooks', () => {
  it('are there, all of them, and in the map in README.md', () => {
    const all = [
      '1-how-it-thinks',
      '2-train',
      '3-data',
      '4-ablations',
      '5-sudoku-and-maze',
      '6-arc',
      '7-thinking-longer',
      '8-your-own',
      '9-your-ablation',
    ];
    assert.deepEqual(
      names,
      all.map((name) => `${name}.ipynb`),
    );
    const readme = readFileSync(path.join(projectRoot(), 'README.md'), 'utf8');
    for (const name of all)
      assert.ok(
        readme.includes(`[${name}](notebooks/${name}.ipynb)`),
        `README.md: no ${name} in its map of the notebooks`,
      );
  });

  for (const name of names) {
    describe(name, () => {
      it('defines no function but a block of one’s own and no class, and no cell is longer than 15 lines', () => {
        for (const { number, source } of codeOf(name)) {
          const lines = source.split('\n').length;
          assert.ok(lines <= 15, `cell ${number} has ${lines} lines`);
          const definition = nodesOf(source).find(
            (node) => (compiler.isFunctionLike(node) && !isBlock(node)) || compiler.isClassLike(node),
          );
          assert.equal(definition?.getText(), undefined, `cell ${number} defines something`);
        }
      });

      it('imports nothing but the library', () => {
        const modules = codeOf(name).flatMap(({ source }) =>
          nodesOf(source)
            .filter((node) => compiler.isImportDeclaration(node))
            .map((node) => node.moduleSpecifier.getText()),
        );
        assert.deepEqual([...new Set(modules)], ["'../dist/index.js'"]);
      });

      it('writes no { name } for a variable of another cell: tslab compiles that to a name it does not find', () => {
        for (const { number, source } of codeOf(name)) {
          const nodes = nodesOf(source);
          const own = new Set(
            nodes
              .filter((node) => compiler.isVariableDeclaration(node) || compiler.isBindingElement(node))
              .map((node) => node.name.getText()),
          );
          const lost = nodes
            .filter((node) => compiler.isShorthandPropertyAssignment(node) && !own.has(node.getText()))
            .map((node) => node.getText());
          assert.deepEqual(lost, [], `cell ${number}: write { ${lost[0]}: ${lost[0]} }`);
        }
      });

      it('says first what one will see, how long it takes and what to change', () => {
        const start = cellsOf(name)[0]?.source.join('') ?? '';
        for (const opening of ['**You will see** ', '**It takes** ', '**Change** '])
          assert.ok(start.includes(`\n\n${opening}`), `its first cell has no paragraph that begins with ${opening}`);
      });

      it('begins with prose and a cell of parameters', () => {
        assert.equal(cellsOf(name)[0]?.cell_type, 'markdown');
        assert.equal(codeOf(name)[0]?.cell.metadata.tags?.[0], 'parameters');
      });

      it('says in tags which files it reads, so that its outputs can be called stale', () => {
        for (const { cell, number, source } of codeOf(name)) {
          if (!/\b(readRecords|dataFile)\(/.test(source)) continue;
          if (/^await sweepLive\(/.test(source)) continue; // reads the records that it has just made
          assert.ok(
            cell.metadata.tags?.some((tag) => tag.startsWith('reads=data/')),
            `cell ${number} reads a file: give it a tag like reads=data/runs/sudoku-6x6-study-*`,
          );
        }
      });

      it('is committed executed: every cell that shows or prints something has its output, none has an error', () => {
        for (const { cell, number, source } of codeOf(name)) {
          const outputs = cell.outputs ?? [];
          if (/\bshow\(|console\.log\(|trainLive\(/.test(source))
            assert.ok(outputs.length > 0, `cell ${number} has no output: run npm run nb:run -- --inplace`);
          assert.ok(
            outputs.every(({ output_type }) => output_type !== 'error'),
            `cell ${number} failed`,
          );
        }
      });

      it('every figure has a picture for GitHub, and no HTML that would hide it', () => {
        for (const { cell, number } of codeOf(name)) {
          for (const { data } of cell.outputs ?? []) {
            if (data?.['application/vnd.plotly.v1+json'] === undefined) continue;
            assert.ok(
              'image/png' in data && !('text/html' in data),
              `cell ${number}: a figure with ${Object.keys(data).join(', ')}`,
            );
          }
        }
      });

      it('says nothing of the machine it ran on: no absolute paths', () => {
        for (const { cell, number } of codeOf(name)) {
          const texts = (cell.outputs ?? []).flatMap(({ data, text }) => [
            ...(text ?? []),
            ...Object.entries(data ?? {})
              .filter(([type]) => type.startsWith('text/'))
              .map(([, content]) => String(content)),
          ]);
          for (const text of texts)
            assert.doesNotMatch(text, /(^|[\s"'(])\/(home|root|tmp|work|Users|var|opt)\//m, `cell ${number}`);
        }
      });
    });
  }

  it('suggest only code that type-checks in place of a line marked with ←', function () {
    this.timeout(120_000);
    const parent = path.join(projectRoot(), '.cache');
    mkdirSync(parent, { recursive: true });
    const changed = mkdtempSync(path.join(parent, 'suggested-')); // inside the project, where the types of node are
    try {
      const counts = names.map((name) => {
        const suggested = suggestedCells(name);
        const cells = [...codeOf(name).map(({ source }) => source), ...suggested].map((source, i) => ({
          cell_type: 'code',
          id: `cell-${i}`,
          metadata: {},
          execution_count: null,
          outputs: [],
          source: source.replace("'../dist/index.js'", "'../../dist/index.js'"),
        }));
        const notebook = { cells, metadata: {}, nbformat: 4, nbformat_minor: 5 };
        if (suggested.length > 0) writeFileSync(path.join(changed, name), JSON.stringify(notebook));
        return suggested.length;
      });
      assert.deepEqual(counts, [0, 2, 0, 0, 0, 0, 0, 15, 8]);
      const { status, stderr } = spawnSync(
        process.execPath,
        [path.join(projectRoot(), 'scripts', 'notebooks.mjs'), 'check', changed],
        { encoding: 'utf8' },
      );
      assert.equal(status, 0, stderr);
    } finally {
      rmSync(changed, { recursive: true });
    }
  });

  it('run with no parameter that none of them reads, and with no value that would be taken for another', () => {
    for (const [name, value, says] of [
      ['TRM_PUZLES', '5', /^TRM_PUZLES: expected a parameter of the notebooks to run \(.*TRM_PUZZLES/],
      ['TRM_SMOKE', 'true', /^TRM_SMOKE: expected 1 or 0, got true/],
      ['TRM_STEPS', '', /^TRM_STEPS: expected a value, got nothing/],
    ] as const) {
      const { status, stderr } = spawnSync(
        process.execPath,
        [path.join(projectRoot(), 'scripts', 'notebooks.mjs'), 'run', folder],
        { encoding: 'utf8', env: { ...process.env, [name]: value } },
      );
      assert.equal(status, 2);
      assert.match(stderr, says);
    }
  });

  it('type-check with the compiler of the kernel, and none is older than its code or its records', function () {
    this.timeout(300_000); // about three seconds a notebook, ten times that on a busy machine
    const { status, stderr } = spawnSync(
      process.execPath,
      [path.join(projectRoot(), 'scripts', 'notebooks.mjs'), 'check', folder],
      { encoding: 'utf8' },
    );
    assert.equal(status, 0, stderr);
  });
});
