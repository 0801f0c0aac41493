/** Pictures of figures: the same bytes for the same figure, everything in its place, refused where the name is bad. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { InputError } from '../../../lib/errors.js';
import { projectRoot } from '../../../lib/files.js';
import { accuracyCurves, distribution, learningCurve } from '../../../lib/report/figures.js';
import { localBox, pageBox, pathPoints, type Element } from '../../../lib/report/draw/geometry.js';
import { saveFigure, toPng, toSvg, type Figure } from '../../../lib/report/draw/plotly.js';
import { figureSize } from '../../../lib/report/draw/style.js';
import { newFolder } from '../../new-folder.js';

const rising = [0.3, 0.55, 0.7, 0.8, 0.86, 0.9, 0.92, 0.93];
const figures: Readonly<Record<string, Figure>> = {
  'accuracy-versus-cycles': accuracyCurves(
    [
      {
        name: 'TRM',
        exactAccuracy: rising,
        band: { low: rising.map((y) => y - 0.05), high: rising.map((y) => y + 0.04) },
      },
      { name: 'HRM', exactAccuracy: rising.map((y) => y / 2) },
    ],
    { subtitle: 'hand-made numbers' },
  ),
  'learning-curve': learningCurve(
    [1, 2, 3].map((i) => ({ step: 100 * i, answerLoss: 1 / i })),
    [{ step: 300, exactAccuracy: [0.2, 0.6] }],
  ),
  distribution: distribution(
    [
      { name: 'train', values: [17, 18, 18, 20] },
      { name: 'test', values: [18, 19] },
    ],
    { of: 'Givens' },
  ),
};

describe('plotly figures', () => {
  for (const [name, figure] of Object.entries(figures)) {
    it(`${name}: drawn twice, the same SVG, and the one that is stored`, async () => {
      const svg = await toSvg(figure);
      assert.equal(await toSvg(figure), svg);
      const stored = path.join(projectRoot(), 'test', 'report', 'snapshots', `${name}.svg`);
      if (existsSync(stored) && readFileSync(stored, 'utf8') === svg) return;
      const beside = existsSync(stored) ? stored.replace('.svg', '-changed.svg') : stored;
      writeFileSync(beside, svg);
      assert.fail(
        `${name} is drawn differently: look at ${path.basename(beside)}, and if it is good, ` +
          `let it take the place of ${path.basename(stored)}`,
      );
    });
  }

  it('every text lies within the picture', async () => {
    const svg = await toSvg(figures['accuracy-versus-cycles'] ?? assert.fail());
    for (const words of [
      'Accuracy versus cycles',
      'Supervision steps (cycles of thinking)',
      'Puzzles solved',
      '100 %',
      'TRM',
      'HRM',
    ]) {
      assert.ok(svg.includes(words), `no "${words}" in the SVG`);
    }
    const { data, info } = await sharp(await toPng(svg, 1))
      .greyscale()
      .raw()
      .toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [figureSize.width, figureSize.height]);
    const edge = [...data].filter(
      (_, at) =>
        at < info.width ||
        at % info.width === 0 ||
        at % info.width === info.width - 1 ||
        at >= data.length - info.width,
    );
    assert.ok(
      edge.every((shade) => shade === 255),
      'something touches the edge: text or lines are cut off',
    );
    assert.ok(
      [...data].some((shade) => shade < 100),
      'the picture is empty',
    );
  });

  it('figures of smoke runs are kept apart', async () => {
    const { TRM_SMOKE } = process.env;
    process.env['TRM_SMOKE'] = '1';
    try {
      const file = await saveFigure('a-test', figures['distribution'] ?? assert.fail());
      assert.equal(file, 'build/figures/a-test.png');
      assert.ok(existsSync(path.join(projectRoot(), file)));
    } finally {
      if (TRM_SMOKE === undefined) delete process.env['TRM_SMOKE'];
      else process.env['TRM_SMOKE'] = TRM_SMOKE;
    }
  });

  it('names that would leave figures/, and what is no picture, are refused', async () => {
    await assert.rejects(
      saveFigure('../x', figures['distribution'] ?? assert.fail()),
      new InputError('name of a figure: expected small letters, digits and dashes, got "../x"'),
    );
    const figure = figures['distribution'] ?? assert.fail();
    await assert.rejects(saveFigure(undefined as never, figure), /name of a figure: .* got undefined/);
    for (const picture of [undefined, 5, [], { columns: [], rows: [] }])
      await assert.rejects(saveFigure('x', picture as never), /^InputError: picture: expected a figure, a drawing/);
    await assert.rejects(toPng(figure as never), /picture: expected SVG/);
    for (const scale of [0, '2', true])
      await assert.rejects(toPng('<svg/>', scale as number), /scale of a picture: expected a number from 1 to 8, got/);
    await assert.rejects(saveFigure('x', figure, 5 as never), /folder: expected text, got 5/);
  });

  it('are written to an absolute folder as it is', async () => {
    const folder = newFolder();
    const file = await saveFigure('x', figures['distribution'] ?? assert.fail(), folder);
    assert.equal(file, `${folder}/x.png`);
    assert.ok(existsSync(file));
  });
});

describe('geometry of SVG parts', () => {
  const node = (
    tagName: string,
    attributes: Readonly<Record<string, string>>,
    children: Element[] = [],
    textContent = '',
  ): Element => ({
    tagName,
    textContent,
    children,
    parentElement: null,
    getAttribute: (name) => attributes[name] ?? null,
    remove: () => undefined,
  });

  it('a group is as large as its moved and turned children together', () => {
    const flat = node('rect', { width: '10', height: '2', transform: 'translate(5,1)' });
    const upright = node('rect', { width: '10', height: '2', transform: 'rotate(90)' }); // from (-2, 0) to (0, 10)
    const { x, y, width, height } = localBox(node('g', {}, [flat, upright]));
    // cos 90° is 6e-17 in floating point
    for (const [got, want] of [
      [x, -2],
      [y, 0],
      [width, 17],
      [height, 10],
    ] as const)
      assert.ok(Math.abs(got - want) < 1e-9, `expected ${want}, got ${got}`);
  });

  it('text starts, centres or ends at its x', () => {
    const at = (anchor: string): number =>
      localBox(node('text', { x: '100', 'text-anchor': anchor, style: 'font-size: 10px;' }, [], 'MM')).x;
    const width = 2 * 8.63; // M is 863 thousandths wide
    for (const [anchor, x] of [
      ['start', 100],
      ['middle', 100 - width / 2],
      ['end', 100 - width],
    ] as const)
      assert.ok(Math.abs(at(anchor) - x) < 1e-9, anchor);
  });

  it('the page adds the transforms of all ancestors, turns about a point included', () => {
    const parent = node('g', { transform: 'translate(100,0)rotate(180,10,10)' });
    const child = { ...node('rect', { width: '4', height: '4' }), parentElement: parent };
    const { x, y } = pageBox(child);
    assert.ok(Math.abs(x - 116) < 1e-9 && Math.abs(y - 16) < 1e-9, `got ${x}, ${y}`);
  });

  it('paths are read in absolute and relative commands', () => {
    assert.deepEqual(pathPoints(node('path', { d: 'M1,2L3,4h5v-1H0a2,2 0 0 1 4,4Z' })), [
      [1, 2],
      [3, 4],
      [8, 4],
      [8, 3],
      [0, 3],
      [4, 7],
    ]);
  });
});
