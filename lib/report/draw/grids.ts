/** Grids of cells as pictures: one, several side by side, or one after the other under a step slider. */
import { InputError } from '../../errors.js';
import { anyObject, checkFields, checkValue, listOf, objectOf, optional, text as words, whole } from '../../fields.js';
import type { Animation, Drawing, Figure, Frame, Trace } from './plotly.js';
import { colour, fontFamily, fontSize, textWidth } from './style.js';

/** The look of one cell. Colour never carries meaning alone: marks and weight repeat it. */
export interface CellView {
  /** At most two characters; '' for none. */
  readonly symbol: string;
  /** A character that replaces the symbol in text output, for cells whose fill means more than their symbol. */
  readonly letter?: string;
  readonly fill: string;
  readonly ink: string;
  readonly bold?: boolean;
  readonly italic?: boolean;
  /** A filled corner: new in this step. */
  readonly corner?: boolean;
  /** Crossed out: wrong. */
  readonly crossed?: boolean;
}

/** A grid of cells, row by row. */
export interface GridView {
  readonly rows: number;
  readonly columns: number;
  readonly cells: readonly CellView[];
  /** Rows and columns between heavy lines; none if left out. */
  readonly block?: readonly [rows: number, columns: number];
  /** A line of text above. */
  readonly caption?: string;
}

/** The meaning of a cell's look, for the legend. */
export interface LegendEntry {
  readonly cell: CellView;
  readonly meaning: string;
}

/** Sizes, CSS pixels. */
const captionHeight = 24;
const gap = 14;
const margin = 6;
const frameWidth = 2.25;
/** Width left for an output in JupyterLab, with its file list open, on a screen 1280 wide. */
const pageWidth = 820;

const gridFields = {
  rows: whole(1),
  columns: whole(1),
  cells: listOf(objectOf({ symbol: words, fill: words, ink: words })),
  caption: optional(words),
};

function checkGrids(grids: readonly GridView[]): void {
  checkValue('grids', grids, listOf(objectOf(gridFields), 1));
  const ragged = grids.find(({ rows, columns, cells }) => cells.length !== rows * columns);
  if (ragged !== undefined)
    throw new InputError(
      `grids: expected ${ragged.rows} × ${ragged.columns} cells of a grid, got ${ragged.cells.length}`,
    );
}

/** A grid as SVG. `cellSize` is in CSS pixels. */
export function drawGrid(grid: GridView, cellSize = 34): Drawing {
  const { rows, columns, cells, caption } = grid;
  const top = margin + (caption === undefined ? 0 : captionHeight);
  const [wide, high] = [columns * cellSize, rows * cellSize];
  const width =
    Math.ceil(Math.max(wide, caption === undefined ? 0 : textWidth(caption, fontSize.subtitle))) + 2 * margin;
  const height = top + high + margin;
  const left = margin;
  const parts = [
    ...(caption === undefined ? [] : [text(caption, left, margin + 13, { size: fontSize.subtitle })]),
    ...cells.map((cell, i) =>
      drawCell(cell, left + (i % columns) * cellSize, top + Math.floor(i / columns) * cellSize, cellSize),
    ),
    ...gridLines(grid).map(({ x0, y0, x1, y1, line: { color, width: thick } }) =>
      line(left + x0 * cellSize, top + y0 * cellSize, left + x1 * cellSize, top + y1 * cellSize, color, thick),
    ),
  ];
  return { svg: svgDocument(width, height, parts), width, height, text: textOf(grid) };
}

/**
 * Several grids in reading order, `columns` in a row, with a title above and a legend below.
 * Without a `cellSize` cells are as large as a page allows, up to 34 CSS pixels.
 * Throws InputError for no grids, and for options or cells that there cannot be.
 */
