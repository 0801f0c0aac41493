/** Figures of a whole table's runs: depth, cost, longer thinking and memorisation, variant by variant. */
import { runCost } from '../experiment/cost.js';
import { closingEvaluation, finalEvaluation, quotedAccuracy, voteOf, type RunRecord } from '../experiment/record.js';
import { InputError } from '../errors.js';
import { optional, text } from '../fields.js';
import { effectiveDepth } from '../model/schedule.js';
import type { Evaluation } from '../train/evaluate.js';
import { checkRows } from './checks.js';
import { accuracyCurves, overSeeds, type CycleSeries } from './figures.js';
import type { PaperTableRow } from './paper-rows.js';
import {
  axis,
  bandTraces,
  baseLayout,
  checkOptions,
  curveTrace,
  endLabels,
  endOf,
  errorBar,
  legendAbove,
  legendBeside,
  markerSymbol,
  mean,
  mostBands,
  percent,
  percentAxis,
  powersOfTwo,
  rowsLayout,
  type Caption,
} from './draw/plot-layout.js';
import type { Figure, Trace } from './draw/plotly.js';
import { placeOf, seriesPlaces } from './series.js';
import { spreadOf } from './statistics.js';
import { colour, fontSize, seriesColour, stroke, textWidth } from './draw/style.js';
import { splitsText, type LabelledRuns } from './tables.js';
import { countsText } from '../words.js';

/** Accuracy after 1 … N supervision steps, with N beyond that of training. */
export function longerThinking(rows: readonly LabelledRuns[], options: Caption = {}): Figure {
  checkRows(rows);
  checkOptions(options, {});
  const looked = rows.filter(({ records }) => records.some((record) => closingEvaluation(record, 'longer')));
  const trained = looked[0]?.records[0]?.experiment;
  const trainedSteps = trained?.training.supervisionSteps ?? trained?.model.supervisionSteps;
  const places = seriesPlaces(looked);
  const series = looked.map(({ row, records }, i): CycleSeries => {
    const curves = records.flatMap((record) => {
      const longer = closingEvaluation(record, 'longer');
      return longer === undefined ? [] : [longer.exactAccuracy];
    });
    return { name: row.label, place: places[i] ?? i, ...overSeeds(curves) };
  });
  return accuracyCurves(series, {
    title: 'Thinking longer than trained',
    subtitle: studyCaption(looked, bandText(looked), (record) => [closingEvaluation(record, 'longer')]),
    ...(trainedSteps === undefined ? {} : { trainedSteps }),
    ...options,
  });
}

