/** The optimizers on plain arrays, as the reference computes them (spec §4). */
import type { UpdateRequest } from './engine.js';

/** A trained tensor and what its optimizer keeps beside it. */
export interface Trained {
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  readonly average: Float32Array;
}

/** AdamW's ε; AdamATan2 needs none. */
const epsilon = 1e-8;

/**
 * One step t = 1, 2, … in place: decoupled decay, moments, then
 * AdamATan2 (spec §4.1): p ← p − lr / (1 − β1ᵗ) · atan2(m, √v / √(1 − β2ᵗ)): the bias correction of m stands outside;
 * AdamW: p ← p − lr · (m / (1 − β1ᵗ)) / (√(v / (1 − β2ᵗ)) + ε); and the average follows.
 */
export function adamStep({ parameters: p, gradient: g, firstMoment: m, secondMoment: v, average }: Trained, t: number, request: UpdateRequest): void {
  const { learningRate, weightDecay, beta1, beta2, emaRate, optimizer } = request;
  const keep = 1 - learningRate * weightDecay;
  const rate = learningRate / (1 - beta1 ** t);
  const root = Math.sqrt(1 - beta2 ** t);
  for (let i = 0; i < p.length; i++) {
    m[i] = m[i]! + (1 - beta1) * (g[i]! - m[i]!);
    v[i] = v[i]! + (1 - beta2) * (g[i]! * g[i]! - v[i]!);
    const deviation = Math.sqrt(v[i]!) / root;
    const step = optimizer === 'adam-atan2' ? Math.atan2(m[i]!, deviation) : m[i]! / (deviation + epsilon);
    p[i] = p[i]! * keep - rate * step;
    average[i] = emaRate * average[i]! + (1 - emaRate) * p[i]!;
  }
}

/**
 * SignSGD on the rows of the puzzle table that a batch used (spec §4.2): row ← row·(1 − lr·wd) − lr·sign(Σ gradients of its seats);
 * other rows stay as they are. `rows` [ids, size], `gradients` [B, size], `ids` [B].
 */
export function signSgdStep(rows: Float32Array, gradients: Float32Array, ids: Int32Array, learningRate: number, weightDecay: number): void {
  const size = gradients.length / ids.length;
  const sums = new Map<number, Float64Array>();
  ids.forEach((id, seat) => {
    const sum = sums.get(id) ?? new Float64Array(size);
    for (let i = 0; i < size; i++) sum[i]! += gradients[seat * size + i]!;
    sums.set(id, sum);
  });
  for (const [id, sum] of sums) {
    for (let i = 0; i < size; i++) {
      const at = id * size + i;
      rows[at] = rows[at]! * (1 - learningRate * weightDecay) - learningRate * Math.sign(sum[i]!);
    }
  }
}
