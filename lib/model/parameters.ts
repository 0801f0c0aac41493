/** The tensors of a model, each with its name in the reference's checkpoints, shape, role and start value. */
import type { Random } from '../random.js';
import type { LatentId, NetId } from './calls.js';
import { innerSize, positionsOf, type ModelConfig } from './config.js';
import { buildSchedule } from './schedule.js';

/** A dense float32 tensor, row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * Tensors by their reference names, e.g. `L_level.layers.0.mlp.down_proj.weight` (spec §8.2,
 * prefix `model.inner.` stripped).
 */
export type TensorMap = ReadonlyMap<string, Tensor>;

/**
 * trained: optimizer and EMA. buffer: saved, never trained (the latents' start values).
 * puzzle-table: one row per puzzle, trained by SignSGD without EMA (spec §4.2, §4.4).
 */
export type Role = 'trained' | 'buffer' | 'puzzle-table';

/** The specification of one tensor of a model. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: Role;
  /** Start value: truncated normal of this standard deviation, or a constant (spec §1.2). */
  readonly init: { readonly std: number } | { readonly constant: number };
}

/** With this start value, no puzzle halts before the model has learned to halt: sigmoid(−5) = 0.0067 (spec §1.2). */
const defaultHaltingBias = -5;

/** All tensors of a configuration, in the order of the reference's state dict. */
export function parameterSpecs(config: ModelConfig): ParameterSpec[] {
  const schedule = buildSchedule(config); // throws for an invalid configuration
  const { hiddenSize: D, vocabSize: V, puzzleEmbeddingSize } = config;
  const S = positionsOf(config);
  const specs: ParameterSpec[] = [];
  const add = (name: string, shape: readonly number[], init: ParameterSpec['init'], role: Role = 'trained'): void => {
    specs.push({ name, shape, role, init });
  };
  /** A bias-free Linear [out, in]: LeCun, 1/√in. */
  const linear = (name: string, outSize: number, inSize: number): void =>
    add(`${name}.weight`, [outSize, inSize], { std: 1 / Math.sqrt(inSize) });
  const swiglu = (name: string, width: number): void => {
    const inner = innerSize(config, width);
    linear(`${name}.gate_up_proj`, 2 * inner, width); // rows: gate, then up
    linear(`${name}.down_proj`, width, inner);
  };

  for (const latent of schedule.latents) add(latentInitName(latent), [D], { std: 1 }, 'buffer');
  add('embed_tokens.embedding_weight', [V, D], { std: 1 / Math.sqrt(D) });
  linear('lm_head', V, D);
  add('q_head.weight', [2, D], { constant: 0 }); // row 0 halt, row 1 continue
  add('q_head.bias', [2], { constant: config.haltingBias ?? defaultHaltingBias });
  if (puzzleEmbeddingSize > 0)
    add('puzzle_emb.weights', [config.puzzleIds, puzzleEmbeddingSize], { constant: 0 }, 'puzzle-table');
  if (config.positions === 'learned') add('embed_pos.embedding_weight', [S, D], { std: 1 / Math.sqrt(D) });
  for (const net of schedule.nets) {
    for (let layer = 0; layer < config.layers; layer++) {
      const at = `${netPath(net)}.layers.${layer}`;
      if (config.mixer === 'mlp') {
        swiglu(`${at}.mlp_t`, S);
      } else {
        linear(`${at}.self_attn.qkv_proj`, 3 * D, D); // rows: Q of all heads, K, V
        linear(`${at}.self_attn.o_proj`, D, D);
      }
      swiglu(`${at}.mlp`, D);
    }
  }
  return specs;
}

/** The prefix of the names of a network's tensors, as in the reference's checkpoints (spec §8.2). */
export function netPath(net: NetId): string {
  return net === 'fH' ? 'H_level' : 'L_level';
}

/** The name of the buffer that holds a latent's start value. */
export function latentInitName(latent: LatentId): string {
  return latent === 'y' ? 'H_init' : latent === 'z' ? 'L_init' : `L${latent.slice(1)}_init`;
}

/** Whether a tensor is a matrix inside a network. The others are embeddings, heads and start values. */
export function isNetworkMatrix(name: string): boolean {
  return name.includes('.layers.');
}

/** Number of values in a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/**
 * Trainable parameters as the paper counts them: without the puzzle table and the latents' start values (spec §1.13).
 */
export function parameterCount(config: ModelConfig): number {
  return parameterSpecs(config)
    .filter(({ role }) => role === 'trained')
    .reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/**
 * Start values of every tensor (spec §1.2). Each tensor draws from its own stream, named after it,
 * so that two variants with one seed start from the same values wherever their shapes agree.
 */
export function initialParameters(config: ModelConfig, random: Random): TensorMap {
  const tensors = new Map<string, Tensor>();
  for (const { name, shape, init } of parameterSpecs(config)) {
    const data = new Float32Array(sizeOf(shape));
    if ('constant' in init) {
      data.fill(init.constant);
    } else {
      const stream = random.fork(name);
      for (let i = 0; i < data.length; i++) data[i] = stream.truncatedNormal(init.std);
    }
    tensors.set(name, { shape, data });
  }
  return tensors;
}
