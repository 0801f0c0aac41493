/**
 * Type-checks one notebook, cell after cell, as the kernel would, without running it, and its outputs for age:
 * check.mjs JOB.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import '../setup/tslab/unwatched.cjs';
import { stalenessOf } from './freshness.mjs';
import { codeCells, readNotebook } from './notebook.mjs';

const require = createRequire(import.meta.url);
const { createConverter } = require('tslab/dist/converter.js');
// tslab's own fork of the TypeScript compiler: it, not ours, decides what a cell means.
const ts = createRequire(require.resolve('tslab/package.json'))('@tslab/typescript-for-tslab');

const { file } = JSON.parse(process.argv[2]);
const name = path.basename(file);
const started = Date.now();
const notebook = readNotebook(file);
const problems = problemsIn(notebook);
const staleness = stalenessOf(notebook);
if (staleness !== undefined) problems.push(`is stale: ${staleness}; npm run nb:run -- --inplace --stale`);
for (const problem of problems) console.error(`${name} ${problem}`);
console.log(
  `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name} checked in ${((Date.now() - started) / 1000).toFixed(1)} s`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

function problemsIn(notebook) {
  const converter = createConverter({ isJS: false, isBrowser: false });
  const problems = [];
  let declared = ''; // what earlier cells declare, as tslab hands it to the next
  for (const { number, source } of codeCells(notebook)) {
    const lines = source.split('\n');
    const report = ({ line, character }, what) =>
      problems.push(`cell ${number}, line ${line + 1}:${character + 1}: ${what}\n    ${lines[line]}`);
    for (const trap of awaitTraps(source)) report(trap, trap.what);
    const { diagnostics, declOutput } = converter.convert(declared, source);
    for (const { start, code, messageText } of diagnostics) report(start, `TS${code} ${messageText}`);
    if (diagnostics.length === 0) declared = declOutput ?? '';
  }
  return problems;
}

/**
 * Code that passes tslab's type check but fails when run: outside functions, tslab understands `await` only before a
 * name, and no `for await` at all.
 * @param {string} source
 * @returns {{line: number, character: number, what: string}[]}
 */
function awaitTraps(source) {
  const tree = ts.createSourceFile('cell.ts', source, ts.ScriptTarget.ES2022, true);
  const traps = [];
  const visit = (node) => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return;
    const place = tree.getLineAndCharacterOfPosition(node.getStart());
    if (ts.isForOfStatement(node) && node.awaitModifier) {
      traps.push({
        ...place,
        what: 'tslab has no top-level "for await"; put it into a named async function and await that',
      });
    }
    if (isTrappedAwait(node))
      traps.push({ ...place, what: 'tslab understands top-level await only before a name: await name(...)' });
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return traps;
}

/** In a cell with imports, the parser sees an await without a name after it; in others, a variable named await. */
function isTrappedAwait(node) {
  if (ts.isAwaitExpression(node)) return !/^[\p{L}_$]/u.test(node.expression.getText());
  return ts.isIdentifier(node) && node.text === 'await' && node.parent.name !== node;
}
