// Training and thinking steps of the engines, side by side in one interleaved run; prints a table and writes a record.
//   npm run bench -- [--cases=a,b] [--engines=native,tfjs] [--levels=avx2,…] [--rounds=N] [--quick]
// Every engine and level is a process of its own, kept alive; rounds go around all of them, so that a disturbance hits all.
import { fork } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { detectedLevels, loadAddon, whyUnavailable } from '../dist/engine/native/addon.js';
import { describe as describeModel } from '../dist/model/describe.js';
import { writeFileAtomic } from '../dist/files.js';
import { cases } from './cases.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: { cases: { type: 'string', default: 'a,b,c,d,e' }, engines: { type: 'string', default: 'native,tfjs' }, levels: { type: 'string' }, rounds: { type: 'string', default: '5' }, quick: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
});
const names = values.quick ? ['a'] : values.cases.split(',');
const rounds = values.quick ? 2 : Number(values.rounds);
for (const name of names) if (!(name in cases)) throw new Error(`--cases: expected some of ${Object.keys(cases).join(', ')}, got ${name}`);

const engines = values.engines.split(',');
const contenders = [];
if (engines.includes('native')) {
  if (whyUnavailable() !== undefined) throw new Error(`native: ${whyUnavailable()}`);
  for (const level of detectedLevels()) {
    if (level !== 'portable' && (values.levels === undefined || values.levels.split(',').includes(level))) contenders.push({ label: `native ${level}`, env: { BENCH_ENGINE: 'native', TRM_LAB_ISA: level } });
  }
}
if (engines.includes('tfjs')) contenders.push({ label: 'tfjs tensorflow', env: { BENCH_ENGINE: 'tfjs' } });
console.error(`${contenders.length} contenders, cases ${names.join(', ')}, ${rounds} rounds: about ${Math.ceil((names.length * rounds * contenders.length * 4) / 60)} minutes`);

const rows = [];
for (const name of names) {
  const { batchSize, config } = cases[name];
  const gflop = describeModel(config, { batchSize }).flopPerTrainingStep / 1e9;
  const running = [];
  for (const contender of contenders) running.push({ ...contender, ...(await start(contender, name)), train: [], infer: [] });
  for (let round = 0; round < rounds; round++) {
    for (const process of running) {
      const { train, infer } = await ask(process.child, 'round');
      process.train.push(train);
      process.infer.push(infer);
      console.error(`case ${name}, round ${round + 1}/${rounds}, ${process.label}: ${train.toFixed(0)} ms`);
    }
  }
  for (const { label, child, loss, train, infer } of running) {
    const { peakMemory } = await ask(child, 'memory');
    child.disconnect();
    rows.push({ case: name, engine: label, trainMs: Math.min(...train), trainMedianMs: median(train), inferMs: Math.min(...infer), gflops: gflop / (Math.min(...train) / 1000), peakMemoryMiB: peakMemory / 2 ** 20, firstLoss: loss });
  }
  const losses = running.map(({ loss }) => loss);
  if (Math.max(...losses) > 1.03 * Math.min(...losses)) throw new Error(`case ${name}: the engines start from different losses (${losses.join(', ')}): they are not the same model`);
}

const reference = (row) => rows.find((each) => each.case === row.case && each.engine === 'tfjs tensorflow');
console.log('| case | engine | training step, ms (median) | thinking step, ms | GFLOP/s | peak memory, MiB | × tfjs |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |');
for (const row of rows) {
  const base = reference(row);
  console.log(`| ${row.case} | ${row.engine} | ${row.trainMs.toFixed(0)} (${row.trainMedianMs.toFixed(0)}) | ${row.inferMs.toFixed(0)} | ${row.gflops.toFixed(0)} | ${row.peakMemoryMiB.toFixed(0)} | ${base === undefined ? '–' : (base.trainMs / row.trainMs).toFixed(1)} |`);
}
if (values.write) {
  const threads = os.availableParallelism();
  const record = {
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`,
    cpu: os.cpus()[0]?.model.trim(),
    cores: threads,
    node: process.version,
    productPeaks: whyUnavailable() === undefined ? Object.fromEntries(detectedLevels().map((level) => [level, loadAddon().productPeak(level, threads)])) : {},
    rows,
  };
  writeFileAtomic(path.join(here, 'results', 'engines.json'), `${JSON.stringify(record, null, 1)}\n`);
}

async function start(contender, name) {
  const child = fork(path.join(here, 'worker.mjs'), [name], { env: { ...process.env, ...contender.env } });
  child.on('exit', (code) => code !== 0 && code !== null && console.error(`${contender.label} ended with ${code}`));
  return { child, ...(await ask(child, 'start')) };
}

function ask(child, question) {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the worker ended with code ${code}`)));
    child.send(question);
  });
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
