/** What can be counted about mazes, and how two sets of them compare. */
import { exampleOf, type Dataset } from '../data/dataset.js';
import {
  canonicalMaze,
  countShortestPaths,
  endsOfMaze,
  mazeAnswer,
  mazeDistances,
  mazeText,
  mazeToken,
} from '../data/maze.js';
import { InputError } from '../errors.js';
import { axis, baseLayout, type Caption } from './plot-layout.js';
import type { Annotation, Figure, Trace } from './plotly.js';
import { sameDistribution } from './statistics.js';
import { seriesColour, stroke } from './style.js';

/** One maze in numbers. */
export interface MazeNumbers {
  readonly walls: number;
  /** Steps of a shortest path from S to G. */
  readonly steps: number;
  /** Cells that can be reached from S. */
  readonly reachable: number;
  /** Rows plus columns between S and G. */
  readonly apart: number;
  readonly shortestPaths: number;
}

/** Every maze of a set in numbers. Throws InputError for a set that is not of mazes. */
export function mazeNumbers(dataset: Dataset): MazeNumbers[] {
  if (dataset.vocabSize !== 6 || dataset.width !== dataset.height)
    throw new InputError(
      `${dataset.name}: expected a set of mazes, got ${dataset.vocabSize} tokens on ${dataset.width} × ${dataset.height}`,
    );
  return Array.from({ length: dataset.examples }, (_, i) => numbersOfMaze(exampleOf(dataset, i).input));
}

/** One maze in numbers; token ids. */
export function numbersOfMaze(question: Uint8Array): MazeNumbers {
  const side = Math.sqrt(question.length);
  const { start, goal } = endsOfMaze(question);
  const distances = mazeDistances(question, start);
  return {
    walls: question.reduce((sum, token) => sum + (token === mazeToken.wall ? 1 : 0), 0),
    steps: distances[goal]!,
    reachable: distances.reduce((sum, steps) => sum + (steps >= 0 ? 1 : 0), 0),
    apart: Math.abs(Math.floor(start / side) - Math.floor(goal / side)) + Math.abs((start % side) - (goal % side)),
    shortestPaths: countShortestPaths(question),
  };
}

/** A maze set in one row. */
export function summarizeMazes(dataset: Dataset): Readonly<Record<string, string | number>> {
  const numbers = mazeNumbers(dataset);
  const mean = (key: keyof MazeNumbers): number =>
    Number((numbers.reduce((sum, each) => sum + each[key], 0) / numbers.length).toFixed(1));
  const byRule = Array.from({ length: dataset.examples }, (_, i) => exampleOf(dataset, i)).filter(
    ({ input, label }) => mazeText(mazeAnswer(input)) === mazeText(label),
  ).length;
  return {
    set: dataset.name,
    puzzles: dataset.examples,
    cells: dataset.sequenceLength,
    'walls (mean)': mean('walls'),
    'steps (mean)': mean('steps'),
    'steps (least)': Math.min(...numbers.map(({ steps }) => steps)),
    'reachable (mean)': mean('reachable'),
    'answered by the rule': byRule,
    copies: dataset.augmentation?.copies ?? 0,
    sha256: dataset.sha256.slice(0, 12),
  };
}

/** How many mazes of a test set the training set gives away: as they stand, and turned or mirrored. */
export function mazeOverlap(
  train: Dataset,
  test: Dataset,
): Readonly<{ set: string; 'test puzzles': number; 'in the training set': number; 'there in disguise': number }> {
  const questions = (set: Dataset): Uint8Array[] =>
    Array.from({ length: set.examples }, (_, i) => exampleOf(set, i).input);
  const [asTheyAre, forms] = [new Set(questions(train).map(mazeText)), new Set(questions(train).map(canonicalMaze))];
  const tests = questions(test);
  return {
    set: test.name,
    'test puzzles': test.examples,
    'in the training set': tests.filter((maze) => asTheyAre.has(mazeText(maze))).length,
    'there in disguise': tests.filter((maze) => forms.has(canonicalMaze(maze))).length,
  };
}

const panels = [
  { key: 'walls', title: 'walls' },
  { key: 'steps', title: 'steps from S to G' },
  { key: 'reachable', title: 'cells within reach of S' },
] as const;

/** Two sets of mazes against each other: walls, steps and reach, as shares of mazes, with the p of a Kolmogorov–Smirnov test above each panel. */
export function mazeDistributions(sets: readonly [MazeSample, MazeSample], options: Caption = {}): Figure {
  const data: Trace[] = [];
  const axes: Record<string, object> = {};
  const titles: Annotation[] = [];
  panels.forEach(({ key, title }, panel) => {
    const suffix = panel === 0 ? '' : String(panel + 1);
    const [left, right] = [panel / 3 + 0.02 * panel, (panel + 1) / 3 - 0.06 + 0.02 * panel];
    const samples = sets.map(({ mazes }) => mazes.map((each) => each[key])) as [number[], number[]];
    const all = samples.flat();
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const size = Math.max(1, Math.ceil((high - low + 1) / 16));
    samples.forEach((values, i) => {
      const starts = Array.from({ length: Math.ceil((high - low + 1) / size) }, (_, bin) => low + bin * size);
      data.push({
        type: 'scatter',
        name: sets[i]!.name,
        mode: 'lines',
        showlegend: panel === 0,
        xaxis: `x${suffix}`,
        yaxis: `y${suffix}`,
        x: starts.map((start) => start + (size - 1) / 2),
        y: starts.map(
          (start) =>
            (100 * values.filter((value) => value >= start && value < start + size).length) /
            Math.max(1, values.length),
        ),
        line: { color: seriesColour(i), width: stroke.line, shape: 'hvh', ...(i === 0 ? {} : { dash: 'dot' }) },
        hovertemplate: `${sets[i]!.name}: %{y:.1f} % around %{x}<extra></extra>`,
      });
    });
    axes[`xaxis${suffix}`] = { ...axis(title), domain: [left, right], anchor: `y${suffix}` };
    axes[`yaxis${suffix}`] = { ...axis(panel === 0 ? 'Mazes, %' : ''), rangemode: 'tozero', anchor: `x${suffix}` };
    titles.push({
      text: `p = ${sameDistribution(...samples).p.toFixed(2)}`,
      xref: 'paper',
      yref: 'paper',
      x: (left + right) / 2,
      y: 1.02,
      xanchor: 'center',
      yanchor: 'bottom',
      showarrow: false,
    });
  });
  const subtitle = sets.map(({ name, mazes }) => `${mazes.length.toLocaleString('en')} ${name}`).join(', ');
  return {
    data,
    layout: baseLayout(
      { title: 'Mazes real and generated', subtitle, ...options },
      {},
      { ...axes, annotations: titles, showlegend: true, legend: { orientation: 'h', x: 0, y: -0.22 } },
    ),
  };
}

/** A named set of mazes in numbers. */
export interface MazeSample {
  readonly name: string;
  readonly mazes: readonly MazeNumbers[];
}
