// What do inputs cost that were made to hurt? Each is given to its command in a process of its own; prints exit code,
// processor and wall seconds, peak memory and the sentence that was said.
//   node bench/hostile.mjs [--only=WORD]
// Fails where one takes over two processor seconds or 300 MB, is taken for good, dies, or says more than one sentence.
// The files need half a gigabyte of disk. On Linux, root also gets a full and a read-only disk, mounted in the
// temporary folder; others get a folder that is closed to them.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { sealed } from '../dist/experiment/sealed.js';
import { recordSchema } from '../dist/experiment/record.js';
import { experiment } from '../dist/experiment/experiments.js';
import { runFiles } from '../dist/experiment/run-folder.js';
import { readSnapshot, writeSnapshot } from '../dist/train/snapshot.js';

const most = { processorSeconds: 2, megabytes: 300 };
const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(path.join(os.tmpdir(), 'hostile-'));
const at = (...names) => path.join(folder, ...names);
const mounted = [];
process.on('exit', () => {
  for (const each of mounted) execFileSync('umount', [each]);
  rmSync(folder, { recursive: true });
});
process.on('SIGINT', () => process.exit(1));

/** Writes a piece so many times without ever holding them all. */
function writeMany(file, head, piece, count, tail = '') {
  const handle = openSync(file, 'w');
  const pieces = Math.max(1, Math.floor(2 ** 20 / piece(0).length));
  writeSync(handle, head);
  for (let i = 0; i < count; i += pieces)
    writeSync(handle, Array.from({ length: Math.min(pieces, count - i) }, (_, k) => piece(i + k)).join(''));
  writeSync(handle, tail);
  closeSync(handle);
  return file;
}

/** A safetensors header of repeated pieces, whose length stands before it. */
function writeHeader(name, head, piece, count, tail) {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length + count * piece(0).length + tail.length));
  return writeMany(at(name), Buffer.concat([length, Buffer.from(head)]), piece, count, tail);
}

/** A folder of records with one in it. */
function records(name, text) {
  mkdirSync(at(name));
  writeFileSync(at(name, 'x.json'), text);
  return ['ablate', '--scale', 'smoke', '--only', 'trm', '--seeds', '1', '--dry', '--records', at(name)];
}

function notebook(name, content) {
  writeFileSync(at(name), JSON.stringify(content));
  return ['scripts/notebooks.mjs', 'check', at(name)];
}

function train(...options) {
  return ['train', ...options, '--folder', at('none')];
}

/** A program with one call into the native addon. */
function call(text) {
  const dist = (file) => JSON.stringify(pathToFileURL(path.join(root, 'dist', file)).href);
  return [
    '--input-type=module',
    '--eval',
    `import { createNativeEngine } from ${dist('engine/native/engine.js')};
     import { loadAddon } from ${dist('engine/native/addon.js')};
     import { experiment } from ${dist('experiment/experiments.js')};
     try { ${text} } catch (error) { console.error('error: ' + error.message); process.exitCode = 2; }`,
  ];
}

/** A small disk of one's own; undefined where this user may not mount one. */
function disk(name, options) {
  if (process.platform !== 'linux' || process.geteuid() !== 0) return undefined;
  mkdirSync(at(name));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at(name)], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  mounted.push(at(name));
  return at(name);
}

/** A folder where a short run left its state, without the measurements that belong to it. */
function stateWithoutProgress() {
  const run = ['--folder', at('run'), '--set', 'training.steps=4,training.batchSize=2,task.testPuzzles=1'];
  execFileSync(process.execPath, ['dist/cli.js', 'train', ...run], { cwd: root, stdio: 'ignore' });
  const { state, record, model } = runFiles(at('run'));
  const { id } = JSON.parse(readFileSync(record, 'utf8'));
  const { snapshot } = readSnapshot(state, experiment('sudoku-4x4').model, 2);
  writeSnapshot(state, snapshot, { id });
  for (const file of [record, model]) rmSync(file);
  return ['train', ...run, '--resume'];
}

/** What writes to a place, three ways. */
function writersTo(name, place) {
  return {
    [`train: ${name}`]: () => ['train', '--folder', path.join(place, 'run'), '--checkpoint-every', '1'],
    [`data build: ${name}`]: () => `data build sudoku --side 4 --train 20 --test 20 --out ${place}/set`.split(' '),
    [`ablate: ${name}`]: () =>
      `ablate --scale smoke --only trm --seeds 1 --records ${place} --runs ${place}/runs`.split(' '),
  };
}