export function drawGrids(
  grids: readonly GridView[],
  options: {
    readonly columns?: number;
    readonly cellSize?: number;
    readonly title?: string;
    /** Only entries that occur are drawn: in these grids or, for one legend in a series of pictures, in `among`. */
    readonly legend?: readonly LegendEntry[];
    readonly among?: readonly GridView[];
  } = {},
): Drawing {
  checkGrids(grids);
  const {
    columns = 4,
    title,
    among = grids,
  } = checkFields<typeof options>('drawing', options, {
    columns: optional(whole(1)),
    cellSize: optional(whole(1)),
    title: optional(words),
    legend: optional(listOf(objectOf({ cell: anyObject, meaning: words }))),
    among: optional(listOf(objectOf(gridFields))),
  });
  const legend = occurring(options.legend ?? [], among);
  const inRow = Math.min(columns, grids.length);
  const widest = Math.max(...grids.map((grid) => grid.columns));
  const room = Math.floor(((pageWidth + gap) / inRow - gap - 2 * margin) / widest);
  const { cellSize = Math.max(8, Math.min(34, room)) } = options;
  const drawings = grids.map((grid) => drawGrid(grid, cellSize));
  // A column is as wide as its widest grid or caption.
  const wide = Array.from({ length: inRow }, (_, column) =>
    Math.max(0, ...drawings.filter((_, i) => i % inRow === column).map(({ width }) => width)),
  );
  const left = wide.map((_, column) => wide.slice(0, column).reduce((sum, each) => sum + each + gap, 0));
  const high = Math.max(0, ...drawings.map(({ height }) => height));
  const top = title === undefined ? 0 : 34;
  const key = drawLegend(legend);
  const rows = Math.ceil(drawings.length / inRow);
  const width = Math.ceil(
    Math.max(
      left.at(-1)! + wide.at(-1)!,
      key.width,
      title === undefined ? 0 : textWidth(title, fontSize.title) * 1.1 + 2 * margin,
    ),
  );
  const height = top + rows * (high + gap) - gap + key.height;
  const parts = [
    ...(title === undefined ? [] : [text(title, margin, 22, { size: fontSize.title, bold: true })]),
    ...drawings.map(({ svg }, i) => nested(svg, left[i % inRow]!, top + Math.floor(i / inRow) * (high + gap))),
    ...(legend.length === 0 ? [] : [nested(key.svg, 0, height - key.height)]),
  ];
  return {
    svg: svgDocument(width, height, parts),
    width,
    height,
    text: [...(title === undefined ? [] : [title]), ...drawings.map(({ text: words }) => words)].join('\n\n'),
  };
}

/**
 * Grids of one size as one figure with a step slider and a play button, at the first grid. On paper the `still` grids,
 * by default the same ones, are side by side. Each grid shows its caption. `names`: the slider's labels, by default 1,
 * 2, ….
 */
export function animateGrids(grids: readonly GridView[], options: AnimationOptions): Animation {
  const first = grids[0];
  if (first === undefined) throw new Error('animateGrids: expected at least one grid, got none');
  const { title, columns: inRow, still = grids, names = grids.map((_, i) => String(i + 1)) } = options;
  const { rows, columns } = first;
  const legend = occurring(options.legend ?? [], grids);
  const fills = [...new Set(grids.flatMap(({ cells }) => cells.map(({ fill }) => fill)))].sort();
  const size = Math.min(46, Math.floor(420 / Math.max(rows, columns)));
  const frames = grids.map(
    (grid, i): Frame => ({ name: names[i] ?? '', data: tracesOf(grid, fills, size), traces: [0, 1, 2, 3, 4] }),
  );
  const key = drawLegend(legend);
  const above = first.caption === undefined ? 0 : captionHeight / size; // room for the caption, in cells
  const sides = 30;
  const below = 112;
  const width = Math.max(460, columns * size + 2 * sides, key.width + 2 * sides);
  const height = Math.round((rows + above) * size) + 56 + below + key.height;
  const [plotWidth, plotHeight] = [width - 2 * sides, height - 56 - below - key.height];
  const figure: Figure = {
    data: tracesOf(first, fills, size),
    layout: {
      width,
      height,
      title: {
        text: `<b>${title}</b>`,
        x: 0.03,
        xanchor: 'left',
        y: 0.97,
        yanchor: 'top',
        font: { size: fontSize.title },
      },
      font: { family: fontFamily, size: fontSize.tick, color: colour.ink },
      margin: { l: sides, r: sides, t: 56, b: below + key.height },
      paper_bgcolor: colour.paper,
      plot_bgcolor: colour.paper,
      showlegend: false,
      hovermode: false,
      xaxis: { visible: false, range: [0, columns], constrain: 'domain', constraintoward: 'left', fixedrange: true },
      yaxis: { visible: false, range: [rows, -above], scaleanchor: 'x', constrain: 'domain', fixedrange: true },
      shapes: gridLines(first).map((each) => ({ type: 'line', ...each })),
      ...(legend.length === 0
        ? {}
        : {
            images: [
              {
                source: `data:image/svg+xml;base64,${Buffer.from(key.svg).toString('base64')}`,
                xref: 'paper',
                yref: 'paper',
                layer: 'above',
                x: 0,
                y: -(below - 6) / plotHeight,
                sizex: key.width / plotWidth,
                sizey: key.height / plotHeight,
                xanchor: 'left',
                yanchor: 'top',
              },
            ],
          }),
      ...playControls(frames),
    },
    frames,
  };
  return { figure, still: drawGrids(still, { title, legend, ...(inRow === undefined ? {} : { columns: inRow }) }) };
}

