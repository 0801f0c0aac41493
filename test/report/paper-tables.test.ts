/** The paper's tables with ours beside them: whole strings, and verdicts worked out by hand. */
import assert from 'node:assert/strict';
import { experiment } from '../../lib/experiment/experiments.js';
import { tableBases } from '../../lib/sweep/plan.js';
import type { Experiment } from '../../lib/experiment/experiment.js';
import { atEqualCost, rowExperiment, variantExperiment } from '../../lib/experiment/rows.js';
import { variant } from '../../lib/experiment/variants.js';
import {
  comparedRows,
  paperTable as markdownTable,
  paperTableFrame,
  paperTableInBrief,
} from '../../lib/report/paper-tables.js';
import { paperTableRows } from '../../lib/report/paper-rows.js';
import { legend } from '../../lib/report/legend.js';
import { orderings, orderingsText } from '../../lib/report/orderings.js';
import { recordOf } from './records.js';

const base = experiment('sudoku-6x6');
const runs = (id: string, ...shares: readonly number[]): ReturnType<typeof recordOf>[] =>
  shares.map((share, seed) => recordOf(variantExperiment(base, variant(id)), seed, [0.1, share]));

/** With ordinary spaces: tables.test.ts looks at those that keep a number together. */
const paperTable = (...table: Parameters<typeof markdownTable>): string =>
  markdownTable(...table).replaceAll('\u00A0', ' ');

