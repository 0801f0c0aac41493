/** A Sudoku as lines of text, for a terminal: frames around boxes, changed and wrong cells marked. */
import { boardGeometry, sudokuCells, type SudokuBoards, type SudokuCell } from './cells.js';

/** What the marks before a digit mean. */
export const markLegend = '+ changed, ! wrong, · empty';

/** The lines of a board; `bold` sets given digits off where a terminal can. */
export function boardLines(boards: SudokuBoards, bold = false): string[] {
  const { side, boxRows, boxColumns } = boardGeometry(boards.question);
  const cells = sudokuCells(boards);
  const rule = Array.from({ length: side / boxColumns }, () => '─'.repeat(2 * boxColumns + 1)).join('┼');
  return Array.from({ length: side }, (_, row) => {
    const boxes = Array.from({ length: side / boxColumns }, (__, box) =>
      cells
        .slice(row * side + box * boxColumns, row * side + (box + 1) * boxColumns)
        .map((cell) => cellText(cell, bold))
        .join(''),
    );
    const line = boxes.map((box) => `${box} `).join('│');
    return row > 0 && row % boxRows === 0 ? [rule, line] : [line];
  }).flat();
}

function cellText({ digit, given, changed, wrong }: SudokuCell, bold: boolean): string {
  const mark = wrong && digit !== null ? '!' : changed ? '+' : ' ';
  const shown = String(digit ?? '·');
  return mark + (bold && given ? `\u001b[1m${shown}\u001b[0m` : shown);
}
