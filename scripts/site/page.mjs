/** The page on which the models think in the reader's browser: bundle, weights, puzzles and what the records say. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import { mazeText } from '../../dist/data/maze.js';
import { boardOfTokens, boardText } from '../../dist/data/sudoku.js';
import { loadCheckpoint } from '../../dist/checkpoint/checkpoint.js';
import { parameterCount } from '../../dist/model/parameters.js';
import { exampleOf } from '../../dist/data/dataset.js';
import { experiment } from '../../dist/experiment/experiments.js';
import { readRecord } from '../../dist/experiment/record.js';
import { loadTask } from '../../dist/experiment/task.js';
import { colour, fontFamily } from '../../dist/report/draw/style.js';
import { Random } from '../../dist/random.js';
import { root } from '../setup/shell.mjs';

const require = createRequire(import.meta.url);
const sources = path.join(root, 'lib', 'page');

/** Puzzles of each kind on the page. */
const puzzlesOfAKind = 50;

/** Determines which test puzzles are shown. */
const seed = 0;

/**
 * The kinds of puzzle, in order. `levels`: the least rating of each level, spread over the ratings of the test puzzles.
 * The 9×9 model was trained on Sudoku-Extreme, which states no licence, so its puzzles here are test puzzles of the
 * public-domain set, none of which is a training puzzle in disguise.
 */
const kinds = [
  { name: '9×9', checkpoint: 'sudoku-9x9', puzzlesOf: 'sudoku-9x9', levels: [1, 2, 3, 4, 5] },
  { name: '6×6', checkpoint: 'sudoku-6x6', levels: [2, 3, 4, 5, 7] },
  { name: '4×4', checkpoint: 'sudoku-4x4', levels: [0] },
  { name: 'Maze', checkpoint: 'maze-7x7', levels: [9, 10, 11, 13] },
];

/**
 * Writes think.html and the folder think/ next to it. Without pages of notebooks, think.html has no links to them and
 * is also the site's index.html.
 * @param {string} site the folder of the site
 * @param {boolean} notebooks whether they have pages
 */
export async function buildPage(site, notebooks) {
  const folder = path.join(site, 'think');
  mkdirSync(folder, { recursive: true });
  await bundle(folder);
  const wasm = path.join(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), '..', 'wasm-out');
  for (const name of ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'])
    copyFileSync(path.join(wasm, name), path.join(folder, name));
  const catalogue = [];
  for (const kind of kinds) {
    const file = path.join(root, 'data', 'checkpoints', `${kind.checkpoint}.safetensors`);
    copyFileSync(file, path.join(folder, path.basename(file)));
    catalogue.push(await entryOf(kind, file));
  }
  writeFileSync(path.join(folder, 'catalogue.json'), JSON.stringify(catalogue));
  const variables = Object.entries(colour).map(([name, value]) => `--${name}:${value}`);
  const light = `:root{${variables.join(';')};--font:${fontFamily}}\n`;
  writeFileSync(path.join(folder, 'page.css'), light + readFileSync(path.join(sources, 'page.css'), 'utf8'));
  for (const name of notebooks ? ['think.html'] : ['think.html', 'index.html'])
    writeFileSync(path.join(site, name), pageText(notebooks));
}

/**
 * The text of think.html.
 * @param {boolean} notebooks whether it has links to pages of notebooks
 */
export function pageText(notebooks) {
  const links = notebooks ? /<!-- \/?notebooks -->\n/g : /<!-- notebooks -->[^]*?<!-- \/notebooks -->\n/g;
  return readFileSync(path.join(sources, 'think.html'), 'utf8').replaceAll(links, '');
}

/**
 * Bundles page and worker for browsers. Fails if either imports a module of Node's, for which esbuild finds no file.
 * @param {string} folder where the bundle goes
 * @param {Record<string, string>} [entries] sources by the name of their bundle
 * @returns what went into it, by path from the project's folder, with what each imports
 */
export async function bundle(
  folder,
  entries = { page: path.join(sources, 'page.ts'), worker: path.join(sources, 'worker.ts') },
) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: folder,
    bundle: true,
    splitting: true, // puts the code of graphics backends into files of their own
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    metafile: true,
    logLevel: 'silent',
    tsconfig: path.join(sources, 'tsconfig.json'),
    chunkNames: '[name]-[hash]',
  });
  return { inputs: metafile.inputs };
}

/** A kind's entry in the catalogue: its model, the model's results, and puzzles that it was not trained on. */
async function entryOf({ name, checkpoint, puzzlesOf, levels }, file) {
  const { config, metadata } = loadCheckpoint(file);
  const task = JSON.parse(metadata.task);
  const { test } = await loadTask(puzzlesOf === undefined ? task : experiment(puzzlesOf).task);
  return {
    name,
    puzzle: task.kind,
    side: task.side,
    model: `think/${checkpoint}.safetensors?bytes=${statSync(file).size}`,
    cycles: config.supervisionSteps,
    parameters: parameterCount(config),
    trained: { puzzles: task.trainPuzzles, source: task.source, steps: Number(metadata.step) },
    run: metadata.run,
    tested: testedOf(metadata.run),
    levels,
    puzzles: chosen(test, levels, task.kind === 'maze' ? mazeText : (input) => boardText(boardOfTokens(input))),
  };
}

/** The last evaluation in a run's record; null if the record is only in the history (data/README.md). */
function testedOf(run) {
  const file = path.join(root, 'data', 'runs', `${run}.json`);
  if (!existsSync(file)) return null;
  const { exactAccuracy, puzzles } = readRecord(file).evaluations.at(-1);
  return { puzzles, solved: exactAccuracy.at(-1) };
}

/** Puzzles of a test set as text: equally many of each level as far as possible, then more of the others. */
function chosen(test, levels, toText) {
  const order = [...new Random(seed).fork(test.name).permutation(test.examples)];
  const byLevel = levels.map((least, i) =>
    order.filter((at) => test.ratings[at] >= least && test.ratings[at] < (levels[i + 1] ?? Infinity)),
  );
  const share = Math.floor(puzzlesOfAKind / levels.length);
  const taken = byLevel.map((puzzles) => puzzles.slice(0, share));
  for (const [level, puzzles] of byLevel.entries())
    taken[level].push(...puzzles.slice(share, share + puzzlesOfAKind - taken.flat().length));
  return taken.flatMap((puzzles, level) =>
    puzzles.map((at) => {
      const { input } = exampleOf(test, at);
      return { level, question: toText(input) };
    }),
  );
}