/** A slider with a step for each frame, and a button that plays them. */
function playControls(frames: readonly Frame[]): object {
  const atOnce = { mode: 'immediate', frame: { duration: 0, redraw: true }, transition: { duration: 0 } };
  return {
    sliders: [
      {
        active: 0,
        x: 0.16,
        len: 0.84,
        y: 0,
        pad: { t: 26 },
        currentvalue: { prefix: 'after supervision step ', font: { size: fontSize.label } },
        steps: frames.map(({ name }) => ({ label: name, method: 'animate', args: [[name], atOnce] })),
      },
    ],
    updatemenus: [
      {
        type: 'buttons',
        direction: 'left',
        x: 0,
        y: 0,
        xanchor: 'left',
        yanchor: 'top',
        pad: { t: 46 },
        showactive: false,
        buttons: [
          {
            label: '▶',
            method: 'animate',
            args: [
              null,
              {
                mode: 'immediate',
                fromcurrent: false,
                frame: { duration: 700, redraw: true },
                transition: { duration: 0 },
              },
            ],
          },
        ],
      },
    ],
  };
}

/** Options of an animation, besides its grids. */
export interface AnimationOptions {
  readonly title: string;
  readonly legend?: readonly LegendEntry[];
  /** Grids in a row of the still picture. */
  readonly columns?: number;
  readonly still?: readonly GridView[];
  readonly names?: readonly string[];
}

/**
 * The five layers of an animated grid: fills, filled corners, crossings-out, symbols, the caption.
 * `size` is a cell's, CSS pixels.
 */
function tracesOf({ rows, columns, cells, caption = '' }: GridView, fills: readonly string[], size: number): Trace[] {
  const x = cells.map((_, i) => (i % columns) + 0.5);
  const y = cells.map((_, i) => Math.floor(i / columns) + 0.5);
  const where = (
    chosen: (cell: CellView) => boolean | undefined,
    shift = 0,
  ): { readonly x: number[]; readonly y: number[] } => {
    const picked = cells.flatMap((cell, i) => (chosen(cell) === true ? [i] : []));
    return { x: picked.map((i) => (x[i] ?? 0) + shift), y: picked.map((i) => (y[i] ?? 0) - shift) };
  };
  const px = (share: number): number => Math.round(share * size);
  return [
    {
      type: 'heatmap',
      x0: 0.5,
      y0: 0.5,
      z: Array.from({ length: rows }, (_, row) =>
        cells.slice(row * columns, (row + 1) * columns).map(({ fill }) => fills.indexOf(fill)),
      ),
      zmin: -0.5,
      zmax: fills.length - 0.5,
      colorscale: fills.flatMap((fill, i) => [
        [i / fills.length, fill],
        [(i + 1) / fills.length, fill],
      ]),
      showscale: false,
    },
    {
      type: 'scatter',
      mode: 'markers',
      ...where(({ corner }) => corner, 0.36),
      marker: { symbol: 'triangle-ne', size: px(0.24), color: colour.answer },
    },
    {
      type: 'scatter',
      mode: 'markers',
      ...where(({ crossed }) => crossed),
      marker: { symbol: 'line-ne-open', size: px(0.7), color: colour.wrong, line: { width: 2, color: colour.wrong } },
    },
    {
      type: 'scatter',
      mode: 'text',
      x,
      y,
      text: cells.map(({ symbol, bold, italic }) =>
        bold === true ? `<b>${symbol}</b>` : italic === true ? `<i>${symbol}</i>` : symbol,
      ),
      textfont: { size: px(0.5), color: cells.map(({ ink }) => ink) },
    },
    {
      type: 'scatter',
      mode: 'text',
      x: [0],
      y: [-0.5 * (captionHeight / size)],
      text: [caption],
      textposition: 'middle right',
      textfont: { size: fontSize.subtitle, color: colour.ink },
      cliponaxis: false,
    },
  ];
}

/** One line of a grid: its ends in units of cells, and its look. */
interface GridLine {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly line: { readonly color: string; readonly width: number };
}

/** The lines of a grid, light ones first. */
function gridLines({ rows, columns, block = [rows, columns] }: GridView): GridLine[] {
  const look = (i: number, every: number, last: number): GridLine['line'] =>
    i % every === 0 || i === last ? { color: colour.ink, width: frameWidth } : { color: colour.quiet, width: 0.6 };
  return [
    ...Array.from({ length: rows + 1 }, (_, y) => ({
      x0: 0,
      y0: y,
      x1: columns,
      y1: y,
      line: look(y, block[0], rows),
    })),
    ...Array.from({ length: columns + 1 }, (_, x) => ({
      x0: x,
      y0: 0,
      x1: x,
      y1: rows,
      line: look(x, block[1], columns),
    })),
  ].sort((a, b) => a.line.width - b.line.width);
}

