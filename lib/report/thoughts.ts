/** Thoughts and ways of thinking as tables. */
import type { Evaluation } from '../train/evaluate.js';
import type { JudgedThought } from '../train/thoughts.js';
import { percentText, tableOfRows, type Table } from './tables.js';

/**
 * Judged thoughts as a table:
 * step, board, what changed, how sure the model was, whether it is legal, and how much is right.
 */
export function thoughtsTable(thoughts: readonly JudgedThought[]): Table {
  return tableOfRows(
    thoughts.map((thought) => ({
      step: thought.step,
      board: thought.board,
      changed: changesText(thought.changed),
      sure: percentText(thought.haltProbability),
      legal: thought.illegal ?? 'yes',
      right: `${thought.rightCells} of ${thought.board.length}`,
    })),
  );
}

/** "r1c2 .→3, r4c4 1→2": the first few changes, and how many there are beyond them. */
export function changesText(changed: JudgedThought['changed'], most = 6): string {
  if (changed.length === 0) return 'nothing';
  const shown = changed.slice(0, most).map(({ row, column, from, to }) => `r${row}c${column} ${from}→${to}`);
  return [...shown, ...(changed.length > most ? [`${changed.length - most} more`] : [])].join(', ');
}

/** One way of thinking in a table: what it solved, and what that took. */
export type ThinkingRow = Readonly<{
  thinking: string;
  'puzzles solved': string;
  'supervision steps a puzzle': string;
}>;

/** An evaluation as a row; `answers` is how many votes or chains thought about each puzzle. */
export function thinkingRow(
  thinking: string,
  { exactAccuracy, puzzles, supervisionSteps, meanSteps = supervisionSteps }: Evaluation,
  answers = 1,
): ThinkingRow {
  const solved = exactAccuracy.at(-1) ?? NaN;
  return {
    thinking,
    'puzzles solved': `${percentText(solved)} of ${puzzles.toLocaleString('en')}`,
    'supervision steps a puzzle': `${answers === 1 ? '' : `${answers} × `}${Number(meanSteps.toFixed(2))}`,
  };
}