/** Table 3: puzzles solved against the layers of one supervision step, ours and the paper's. */
export function accuracyVersusDepth(rows: readonly PaperTableRow[], options: Caption = {}): Figure {
  checkRows(rows);
  const nets = (['TRM', 'HRM'] as const).map((net) => ({
    net,
    index: placeOf(net === 'TRM' ? 'trm' : 'hrm') ?? 0,
    own: rows.filter(({ row }) => row.depthRow?.net === net).sort((a, b) => depthOf(a) - depthOf(b)),
  }));
  if (nets.every(({ own }) => own.length === 0))
    throw new InputError(
      'rows: expected some of Table 3, got none that have a depth; make them by paperTableRows(3, …)',
    );
  const task = rows[0]?.experiment.task;
  const { subtitle = studyCaption(rows, 'bars: standard deviation'), ...caption } = checkOptions(options, {});
  const boards =
    task?.kind === 'sudoku' && task.source !== 'sudoku-extreme'
      ? [`ours: ${task.side}×${task.side} boards, the paper’s: Sudoku-Extreme`]
      : [];
  const below = [subtitle, ...boards].join('; ');
  const traces = nets.flatMap(({ net, index, own }): Trace[] => {
    const run = withRecords(own);
    const reported = own.filter(({ row }) => row.sudoku !== null);
    const error = run.map((row) => percent(deviation(accuracies(row))));
    return [
      {
        type: 'scatter',
        name: `${net}, ours`,
        mode: run.length === 1 ? 'markers' : 'lines+markers',
        x: run.map(depthOf),
        y: run.map((row) => percent(mean(accuracies(row)))),
        error_y: errorBar(error, index),
        line: { color: seriesColour(index), width: stroke.line },
        marker: { size: 8, symbol: markerSymbol(index) },
        hovertemplate: `${net}, ours: %{y:.1f} % at %{x} layers<extra></extra>`,
      },
      {
        type: 'scatter',
        name: `${net}, paper`,
        mode: 'lines+markers',
        x: reported.map(depthOf),
        y: reported.map(({ row }) => row.sudoku ?? 0),
        line: { color: seriesColour(index), width: 1.25, dash: 'dot' },
        marker: { size: 8, symbol: `${markerSymbol(index)}-open` },
        hovertemplate: `${net}, paper: %{y:.1f} % at %{x} layers<extra></extra>`,
      },
    ];
  });
  const depths = nets.flatMap(({ own }) => own.map(depthOf));
  return {
    data: traces,
    layout: baseLayout(
      { title: 'Accuracy versus depth', ...caption, subtitle: below },
      {},
      {
        xaxis: {
          ...axis('Layers of one supervision step'),
          type: 'log',
          tickvals: powersOfTwo(1024),
          range: [Math.log10(0.85 * Math.min(...depths)), Math.log10(1.15 * Math.max(...depths))],
        },
        yaxis: { ...axis('Puzzles solved'), ...percentAxis },
        showlegend: true,
        legend: legendAbove,
      },
      26,
    ),
  };
}

/** Puzzles solved against what the training cost, one point a variant. `of`: what the shares are of. */
export function costVersusAccuracy(
  rows: readonly LabelledRuns[],
  options: Caption & { readonly of?: string } = {},
): Figure {
  checkRows(rows);
  const run = withRecords(rows);
  const voted = run.some(({ records }) => records.some(voteOf));
  const { of = `${capital(splitsOf(run))} ${voted ? 'tasks solved in two tries' : 'puzzles solved'}`, ...caption } =
    checkOptions(options, { of: optional(text) });
  const places = seriesPlaces(run);
  const points = run.map((each, i) => ({
    name: each.row.label,
    index: places[i] ?? i,
    cost: trainingFlop(each) / 1e12,
    share: mean(accuracies(each)),
    spread: deviation(accuracies(each)),
  }));
  return {
    data: points.map(
      ({ name, index, cost, share, spread }): Trace => ({
        type: 'scatter',
        name,
        mode: 'markers',
        x: [cost],
        y: [percent(share)],
        error_y: errorBar([percent(spread)], index),
        marker: {
          size: 10,
          symbol: markerSymbol(index),
          color: seriesColour(index),
          line: { width: 2, color: seriesColour(index) },
        },
        hovertemplate: `${name}: %{y:.1f} % for %{x:.1f} TFLOP<extra></extra>`,
      }),
    ),
    // Rows of one cost lie above each other, so the names stand apart, in the order of the table.
    layout: baseLayout(
      { title: 'Accuracy versus training cost', subtitle: studyCaption(rows, 'bars: standard deviation'), ...caption },
      { right: points.map(({ name }) => ({ text: `${name}WWW` })) },
      {
        xaxis: {
          ...axis('Training cost (TFLOP of the networks)'),
          range: [0, 1.08 * Math.max(1e-9, ...points.map(({ cost }) => cost))],
        },
        yaxis: { ...axis(of), ...percentAxis },
        ...legendBeside(points.length),
      },
    ),
  };
}

