/** A model's configuration: the options that fix its schedule, shapes and halting rule, and their checks. */
import { between, checkFields, flag, frozen, oneOf, optional, text, whole, type Fields } from '../fields.js';
import { readSchedule } from './own-schedule.js';

/** Base of the rotary position frequencies, as in the published code. */
export const rotaryBase = 10_000;

/** The kind of schedule that a supervision step runs; schedule.ts lists each one's calls. */
export type Recursion = 'trm' | 'single-z' | 'multi-z' | 'hrm' | 'direct';

/**
 * A model as plain data. Symbols: B batch, L tokens of the puzzle, P prefix tokens, S = P + L, D hidden size,
 * V vocabulary. Every variant of the paper's tables is a set of values of these fields; none has code of its own.
 */
export interface ModelConfig {
  /**
   * The recursion: TRM (two latents), single z, multi-scale z (Table 2), HRM,
   * or a plain transformer called once.
   */
  readonly recursion: Recursion;
  /** T, deep recursions per supervision step (H_cycles). 1 or more. Paper: 3. */
  readonly deepRecursions: number;
  /** n, latent recursions per deep recursion (L_cycles). 1 or more. Paper: 6. */
  readonly latentRecursions: number;
  /** Number of z latents: 1, or for multi-z the paper's 7 or the published code's 6. */
  readonly latentCount: number;
  /** Two networks, f_L for z and f_H for y (Table 1), instead of one. HRM needs true. */
  readonly separateNets: boolean;
  /**
   * Gradient through the whole last deep recursion (the paper),
   * or only through the last z and y update (Table 1, HRM).
   */
  readonly gradient: 'last-recursion' | 'one-step';

  /** How tokens mix: an MLP over the sequence (TRM-MLP) or self-attention (TRM-Att). */
  readonly mixer: 'mlp' | 'attention';
  /**
   * Position information: none, rotary (attention only) or a learned table added to the embedding. Without any,
   * attention cannot distinguish cells.
   */
  readonly positions: 'none' | 'rotary' | 'learned';
  /** Layers of each network. Paper: 2. */
  readonly layers: number;
  /** D, the length of the vector at every position. Paper: 512. */
  readonly hiddenSize: number;
  /** Attention heads; must divide hiddenSize into even head sizes. Paper: 8. */
  readonly heads: number;
  /** SwiGLU expansion; the inner size is round(expansion·width·2/3) rounded up to innerMultiple. Paper: 4. */
  readonly expansion: number;
  /** The SwiGLU inner size is rounded up to a multiple of this. Reference: 256. Small models: 32. */
  readonly innerMultiple: number;

  /** V, token ids 0 … V−1 (0 is padding). */
  readonly vocabSize: number;
  /** L, tokens of one puzzle. */
  readonly sequenceLength: number;
  /**
   * P, positions in front of the puzzle. The first ones hold the puzzle embedding;
   * position 0 feeds the halting head. Reference TRM: 16; HRM: 1.
   */
  readonly puzzlePrefix: number;
  /** Size of one puzzle embedding, at most P·D; 0 for none (then P must be 0). Reference: D. */
  readonly puzzleEmbeddingSize: number;
  /** Rows of the puzzle embedding table, including the blank id 0. */
  readonly puzzleIds: number;

  /** N_sup, supervision steps (halt_max_steps). Paper: 16. */
  readonly supervisionSteps: number;
  /** Probability of drawing a random minimum number of steps, to explore past an early halt. Paper: 0.1. */
  readonly explorationProbability: number;
  /**
   * When a puzzle halts in training, by its logits. halt: halt > 0 (TRM).
   * halt-or-continue: halt > continue, with continue learned by a second forward pass (HRM, "w/ ACT").
   * halt-over-continue: halt > continue, with continue never learned (the published direct-prediction baseline).
   */
  readonly halting: 'halt' | 'halt-or-continue' | 'halt-over-continue';

  /**
   * Your own schedule, in the form that own-schedule.ts reads, in place of the recursion's;
   * T, n and gradient then have no effect. Absent: none.
   */
  readonly schedule?: string;
  /**
   * Initial value of both halting biases, −20 to 20.
   * Absent: the paper's −5, so that no puzzle halts before the head has learned when to.
   */
  readonly haltingBias?: number;
}

/** The published TRM-MLP for 9×9 Sudoku: 5,028,866 trainable parameters (spec §1.13). */
export const paperConfig: ModelConfig = frozen({
  recursion: 'trm',
  deepRecursions: 3,
  latentRecursions: 6,
  latentCount: 1,
  separateNets: false,
  gradient: 'last-recursion',
  mixer: 'mlp',
  positions: 'none',
  layers: 2,
  hiddenSize: 512,
  heads: 8,
  expansion: 4,
  innerMultiple: 256,
  vocabSize: 11,
  sequenceLength: 81,
  puzzlePrefix: 16,
  puzzleEmbeddingSize: 512,
  puzzleIds: 1,
  supervisionSteps: 16,
  explorationProbability: 0.1,
  halting: 'halt',
});

