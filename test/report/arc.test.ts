/** Pictures and tables of ARC: what stands in them, by hand. */
import assert from 'node:assert/strict';
import { gridOfRows } from '../../lib/data/arc.js';
import { arcDataset } from '../../lib/data/arc-sets.js';
import { drawTask, drawVersions, drawVotes, puzzleIdTable } from '../../lib/report/arc.js';
import { ArcVotes } from '../../lib/train/arc-votes.js';
import type { Evaluation } from '../../lib/train/evaluate.js';
import { record } from './records.js';

const { test } = arcDataset({ set: 'arc1', canvas: 10, maxTasks: 3, augmentations: 4, seed: 0 });
const [{ task, pairs }] = test.versions.entries as [(typeof test.versions.entries)[number]];
const rects = (svg: string): number => svg.match(/<rect /g)?.length ?? 0;

describe('ARC pictures', () => {
  it('show every pair of a task, and every cell', () => {
    const { svg, text } = drawTask(test, 0);
    assert.equal(text.match(/: question/g)?.length, task.train.length + task.test.length);
    assert.match(text, new RegExp(`^ARC task ${task.id}`));
    const cells = [...task.train, ...task.test].reduce(
      (sum, { input, output }) => sum + input.cells.length + output.cells.length,
      0,
    );
    assert.ok(rects(svg) >= cells);
    for (const puzzle of [-1, 3, 0.5, NaN, '2'])
      assert.throws(() => drawTask(test, puzzle as number), /puzzle: expected 0 to 2 of .*, got/);
    assert.throws(() => drawTask({ name: 'Sudokus' } as never, 0), /expected tasks of ARC, got Sudokus/);
  });

  it('show versions with their ids and what was done, the original first', () => {
    const { text } = drawVersions(test, 0, 3);
    assert.equal(text.match(/^id \d+: [a-z -]+, recoloured$/gm)?.length, 2);
    assert.ok(text.includes(`\n\nid ${test.versions.id(0, 0)}: as it is\n`));
    assert.throws(() => drawVersions(test, 3), /expected 0 to 2/);
    assert.throws(() => drawVersions(test, 0, NaN), /count: expected a whole number from 1, got NaN/);
    assert.throws(
      () => drawVotes(new ArcVotes(), test, 0, { count: 0 }),
      /count: expected a whole number from 1, or nothing, got 0/,
    );
  });

  it('show candidates by their votes, wrong cells crossed out', () => {
    const votes = new ArcVotes();
    const wrong = gridOfRows([[0]]);
    for (const [grid, sure] of [
      [wrong, 0.25],
      [pairs[0]!.output, 0.5],
      [wrong, 0.75],
    ] as const)
      votes.add(task.id, 0, grid, sure);
    const { text, svg } = drawVotes(votes, test, 0);
    assert.ok(svg.includes('>wrong<')); // the legend of crossed-out cells
    assert.deepEqual(text.match(/question|right answer|\d+ votes?.*/g), [
      'question',
      'right answer',
      '2 votes · sure: 50 %',
      '1 vote · sure: 50 %',
    ]);
    assert.throws(() => drawVotes(votes, test, 0, { pair: 9 }), /expected 0 to 0/);
  });
});

describe('the blank-id test', () => {
  it('stands beside the accuracy with the own id', () => {
    const [own] = record({ exactAccuracy: [0] }).evaluations;
    const after = (share: number): Evaluation => ({
      ...own!,
      exactAccuracy: [0.9, share],
      cellAccuracy: [0.9, share / 2],
    });
    assert.deepEqual(
      puzzleIdTable(
        { own: after(0.5), blank: after(0), shuffled: after(0.01) },
        { own: after(0.75), blank: after(0.125), shuffled: after(1) },
      ).rows,
      [
        ["the puzzle's own", '50.0 %', '25.0 %', '75.0 %', '37.5 %'],
        ['none', '0.0 %', '0.0 %', '12.5 %', '6.3 %'],
        ["the next puzzle's", '1.0 %', '0.5 %', '100.0 %', '50.0 %'],
      ],
    );
  });
});
