/** Whether a run learned, and whether its halting head says anything: cases worked by hand, and a short training. */
import assert from 'node:assert/strict';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { haltingHead, learned } from '../../lib/experiment/learned.js';
import { runExperiment } from '../../lib/experiment/run.js';
import type { Evaluation } from '../../lib/train/evaluate.js';
import { recordOf } from '../report/records.js';
import { newFolder } from '../new-folder.js';

function evaluation(exact: readonly number[], halting: readonly number[], deviation?: number): Evaluation {
  return {
    puzzles: 100,
    supervisionSteps: exact.length,
    exactAccuracy: exact,
    cellAccuracy: exact,
    haltingAccuracy: halting,
    ...(deviation === undefined ? {} : { haltLogit: { mean: [0], deviation: [deviation] } }),
    seconds: 1,
  };
}

describe('learned', () => {
  const base = experiment('sudoku-6x6'); // chance is one cell in six
  const run = (exact: number, cells: number): ReturnType<typeof recordOf> => {
    const record = recordOf(base, 0, [exact]);
    return { ...record, evaluations: [{ ...record.evaluations[0]!, cellAccuracy: [cells] }] };
  };

  it('needs two boards in a hundred and cells above chance, on the mean over seeds', () => {
    assert.equal(learned([run(0.5, 0.9)]), true);
    assert.equal(learned([run(0.01, 0.9)]), false);
    assert.equal(learned([run(0.05, 1 / 6)]), false);
    assert.equal(learned([run(0, 0.5), run(0.06, 0.5)]), true);
    assert.equal(learned([]), false);
  });
});

describe('halting head', () => {
  it('that says the same to every puzzle is right just where they are all solved, or all not', () => {
    assert.equal(haltingHead(evaluation([0.3, 0.9], [0.7, 0.9])), 'constant');
    assert.equal(haltingHead(evaluation([0.3, 0.9], [0.7, 0.95])), 'varies');
    assert.equal(haltingHead(evaluation([0, 1], [1, 1])), 'unknown');
  });

  it('is judged by its logits where they were kept', () => {
    assert.equal(haltingHead(evaluation([0, 1], [1, 1], 0.05)), 'constant');
    assert.equal(haltingHead(evaluation([0.3, 0.9], [0.7, 0.9], 3)), 'varies');
  });

  it('tells puzzles apart after seconds of the training that the tables have', async () => {
    const folder = newFolder();
    const { evaluation: _, training, ...study } = experiment('sudoku-6x6-study');
    const short = change(experiment('sudoku-6x6'), {
      task: { testPuzzles: 200, validationPuzzles: 0 },
      model: {
        ...study.model,
        hiddenSize: 32,
        heads: 2,
        puzzleEmbeddingSize: 32,
        deepRecursions: 1,
        latentRecursions: 2,
        supervisionSteps: 4,
      },
      training: { ...training, steps: 360, learningRate: 0.016, warmupSteps: 20, emaRate: 0.97, interleavedBatches: 8 },
      evaluation: { every: 0, finalPuzzles: 0, closing: [] },
    });
    const { record, engine } = await runExperiment(short, {
      seed: 1,
      folder,
      engine: { engine: 'native', threads: 1 },
    });
    engine.dispose();
    const final = record!.evaluations.at(-1)!;
    const [exact, right] = [final.exactAccuracy.at(-1)!, final.haltingAccuracy.at(-1)!];
    assert.ok(exact > 0.2 && exact < 0.95, `solved ${exact}`);
    assert.equal(haltingHead(final), 'varies');
    // three seeds gave deviations of 0.6 to 1.5, and 81 to 89 % right where 50 to 59 % are solved
    assert.ok((final.haltLogit?.deviation.at(-1) ?? 0) > 0.3, String(final.haltLogit?.deviation));
    assert.ok(right > Math.max(exact, 1 - exact) + 0.05, `right in ${right}, solved ${exact}`);
  });
});
