// Training and thinking steps of the engines, side by side in one interleaved run; prints a table,
// writes a record and a figure. npm run bench -- [--cases=a,b] [--engines=native,tfjs] [--levels=avx2,…]
// [--pytorch=eager] [--rounds=N] [--quick] [--write] Every engine and level is a process of its own, kept alive;
// rounds go around all of them, so that a disturbance hits all.
import { fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { detectedLevels, loadAddon, whyUnavailable } from '../dist/engine/native/addon.js';
import { whyTorchMissing } from '../dist/engine/torch/worker.js';
import { describe as describeModel } from '../dist/model/describe.js';
import { writeFileAtomic } from '../dist/write-file.js';
import { benchTable, compared, merged } from '../dist/report/bench.js';
import { cases } from './cases.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const values = readArguments();
const names =
  values.cases !== undefined ? wordsOf('cases', Object.keys(cases)) : values.quick ? ['a'] : Object.keys(cases);
const rounds = values.quick ? 2 : Number(values.rounds);
if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= 1000))
  refuse(`--rounds: expected a whole number from 1 to 1000, got ${values.rounds}`);

const engines = wordsOf('engines', ['native', 'tfjs', 'pytorch']);
const pytorchModes = wordsOf('pytorch', ['eager', 'compiled']);
const contenders = [];
if (engines.includes('native')) {
  if (whyUnavailable() !== undefined) refuse(`native: ${whyUnavailable()}`);
  const measurable = detectedLevels().filter((level) => level !== 'portable');
  const wanted = values.levels === undefined ? measurable : wordsOf('levels', measurable);
  for (const level of measurable.filter((each) => wanted.includes(each)))
    contenders.push({ label: `native ${level}`, env: { BENCH_ENGINE: 'native', TRM_LAB_ISA: level } });
} else if (values.levels !== undefined || engines.includes('pytorch'))
  refuse(
    '--engines: expected native among them where --levels is given or pytorch is measured, ' +
      'which is held to the levels of native',
  );
if (engines.includes('tfjs')) contenders.push({ label: 'tfjs tensorflow', env: { BENCH_ENGINE: 'tfjs' } });
if (engines.includes('pytorch')) {
  if (whyTorchMissing() !== undefined) refuse(`pytorch: ${whyTorchMissing()}, or leave it out: --engines=native,tfjs`);
  // PyTorch is held to the level of the contender it stands beside.
  const held = {
    amx: { ATEN_CPU_CAPABILITY: 'avx512', MKL_ENABLE_INSTRUCTIONS: 'AVX512', ONEDNN_MAX_CPU_ISA: 'AVX512_CORE_AMX' },
    avx512bf16: {
      ATEN_CPU_CAPABILITY: 'avx512',
      MKL_ENABLE_INSTRUCTIONS: 'AVX512',
      ONEDNN_MAX_CPU_ISA: 'AVX512_CORE_BF16',
    },
    avx512: { ATEN_CPU_CAPABILITY: 'avx512', MKL_ENABLE_INSTRUCTIONS: 'AVX512', ONEDNN_MAX_CPU_ISA: 'AVX512_CORE' },
    avx2: { ATEN_CPU_CAPABILITY: 'avx2', MKL_ENABLE_INSTRUCTIONS: 'AVX2', ONEDNN_MAX_CPU_ISA: 'AVX2' },
  };
  const modes = {
    amx: ['eager bf16', 'compiled bf16'],
    avx512bf16: ['eager bf16', 'compiled bf16'],
    avx512: ['eager float32', 'compiled float32'],
    avx2: ['eager float32', 'compiled float32'],
  };
  for (const [level, environment] of Object.entries(held)) {
    if (!contenders.some(({ label }) => label === `native ${level}`)) continue;
    for (const mode of modes[level]) {
      const [how, precision] = mode.split(' ');
      if (!pytorchModes.includes(how)) continue;
      contenders.push({
        label: `pytorch ${level} ${mode}`,
        env: {
          ...environment,
          BENCH_ENGINE: 'torch',
          BENCH_PRECISION: precision,
          BENCH_COMPILE: how === 'compiled' ? 'on' : 'off',
        },
      });
    }
  }
}
// Starting a contender takes three to five steps, and compiling PyTorch's about a minute.
const stepSeconds = { a: 0.4, b: 1, c: 6, d: 8, e: 6 };
const minutes =
  names.reduce(
    (sum, name) =>
      sum +
      contenders.length * (stepSeconds[name] * (1.5 * rounds + 4) + 5) +
      60 * contenders.filter(({ env }) => env.BENCH_COMPILE === 'on').length,
    0,
  ) / 60;
