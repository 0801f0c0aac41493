/** The browser functions that plotly.js needs and jsdom lacks: sizes of text and lengths of paths. */
import { localBox, pageBox, pathPoints, type Element, type Point } from './geometry.js';

/** The parts of a jsdom window used here; the project has no DOM types. */
export interface Window {
  readonly document: { readonly body: { appendChild(child: Element): void }; createElement(name: string): Element };
  readonly SVGElement: { readonly prototype: object };
  readonly URL: { createObjectURL?: () => string };
  eval(script: string): unknown;
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
