/** Functions of the library that draw or tabulate: what is none of their arguments gets one clear error. */
import assert from 'node:assert/strict';
import {
  animateThoughts,
  drawSudoku,
  drawThoughts,
  mazeView,
  sudokuView,
  thoughtMovie,
  thoughtPoints,
} from '../../lib/report/boards.js';
import { drawTask, drawVersions, drawVotes, puzzleIdTable } from '../../lib/report/arc.js';
import { toPng } from '../../lib/report/draw/plotly.js';
import { tableOfFrame } from '../../lib/report/frames.js';
import { thinkingRow, untilSureText } from '../../lib/report/thoughts.js';
import { withRecorded } from '../../lib/experiment/record.js';
import { inputError } from '../input-error.js';

type Takes = (value: never) => unknown;

describe('arguments of drawings and tables', () => {
  const calls: Readonly<Record<string, Takes>> = {
    drawSudoku,
    sudokuView,
    mazeView,
    drawThoughts,
    animateThoughts,
    thoughtMovie,
    thoughtPoints,
    drawTask: (value) => drawTask(value, 0),
    drawVersions: (value) => drawVersions(value, 0),
    drawVotes: (value) => drawVotes(value, value, 0),
    puzzleIdTable: (value) => puzzleIdTable(value, value),
    tableOfFrame,
    thinkingRow: (value) => thinkingRow('plain', value),
    untilSureText,
    withRecorded,
    toPng,
  };
  for (const [name, call] of Object.entries(calls))
    it(name, async () => {
      for (const value of [null, undefined, {}, [], 5, 'xx'])
        await assert.rejects(async () => call(value as never), inputError(/expected .*, got /), JSON.stringify(value));
    });
});
