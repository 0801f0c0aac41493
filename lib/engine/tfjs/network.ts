/**
 * The network of a TRM, op by op (spec §1.3–§1.10).
 * Shapes: B seats, L cells, P prefix tokens, S = P + L, D hidden size, V vocabulary, H heads of d = D/H.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { innerSize, positionsOf, rotaryBase, type ModelConfig } from '../../model/config.js';
import type { NetId } from '../../model/calls.js';
import { netPath } from '../../model/parameters.js';

/** A model's weights, each by its name (model/parameters.ts). */
export type WeightOf = (name: string) => Tensor;

const normEpsilon = 1e-5;

/**
 * x = √D · (puzzle prefix ++ token embeddings), mixed with learned positions where there are some (§1.3). → [B, S, D]
 */
export function embed(
  config: ModelConfig,
  weights: WeightOf,
  oneHotTokens: Tensor2D,
  puzzleRows: Tensor2D | undefined,
): Tensor3D {
  const { hiddenSize: D, sequenceLength: L, puzzlePrefix: P } = config;
  const B = oneHotTokens.shape[0] / L;
  const rows = tf.matMul(oneHotTokens, weights('embed_tokens.embedding_weight') as Tensor2D); // [B·L, D]
  let x = rows.reshape([B, L, D]) as Tensor3D; // [B, L, D]
  if (puzzleRows !== undefined) {
    const row = tf
      .pad(puzzleRows, [
        [0, 0],
        [0, P * D - puzzleRows.shape[1]],
      ])
      .reshape([B, P, D]); // zeros behind the embedding
    x = tf.concat([row as Tensor3D, x], 1); // [B, S, D]
  }
  if (config.positions === 'learned') x = x.add<Tensor3D>(weights('embed_pos.embedding_weight')).mul(Math.SQRT1_2);
  return x.mul(Math.sqrt(D));
}

/** One call of a network: its layers in turn. [B, S, D] → [B, S, D] */
export function callNet(
  config: ModelConfig,
  weights: WeightOf,
  net: NetId,
  h: Tensor3D,
  rotary: Rotary | undefined,
): Tensor3D {
  for (let layer = 0; layer < config.layers; layer++) {
    const at = layerPath(net, layer);
    h = mixPositions(config, weights, at, h, rotary);
    h = rmsNorm(h.add(swiglu(weights, `${at}.mlp`, h, innerSize(config, config.hiddenSize)))); // h ← rms(h + SwiGLU(h))
  }
  return h;
}

/** The prefix of the names of a layer's weights. */
export function layerPath(net: NetId, layer: number): string {
  return `${netPath(net)}.layers.${layer}`;
}

/** The first half of a layer: TRM-MLP's token mixing, or h ← rms(h + attention(h)). */
export function mixPositions(
  config: ModelConfig,
  weights: WeightOf,
  at: string,
  h: Tensor3D,
  rotary: Rotary | undefined,
): Tensor3D {
  return config.mixer === 'mlp'
    ? mixTokens(config, weights, `${at}.mlp_t`, h)
    : rmsNorm(h.add(attention(config, weights, `${at}.self_attn`, h, rotary)));
}

/** TRM-MLP: u = hᵀ; u ← rms(u + SwiGLU(u)). The norm runs over the sequence, channel by channel (§1.9). */
function mixTokens(config: ModelConfig, weights: WeightOf, name: string, h: Tensor3D): Tensor3D {
  const u = tf.transpose(h, [0, 2, 1]); // [B, D, S]
  return tf.transpose(rmsNorm(u.add(swiglu(weights, name, u, innerSize(config, positionsOf(config))))), [0, 2, 1]);
}

/** W_down · (silu(W_gate · x) ∘ (W_up · x)) (§1.7). [B, R, width] → [B, R, width] */
function swiglu(weights: WeightOf, name: string, x: Tensor3D, inner: number): Tensor3D {
  const both = linear(x, weights(`${name}.gate_up_proj.weight`)); // [B, R, 2·inner]
  const [gate, up] = tf.split(both, [inner, inner], 2) as [Tensor3D, Tensor3D];
  return linear(gate.mul<Tensor3D>(tf.sigmoid(gate)).mul(up), weights(`${name}.down_proj.weight`));
}

