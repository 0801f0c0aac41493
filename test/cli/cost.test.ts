/** What runs are said to cost before they start: by hand, and against what the runs of Table 1 took. */
import assert from 'node:assert/strict';
import { costText, measuredCost } from '../../lib/cli/cost.js';
import { runCost, type MeasuredSpeed } from '../../lib/experiment/cost.js';
import { change, type Experiment } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { readRecords } from '../../lib/experiment/record.js';
import { paperTableRows } from '../../lib/report/paper-rows.js';
import { tableBases } from '../../lib/sweep/plan.js';

describe('cost before a sweep', () => {
  it('adds up the seconds of each model at its own speed, measured as often at once as runs go on', async () => {
    const [quick, slow] = [experiment('sudoku-smoke'), change(experiment('sudoku-smoke'), { model: { layers: 4 } })];
    const measured: number[] = [];
    const measure = ({ model }: Pick<typeof quick, 'model'>): Promise<MeasuredSpeed> => {
      measured.push(model.layers);
      return Promise.resolve({ flopPerSecond: model.layers === 4 ? 1e9 : 2e9, engine: 'one' });
    };
    const cost = { training: 3.6e12, evaluation: 3.6e12 };
    const runs = [quick, slow, quick].map((each) => ({ experiment: each, cost }));
    // each run 7.2 TFLOP: two at 2 × 2 GFLOP/s take an hour, one at 2 × 1 GFLOP/s takes another
    const found = await measuredCost(runs, {}, 2, measure);
    assert.deepEqual(measured, [2, 2, 4, 4]);
    assert.ok(Math.abs(found.hours - 2) < 1e-9 && found.flop === 21.6e12 && found.flopPerSecond === 3e9);
    assert.equal(
      costText(found),
      '21.6 TFLOP, 2 hours on this machine, 2 runs at once, at 3 GFLOP/s on their 2 models. ' +
        'The speed was measured just now; other programs may have slowed it.',
    );
    assert.equal((await measuredCost(runs.slice(0, 1), {}, 8, measure)).jobs, 1, 'no more at once than there are');
  });

  it('is within a third of what Table 1 took, told from how fast other seeds of each row trained', async () => {
    const [base] = tableBases(1, 'laptop');
    const records = paperTableRows(1, base!, readRecords('data/runs')).flatMap((row) => row.records);
    const half = (odd: 0 | 1): typeof records => records.filter(({ seed }) => seed % 2 === odd);
    const measure = ({ model }: Pick<Experiment, 'model'>): Promise<MeasuredSpeed> => {
      const like = half(0).filter((record) => JSON.stringify(record.experiment.model) === JSON.stringify(model));
      const flop = like.reduce((sum, record) => sum + runCost(record.experiment).training, 0);
      const seconds = like.reduce((sum, record) => sum + record.seconds.training, 0);
      return Promise.resolve({ flopPerSecond: flop / seconds, engine: 'recorded' });
    };
    const { hours } = await measuredCost(half(1), {}, 1, measure);
    const took = half(1).reduce((sum, { seconds }) => sum + seconds.training + seconds.evaluation, 0) / 3600;
    assert.ok(half(1).length >= 40, 'five seeds of eight rows that were run');
    assert.ok(Math.abs(hours / took - 1) < 1 / 3, `${hours} hours for ${took}`);
  });
});