/** Training puzzles and test (or validation) puzzles solved, row by row; the gap is memorisation. */
export function trainingVersusTest(rows: readonly LabelledRuns[], options: Caption = {}): Figure {
  checkRows(rows);
  const looked = rows.filter(({ records }) => records.some((record) => closingEvaluation(record, 'training')));
  const names = looked.map(({ row }) => row.label);
  const splits = splitsOf(looked);
  const seen = looked.map(({ records }) => records.flatMap((record) => closingEvaluation(record, 'training') ?? []));
  const onTraining = seen.map((evaluations) => percent(mean(evaluations.map(last))));
  const few = Math.max(0, ...seen.flat().map(({ puzzles }) => puzzles));
  const onTest = looked.map(({ records }) => percent(mean(records.map((record) => last(finalEvaluation(record))))));
  return {
    data: [
      ...names.map(
        (name, i): Trace => ({
          type: 'scatter',
          mode: 'lines',
          x: [onTest[i] ?? 0, onTraining[i] ?? 0],
          y: [name, name],
          line: { color: colour.faint, width: 5 },
          hoverinfo: 'skip',
          showlegend: false,
        }),
      ),
      {
        type: 'scatter',
        name: 'training puzzles',
        mode: 'markers',
        x: onTraining,
        y: names,
        marker: { symbol: 'diamond-open', size: 11, color: seriesColour(1), line: { width: 2 } },
        hovertemplate: '%{x:.1f} % of training puzzles<extra>%{y}</extra>',
      },
      {
        type: 'scatter',
        name: `${splits} puzzles`,
        mode: 'markers',
        x: onTest,
        y: names,
        marker: { symbol: 'circle', size: 10, color: seriesColour(0) },
        hovertemplate: `%{x:.1f} % of ${splits} puzzles<extra>%{y}</extra>`,
      },
    ],
    layout: rowsLayout(
      {
        title: `Training puzzles versus ${splits} puzzles`,
        subtitle: `${studyCaption(looked)}; ${few.toLocaleString('en')} training puzzles`,
        ...checkOptions(options, {}),
      },
      'Puzzles solved',
      Math.max(0, ...names.map((name) => textWidth(name, fontSize.tick))),
      names,
    ),
  };
}

/** Puzzles solved as training goes on, one curve a variant, shaded from the worst seed to the best. */
export function learningCurves(
  rows: readonly LabelledRuns[],
  options: Caption & { readonly of?: string } = {},
): Figure {
  checkRows(rows);
  const run = withRecords(rows);
  const { of = `${capital(splitsOf(run))} puzzles solved`, ...caption } = checkOptions(options, { of: optional(text) });
  const apart = trainedApart(run);
  const places = seriesPlaces(apart);
  const series = apart.map(({ row, records }, i) => ({
    index: places[i] ?? i,
    name: row.label,
    steps: records[0]?.evaluations.map(({ step }) => step) ?? [],
    ...overSeeds(records.map(({ evaluations }) => evaluations.map(last))),
  }));
  const ends = series.map(({ index, name, steps, exactAccuracy }) =>
    endOf(name, index, steps.at(-1) ?? 0, percent(exactAccuracy.at(-1) ?? 0)),
  );
  return {
    data: series.flatMap(({ index, name, steps, exactAccuracy, band }): Trace[] => [
      ...(band === undefined || series.length > mostBands
        ? []
        : bandTraces(name, band, seriesColour(index)).map((trace) => ({ ...trace, x: steps }))),
      curveTrace(name, index, steps, exactAccuracy.map(percent), `${name}: %{y:.1f} % at step %{x}<extra></extra>`),
    ]),
    layout: baseLayout(
      {
        title: 'Learning curves by variant',
        subtitle: studyCaption(apart, bandText(apart), ({ evaluations }) => evaluations),
        ...caption,
      },
      { right: ends },
      {
        xaxis: { ...axis('Optimizer steps'), range: [0, 1.01 * Math.max(1, ...ends.map(({ x }) => x))] },
        yaxis: { ...axis(of), ...percentAxis },
        annotations: endLabels(ends, 100),
      },
    ),
  };
}

