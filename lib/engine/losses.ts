/** The losses of a supervision step and their gradients in closed form, in double precision (spec §3). */
import { ignoredLabel } from '../data/example.js';
import type { TrainRequest } from './engine.js';

/** Stablemax's s(x): x + 1 from 0 up, 1 / (1 − x) below (spec §3.1). */
export function stablemax(x: number): number {
  return x >= 0 ? x + 1 : 1 / (1 - x);
}

/** Losses of B seats and the gradient of their weighted sum with respect to the logits. */
export interface StepLosses {
  /** Mean cross-entropy over each seat's scored cells, [B]. */
  readonly answerLoss: Float64Array;
  /** Binary cross-entropies, [B]. */
  readonly haltLoss: Float64Array;
  readonly continueLoss: Float64Array;
  /** Gradient of Σ (answer + ½(halt + continue)) / total, [B, L, V] and [B, 2] (halt, continue). */
  readonly logitsGradient: Float32Array;
  readonly haltingGradient: Float32Array;
}

/** The inputs of the losses. */
export interface LossInput {
  readonly logits: Float32Array; // [B, L, V]
  readonly labels: Int32Array; // [B, L]
  readonly predictions: Int32Array; // [B, L]
  readonly haltingLogits: Float32Array; // [B, 2]
  /** Targets of the continue logit, [B]; absent where it is not trained. */
  readonly continueTargets?: Float32Array;
  readonly loss: TrainRequest['loss'];
  /** Seats of the whole batch, by which the sum is divided even if these are only a part of it. */
  readonly total: number;
}

/** All losses of a step (spec §3.2): per seat the mean over scored cells, halting weighted by ½. */
export function stepLosses({
  logits,
  labels,
  predictions,
  haltingLogits,
  continueTargets,
  loss,
  total,
}: LossInput): StepLosses {
  const B = haltingLogits.length / 2;
  const L = labels.length / B;
  const V = logits.length / labels.length;
  const answerLoss = new Float64Array(B);
  const haltLoss = new Float64Array(B);
  const continueLoss = new Float64Array(B);
  const logitsGradient = new Float32Array(logits.length);
  const haltingGradient = new Float32Array(haltingLogits.length);
  const cellLoss = loss === 'stablemax' ? stablemaxCrossEntropy : softmaxCrossEntropy;

  for (let b = 0; b < B; b++) {
    let scored = 0;
    let right = 0;
    for (let i = b * L; i < (b + 1) * L; i++) {
      if (labels[i] === ignoredLabel) continue;
      scored++;
      if (labels[i] === predictions[i]) right++;
    }
    const weight = 1 / Math.max(scored, 1);
    for (let i = b * L; i < (b + 1) * L; i++) {
      const label = labels[i]!;
      if (label === ignoredLabel) continue;
      const [at, end] = [i * V, (i + 1) * V];
      answerLoss[b]! +=
        weight * cellLoss(logits.subarray(at, end), label, logitsGradient.subarray(at, end), weight / total);
    }
    const halt = binaryCrossEntropy(haltingLogits[2 * b]!, right === scored ? 1 : 0);
    haltLoss[b] = halt.loss;
    haltingGradient[2 * b] = (0.5 * halt.gradient) / total;
    if (continueTargets !== undefined) {
      const continuation = binaryCrossEntropy(haltingLogits[2 * b + 1]!, continueTargets[b]!);
      continueLoss[b] = continuation.loss;
      haltingGradient[2 * b + 1] = (0.5 * continuation.gradient) / total;
    }
  }
  return { answerLoss, haltLoss, continueLoss, logitsGradient, haltingGradient };
}

/**
 * −log p_k with p_i = s(x_i) / Σ s(x_j); writes scale · ∂/∂x_i = scale · s'(x_i) (1/Σ − [i = k]/s(x_k)),
 * s' = 1 from 0 up, s² below. The closed form matters: autodiff of the two branches is NaN at exactly
 * x = 1 in float32 (spec §3.1).
 */
export function stablemaxCrossEntropy(x: Float32Array, k: number, gradient: Float32Array, scale: number): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += stablemax(x[i]!);
  const sk = stablemax(x[k]!);
  for (let i = 0; i < x.length; i++) {
    const slope = x[i]! >= 0 ? 1 : stablemax(x[i]!) ** 2;
    gradient[i] = scale * slope * (1 / sum - (i === k ? 1 / sk : 0));
  }
  return Math.log(sum) - Math.log(sk);
}

/** −log softmax(x)_k; writes scale · (softmax(x) − [i = k]). */
export function softmaxCrossEntropy(x: Float32Array, k: number, gradient: Float32Array, scale: number): number {
  const most = x.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.exp(x[i]! - most);
  for (let i = 0; i < x.length; i++) gradient[i] = scale * (Math.exp(x[i]! - most) / sum - (i === k ? 1 : 0));
  return Math.log(sum) - (x[k]! - most);
}

/** max(q, 0) − q·t + log(1 + e^−|q|), and its derivative sigmoid(q) − t. */
export function binaryCrossEntropy(q: number, t: number): { readonly loss: number; readonly gradient: number } {
  return { loss: Math.max(q, 0) - q * t + Math.log1p(Math.exp(-Math.abs(q))), gradient: sigmoid(q) - t };
}

/** 1 / (1 + e^−q). */
export function sigmoid(q: number): number {
  return 1 / (1 + Math.exp(-q));
}

/** The likeliest token of every cell, the lowest id on a tie; [cells, V] → [cells]. No logit may be NaN. */
export function argmax(logits: Float32Array, vocabSize: number): Int32Array {
  const predictions = new Int32Array(logits.length / vocabSize);
  for (let cell = 0; cell < predictions.length; cell++) {
    let best = 0;
    for (let token = 1; token < vocabSize; token++)
      if (logits[cell * vocabSize + token]! > logits[cell * vocabSize + best]!) best = token;
    predictions[cell] = best;
  }
  return predictions;
}
