/** Where the parts of an SVG lie: the boxes of texts, shapes and groups, which jsdom does not compute. */
import { textWidth } from './style.js';

/** The parts of a DOM element used here; the project has no DOM types. */
export interface Element {
  readonly tagName: string;
  readonly textContent: string | null;
  readonly children: ArrayLike<Element>;
  readonly parentElement: Element | null;
  getAttribute(name: string): string | null;
  remove(): void;
}

/** A box in CSS pixels, y downwards. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type Point = readonly [x: number, y: number];

/** x' = a·x + c·y + e, y' = b·x + d·y + f, as SVG writes it. */
type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

const nothing: Box = { x: 0, y: 0, width: 0, height: 0 };
const identity: Matrix = [1, 0, 0, 1, 0, 0];

/** The box of an element in its own coordinates, its own transform left out (SVG's getBBox). */
export function localBox(element: Element): Box {
  switch (element.tagName) {
    case 'text':
      return textBox(element);
    case 'rect':
    case 'image':
      return {
        x: number(element, 'x'),
        y: number(element, 'y'),
        width: number(element, 'width'),
        height: number(element, 'height'),
      };
    case 'path':
      return boxAround(pathPoints(element));
    case 'g':
    case 'svg':
      return boxAround(
        Array.from(element.children).flatMap((child) =>
          corners(localBox(child)).map((corner) => apply(transformOf(child), corner)),
        ),
      );
    default:
      return nothing;
  }
}

/** The box of an element on the page (getBoundingClientRect). */
export function pageBox(element: Element): Box {
  let points = corners(localBox(element));
  for (let at: Element | null = element; at !== null; at = at.parentElement) {
    const matrix = transformOf(at);
    points = points.map((point) => apply(matrix, point));
  }
  return boxAround(points);
}

/** The corners of a path; curves count as the lines between their control points, near enough for placing labels. */
export function pathPoints(path: Element): Point[] {
  const points: Point[] = [];
  let [x, y] = [0, 0];
  for (const [, command = '', rest = ''] of (path.getAttribute('d') ?? '').matchAll(/([a-zA-Z])([^a-zA-Z]*)/g)) {
    const numbers = (rest.match(/-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?/g) ?? []).map(Number);
    const relative = command === command.toLowerCase();
    const [originX, originY] = relative ? [x, y] : [0, 0];
    const kind = command.toUpperCase();
    if (kind === 'H') numbers.forEach((to) => points.push([(x = originX + to), y]));
    else if (kind === 'V') numbers.forEach((to) => points.push([x, (y = originY + to)]));
    else if (kind === 'A')
      for (let i = 5; i < numbers.length; i += 7)
        points.push([(x = originX + (numbers[i] ?? 0)), (y = originY + (numbers[i + 1] ?? 0))]);
    else
      for (let i = 0; i + 1 < numbers.length; i += 2)
        points.push([(x = originX + (numbers[i] ?? 0)), (y = originY + (numbers[i + 1] ?? 0))]);
  }
  return points;
}

/** The box of lines one below the other, each starting, centred or ending at x as its anchor says. */
function textBox(text: Element): Box {
  const size = fontSizeOf(text);
  const lines = Array.from(text.children).filter(({ tagName }) => tagName === 'tspan');
  const contents = lines.length > 0 && lines.every((line) => line.getAttribute('class') === 'line') ? lines : [text];
  const width = Math.max(...contents.map((line) => textWidth(line.textContent ?? '', size)));
  if (width === 0) return nothing;
  const anchor = styleOf(text, 'text-anchor');
  const shift = anchor === 'middle' ? width / 2 : anchor === 'end' ? width : 0;
  return {
    x: number(text, 'x') - shift,
    y: number(text, 'y') - 0.93 * size,
    width,
    height: size * (1.17 + 1.3 * (contents.length - 1)),
  };
}

/** The font size of an element, inherited if it has none. */
function fontSizeOf(element: Element): number {
  for (let at: Element | null = element; at !== null; at = at.parentElement) {
    const size = Number.parseFloat(styleOf(at, 'font-size') ?? '');
    if (size > 0) return size;
  }
  return 12;
}

/** A property from the style attribute, or from the attribute of its name. */
function styleOf(element: Element, property: string): string | null {
  const style = element.getAttribute('style') ?? '';
  return new RegExp(`(?:^|;)\\s*${property}:\\s*([^;]+)`).exec(style)?.[1] ?? element.getAttribute(property);
}

function number(element: Element, attribute: string): number {
  return Number.parseFloat(element.getAttribute(attribute) ?? '') || 0;
}

/** All translations, turns and scalings of an element's transform attribute, the first outermost. */
function transformOf(element: Element): Matrix {
  let matrix = identity;
  for (const [, kind, list = ''] of (element.getAttribute('transform') ?? '').matchAll(
    /(translate|rotate|scale)\(([^)]*)\)/g,
  )) {
    const [p = 0, q, r = 0] = list
      .split(/[\s,]+/)
      .filter((part) => part !== '')
      .map(Number);
    if (kind === 'translate') matrix = multiply(matrix, [1, 0, 0, 1, p, q ?? 0]);
    else if (kind === 'scale') matrix = multiply(matrix, [p, 0, 0, q ?? p, 0, 0]);
    else {
      const [cos, sin] = [Math.cos((p * Math.PI) / 180), Math.sin((p * Math.PI) / 180)];
      const turn = multiply([1, 0, 0, 1, q ?? 0, r], [cos, sin, -sin, cos, 0, 0]);
      matrix = multiply(matrix, multiply(turn, [1, 0, 0, 1, -(q ?? 0), -r]));
    }
  }
  return matrix;
}

function multiply([a, b, c, d, e, f]: Matrix, [g, h, i, j, k, l]: Matrix): Matrix {
  return [a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * l + e, b * k + d * l + f];
}

function apply([a, b, c, d, e, f]: Matrix, [x, y]: Point): Point {
  return [a * x + c * y + e, b * x + d * y + f];
}

/** The corners of a box; none of an empty box, which would extend a group's box to the origin. */
function corners({ x, y, width, height }: Box): Point[] {
  return width === 0 && height === 0
    ? []
    : [
        [x, y],
        [x + width, y],
        [x, y + height],
        [x + width, y + height],
      ];
}

function boxAround(points: readonly Point[]): Box {
  if (points.length === 0) return nothing;
  const [left, top] = [Math.min(...points.map(([x]) => x)), Math.min(...points.map(([, y]) => y))];
  return {
    x: left,
    y: top,
    width: Math.max(...points.map(([x]) => x)) - left,
    height: Math.max(...points.map(([, y]) => y)) - top,
  };
}
