/** Describes a model and its cost before training: schedule, counts, arithmetic and memory. */
import { between, checkFields, optional, whole, type Fields } from '../fields.js';
import { checkConfig, innerSize, positionsOf, type ModelConfig } from './config.js';
import { parameterCount, parameterSpecs, sizeOf, type ParameterSpec } from './parameters.js';
import { buildSchedule, effectiveDepth, forwardPasses } from './schedule.js';
import { scheduleText } from './schedule-text.js';

/** The training whose cost is computed; all fields are optional. */
export interface CostOptions {
  /** B, puzzles in one training step. Default 768, the paper's. */
  readonly batchSize?: number;
  /** Training steps. Default 65,104, the paper's Sudoku run. */
  readonly steps?: number;
  /** Effective GFLOP/s of the machine; without it, no hours are given. */
  readonly gflops?: number;
}

const costFields: Fields<CostOptions> = {
  batchSize: optional(whole(1)),
  steps: optional(whole(1)),
  gflops: optional(between(0.001, 1e9)),
};

/** A model in numbers. FLOP count 2 per multiply-add of the networks; embedding and heads add well under 1 %. */
export interface ModelDescription {
  readonly config: ModelConfig;
  /** The calls of one supervision step, as scheduleText writes them. */
  readonly schedule: string;
  /** Network calls of one supervision step, and those that carry gradient. */
  readonly calls: number;
  readonly gradientCalls: number;
  /** Sequential layers in a supervision step (the paper's depth). */
  readonly depth: number;
  /** Forward passes per training step (the paper's NFP). */
  readonly forwardPasses: number;
  /** Trainable parameters as the paper counts them. */
  readonly parameters: number;
  readonly tensors: readonly Pick<ParameterSpec, 'name' | 'shape' | 'role'>[];
  /** Multiply-adds of one call of a network for one puzzle. */
  readonly multiplyAddsPerCall: number;
  /** FLOP of one supervision step of one puzzle, without training. */
  readonly flopPerThought: number;
  readonly batchSize: number;
  /** FLOP of one training step of the batch: all calls forward, plus twice as much for each call with gradient. */
  readonly flopPerTrainingStep: number;
  /** Bytes of parameters, gradient, two moments and average, in float32; the puzzle table counts once. */
  readonly weightBytes: number;
  /** Bytes that a framework keeps for the batch's backward pass, in float32; a fused engine keeps far less. */
  readonly activationBytes: number;
  readonly steps: number;
  /** Hours for all steps, where gflops was given. */
  readonly hours?: number;
}

/** Describes a configuration (spec §1.13, §1.14). Throws InputError if it or an option is impossible. */
export function describe(candidate: ModelConfig, options: CostOptions = {}): ModelDescription {
  const config = checkConfig(candidate);
  const { batchSize = 768, steps = 65_104, gflops } = checkFields('description', options, costFields);
  const schedule = buildSchedule(config);
  const { calls } = schedule;
  const specs = parameterSpecs(config);
  const gradientCalls = calls.filter(({ gradient }) => gradient).length;
  const multiplyAddsPerCall = config.layers * layerCost(config).multiplyAdds;
  const flopPerThought = 2 * multiplyAddsPerCall * calls.length;
  // A backward call costs as much as two forward calls.
  const callEquivalents = calls.length * forwardPasses(config) + 2 * gradientCalls;
  const flopPerTrainingStep = 2 * multiplyAddsPerCall * callEquivalents * batchSize;
  const stored = specs.map(({ role, shape }) => sizeOf(shape) * (role === 'trained' ? 5 : 1));
  return {
    config,
    schedule: scheduleText(schedule),
    calls: calls.length,
    gradientCalls,
    depth: effectiveDepth(config),
    forwardPasses: forwardPasses(config),
    parameters: parameterCount(config),
    tensors: specs.map(({ name, shape, role }) => ({ name, shape, role })),
    multiplyAddsPerCall,
    flopPerThought,
    batchSize,
    flopPerTrainingStep,
    weightBytes: 4 * stored.reduce((sum, size) => sum + size, 0),
    activationBytes: 4 * batchSize * gradientCalls * config.layers * layerCost(config).keptValues,
    steps,
    ...(gflops === undefined ? {} : { hours: (flopPerTrainingStep * steps) / (gflops * 1e9) / 3600 }),
  };
}

