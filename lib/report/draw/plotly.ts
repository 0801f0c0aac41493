/** Plotly figures without a browser: plotly.js in a jsdom window draws SVG, sharp makes PNG of it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { projectRoot } from '../../files.js';
import { writeFileAtomic } from '../../write-file.js';
import { InputError, show } from '../../errors.js';
import { between, checkValue, isObject, listOf, number, objectOf, text } from '../../fields.js';
import { completeWindow, type Window } from './browserless.js';
import type { Element } from './geometry.js';

/** One trace of a plotly figure; may have any other attribute of plotly. */
export interface Trace {
  readonly type: 'scatter' | 'bar' | 'heatmap';
  readonly name?: string;
  readonly x?: readonly (number | string | null)[];
  readonly y?: readonly (number | string | null)[];
  readonly z?: readonly (readonly (number | null)[])[];
  readonly text?: readonly string[];
  readonly [attribute: string]: unknown;
}

/** Text in a figure. */
export interface Annotation {
  readonly text: string;
  readonly x: number | string;
  readonly y: number | string;
  readonly [attribute: string]: unknown;
}

/** A figure's layout; may have any other attribute of plotly. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly annotations?: readonly Annotation[];
  readonly shapes?: readonly object[];
  readonly [attribute: string]: unknown;
}

/** One state of an animated figure: replacements for the traces named by their indices. */
export interface Frame {
  readonly name: string;
  readonly data: readonly Partial<Trace>[];
  readonly traces: readonly number[];
}

/** A plotly figure, as JSON. */
export interface Figure {
  readonly data: readonly Trace[];
  readonly layout: Layout;
  readonly frames?: readonly Frame[];
}

/** A picture as SVG, and the text that replaces it where pictures are impossible. */
export interface Drawing {
  readonly svg: string;
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly text: string;
}

/** A figure with a step slider, and the picture that replaces it on paper. */
export interface Animation {
  readonly figure: Figure;
  readonly still: Drawing;
}

interface Plotly {
  newPlot(parent: Element, data: unknown, layout: unknown, config: object): Promise<unknown>;
  toImage(parent: Element, options: object): Promise<string>;
  purge(parent: Element): void;
}

interface PlotlyWindow extends Window {
  readonly Plotly: Plotly;
}

/** Drawings one after the other. */
export type Movie = readonly Drawing[];

const require = createRequire(import.meta.url);
let opened: PlotlyWindow | undefined;

/** The one window, made when first needed: loading plotly.js takes about a second. */
function plotlyWindow(): PlotlyWindow {
  if (opened !== undefined) return opened;
  const { JSDOM, VirtualConsole } = require('jsdom') as {
    JSDOM: new (html: string, options: object) => { readonly window: PlotlyWindow };
    VirtualConsole: new () => object;
  };
  const { window } = new JSDOM('<!doctype html><body></body>', {
    runScripts: 'outside-only',
    pretendToBeVisual: true,
    virtualConsole: new VirtualConsole(), // hides plotly's warnings about jsdom from the reader
  });
  completeWindow(window);
  window.eval(readFileSync(require.resolve('plotly.js-dist'), 'utf8'));
  return (opened = window);
}

/** Plotly names its elements by random numbers; with these a figure is always drawn to the same bytes. */
const sameNumbers = '{ let state = 1; Math.random = () => (state = (state * 16807) % 2147483647) / 2147483647; }';

/**
 * The figure as an SVG document, the same bytes for the same figure, without sliders and buttons, which would be dead.
 */
export async function toSvg(figure: Figure): Promise<string> {
  if (!isObject(figure) || !isObject(figure.layout))
    throw new InputError(
      `picture: expected a figure, a drawing or an animation, got ${show(figure)}; ` +
        'a table is shown as toMarkdown(table), drawings one after the other are kept by saveMovie',
    );
  const window = plotlyWindow();
  const { width, height } = figure.layout;
  const parent = window.document.createElement('div');
  window.document.body.appendChild(parent);
  try {
    window.eval(sameNumbers);
    const { data, layout } = JSON.parse(JSON.stringify(figure)) as { data: unknown; layout: Record<string, unknown> };
    const still = Object.fromEntries(
      Object.entries(layout).filter(([name]) => name !== 'sliders' && name !== 'updatemenus'),
    );
    await window.Plotly.newPlot(parent, data, still, { staticPlot: true });
    const svg = await window.Plotly.toImage(parent, { format: 'svg', width, height, imageDataOnly: true });
    // Digits beyond the third are rounding noise of the machine.
    return svg.replace(/\d+\.\d{4,}/g, (number) => String(Number(Number(number).toFixed(3))));
  } finally {
    window.Plotly.purge(parent);
    parent.remove();
  }
}

