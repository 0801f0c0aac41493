/**
 * Training options beyond the paper: batches in turn, supervision steps that change, and Muon against its definition.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { sudokuDataset } from '../../lib/data/sudoku-sets.js';
import type { Dataset } from '../../lib/data/dataset.js';
import { createEngine, type EngineOptions } from '../../lib/engine/create.js';
import type { Engine, TensorKind } from '../../lib/engine/engine.js';
import { adamStep, muonStep } from '../../lib/engine/optimizers.js';
import { whyUnavailable } from '../../lib/engine/native/addon.js';
import { paperConfig, type ModelConfig } from '../../lib/model/config.js';
import { initialParameters, parameterSpecs } from '../../lib/model/parameters.js';
import { Random } from '../../lib/random.js';
import {
  checkTraining,
  paperTraining,
  seatsOf,
  supervisionAt,
  updateRequest,
  type TrainingOptions,
} from '../../lib/train/options.js';
import { readSnapshot, writeSnapshot } from '../../lib/train/snapshot.js';
import { Trainer } from '../../lib/train/trainer.js';
import { newFolder } from '../new-folder.js';
import { notAtHand } from '../not-at-hand.js';
import { inputError } from '../input-error.js';

const tiny: ModelConfig = {
  ...paperConfig,
  hiddenSize: 8,
  heads: 2,
  innerMultiple: 8,
  layers: 1,
  vocabSize: 6,
  sequenceLength: 16,
  puzzlePrefix: 1,
  puzzleEmbeddingSize: 8,
  deepRecursions: 2,
  latentRecursions: 2,
  supervisionSteps: 3,
};
const training: TrainingOptions = { ...paperTraining, steps: 6, batchSize: 4, warmupSteps: 0, learningRate: 0.01 };
const kinds: readonly TensorKind[] = ['parameters', 'average', 'firstMoment', 'secondMoment'];

/** Every number an engine holds. */
async function bytesOf(engine: Engine): Promise<string> {
  const parts = [];
  for (const kind of kinds)
    for (const { data } of (await engine.readTensors(kind)).values())
      parts.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  return Buffer.concat(parts).toString('base64');
}

/** The same engine, telling of every training step before it makes it. */
function spied(engine: Engine, tell: (...step: Parameters<Engine['trainStep']>) => Promise<void>): Engine {
  return new Proxy(engine, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== 'trainStep') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      return async (...step: Parameters<Engine['trainStep']>) => {
        await tell(...step);
        return target.trainStep(...step);
      };
    },
  });
}

describe('training options beyond the paper', () => {
  it('stay absent where they are not given, and are refused where they make no sense', () => {
    assert.deepEqual(
      Object.keys(checkTraining(paperTraining)).filter((key) =>
        ['supervisionSteps', 'supervisionCurriculum', 'interleavedBatches'].includes(key),
      ),
      [],
    );
    for (const key of ['supervisionSteps', 'interleavedBatches']) {
      for (const bad of [0, 1.5, '2', null])
        assert.throws(
          () => checkTraining({ ...paperTraining, [key]: bad }),
          new RegExp(`${key}: expected a whole number from 1 to 1024`),
        );
    }
    for (const bad of [
      [],
      3,
      [[0.5]],
      [[0.5, 1, 1]],
      [[0.5, 0]],
      [[1, 1]],
      [
        [0.5, 1],
        [0.5, 2],
      ],
      [[0.5, 1025]],
    ]) {
      assert.throws(
        () => checkTraining({ ...paperTraining, supervisionCurriculum: bad }),
        inputError(/supervisionCurriculum: expected rows \[until, N\] .*got/),
      );
    }
  });

  it('change the steps of a puzzle at the shares of the steps that the rows say', () => {
    const options = {
      ...training,
      steps: 10,
      supervisionCurriculum: [
        [0.3, 1],
        [0.65, 2],
      ] as const,
    };
    const of = (more: Partial<TrainingOptions>): string[] =>
      Array.from({ length: 10 }, (_, i) => Object.values(supervisionAt(i + 1, { ...options, ...more }, tiny)).join());
    assert.deepEqual(of({}), [
      ...Array<string>(3).fill('1,1'),
      ...Array<string>(3).fill('2,4'),
      ...Array<string>(4).fill('3,7'),
    ]);
    assert.deepEqual(of({ supervisionSteps: 8 }).slice(5), ['2,4', ...Array<string>(4).fill('8,7')]);
    assert.deepEqual(supervisionAt(9, training, tiny), { supervisionSteps: 3, since: 1 });
  });
});

