/** What the kit's figures share: titles, axes, labels at the ends of curves, bands, ticks. */
import { checkFields, optional, text, type Fields } from '../../fields.js';
import type { Annotation, Layout, Trace } from './plotly.js';
import { colour, figureSize, fontFamily, fontSize, seriesColour, stroke, textWidth, translucent } from './style.js';

/** A figure's title, and below it the sentence that says what was measured on which data. */
export interface Caption {
  readonly title?: string;
  readonly subtitle?: string;
}

/** Lower and upper ends of a spread, 0 … 1, one value for each point. */
export interface Band {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** A label at the end of a curve; x and y in the axes' own units (a log axis counts in powers of ten). */
export interface EndLabel {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly colour: string;
}

/**
 * Labels next to the last points, moved apart to avoid overlap, none below 0 or above `top`, where plotly would drop
 * them. A line leads from a point to a label that was moved. `height`: the axis' share of a figure's height.
 */
export function endLabels(ends: readonly EndLabel[], top: number, yref = 'y', height = 1): Annotation[] {
  const gap = Math.min((0.056 * top) / height, top / Math.max(1, ends.length - 1));
  const sorted = [...ends].sort((a, b) => a.y - b.y);
  const places: number[] = [];
  for (const { y } of sorted) places.push(Math.max(y, (places.at(-1) ?? -gap) + gap));
  // Labels pushed above the top move down, and push those below them.
  for (let i = places.length - 1, highest = top; i >= 0; i--, highest -= gap)
    places[i] = Math.min(places[i] ?? 0, highest);
  return sorted.map(({ text, x, y, colour: ink }, i) => {
    const place = places[i] ?? 0;
    const moved = Math.abs(place - y) > gap / 2;
    const line = { showarrow: true, ax: 12, ay: place, ayref: yref, arrowhead: 0, arrowwidth: 0.7, arrowcolor: ink };
    return {
      text,
      x,
      y: moved ? y : place,
      yref,
      xanchor: 'left',
      yanchor: 'middle',
      ...(moved ? { ...line, startstandoff: 1, standoff: 3 } : { showarrow: false, xshift: 12 }),
      font: { size: fontSize.label, color: ink },
      align: 'left',
    };
  });
}

/** Two invisible lines with the space between them filled. */
export function bandTraces(name: string, { low, high }: Band, ink: string): Trace[] {
  const edge = (values: readonly number[]): Trace => ({
    type: 'scatter',
    name: `${name}, spread`,
    mode: 'lines',
    x: values.map((_, i) => i + 1),
    y: values.map(percent),
    line: { width: 0, color: ink },
    hoverinfo: 'skip',
  });
  return [edge(low), { ...edge(high), fill: 'tonexty', fillcolor: translucent(ink, 0.18) }];
}

/** A dotted line at the number of supervision steps in training, with its label above the plot, clear of the curves. */
export function markedStep(
  step: number,
  place: (step: number) => number,
): { readonly shapes: object[]; readonly annotations: Annotation[] } {
  return {
    shapes: [
      {
        type: 'line',
        x0: step,
        x1: step,
        yref: 'paper',
        y0: 0,
        y1: 1,
        line: { color: colour.quiet, width: 1, dash: 'dot' },
      },
    ],
    annotations: [
      {
        text: `trained with ${step}`,
        x: place(step),
        y: 1,
        yref: 'paper',
        yanchor: 'bottom',
        xanchor: 'center',
        showarrow: false,
        font: { size: fontSize.tick, color: colour.quiet },
      },
    ],
  };
}

/** A figure's options: its caption and those in `others`. Throws InputError for any other. */
export function checkOptions<Options extends Caption>(
  options: Options,
  others: Fields<Omit<Options, keyof Caption>>,
): Options {
  const caption: Fields<Caption> = { title: optional(text), subtitle: optional(text) };
  return checkFields('figure', options, { ...caption, ...others } as unknown as Fields<Options>);
}

/** Least width of the plot next to its labels, pixels. */
const leastPlot = 300;

/**
 * Size, fonts, margins and title of every figure. The right margin has room for the labels at the ends of curves, the
 * top for `above` pixels of legend. Long labels make the figure wider, not its curves narrower.
 */
export function baseLayout(
  caption: Caption,
  room: { readonly right?: readonly { readonly text: string }[]; readonly left?: number },
  rest: Partial<Layout>,
  above = 0,
): Layout {
  const labels = (room.right ?? []).map(({ text }) => textWidth(text, fontSize.label));
  const { title = '', subtitle } = caption;
  const [left, right] = [36 + Math.max(46, room.left ?? 0), 24 + Math.max(0, ...labels)];
  const width = Math.max(rest.width ?? figureSize.width, left + right + leastPlot);
  const below = subtitle === undefined ? [] : wrap(subtitle, width - 30, fontSize.subtitle);
  const quiet = `font-size:${fontSize.subtitle}px;color:${colour.quiet}`;
  const height = rest.height ?? figureSize.height;
  return {
    width,
    height,
    font: { family: fontFamily, size: fontSize.tick, color: colour.ink },
    title: {
      text: `<b>${title}</b>${below.map((line) => `<br><span style="${quiet}">${line}</span>`).join('')}`,
      x: 0.015,
      xanchor: 'left',
      y: 1 - 28 / height,
      yanchor: 'bottom',
      yref: 'container',
      font: { size: fontSize.title },
    },
    margin: {
      l: left,
      r: right,
      t: 56 + 20 * below.length + above,
      b: 58,
    },
    paper_bgcolor: colour.paper,
    plot_bgcolor: colour.paper,
    showlegend: false,
    hovermode: 'closest',
    ...rest,
  };
}

/** Words in the fewest lines of at most `width` CSS pixels, of about equal length. */
function wrap(text: string, width: number, size: number): string[] {
  const lines = filled(text, width, size);
  const apart = lines.length === 2 ? sentenceBreak(text, width, size) : undefined;
  if (apart !== undefined) return apart;
  for (let narrower = width - 10; narrower > 0; narrower -= 10) {
    const tried = filled(text, narrower, size);
    if (tried.length > lines.length || tried.some((line) => textWidth(line, size) > narrower)) break;
    lines.splice(0, lines.length, ...tried);
  }
  return lines;
}

/** Two lines that split the text between sentences, as evenly as possible; undefined if none fit. */
function sentenceBreak(text: string, width: number, size: number): string[] | undefined {
  const longest = (lines: readonly string[]): number => Math.max(...lines.map((line) => textWidth(line, size)));
  const [best] = [...text.matchAll(/[;.] /g)]
    .map(({ index }) => [text.slice(0, index + 1), text.slice(index + 2)])
    .filter((lines) => longest(lines) <= width)
    .sort((a, b) => longest(a) - longest(b));
  return best;
}

/** Words in lines, each filled before the next. */
function filled(text: string, width: number, size: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`.trim();
    if (lines.length > 0 && textWidth(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** An axis with its title, in Plotly's words. */
export function axis(title: string): object {
  return {
    title: { text: title, font: { size: fontSize.axis }, standoff: 10 },
    showline: true,
    linecolor: colour.quiet,
    linewidth: 1,
    ticks: 'outside',
    ticklen: 4,
    tickcolor: colour.quiet,
    showgrid: true,
    gridcolor: colour.faint,
    gridwidth: 0.6,
    zeroline: false,
    fixedrange: false,
  };
}

/** A legend in one line between the subtitle and the plot. */
export const legendAbove = { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom', font: { size: fontSize.label } };

/**
 * A legend on the right, for points and curves too close for labels of their own. The figure's height grows with the
 * entries, since plotly cuts off what exceeds the plot's height.
 */
export function legendBeside(entries: number): Partial<Layout> {
  return {
    height: Math.max(figureSize.height, 180 + 20 * entries),
    showlegend: true,
    legend: { x: 1.01, xanchor: 'left', y: 1, yanchor: 'top', font: { size: fontSize.label } },
  };
}

/** The name of a row in lines narrow enough for the plot; text in parentheses is not split. */
export function nameLines(name: string): string[] {
  const kept = name.replaceAll(/\([^)]*\)/g, (part) => part.replaceAll(' ', '\u00a0'));
  return wrap(kept, 200, fontSize.tick);
}

/** An axis of percent, with room for marks at 0 and 100. */
export const percentAxis = { range: [-2, 104], tick0: 0, dtick: 20, ticksuffix: ' %' };

/** A share, 0 … 1, in percent, without rounding noise. */
export function percent(share: number): number {
  return Number((100 * share).toFixed(4));
}

/** The arithmetic mean; NaN of none. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** One for each colour. */
const symbols = [
  'circle',
  'diamond',
  'square',
  'triangle-up',
  'cross',
  'x',
  'star',
  'triangle-down',
  'pentagon',
] as const;

/** Number of series with distinct combinations of colour, dash and marker. */
export const seriesCount = 2 * symbols.length;

/** Most curves with bands; more bands would hide each other. */
export const mostBands = 5;

/** The marker of the i-th series; hollow where the colours begin again. */
export function markerSymbol(index: number): string {
  return `${symbols[index % symbols.length] ?? 'circle'}${index < symbols.length ? '' : '-open'}`;
}

/** The line of the i-th series; dashed where the colours begin again. */
export function seriesLine(index: number): { readonly color: string; readonly width: number; readonly dash?: string } {
  return { color: seriesColour(index), width: stroke.line, ...(index < symbols.length ? {} : { dash: 'dash' }) };
}

/** The curve of the i-th series with a marker at each point; `says`: its hover text. */
export function curveTrace(
  name: string,
  index: number,
  x: readonly number[],
  y: readonly number[],
  says: string,
  more: Partial<Trace> = {},
): Trace {
  return {
    type: 'scatter',
    name,
    mode: 'lines+markers',
    x,
    y,
    ...more,
    line: seriesLine(index),
    marker: { size: stroke.marker, symbol: markerSymbol(index) },
    hovertemplate: says,
  };
}

/** The label at the end of the curve of the i-th series. */
export function endOf(text: string, index: number, x: number, y: number): EndLabel {
  return { text, x, y, colour: seriesColour(index) };
}

/** Error bars of the i-th series, in percent to each side of its points. */
export function errorBar(array: readonly number[], index: number): object {
  return { type: 'data', array, color: seriesColour(index), thickness: 1.5, width: 4 };
}

/** The layout of shares from left to right, one named row each, the first on top; `labels` replaces these names. */
export function rowsLayout(caption: Caption, of: string, left: number, names: readonly string[], labels = {}): Layout {
  const rest = {
    height: Math.max(280, 176 + 34 * names.length),
    xaxis: { ...axis(of), ...percentAxis },
    yaxis: {
      ...axis(''),
      type: 'category',
      categoryorder: 'array',
      categoryarray: [...names].reverse(),
      ...labels,
      range: [-0.6, names.length - 0.4],
    },
    showlegend: true,
    legend: legendAbove,
  };
  return baseLayout(caption, { left }, rest, 26);
}

/** 1, 2, 4, … up to most. */
export function powersOfTwo(most: number): number[] {
  return Array.from({ length: Math.floor(Math.log2(most)) + 1 }, (_, i) => 2 ** i);
}

/** About eight whole numbers from 1 to most. */
export function wholeTicks(most: number): number[] {
  const stride = Math.max(1, Math.ceil(most / 8));
  const ticks = Array.from({ length: Math.floor(most / stride) }, (_, i) => (i + 1) * stride);
  return ticks[0] === 1 ? ticks : [1, ...ticks];
}