/** An SVG as PNG on white, `scale` pixels for each CSS pixel (1 … 8). `fingerprint` goes into the PNG's metadata. */
export async function toPng(svg: string, scale = 2, fingerprint?: string): Promise<Uint8Array> {
  if (typeof svg !== 'string' || !svg.includes('<svg'))
    throw new InputError(`picture: expected SVG, such as of toSvg, got ${show(svg)}`);
  checkValue('scale of a picture', scale, between(1, 8));
  const { default: sharp } = await import('sharp');
  const picture = sharp(Buffer.from(svg), { density: 72 * scale }).flatten({ background: 'white' });
  return (fingerprint === undefined ? picture : picture.withExif({ IFD0: { ImageDescription: fingerprint } }))
    .png({ palette: true, effort: 7 })
    .toBuffer();
}

/** The ignored folder for pictures that are not committed. */
const built = 'build/figures';

/** A picture as PNG, two pixels for each CSS pixel, with the fingerprint of its source. */
export async function pictureOf(picture: Figure | Drawing | Animation): Promise<Uint8Array> {
  if (typeof picture !== 'object' || picture === null) await toSvg(picture); // throws
  const svg = 'svg' in picture ? picture.svg : 'still' in picture ? picture.still.svg : await toSvg(picture);
  return toPng(svg, 2, fingerprintOf(picture));
}

/** A hash of a picture's source. The pixels depend on the machine's fonts, this hash does not. */
export function fingerprintOf(picture: Figure | Drawing | Animation): string {
  return createHash('sha256').update(JSON.stringify(picture)).digest('hex');
}

/** The fingerprint in one of our PNGs; undefined without one. */
export async function fingerprintIn(png: Uint8Array): Promise<string | undefined> {
  const { default: sharp } = await import('sharp');
  const { exif } = await sharp(png).metadata();
  return exif === undefined ? undefined : /[0-9a-f]{64}/.exec(exif.toString('latin1'))?.[0];
}

/**
 * Writes a picture as <name>.png to a folder; a relative path counts from the project's root. Default: the folder
 * TRM_FIGURES, or build/figures, which git ignores; always build/figures with TRM_SMOKE=1, whose numbers mean nothing.
 * Throws InputError for a bad name.
 * @returns its path, relative if the folder's is
 */
export async function saveFigure(
  name: string,
  picture: Figure | Drawing | Animation,
  folder = figureFolder(),
): Promise<string> {
  checkName(name);
  checkValue('folder', folder, text);
  const file = `${folder}/${name}.png`;
  writeFileAtomic(path.resolve(projectRoot(), file), await pictureOf(picture));
  return file;
}

/**
 * Writes a looping <name>.gif where saveFigure writes: `seconds` for each drawing, three times as long for the last.
 * Drawings smaller than the largest are placed at its upper left.
 * @returns the path of the GIF, as saveFigure
 */
export async function saveMovie(name: string, movie: Movie, seconds = 1.2): Promise<string> {
  checkName(name);
  checkValue('movie', movie, listOf(objectOf({ svg: text, width: number, height: number }), 2));
  checkValue('seconds', seconds, between(0.01, 200));
  const { default: sharp } = await import('sharp');
  const [width, height] = [
    Math.max(...movie.map((drawing) => drawing.width)),
    Math.max(...movie.map((drawing) => drawing.height)),
  ];
  const pages = await Promise.all(
    movie.map(({ svg }) => sharp(Buffer.from(svg), { density: 108 }).flatten({ background: 'white' }).png().toBuffer()),
  );
  const even = await Promise.all(
    pages.map((page) =>
      sharp(page)
        .resize(Math.round(width * 1.5), Math.round(height * 1.5), {
          fit: 'contain',
          position: 'left top',
          background: 'white',
        })
        .png()
        .toBuffer(),
    ),
  );
  const delay = movie.map((_, i) => Math.round(1000 * seconds * (i === movie.length - 1 ? 3 : 1)));
  const bytes = await sharp(even, { join: { animated: true } })
    .gif({ delay, loop: 0, effort: 7, colours: 64 })
    .toBuffer();
  const file = `${figureFolder()}/${name}.gif`;
  writeFileAtomic(path.resolve(projectRoot(), file), bytes);
  return file;
}

/** The default folder of figures. scripts/notebooks.mjs sets TRM_FIGURES when it keeps the outputs. */
function figureFolder(): string {
  return process.env['TRM_SMOKE'] === '1' ? built : (process.env['TRM_FIGURES'] ?? built);
}

function checkName(name: string): void {
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]*$/.test(name))
    throw new InputError(`name of a figure: expected small letters, digits and dashes, got ${show(name)}`);
}
