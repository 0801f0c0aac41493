/**
 * Figures over whole tables: every number of the records is where it belongs, by hand, and none where nothing was run.
 */
import assert from 'node:assert/strict';
import { rawWeightsIn } from '../../lib/experiment/closing.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { rowExperiment } from '../../lib/experiment/rows.js';
import { variant } from '../../lib/experiment/variants.js';
import { closingEvaluation, type CurvePoint, type RunRecord } from '../../lib/experiment/record.js';
import { effectiveDepth } from '../../lib/model/schedule.js';
import { paperTableRows, type PaperTableRow } from '../../lib/report/paper-rows.js';
import { rowsVersusCycles } from '../../lib/report/figures.js';
import type { Figure, Trace } from '../../lib/report/draw/plotly.js';
import {
  accuracyVersusDepth,
  bandText,
  costVersusAccuracy,
  haltingOverTraining,
  learningCurves,
  longerThinking,
  studyCaption,
  trainingVersusTest,
} from '../../lib/report/study-figures.js';
import { recordOf } from './records.js';

const base = experiment('sudoku-6x6-study');
const trace = (figure: Figure, name: string): Trace =>
  figure.data.find((each) => each.name === name) ?? assert.fail(`no trace ${name}`);
const names = (figure: Figure): unknown[] => figure.data.map(({ name }) => name);
const barOf = (each: Trace): readonly number[] => (each['error_y'] as { array: readonly number[] }).array;

/** A record with what a study looks at beside the final accuracy. */
function studied(id: string, seed: number, exact: readonly number[], extra: Partial<RunRecord> = {}): RunRecord {
  return { ...recordOf(rowExperiment(base, variant(id)), seed, exact), ...extra };
}
const scored = (exactAccuracy: readonly number[], step = 600): RunRecord['evaluations'][number] => ({
  ...studied('trm', 0, exactAccuracy).evaluations[0]!,
  step,
});
const point = (step: number, meanSteps: number | null): CurvePoint => ({
  step,
  answerLoss: 1,
  haltLoss: 1,
  exactAccuracy: null,
  cellAccuracy: null,
  meanSteps,
});
const rows = (table: 1 | 3, records: readonly RunRecord[]): PaperTableRow[] => paperTableRows(table, base, records);

