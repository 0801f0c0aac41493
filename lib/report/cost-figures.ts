/** The cost of Sudoku-Extreme: puzzles solved against core-hours, and against FLOP together with published models. */
import { runCost } from '../experiment/cost.js';
import { finalEvaluation, quotedAccuracy, type RunRecord } from '../experiment/record.js';
import { modelRows } from './best.js';
import { axis, baseLayout, curveTrace, legendBeside, markerSymbol, percent, percentAxis } from './draw/plot-layout.js';
import type { Figure, Trace } from './draw/plotly.js';
import { colour, seriesColour } from './draw/style.js';
import { publishedFlop, publishedPoints } from './published-points.js';
import { seriesPlaces } from './series.js';
import { percentText, type Table } from './tables.js';
import { countsText } from '../words.js';

/** Runs that were scored on test puzzles of Sudoku-Extreme. */
export function extremeRuns(records: readonly RunRecord[]): RunRecord[] {
  return records.filter(
    ({ experiment: { task, evaluation } }) =>
      task.kind === 'sudoku' && task.source === 'sudoku-extreme' && evaluation.split === 'test',
  );
}

/**
 * Hours of a run, or of its training alone, times its threads. Records have no seconds of single sittings, so if these
 * differ in threads, every step counts with the same core time. Scoring counts the last sitting's threads.
 */
export function coreHours({ seconds, sittings }: RunRecord, part: 'all' | 'training'): number {
  const threadsOf = ({ threads, cores }: RunRecord['sittings'][number]): number => threads ?? cores;
  const steps = sittings.reduce((sum, { from, to }) => sum + to - from, 0);
  const long = sittings.reduce((sum, sitting) => sum + (sitting.to - sitting.from) / threadsOf(sitting), 0);
  const scoring = part === 'all' ? seconds.evaluation * threadsOf(sittings.at(-1)!) : 0;
  return ((seconds.training * steps) / long + scoring) / 3600;
}

/** Rows of plain TRMs, and the others, which a figure draws alike: apart they would be too many to tell apart. */
function plainAndOthers<Row extends { readonly records: readonly RunRecord[] }>(rows: readonly Row[]): [Row[], Row[]] {
  const isPlain = ({ records }: Row): boolean => [null, 'trm'].includes(records[0]?.experiment.variant ?? null);
  return [rows.filter(isPlain), rows.filter((row) => !isPlain(row))];
}
const nameOfOthers = 'other rows of Table 1';

/**
 * Test puzzles solved during training against the core-hours until then, at desk scale: one curve for the first seed
 * of each plain TRM, and the ends of the other rows. Only a run's last point is of all its puzzles.
 */
export function accuracyVersusCoreHours(records: readonly RunRecord[]): Figure {
  const all = modelRows(extremeRuns(records).filter(({ experiment }) => experiment.scale === 'desk'));
  const [runs, others] = plainAndOthers(all);
  const ends = others.map(({ row, records: [record] }) => ({
    name: row.label,
    hours: coreHours(record, 'training'),
    solved: quotedAccuracy(record),
  }));
  const series = runs.map(({ row, records: [record] }) => ({
    name: row.label,
    hours: record.evaluations.map(({ step }) => (coreHours(record, 'training') * step) / record.steps),
    solved: record.evaluations.map(({ exactAccuracy }) => exactAccuracy.at(-1) ?? NaN),
    way: record.evaluations.at(-2)?.puzzles,
  }));
  const places = seriesPlaces(runs);
  const allHours = [...series, ...ends].flatMap(({ hours }) => hours);
  const few = series.flatMap(({ way }) => way ?? []);
  const many = all.map(({ records: [record] }) => finalEvaluation(record).puzzles);
  const rounded = (hours: number): number => Number(hours.toPrecision(5));
  const curves = series.map(({ name, hours, solved }, index) =>
    curveTrace(
      name,
      places[index] ?? index,
      hours.map(rounded),
      solved.map(percent),
      `${name}: %{y:.1f} % after %{x:.2f} core-hours<extra></extra>`,
    ),
  );
  const endsAlike: Trace = {
    type: 'scatter',
    name: nameOfOthers,
    mode: 'markers',
    x: ends.map(({ hours }) => rounded(hours)),
    y: ends.map(({ solved }) => percent(solved)),
    text: ends.map(({ name }) => name),
    marker: { size: 7, symbol: 'circle-open', color: colour.quiet },
    hovertemplate: '%{text}: %{y:.1f} % after %{x:.2f} core-hours<extra></extra>',
  };
  const data = ends.length === 0 ? curves : [...curves, endsAlike];
  return {
    data,
    layout: baseLayout(
      {
        title: 'Accuracy versus core-hours',
        subtitle:
          `Sudoku-Extreme at desk scale, the first seed of each; ${countsText(few)} test puzzles during training, ` +
          `${countsText(many)} at the end. Only the last point of a line shows what its budget buys: before it, the ` +
          'learning rate is still high. Processors differ.',
      },
      { right: data.map(({ name }) => ({ text: `${name}WWW` })) },
      {
        xaxis: {
          ...axis('Training, core-hours'),
          type: 'log',
          tickvals: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50],
          range: [Math.log10(0.8 * Math.min(...allHours)), Math.log10(1.15 * Math.max(...allHours))],
        },
        yaxis: { ...axis('Test puzzles solved'), ...percentAxis },
        ...legendBeside(data.length),
      },
    ),
  };
}

