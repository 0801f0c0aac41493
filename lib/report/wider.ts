/** Thinking wider as a figure and as tables: the accuracy of each way of spending more passes. */
import type { SearchPart, StepsPart, WiderRecord } from '../experiment/wider-record.js';
import type { SurerAnswer } from '../train/until-sure.js';
import {
  axis,
  baseLayout,
  curveTrace,
  endLabels,
  endOf,
  percent,
  percentAxis,
  powersOfTwo,
  seriesLine,
} from './draw/plot-layout.js';
import type { Figure, Trace } from './draw/plotly.js';
import { seriesColour } from './draw/style.js';
import { binomialInterval } from './statistics.js';
import { percentPoints, percentText, type Table } from './tables.js';
import { plural } from '../words.js';

/** The accuracy of one way of thinking at one number of passes. */
export interface WiderPoint {
  readonly way: 'more cycles' | 'noisy chains' | 'votes' | 'surest' | 'stop when sure';
  /** "8 forms", "up to 1,024 passes". */
  readonly setting: string;
  /** Mean passes a puzzle. */
  readonly passes: number;
  readonly puzzles: number;
  readonly solved: number;
  /** Puzzles at which the halting head stopped, and those of them with a wrong answer; only where it stops. */
  readonly stops?: { readonly sure: number; readonly wrong: number };
}

/** Thresholds that are tried: whole halting logits up to the study's own. */
function thresholdsOf({ plan }: WiderRecord): number[] {
  return Array.from({ length: Math.floor(plan.haltAbove) + 1 }, (_, i) => i);
}

/** The threshold with the most validation puzzles solved; in a tie, the one with the fewest passes. */
export function chosenThreshold(record: WiderRecord): number {
  const tried = thresholdsOf(record).map((haltAbove) => ({
    haltAbove,
    point: stopWhenSure(searched(record, 'validation'), haltAbove, limitOf(record)),
  }));
  tried.sort((a, b) => b.point.solved - a.point.solved || a.point.passes - b.point.passes);
  return tried[0]!.haltAbove;
}

/** All points of a study, way by way, each in order of passes. */
export function widerPoints(record: WiderRecord): WiderPoint[] {
  const { formSteps, leastForms, cycles, chains, chainSteps, testPuzzles: puzzles } = record.plan;
  const searches = searchParts(record, 'test');
  const tested = searched(record, 'test');
  const haltAbove = chosenThreshold(record);
  const sum = (counts: readonly (number | undefined)[]): number => counts.reduce<number>((all, n) => all + (n ?? 0), 0);
  const stepsParts = (method: StepsPart['method']): StepsPart[] =>
    record.parts.filter((part): part is StepsPart => part.method === method);
  const cycleParts = stepsParts('cycles');
  const chainParts = stepsParts('chains');
  return [
    ...powersOfTwo(cycles).map((steps): WiderPoint => {
      const solved = sum(cycleParts.map((part) => part.solved[steps - 1]));
      return { way: 'more cycles', setting: plural(steps, 'cycle'), passes: steps, puzzles, solved };
    }),
    ...powersOfTwo(chainSteps).map((steps): WiderPoint => {
      const solved = sum(chainParts.map((part) => part.solved[steps - 1]));
      const setting = `${plural(chains, 'chain')}, ${plural(steps, 'cycle')}`;
      return { way: 'noisy chains', setting, passes: chains * steps, puzzles, solved };
    }),
    ...powersOfTwo(leastForms).map((forms): WiderPoint => {
      const solved = sum(searches.map((part) => part.votes[forms - 1]));
      return { way: 'votes', setting: plural(forms, 'form'), passes: forms * formSteps, puzzles, solved };
    }),
    ...powersOfTwo(leastForms).map((forms): WiderPoint => {
      const passes = forms * formSteps;
      const solved = tested.filter((answers) => surestWithin(answers, passes)?.right === true).length;
      return { way: 'surest', setting: plural(forms, 'form'), passes, puzzles, solved };
    }),
    ...powersOfTwo(limitOf(record))
      .filter((limit) => limit >= formSteps)
      .map((limit) => stopWhenSure(tested, haltAbove, limit)),
  ];
}

