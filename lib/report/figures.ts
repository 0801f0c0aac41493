/**
 * The kit's figures, each a pure function from plain rows to a plotly figure.
 * Shares are 0 … 1 in rows and % on paper.
 */
import { checkValue, flag, listOf, notNegative, number, objectOf, optional, orNull, text, whole } from '../fields.js';
import { checkRows, share, shares } from './checks.js';
import type { StoppingPoint } from '../train/thoughts.js';
import { finalEvaluation, type RunRecord } from '../experiment/record.js';
import {
  axis,
  bandTraces,
  baseLayout,
  checkOptions,
  curveTrace,
  endLabels,
  endOf,
  markedStep,
  markerSymbol,
  mean,
  mostBands,
  nameLines,
  percent,
  percentAxis,
  powersOfTwo,
  rowsLayout,
  seriesLine,
  wholeTicks,
  type Band,
  type Caption,
} from './draw/plot-layout.js';
import type { Figure, Trace } from './draw/plotly.js';
import { colour, fontSize, seriesColour, stroke, textWidth, translucent } from './draw/style.js';
import { seriesPlaces } from './series.js';
import { labelledRuns, splitsText, type LabelledRuns } from './tables.js';
import { countsText } from '../words.js';
import { InputError } from '../errors.js';

/** Accuracy of one model after each supervision step. */
export interface CycleSeries {
  readonly name: string;
  /** Share of puzzles solved whole after supervision steps 1, 2, …, 0 … 1. */
  readonly exactAccuracy: readonly number[];
  /** The spread over seeds, one value for each step; only figures with few curves draw it. */
  readonly band?: Band;
  /** Its colour, dash and marker, as an index from 0; default: its position in the figure. */
  readonly place?: number;
}

/**
 * The kit's main plot, from records: one curve for each experiment, its mean over seeds and the range from worst to
 * best.
 */
export function accuracyVersusCycles(
  records: readonly RunRecord[],
  options: Caption & { readonly trainedSteps?: number } = {},
): Figure {
  return rowsVersusCycles(labelledRuns(records), options);
}

/** The same from named rows, with an explanatory `note`; rows without runs are left out. */
export function rowsVersusCycles(
  rows: readonly LabelledRuns[],
  options: Caption & { readonly trainedSteps?: number; readonly note?: string } = {},
): Figure {
  checkRows(rows);
  const { note, ...others } = checkOptions(options, { trainedSteps: optional(whole(1)), note: optional(text) });
  const run = rows.filter(({ records: own }) => own.length > 0);
  const records = run.flatMap(({ records: own }) => own);
  const puzzles = countsText(records.map((record) => finalEvaluation(record).puzzles));
  const splits = splitsText(records.map(({ experiment }) => experiment.evaluation.split));
  const several = run.some(({ records: own }) => own.length > 1);
  const subtitle =
    records.length === 0
      ? 'not run yet'
      : `${puzzles} ${splits} puzzles` +
        (several
          ? `; mean over seeds${run.length > mostBands ? '' : ', shaded from the worst to the best seed'}`
          : '') +
        (note === undefined ? '' : `; ${note}`);
  return accuracyCurves(rowSeries(run), { subtitle, ...others });
}

function rowSeries(rows: readonly LabelledRuns[]): CycleSeries[] {
  const places = seriesPlaces(rows);
  return rows.map(({ row, records: own }, i) => ({
    name: row.label,
    place: places[i] ?? i,
    ...overSeeds(own.map((record) => finalEvaluation(record).exactAccuracy)),
  }));
}

/** The mean of several seeds' curves, and their range if there are several, both cut to the shortest. */
export function overSeeds(curves: readonly (readonly number[])[]): Omit<CycleSeries, 'name'> {
  const points = Array.from({ length: Math.min(...curves.map(({ length }) => length)) }, (_, i) =>
    curves.map((curve) => curve[i] ?? NaN),
  );
  const band = { low: points.map((seeds) => Math.min(...seeds)), high: points.map((seeds) => Math.max(...seeds)) };
  return { exactAccuracy: points.map(mean), ...(curves.length > 1 ? { band } : {}) };
}

