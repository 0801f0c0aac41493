/** Line charts on the page: shares against thinking cycles, in the colours of the kit's figures. */

/** One curve, with a dot at its last point. */
export interface Curve {
  /** right: a full line in the answers' colour; sure: a dotted one in the certainty's. */
  readonly look: 'right' | 'sure';
  readonly name: string;
  /** Shares after cycle 1, 2, …, 0 … 1. */
  readonly shares: readonly number[];
}

export interface ChartOptions {
  /** What a screen reader says. */
  readonly label: string;
  readonly curves: readonly Curve[];
  /** The last cycle on the axis. */
  readonly cycles: number;
  /** Cycles at equal distances, or at equal distances for each doubling. */
  readonly scale: 'equal' | 'doubled';
  /** A cycle to mark; 0 for none. */
  readonly now: number;
}

const size = { width: 360, height: 170, left: 40, right: 8, top: 22, bottom: 32 } as const;
const namespace = 'http://www.w3.org/2000/svg';

/** Draws into an element, replacing its content. */
export function drawChart(element: HTMLElement, { label, curves, cycles, scale, now }: ChartOptions): void {
  const svg = make('svg', { viewBox: `0 0 ${size.width} ${size.height}`, role: 'img', 'aria-label': label });
  const [left, right, top, bottom] = [size.left, size.width - size.right, size.top, size.height - size.bottom];
  const place = (cycle: number): number =>
    scale === 'equal' ? (cycle - 1) / Math.max(cycles - 1, 1) : Math.log2(cycle) / Math.log2(Math.max(cycles, 2));
  const x = (cycle: number): number => left + (right - left) * place(cycle);
  const y = (share: number): number => bottom - (bottom - top) * share;
  for (const share of [0, 0.5, 1]) {
    svg.append(
      make('line', { x1: left, x2: right, y1: y(share), y2: y(share), class: share === 0 ? 'axis' : 'grid' }),
      make('text', { x: left - 6, y: y(share) + 4, 'text-anchor': 'end' }, `${100 * share} %`),
    );
  }
  for (const cycle of ticks(cycles, scale))
    svg.append(make('text', { x: x(cycle), y: bottom + 16, 'text-anchor': 'middle' }, String(cycle)));
  svg.append(make('text', { x: right, y: size.height - 2, 'text-anchor': 'end' }, 'cycles'));
  if (now > 0) svg.append(make('line', { x1: x(now), x2: x(now), y1: top, y2: bottom, class: 'now' }));
  let at = left;
  for (const { look, name, shares } of curves) {
    const points = shares.map((share, i) => `${round(x(i + 1))},${round(y(share))}`);
    svg.append(make('polyline', { points: points.join(' '), class: look }));
    const [cx, cy] = points.at(-1)?.split(',') ?? [];
    if (cx !== undefined && cy !== undefined) svg.append(make('circle', { cx, cy, r: 3.5, class: look }));
    svg.append(make('text', { x: at, y: 12, class: `key ${look}` }, name));
    at += 8.2 * name.length + 18;
  }
  element.replaceChildren(svg);
}

function ticks(cycles: number, scale: ChartOptions['scale']): number[] {
  if (scale === 'doubled') return [1, 2, 4, 8, 16, 32, 64].filter((cycle) => cycle <= cycles);
  const step = Math.max(1, Math.ceil(cycles / 8));
  return [1, ...Array.from({ length: Math.floor(cycles / step) }, (_, i) => (i + 1) * step)].filter(
    (tick, i) => i === 0 || tick > step,
  );
}

function make(name: string, attributes: Readonly<Record<string, string | number>>, text = ''): SVGElement {
  const element = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.textContent = text;
  return element;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
