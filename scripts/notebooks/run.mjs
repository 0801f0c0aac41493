/** Runs one notebook, cell after cell, as the kernel would, and keeps what the cells put out: run.mjs JOB. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { fingerprintsOf } from './freshness.mjs';
import cellErrors from '../setup/tslab/cell-error.cjs';
import '../setup/tslab/unwatched.cjs';
import { codeCells, readNotebook, textOf, writeNotebook } from './notebook.mjs';

const { briefly, cellError } = cellErrors;
const require = createRequire(import.meta.url);
const { createConverter } = require('tslab/dist/converter.js');
const { createExecutor } = require('tslab/dist/executor.js');
const jupyter = require('tslab/dist/jupyter.js');

const { file, target, seconds, verbose } = JSON.parse(process.argv[2]);
const name = path.basename(file);

/** The terminal; process.stdout and process.stderr belong to the cells. */
const terminal = process.stderr.write.bind(process.stderr);
const tell = (text) => terminal(`${text}\n`);

/**
 * Errors that no cell caught: a rejected promise nobody awaits, a throw in a timer.
 * Jupyter would show the cell as good.
 */
const uncaught = [];
process.on('unhandledRejection', (reason) => uncaught.push(reason));
process.on('uncaughtException', (error) => uncaught.push(error));

let finished = false;
process.on('exit', () => {
  if (finished) return;
  tell(`${name} failed: a cell ended the process`);
  process.exitCode = 1;
});

const exitCode = await main();
finished = true;
process.exit(exitCode); // even if a cell left something open

async function main() {
  const notebook = readNotebook(file);
  for (const cell of notebook.cells)
    if (cell.cell_type === 'code') Object.assign(cell, { outputs: [], execution_count: null });
  const record = captureOutputs();
  const converter = createConverter({ isJS: false, isBrowser: false });
  const executor = createExecutor(
    process.cwd(),
    { node: converter, close: () => converter.close() },
    {
      ...console,
      error: briefly(console.error),
    },
  );
  const started = Date.now();
  let failed = false;
  for (const [index, { cell, number, source }] of codeCells(notebook).entries()) {
    cell.execution_count = index + 1;
    record.into(cell);
    const failure = await failureOf(executor, cell, number, source);
    if (failure === undefined) continue;
    failed = true;
    cell.outputs.push({ output_type: 'error', ename: 'Error', evalue: gist(failure), traceback: failure.split('\n') });
    tell(`${name} cell ${number} failed:\n    ${failure.trimEnd().replaceAll('\n', '\n    ')}`);
    break;
  }
  // The output of a smoke run means nothing, so it is never fresh.
  const fingerprints = failed || process.env.TRM_SMOKE === '1' ? undefined : fingerprintsOf(notebook);
  if (target !== '') writeNotebook(target, notebook, fingerprints);
  tell(`${failed ? 'FAIL' : 'ok  '} ${name} ran in ${secondsSince(started)} s`);
  return failed ? 1 : 0;
}

/** Runs a cell. @returns {Promise<string | undefined>} why it failed */
async function failureOf(executor, cell, number, source) {
  const started = Date.now();
  const sign = setInterval(() => tell(`    ${name} cell ${number}: ${secondsSince(started)} s so far`), 15_000);
  let timer;
  const tooLong = new Promise((resolve) => {
    timer = setTimeout(() => resolve('too long'), seconds * 1000);
  });
  try {
    const good = await Promise.race([executor.execute(source), tooLong]);
    await new Promise((resolve) => setImmediate(resolve)); // reports a promise rejected in the last tick
    if (good === 'too long') return `the cell took longer than ${seconds} s (--timeout)`;
    if (uncaught.length > 0) return uncaught.map((error) => `not caught by the cell: ${cellError(error)}`).join('\n');
    return good ? undefined : errorText(cell);
  } catch (error) {
    return cellError(error);
  } finally {
    clearInterval(sign);
    clearTimeout(timer);
    if (Date.now() - started > 2000) tell(`    ${name} cell ${number}: ${secondsSince(started)} s`);
  }
}

/** Sends what cells print and display into the outputs of the cell that runs. */
function captureOutputs() {
  let current; // none before the first cell
  const displays = new Map(); // by display_id, so that an update finds the output it replaces
  const stream = (streamName) => (chunk, encoding, callback) => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    if (verbose) terminal(text);
    const last = current?.outputs.at(-1);
    if (last?.output_type === 'stream' && last.name === streamName) last.text += text;
    else current?.outputs.push({ name: streamName, output_type: 'stream', text });
    (typeof encoding === 'function' ? encoding : callback)?.();
    return true;
  };
  process.stdout.write = stream('stdout');
  process.stderr.write = stream('stderr');
  jupyter.lastWriteDisplayData = ({ data, metadata, transient }, isUpdate) => {
    const id = transient?.display_id;
    const shown = isUpdate ? displays.get(id) : undefined;
    if (shown !== undefined) {
      Object.assign(shown, { data, metadata });
      return;
    }
    const output = { data, metadata, output_type: 'display_data' };
    if (id !== undefined) displays.set(id, output);
    current?.outputs.push(output);
  };
  return { into: (cell) => (current = cell) };
}

/** tslab reports a failed cell by false alone; the message is what it wrote to the cell's error stream. */
function errorText(cell) {
  const errors = cell.outputs.filter((output) => output.output_type === 'stream' && output.name === 'stderr');
  return errors.map((output) => textOf(output.text)).join('') || 'tslab gave no reason';
}

/** The most telling line of a stack or a compiler message. */
function gist(failure) {
  const lines = failure.split('\n');
  return lines.find((line) => /Error|TS\d|^\d+:\d+/.test(line)) ?? lines[0];
}

function secondsSince(start) {
  return ((Date.now() - start) / 1000).toFixed(1);
}
