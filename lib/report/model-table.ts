/**
 * The sizes of the paper's models: parameters, depth and forward passes next to the paper's numbers, whose
 * inconsistencies are in footnotes.
 */
import { applyVariant, publishedTasks, variant, variants } from '../experiment/variants.js';
import { paperConfig } from '../model/config.js';
import { parameterCount } from '../model/parameters.js';
import { effectiveDepth, forwardPasses } from '../model/schedule.js';
import { tableOfRows, type Table } from './tables.js';

/** A table and the notes that it refers to. */
export interface FootnotedTable {
  readonly table: Table;
  /** Note i is marked [i + 1]. */
  readonly notes: readonly string[];
}

/**
 * Every row of Tables 1 to 5 that is a model, at the paper's size for Sudoku, in Table 5 for ARC:
 * counted exactly, beside the paper's own columns.
 */
export function modelTable(): FootnotedTable {
  const notes: string[] = [];
  const mark = (note: string): string => {
    if (!notes.includes(note)) notes.push(note);
    return `[${notes.indexOf(note) + 1}]`;
  };
  const rows = variants.flatMap((each) => {
    return each.rows.map(({ table, label, sudoku, footnote, ...paper }) => {
      const config = applyVariant({ ...paperConfig, ...publishedTasks[table === 5 ? 'arc' : 'sudoku'].model }, each);
      return {
        variant: each.id,
        table,
        row: label,
        parameters: parameterCount(config).toLocaleString('en'),
        'paper, M': paper.millions ?? null,
        depth: effectiveDepth(config),
        'paper depth': paper.depth ?? null,
        'forward passes': forwardPasses(config),
        "paper's passes": paper.forwardPasses ?? null,
        'paper, % of Sudoku': sudoku ?? null,
        notes: [footnote, each.note].flatMap((note) => (note === undefined ? [] : [mark(note)])).join(' '),
      };
    });
  });
  return { table: tableOfRows(rows), notes };
}

/** Parameters of the models of Tables 4 and 5 on each of the paper's tasks. */
export function taskTable(): Table {
  const ids = ['trm', 'trm-attention', 'hrm', 'direct'];
  return tableOfRows(
    ids.map((id) => ({
      variant: id,
      ...Object.fromEntries(
        Object.values(publishedTasks).map(({ label, model }) => [
          label,
          parameterCount(applyVariant({ ...paperConfig, ...model }, variant(id))).toLocaleString('en'),
        ]),
      ),
    })),
  );
}
