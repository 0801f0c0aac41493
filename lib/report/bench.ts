/** Side-by-side measurements of the engines as a record, its ratios, and its figure. */
import { axis, baseLayout, legendAbove, powersOfTwo, type Caption } from './draw/plot-layout.js';
import type { Figure, Trace } from './draw/plotly.js';
import { fontSize, seriesColour } from './draw/style.js';
import { toMarkdown } from './tables.js';

/** One engine on one case. */
export interface BenchRow {
  /** a … e of bench/cases.mjs. */
  readonly case: string;
  /** native LEVEL, pytorch LEVEL MODE, or tfjs BACKEND. */
  readonly engine: string;
  /** Fastest round, and median of the rounds, in ms. */
  readonly trainMs: number;
  readonly trainMedianMs: number;
  readonly inferMs: number;
  /** GFLOP of the networks in one training step, 2 for each multiply-add. */
  readonly gflops: number;
  /** gflops over the measured product peak of the row's instruction level, 0 … 1. */
  readonly shareOfPeak?: number | null;
  readonly peakMemoryMiB: number;
  /** Mean loss of the first step: all engines' must agree. */
  readonly firstLoss: number;
  /** Speed relative to the fastest PyTorch mode at the same level; null without one. */
  readonly timesPytorch?: number | null;
  readonly timesPytorchThinking?: number | null;
  /** Training speed relative to tfjs. */
  readonly timesTfjs?: number | null;
}

/** The measurements on one kind of CPU. */
export interface BenchRecord {
  readonly cpu: string;
  readonly cores: number;
  /** GFLOP/s of products from the first cache with all cores, by level. */
  readonly productPeaks: Readonly<Record<string, number>>;
  readonly rows: readonly BenchRow[];
}

/** The instruction level that a row's engine computed at; tfjs takes the best float32 level. */
function levelOf({ engine }: BenchRow, peaks: Readonly<Record<string, number>>): string | undefined {
  const [kind, level] = engine.split(' ');
  return kind === 'tfjs' ? ['avx512', 'avx2', 'portable'].find((each) => each in peaks) : level;
}

/**
 * The rows with their share of the peak and their ratios to the fastest PyTorch mode at the same level and to tfjs,
 * case by case.
 */
export function compared(rows: readonly BenchRow[], peaks: Readonly<Record<string, number>>): BenchRow[] {
  return rows.map((row) => {
    const beside = rows.filter((each) => each.case === row.case);
    const level = levelOf(row, peaks);
    const peak = level === undefined ? undefined : peaks[level];
    const pytorch = row.engine.startsWith('native ')
      ? beside.filter(({ engine }) => engine.startsWith(`pytorch ${level ?? ''} `))
      : [];
    const tfjs = beside.find(({ engine }) => engine.startsWith('tfjs '));
    return {
      ...row,
      shareOfPeak: peak === undefined ? null : row.gflops / peak,
      timesPytorch: pytorch.length === 0 ? null : Math.min(...pytorch.map(({ trainMs }) => trainMs)) / row.trainMs,
      timesPytorchThinking:
        pytorch.length === 0 ? null : Math.min(...pytorch.map(({ inferMs }) => inferMs)) / row.inferMs,
      timesTfjs: tfjs === undefined ? null : tfjs.trainMs / row.trainMs,
    };
  });
}

/** An earlier run's rows on the same CPU, with newly measured cases replaced, in the order of the cases. */
export function merged(earlier: readonly BenchRow[], rows: readonly BenchRow[]): BenchRow[] {
  const again = new Set(rows.map((row) => row.case));
  const kept = earlier.filter((row) => !again.has(row.case));
  return [...kept, ...rows].sort((a, b) => a.case.localeCompare(b.case)); // stable: engines keep their order
}

type Measured = number | null | undefined;
/** "1.5", "48 %"; a dash where there is none. */
const ratio = (value: Measured, unit = ''): string => (typeof value === 'number' ? `${value.toFixed(1)}${unit}` : '–');
const percent = (value: Measured): string => (typeof value === 'number' ? `${(100 * value).toFixed(0)} %` : '–');