/** A point of the figure below. */
interface CostPoint {
  readonly name: string;
  readonly flop: number;
  readonly solved: number;
}

/** Test puzzles solved in a single pass against the FLOP of the training: this kit's runs, and published models. */
export function accuracyVersusFlop(records: readonly RunRecord[]): Figure {
  const [plain, others] = plainAndOthers(modelRows(extremeRuns(records)));
  const costPoints = ({ row, records: own }: (typeof plain)[number]): CostPoint[] =>
    own.map((record) => ({
      name: row.label,
      flop: runCost(record.experiment, { train: record.data.train.examples, scored: 0 }).training,
      solved: quotedAccuracy(record),
    }));
  const ours = [
    ...plain.map((group) => ({ name: group.row.label, points: costPoints(group) })),
    ...(others.length === 0 ? [] : [{ name: nameOfOthers, points: others.flatMap(costPoints) }]),
  ];
  const published = publishedPoints().map((point) => ({ ...point, flop: publishedFlop(point) }));
  const theirs = [...new Set(published.map(({ by }) => by))].map((by) => {
    const points = published.filter((point) => point.by === by);
    return { name: `${by}: ${points.map(({ name }) => name).join(', ')}`, points };
  });
  const flop = [...ours, ...theirs].flatMap(({ points }) => points.map((point) => point.flop));
  const traces = (groups: typeof ours, ink: string, tail: string, of: string): Trace[] =>
    groups.map(({ name, points }, index) => ({
      type: 'scatter',
      name,
      mode: 'markers',
      x: points.map((point) => Number(point.flop.toPrecision(5))),
      y: points.map(({ solved }) => percent(solved)),
      text: points.map((point) => point.name),
      marker: { size: 10, symbol: `${markerSymbol(index)}${tail}`, color: ink, line: { width: 2, color: ink } },
      hovertemplate: `%{text}, ${of}: %{y:.1f} % for %{x:.2g} FLOP<extra></extra>`,
    }));
  return {
    data: [
      ...traces(ours, seriesColour(0), '', 'this kit'),
      ...traces(theirs, seriesColour(1), '-open', 'published by others'),
    ],
    layout: baseLayout(
      {
        title: 'Accuracy versus training FLOP',
        subtitle:
          'Sudoku-Extreme, its 1,000 training puzzles, single pass. Blue: this kit. Orange: published by others, ' +
          'labelled by publisher, FLOP computed from their configurations; test sets differ in size',
      },
      { right: [...ours, ...theirs].map(({ name }) => ({ text: `${name}WWW` })) },
      {
        xaxis: {
          ...axis('Training FLOP (of the networks)'),
          type: 'log',
          dtick: 1,
          exponentformat: 'power',
          range: [Math.log10(0.5 * Math.min(...flop)), Math.log10(2 * Math.max(...flop))],
        },
        yaxis: { ...axis('Test puzzles solved'), ...percentAxis },
        ...legendBeside(ours.length + theirs.length),
      },
    ),
  };
}

/** The published points, each with its source and its arithmetic. */
export function publishedTable(): Table {
  return {
    columns: ['model', 'published by', 'solved', 'steps × puzzles', 'FLOP of the training', 'source', 'note'],
    rows: publishedPoints().map((point) => [
      point.name,
      point.by,
      percentText(point.solved),
      `${point.steps.toLocaleString('en')} × ${point.batchSize.toLocaleString('en')}`,
      publishedFlop(point).toExponential(1),
      point.source,
      point.note ?? '–',
    ]),
  };
}
