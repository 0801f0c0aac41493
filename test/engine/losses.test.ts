/**
 * Losses and optimizers against the reference's primitives (golden.json), finite differences, and hand-worked cases.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { UpdateRequest } from '../../lib/engine/engine.js';
import {
  argmax,
  binaryCrossEntropy,
  softmaxCrossEntropy,
  stablemax,
  stablemaxCrossEntropy,
  stepLosses,
} from '../../lib/engine/losses.js';
import { Random } from '../../lib/random.js';
import { adamStep, muonStep, signSgdStep } from '../../lib/engine/optimizers.js';
import { projectRoot } from '../../lib/files.js';

const { primitives } = JSON.parse(
  readFileSync(path.join(projectRoot(), 'test', 'reference', 'golden.json'), 'utf8'),
) as {
  primitives: {
    stablemax: { x: number[]; s: number[]; log_stablemax: number[]; grad_of_minus_logp_index3: number[] };
    adam_atan2: {
      p0: number[];
      grads: number[][];
      lr: number;
      betas: [number, number];
      wd: number;
      trace: { p: number[]; m: number[]; v: number[] }[];
    };
  };
};

/**
 * Float32 storage of numbers computed in double precision: half a unit in the last place, with room for one more
 * rounding.
 */
const float32 = 2 ** -22;

function close(mine: ArrayLike<number>, theirs: ArrayLike<number>, relative: number): void {
  assert.equal(mine.length, theirs.length);
  for (let i = 0; i < theirs.length; i++) {
    const error = Math.abs(mine[i]! - theirs[i]!);
    // NaN fails
    assert.ok(error <= relative * Math.max(Math.abs(theirs[i]!), 1e-6), `[${i}]: ${mine[i]} against ${theirs[i]}`);
  }
}

describe('losses', () => {
  const { x, s, log_stablemax, grad_of_minus_logp_index3 } = primitives.stablemax;

  it("are the reference's stablemax, value and gradient, at exactly 1 too", () => {
    close(x.map(stablemax), s, 1e-12);
    assert.ok(x.includes(1));
    for (let k = 0; k < x.length; k++) {
      const gradient = new Float32Array(x.length);
      close([stablemaxCrossEntropy(Float32Array.from(x), k, gradient, 1)], [-log_stablemax[k]!], 1e-12);
      if (k === 3) close(gradient, grad_of_minus_logp_index3, float32);
    }
  });

  for (const [name, loss] of [
    ['stablemax', stablemaxCrossEntropy],
    ['softmax', softmaxCrossEntropy],
  ] as const) {
    it(`have the gradient that finite differences of ${name} give`, () => {
      const at = [-2.5, -0.3, 0.2, 1, 3.75];
      for (let k = 0; k < at.length; k++) {
        const gradient = new Float32Array(at.length);
        loss(Float32Array.from(at), k, gradient, 2);
        at.forEach((value, i) => {
          const shifted = (by: number): number =>
            loss(
              Float32Array.from(at, (old, j) => (j === i ? value + by : old)),
              k,
              new Float32Array(at.length),
              1,
            );
          const h = 2 ** -10; // exact in float32
          const slope = (2 * (shifted(h) - shifted(-h))) / (2 * h);
          // h² / 6 times the third derivative
          assert.ok(Math.abs(gradient[i]! - slope) < 1e-5, `k ${k}, i ${i}: ${gradient[i]} against ${slope}`);
        });
      }
    });
  }

  it('are per seat the mean over scored cells, ignored cells without gradient, and a target of "all right"', () => {
    // Two seats of two cells, two tokens. Seat 0 scores one cell and has it right; seat 1 scores both and misses one.
    const logits = Float32Array.of(0, 3, 5, 5, /* */ 2, 0, 2, 0);
    const labels = Int32Array.of(1, -100, /* */ 0, 1);
    const input = {
      logits,
      labels,
      predictions: argmax(logits, 2),
      haltingLogits: Float32Array.of(1, 0, 1, 0),
      loss: 'softmax' as const,
      total: 2,
    };
    assert.deepEqual([...input.predictions], [1, 0, 0, 0]);
    const { answerLoss, haltLoss, continueLoss, logitsGradient, haltingGradient } = stepLosses(input);
    const nll = (right: number, wrong: number): number => Math.log(1 + Math.exp(wrong - right));
    close(answerLoss, [nll(3, 0), (nll(2, 0) + nll(0, 2)) / 2], 1e-6);
    close(haltLoss, [Math.log(1 + Math.exp(-1)), Math.log(1 + Math.exp(1))], 1e-12);
    assert.deepEqual([...continueLoss], [0, 0]);
    assert.deepEqual([...logitsGradient.subarray(2, 4)], [0, 0]);
    const halt = 1 / (1 + Math.exp(-1));
    close(haltingGradient, [(0.5 * (halt - 1)) / 2, 0, (0.5 * halt) / 2, 0], float32);
    const more = stepLosses({ ...input, continueTargets: Float32Array.of(0.25, 0.75) });
    close(more.continueLoss, [Math.log(2), Math.log(2)], 1e-12);
    close([more.haltingGradient[1]!, more.haltingGradient[3]!], [(0.5 * 0.25) / 2, (0.5 * -0.25) / 2], float32);
  });

  it('stay finite for logits of any size', () => {
    for (const q of [-1e4, 1e4]) for (const t of [0, 1]) assert.ok(Number.isFinite(binaryCrossEntropy(q, t).loss));
    const gradient = new Float32Array(2);
    assert.ok(Number.isFinite(stablemaxCrossEntropy(Float32Array.of(1e30, -1e30), 1, gradient, 1)));
    assert.ok(gradient.every(Number.isFinite));
  });
});