/** The rows as a Markdown table. */
export function benchTable(rows: readonly BenchRow[]): string {
  const lines = rows.map((row) => [
    row.case,
    row.engine,
    `${row.trainMs.toFixed(0)} (${row.trainMedianMs.toFixed(0)})`,
    row.inferMs.toFixed(0),
    row.gflops.toFixed(0),
    percent(row.shareOfPeak),
    row.peakMemoryMiB.toFixed(0),
    `${ratio(row.timesPytorch)} (${ratio(row.timesPytorchThinking)})`,
    ratio(row.timesTfjs),
  ]);
  const head = [
    'case',
    'engine',
    'training step, ms (median)',
    'inference step, ms',
    'GFLOP/s',
    'share of peak',
    'peak memory, MiB',
    'speed versus fastest PyTorch (inference)',
    'speed versus tfjs',
  ];
  return toMarkdown({ columns: head, rows: lines });
}

/** What the cases of bench/cases.mjs are, for a table that stands alone. */
const caseNames: Readonly<Record<string, string>> = {
  a: 'hidden 64, 37 positions, batch 64',
  b: 'hidden 128, 82 positions, batch 32',
  c: "the paper's 5 M, 97 positions, batch 16",
  d: "the paper's 7 M with attention, 97 positions, batch 16",
  e: 'attention, hidden 128, 916 positions, batch 4',
};

/**
 * The native engine at each record's best level, as a Markdown table:
 * what a reader wants to know of all the measurements.
 */
export function benchSummary(records: readonly BenchRecord[]): string {
  const time = (ms: number): string => (ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`);
  const lines = records.flatMap(({ cores, rows }) => {
    const best = rows.find(({ engine }) => engine.startsWith('native '))?.engine;
    return rows
      .filter(({ engine }) => engine === best)
      .map((row) => [
        caseNames[row.case] ?? row.case,
        `${cores} cores, ${levelNames[row.engine.slice('native '.length)] ?? row.engine}`,
        time(row.trainMs),
        time(row.inferMs),
        `${row.peakMemoryMiB.toFixed(0)} MiB`,
        percent(row.shareOfPeak),
        `${ratio(row.timesPytorch, ' ×')} (${ratio(row.timesPytorchThinking, ' ×')})`,
        ratio(row.timesTfjs, ' ×'),
      ]);
  });
  const head = [
    'model',
    'machine',
    'training step',
    'inference step',
    'peak memory',
    'share of the peak',
    'speed versus PyTorch (inference)',
    'speed versus tfjs',
  ];
  return toMarkdown({ columns: head, rows: lines });
}

/** Readers' names of the instruction levels, with the precision of products. */
const levelNames: Readonly<Record<string, string>> = {
  amx: 'AMX, bfloat16',
  avx512bf16: 'AVX-512-BF16, bfloat16',
  avx512: 'AVX-512, float32',
  avx2: 'AVX2, float32',
  portable: 'portable, float32',
};

function caseLabel(name: string): string {
  return `(${name}) ${(caseNames[name] ?? '').replaceAll(', ', ',<br>').replace(' with ', '<br>with ')}`;
}

/** Milliseconds of a training step by case, one bar an engine, on a logarithmic axis. */
export function benchFigure({ cpu, cores, rows }: BenchRecord, options: Caption = {}): Figure {
  const engines = [...new Set(rows.map(({ engine }) => engine))];
  const cases = [...new Set(rows.map((row) => row.case))];
  const times = rows.map(({ trainMs }) => trainMs);
  return {
    data: engines.map((engine, index): Trace => {
      const own = cases.map((name) => rows.find((row) => row.case === name && row.engine === engine));
      return {
        type: 'bar',
        name: engine,
        x: cases.map(caseLabel),
        y: own.map((row) => row?.trainMs ?? null),
        marker: {
          color: seriesColour(index),
          ...(engine.startsWith('native')
            ? {}
            : { pattern: { shape: engine.startsWith('pytorch') ? '/' : '.', size: 5 } }),
        },
        hovertemplate: `${engine}: %{y:.0f} ms<extra></extra>`,
      };
    }),
    layout: baseLayout(
      {
        title: 'One training step, side by side',
        subtitle: `${cores} cores of ${cpu}; the fastest round; lower is better`,
        ...options,
      },
      {},
      {
        width: 960,
        barmode: 'group',
        bargap: 0.15,
        xaxis: { ...axis(''), type: 'category', automargin: true },
        yaxis: {
          ...axis('Milliseconds (each line doubles)'),
          type: 'log',
          tickvals: powersOfTwo(2 * Math.max(...times)),
          range: [Math.log10(Math.min(...times) / 2), Math.log10(1.2 * Math.max(...times))],
        },
        showlegend: true,
        legend: { ...legendAbove, font: { size: fontSize.tick } },
      },
      engines.length > 4 ? 46 : 26, // so many fill two lines
    ),
  };
}