/** Puzzles solved (or the share `of` something else) against supervision steps; `trainedSteps` is marked. */
export function accuracyCurves(
  series: readonly CycleSeries[],
  options: Caption & { readonly trainedSteps?: number; readonly of?: string } = {},
): Figure {
  const band = objectOf({ low: shares, high: shares });
  const curve = { name: text, exactAccuracy: shares, band: optional(band), place: optional(whole(0)) };
  checkValue('series', series, listOf(objectOf(curve)));
  checkOptions(options, { trainedSteps: optional(whole(1)), of: optional(text) });
  const longest = Math.max(1, ...series.map(({ exactAccuracy }) => exactAccuracy.length));
  const log = longest > 32;
  const place = (step: number): number => (log ? Math.log10(step) : step);
  const data = series.flatMap(({ name, exactAccuracy, band, place: at }, index): Trace[] => [
    ...(band === undefined || series.length > mostBands ? [] : bandTraces(name, band, seriesColour(at ?? index))),
    {
      ...curveTrace(
        name,
        at ?? index,
        exactAccuracy.map((_, i) => i + 1),
        exactAccuracy.map(percent),
        `${name}: %{y:.1f} % after %{x} steps<extra></extra>`,
      ),
      mode: exactAccuracy.length > 32 ? 'lines' : 'lines+markers',
    },
  ]);
  const ends = series.map(({ name, exactAccuracy, place: at }, index) =>
    endOf(name, at ?? index, place(exactAccuracy.length), percent(exactAccuracy.at(-1) ?? 0)),
  );
  const trained =
    options.trainedSteps !== undefined && options.trainedSteps < longest
      ? markedStep(options.trainedSteps, place)
      : { shapes: [], annotations: [] };
  return {
    data,
    layout: baseLayout(
      { title: 'Accuracy versus cycles', ...options },
      { right: ends },
      {
        xaxis: {
          ...axis('Supervision steps (cycles of thinking)'),
          ...(log
            ? { type: 'log', tickvals: powersOfTwo(longest), range: [place(0.93), place(longest * 1.04)] }
            : { tickvals: wholeTicks(longest), range: [0.6, longest + 0.4] }),
        },
        yaxis: { ...axis(options.of ?? 'Puzzles solved'), ...percentAxis },
        shapes: trained.shapes,
        annotations: [...endLabels(ends, 100), ...trained.annotations],
      },
    ),
  };
}

/** A stretch of training, as a record's curve has it. */
export interface TrainingPoint {
  readonly step: number;
  /** Mean cross-entropy a cell, nats. */
  readonly answerLoss: number;
}

/** An evaluation on the way: shares after supervision steps 1, 2, …, 0 … 1. */
export interface EvaluationPoint {
  readonly step: number;
  readonly exactAccuracy: readonly number[];
}

/**
 * Training as it goes: above, the loss on training puzzles;
 * below, the puzzles of `split`, by default test, solved after the first and after the last supervision step.
 */
export function learningCurve(
  curve: readonly TrainingPoint[],
  evaluations: readonly EvaluationPoint[],
  options: Caption & { readonly totalSteps?: number; readonly split?: 'test' | 'validation' } = {},
): Figure {
  const total =
    options.totalSteps ?? Math.max(1, ...curve.map(({ step }) => step), ...evaluations.map(({ step }) => step));
  const steps = evaluations.map(({ step }) => step);
  const solved = [
    { name: 'after the last cycle', y: evaluations.map(({ exactAccuracy }) => percent(exactAccuracy.at(-1) ?? 0)) },
    { name: 'after the first cycle', y: evaluations.map(({ exactAccuracy }) => percent(exactAccuracy[0] ?? 0)) },
  ];
  const loss: Trace = {
    type: 'scatter',
    name: 'loss',
    mode: 'lines',
    x: curve.map(({ step }) => step),
    y: curve.map(({ answerLoss }) => answerLoss),
    line: { color: colour.ink, width: stroke.line },
    hovertemplate: '%{y:.3f} nats a cell<extra>step %{x}</extra>',
  };
  const ends =
    steps.length === 0 ? [] : solved.map(({ name, y }, index) => endOf(name, index, steps.at(-1)!, y.at(-1)!));
  return {
    data: [
      loss,
      ...solved.map(({ name, y }, index) =>
        curveTrace(name, index, steps, y, `%{y:.1f} % ${name}<extra>step %{x}</extra>`, { yaxis: 'y2' }),
      ),
    ],
    layout: baseLayout(
      { title: 'Learning', ...options },
      { right: [{ text: 'after the first cycle' }], left: 60 },
      {
        xaxis: { ...axis('Optimizer steps'), range: [0, total * 1.01], anchor: 'y2' },
        yaxis: { ...axis('Training loss<br>(nats a cell)'), domain: [0.58, 1], rangemode: 'tozero' },
        yaxis2: {
          ...axis(`${options.split === 'validation' ? 'Validation' : 'Test'} puzzles<br>solved`),
          ...percentAxis,
          domain: [0, 0.46],
        },
        annotations: endLabels(ends, 100, 'y2', 0.46),
      },
    ),
  };
}