/** Solved against passes, one curve a way. */
export function widerFigure(record: WiderRecord): Figure {
  const points = widerPoints(record);
  const haltAbove = chosenThreshold(record);
  const puzzles = record.plan.testPuzzles;
  const ways = [...new Set(points.map(({ way }) => way))];
  const series = ways.map((way) => ({ way, own: points.filter((point) => point.way === way) }));
  const ends = series.map(({ way, own }, index) =>
    endOf(way, index, Math.log10(own.at(-1)!.passes), percent(own.at(-1)!.solved / puzzles)),
  );
  const most = Math.max(...points.map(({ passes }) => passes));
  return {
    data: series.map(({ way, own }, index): Trace => {
      const intervals = own.map(intervalOf);
      const error = {
        type: 'data',
        symmetric: false,
        array: own.map(({ solved }, i) => percent(intervals[i]![1] - solved / puzzles)),
        arrayminus: own.map(({ solved }, i) => percent(solved / puzzles - intervals[i]![0])),
        color: seriesColour(index),
        thickness: 1,
        width: 3,
      };
      const passes = own.map((point) => Number(point.passes.toPrecision(5)));
      const solved = own.map((point) => percent(point.solved / puzzles));
      const says = `${way}: %{y:.1f} % with %{x:.0f} passes<extra></extra>`;
      const curve = curveTrace(way, index, passes, solved, says, { error_y: error });
      // Uses the votes' forms and is often as good, so it is dashed to show the votes' curve.
      return way === 'surest' ? { ...curve, line: { ...seriesLine(index), dash: 'dash' } } : curve;
    }),
    layout: baseLayout(
      {
        title: 'Search at test time: thinking wider and longer',
        subtitle:
          `${puzzles.toLocaleString('en')} puzzles of Sudoku-Extreme, one 9×9 model; bars: 95 % intervals; ` +
          `“stop when sure” stops above a halting logit of ${haltAbove}, chosen on validation puzzles`,
      },
      { right: ends },
      {
        xaxis: {
          ...axis('Mean passes a puzzle (one pass is one cycle of one form)'),
          type: 'log',
          tickvals: powersOfTwo(most),
          range: [Math.log10(0.9), Math.log10(1.1 * most)],
        },
        yaxis: { ...axis('Test puzzles solved'), ...percentAxis },
        annotations: endLabels(ends, 100),
      },
    ),
  };
}

/** Every point of the figure, with its interval; if the head stops, also its precision. */
export function widerTable(record: WiderRecord): Table {
  const points = widerPoints(record);
  return {
    columns: [
      'way',
      'setting',
      'passes a puzzle',
      'solved',
      '95 % interval',
      'sure of',
      'false stops',
      'right when sure',
    ],
    rows: points.map((point) => {
      const { way, setting, passes, puzzles, solved, stops } = point;
      const right = stops === undefined || stops.sure === 0 ? undefined : (stops.sure - stops.wrong) / stops.sure;
      return [
        way,
        setting,
        passes.toLocaleString('en', { maximumFractionDigits: 0 }),
        percentText(solved / puzzles),
        intervalText(intervalOf(point)),
        stops === undefined ? '–' : stops.sure.toLocaleString('en'),
        stops === undefined ? '–' : String(stops.wrong),
        right === undefined
          ? '–'
          : `${percentText(right)} (${intervalText(binomialInterval(stops!.sure - stops!.wrong, stops!.sure))})`,
      ];
    }),
  };
}

/** The result of every threshold on the validation puzzles that choose it. */
export function thresholdTable(record: WiderRecord): Table {
  const chosen = chosenThreshold(record);
  const puzzles = searched(record, 'validation');
  return {
    columns: ['halting logit above', 'chosen', 'passes a puzzle', 'solved', 'sure of', 'false stops'],
    rows: thresholdsOf(record).map((haltAbove) => {
      const { passes, solved, stops } = stopWhenSure(puzzles, haltAbove, limitOf(record));
      return [
        String(haltAbove),
        haltAbove === chosen ? 'yes' : '–',
        passes.toLocaleString('en', { maximumFractionDigits: 0 }),
        percentText(solved / puzzles.length),
        String(stops?.sure),
        String(stops?.wrong),
      ];
    }),
  };
}

/** Takes each puzzle's first answer above the threshold within the limit of passes, else the surest one within it. */
function stopWhenSure(puzzles: readonly (readonly SurerAnswer[])[], haltAbove: number, limit: number): WiderPoint {
  let [passes, solved, sure, wrong] = [0, 0, 0, 0];
  for (const answers of puzzles) {
    const stop = answers.find((answer) => answer.haltLogit > haltAbove && answer.passes <= limit);
    const right = (stop ?? surestWithin(answers, limit))?.right === true;
    passes += stop?.passes ?? limit;
    solved += right ? 1 : 0;
    sure += stop === undefined ? 0 : 1;
    wrong += stop === undefined || right ? 0 : 1;
  }
  return {
    way: 'stop when sure',
    setting: `up to ${limit.toLocaleString('en')} passes`,
    passes: passes / puzzles.length,
    puzzles: puzzles.length,
    solved,
    stops: { sure, wrong },
  };
}

function surestWithin(answers: readonly SurerAnswer[], passes: number): SurerAnswer | undefined {
  return answers.filter((answer) => answer.passes <= passes).at(-1);
}

function searchParts({ parts }: WiderRecord, set: 'validation' | 'test'): SearchPart[] {
  return parts.filter((part): part is SearchPart => part.method === 'search' && part.set === set);
}

function searched(record: WiderRecord, set: 'validation' | 'test'): SurerAnswer[][] {
  return searchParts(record, set).flatMap(({ surer }) =>
    surer.map((numbers) =>
      Array.from({ length: numbers.length / 3 }, (_, i) => ({
        passes: numbers[3 * i]!,
        haltLogit: numbers[3 * i + 1]!,
        right: numbers[3 * i + 2] === 1,
      })),
    ),
  );
}

function limitOf({ plan }: WiderRecord): number {
  return plan.mostForms * plan.formSteps;
}

function intervalOf({ solved, puzzles }: WiderPoint): readonly [number, number] {
  return binomialInterval(solved, puzzles);
}

function intervalText([low, high]: readonly [number, number]): string {
  return `${percentPoints(low)} to ${percentPoints(high)}`;
}
