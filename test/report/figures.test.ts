/** Figures: every number of the rows is in the traces, and nothing else is. */
import assert from 'node:assert/strict';
import {
  accuracyCurves,
  accuracyVersusCycles,
  distribution,
  haltingCurve,
  learningCurve,
  paperVersusOurs,
  stoppingCurve,
  thinkingCurve,
} from '../../lib/report/figures.js';
import type { Annotation, Figure, Trace } from '../../lib/report/draw/plotly.js';
import { fontSize, textWidth } from '../../lib/report/draw/style.js';
import { Random } from '../../lib/random.js';
import { record } from './records.js';

const trace = (figure: Figure, name: string): Trace =>
  figure.data.find((each) => each.name === name) ?? assert.fail(`no trace ${name}`);
/** Where a label stands: at the tail of its line, if it has one. */
const heightOf = ({ y, ay }: Annotation): number => Number(ay ?? y);
const axisTitle = (figure: Figure, axis: string): string =>
  (figure.layout[axis] as { title: { text: string } }).title.text;

describe('figures', () => {
  it('accuracy versus cycles: shares become percentages at steps 1, 2, …', () => {
    const figure = accuracyCurves([{ name: 'TRM', exactAccuracy: [0.25, 0.5, 0.874] }]);
    assert.deepEqual(trace(figure, 'TRM').x, [1, 2, 3]);
    assert.deepEqual(trace(figure, 'TRM').y, [25, 50, 87.4]);
    assert.equal(axisTitle(figure, 'xaxis'), 'Supervision steps (cycles of thinking)');
    assert.equal(axisTitle(figure, 'yaxis'), 'Puzzles solved');
  });

  it('long labels at the ends of curves leave the plot its room', () => {
    for (const name of ['TRM', 'a label of sixteen words '.repeat(4)]) {
      const { width, margin } = accuracyCurves([{ name, exactAccuracy: [0.2, 0.4] }]).layout as unknown as {
        width: number;
        margin: { l: number; r: number };
      };
      assert.ok(margin.r >= textWidth(name, fontSize.label));
      assert.ok(width - margin.l - margin.r >= 300, `${name}: ${width - margin.l - margin.r}`);
    }
  });

  it('accuracy versus cycles: a band lies between its two edges, below the curve it belongs to', () => {
    const band = { low: [0.1, 0.2], high: [0.3, 0.6] };
    const { data } = accuracyCurves([{ name: 'TRM', exactAccuracy: [0.2, 0.4], band }]);
    assert.deepEqual(
      data.map(({ name }) => name),
      ['TRM, spread', 'TRM, spread', 'TRM'],
    );
    assert.deepEqual(data[0]?.y, [10, 20]);
    assert.deepEqual(data[1]?.y, [30, 60]);
    assert.equal(data[1]?.['fill'], 'tonexty');
  });

  it('accuracy versus cycles: each curve is named at its end, and close names are moved apart', () => {
    const { layout } = accuracyCurves([
      { name: 'a', exactAccuracy: [0.1, 0.9] },
      { name: 'b', exactAccuracy: [0.1, 0.901] },
    ]);
    const [a, b] = layout.annotations ?? [];
    assert.deepEqual([a?.text, a?.x, a?.y], ['a', 2, 90]);
    assert.deepEqual([b?.text, b?.x], ['b', 2]);
    assert.ok(heightOf(b!) - 90 > 5, `labels overlap: ${a?.y} and ${heightOf(b!)}`);
    assert.deepEqual([a?.['showarrow'], b?.['showarrow'], b?.y], [false, true, 90.1]); // a line leads to the moved one
  });

  it('accuracy versus cycles: names of curves that end level at the top stay on the axis', () => {
    const ends = ['a', 'b', 'c'].map((name) => ({ name, exactAccuracy: [name === 'c' ? 0 : 1] }));
    const places = accuracyCurves(ends).layout.annotations?.map((label) => [label.text, heightOf(label).toFixed(1)]);
    assert.deepEqual(places, [
      ['c', '0.0'],
      ['a', '94.4'],
      ['b', '100.0'],
    ]);
  });

  it('accuracy versus cycles: beyond 32 steps the axis is logarithmic and shows the trained number', () => {
    const figure = accuracyCurves([{ name: 'a', exactAccuracy: Array<number>(256).fill(0.5) }], { trainedSteps: 16 });
    const axis = figure.layout['xaxis'] as { type: string; tickvals: number[] };
    assert.equal(axis.type, 'log');
    assert.deepEqual(axis.tickvals, [1, 2, 4, 8, 16, 32, 64, 128, 256]);
    assert.deepEqual(
      (figure.layout.shapes as { x0: number }[]).map(({ x0 }) => x0),
      [16],
    );
    assert.equal(figure.layout.annotations?.at(-1)?.text, 'trained with 16');
  });

  it('records of one experiment become one curve: mean and range over seeds', () => {
    const { data } = accuracyVersusCycles([
      record({ seed: 0, exactAccuracy: [0.25, 0.5] }),
      record({ seed: 1, exactAccuracy: [0.75, 1] }),
      record({ name: 'other', exactAccuracy: [0, 0.125] }),
    ]);
    assert.deepEqual(
      data.map(({ name, y }) => [name, y]),
      [
        ['sudoku-4x4, spread', [25, 50]],
        ['sudoku-4x4, spread', [75, 100]],
        ['sudoku-4x4', [50, 75]],
        ['other', [0, 12.5]],
      ],
    );
  });

  it('six curves and more have no bands, and the subtitle does not name them', () => {
    const curves = (count: number): ReturnType<typeof accuracyVersusCycles> =>
      accuracyVersusCycles(
        Array.from({ length: count }, (_, i) =>
          [0, 1].map((seed) => record({ name: `run-${i}`, seed, exactAccuracy: [0.25, 0.5 + seed / 4] })),
        ).flat(),
      );
    const [five, six] = [5, 6].map((count) => curves(count));
    assert.deepEqual([five?.data.length, six?.data.length], [15, 6]);
    assert.match(JSON.stringify(five?.layout['title']), /shaded/);
    assert.doesNotMatch(JSON.stringify(six?.layout['title']), /shaded/);
    const apart = ['a', 'b'].map((name, seed) => record({ name, seed, exactAccuracy: [0.5] }));
    assert.doesNotMatch(JSON.stringify(accuracyVersusCycles(apart).layout['title']), /mean over seeds/);
  });

  it('records of other puzzles under one name stay two curves, told apart by their ids', () => {
    const [short, long] = [record({ exactAccuracy: [0.25] }), record({ exactAccuracy: [0.75] })];
    const test = { ...long.data.test, sha256: 'other puzzles' };
    const other = { ...long, id: 'sudoku-4x4-seed0-abc', data: { ...long.data, test } };
    assert.deepEqual(
      accuracyVersusCycles([short, other]).data.map(({ name, y }) => [name, y]),
      [
        ['sudoku-4x4 seed0', [25]],
        ['sudoku-4x4 abc', [75]],
      ],
    );
  });

  it('records say below the title how many puzzles were scored', () => {
    const figure = accuracyVersusCycles([record({ exactAccuracy: [0.5] })]);
    assert.match((figure.layout['title'] as { text: string }).text, /300 test puzzles</);
  });

  it('a subtitle too long for one line goes on in the next', () => {
    const figure = accuracyCurves([{ name: 'a', exactAccuracy: [1] }], { subtitle: 'word '.repeat(40).trim() });
    const { text } = figure.layout['title'] as { text: string };
    assert.equal(text.match(/<br>/g)?.length, 3); // 200 characters of about 8 pixels, 690 pixels a line
    assert.equal(text.match(/word/g)?.length, 40);
  });

  it('learning curve: loss above; solved after the first and after the last supervision step below', () => {
    const curve = [
      { step: 6, answerLoss: 1.5 },
      { step: 12, answerLoss: 0.75 },
    ];
    const figure = learningCurve(curve, [{ step: 12, exactAccuracy: [0.1, 0.3, 0.4] }], { totalSteps: 600 });
    assert.deepEqual(
      [trace(figure, 'loss').x, trace(figure, 'loss').y],
      [
        [6, 12],
        [1.5, 0.75],
      ],
    );
    assert.deepEqual([trace(figure, 'after the last cycle').x, trace(figure, 'after the last cycle').y], [[12], [40]]);
    assert.deepEqual(trace(figure, 'after the first cycle').y, [10]);
    assert.equal(trace(figure, 'after the first cycle')['yaxis'], 'y2');
    assert.deepEqual((figure.layout['xaxis'] as { range: number[] }).range, [0, 606]);
  });

  it('learning curve: nothing learned yet is drawn too', () => {
    const figure = learningCurve([], [], { split: 'validation' });
    const axis = figure.layout['yaxis2'] as { title: { text: string } };
    assert.equal(axis.title.text, 'Validation puzzles<br>solved');
    assert.deepEqual(
      figure.data.map(({ y }) => y),
      [[], [], []],
    );
  });

  it('halting curve: stretches in which no puzzle left are skipped', () => {
    const figure = haltingCurve([
      {
        name: 'seed 0',
        curve: [
          { step: 6, meanSteps: null },
          { step: 12, meanSteps: 16 },
          { step: 18, meanSteps: 9.5 },
        ],
      },
    ]);
    assert.deepEqual(trace(figure, 'seed 0').x, [12, 18]);
    assert.deepEqual(trace(figure, 'seed 0').y, [16, 9.5]);
    const { layout } = haltingCurve([{ name: 'a', curve: [{ step: 1, meanSteps: 30 }] }]);
    assert.ok((layout['yaxis'] as { range: number[] }).range[1]! > 30, 'what lies above 16 is seen');
  });

  it('thinking curve: right cells and confidence in percent', () => {
    const figure = thinkingCurve([
      { step: 1, rightCells: 0.5, haltProbability: 0.01 },
      { step: 2, rightCells: 1, haltProbability: 0.9 },
    ]);
    assert.deepEqual(
      figure.data.map(({ y }) => y),
      [
        [50, 100],
        [1, 90],
      ],
    );
  });

  it('stopping curve: steps used against puzzles solved, each point labelled with its sureness', () => {
    const figure = stoppingCurve([
      { sureness: 0.5, exactAccuracy: 0.8, meanSteps: 3 },
      { sureness: 0.9, exactAccuracy: 0.9, meanSteps: 5.5 },
    ]);
    assert.deepEqual(
      [figure.data[0]?.x, figure.data[0]?.y],
      [
        [3, 5.5],
        [80, 90],
      ],
    );
    assert.deepEqual(
      figure.layout.annotations?.map(({ text, x, y }) => [text, x, y]),
      [
        ['50 %', 3, 80],
        ['90 %', 5.5, 90],
      ],
    );
    const alike = [0.1, 0.2].map((sureness) => ({ sureness, exactAccuracy: 0.5, meanSteps: 1 }));
    assert.deepEqual(
      stoppingCurve(alike).layout.annotations?.map(({ text }) => text),
      ['10–20 %'],
    );
  });

  it('stopping curve: every sureness is in one label, and no two labels lie on each other', () => {
    const random = new Random(5);
    const longer = (): number => Math.floor(random.uniform() * 3) * 0.7 * random.uniform();
    for (let trial = 0; trial < 200; trial++) {
      let meanSteps = 1;
      const surenesses = [0.05, 0.2, 0.4, 0.5, 0.8, 0.95];
      const points = surenesses.map((sureness) => ({
        sureness,
        exactAccuracy: random.uniform() * 10 ** -Math.floor(random.uniform() * 3),
        meanSteps: (meanSteps += longer()),
      }));
      const { layout } = stoppingCurve(points, { subtitle: 'test' });
      const labels = layout.annotations ?? [];
      const named = labels.map(({ text }) => text.split(/[– ]/).slice(0, -1).map(Number));
      assert.deepEqual(
        surenesses.filter(
          (sure) => named.filter((ends) => ends[0]! <= 100 * sure && 100 * sure <= ends.at(-1)!).length !== 1,
        ),
        [],
      );
      // In CSS pixels, as plotly places them: the text's own width, from its corner at the upper left.
      const { l, r, t, b } = layout['margin'] as Record<string, number>;
      const range = (name: string): number[] => (layout[name] as { range: number[] }).range;
      const unit = (name: string, size: number): number => size / (range(name)[1]! - range(name)[0]!);
      const [across, down] = [unit('xaxis', layout.width - l! - r!), unit('yaxis', layout.height - t! - b!)];
      const boxes = labels.map(({ text, x, y }) => ({
        left: (Number(x) - range('xaxis')[0]!) * across,
        right: (Number(x) - range('xaxis')[0]!) * across + textWidth(text, 12),
        top: (100 - Number(y)) * down,
        bottom: (100 - Number(y)) * down + 14,
      }));
      for (const [i, one] of boxes.entries()) {
        assert.ok(one.bottom <= (100 - range('yaxis')[0]!) * down, 'within the plot');
        assert.ok(one.right <= layout.width - l!, 'within the figure');
        for (const two of boxes.slice(i + 1))
          assert.ok(
            one.right < two.left || two.right < one.left || one.bottom < two.top || two.bottom < one.top,
            `trial ${trial}: ${labels.map(({ text, x, y }) => `${text} at ${x}, ${y}`).join('; ')}`,
          );
      }
    }
  });

  it('distribution: shares of each sample at every whole number, empty ones left out', () => {
    const figure = distribution(
      [
        { name: 'train', values: [17, 18, 18, 20] },
        { name: 'test', values: [18] },
      ],
      { of: 'Givens' },
    );
    assert.deepEqual(trace(figure, 'train (4)').x, [17, 18, 19, 20]);
    assert.deepEqual(trace(figure, 'train (4)').y, [25, 50, null, 25]);
    assert.deepEqual(trace(figure, 'test (1)').y, [null, 100, null, null]);
    const many = distribution([{ name: 'test', values: new Array<number>(422_786).fill(17) }], { of: 'Givens' });
    assert.deepEqual(trace(many, 'test (422,786)').y, [100], 'all of Sudoku-Extreme');
    for (const value of [NaN, Infinity])
      assert.throws(() => distribution([{ name: 'a', values: [1, value] }], { of: 'Givens' }), /in place 1 a number/);
  });

  const stop = { sureness: 0.5, exactAccuracy: 0.8, meanSteps: 3 };

  it('rows that are none are refused', () => {
    for (const draw of [accuracyCurves, haltingCurve, paperVersusOurs, stoppingCurve, thinkingCurve, distribution])
      for (const none of [undefined, 'a', [{}], [undefined]])
        assert.throws(() => draw(none as never, { of: 'x' } as never), /^InputError: \w+: expected .*, got/);
    assert.throws(() => accuracyCurves([{ name: 'a', exactAccuracy: [10, 55] }]), /in place 0 a number from 0 to 1/);
    const row = { name: 'TRM', paper: null, ours: [0.5] };
    assert.throws(() => paperVersusOurs([row, row]), /rows: expected each name once, got TRM twice/);
  });

  it('options that there are not are refused', () => {
    assert.throws(
      () => accuracyCurves([], { titel: 'x' } as object),
      /figure: unknown field titel \(did you mean title/,
    );
    assert.throws(() => stoppingCurve([stop], { of: 'x' } as object), /figure: unknown field of/);
    assert.throws(() => distribution([{ name: 'a', values: [1] }], { title: 'x' } as never), /of: expected text, got/);
    assert.throws(() => accuracyCurves([], { trainedSteps: 2.5 }), /trainedSteps: expected a whole number from 1/);
    assert.throws(
      () => haltingCurve([], { supervisionSteps: NaN }),
      /supervisionSteps: expected a whole number from 1/,
    );
  });

  it('ours and the paper’s: a mean, every seed, and nothing where nothing was run', () => {
    const figure = paperVersusOurs([
      { name: 'TRM', paper: 0.874, ours: [0.6, 0.7] },
      { name: 'HRM', paper: 0.55, ours: [] },
      { name: 'some did not learn', paper: null, ours: [0, 0.5], noMean: true },
    ]);
    assert.deepEqual([trace(figure, 'ours, mean').x, trace(figure, 'ours, mean').y], [[65], ['TRM']]);
    assert.deepEqual(trace(figure, 'ours, each seed').x, [60, 70, 0, 50]);
    assert.deepEqual(
      [trace(figure, 'paper').x, trace(figure, 'paper').y],
      [
        [87.4, 55],
        ['TRM', 'HRM'],
      ],
    );
  });
});