describe('tables of the paper', () => {
  it('put our seeds beside its numbers, "not run" where there is no record, the orderings below', () => {
    // differences 0.30, 0.32, 0.34: mean 0.32, deviation 0.02, t = 0.32 / (0.02 / √3) = 27.71, p = 0.0013 (two degrees)
    const records = [...runs('trm', 0.9, 0.92, 0.94), ...runs('trm-single-z', 0.6, 0.6, 0.6)];
    assert.equal(
      paperTable(2, base, records),
      [
        '| model | paper, Sudoku-Extreme | ours | seeds | puzzles | sampling error | cells | halting head |',
        '| :--- | ---: | ---: | ---: | ---: | ---: | ---: | :--- |',
        '| TRM y, z (2 features) | 87.4 % | 92.0 ± 2.0 % | 3 | 300 | 1.6 | 92.0 % | constant |',
        '| TRM multi-scale z (n + 1 = 7 features), six z | 77.6 % | not run | – | – | – | – | – |',
        '| TRM multi-scale z (n + 1 = 7 features), seven z | 77.6 % | not run | – | – | – | – | – |',
        '| TRM single z (1 feature) | 71.9 % | 60.0 ± 0.0 % | 3 | 300 | 2.8 | 60.0 % | constant |',
        '',
        '| model | seconds | TFLOP | cycles | forward passes | depth | parameters |',
        '| :--- | ---: | ---: | :--- | ---: | ---: | ---: |',
        '| TRM y, z (2 features) | 10 | 32.6 | – | 1 | 42 | 156,290 |',
        '| TRM multi-scale z (n + 1 = 7 features), six z | – | 32.6 | – | 1 | 42 | 156,290 |',
        '| TRM multi-scale z (n + 1 = 7 features), seven z | – | 37.2 | – | 1 | 48 | 156,290 |',
        '| TRM single z (1 feature) | 10 | 32.6 | – | 1 | 42 | 156,290 |',
        '',
        'Ours: 4×4 generated, scale laptop; share of test puzzles fully solved after the last supervision step.',
        '',
        legend.columns,
        '',
        `The paper’s orderings in our runs; p is corrected for one test. ${legend.orderings}`,
        '',
        '| paper: better | than | paper | ours | 95 % interval | p | seeds | verdict |',
        '| :--- | :--- | ---: | ---: | :--- | ---: | ---: | :--- |',
        '| TRM y, z (2 features) | TRM single z (1 feature) | +15.5 | +32.0 | +27.0 to +37.0 | 0.001 | 3 | confirmed |',
        '',
        'Made from seeds 0 to 2 at commit unknown with native, float32, 1 thread, one, by:',
        '',
        '```',
        'npm run trm -- ablate --table 2 --base sudoku-6x6 --only trm,trm-single-z --seeds 3',
        '```',
      ].join('\n'),
    );
    const lines = paperTable(1, base, []).split('\n');
    assert.match(lines[2] ?? '', /^\| HRM <sup>1<\/sup> \| 55.0 % \| not run \|( – \|){5}$/);
    assert.match(lines[14] ?? '', /^\| HRM \| – \| 21\.3 \| – \| 2 \| 24 \|/);
    assert.deepEqual(lines.slice(-3), [
      'No runs on sudoku-6x6 yet.',
      '',
      '<sup>1</sup> the paper quotes this number from the HRM paper',
    ]);
  });

  it('in brief: the rows that were run, each with its distance to the row that the paper holds it against', () => {
    const records = [...runs('trm', 0.9, 0.92, 0.94), ...runs('trm-single-z', 0.6, 0.6, 0.6)];
    assert.equal(
      paperTableInBrief(2, base, records).replaceAll('\u00A0', ' '),
      [
        '| model | paper, Sudoku-Extreme | ours | seeds | difference | 95 % interval | ordering |',
        '| :--- | ---: | ---: | ---: | ---: | :--- | :--- |',
        '| TRM y, z (2 features) | 87.4 % | 92.0 ± 2.0 % | 3 | – | – | – |',
        '| TRM single z (1 feature) | 71.9 % | 60.0 ± 0.0 % | 3 | +32.0 | +27.0 to +37.0 | confirmed |',
        '',
        'Ours: 4×4 generated, scale laptop; share of test puzzles fully solved after the last supervision step.',
        '',
        'Not run: TRM multi-scale z (n + 1 = 7 features), six z; TRM multi-scale z (n + 1 = 7 features), seven z.',
      ].join('\n'),
    );
    // An HRM is held against the TRM of its own k and T, which is not the table's first row.
    const [first, trm, hrm] = [runs('trm', 0.9, 0.92), runs('trm-k1-t1', 0.5, 0.52), runs('hrm-k1-t1', 0.3, 0.34)];
    const lines = paperTableInBrief(3, base, [...first, ...trm, ...hrm]).split('\n');
    const difference = (label: string): string | undefined =>
      lines.find((line) => line.startsWith(`| ${label} |`))?.split(' | ')[4];
    assert.deepEqual(['TRM, k = 1, T = 1', 'HRM, k = 1, T = 1'].map(difference), ['+40.0', '+19.0']);
  });

  it('leave the legend to a page that has it once', () => {
    const records = [...runs('trm', 0.9, 0.92), ...runs('trm-single-z', 0.6, 0.6)];
    const [alone, onPage] = [true, false].map((withLegend) => paperTable(2, base, records, withLegend));
    for (const text of [legend.columns, legend.orderings]) assert.ok(alone?.includes(text) && !onPage?.includes(text));
    assert.match(onPage ?? '', /^The paper’s orderings in our runs; p is corrected for one test\.$/m);
  });

  it("say the base's T and n where it has others than the paper's TRM", () => {
    const desk = experiment('sudoku-extreme-desk');
    const [trm] = runs('trm', 0.25);
    const table = paperTable(1, desk, [{ ...trm!, experiment: variantExperiment(desk, variant('trm')) }]);
    assert.match(table, /\| TRM \(T = 3, n = 2\) \| 87\.4 % \| 25\.0 % \| 1 \| 300 \| 2\.5 \| /);
    assert.match(table, /\| TRM \(T = 3, n = 2\) \| 10 \| .*\| 1 \| 18 \|/);
    assert.match(table, /supervision step\. TRM here has T = 3, n = 2 where the paper’s has T = 3, n = 6\.$/m);
  });

  it('take no record of another size, budget, scale or name', () => {
    const [trm] = runs('trm', 0.9);
    assert.ok(trm !== undefined);
    const others = [
      { ...trm, id: '1', experiment: { ...trm.experiment, training: { ...trm.experiment.training, steps: 7 } } },
      { ...trm, id: '2', experiment: { ...trm.experiment, scale: 'desk' as const } },
      { ...trm, id: '3', experiment: { ...trm.experiment, name: 'sudoku-6x6' } },
    ];
    assert.throws(() => paperTableRows(2, base, [trm, trm]), /expected every run once, got .*-seed0 twice/);
    assert.throws(() => paperTableRows(2, undefined as never, [trm]), /base: expected an object, got undefined/);
    assert.deepEqual(paperTableRows(2, base, [...others, trm])[0]?.records, [trm]);
    assert.deepEqual(
      paperTableRows(2, base, [...others, trm]).flatMap((row) => row.records),
      [trm],
    );
  });

  it('judge an ordering by the seeds that both rows have, in either direction or not at all', () => {
    const verdict = (records: ReturnType<typeof runs>): unknown => {
      const [first] = orderings(paperTableRows(1, base, records)).filter(({ worse }) => worse === 'no EMA');
      return [first?.verdict, first?.seeds];
    };
    assert.deepEqual(verdict([...runs('trm', 0.9, 0.91, 0.92), ...runs('trm-no-ema', 0.5, 0.52, 0.51)]), [
      'confirmed',
      3,
    ]);
    assert.deepEqual(verdict([...runs('trm', 0.5, 0.52, 0.51), ...runs('trm-no-ema', 0.9, 0.91, 0.92)]), [
      'contradicted',
      3,
    ]);
    assert.deepEqual(verdict([...runs('trm', 0.6, 0.62, 0.61), ...runs('trm-no-ema', 0.6, 0.61, 0.63)]), [
      'not resolved',
      3,
    ]);
    assert.deepEqual(verdict([...runs('trm', 0.9, 0.91, 0.92), ...runs('trm-no-ema', 0.5)]), ['not complete', 1]);
  });

  it('decide nothing by a row that did not learn, and correct p for every ordering that has its runs', () => {
    const records = [
      ...runs('trm', 0.5, 0.52, 0.57),
      ...runs('trm-no-ema', 0.4, 0.46, 0.44),
      ...runs('trm-act', 0.3, 0.35, 0.31),
      ...runs('hrm', 0, 0.02, 0.01),
    ];
    const found = orderings(paperTableRows(1, base, records));
    const of = (worse: string): (typeof found)[number] => found.find((each) => each.worse === worse)!;
    assert.deepEqual([of('HRM').verdict, of('HRM').p], ['not decided', null]);
    const [ema, act] = [of('no EMA'), of('w/ ACT')];
    // HRM's p is the smallest of three and is not shown: the next one counts twice, the largest once
    const [small, large] = [ema, act].sort((a, b) => a.ours!.p - b.ours!.p) as [typeof ema, typeof ema];
    assert.ok(of('HRM').ours!.p < small.ours!.p && 3 * of('HRM').ours!.p < 2 * small.ours!.p);
    assert.deepEqual([small.p, large.p], [2 * small.ours!.p, Math.max(2 * small.ours!.p, large.ours!.p)]);
  });

  it('with a plan judge nothing before the whole table is there; a difference with its seeds is shown', () => {
    const [study] = tableBases(2, 'laptop');
    const of = (id: string, shares: readonly number[]): ReturnType<typeof recordOf>[] =>
      shares.map((share, seed) => recordOf(rowExperiment(study!, variant(id)), seed, [0.1, share]));
    const some = [
      ...of('trm', [0.9, 0.91, 0.92, 0.93, 0.94]),
      ...of('trm-single-z', [0.6, 0.61, 0.62, 0.63, 0.65]),
      ...of('trm-multi-z', [0.5, 0.51, 0.52, 0.53, 0.55]),
    ];
    const judged = (records: readonly ReturnType<typeof recordOf>[]): unknown[] =>
      orderings(paperTableRows(2, study!, records)).map(({ worse, ours, p, verdict }) => [
        worse.split(' ').at(-2),
        ours === null ? null : Number(ours.difference.toFixed(3)),
        p !== null,
        verdict,
      ]);
    assert.deepEqual(judged(some), [
      ['six', 0.398, false, 'not complete'],
      ['seven', null, false, 'not run'],
      ['(1', 0.298, false, 'not complete'],
    ]);
    const seven = of('trm-multi-z-7', [0.7, 0.71, 0.72, 0.73, 0.75]);
    assert.deepEqual(judged([...some, ...seven.slice(1)])[1], ['seven', null, false, 'not complete']);
    assert.deepEqual(judged([...some, ...seven]), [
      ['six', 0.398, true, 'confirmed'],
      ['seven', 0.198, true, 'confirmed'],
      ['(1', 0.298, true, 'confirmed'],
    ]);
  });

  it('say which rows have seeds that did not learn, and give limits only for an effect too small for the seeds', () => {
    const text = orderingsText(
      paperTableRows(1, base, [
        ...runs('trm', 0.5, 0.52, 0.57),
        ...runs('trm-no-ema', 0.55, 0.5, 0.6),
        ...runs('trm-t2-n2', 0.6, 0, 0.01),
        ...runs('hrm', 0, 0, 0.01),
      ]),
    );
    assert.match(text, /^w\/ T = 2, n = 2: 2 of its 3 seeds did not learn, so its mean/m);
    assert.doesNotMatch(text, /^(HRM|TRM|no EMA).*seeds did not learn/m);
    assert.match(text, /\| no EMA \| \+7\.5 \| .* \| limits only \|$/m);
    assert.match(text, /\| w\/ T = 2, n = 2 \| \+13\.7 \| .* \| limits only \|$/m);
    // differences 0.4, 0.39, 0.41 are far from nothing, but their interval (half: 4.303 · 0.01 / √3 = 0.0248) cannot
    // see the paper's 0.013
    const [act] = orderings(
      paperTableRows(1, base, [...runs('trm', 0.9, 0.91, 0.92), ...runs('trm-act', 0.5, 0.52, 0.51)]),
    ).filter(({ worse }) => worse === 'w/ ACT');
    assert.ok(act!.p! < 0.05 && act!.verdict === 'limits only');
  });

  it('have rows that cost less once more, with as many steps as cost what the first row costs', () => {
    const [study] = tableBases(1, 'laptop');
    const [trm, cheap] = ['trm', 'trm-t2-n2'].map(variant);
    const longer = atEqualCost(study!, cheap!)!;
    const of = (experiment: Experiment, shares: readonly number[]): ReturnType<typeof recordOf>[] =>
      shares.map((share, seed) => ({ ...recordOf(experiment, seed, [0.1, share]), steps: experiment.training.steps }));
    // differences 0, 0.02, 0.04, 0.06, 0.08: mean 0.04, deviation √0.001, t = 0.04 / √(0.001 / 5) = 2.828, p = 0.0474
    const [ours, equal] = [
      of(rowExperiment(study!, trm!), [0.9, 0.92, 0.94, 0.96, 0.98]),
      of(longer, Array(5).fill(0.9)),
    ];
    const table = paperTable(1, study!, [...ours, ...equal]);
    assert.match(
      table,
      /\| w\/ T = 2, n = 2 \| 2,625 \| 90\.0 ± 0\.0 % \| \+4\.0 \| \+0\.1 to \+7\.9 \| 0\.047 \| 5 \|$/m,
    );
    assert.match(paperTable(1, study!, [...ours, ...equal.slice(1)]), /\| – \| – \| – \| 4 of 5 \|$/m);
    assert.doesNotMatch(paperTable(1, study!, ours), /At equal cost/);
  });

  it('name the rows whose head is right less often than always giving the more common verdict', () => {
    const heads = runs('trm', 0.9, 0.2).map((record, i) => ({
      ...record,
      evaluations: record.evaluations.map((made) => ({ ...made, haltingAccuracy: [0, [0.8, 0.7][i] ?? NaN] })),
    }));
    // commoner: wrong in 90 and right in 80 of a hundred, 85 on average; the head 75
    assert.match(
      paperTable(2, base, heads),
      /^Halting heads that are right less .* common verdict alone: TRM y, z \(2 f.*\) \(75 % instead of 85 %\)\.$/m,
    );
    assert.doesNotMatch(paperTable(2, base, runs('trm', 0.9, 0.8)), /Halting heads that do/);
  });

  it('rank effects by five rows or more only', () => {
    const five = ['trm-act', 'trm-no-ema', 'trm-4-layers', 'trm-attention', 'trm-one-step-gradient'] as const;
    const text = (rows: readonly string[], apart = 0.1): string =>
      orderingsText(
        paperTableRows(1, base, [
          ...runs('trm', 0.9, 0.91, 0.92),
          ...rows.flatMap((id, i) => runs(id, 0.8 - apart * i, 0.8 - apart * i, 0.79 - apart * i)),
        ]),
      );
    assert.match(text(five), /paper’s: 1\.00 over 5 rows \(p < 0\.001, two-sided, by Student’s t\)\.$/m);
    assert.doesNotMatch(text(five.slice(1)), /Rank correlation/);
    assert.match(text(five, 0), /paper’s: none, as all of ours or all of the paper’s are the same\.$/m);
  });

  it('say of what runs they are made, and the commands for those', () => {
    const [study] = tableBases(1, 'laptop');
    const equal = atEqualCost(study!, variant('trm-t2-n2'))!;
    const records = [
      ...[0, 2].map((seed) => recordOf(rowExperiment(study!, variant('trm')), seed, [0.9])),
      recordOf(equal, 0, [0.9]),
    ].map((record, i) => ({
      ...record,
      sittings: record.sittings.map((sitting) => ({
        ...sitting,
        commit: ['0123456789', '0123456789+changes', null][i] ?? null,
        ...(i === 1 ? { engine: 'torch cuda', threads: null } : {}),
      })),
    }));
    assert.deepEqual(paperTable(1, study!, records).split('\n\n').slice(-2), [
      'Made from seeds 0, 2 at commits 0123456, 0123456+changes, unknown with native, float32, 1 thread, one; ' +
        'torch cuda, float32, all threads, one, by:',
      [
        '```',
        'npm run trm -- ablate --table 1 --base sudoku-6x6-study --only trm --seeds 3',
        'npm run trm -- ablate --table 1 --base sudoku-6x6-study --equal-cost --seeds 1',
        '```',
      ].join('\n'),
    ]);
    const desk = experiment('sudoku-extreme-desk');
    const [trm] = runs('trm', 0.25);
    assert.match(
      paperTable(1, desk, [{ ...trm!, experiment: variantExperiment(desk, variant('trm')) }]),
      /^npm run trm -- ablate --table 1 --scale desk --base sudoku-extreme-desk --only trm --seeds 1$/m,
    );
  });

  it('look at no seed beyond the plan of the table', () => {
    const [study] = tableBases(2, 'laptop');
    const row = rowExperiment(study!, variant('trm'));
    const records = Array.from({ length: 12 }, (_, seed) => recordOf(row, seed, [0.1, 0.9]));
    const seeds = ([1, 2] as const).map((table) =>
      paperTableRows(table, study!, records).flatMap(({ variant: id, records: own }) =>
        id === 'trm' ? own.length : [],
      ),
    );
    assert.deepEqual(seeds, [[10], [5]]);
    const arc = tableBases(5, 'laptop')[0]!;
    const more = Array.from({ length: 6 }, (_, seed) =>
      recordOf(rowExperiment(arc, variant('trm-attention')), seed, [0.1, 0.9]),
    );
    assert.equal(paperTableRows(5, arc, more).flatMap((row) => row.records).length, 5);
  });

  it('hold in Table 3 each HRM against the TRM of the same k and T', () => {
    const pairs = orderings(paperTableRows(3, base, [])).map(({ better, worse }) => `${better} > ${worse}`);
    assert.ok(pairs.includes('TRM, k = 4, T = 4 > HRM, k = 4, T = 4'));
    assert.ok(pairs.includes('TRM, k = 3, T = 3 > TRM, k = 1, T = 1'));
    assert.ok(!pairs.some((pair) => pair.includes('k = 6')), 'the paper has no TRM with k = 6');
  });

  it('hold every row of Table 4 against the one that the paper has first on that task', () => {
    const kinds = new Set<string>();
    for (const each of tableBases(4, 'laptop')) {
      kinds.add(each.task.kind);
      const pairs = orderings(paperTableRows(4, each, [])).map(({ better, worse }) => `${better} > ${worse}`);
      const expected =
        each.task.kind === 'sudoku'
          ? ['TRM-MLP > HRM', 'TRM-MLP > TRM-Att', 'TRM-MLP > Direct pred']
          : ['TRM-Att > HRM', 'TRM-Att > TRM-MLP', 'TRM-Att > Direct pred']; // the paper has MLP and Direct pred at 0 %
      assert.deepEqual(pairs, expected, each.name);
    }
    assert.deepEqual([...kinds], ['sudoku', 'maze']);
  });

  it('come as a data frame and as rows for a figure', () => {
    const records = runs('trm', 0.5, 0.75);
    const frame = paperTableFrame(2, base, records);
    assert.deepEqual(frame.loc({ columns: ['variant', 'ours', 'seeds'] }).values, [
      ['trm', 0.625, 2],
      ['trm-multi-z', null, 0],
      ['trm-multi-z-7', null, 0],
      ['trm-single-z', null, 0],
    ]);
    assert.deepEqual(comparedRows(2, base, records)[0], {
      name: 'TRM y, z (2 features)',
      paper: 0.8740000000000001,
      ours: [0.5, 0.75],
    });
    assert.equal(comparedRows(2, base, runs('trm', 0.5, 0.01))[0]?.noMean, true, 'one seed did not learn');
  });
});
