/** A whole ARC run, small: what its record holds beyond a Sudoku's, and Table 5 made of such records. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { arcDataset } from '../../lib/data/arc-sets.js';
import { createEngine } from '../../lib/engine/create.js';
import type { Engine } from '../../lib/engine/engine.js';
import { whyUnavailable } from '../../lib/engine/native/addon.js';
import { rawWeightsIn } from '../../lib/experiment/closing.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { openModel } from '../../lib/experiment/open.js';
import { planTable } from '../../lib/sweep/plan.js';
import { variantExperiment } from '../../lib/experiment/rows.js';
import { closingEvaluation, quotedAccuracy, readRecord, type RunRecord, voteOf } from '../../lib/experiment/record.js';
import { runExperiment } from '../../lib/experiment/run.js';
import { paperResult, rowsOfTable, variant } from '../../lib/experiment/variants.js';
import { parameterCount } from '../../lib/model/parameters.js';
import { effectiveDepth } from '../../lib/model/schedule.js';
import { paperTable } from '../../lib/report/paper-tables.js';
import { voteArc } from '../../lib/train/evaluate-arc.js';
import { newFolder } from '../new-folder.js';
import { notAtHand } from '../not-at-hand.js';

const smoke = experiment('arc-smoke');

(whyUnavailable() === undefined ? describe : notAtHand)('an ARC run', () => {
  let folder = '';
  let record: RunRecord;
  const shares: number[] = [];
  before(async () => {
    folder = newFolder();
    const outcome = await runExperiment(variantExperiment(smoke, variant('trm-attention')), {
      folder,
      engine: { engine: 'native', threads: 1 },
      onProgress: ({ share }) => void shares.push(share),
    });
    outcome.engine.dispose();
    record = readRecord(path.join(folder, 'record.json'));
  });

  it('votes once, at its end, with every version of every test task', () => {
    assert.ok(smoke.task.kind === 'arc');
    const { test } = arcDataset(smoke.task);
    const vote = voteOf(record);
    assert.equal(vote?.tasks, 4);
    assert.equal(
      vote.votes,
      test.versions.entries.reduce((sum, { pairs }, puzzle) => sum + pairs.length * test.versions.count(puzzle), 0),
    );
    assert.deepEqual(Object.keys(vote.passAt), ['1', '2', '5', '10', '100', '1000']);
    assert.equal(quotedAccuracy(record), vote.passAt[2]);
    assert.equal(quotedAccuracy({ ...record, closing: { vote: { ...vote, passAt: { 1: 0.1, 2: 0.25 } } } }), 0.25);
  });

  it('looks what is left without ids, and with wrong ones, on the puzzles scored and on training ones', () => {
    for (const mode of ['blank', 'shuffled'] as const) {
      assert.equal(closingEvaluation(record, `scored-${mode}-ids`)?.puzzles, record.evaluations.at(-1)!.puzzles);
      assert.equal(closingEvaluation(record, `training-${mode}-ids`)?.puzzles, 4);
    }
  });

  it('says how far it is, up to 1, never back', () => {
    assert.ok(
      shares.every((share, i) => share <= 1 && share >= (shares[i - 1] ?? 0)),
      String(shares),
    );
    assert.ok((shares.at(-1) ?? 0) > 0.9, String(shares.at(-1)));
  });

  it('leaves a checkpoint that votes as the run did', async () => {
    const { engine } = await openModel(path.join(folder, 'model.safetensors'), { engine: 'native', threads: 1 });
    assert.ok(smoke.task.kind === 'arc');
    const { seconds: _, ...again } = await voteArc(engine, arcDataset(smoke.task).test);
    engine.dispose();
    const { seconds: __, ...before } = voteOf(record)!;
    assert.deepEqual(again, before);
  });

  it('votes with the raw weights and without ids where that is asked for, and only there', async () => {
    const asked = { on: 'scored', puzzles: 0, votes: 1, supervisionSteps: 1 } as const;
    const closing = [
      { ...asked, name: 'plain' },
      { ...asked, name: 'raw', weights: 'raw' },
      { ...asked, name: 'blank', puzzleIds: 'blank' },
    ] as const;
    assert.equal(rawWeightsIn({ closing }), undefined, 'a vote is no score of puzzles');
    const few = change(smoke, { training: { steps: 1 }, evaluation: { every: 0, closing } });
    const engine = { engine: 'native', threads: 1 } as const;
    const probe = await createEngine(few.model, engine);
    probe.dispose();
    const made = Object.getPrototypeOf(probe) as Engine;
    const { inferStep } = made;
    const seen: string[] = [];
    made.inferStep = function (state, request) {
      seen.push(`${request.weights}, ${request.puzzleIds.every((id) => id === 0) ? 'no ids' : 'ids'}`);
      return inferStep.call(this, state, request);
    };
    try {
      (await runExperiment(few, { folder: newFolder(), engine })).engine.dispose();
    } finally {
      made.inferStep = inferStep;
    }
    assert.deepEqual(seen.slice(-3), ['average, ids', 'raw, ids', 'average, no ids']);
  });

  it('stands in Table 5 by its two tries', () => {
    const made = { ...record, closing: { vote: { ...voteOf(record)!, passAt: { 1: 0, 2: 0.375 } } } };
    const table = paperTable(5, smoke, [made]);
    assert.match(table, /^\| model \| paper, ARC-AGI-1 \| ours \|/);
    assert.match(table, /\| TRM-Att\s<sup>\d<\/sup> \| 44\.6\s% \| 37\.5\s% \| 1 \| 4 \| 24\.2 \|/);
    assert.match(table, /\| TRM-MLP\s<sup>\d<\/sup> \| 29\.6\s% \| not run \|/);
    assert.match(table, /test tasks solved in two tries by a vote/);
    assert.match(table, /Only ARC's public training tasks whose grids all fit 10×10, the 6 smallest of each part/);
  });
});

describe('Table 5', () => {
  it("has the paper's four models at every scale that has tasks for it, each with its own mixer", () => {
    assert.deepEqual(
      rowsOfTable(5).map(({ row }) => [row.label, row.arc1, row.arc2]),
      [
        ['HRM', 40.3, 5],
        ['TRM-MLP', 29.6, 2.4],
        ['TRM-Att', 44.6, 7.8],
        ['Direct pred', 21, 0],
      ],
    );
    assert.deepEqual(
      planTable(5, 'laptop', 1).map(({ experiment: { name, model } }) => [name, model.mixer]),
      [
        ['arc-10x10-study-hrm', 'attention'],
        ['arc-10x10-study-trm', 'mlp'],
        ['arc-10x10-study-trm-attention', 'attention'],
        ['arc-10x10-study-direct', 'attention'],
      ],
    );
    assert.equal(planTable(5, 'paper', 1).length, 8);
    assert.throws(
      () => planTable(5, 'desk', 1),
      /table 5 at scale desk: expected one of the scales smoke, laptop, paper/,
    );
    const row = rowsOfTable(5).find(({ variant: { id } }) => id === 'trm-attention')!.row;
    assert.deepEqual(
      ['arc1-paper', 'arc2-paper'].map((name) => paperResult(row, experiment(name).task)),
      [44.6, 7.8],
    );
  });

  it(
    "is, at the paper's scale, the published configuration: 7M parameters, 19M for the MLP, " +
      '960,961 and 1,281,281 puzzle ids',
    () => {
      for (const [name, steps, ids] of [
        ['arc1-paper', 518_226, 960 * 1001 + 1],
        ['arc2-paper', 722_098, 1280 * 1001 + 1],
      ] as const) {
        const base = experiment(name);
        const { model, training } = base;
        assert.equal(Math.round(parameterCount(model) / 1e6), 7);
        assert.equal(Math.round(parameterCount(variantExperiment(base, variant('trm')).model) / 1e6), 19);
        assert.deepEqual(
          [
            model.sequenceLength,
            model.vocabSize,
            model.puzzleIds,
            model.deepRecursions,
            model.latentRecursions,
            model.puzzlePrefix,
            model.supervisionSteps,
          ],
          [900, 12, ids, 3, 4, 16, 16],
        );
        assert.equal(effectiveDepth(model), 30);
        assert.deepEqual(
          [
            training.steps,
            training.batchSize,
            training.learningRate,
            training.puzzleLearningRate,
            training.weightDecay,
            training.puzzleWeightDecay,
            training.warmupSteps,
            training.emaRate,
            training.finalRateRatio,
          ],
          [steps, 768, 1e-4, 1e-2, 0.1, 0.1, 2000, 0.999, 1],
        );
      }
    },
  );

  it('lets versions vote on all scored tasks, and only there', () => {
    const asking = (votes: number, puzzles = 0): unknown =>
      change(smoke, { evaluation: { closing: [{ name: 'vote', on: 'scored', puzzles, votes }] } });
    assert.throws(() => asking(-1), /votes: expected a whole number from 0, or nothing, got -1/);
    assert.throws(() => asking(0, 3), /votes: expected all scored tasks of an ARC task with it/);
  });
});
