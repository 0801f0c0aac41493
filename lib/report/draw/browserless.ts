/** What plotly.js asks of a browser and jsdom lacks: sizes of text, lengths of paths, a canvas of flat rectangles. */
import { crc32, deflateSync } from 'node:zlib';
import { localBox, pageBox, pathPoints, type Element, type Point } from './geometry.js';

/** The parts of a jsdom window used here; the project has no DOM types. */
export interface Window {
  readonly document: { readonly body: { appendChild(child: Element): void }; createElement(name: string): Element };
  readonly SVGElement: { readonly prototype: object };
  readonly HTMLCanvasElement: { readonly prototype: object };
  readonly URL: { createObjectURL?: () => string };
  readonly Uint8ClampedArray: typeof Uint8ClampedArray;
  eval(script: string): unknown;
}

interface Canvas extends Element {
  readonly width: number;
  readonly height: number;
}

/** RGBA pixels, row by row. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** Gives a jsdom window what plotly.js needs to draw two-dimensional figures. */
export function completeWindow(window: Window): void {
  window.URL.createObjectURL ??= () => '';
  Object.assign(window.SVGElement.prototype, {
    getBBox(this: Element) {
      return localBox(this);
    },
    getBoundingClientRect(this: Element) {
      const { x, y, width, height } = pageBox(this);
      return { x, y, width, height, left: x, top: y, right: x + width, bottom: y + height };
    },
    getComputedTextLength(this: Element) {
      return localBox(this).width;
    },
    getTotalLength(this: Element) {
      return lengthOf(pathPoints(this));
    },
    getPointAtLength(this: Element, length: number) {
      return pointAt(pathPoints(this), length);
    },
  });
  addCanvas(window);
}

function lengthOf(points: readonly Point[]): number {
  return points
    .slice(1)
    .reduce((sum, [x, y], i) => sum + Math.hypot(x - (points[i]?.[0] ?? x), y - (points[i]?.[1] ?? y)), 0);
}

function pointAt(points: readonly Point[], length: number): { readonly x: number; readonly y: number } {
  let left = length;
  for (const [i, [x, y]] of points.slice(1).entries()) {
    const [fromX, fromY] = points[i] ?? [x, y];
    const piece = Math.hypot(x - fromX, y - fromY);
    if (left <= piece && piece > 0)
      return { x: fromX + ((x - fromX) * left) / piece, y: fromY + ((y - fromY) * left) / piece };
    left -= piece;
  }
  const [x, y] = points.at(-1) ?? [0, 0];
  return { x, y };
}

/** A 2D context that can fill rectangles and take images: enough for heat maps. */
function addCanvas(window: Window): void {
  const surfaces = new WeakMap<Canvas, Pixels>();
  const surfaceOf = (canvas: Canvas): Pixels => {
    let surface = surfaces.get(canvas);
    if (surface?.width !== canvas.width || surface.height !== canvas.height) {
      surface = {
        width: canvas.width,
        height: canvas.height,
        data: new Uint8ClampedArray(canvas.width * canvas.height * 4),
      };
      surfaces.set(canvas, surface);
    }
    return surface;
  };
  Object.assign(window.HTMLCanvasElement.prototype, {
    getContext(this: Canvas, kind: string) {
      return kind === '2d' ? contextOf(() => surfaceOf(this), window) : null;
    },
    toDataURL(this: Canvas) {
      return `data:image/png;base64,${encodePng(surfaceOf(this)).toString('base64')}`;
    },
  });
}

function contextOf(surface: () => Pixels, window: Window): object {
  const ignore = (): void => undefined;
  return {
    fillStyle: '#000000',
    save: ignore,
    restore: ignore,
    scale: ignore,
    translate: ignore,
    clearRect: ignore,
    createImageData: (width: number, height: number) => ({
      width,
      height,
      data: new window.Uint8ClampedArray(width * height * 4),
    }),
    putImageData(image: Pixels, left = 0, top = 0) {
      const { width, data } = surface();
      for (let row = 0; row < image.height; row++) {
        data.set(
          image.data.subarray(row * image.width * 4, (row + 1) * image.width * 4),
          ((row + top) * width + left) * 4,
        );
      }
    },
    fillRect(this: { readonly fillStyle: string }, left: number, top: number, wide: number, high: number) {
      const { width, height, data } = surface();
      const pixel = rgbaOf(this.fillStyle);
      for (let y = Math.max(0, Math.round(top)); y < Math.min(height, Math.round(top + high)); y++) {
        for (let x = Math.max(0, Math.round(left)); x < Math.min(width, Math.round(left + wide)); x++)
          data.set(pixel, (y * width + x) * 4);
      }
    },
  };
}

/** `#RRGGBB` or `rgb(…)` or `rgba(…)` as four bytes. */
function rgbaOf(css: string): [number, number, number, number] {
  const parts = /rgba?\(([^)]+)\)/.exec(css)?.[1]?.split(',').map(Number);
  const [red = 0, green = 0, blue = 0, opacity = 1] =
    parts ?? [1, 3, 5].map((at) => Number.parseInt(css.slice(at, at + 2), 16));
  return [red, green, blue, Math.round(opacity * 255)];
}

/** A PNG file of RGBA pixels (toDataURL may not wait, so sharp cannot make it). */
function encodePng({ width, height, data }: Pixels): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6], 8); // 8 bits a channel, RGBA
  const rows = Buffer.alloc(height * (1 + width * 4)); // each row begins with its filter: 0, none
  for (let y = 0; y < height; y++) rows.set(data.subarray(y * width * 4, (y + 1) * width * 4), y * (1 + width * 4) + 1);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(kind: string, content: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(kind, 'latin1'), content]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  check.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, check]);
}
