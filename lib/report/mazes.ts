/** How two sets of mazes compare, as a picture. */
import type { MazeNumbers } from '../data/maze-numbers.js';
import { axis, baseLayout, type Caption } from './draw/plot-layout.js';
import type { Annotation, Figure, Trace } from './draw/plotly.js';
import { seriesColour, stroke } from './draw/style.js';
import { sameDistribution } from './statistics.js';

/** A named set of mazes with their statistics. */
export interface MazeSample {
  readonly name: string;
  readonly mazes: readonly MazeNumbers[];
}

const panels = [
  { key: 'walls', title: 'walls' },
  { key: 'steps', title: 'steps from S to G' },
  { key: 'reachable', title: 'cells reachable from S' },
] as const;

/**
 * Two sets of mazes against each other:
 * walls, steps and reach, as shares of mazes, with the p of a Kolmogorov–Smirnov test above each panel.
 */
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
      { title: 'Real and generated mazes', subtitle, ...options },
      {},
      { ...axes, annotations: titles, showlegend: true, legend: { orientation: 'h', x: 0, y: -0.22 } },
      18, // the panels' titles
    ),
  };
}