/** Supervision steps used in training, for one run. */
export interface HaltingSeries {
  readonly name: string;
  /** meanSteps: mean over the puzzles that left in the stretch; null when none did. */
  readonly curve: readonly { readonly step: number; readonly meanSteps: number | null }[];
}

/** Supervision steps that puzzles use before the model thinks they are right, during training. */
export function haltingCurve(
  series: readonly HaltingSeries[],
  options: Caption & { readonly supervisionSteps?: number } = {},
): Figure {
  const point = objectOf({ step: notNegative, meanSteps: orNull(notNegative) });
  checkValue('series', series, listOf(objectOf({ name: text, curve: listOf(point) })));
  const { supervisionSteps = 16, ...caption } = checkOptions(options, { supervisionSteps: optional(whole(1)) });
  const known = series.map(({ name, curve }) => ({
    name,
    points: curve.filter((point): point is { step: number; meanSteps: number } => point.meanSteps !== null),
  }));
  const most = Math.max(supervisionSteps, ...known.flatMap(({ points }) => points.map(({ meanSteps }) => meanSteps)));
  const ends = known.flatMap(({ name, points }, index) => {
    const last = points.at(-1);
    return last === undefined ? [] : [endOf(name, index, last.step, last.meanSteps)];
  });
  return {
    data: known.map(
      ({ name, points }, index): Trace => ({
        type: 'scatter',
        name,
        mode: 'lines',
        x: points.map(({ step }) => step),
        y: points.map(({ meanSteps }) => meanSteps),
        line: seriesLine(index),
        hovertemplate: `${name}: %{y:.1f} steps<extra>optimizer step %{x}</extra>`,
      }),
    ),
    layout: baseLayout(
      { title: 'Halting', ...caption },
      { right: ends },
      {
        xaxis: {
          ...axis('Optimizer steps'),
          range: [0, 1.01 * Math.max(1, ...series.flatMap(({ curve }) => curve.map(({ step }) => step)))],
        },
        yaxis: {
          ...axis('Supervision steps before halting (mean)'),
          range: [0, most * 1.06],
          dtick: most > 20 ? 8 : most > 8 ? 4 : 1,
        },
        annotations: endLabels(ends, most),
      },
    ),
  };
}

/** One puzzle after one supervision step. */
export interface ThoughtPoint {
  readonly step: number;
  /** Share of the open cells that are right, 0 … 1. */
  readonly rightCells: number;
  /** How likely the model thinks that the whole board is right, 0 … 1. */
  readonly haltProbability: number;
}

/** One puzzle during inference: the share of right cells, and the model's belief that the board is right. */
export function thinkingCurve(thoughts: readonly ThoughtPoint[], options: Caption = {}): Figure {
  checkValue('thoughts', thoughts, listOf(objectOf({ step: whole(0), rightCells: share, haltProbability: share })));
  const lines = [
    { name: 'open cells right', y: thoughts.map(({ rightCells }) => percent(rightCells)), dash: 'solid' },
    { name: 'sure', y: thoughts.map(({ haltProbability }) => percent(haltProbability)), dash: 'dot' },
  ];
  const steps = thoughts.map(({ step }) => step);
  const ends = lines.map(({ name, y }, index) => endOf(name, index, steps.at(-1) ?? 0, y.at(-1) ?? 0));
  return {
    data: lines.map(({ name, y, dash }, index) => ({
      ...curveTrace(name, index, steps, y, `${name}: %{y:.0f} %<extra>after %{x} steps</extra>`),
      line: { ...seriesLine(index), dash },
    })),
    layout: baseLayout(
      { title: 'One puzzle, step by step', ...checkOptions(options, {}) },
      { right: ends },
      {
        xaxis: {
          ...axis('Supervision steps (cycles of thinking)'),
          tickvals: wholeTicks(steps.length),
          range: [0.6, steps.length + 0.4],
        },
        yaxis: { ...axis('Share'), ...percentAxis },
        annotations: endLabels(ends, 100),
      },
    ),
  };
}

