/**
 * The table of describe --all: the published counts to the last parameter, and every disagreement with the paper in a
 * footnote.
 */
import assert from 'node:assert/strict';
import { paperOddities } from '../../lib/experiment/variants.js';
import { modelTable, taskTable } from '../../lib/report/model-table.js';

describe("table of the paper's models", () => {
  const { table, notes } = modelTable();
  const column = (name: string): number => table.columns.indexOf(name);
  const cell = (row: readonly string[], name: string): string => row[column(name)] ?? assert.fail(name);

  it("has the published code's parameter counts (spec §1.13)", () => {
    assert.deepEqual(taskTable().rows, [
      ['trm', '5,028,866', '18,795,522', '18,801,666'],
      ['trm-attention', '6,828,034', '6,822,914', '6,829,058'],
      ['hrm', '27,275,266', '27,270,146', '27,276,290'],
      // 131,072 more than the published 27,144,194, whose heads lose 8 of 512 columns
      ['direct', '27,275,266', '27,270,146', '27,276,290'],
    ]);
    // The counts of all other variants: test/experiment/variants.test.ts.
    for (const [id, sudoku] of taskTable().rows)
      for (const row of table.rows.filter((each) => cell(each, 'variant') === id && cell(each, 'table') !== '5'))
        assert.equal(cell(row, 'parameters'), sudoku, id);
  });

  it('differs from what the paper prints only where a footnote says so', () => {
    let odd = 0;
    for (const row of table.rows) {
      const agrees = (ours: string, papers: string): boolean =>
        cell(row, papers) === '–' || cell(row, ours) === cell(row, papers);
      const millions = Math.round(Number(cell(row, 'parameters').replaceAll(',', '')) / 1e6);
      const same =
        agrees('depth', 'paper depth') &&
        agrees('forward passes', "paper's passes") &&
        (cell(row, 'paper, M') === '–' || Number(cell(row, 'paper, M')) === millions);
      if (same) continue;
      odd++;
      const marks = [...cell(row, 'notes').matchAll(/\[(\d+)\]/g)].map(([, number]) => notes[Number(number) - 1] ?? '');
      assert.match(marks.join(), /formula/, cell(row, 'row'));
    }
    assert.equal(odd, 2); // the first row of Table 3, for HRM and TRM
    const marked = new Set(
      table.rows.flatMap((row) => [...cell(row, 'notes').matchAll(/\[(\d+)\]/g)].map(([, n]) => n)),
    );
    assert.equal(marked.size, notes.length, 'a row refers to every note');
    assert.match(paperOddities.join('\n'), /73\.7 .* 81\.9/);
  });
});