console.error(
  `${contenders.length} contenders, cases ${names.join(', ')}, ${rounds} rounds: ` +
    `about ${Math.ceil(minutes)} minutes on two quiet cores`,
);
const productPeaks = {};
measurePeaks();

const rows = [];
const excluded = [];
for (const name of names) {
  const { batchSize, config } = cases[name];
  const gflop = describeModel(config, { batchSize }).flopPerTrainingStep / 1e9;
  const running = [];
  for (const contender of contenders) {
    const started = await start(contender, name);
    if (started.loss === null) {
      console.error(`case ${name}, ${contender.label}: its loss is NaN, so it is no contender`);
      excluded.push({ case: name, engine: contender.label, why: 'the first loss is NaN' });
      started.child.disconnect();
    } else running.push({ ...contender, ...started, train: [], infer: [] });
  }
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
    rows.push({
      case: name,
      engine: label,
      trainMs: Math.min(...train),
      trainMedianMs: median(train),
      inferMs: Math.min(...infer),
      gflops: gflop / (Math.min(...train) / 1000),
      peakMemoryMiB: peakMemory / 2 ** 20,
      firstLoss: loss,
    });
  }
  const losses = running.map(({ loss }) => loss);
  if (Math.max(...losses) > 1.03 * Math.min(...losses))
    throw new Error(
      `case ${name}: the engines start from different losses (${losses.join(', ')}): they are not the same model`,
    );
}

measurePeaks(); // again, so that a disturbance at the start does not lower what the rows are measured against
console.log(benchTable(compared(rows, productPeaks)));
if (values.write) await write();

/** The words of an option that lists some of a few. */
function wordsOf(name, known) {
  const words = [...new Set(values[name].split(','))];
  const strange = words.filter((word) => !known.includes(word));
  if (strange.length > 0) refuse(`--${name}: expected some of ${known.join(', ')}, got ${strange.join(', ')}`);
  return words;
}

function readArguments() {
  const options = {
    cases: { type: 'string' },
    engines: { type: 'string', default: 'native,tfjs,pytorch' },
    levels: { type: 'string' },
    pytorch: { type: 'string', default: 'eager,compiled' },
    rounds: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  };
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`);
    return refuse(`${error.message.split('. ')[0]}; known options: ${known.join(' ')} (bench/README.md)`);
  }
}

/** Wrong input ends with one line and exit code 2, before anything is measured. */
function refuse(message) {
  console.error(`error: ${message}`);
  process.exit(2);
}

/** Product peaks of the levels measured here, GFLOP/s: the best of all times. */
function measurePeaks() {
  if (whyUnavailable() !== undefined) return;
  for (const level of detectedLevels())
    productPeaks[level] = Math.max(productPeaks[level] ?? 0, loadAddon().productPeak(level, os.availableParallelism()));
}

/** One record a kind of CPU, named by its best level; cases that an earlier run on the same CPU measured are kept. */
async function write() {
  const [level] = whyUnavailable() === undefined ? detectedLevels() : ['portable'];
  const file = path.join(here, 'results', `${level}.json`);
  const cpu = os.cpus()[0]?.model.trim() ?? 'unknown CPU';
  const earlier = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  const kept = earlier?.cpu === cpu && earlier.cores === os.availableParallelism() ? earlier : undefined;
  const peaks = { ...productPeaks };
  for (const [name, peak] of Object.entries(kept?.productPeaks ?? {})) peaks[name] = Math.max(peaks[name] ?? 0, peak);
  const commands = {
    ...kept?.commands,
    ...Object.fromEntries(names.map((name) => [name, `npm run bench -- ${process.argv.slice(2).join(' ')}`])),
  };
  const record = {
    cpu,
    cores: os.availableParallelism(),
    node: process.version,
    commands: Object.fromEntries(Object.entries(commands).sort()),
    productPeaks: peaks,
    rows: compared(merged(kept?.rows ?? [], rows), peaks),
    excluded: [...(kept?.excluded ?? []).filter((each) => !names.includes(each.case)), ...excluded],
  };
  writeFileAtomic(file, `${JSON.stringify(record, null, 1)}\n`);
  console.error(`wrote ${path.relative(process.cwd(), file)}; npm run report draws it`);
}

async function start(contender, name) {
  const child = fork(path.join(here, 'worker.mjs'), [name], { env: { ...process.env, ...contender.env } });
  child.on('exit', (code) => code !== 0 && code !== null && console.error(`${contender.label} ended with ${code}`));
  return { child, ...(await ask(child, 'start')) };
}

function ask(child, question) {
  return new Promise((resolve, reject) => {
    const broken = (code) => reject(new Error(`the worker ended with code ${code}`));
    child.once('exit', broken);
    child.once('message', (reply) => {
      child.off('exit', broken);
      resolve(reply);
    });
    child.send(question);
  });
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