/** A named list of numbers. */
export interface Sample {
  readonly name: string;
  readonly values: readonly number[];
}

/** How values are spread: share of each sample at every whole number. Throws InputError for values that are none. */
export function distribution(samples: readonly Sample[], options: Caption & { readonly of: string }): Figure {
  checkValue('samples', samples, listOf(objectOf({ name: text, values: listOf(number) })));
  const { of } = checkOptions(options, { of: text });
  const all = samples.flatMap(({ values }) => values);
  checkValue('values of the samples', all, listOf(number, 1));
  // Sudoku-Extreme's 400,000 puzzles are too many arguments for Math.min.
  const first = Math.round(all.reduce((least, value) => Math.min(least, value)));
  const bins = Math.round(all.reduce((most, value) => Math.max(most, value))) - first + 1;
  const centres = Array.from({ length: bins }, (_, bin) => first + bin);
  return {
    data: samples.map(({ name, values }, index): Trace => {
      const counts = new Float64Array(bins);
      for (const value of values) counts[Math.round(value) - first]! += 1;
      return {
        type: 'bar',
        name: `${name} (${values.length.toLocaleString('en')})`,
        x: centres,
        y: Array.from(counts, (count) => (count === 0 ? null : percent(count / values.length))),
        offset: index / samples.length - 0.5,
        width: 1 / samples.length,
        // Filled, then hollow: told apart in black and white too.
        marker: {
          color: index === 0 ? seriesColour(0) : colour.paper,
          line: { color: seriesColour(index), width: 1.5 },
        },
        hovertemplate: `%{y:.1f} % of ${name}<extra>${of} %{x}</extra>`,
      };
    }),
    layout: baseLayout(
      { title: of, ...options },
      {},
      {
        xaxis: { ...axis(of), range: [first - 0.75, first + bins - 0.25] },
        yaxis: { ...axis('Share of the set'), ticksuffix: ' %', rangemode: 'tozero' },
        showlegend: samples.length > 1,
        legend: {
          x: 1,
          xanchor: 'right',
          y: 1,
          yanchor: 'top',
          font: { size: fontSize.label },
          bgcolor: translucent(colour.paper, 0.8),
        },
        bargap: 0,
      },
    ),
  };
}

/** Accuracy bought with thinking: one point for every sureness at which thinking may stop. */
export function stoppingCurve(points: readonly StoppingPoint[], options: Caption = {}): Figure {
  checkValue('points', points, listOf(objectOf({ sureness: share, exactAccuracy: share, meanSteps: notNegative }), 1));
  const steps = points.map(({ meanSteps }) => meanSteps);
  const [least, most] = [Math.min(...steps), Math.max(...steps)];
  const from = least < most && least > most / 2 ? least - 0.2 * (most - least) : 0;
  const x = [from, most + 0.12 * (most - from)] as const; // room for a label
  const y = [-8, 104] as const; // room for a label below 0 %
  const layout = baseLayout(
    { title: 'Stopping when sure', ...checkOptions(options, {}) },
    {},
    {
      xaxis: { ...axis('Supervision steps used (mean)'), range: x },
      yaxis: { ...axis('Puzzles solved'), ...percentAxis, range: y },
    },
  );
  const { l, r, t, b } = layout['margin'] as Readonly<Record<'l' | 'r' | 't' | 'b', number>>;
  const [across, down] = [(layout.width - l - r) / (x[1] - x[0]), (layout.height - t - b) / (y[1] - y[0])];
  return {
    data: [
      {
        type: 'scatter',
        name: 'stop when sure',
        mode: 'lines+markers',
        x: points.map(({ meanSteps }) => meanSteps),
        y: points.map(({ exactAccuracy }) => percent(exactAccuracy)),
        line: { color: seriesColour(0), width: stroke.line },
        marker: { size: stroke.marker, symbol: markerSymbol(0) },
        text: points.map(({ sureness }) => `sure: ${percent(sureness)} %`),
        hovertemplate: '%{y:.1f} % solved with %{x:.2f} steps<extra>%{text}</extra>',
      },
    ],
    layout: {
      ...layout,
      // Below and to the right of a point, which a rising curve leaves free.
      annotations: stopLabels(points, across, down).map((label) => ({
        ...label,
        xanchor: 'left',
        yanchor: 'top',
        xshift: 4,
        yshift: -2,
        borderpad: 0,
        showarrow: false,
        font: { size: fontSize.tick, color: colour.quiet },
      })),
    },
  };
}