/**
 * Supervision steps of training puzzles before they halt, during training: one panel for each variant, with its mean
 * over seeds in front of the others in grey.
 */
export function haltingOverTraining(rows: readonly LabelledRuns[], options: Caption = {}): Figure {
  checkRows(rows);
  const run = trainedApart(rows);
  const series = run.map(({ row, records }) => {
    const points = (records[0]?.curve ?? []).flatMap(({ step }, i) => {
      const known = records.flatMap(({ curve }) => curve[i]?.meanSteps ?? []);
      return known.length === 0 ? [] : [{ step, steps: mean(known) }];
    });
    return { name: row.label, x: points.map(({ step }) => step), y: points.map(({ steps }) => steps) };
  });
  const columns = Math.min(3, Math.max(1, series.length));
  const panels = series.map((_, i) => haltingPanel(series, i, columns));
  return {
    data: panels.flatMap(({ traces }) => traces),
    layout: baseLayout(
      { title: 'Halting during training', subtitle: trainingCaption(run), ...checkOptions(options, {}) },
      {},
      {
        height: 150 + 140 * Math.max(1, Math.ceil(series.length / columns)),
        ...Object.assign({}, ...panels.map(({ axes }) => axes)),
        annotations: panels.map(({ title }) => title),
      },
      12,
    ),
  };
}

