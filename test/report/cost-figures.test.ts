/** What Sudoku-Extreme costs: points where the records and the published arithmetic have them. */
import assert from 'node:assert/strict';
import { experiment } from '../../lib/experiment/experiments.js';
import { variantExperiment } from '../../lib/experiment/rows.js';
import { variant } from '../../lib/experiment/variants.js';
import { readRecords, type RunRecord } from '../../lib/experiment/record.js';
import {
  coreHours,
  accuracyVersusCoreHours,
  accuracyVersusFlop,
  extremeRuns,
  publishedTable,
} from '../../lib/report/cost-figures.js';
import { publishedFlop, publishedPoints } from '../../lib/report/published-points.js';
import { record, recordOf } from './records.js';

const base = experiment('sudoku-extreme-desk');
/** Half an hour of training on two threads; 4,000 of 8,000 steps were made when it was looked at. */
function deskRun(id: string, solved: readonly [halfway: number, end: number]): RunRecord {
  const plain = recordOf(variantExperiment(base, variant(id)), 0, [0, solved[1]]);
  const [last] = plain.evaluations;
  return {
    ...plain,
    steps: 8000,
    seconds: { training: 1800, evaluation: 0 },
    sittings: [{ ...plain.sittings[0]!, threads: 2 }],
    evaluations: [
      { ...last!, step: 4000, puzzles: 200, exactAccuracy: [0, solved[0]] },
      { ...last!, step: 8000 },
    ],
  };
}
const records = [deskRun('trm', [0.25, 0.5]), deskRun('trm-attention', [0, 0.125]), record({ exactAccuracy: [1] })];

describe('what Sudoku-Extreme costs', () => {
  it('takes runs on its test puzzles only', () => {
    const search = { ...base, evaluation: { ...base.evaluation, split: 'validation' as const } };
    assert.deepEqual(extremeRuns([...records, recordOf(search, 0, [0.5])]), records.slice(0, 2));
  });

  it('has room for every entry of the legend: Plotly leaves out what is too much for the plot', () => {
    const all = readRecords('data/runs');
    for (const { data, layout } of [accuracyVersusCoreHours(all), accuracyVersusFlop(all)]) {
      const { t, b } = layout['margin'] as { readonly t: number; readonly b: number };
      assert.ok(data.length >= 5 && layout.height - t - b >= 20 * data.length, `${data.length} in ${layout.height}`);
    }
  });

  it('core-hours are hours times threads, and grow with the steps', () => {
    const [first] = records;
    // 2,000 steps on one thread and 6,000 on two, in 5,000 s: a step costs one second of a core, scoring had two cores.
    const two = [
      { ...first!.sittings[0]!, threads: 1, from: 0, to: 2000 },
      { ...first!.sittings[0]!, threads: 2, from: 2000, to: 8000 },
    ];
    const run = { ...first!, seconds: { training: 5000, evaluation: 900 }, sittings: two };
    assert.deepEqual([coreHours(run, 'training'), coreHours(run, 'all')], [8000 / 3600, 8000 / 3600 + 0.5]);
    const { data, layout } = accuracyVersusCoreHours(records);
    assert.deepEqual(
      data.map(({ x, y }) => [x, y]),
      [
        [
          [0.5, 1],
          [25, 50],
        ],
        [
          [1], // another row of the table: its end only
          [12.5],
        ],
      ],
    );
    const { text } = layout['title'] as { readonly text: string };
    assert.match(text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/ +/g, ' '), /200 test puzzles during training, 300 at/);
  });

  it('published points stand in traces of their own, hollow, each under the name of who published it', () => {
    const { data } = accuracyVersusFlop(records);
    const ours = data.filter(({ marker }) => !String((marker as { symbol: string }).symbol).endsWith('-open'));
    assert.deepEqual(
      ours.map(({ y }) => y),
      [[50], [12.5]],
    );
    const theirs = data.slice(ours.length);
    assert.equal(theirs.flatMap(({ y }) => y as number[]).length, publishedPoints().length);
    for (const { by } of publishedPoints())
      assert.ok(
        theirs.some(({ name }) => name?.startsWith(`${by}: `)),
        by,
      );
    const { columns, rows } = publishedTable();
    assert.ok(!columns.some((column) => /ours/.test(column)));
    assert.ok(rows.every((row) => row[columns.indexOf('source')] !== ''));
  });

  it('counts FLOP as spec §1.14 does: the paper’s model by hand, others by what they say', () => {
    const of = (name: string, by: string): number =>
      publishedFlop(publishedPoints().find((point) => point.name === name && point.by === by)!);
    // A layer of the paper's TRM-MLP: two SwiGLU, over 97 positions (inner 256 · ⌈4 · 97 · ⅔ / 256⌉ = 512) and over 512
    // channels (inner 1,536); three products of each.
    const layer = 3 * 97 * 512 * 512 + 3 * 512 * 1536 * 97;
    const calls = 3 * 7 + 2 * 7; // the last seven once more each for two backward products
    const byHand = 2 * 2 * layer * calls * 768 * 65_104;
    assert.ok(Math.abs(of('TRM-MLP', 'the paper') / byHand - 1) < 1e-9, `${of('TRM-MLP', 'the paper') / byHand}`);
    assert.equal(of('another block', 'sic'), 72e9 * 384 * 8000);
  });
});
