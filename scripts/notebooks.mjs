/**
 * Checks or runs notebooks with tslab's own compiler and executor, without Python or Jupyter:
 * node scripts/notebooks.mjs check|run [options] [FILE|FOLDER...], without any of them the folder notebooks.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fingerprintsOf, stalenessOf } from './notebooks/freshness.mjs';
import { readNotebook, textOf } from './notebooks/notebook.mjs';

const usage = `node scripts/notebooks.mjs check|run [options] [FILE|FOLDER...]   (default: the folder notebooks)
  check              type-check every code cell as tslab would, and refuse outputs older than the code or the
                     records they were made from; run nothing (about 3 s a notebook)
  run                run every code cell; stop a notebook at its first failing cell
  --inplace          run: write the outputs into the notebook, and its figures to figures/;
                     else they go to build/figures
  --stale            run: only notebooks whose outputs are older than that
  --out FOLDER       run: write the notebook with its outputs to FOLDER
  --timeout SECONDS  run: the longest a cell may take (default 600)
  --verbose          run: show what the cells print`;

const ownNotebooks = fileURLToPath(new URL('../notebooks', import.meta.url));

/** The kit's own variables; all others with the prefix TRM_ are parameters of notebooks. */
const kitVariables = ['CACHE', 'DATA', 'DATA_HOME', 'FIGURES', 'LAB_ISA', 'MUTATIONS', 'TORCH_PYTHON'];

/** The arguments, checked. @throws {Error} saying what is wrong with them */
function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      inplace: { type: 'boolean', default: false },
      stale: { type: 'boolean', default: false },
      out: { type: 'string' },
      timeout: { type: 'string', default: '600' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const [mode, ...targets] = positionals;
  if (mode !== 'check' && mode !== 'run') throw new Error(`expected check or run, got ${mode ?? 'nothing'}`);
  if (!(Number(values.timeout) > 0)) throw new Error(`expected --timeout to be seconds above 0, got ${values.timeout}`);
  if (values.inplace && values.out !== undefined) throw new Error('expected --inplace or --out, got both');
  return { mode, files: notebooksIn(targets.length === 0 ? [ownNotebooks] : targets), ...values };
}

/** @param {string[]} targets notebook files, or folders whose notebooks are meant */
function notebooksIn(targets) {
  const files = targets.flatMap((target) => {
    if (!existsSync(target)) throw new Error(`notebook not found: ${target}`);
    if (!statSync(target).isDirectory()) return [target];
    const names = readdirSync(target).filter((name) => name.endsWith('.ipynb'));
    return names.sort().map((name) => path.join(target, name));
  });
  if (files.length === 0) throw new Error(`expected at least one notebook, found none in: ${targets.join(', ')}`);
  return files.map((file) => path.resolve(file));
}

/** @throws {Error} naming a parameter in the environment that no notebook reads, or that cannot have its value */
function checkParameters(notebooks) {
  const code = notebooks
    .flatMap(({ cells }) => cells.filter(({ cell_type: type }) => type === 'code'))
    .map(({ source }) => textOf(source))
    .join('\n');
  const read = new Set(code.match(/\bTRM_\w+/g));
  const flags = new Set([...code.matchAll(/process\.env\.(TRM_\w+) === '1'/g)].map(([, name]) => name));
  for (const [name, value] of Object.entries(process.env)) {
    if (!name.startsWith('TRM_') || kitVariables.includes(name.slice(4))) continue;
    if (!read.has(name))
      throw new Error(
        `${name}: expected a parameter of the notebooks to run (${[...read].sort().join(', ')}), got another name`,
      );
    if (value === '') throw new Error(`${name}: expected a value, got nothing; leave it out for the default`);
    if (flags.has(name) && value !== '0' && value !== '1') throw new Error(`${name}: expected 1 or 0, got ${value}`);
  }
}

/**
 * One process a notebook, because tslab takes its root folder from the working directory.
 * @returns {Promise<boolean>}
 */
function succeeds(file, { mode, out, inplace, timeout, verbose }) {
  const worker = path.join(path.dirname(fileURLToPath(import.meta.url)), 'notebooks', `${mode}.mjs`);
  const target = inplace ? file : out === undefined ? '' : path.resolve(out, path.basename(file));
  const job = JSON.stringify({ file, target, seconds: Number(timeout), verbose });
  // The committed figures belong to the committed outputs.
  const env = { ...process.env, TRM_FIGURES: inplace ? 'figures' : 'build/figures' };
  // A notebook runs in its own folder, but the path counts from the reader's.
  if (env.TRM_CHECKPOINT) env.TRM_CHECKPOINT = path.resolve(env.INIT_CWD ?? '', env.TRM_CHECKPOINT);
  const child = spawn(process.execPath, [worker, job], {
    cwd: path.dirname(file),
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (signal) console.error(`${path.basename(file)}: ${signal} ended its process`);
      resolve(code === 0);
    });
  });
}

/** A notebook whose cells name possible files. @throws {Error} naming the notebook */
function readWhole(file) {
  const notebook = readNotebook(file);
  try {
    fingerprintsOf(notebook);
  } catch (error) {
    throw new Error(`${file}: ${error.message}`);
  }
  return notebook;
}

let job;
try {
  job = readArguments();
  if (job === undefined) console.log(usage);
  else {
    let failed = 0;
    // All are read first, to report an invalid file before any runs.
    const notebooks = job.files.map((file) => ({ file, notebook: readWhole(file) }));
    if (job.mode === 'run') checkParameters(notebooks.map(({ notebook }) => notebook));
    const old = ({ notebook }) => notebook.metadata.trm_lab === undefined || stalenessOf(notebook) !== undefined;
    const files = notebooks.filter((each) => !job.stale || old(each)).map(({ file }) => file);
    for (const file of files) if (!(await succeeds(file, job))) failed += 1;
    console.log(`notebooks ${job.mode}: ${files.length - failed} passed, ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  }
} catch (error) {
  console.error(job === undefined ? `${error.message}\n\n${usage}` : error.message);
  process.exitCode = 2;
}
