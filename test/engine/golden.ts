/**
 * The published code's numbers, replayed on an engine: its fixtures, and the cases of golden.json, tiny models whose
 * weights and batches come from formulas.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Engine } from '../../lib/engine/engine.js';
import { projectRoot } from '../../lib/files.js';
import { checkConfig, paperConfig, type ModelConfig } from '../../lib/model/config.js';
import type { Tensor } from '../../lib/model/parameters.js';
import { configFromReference, type ReferenceFields } from '../../lib/checkpoint/reference-config.js';
import { Random } from '../../lib/random.js';
import { advance, emptyCarry, lastSteps, refill } from '../../lib/train/carry.js';
import { stepMetrics } from '../../lib/train/metrics.js';
import { paperTraining, updateRequest } from '../../lib/train/options.js';
import { checkReference } from '../../lib/train/reference-check.js';

interface Checksum {
  readonly sum: number;
  readonly sumsq: number;
  readonly head: readonly number[];
}
interface GoldenStep {
  readonly loss: number;
  readonly halted: readonly boolean[];
  readonly step_counts: readonly number[];
  readonly logits: Checksum;
  readonly q_halt: readonly number[];
  readonly grads: Readonly<Record<string, Checksum>>;
}
interface GoldenCase {
  readonly config: ReferenceFields & {
    readonly batch_size: number;
    readonly seq_len: number;
    readonly vocab_size: number;
    readonly num_puzzle_identifiers: number;
  };
  readonly tensors: readonly {
    readonly k: number;
    readonly name: string;
    readonly shape: readonly number[];
    readonly scale: number | null;
  }[];
  readonly steps: readonly GoldenStep[];
}

const folder = path.join(projectRoot(), 'test', 'reference');

/** Names of the fixtures. */
export const fixtures = readdirSync(folder).flatMap((file) => /^(.*)\.safetensors$/.exec(file)?.[1] ?? []);

/** Replays a fixture on an engine, which must agree in every quantity. Returns what the engine calls itself. */
export async function replayFixture(name: string, make: Parameters<typeof checkReference>[1]): Promise<string> {
  const { engine, quantities } = await checkReference(path.join(folder, `${name}.safetensors`), make);
  for (const { quantity, error, tolerance, passed } of quantities)
    assert.ok(passed, `${quantity}: ${error}, tolerance ${tolerance}`);
  assert.ok(quantities.length >= 15);
  return engine;
}

const { variants } = JSON.parse(readFileSync(path.join(folder, 'golden.json'), 'utf8')) as {
  variants: Readonly<Record<string, GoldenCase>>;
};

/** Names of the cases in one precision. */
export function goldenNames(precision: 'f32' | 'bf16'): string[] {
  return Object.keys(variants).filter((name) => name.includes(precision));
}

/**
 * How near an engine must come: `loss` relative at the first step, ten times that later; `logits` absolute;
 * `gradients` relative in the sum of squares.
 */
export interface GoldenTolerance {
  readonly loss: number;
  readonly logits: number;
  readonly gradients: number;
}

/** Replays a case: four training steps with SignSGD, AdamATan2 and EMA, no warm-up. */
export async function replayGolden(
  name: string,
  create: (config: ModelConfig) => Promise<Engine>,
  tolerance: GoldenTolerance,
): Promise<void> {
  const golden = variants[name]!;
  const { batch_size: B, seq_len: L, vocab_size: V, num_puzzle_identifiers: ids } = golden.config;
  const architecture = name.startsWith('hrm')
    ? 'hrm'
    : name.startsWith('trm_singlez')
      ? 'trm_singlez'
      : name.startsWith('trm_hier6')
        ? 'trm_hier6'
        : 'trm';
  const config = checkConfig({ ...paperConfig, ...configFromReference({ ...golden.config, architecture }) });
  const engine = await create(config);
  const tensors = new Map<string, Tensor>();
  for (const { k, name: full, shape, scale } of golden.tensors) {
    const length = shape.reduce((a, b) => a * b, 1);
    const value = (i: number): number =>
      scale === null ? [0.02, -0.3][i]! : scale * ((((i * 7919 + k * 104729 + 12345) % 20011) / 20011) * 2 - 1);
    tensors.set(full.replace('model.inner.', ''), { shape, data: Float32Array.from({ length }, (_, i) => value(i)) });
  }
  await engine.writeTensors('parameters', tensors);
  const options = {
    ...paperTraining,
    warmupSteps: 0,
    batchSize: B,
    learningRate: 1e-3,
    weightDecay: 1,
    puzzleLearningRate: 1e-2,
    puzzleWeightDecay: 0.1,
  };
  const state = engine.createState(B);
  let carry = emptyCarry(B, L);
  for (const [s, expected] of golden.steps.entries()) {
    const t = s + 1;
    const cells = Array.from({ length: B * L }, (_, n) => n);
    carry = refill(carry, {
      tokens: Int32Array.from(cells, (n) => (31 * n + 17 * t + 5) % V),
      labels: Int32Array.from(cells, (n) => (13 * n + 29 * t + 3) % V || -100),
      puzzleIds: Int32Array.from({ length: B }, (_, b) => (2 * b + t) % ids),
    });
    const result = await engine.trainStep(state, {
      ...carry.puzzles,
      reset: Uint8Array.from(carry.steps, (steps) => (steps === 0 ? 1 : 0)),
      last: lastSteps(carry, config),
      loss: 'stablemax',
      wantLogits: true,
    });
    carry = advance(carry, result.haltLogits, result.continueLogits, config, new Random(0));
    const { answerLoss, haltLoss, continueLoss } = stepMetrics(result, carry);
    const near = (what: string, mine: number, theirs: number, most: number): void =>
      assert.ok(
        Math.abs(mine - theirs) <= most,
        `${name}, step ${t}, ${what}: ${mine} against ${theirs}, tolerance ${most}`,
      );
    near(
      'loss',
      answerLoss + 0.5 * (haltLoss + continueLoss),
      expected.loss,
      tolerance.loss * (s === 0 ? 1 : 10) * expected.loss,
    );
    expected.logits.head.forEach((value, i) =>
      near(`logits[${i}]`, result.logits![i]!, value, tolerance.logits * (s === 0 ? 1 : 10)),
    );
    expected.q_halt.forEach((value, i) =>
      near(`halt logit ${i}`, result.haltLogits[i]!, value, tolerance.logits * (s === 0 ? 1 : 10)),
    );
    assert.deepEqual([...carry.steps], expected.step_counts);
    assert.deepEqual([...carry.halted].map(Boolean), expected.halted);
    if (s === 0) {
      const gradients = await engine.readGradients();
      for (const [full, { sumsq }] of Object.entries(expected.grads)) {
        const { data } = gradients.get(full.replace('model.inner.', ''))!;
        near(
          `sum of squares of the gradient of ${full}`,
          data.reduce((sum, value) => sum + value * value, 0),
          sumsq,
          tolerance.gradients * Math.max(sumsq, 1e-9),
        );
      }
    }
    await engine.update(updateRequest(t, options));
  }
  state.dispose();
  engine.dispose();
}