interface StopLabel {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

/**
 * The labels of the points. Points whose labels would overlap share one. `across` and `down`: CSS pixels of one step
 * and of one percent.
 */
function stopLabels(points: readonly StoppingPoint[], across: number, down: number): StopLabel[] {
  const label = (rules: readonly StoppingPoint[]): StopLabel => {
    const sure = [rules[0]!, rules.at(-1)!].map(({ sureness }) => percent(sureness));
    const { meanSteps, exactAccuracy } = rules.reduce((a, b) => (b.meanSteps > a.meanSteps ? b : a)); // rightmost
    return { text: `${[...new Set(sure)].join('–')} %`, x: meanSteps, y: percent(exactAccuracy) };
  };
  const overlap = (a: StopLabel, b: StopLabel): boolean => {
    const left = a.x < b.x ? a : b;
    return (
      Math.abs(a.x - b.x) * across < textWidth(left.text, fontSize.tick) + 6 &&
      Math.abs(a.y - b.y) * down < 1.5 * fontSize.tick
    );
  };
  const groups = [...points].sort((a, b) => a.sureness - b.sureness).map((point) => [point]);
  for (let end = 1; end < groups.length; end++) {
    const start = groups.findIndex((group, i) => i < end && overlap(label(group), label(groups[end]!)));
    if (start < 0) continue;
    groups.splice(start, end - start + 1, groups.slice(start, end + 1).flat());
    end = 0; // the joined label is wider
  }
  return groups.map(label);
}

/** One row of a comparison with the paper; shares 0 … 1, null where there is none. */
export interface ComparedRow {
  readonly name: string;
  readonly paper: number | null;
  /** One value a seed. */
  readonly ours: readonly number[];
  /** Only some seeds learned, so that a mean would describe neither kind. */
  readonly noMean?: boolean;
}

/**
 * Ours and the paper's, row by row: open diamonds for the paper's, dots for our seeds, bars for our means, except where
 * only some seeds learned. `of`: what the shares are of.
 */
export function paperVersusOurs(
  rows: readonly ComparedRow[],
  options: Caption & { readonly of?: string } = {},
): Figure {
  const row = { name: text, paper: orNull(share), ours: shares, noMean: optional(flag) };
  checkValue('rows', rows, listOf(objectOf(row)));
  const { of = 'Test puzzles solved', ...caption } = checkOptions(options, { of: optional(text) });
  const names = rows.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new InputError(`rows: expected each name once, got ${twice} twice`);
  const shown = names.map(nameLines);
  const withSeeds = rows.filter(({ ours }) => ours.length > 0);
  const withMean = withSeeds.filter(({ noMean }) => noMean !== true);
  const inPaper = rows.filter(({ paper }) => paper !== null);
  const left = Math.max(...shown.flat().map((line) => textWidth(line, fontSize.tick)));
  return {
    data: [
      {
        type: 'scatter',
        name: 'ours, mean',
        mode: 'markers',
        x: withMean.map(({ ours }) => percent(mean(ours))),
        y: withMean.map(({ name }) => name),
        marker: {
          symbol: 'line-ns-open',
          size: 20,
          color: seriesColour(0),
          line: { width: 3, color: seriesColour(0) },
        },
        hovertemplate: 'mean %{x:.1f} %<extra>%{y}</extra>',
      },
      {
        type: 'scatter',
        name: 'ours, each seed',
        mode: 'markers',
        x: withSeeds.flatMap(({ ours }) => ours.map(percent)),
        y: withSeeds.flatMap(({ name, ours }) => ours.map(() => name)),
        marker: { symbol: 'circle', size: 8, color: translucent(seriesColour(0), 0.55) },
        hovertemplate: '%{x:.1f} %<extra>%{y}</extra>',
      },
      {
        type: 'scatter',
        name: 'paper',
        mode: 'markers',
        x: inPaper.map(({ paper }) => percent(paper ?? 0)),
        y: inPaper.map(({ name }) => name),
        marker: { symbol: 'diamond-open', size: 11, color: seriesColour(1), line: { width: 2 } },
        hovertemplate: 'paper %{x:.1f} %<extra>%{y}</extra>',
      },
    ],
    layout: rowsLayout({ title: 'Ours and the paper’s', ...caption }, of, left, names, {
      tickvals: names,
      ticktext: shown.map((lines) => lines.join('<br>')),
    }),
  };
}