const closed = at('closed');
mkdirSync(closed);
chmodSync(closed, 0o555);
const readOnly = disk('read-only', 'ro') ?? (process.geteuid?.() === 0 ? '/proc/x' : closed);
const full = disk('full', 'size=16k');
if (full === undefined) console.error('no full disk: only root can mount one, on Linux');
const spaces = ' '.repeat(120_000);
const cell = { cell_type: 'code', source: '1', outputs: [], metadata: {}, execution_count: null };
const cells = (...list) => ({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: 'tslab' } },
  cells: list,
});
const nested = `{"schema":"${recordSchema}","x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;

/** The arguments of each input: a script, options of Node itself, or else a command of the kit. */
const inputs = {
  '1 MB of gzip: a billion blank lines': () => {
    const lines = gzipSync(Buffer.alloc(2 ** 24, '\n'), { level: 9 });
    writeFileSync(at('blank.csv.gz'), Buffer.concat([gzipSync('question,answer\n'), ...Array(64).fill(lines)]));
    return ['data', 'check', at('blank.csv.gz')];
  },
  'safetensors: 90 MB of keys': () => {
    const key = (i) => `"k${String(i).padStart(7, '0')}":"v",`;
    return ['convert', writeHeader('keys', '{"__metadata__":{', key, 6_000_000, '"k":"v"}}'), at('out.safetensors')];
  },
  'safetensors: 102 MB of empty tensors': () => {
    const tensor = (i) => `"t${String(i).padStart(7, '0')}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},`;
    return ['convert', writeHeader('tensors', '{', tensor, 1_700_000, '"__metadata__":{}}'), at('out.safetensors')];
  },
  'safetensors: 50 MB of [': () => [
    'convert',
    writeHeader('deep', '{"a":', () => '[', 50_000_000, ''),
    at('out.safetensors'),
  ],
  'ARC: 60 MB of [': () => ['data', 'check', writeMany(at('deep.json'), '', () => '[', 60_000_000)],
  'an option of 120,000 spaces': () => ['describe', '--set', `model.layers${spaces}`],
  'task.trainPuzzles = 4294967295': () => train('--set', 'task.trainPuzzles=4294967295'),
  '65,536 puzzles × 1,024 batches in turn': () =>
    train('--set', 'training.batchSize=65536,training.interleavedBatches=1024'),
  'hidden size 8192 × 64 layers': () => train('--set', 'model.hiddenSize=8192,model.layers=64'),
  'createState(-1)': () => call("createNativeEngine(experiment('sudoku-4x4').model, { threads: 1 }).createState(-1);"),
  'productPeak(level, 2**32 - 1)': () => call("loadAddon().productPeak('portable', 2 ** 32 - 1);"),
  ...writersTo('read-only', readOnly),
  ...(full === undefined ? {} : writersTo('full disk', full)),
  'record without fields, right seal': () =>
    records('signed', JSON.stringify(sealed({ schema: recordSchema, id: 'x', seed: 0 }))),
  'record nested 20,000 deep': () => records('nested', nested),
  'record of 600 MB': () => {
    const args = records('long', nested);
    truncateSync(at('long', 'x.json'), 600e6);
    return args;
  },
  'state without progress': stateWithoutProgress,
  'option that is an object (JSON)': () => {
    writeFileSync(at('config.json'), '{"training":{"steps":{"a":1}}}');
    return train('--config', at('config.json'));
  },
  'option that is an object (--set)': () => train('--set', 'training.steps={"a":1}'),
  'notebook that is null': () => notebook('null.ipynb', null),
  'notebook with a null cell': () => notebook('cell.ipynb', cells(null, cell)),
  'notebook that reads=data/*': () => notebook('reads.ipynb', cells({ ...cell, metadata: { tags: ['reads=data/*'] } })),
};

// Every process of Node below one command tells what it took, at its end.
const told = at('usage');
const teller = at('teller.mjs');
writeFileSync(
  teller,
  `import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
const file = process.env.HOSTILE;
if (isMainThread) process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  appendFileSync(file, JSON.stringify([(userCPUTime + systemCPUTime) / 1e6, maxRSS / 1000]) + '\\n');
});`,
);

/** Runs a command to its end, a minute at most. */
async function measured(args) {
  writeFileSync(told, '');
  const own = args[0].startsWith('-') || args[0].endsWith('.mjs');
  const start = performance.now();
  const child = spawn(process.execPath, own ? args : ['dist/cli.js', ...args], {
    cwd: root,
    env: { ...process.env, HOSTILE: told, NODE_OPTIONS: `--import=${pathToFileURL(teller).href}` },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const [code, signal] = await once(child, 'close');
  const wallSeconds = (performance.now() - start) / 1000;
  const processes = readFileSync(told, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line || '[0, 0]'));
  const [out, lines] = [stdout, stderr].map((text) => text.split(/[\n\r]/).filter((line) => line.trim() !== ''));
  // What a run tells of itself comes before its error; a sweep lists those of its runs that failed with its results.
  const failed = out.filter((line) => line.startsWith('failed: '));
  const first = lines.findIndex((line) => line.startsWith('error: '));
  return {
    code: code ?? signal,
    wallSeconds,
    processorSeconds: processes.reduce((sum, [seconds]) => sum + seconds, 0),
    megabytes: Math.max(...processes.map(([, peak]) => peak)),
    said: (failed.length > 0 && first < 0 ? failed : [...lines.slice(Math.max(0, first)), ...failed]).map((line) =>
      line.replaceAll(folder, '…'),
    ),
    hasStack: [...out, ...lines].some((line) => /^ +at /.test(line)),
  };
}

const chosen = Object.entries(inputs).filter(([name]) => name.includes(values.only));
if (chosen.length === 0)
  throw new Error(`--only: expected a part of one of ${Object.keys(inputs).join('; ')}, got ${values.only}`);
let failures = 0;
console.log('| input | exit | processor s | wall s | MB | said |\n|---|---|---|---|---|---|');
for (const [name, make] of chosen) {
  const { code, processorSeconds, wallSeconds, megabytes, said, hasStack } = await measured(make());
  const faults = [
    ...(typeof code !== 'number' || code === 0 ? ['not refused'] : []),
    ...(processorSeconds > most.processorSeconds || megabytes > most.megabytes ? ['too much'] : []),
    ...(said.length !== 1 || hasStack ? [`${said.length} lines`] : []),
  ];
  failures += faults.length > 0;
  const numbers = [processorSeconds.toFixed(2), wallSeconds.toFixed(2), megabytes.toFixed(0)].join(' | ');
  const text = (said[0] ?? '').slice(0, 160).replaceAll('|', '\\|');
  console.log(`| ${name} | ${code} | ${numbers} | ${faults.map((each) => `**${each}** `).join('')}${text} |`);
}
console.log(
  `\n${failures === 0 ? 'each is refused as it should be' : `${failures} are not refused as they should be`}`,
);
process.exitCode = failures > 0 ? 1 : 0;