for (const kind of ['native', 'tfjs'] as const) {
  const atHand = kind === 'tfjs' || whyUnavailable() === undefined;
  (atHand ? describe : notAtHand)(`training beyond the paper on the ${kind} engine`, () => {
    const options: EngineOptions = { engine: kind, precision: 'float32', threads: 2 };
    let dataset: Dataset;
    before(async () => {
      dataset = (
        await sudokuDataset({
          side: 4,
          source: 'generated',
          trainPuzzles: 8,
          testPuzzles: 1,
          validationPuzzles: 0,
          augmentations: 3,
          minDifficulty: 0,
          seed: 1,
        })
      ).train;
    });

    it('goes on after an interruption in any stage of the supervision steps to the same bytes', async () => {
      const all = {
        ...training,
        interleavedBatches: 2,
        supervisionCurriculum: [
          [0.34, 1],
          [0.67, 2],
        ] as const,
      };
      const file = path.join(newFolder(), 'state.safetensors');
      const begin = async (): Promise<{ engine: Engine; trainer: Trainer }> => {
        const engine = await createEngine(tiny, options);
        return { engine, trainer: new Trainer(engine, dataset, all, 5) };
      };
      const whole = await begin();
      await whole.trainer.start();
      const snapshots = [];
      while (!whole.trainer.done) {
        await whole.trainer.trainStep();
        snapshots.push(await whole.trainer.snapshot());
      }
      for (const at of [1, 2, 4]) {
        const rest = await begin();
        writeSnapshot(file, snapshots[at]!, '');
        await rest.trainer.restore(readSnapshot(file, tiny, seatsOf(all)).snapshot);
        while (!rest.trainer.done) await rest.trainer.trainStep();
        assert.equal(await bytesOf(rest.engine), await bytesOf(whole.engine), `from step ${at + 1}`);
        rest.engine.dispose();
      }
      whole.engine.dispose();
    });

    it('moves matrices by Muon and all else by AdamATan2', async () => {
      const engine = await createEngine(tiny, options);
      const start = initialParameters(tiny, new Random(3));
      await engine.writeTensors('parameters', start);
      const tokens = Int32Array.from({ length: 32 }, (_, i) => i % 6);
      await engine.trainStep(engine.createState(2), {
        tokens,
        labels: tokens,
        puzzleIds: new Int32Array(2),
        reset: new Uint8Array(2).fill(1),
        last: new Uint8Array(2),
        loss: 'softmax',
      });
      const gradients = await engine.readGradients();
      const request = { ...updateRequest(1, training), optimizer: 'muon' as const };
      await engine.update(request);
      const after = await engine.readTensors('parameters');
      const byMuon = [];
      for (const { name, shape, role } of parameterSpecs(tiny)) {
        if (role !== 'trained') continue;
        const zeros = (): Float32Array => new Float32Array(start.get(name)!.data.length);
        const expected = {
          parameters: start.get(name)!.data.slice(),
          gradient: gradients.get(name)!.data,
          firstMoment: zeros(),
          secondMoment: zeros(),
          average: zeros(),
        };
        const matrix = /\.(mlp|mlp_t)\./.test(name);
        if (matrix) muonStep(expected, shape as [number, number], request);
        else adamStep(expected, 1, { ...request, optimizer: 'adam-atan2' });
        if (matrix) byMuon.push(name);
        after
          .get(name)!
          .data.forEach((value, i) =>
            assert.ok(
              Math.abs(value - expected.parameters[i]!) < 1e-6,
              `${name}[${i}]: ${value}, expected ${expected.parameters[i]}`,
            ),
          );
      }
      assert.equal(byMuon.length, 4); // in and out of both mixers of the one layer
      engine.dispose();
    });

    it('takes interleaved batches in turn, their ages apart from the start', async () => {
      const engine = await createEngine({ ...tiny, supervisionSteps: 16, explorationProbability: 0 }, options);
      const seen: { tokens: string; isNew: boolean; state: unknown }[] = [];
      const trainer = new Trainer(
        spied(
          engine,
          async (state, { tokens, reset }) => void seen.push({ tokens: tokens.join(), isNew: reset[0] === 1, state }),
        ),
        dataset,
        { ...training, steps: 15, supervisionSteps: 3, interleavedBatches: 3 },
        1,
      );
      await trainer.start();
      while (!trainer.done) await trainer.trainStep();
      const visits = [0, 1, 2].map((turn) => seen.filter((_, step) => step % 3 === turn));
      // Three steps a puzzle; the first puzzles of the second batch have two, of the third one.
      assert.deepEqual(
        visits.map((each) => each.map(({ isNew }) => Number(isNew)).join('')),
        ['10010', '10100', '11001'],
      );
      for (const each of visits) {
        assert.equal(new Set(each.map(({ state }) => state)).size, 1);
        each.forEach(({ tokens, isNew }, i) => assert.equal(!isNew, tokens === each[i - 1]?.tokens));
      }
      assert.equal(new Set(seen.map(({ state }) => state)).size, 3);
      engine.dispose();
    });

    it('sets the ages of interleaved batches apart again where puzzles get more steps', async () => {
      const engine = await createEngine({ ...tiny, supervisionSteps: 16, explorationProbability: 0 }, options);
      const isNew: boolean[] = [];
      const staged = {
        ...training,
        steps: 24,
        supervisionCurriculum: [
          [0.25, 1],
          [0.5, 2],
        ] as const,
        supervisionSteps: 3,
        interleavedBatches: 3,
      };
      const trainer = new Trainer(
        spied(engine, async (_, { reset }) => void isNew.push(reset[0] === 1)),
        dataset,
        staged,
        1,
      );
      await trainer.start();
      while (!trainer.done) await trainer.trainStep();
      const visits = [0, 1, 2].map((turn) =>
        isNew
          .filter((_, step) => step % 3 === turn)
          .map(Number)
          .join(''),
      );
      // Two visits of one step a puzzle, two of two steps, four of three;
      // where a stage begins the later batches count as older.
      assert.deepEqual(visits, ['11101001', '11101010', '11110100']);
      engine.dispose();
    });
  });
}