function drawCell(
  { symbol, fill, ink, bold, italic, corner, crossed }: CellView,
  x: number,
  y: number,
  size: number,
): string {
  const reach = size * 0.27;
  return [
    `<rect x="${x}" y="${y}" width="${size}" height="${size}" fill="${fill}"/>`,
    ...(corner === true
      ? [`<path d="M${round(x + size - reach)},${y}H${x + size}V${round(y + reach)}Z" fill="${colour.answer}"/>`]
      : []),
    ...(crossed === true ? [crossing(x, y, size, symbol)] : []), // below the symbol, which stays readable
    ...(symbol === ''
      ? []
      : [
          text(symbol, x + size / 2, y + size * 0.7, {
            size: size * 0.56,
            ink,
            bold: bold === true,
            italic: italic === true,
            anchor: 'middle',
          }),
        ]),
  ].join('');
}

/** With a light edge, visible on any fill; thin if a symbol must stay readable. */
function crossing(x: number, y: number, size: number, symbol: string): string {
  const width = Math.max(1.2, size * (symbol === '' ? 0.09 : 0.055));
  const ends = [x + size * 0.16, y + size * 0.84, x + size * 0.84, y + size * 0.16] as const;
  return line(...ends, colour.error, width * 2.4) + line(...ends, colour.wrong, width);
}

/** The entries of the legend that occur in the grids: by their mark, or, without one, by their ink. */
function occurring(legend: readonly LegendEntry[], grids: readonly GridView[]): LegendEntry[] {
  const cells = grids.flatMap((grid) => grid.cells);
  return legend.filter(({ cell: { corner, crossed, ink, bold } }) =>
    cells.some((cell) =>
      corner === true
        ? cell.corner
        : crossed === true
          ? cell.crossed
          : cell.symbol !== '' && cell.crossed !== true && cell.ink === ink && (cell.bold ?? false) === (bold ?? false),
    ),
  );
}

/** Sample cells with their meanings, in one row. */
function drawLegend(entries: readonly LegendEntry[]): {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
} {
  const size = 20;
  const height = entries.length === 0 ? 0 : size + 22;
  let x = margin;
  const parts: string[] = [];
  for (const { cell, meaning } of entries) {
    parts.push(
      drawCell(cell, x, 14, size),
      `<rect x="${x}" y="14" width="${size}" height="${size}" fill="none" ` +
        `stroke="${colour.quiet}" stroke-width="0.6"/>`,
    );
    parts.push(text(meaning, x + size + 7, 14 + size * 0.7, { size: fontSize.tick }));
    x += size + 7 + textWidth(meaning, fontSize.tick) + 20;
  }
  const width = Math.ceil(x);
  return { svg: svgDocument(width, height, parts), width, height };
}

/** Symbols row by row, for readers without pictures: wrong cells end in !, empty ones are dots. */
function textOf({ columns, cells, caption }: GridView): string {
  const words = cells.map(
    ({ symbol, letter = symbol, crossed }) => `${letter === '' ? '·' : letter}${crossed === true ? '!' : ' '}`,
  );
  const lines = Array.from({ length: Math.ceil(words.length / columns) }, (_, row) =>
    words
      .slice(row * columns, (row + 1) * columns)
      .join('')
      .trimEnd(),
  );
  return [...(caption === undefined ? [] : [caption]), ...lines].join('\n');
}

/** An SVG document of a size in CSS pixels, in the kit's font. */
export function svgDocument(width: number, height: number, parts: readonly string[]): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" font-family="${fontFamily}">\n${parts.join('\n')}\n</svg>`
  );
}

function nested(svg: string, x: number, y: number): string {
  return svg.replace('<svg ', `<svg x="${round(x)}" y="${round(y)}" `);
}

function line(x1: number, y1: number, x2: number, y2: number, ink: string, width: number): string {
  return (
    `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" ` +
    `stroke="${ink}" stroke-width="${round(width)}" stroke-linecap="square"/>`
  );
}

function text(
  words: string,
  x: number,
  y: number,
  look: {
    readonly size: number;
    readonly ink?: string;
    readonly bold?: boolean;
    readonly italic?: boolean;
    readonly anchor?: string;
  },
): string {
  const { size, ink = colour.ink, bold = false, italic = false, anchor = 'start' } = look;
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const weight = `${bold ? ' font-weight="bold"' : ''}${italic ? ' font-style="italic"' : ''}`;
  return (
    `<text x="${round(x)}" y="${round(y)}" font-size="${round(size)}" fill="${ink}" ` +
    `text-anchor="${anchor}"${weight}>${escaped}</text>`
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
