/**
 * Measurements side by side: ratios worked out by hand, records that keep what was not measured again,
 * and the figure of a real record.
 */
import assert from 'node:assert/strict';
import { fork, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { whyUnavailable } from '../../lib/engine/native/addon.js';
import { projectRoot } from '../../lib/files.js';
import {
  benchFigure,
  benchSummary,
  benchTable,
  compared,
  merged,
  type BenchRecord,
  type BenchRow,
} from '../../lib/report/bench.js';

const row = (name: string, engine: string, trainMs: number, inferMs: number): BenchRow => ({
  case: name,
  engine,
  trainMs,
  trainMedianMs: trainMs,
  inferMs,
  gflops: 1000 / trainMs,
  peakMemoryMiB: 1,
  firstLoss: 2,
});
const rows = [
  row('a', 'native amx', 10, 4),
  row('a', 'native avx2', 20, 10),
  row('a', 'tfjs tensorflow', 80, 30),
  row('a', 'pytorch amx eager bf16', 30, 8),
  row('a', 'pytorch amx compiled bf16', 25, 12),
  row('a', 'pytorch avx2 eager float32', 10, 20),
  row('b', 'native avx2', 40, 20),
];

describe('bench', () => {
  it('compares native with the fastest PyTorch mode at the same level, of the same case', () => {
    const [amx, avx2, tfjs, , , eager, other] = compared(rows, { amx: 500, avx2: 100 });
    assert.deepEqual(
      [amx?.timesPytorch, amx?.timesPytorchThinking, amx?.timesTfjs, amx?.shareOfPeak],
      [2.5, 2, 8, 0.2],
    );
    assert.deepEqual(
      [avx2?.timesPytorch, avx2?.timesPytorchThinking, avx2?.timesTfjs, avx2?.shareOfPeak],
      [0.5, 2, 4, 0.5],
    );
    assert.deepEqual([tfjs?.timesPytorch, tfjs?.timesTfjs, tfjs?.shareOfPeak], [null, 1, 0.125]);
    assert.deepEqual([eager?.timesPytorch, eager?.timesTfjs, eager?.shareOfPeak], [null, 8, 1]);
    assert.deepEqual([other?.timesPytorch, other?.timesTfjs, other?.shareOfPeak], [null, null, 0.25]);
    assert.match(
      benchTable(compared(rows, { amx: 500 })),
      /\| a \| native amx \| 10 \(10\) \| 4 \| 100 \| 20\u00A0% \| 1 \| 2\.5 \(2\.0\) \| 8\.0 \|/,
    );
  });

  it('keeps the cases of an earlier run that were not measured again', () => {
    const both = merged(
      [row('a', 'native avx2', 1, 1), row('c', 'native avx2', 3, 3)],
      [row('a', 'native avx2', 2, 2), row('b', 'native avx2', 5, 5)],
    );
    assert.deepEqual(
      both.map((each) => [each.case, each.trainMs]),
      [
        ['a', 2],
        ['b', 5],
        ['c', 3],
      ],
    );
  });

  it('sums a record up by its best level only', () => {
    const summary = benchSummary([
      { cpu: 'a CPU', cores: 2, productPeaks: {}, rows: compared(rows, { amx: 500 }) },
    ]).split('\n');
    assert.deepEqual(summary.slice(2), [
      '| hidden 64, 37 positions, batch 64 | 2 cores, AMX, bfloat16 | 10 ms | 4 ms | 1 MiB | 20\u00A0% ' +
        '| 2.5 × (2.0 ×) ' +
        '| 8.0 × |',
    ]);
  });

  it('draws every number of a real record', () => {
    const record = JSON.parse(
      readFileSync(path.join(projectRoot(), 'bench', 'results', 'avx512bf16.json'), 'utf8'),
    ) as BenchRecord;
    const { data } = benchFigure(record);
    const drawn = data.flatMap(({ y, name }) =>
      (y ?? []).flatMap((value) => (value === null ? [] : [`${name} ${value}`])),
    );
    assert.deepEqual(drawn.sort(), record.rows.map(({ engine, trainMs }) => `${engine} ${trainMs}`).sort());
    assert.ok(data.length >= 6);
  });

  it('by npm run bench refuses wrong input in one line, before anything is measured', function () {
    this.timeout(60_000);
    const script = path.join(projectRoot(), 'bench', 'bench.mjs');
    for (const [args, message] of [
      ['--engines nativ', /^error: --engines: expected some of native, tfjs, pytorch, got nativ$/],
      ['--cases=a,x', /^error: --cases: expected some of a, b, c, d, e, got x$/],
      ['--engines native --levels nonsense', /^error: --levels: expected some of .*, got nonsense$/],
      ['--engines tfjs --levels avx2', /^error: --engines: expected native among them/],
      ['--engines native --pytorch eagre', /^error: --pytorch: expected some of eager, compiled, got eagre$/],
      ['--rounds 1.5', /^error: --rounds: expected a whole number from 1 to 1000, got 1\.5$/],
      ['--epochs 3', /^error: Unknown option '--epochs'; known options: --cases --engines .* \(bench\/README\.md\)$/],
    ] as const) {
      const { status, stderr, stdout } = spawnSync(process.execPath, [script, ...args.split(' ')], {
        encoding: 'utf8',
      });
      assert.equal(status, 2, stderr);
      assert.match(stderr.trim(), message);
      assert.equal(stdout, '');
    }
  });

  it('by its worker is a training and a thinking step, with the loss and the memory', async function () {
    this.timeout(60_000);
    const child = fork(path.join(projectRoot(), 'bench', 'worker.mjs'), ['a'], {
      env: { ...process.env, BENCH_ENGINE: whyUnavailable() === undefined ? 'native' : 'tfjs' },
    });
    const ask = (question: string): Promise<Record<string, number>> =>
      new Promise((resolve, reject) => {
        child.once('message', (reply) => resolve(reply as Record<string, number>));
        child.once('exit', (code) => reject(new Error(`the worker ended with code ${code}`)));
        child.send(question);
      });
    // The first loss of an untrained model over 8 tokens.
    try {
      assert.ok(Math.abs((await ask('start'))['loss']! - Math.log(8)) < 0.5);
      const { train, infer } = await ask('round');
      assert.ok(train! > 0 && infer! > 0);
      assert.ok((await ask('memory'))['peakMemory']! > 1e7);
    } finally {
      child.kill();
    }
  });
});