describe('figures over a table', () => {
  it('accuracy versus depth: ours with a bar of one standard deviation, the paper’s where it has a number', () => {
    const figure = accuracyVersusDepth(
      rows(3, [
        studied('trm', 0, [0.5]),
        studied('trm', 1, [0.7]),
        studied('trm-k1-t1', 0, [0.25]),
        studied('hrm', 0, [0.375]),
      ]),
    );
    const ours = trace(figure, 'TRM, ours');
    assert.deepEqual(
      [ours.x, ours.y],
      [
        [6, 42],
        [25, 60],
      ],
      'one layer for each of the 3 calls of k = 1, T = 1, twice',
    );
    assert.equal(barOf(ours)[0], 0);
    assert.ok(Math.abs((barOf(ours)[1] ?? NaN) - 14.1421) < 1e-4, '0.2 / √2');
    assert.deepEqual([trace(figure, 'HRM, ours').x, trace(figure, 'HRM, ours').y], [[24], [37.5]]);
    assert.deepEqual(
      [ours['mode'], trace(figure, 'HRM, ours')['mode']],
      ['lines+markers', 'markers'],
      'one point, no line',
    );
    assert.match(JSON.stringify(figure.layout['title']), /ours: 6×6 boards, the paper’s: Sudoku-Extreme/);
    // the paper has no result for (6, 3) and (6, 6) of TRM
    assert.deepEqual(
      [trace(figure, 'TRM, paper').x, trace(figure, 'TRM, paper').y],
      [
        [6, 20, 42, 72, 84],
        [63.2, 81.9, 87.4, 84.2, 85.8],
      ],
    );
    assert.equal(trace(figure, 'HRM, paper').x?.length, 7);
    const [low, high] = (figure.layout['xaxis'] as { range: [number, number] }).range;
    assert.ok(
      10 ** low < 6 && 10 ** high > effectiveDepth(rowExperiment(base, variant('hrm-k6-t6')).model),
      'no point is cut off',
    );
  });

  it('cost versus accuracy: FLOP of the whole training, one point a variant that was run', () => {
    const figure = costVersusAccuracy(
      rows(1, [studied('trm', 0, [0.5]), studied('trm', 1, [0.75]), studied('trm-t2-n2', 0, [0.125])]),
    );
    assert.deepEqual(names(figure), ['TRM (T = 3, n = 6)', 'w/ T = 2, n = 2']);
    const [trm, short] = figure.data as [Trace, Trace];
    assert.deepEqual([trm.y, short.y], [[62.5], [12.5]]);
    // one call, one puzzle, one of two layers, hidden 64, 37 positions, inner sizes 192 (for 64) and 128 (for 37):
    // 64 · 37 · 3 · 128 across positions, 37 · 64 · 3 · 192 across channels
    const call = 2 * (64 * 37 * 3 * 128 + 37 * 64 * 3 * 192);
    // 21 calls a step and 7 of them backward at twice the price, 32 puzzles, 900 steps; T = 2, n = 2: 6 calls,
    // 3 backward
    const tera = (calls: number, back: number): number => (2 * call * (calls + 2 * back) * 32 * 900) / 1e12;
    assert.ok(Math.abs(Number(trm.x?.[0]) - tera(21, 7)) < 1e-9, `${String(trm.x?.[0])} for ${tera(21, 7)}`);
    assert.ok(Math.abs(Number(short.x?.[0]) - tera(6, 3)) < 1e-9);
  });

  it('thinking longer: mean over the seeds that looked, their range as a band, the trained number marked', () => {
    const long = (share: number): Partial<RunRecord> => ({
      closing: { longer: scored(Array.from({ length: 40 }, (_, i) => (i < 20 ? share : share / 2))) },
    });
    const figure = longerThinking(
      rows(1, [
        studied('trm', 0, [0.5], long(0.5)),
        studied('trm', 1, [0.5], long(0.75)),
        studied('trm', 2, [0.5]),
        studied('hrm', 0, [0.5]),
      ]),
    );
    const [low, high, mean] = figure.data as [Trace, Trace, Trace];
    assert.deepEqual(names(figure), ['TRM (T = 3, n = 6), spread', 'TRM (T = 3, n = 6), spread', 'TRM (T = 3, n = 6)']);
    assert.deepEqual(
      [low, high, mean].map(({ y }) => [y?.[0], y?.[39]]),
      [
        [50, 25],
        [75, 37.5],
        [62.5, 31.25],
      ],
    );
    assert.deepEqual(
      (figure.layout.shapes as { x0: number }[]).map(({ x0 }) => x0),
      [4],
    );
  });

  it('training versus test: both means of each row that looked at its training puzzles', () => {
    const figure = trainingVersusTest(
      rows(1, [
        studied('trm', 0, [0.5], { closing: { training: scored([0.1, 0.75]) } }),
        studied('trm', 1, [0.25], { closing: { training: scored([0.1, 1]) } }),
        studied('hrm', 0, [0.5]),
      ]),
    );
    assert.deepEqual(
      [trace(figure, 'training puzzles').x, trace(figure, 'training puzzles').y],
      [[87.5], ['TRM (T = 3, n = 6)']],
    );
    assert.deepEqual(
      [trace(figure, 'test puzzles').x, trace(figure, 'test puzzles').y],
      [[37.5], ['TRM (T = 3, n = 6)']],
    );
    assert.deepEqual(figure.data[0]?.x, [37.5, 87.5], 'the gap is drawn');
  });

  it('say which puzzles were scored: test, validation, or both', () => {
    const test = studied('trm', 0, [0.5], { closing: { training: scored([0.9]) } });
    const { experiment: own } = studied('hrm', 0, [0.5]);
    const validation = {
      ...test,
      id: 'v',
      experiment: { ...own, evaluation: { ...own.evaluation, split: 'validation' } },
    };
    const drawn = (...records: readonly RunRecord[]): readonly unknown[] => {
      const of = records.map((record) => ({ row: { label: record.id }, records: [record] }));
      const titles = [costVersusAccuracy(of), learningCurves(of)].map(({ layout }) => layout['yaxis']);
      return [
        ...titles.map((axis) => (axis as { title: { text: string } }).title.text),
        names(trainingVersusTest(of)).at(-1),
      ];
    };
    for (const [records, words] of [
      [[test], 'Test'],
      [[validation], 'Validation'],
      [[validation, test], 'Test or validation'],
    ] as const)
      assert.deepEqual(drawn(...(records as readonly RunRecord[])), [
        `${words} puzzles solved`,
        `${words} puzzles solved`,
        `${words.toLowerCase()} puzzles`,
      ]);
  });

  it('learning curves: the last supervision step of every evaluation, at its optimizer step', () => {
    const seed = (share: number): Partial<RunRecord> => ({
      evaluations: [scored([0.9, share / 2], 200), scored([0.9, share], 600)],
    });
    const figure = learningCurves(rows(1, [studied('trm', 0, [], seed(0.5)), studied('trm', 1, [], seed(0.25))]));
    const mean = trace(figure, 'TRM (T = 3, n = 6)');
    assert.deepEqual(
      [mean.x, mean.y],
      [
        [200, 600],
        [18.75, 37.5],
      ],
    );
    assert.deepEqual(
      [figure.data[0]?.x, figure.data[0]?.y, figure.data[1]?.y],
      [
        [200, 600],
        [12.5, 25],
        [25, 50],
      ],
    );
    assert.deepEqual((figure.layout['xaxis'] as { range: number[] }).range, [0, 606]);
  });

  it('halting: mean over the seeds in which a puzzle left; stretches in which none did are skipped', () => {
    const figure = haltingOverTraining(
      rows(1, [
        studied('trm', 0, [0.5], { curve: [point(6, null), point(12, null), point(18, 8)] }),
        studied('trm', 1, [0.5], { curve: [point(6, null), point(12, 16), point(18, 4)] }),
      ]),
    );
    const own = trace(figure, 'TRM (T = 3, n = 6)');
    assert.deepEqual(
      [own.x, own.y],
      [
        [12, 18],
        [16, 6],
      ],
    );
  });

  it('a table’s nine rows are told apart by colour and dash, by colour and hollowness', () => {
    const ids = [
      'hrm',
      'trm',
      'trm-act',
      'trm-separate-nets',
      'trm-4-layers',
      'trm-attention',
      'trm-t2-n2',
      'trm-one-step-gradient',
    ];
    // The ninth, without EMA, is TRM's runs looked at with their raw weights.
    const closing = { [rawWeightsIn(base.evaluation) ?? assert.fail('raw weights are looked at')]: scored([0.5]) };
    const all = ids.map((id) => studied(id, 0, [0.5], id === 'trm' ? { closing } : {}));
    const curves = learningCurves(rows(1, all)).data.map(({ line }) => JSON.stringify(line));
    const points = costVersusAccuracy(rows(1, all)).data.map(({ marker }) => JSON.stringify(marker));
    // Its training is TRM's, so it has no learning curve of its own.
    assert.deepEqual([new Set(curves).size, new Set(points).size], [8, 9]);
  });

  it('more than five curves have no bands, and the caption names none', () => {
    const ids = ['hrm', 'trm', 'trm-act', 'trm-separate-nets', 'trm-4-layers', 'trm-attention'];
    const of = (count: number): PaperTableRow[] =>
      rows(
        1,
        ids.slice(0, count).flatMap((id) => [0, 1].map((seed) => studied(id, seed, [0.5 + seed / 4]))),
      );
    assert.deepEqual(
      [5, 6].map((count) => learningCurves(of(count)).data.length),
      [15, 6],
    );
    assert.deepEqual(
      [5, 6].map((count) => bandText(of(count))),
      ['shaded from the worst to the best seed', ''],
    );
  });

  it('below a title stands what was measured on what', () => {
    assert.equal(studyCaption(rows(1, [])), 'not run yet');
    assert.equal(studyCaption(rows(1, [studied('trm', 0, [0.5])]), 'bars'), '4×4 generated, 300 puzzles; one seed');
    assert.equal(
      studyCaption(rows(1, [studied('trm', 0, [0.5]), studied('trm', 1, [0.5]), studied('hrm', 0, [0.5])]), 'bars'),
      '4×4 generated, 300 puzzles; mean over 1 or 2 seeds, bars',
    );
    const many = [200, 500, 300].map((puzzles, seed) => ({
      ...studied('trm', seed, [0.5]),
      evaluations: [{ ...scored([0.5]), puzzles }],
    }));
    assert.equal(studyCaption(rows(1, many)), '4×4 generated, 200 to 500 puzzles; mean over 3 seeds');
    const looked = studied('trm', 0, [0.5], { closing: { longer: { ...scored([0.5]), puzzles: 40 } } });
    assert.equal(
      studyCaption(rows(1, [looked]), '', (record) => [closingEvaluation(record, 'longer')]),
      '4×4 generated, 40 puzzles; one seed',
    );
  });

  it('rows that are none, and options of other figures, are refused', () => {
    const one = studied('trm', 0, [0.5]);
    for (const draw of [
      accuracyVersusDepth,
      costVersusAccuracy,
      haltingOverTraining,
      learningCurves,
      longerThinking,
      rowsVersusCycles,
      trainingVersusTest,
    ]) {
      for (const none of [undefined, [{}], [{ row: { label: 'a' }, records: [{}] }]])
        assert.throws(() => draw(none as never), /^InputError: rows: expected .*, got/);
      assert.throws(() => draw([{ row: { label: 'a' }, records: [one, one] }] as never), /expected every run once/);
      assert.throws(() => draw(rows(3, [one]), { totalSteps: 5 } as object), /figure: unknown field totalSteps/);
      assert.throws(() => draw(rows(3, [one]), 5 as never), /figure: expected an object, got 5/);
    }
    assert.throws(() => accuracyVersusDepth(rows(1, [one])), /expected some of Table 3, got none that have a depth/);
  });

  it('nothing run is drawn as nothing', () => {
    for (const draw of [costVersusAccuracy, longerThinking, learningCurves, haltingOverTraining])
      assert.deepEqual(draw(rows(1, [])).data, []);
    assert.deepEqual(
      accuracyVersusDepth(rows(3, [])).data.map(({ x }) => x?.length),
      [0, 5, 0, 7],
    );
  });
});
