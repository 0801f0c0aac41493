#!/usr/bin/env node
/**
 * The paper's models at full size on real puzzles, random weights: puzzles a second and memory of an evaluation of 16
 * supervision steps on the native engine.   node bench/full-size.mjs [--sudokus=8] [--mazes=2,
 * 0 for none] [--checkpoint=FILE] [--write]
 *
 * --checkpoint: a state dict of the 5M model saved by PyTorch. Each case runs in a process of its own,
 * so that its memory is its own. Puzzles come from TRM_DATA. Wall-clock time counts what else the machine does;
 * processor time does not.
 */
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { writeFileAtomic } from '../dist/write-file.js';

const root = path.join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    sudokus: { type: 'string', default: '8' },
    mazes: { type: 'string', default: '2' },
    checkpoint: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const { sudokus, mazes, checkpoint } = values;

const sudoku = ['--experiment', 'sudoku-extreme-paper', '--puzzles', sudokus, '--batch-size', sudokus];
const cases = [
  ['TRM-MLP, Sudoku-Extreme', ['--random', '0', ...sudoku]],
  ['TRM-Att, Sudoku-Extreme', ['--random', '0', '--variant', 'trm-attention', ...sudoku]],
  ...(checkpoint === undefined
    ? []
    : [['TRM-MLP, Sudoku-Extreme, a state dict saved by PyTorch', [checkpoint, ...sudoku]]]),
  ...(mazes === '0'
    ? []
    : [
        [
          'TRM-Att, Maze-Hard (n = 4)',
          ['--random', '0', '--experiment', 'maze-hard-paper', '--puzzles', mazes, '--batch-size', mazes],
        ],
      ]),
];

const rows = [];
for (const [name, args] of cases) {
  const all = ['evaluate', ...args, '--engine', 'native', '--precision', 'float32', '--threads', '2', '--json'];
  console.error(`${name}: trm-lab ${all.join(' ')}`);
  const loadBefore = os.loadavg()[0];
  const { status, stdout } = spawnSync(process.execPath, [path.join(root, 'dist', 'cli.js'), ...all], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`${name}: exit code ${status}`);
  rows.push(rowOf(name, all, JSON.parse(stdout), [loadBefore, os.loadavg()[0]]));
}

/** What is kept of one evaluation. */
function rowOf(
  name,
  args,
  { engine, precision, parameters, puzzles, supervisionSteps, seconds, cpuSeconds, peakMemory },
  load,
) {
  const command = `trm-lab ${args.map((arg) => (arg === checkpoint ? path.basename(arg) : arg)).join(' ')}`;
  return {
    name,
    command,
    engine,
    precision,
    parameters,
    puzzles,
    supervisionSteps,
    seconds,
    cpuSeconds,
    puzzlesPerSecond: puzzles / seconds,
    puzzlesPerSecondOnTwoIdleCores: (2 * puzzles) / cpuSeconds,
    peakMemoryMiB: peakMemory / 2 ** 20,
    load,
  };
}

const note =
  'puzzlesPerSecond is by the clock, beside whatever else ran (load: the one-minute averages before and after, ' +
  'on this many cores); puzzlesPerSecondOnTwoIdleCores is from processor time, an estimate.';
const report = { cpu: os.cpus()[0]?.model, cores: os.availableParallelism(), node: process.version, note, rows };
console.log(
  '| model | parameters | puzzles/s by the clock | puzzles/s on two idle cores, from processor time | peak memory, ' +
    'MiB |\n| --- | ---: | ---: | ---: | ---: |',
);
for (const row of rows)
  console.log(
    `| ${row.name} | ${row.parameters.toLocaleString('en')} | ${row.puzzlesPerSecond.toPrecision(2)} | ` +
      `${row.puzzlesPerSecondOnTwoIdleCores.toPrecision(2)} | ${row.peakMemoryMiB.toFixed(0)} |`,
  );
if (values.write)
  writeFileAtomic(path.join(root, 'bench', 'results', 'full-size.json'), `${JSON.stringify(report, null, 1)}\n`);