/** softmax(q kᵀ / √d) v, all heads at once, no mask (§1.6). [B, S, D] → [B, S, D] */
function attention(
  config: ModelConfig,
  weights: WeightOf,
  name: string,
  h: Tensor3D,
  rotary: Rotary | undefined,
): Tensor3D {
  const { heads: H, hiddenSize: D } = config;
  const [B, S] = h.shape;
  const d = D / H;
  // Rows of the weight: Q, K, V, each by head.
  const qkv = linear(h, weights(`${name}.qkv_proj.weight`)).reshape([B, S, 3, H, d]);
  const [q, k, v] = tf.unstack(qkv, 2).map((part) => tf.transpose(part as Tensor4D, [0, 2, 1, 3])) as [
    Tensor4D,
    Tensor4D,
    Tensor4D,
  ]; // [B, H, S, d]
  const scores = tf.matMul(rotate(q, rotary), rotate(k, rotary), false, true).mul(1 / Math.sqrt(d)); // [B, H, S, S]
  const mixed = tf.matMul(tf.softmax(scores as Tensor4D), v); // [B, H, S, d]
  return linear(tf.transpose(mixed, [0, 2, 1, 3]).reshape([B, S, D]) as Tensor3D, weights(`${name}.o_proj.weight`));
}

/** Cosines and sines of position · 10000^(−2j/d), [S, d], both halves alike (§1.5). */
export interface Rotary {
  readonly cos: Tensor2D;
  readonly sin: Tensor2D;
}

/** The rotary tables of a model, or undefined if it has none. The caller disposes of them. */
export function rotaryTables(config: ModelConfig): Rotary | undefined {
  if (config.positions !== 'rotary') return undefined;
  const S = positionsOf(config);
  const d = config.hiddenSize / config.heads;
  const angle = (i: number): number =>
    Math.fround(Math.floor(i / d) * Math.fround(rotaryBase ** (-(2 * (i % (d / 2))) / d)));
  const angles = Float32Array.from({ length: S * d }, (_, i) => angle(i));
  return { cos: tf.tensor2d(angles.map(Math.cos), [S, d]), sin: tf.tensor2d(angles.map(Math.sin), [S, d]) };
}

/** q ∘ cos + rot(q) ∘ sin, rot([a, b]) = [−b, a] on halves (§1.5). [B, H, S, d] */
function rotate(q: Tensor4D, rotary: Rotary | undefined): Tensor4D {
  if (rotary === undefined) return q;
  const half = q.shape[3] / 2;
  const [a, b] = tf.split(q, [half, half], 3) as [Tensor4D, Tensor4D];
  return q.mul<Tensor4D>(rotary.cos).add(tf.concat([tf.neg(b), a], 3).mul(rotary.sin));
}

/** x / √(mean of x² over the last axis + ε), without weights (§1.8). */
export function rmsNorm(x: Tensor3D): Tensor3D {
  return x.mul(tf.rsqrt(tf.mean(tf.square(x), -1, true).add(normEpsilon)));
}

/** x Wᵀ, rows of all seats at once; W is [out, in] as the reference keeps it. */
export function linear(x: Tensor3D, weight: Tensor): Tensor3D {
  const [B, R, width] = x.shape;
  return tf.matMul(x.reshape([B * R, width]) as Tensor2D, weight as Tensor2D, false, true).reshape([B, R, -1]);
}

/** Logits of every cell from the answer latent without its prefix (§1.11). [B, S, D] → [B, L, V] */
export function answerHead(config: ModelConfig, weights: WeightOf, y: Tensor3D): Tensor3D {
  const { puzzlePrefix: P, sequenceLength: L, hiddenSize: D } = config;
  return linear(tf.slice(y, [0, P, 0], [y.shape[0], L, D]), weights('lm_head.weight'));
}

/** Halt and continue logits from position 0 of the answer latent (§1.11). [B, S, D] → [B, 2] */
export function haltingHead(config: ModelConfig, weights: WeightOf, y: Tensor3D): Tensor2D {
  const B = y.shape[0];
  const first = tf.slice(y, [0, 0, 0], [B, 1, config.hiddenSize]).reshape([B, config.hiddenSize]);
  return tf.matMul(first as Tensor2D, weights('q_head.weight') as Tensor2D, false, true).add(weights('q_head.bias'));
}