/** The description as text for a terminal. */
export function describeText(config: ModelConfig, options: CostOptions = {}): string {
  const model = describe(config, options);
  const { recursion, mixer, layers, hiddenSize, vocabSize, sequenceLength, puzzlePrefix } = config;
  const lines = [
    `${recursion}, ${mixer}, ${layers} layers × ${hiddenSize}, ` +
      `${puzzlePrefix} + ${sequenceLength} positions, ${vocabSize} tokens`,
    '',
    'one supervision step (x puzzle, y answer, z latent)',
    model.schedule,
    '',
    `parameters       ${model.parameters.toLocaleString('en')} trainable`,
    `depth            ${model.depth} layers a supervision step; ` +
      `${model.calls} calls, ${model.gradientCalls} with gradient`,
    `forward passes   ${model.forwardPasses} a training step`,
    `one call         ${prefixed(model.multiplyAddsPerCall)} multiply-adds a puzzle`,
    `training step    ${prefixed(model.flopPerTrainingStep)}FLOP at batch ${model.batchSize}`,
    `memory           ${prefixed(model.weightBytes)}B for weights and optimizer; ` +
      `${prefixed(model.activationBytes)}B of activations if a framework keeps them all`,
  ];
  if (model.hours !== undefined)
    lines.push(
      `training         ${model.steps.toLocaleString('en')} steps, ` +
        `${hoursText(model.hours)} at ${String(options.gflops)} GFLOP/s`,
    );
  lines.push(
    '',
    'tensors',
    ...model.tensors.map(({ name, shape, role }) =>
      `  ${name.padEnd(46)} ${`[${shape.join(', ')}]`.padEnd(14)}${role === 'trained' ? '' : ` ${role}`}`.trimEnd(),
    ),
  );
  return lines.join('\n');
}

/** Cost of one layer for one puzzle (spec §1.6–1.9). */
function layerCost(config: ModelConfig): { readonly multiplyAdds: number; readonly keptValues: number } {
  const { hiddenSize: D, heads, mixer } = config;
  const S = positionsOf(config);
  // SwiGLU of `rows` vectors of `width`: gate and up, then down.
  // Kept: gate, up, their product, the sum with the input, and its norm.
  const swiglu = (rows: number, width: number): readonly [number, number] => [
    rows * width * 3 * innerSize(config, width),
    rows * (3 * innerSize(config, width) + 2 * width),
  ];
  // Attention: QKV and output projections, scores, weighted values. Kept: QKV, weights, values, the sum and its norm.
  const attention: readonly [number, number] = [4 * S * D * D + 2 * S * S * D, S * 3 * D + heads * S * S + 3 * S * D];
  const [mixing, mixingKept] = mixer === 'mlp' ? swiglu(D, S) : attention;
  const [width, widthKept] = swiglu(S, D);
  return { multiplyAdds: mixing + width, keptValues: mixingKept + widthKept };
}

/** "32.8 T", "610 M": three significant digits and a unit prefix. */
export function prefixed(value: number): string {
  const power = Math.min(6, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${Number((value / 1000 ** power).toPrecision(3))} ${['', 'k', 'M', 'G', 'T', 'P', 'E'][power]}`;
}

/** Hours as text; below an hour as minutes, from two days on with the number of days. */
export function hoursText(hours: number): string {
  if (hours < 1) return `${Number((60 * hours).toPrecision(2))} minutes`;
  return hours < 48
    ? `${Number(hours.toPrecision(2))} hours`
    : `${Math.round(hours).toLocaleString('en')} hours (${Math.round(hours / 24).toLocaleString('en')} days)`;
}