/** A line with a name. */
interface Series {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** Panel `i` of a grid of panels with the same scales: one series in colour, and the others behind it. */
function haltingPanel(
  series: readonly Series[],
  i: number,
  columns: number,
): { readonly traces: Trace[]; readonly axes: Record<string, object>; readonly title: object } {
  const own = series[i]!;
  const others = series.filter((other) => other !== own);
  const high = Math.ceil(series.length / columns);
  const last = Math.max(1, ...series.flatMap(({ x }) => x));
  const most = Math.max(1, ...series.flatMap(({ y }) => y));
  const [column, row] = [i % columns, Math.floor(i / columns)];
  const [left, top] = [(column * 1.08) / (1.08 * columns - 0.08), 1 - (row * 1.4) / (1.4 * high - 0.4)];
  const [right, bottom] = [left + 1 / (1.08 * columns - 0.08), top - 1 / (1.4 * high - 0.4)];
  const id = i === 0 ? '' : String(i + 1);
  const lowest = i + columns >= series.length;
  return {
    traces: [
      {
        type: 'scatter',
        name: 'the others',
        mode: 'lines',
        x: others.flatMap(({ x }) => [...x, null]),
        y: others.flatMap(({ y }) => [...y, null]),
        xaxis: `x${id}`,
        yaxis: `y${id}`,
        line: { color: colour.faint, width: 1 },
        hoverinfo: 'skip',
      },
      {
        type: 'scatter',
        name: own.name,
        mode: 'lines',
        x: own.x,
        y: own.y,
        xaxis: `x${id}`,
        yaxis: `y${id}`,
        line: { color: seriesColour(0), width: stroke.line },
        hovertemplate: `${own.name}: %{y:.1f} steps<extra>optimizer step %{x}</extra>`,
      },
    ],
    axes: {
      [`xaxis${id}`]: {
        ...axis(lowest && column === Math.floor((columns - 1) / 2) ? 'Optimizer steps' : ''),
        domain: [left, right],
        anchor: `y${id}`,
        range: [0, 1.01 * last],
        nticks: 4,
        showticklabels: lowest,
      },
      [`yaxis${id}`]: {
        ...axis(column === 0 && row === Math.floor((high - 1) / 2) ? 'Cycles (mean)' : ''),
        domain: [bottom, top],
        anchor: `x${id}`,
        range: [0, 1.06 * most],
        dtick: most > 8 ? 4 : 1,
        showticklabels: column === 0,
      },
    },
    title: {
      text: own.name,
      x: left,
      y: top,
      xref: 'paper',
      yref: 'paper',
      xanchor: 'left',
      yanchor: 'bottom',
      showarrow: false,
      font: { size: fontSize.label, color: colour.ink },
    },
  };
}

/**
 * The caption of a figure: its data, the puzzles scored, the seeds. `spread` explains bands or bars. `shown` returns
 * the evaluations that the figure draws; by default the final one.
 */
export function studyCaption(
  rows: readonly LabelledRuns[],
  spread = '',
  shown: (record: RunRecord) => readonly (Evaluation | undefined)[] = (record) => [finalEvaluation(record)],
): string {
  const records = rows.flatMap(({ records: own }) => own);
  if (records.length === 0) return 'not run yet';
  const puzzles = countsText(records.flatMap(shown).flatMap((evaluation) => evaluation?.puzzles ?? []));
  const sets = several(records.map(({ data }) => data.test.name));
  const arc = records.every(({ experiment }) => experiment.task.kind === 'arc'); // their names state the tasks
  const shaded = spread === '' || seedsText(rows) === 'one seed' ? '' : `, ${spread}`;
  return `${sets}${arc ? '' : `, ${puzzles} puzzles`}; ${seedsText(rows)}${shaded}`;
}

/** What the bands of a figure show; empty if it has too many curves for bands. */
export function bandText(rows: readonly LabelledRuns[]): string {
  return trainedApart(rows).length > mostBands ? '' : 'shaded from the worst to the best seed';
}

/** The caption of panels about training alone. */
function trainingCaption(rows: readonly LabelledRuns[]): string {
  const sets = several(withRecords(rows).flatMap(({ records }) => records.map(({ data }) => data.train.name)));
  return sets === '' ? 'not run yet' : `${sets}; ${seedsText(rows)}; grey: the other rows`;
}

/** The splits that runs were scored on. */
function splitsOf(rows: readonly LabelledRuns[]): string {
  return splitsText(rows.flatMap(({ records }) => records.map(({ experiment }) => experiment.evaluation.split)));
}

const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

function seedsText(rows: readonly LabelledRuns[]): string {
  const seeds = countsText(withRecords(rows).map(({ records }) => records.length));
  return seeds === '1' ? 'one seed' : `mean over ${seeds} seeds`;
}

function several(names: readonly string[]): string {
  return [...new Set(names)].join(' or ');
}

function withRecords<Row extends LabelledRuns>(rows: readonly Row[]): Row[] {
  return rows.filter(({ records }) => records.length > 0);
}

/**
 * Rows with distinct trainings. A row of raw weights repeats the runs of another row and differs in the final
 * evaluation alone, so it is dropped.
 */
function trainedApart(rows: readonly LabelledRuns[]): LabelledRuns[] {
  const run = withRecords(rows);
  const alike = (one: RunRecord | undefined, other: RunRecord | undefined): boolean =>
    one?.id === other?.id && (one?.evaluations ?? []).slice(0, -1).every((each, i) => each === other?.evaluations[i]);
  return run.filter(({ records: [first] }, i) => !run.slice(0, i).some(({ records: [other] }) => alike(first, other)));
}

function depthOf({ experiment }: PaperTableRow): number {
  return effectiveDepth(experiment.model);
}

/** Training FLOP of one run; 0 without runs. */
function trainingFlop({ records: [first] }: LabelledRuns): number {
  return first === undefined ? 0 : runCost(first.experiment).training;
}

function accuracies({ records }: LabelledRuns): number[] {
  return records.map(quotedAccuracy);
}

function last({ exactAccuracy }: Evaluation): number {
  return exactAccuracy.at(-1) ?? NaN;
}

/** Standard deviation over seeds; 0 for a single one, so that no bar is drawn. */
function deviation(values: readonly number[]): number {
  return spreadOf(values).deviation ?? 0;
}
