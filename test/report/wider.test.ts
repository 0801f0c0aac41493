/** What a study of thinking wider comes to, against a record that was worked by hand. */
import assert from 'node:assert/strict';
import { widerPlan, type WiderRecord } from '../../lib/experiment/wider-record.js';
import { binomialInterval } from '../../lib/report/statistics.js';
import { chosenThreshold, thresholdTable, widerFigure, widerPoints, widerTable } from '../../lib/report/wider.js';

const record: WiderRecord = {
  schema: 'trm-lab/wider/1',
  id: 'by-hand',
  command: '',
  checkpoint: { name: 'model', sha256: '' },
  seed: 0,
  plan: {
    ...widerPlan,
    validationPuzzles: 2,
    testFrom: 0,
    testPuzzles: 3,
    formSteps: 2,
    leastForms: 2,
    mostForms: 4,
    haltAbove: 3,
    cycles: 2,
    chains: 2,
    chainSteps: 2,
  },
  data: {
    validation: { name: 'v', sha256: '', examples: 2 },
    test: { name: 't', sha256: '', examples: 3 },
  },
  sittings: [],
  seconds: 1,
  passes: 1,
  parts: [
    {
      method: 'search',
      set: 'validation',
      from: 0,
      puzzles: 2,
      // The first is wrong at a logit of 0.5 and right at 1.5; the second is right at 2.5, sooner or later.
      surer: [
        [1, 0.5, 0, 3, 1.5, 1, 6, 4, 1],
        [2, 2.5, 1, 8, 3.5, 1],
      ],
      votes: [1, 1],
    },
    {
      method: 'search',
      set: 'test',
      from: 0,
      puzzles: 3,
      surer: [
        [1, -1, 0, 2, 5, 1],
        [1, -2, 0, 5, 2, 0, 7, 4, 1],
        [3, -1, 1],
      ],
      votes: [1, 2],
    },
    { method: 'cycles', set: 'test', from: 0, puzzles: 3, solved: [0, 1] },
    { method: 'chains', set: 'test', from: 0, puzzles: 2, solved: [1, 1] },
    { method: 'chains', set: 'test', from: 2, puzzles: 1, solved: [0, 1] },
  ],
};

describe('a study of thinking wider', () => {
  it('takes the threshold that solves most validation puzzles, with the fewest passes', () => {
    // Above 0 the first puzzle is a false stop; 1 solves both with 3 and 2 passes, 2 with 6 and 2, 3 with 6 and 8.
    assert.equal(chosenThreshold(record), 1);
    assert.deepEqual(
      thresholdTable(record).rows.map(([threshold, taken, , solved, sure, wrong]) => [
        threshold,
        taken,
        solved,
        sure,
        wrong,
      ]),
      [
        ['0', '–', '50.0 %', '2', '1'],
        ['1', 'yes', '100.0 %', '2', '0'],
        ['2', '–', '100.0 %', '2', '0'],
        ['3', '–', '100.0 %', '2', '0'],
      ],
    );
  });

  it('has every way at every number of passes', () => {
    assert.deepEqual(
      widerPoints(record).map(({ way, passes, solved, stops }) => [way, passes, solved, stops?.sure, stops?.wrong]),
      [
        ['more cycles', 1, 0, undefined, undefined],
        ['more cycles', 2, 1, undefined, undefined],
        ['noisy chains', 2, 1, undefined, undefined],
        ['noisy chains', 4, 2, undefined, undefined],
        ['votes', 2, 1, undefined, undefined],
        ['votes', 4, 2, undefined, undefined],
        ['surest', 2, 1, undefined, undefined],
        ['surest', 4, 2, undefined, undefined],
        // Above 1: the first stops after 2 passes, right; the second after 5, wrong; the third never, right from 3 on.
        ['stop when sure', 2, 1, 1, 0],
        ['stop when sure', (2 + 4 + 4) / 3, 2, 1, 0],
        ['stop when sure', (2 + 5 + 8) / 3, 2, 2, 1],
      ],
    );
  });

  it('is drawn and listed whole, with intervals that hold the share', () => {
    const { data } = widerFigure(record);
    assert.deepEqual(
      data.map(({ name, x }) => [name, (x as number[]).length]),
      [
        ['more cycles', 2],
        ['noisy chains', 2],
        ['votes', 2],
        ['surest', 2],
        ['stop when sure', 3],
      ],
    );
    const table = widerTable(record);
    assert.equal(table.rows.length, 11);
    assert.deepEqual(table.rows.at(-1)?.slice(0, 4), ['stop when sure', 'up to 8 passes', '5', '66.7 %']);
    assert.deepEqual(table.rows.at(-1)?.slice(5, 7), ['2', '1']);
  });
});

describe('binomialInterval', () => {
  it('is Wilson’s: cases worked elsewhere', () => {
    // R: prop.test(177, 200, correct = FALSE) and prop.test(0, 10, correct = FALSE)
    for (const [count, all, low, high] of [
      [177, 200, 0.8333, 0.9221],
      [0, 10, 0, 0.2775],
      [1, 2, 0.0945, 0.9055],
    ] as const)
      binomialInterval(count, all).forEach((end, i) => assert.ok(Math.abs(end - [low, high][i]!) < 2e-4, `${end}`));
  });
});
