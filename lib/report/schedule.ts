/** A schedule as a picture that shows where gradient flows. */
import { checkValue, text } from '../fields.js';
import type { Call, Schedule } from '../model/calls.js';
import { checkSchedule, scheduleText } from '../model/schedule-text.js';
import { htmlText } from './escape.js';
import { svgDocument } from './draw/grids.js';
import type { Drawing } from './draw/plotly.js';
import { colour, fontSize, seriesColour, textWidth } from './draw/style.js';

/** Sizes, CSS pixels. */
const column = 30;
const row = 56;
const radius = 11;

/**
 * One supervision step from left to right. Each latent has a row, and each call is a disc on the latent that it writes,
 * with lines from what it reads. Filled discs have gradient, hollow ones do not.
 */
export function drawSchedule(schedule: Schedule, title = 'One supervision step'): Drawing {
  checkSchedule(schedule);
  checkValue('title', title, text);
  const { calls, latents } = schedule;
  const left = 86;
  const top = 62;
  const rowOf = (latent: string): number => top + row * latents.indexOf(latent as (typeof latents)[number]);
  const inputRow = top + row * latents.length;
  const x = (i: number): number => left + column * (i + 1);
  const width = Math.max(x(calls.length) + 20, 460);
  const height = inputRow + 74;
  const words = (said: string, at: number, y: number, size: number, ink: string = colour.ink, extra = ''): string =>
    `<text x="${at}" y="${y}" font-size="${size}" fill="${ink}"${extra}>${htmlText(said)}</text>`;
  const parts = [
    words(title, 14, 26, fontSize.title, colour.ink, ' font-weight="bold"'),
    ...latents.map(
      (latent) =>
        `<line x1="${left}" y1="${rowOf(latent)}" x2="${width - 14}" y2="${rowOf(latent)}" ` +
        `stroke="${colour.faint}" stroke-width="2"/>`,
    ),
    ...latents.map((latent) =>
      words(`${latent}${latent === schedule.answer ? ', answer' : ''}`, 14, rowOf(latent) + 5, fontSize.label),
    ),
    `<line x1="${left}" y1="${inputRow}" x2="${width - 14}" y2="${inputRow}" ` +
      `stroke="${colour.quiet}" stroke-width="1" stroke-dasharray="2 4"/>`,
    words('x, puzzle', 14, inputRow + 5, fontSize.label),
    // Lines enter from the left, so that they show the order of time.
    ...calls.flatMap(({ write, read, gradient }, i) =>
      read
        .filter((source) => source !== write)
        .map((source) => {
          const from = source === 'x' ? inputRow : rowOf(source);
          const line = gradient ? seriesColour(0) : colour.quiet;
          return (
            `<line x1="${x(i) - column / 2}" y1="${from}" x2="${x(i)}" y2="${rowOf(write)}" ` +
            `stroke="${line}" stroke-width="1.1" opacity="0.75"/>`
          );
        }),
    ),
    ...calls.map(({ write, gradient, net }, i) => {
      const ink = net === 'fH' ? seriesColour(1) : seriesColour(0);
      return (
        `<circle cx="${x(i)}" cy="${rowOf(write)}" r="${radius}" ` +
        `fill="${gradient ? ink : colour.paper}" stroke="${ink}" stroke-width="2"/>` +
        words(netLetter(net), x(i), rowOf(write) + 4, 11, gradient ? colour.paper : ink, ' text-anchor="middle"')
      );
    }),
    ...legend(schedule, height - 26, words),
  ];
  return {
    svg: svgDocument(width, height, parts),
    width,
    height,
    text: `${title}\n${scheduleText(schedule)}`,
  };
}

function netLetter(net: Call['net']): string {
  return net === 'net' ? 'f' : net === 'fL' ? 'L' : 'H';
}

function legend(
  { nets }: Schedule,
  y: number,
  words: (text: string, at: number, y: number, size: number) => string,
): string[] {
  const entries = [
    { fill: colour.paper, meaning: 'a call without gradient' },
    { fill: seriesColour(0), meaning: 'a call with gradient' },
  ];
  let at = 24;
  const parts = entries.flatMap(({ fill, meaning }) => {
    const here = at;
    at += 28 + textWidth(meaning, fontSize.tick) + 16;
    return [
      `<circle cx="${here}" cy="${y}" r="8" fill="${fill}" stroke="${seriesColour(0)}" stroke-width="2"/>`,
      words(meaning, here + 15, y + 4, fontSize.tick),
    ];
  });
  const letters = nets.map((net) => `${netLetter(net)} = ${net}`).join(', ');
  return [...parts, words(letters, Math.round(at), y + 4, fontSize.tick)];
}
