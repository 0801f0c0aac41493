/** Sudokus in a terminal: every cell in its place between the frames of its boxes, changed and wrong ones marked. */
import assert from 'node:assert/strict';
import { parseBoard, tokensOfBoard } from '../../lib/data/sudoku.js';
import { boardLines } from '../../lib/report/text-board.js';

const tokens = (text: string): Uint8Array => tokensOfBoard(parseBoard(text));

describe('boards as text', () => {
  it('have frames around 2×2 boxes, marks before changed and wrong digits, and given digits in bold', () => {
    const question = tokens('1.........3..4.2');
    const solution = tokens('1243432121343412');
    const [before, answer] = [tokens('1443432121343412'), tokens('1243432121343411')];
    assert.deepEqual(boardLines({ question, answer, before, solution }), [
      ' 1+2 │ 4 3 ',
      ' 4 3 │ 2 1 ',
      '─────┼─────',
      ' 2 1 │ 3 4 ',
      ' 3 4 │ 1!1 ',
    ]);
    assert.equal(boardLines({ question }, true)[0], ' \u001b[1m1\u001b[0m · │ · · ');
  });

  it('of 6×6 have boxes of two rows and three columns', () => {
    const lines = boardLines({ question: new Uint8Array(36).fill(1) });
    assert.deepEqual(lines.slice(1, 4), [' · · · │ · · · ', '───────┼───────', ' · · · │ · · · ']);
    assert.equal(lines.length, 8);
  });
});
