/** Your own block in place of the kit's network: its inputs, and how it is called. */
// The types of h.add(…) and other chained ops, for programs and notebooks that define a block.
/// <reference types="@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js" preserve="true" />
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import type { NetId } from '../../model/calls.js';
import type { ModelConfig } from '../../model/config.js';
import { InputError } from '../../errors.js';
import { callNet, layerPath, linear, mixPositions, rmsNorm, type Rotary, type WeightOf } from './network.js';

/**
 * Replaces the kit's network: [B, S, D] in, [B, S, D] float32 out. It runs for every call of the schedule, on the
 * gradient tape or off it, so it must have no state, and every op that leads to its result must have a gradient.
 * Weights that it does not read change by weight decay only.
 * The engine throws InputError for a result of another shape or type, NotFiniteError for losses or gradients that are
 * not finite; TensorFlow.js throws Error for an op without gradient. What the block throws reaches the caller.
 */
export type Block = (h: Tensor3D, parts: BlockParts) => Tensor;

/** The parts for a block. R: rows, S or D; weights are [out, in]. */
export interface BlockParts {
  /** The engine's copy of TensorFlow.js. */
  readonly tf: typeof tf;
  readonly config: ModelConfig;
  /** Which of the model's networks is called. */
  readonly net: NetId;
  /** The layers, first to last, each as the prefix of its weights' names: "….layers.0". */
  readonly layers: readonly string[];
  /** Weights by their names: `${layer}.mlp.gate_up_proj.weight` [2·inner, D], `${layer}.mlp.down_proj.weight`. */
  readonly weights: WeightOf;
  /** The kit's own block. [B, S, D] → [B, S, D] */
  readonly original: (h: Tensor) => Tensor3D;
  /** A layer's first half: mixing of positions or attention, with its residual and norm. [B, S, D] → [B, S, D] */
  readonly mix: (layer: string, h: Tensor) => Tensor3D;
  /** x Wᵀ over the last axis. [B, R, in] → [B, R, out] */
  readonly linear: (x: Tensor, weight: Tensor) => Tensor3D;
  /** x over its root mean square along the last axis. [B, R, width] → [B, R, width] */
  readonly rmsNorm: (x: Tensor) => Tensor3D;
}

/** Calls a user's block. Throws InputError if its result has another shape or type than its input. */
export function callBlock(
  block: Block,
  config: ModelConfig,
  weights: WeightOf,
  net: NetId,
  h: Tensor3D,
  rotary: Rotary | undefined,
): Tensor3D {
  const result: unknown = block(h, {
    tf,
    config,
    net,
    layers: Array.from({ length: config.layers }, (_, layer) => layerPath(net, layer)),
    weights,
    // Blocks may pass a Tensor of unknown rank, the type that ops such as split return; the result is checked below.
    original: (input) => callNet(config, weights, net, input as Tensor3D, rotary),
    mix: (layer, input) => mixPositions(config, weights, layer, input as Tensor3D, rotary),
    linear: (x, weight) => linear(x as Tensor3D, weight),
    rmsNorm: (x) => rmsNorm(x as Tensor3D),
  });
  const got =
    result instanceof tf.Tensor ? `${result.dtype} [${result.shape.join(', ')}]` : `no tensor (${typeof result})`;
  const expected = `float32 [${h.shape.join(', ')}]`;
  if (got !== expected)
    throw new InputError(`block: expected ${expected}, the shape of its input, got ${got}; return such a tensor`);
  return result as Tensor3D;
}
