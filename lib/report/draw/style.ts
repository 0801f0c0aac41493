/** How everything drawn looks: fonts, colours and sizes, defined here and nowhere else. */

/** One family everywhere; pictures made without a browser use the first that the machine has. */
export const fontFamily = "Helvetica, Arial, 'DejaVu Sans', sans-serif";

/** Font sizes, CSS pixels. */
export const fontSize = { title: 17, subtitle: 13, axis: 14, tick: 12, label: 13 } as const;

/**
 * Okabe and Ito's colours, distinguishable with any common colour vision, in order of use. A darker violet and brown
 * follow, so that each of the nine rows of Table 1 has its own.
 */
export const palette = [
  '#0072B2',
  '#D55E00',
  '#009E73',
  '#CC79A7',
  '#56B4E9',
  '#E69F00',
  '#5A5A5A',
  '#5B2C8F',
  '#8A4B14',
] as const;

/** Ink and paper. */
export const colour = {
  ink: '#1A1A1A',
  quiet: '#5A5A5A',
  faint: '#D9D9D9',
  paper: '#FFFFFF',
  given: '#ECECEC',
  changed: '#D6EAF8',
  error: '#FBD9C6',
  answer: '#0072B2',
  wrong: '#A83E00',
} as const;

/** ARC's ten colours, 0 … 9, as its website shows them. */
export const arcPalette = [
  '#000000',
  '#0074D9',
  '#FF4136',
  '#2ECC40',
  '#FFDC00',
  '#AAAAAA',
  '#F012BE',
  '#FF851B',
  '#7FDBFF',
  '#870C25',
] as const;

/** Sizes of figures, CSS pixels. */
export const figureSize = { width: 720, height: 440 } as const;

/** Line width and marker size of a curve, CSS pixels. */
export const stroke = { line: 2.25, marker: 6 } as const;

/** The colour of the i-th series; colours repeat after the last. */
export function seriesColour(index: number): string {
  return palette[index % palette.length] ?? colour.ink;
}

/** The same colour, see-through: for bands behind a curve. `#RRGGBB` in, `rgba(…)` out. */
export function translucent(hex: string, opacity: number): string {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  return `rgba(${red},${green},${blue},${opacity})`;
}

/** Advance widths of DejaVu Sans for the characters 32 … 126, thousandths of the font size. */
const advances = [
  318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636,
  636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863,
  748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635,
  615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636,
  337, 636, 838,
] as const;

/** Width of a line of text in the widest of our fonts, CSS pixels, so that no font is cut off. */
export function textWidth(text: string, size: number): number {
  let thousandths = 0;
  for (const character of text) thousandths += advances[(character.codePointAt(0) ?? 0) - 32] ?? 640;
  return (thousandths * size) / 1000;
}