describe('optimizers', () => {
  const request: UpdateRequest = {
    optimizer: 'adam-atan2',
    learningRate: primitives.adam_atan2.lr,
    weightDecay: primitives.adam_atan2.wd,
    beta1: 0.9,
    beta2: 0.95,
    puzzleLearningRate: 0,
    puzzleWeightDecay: 0,
    emaRate: 0.75,
  };
  const fresh = (p0: readonly number[]): Parameters<typeof adamStep>[0] => ({
    parameters: Float32Array.from(p0),
    average: Float32Array.from(p0),
    firstMoment: new Float32Array(p0.length),
    secondMoment: new Float32Array(p0.length),
    gradient: new Float32Array(p0.length),
  });

  it("follow AdamATan2's reference trace: parameters and moments after each step", () => {
    const state = fresh(primitives.adam_atan2.p0);
    primitives.adam_atan2.grads.forEach((gradient, step) => {
      state.gradient.set(gradient);
      const before = state.average.slice();
      adamStep(state, step + 1, request);
      const { p, m, v } = primitives.adam_atan2.trace[step]!;
      close(state.parameters, p, 2 * float32);
      close(state.firstMoment, m, 2 * float32);
      close(state.secondMoment, v, 2 * float32);
      close(
        state.average,
        p.map((value, i) => 0.75 * before[i]! + 0.25 * value),
        2 * float32,
      );
    });
  });

  it('follow AdamW worked out by hand', () => {
    const state = fresh([1, 1]);
    state.gradient.set([0.5, -0.25]);
    adamStep(state, 1, { ...request, optimizer: 'adamw', learningRate: 0.1, weightDecay: 0.5 });
    // First step: both corrections give m = g, v = g², so each entry moves by the learning rate against its sign.
    close(state.parameters, [0.95 - 0.1, 0.95 + 0.1], 1e-6);
  });

  it('follow Muon: one direction is stretched by its polynomial, many are brought near length 1', () => {
    const muon: UpdateRequest = { ...request, optimizer: 'muon', learningRate: 0.1, weightDecay: 0.5 };
    const [rows, columns] = [3, 5];
    const left = [2, -1, 0.5];
    const right = [1, 0, -3, 0.25, 1];
    const state = fresh(new Array<number>(rows * columns).fill(1));
    state.gradient.set(left.flatMap((l) => right.map((r) => l * r)));
    muonStep(state, [rows, columns], muon);
    const length = Math.hypot(...left) * Math.hypot(...right);
    const stretched = [1, 2, 3, 4, 5].reduce((s) => 3.4445 * s - 4.775 * s ** 3 + 2.0315 * s ** 5, 1);
    close(
      state.parameters,
      [...state.gradient].map((g) => 0.95 - (0.1 * 0.2 * Math.sqrt(5) * stretched * g) / length),
      1e-6,
    );
    close(
      state.firstMoment,
      [...state.gradient].map((g) => 0.1 * g),
      float32,
    );

    for (const shape of [
      [20, 30],
      [30, 20],
    ] as const) {
      const random = new Random(4);
      const many = fresh(new Array<number>(600).fill(0));
      many.gradient.set(Array.from({ length: 600 }, () => random.normal()));
      muonStep(many, shape, { ...muon, weightDecay: 0 });
      // O·v over the shorter side's vectors keeps their length but for the 0.7 to 1.2 that the iterations leave.
      for (let trial = 0; trial < 20; trial++) {
        const along = Array.from({ length: 20 }, () => random.normal());
        const image = Array.from({ length: 30 }, (_, i) =>
          along.reduce((sum, v, j) => sum + v * many.parameters[shape[0] === 20 ? j * 30 + i : i * 20 + j]!, 0),
        );
        const ratio = Math.hypot(...image) / Math.hypot(...along) / (0.1 * 0.2 * Math.sqrt(30));
        assert.ok(ratio > 0.6 && ratio < 1.25, `${shape.join('×')}: ${ratio}`);
      }
    }
  });

  it('move only the puzzle rows that were used, by the sign of their summed gradient', () => {
    const rows = Float32Array.of(1, 1, 2, 2, 3, 3);
    // Seats 0 and 2 share row 1: 0.5 − 0.2 > 0 in the first entry, exactly 0 in the second.
    signSgdStep(rows, Float32Array.of(0.5, 0.5, -1, -1, -0.2, -0.5), Int32Array.of(1, 2, 1), 0.1, 0.5);
    close(rows, [1, 1, 2 * 0.95 - 0.1, 2 * 0.95, 3 * 0.95 + 0.1, 3 * 0.95 + 0.1], float32);
  });
});
