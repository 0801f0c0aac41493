/** Colours, dashes and markers: a row of the paper keeps its own, and no two rows of a figure share one. */
import assert from 'node:assert/strict';
import { rawWeightsIn } from '../../lib/experiment/closing.js';
import { rowExperiment } from '../../lib/experiment/rows.js';
import { rowsOfTable, variant } from '../../lib/experiment/variants.js';
import { markerSymbol, seriesCount, seriesLine } from '../../lib/report/draw/plot-layout.js';
import { seriesColour } from '../../lib/report/draw/style.js';
import { paperTableRows } from '../../lib/report/paper-rows.js';
import { placeOf, seriesPlaces } from '../../lib/report/series.js';
import { costVersusAccuracy, learningCurves, longerThinking } from '../../lib/report/study-figures.js';
import { tableBases } from '../../lib/sweep/plan.js';
import { record, recordOf } from './records.js';

describe('colours of rows', () => {
  it('no two places look alike', () => {
    const looks = Array.from({ length: seriesCount }, (_, i) => JSON.stringify([seriesLine(i), markerSymbol(i)]));
    assert.equal(new Set(looks).size, seriesCount);
    const lines = Array.from({ length: seriesCount }, (_, i) => JSON.stringify(seriesLine(i)));
    assert.equal(new Set(lines).size, seriesCount);
  });

  it('every row of a table has a place of its own, whichever others are there', () => {
    for (const table of [1, 2, 4, 5] as const) {
      const rows = rowsOfTable(table).map(({ variant: { id }, row }) => ({ row, variant: id, records: [] }));
      const places = seriesPlaces(rows);
      assert.equal(new Set(places).size, rows.length);
      rows.forEach((row, i) => {
        assert.equal(seriesPlaces([row])[0], places[i]);
        assert.equal(placeOf(row.variant), places[i]);
        assert.deepEqual(seriesPlaces(rows.slice(i)), places.slice(i));
      });
    }
  });

  it('every row of Table 1 has a colour of its own', () => {
    const colours = rowsOfTable(1).map(({ variant: { id } }) => seriesColour(placeOf(id) ?? NaN));
    assert.equal(new Set(colours).size, 9);
  });

  it('a row that is none of the paper’s takes what is free', () => {
    const own = { row: { label: 'own' }, records: [record({ exactAccuracy: [0.5] })] };
    const trm = { row: { label: 'TRM' }, records: [record({ variant: 'trm', exactAccuracy: [0.5] })] };
    const trmAt = placeOf('trm') ?? assert.fail();
    assert.deepEqual(seriesPlaces([own, own]), [0, 1]);
    assert.equal(trmAt, 1);
    assert.deepEqual(seriesPlaces([own, trm, own, trm]), [0, 1, 2, 3]);
  });

  it('a row has one colour in all figures of a study, with and without the row of the raw weights', () => {
    const base = tableBases(1, 'laptop')[0]!;
    const ids = ['hrm', 'trm', 'trm-act', 'trm-4-layers', 'trm-attention', 'trm-t2-n2'];
    const raw = rawWeightsIn(base.evaluation) ?? assert.fail();
    const rows = paperTableRows(
      1,
      base,
      ids.map((id) => {
        const made = recordOf(rowExperiment(base, variant(id)), 0, [0.5]);
        const [scored] = made.evaluations;
        return { ...made, closing: { [raw]: scored!, longer: { ...scored!, exactAccuracy: [0.5, 0.5] } } };
      }),
    );
    const colours = [costVersusAccuracy(rows), learningCurves(rows), longerThinking(rows)].map(
      ({ data }) =>
        new Map(data.map(({ name, line, marker }) => [name, ((line ?? marker) as { readonly color: string }).color])),
    );
    assert.deepEqual(
      colours.map(({ size }) => size),
      [7, 6, 6],
      'the first has no EMA too',
    );
    for (const [name, colour] of colours[0]!)
      if (name !== 'no EMA')
        assert.deepEqual(
          colours.map((each) => each.get(name)),
          [colour, colour, colour],
          name,
        );
  });
});