/** The check of each field; upper bounds of whole numbers only prevent absurd allocations. */
export const modelFields: Fields<ModelConfig> = {
  recursion: oneOf('trm', 'single-z', 'multi-z', 'hrm', 'direct'),
  deepRecursions: whole(1, 64),
  latentRecursions: whole(1, 64),
  latentCount: whole(1, 64),
  separateNets: flag,
  gradient: oneOf('last-recursion', 'one-step'),
  mixer: oneOf('mlp', 'attention'),
  positions: oneOf('none', 'rotary', 'learned'),
  layers: whole(1, 64),
  hiddenSize: whole(2, 8192),
  heads: whole(1, 128),
  expansion: (value) =>
    typeof value === 'number' && value > 0 && value <= 64 ? undefined : 'a number above 0, at most 64',
  innerMultiple: whole(1, 4096),
  vocabSize: whole(2, 65_536),
  sequenceLength: whole(1, 16_384),
  puzzlePrefix: whole(0, 1024),
  puzzleEmbeddingSize: whole(0, 8192),
  puzzleIds: whole(1, 4_000_000),
  supervisionSteps: whole(1, 1024),
  explorationProbability: between(0, 1),
  halting: oneOf('halt', 'halt-or-continue', 'halt-over-continue'),
  schedule: optional(text),
  haltingBias: optional(between(-20, 20)),
};

/**
 * Checks a configuration from any source and returns it typed.
 * Throws InputError naming every unknown, missing or impossible field.
 */
export function checkConfig(candidate: unknown): ModelConfig {
  return checkFields('model configuration', candidate, modelFields, contradictions);
}

/** Problems of fields that are valid one by one but not together. */
function contradictions(c: ModelConfig): string[] {
  const problems: string[] = [];
  const width = c.mixer === 'mlp' ? Math.min(c.hiddenSize, positionsOf(c)) : c.hiddenSize; // an MLP mixes positions too
  if (innerSize(c, width) === 0)
    problems.push(
      `expansion: expected an inner size of 1 or more, got 0 (expansion · ${width} · 2/3, rounded; ${width} is ` +
        'hiddenSize, or with mixer mlp puzzlePrefix + sequenceLength if that is less)',
    );
  if (c.mixer === 'attention' && (c.hiddenSize % c.heads !== 0 || (c.hiddenSize / c.heads) % 2 !== 0)) {
    problems.push(`heads: expected hiddenSize / heads to be an even whole number, got ${c.hiddenSize} / ${c.heads}`);
  }
  if (c.mixer === 'mlp' && c.positions === 'rotary')
    problems.push('positions: rotary needs the attention mixer; use none or learned with mlp');
  if (c.puzzleEmbeddingSize > c.puzzlePrefix * c.hiddenSize) {
    problems.push(
      `puzzleEmbeddingSize: expected at most puzzlePrefix · hiddenSize = ${c.puzzlePrefix * c.hiddenSize}, ` +
        `got ${c.puzzleEmbeddingSize}`,
    );
  }
  if (c.puzzleEmbeddingSize === 0 && c.puzzlePrefix > 0)
    problems.push('puzzlePrefix: expected 0 when puzzleEmbeddingSize is 0');
  if (c.recursion !== 'multi-z' && c.latentCount !== 1)
    problems.push(`latentCount: expected 1 unless recursion is multi-z, got ${c.latentCount}`);
  if (c.recursion === 'multi-z' && c.latentRecursions > c.latentCount) {
    problems.push(
      `latentRecursions: expected at most latentCount = ${c.latentCount} for multi-z, got ${c.latentRecursions}`,
    );
  }
  if (c.recursion === 'hrm' && (!c.separateNets || c.gradient !== 'one-step'))
    problems.push("recursion hrm: expected separateNets true and gradient 'one-step'");
  if ((c.recursion === 'direct' || c.recursion === 'single-z') && c.separateNets)
    problems.push(`separateNets: expected false for recursion ${c.recursion}, which has one latent`);
  if (c.schedule !== undefined) {
    if (c.recursion !== 'trm' || c.separateNets)
      problems.push(
        'schedule: expected recursion trm without separateNets beside a schedule of your own, ' +
          'which says itself what is called',
      );
    readSchedule(c.schedule); // throws for an invalid one
  }
  return problems;
}

/** S = P + L, the positions every network sees. */
export function positionsOf(config: ModelConfig): number {
  return config.puzzlePrefix + config.sequenceLength;
}

/** The SwiGLU inner size for a given width: round(expansion·width·2/3), rounded up to innerMultiple (spec §1.7). */
export function innerSize(config: ModelConfig, width: number): number {
  return Math.ceil(Math.round((config.expansion * width * 2) / 3) / config.innerMultiple) * config.innerMultiple;
}
