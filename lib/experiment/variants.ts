/**
 * Every row of the paper's Tables 1 to 5 that is a model of its own or HRM's: what it changes,
 * what the paper reports for it, and what it tests.
 */
import { didYouMean, InputError, show } from '../errors.js';
import { checkValue, frozen, given, oneOf } from '../fields.js';
import { checkConfig, type ModelConfig } from '../model/config.js';
import type { TrainingOptions } from '../train/options.js';
import type { Task } from './task.js';

/**
 * What the paper prints in one row (spec §7). Accuracies are percent of puzzles solved;
 * null where it reports no result.
 */
export interface PaperRow {
  readonly table: 1 | 2 | 3 | 4 | 5;
  readonly label: string;
  /** Which reading of an ambiguous row of the paper this is. */
  readonly reading?: string;
  /** The paper's label states TRM's T and n; ours states those of the base. */
  readonly statesRecursions?: true;
  /** Table 3: one of the two models at one depth. HRM has n = k, TRM n = 2k. */
  readonly depthRow?: { readonly net: 'TRM' | 'HRM'; readonly k: number; readonly T: number };
  /** Sudoku-Extreme, in Tables 1 to 4. */
  readonly sudoku?: number | null;
  /** Maze-Hard, in Table 4. */
  readonly maze?: number;
  /** ARC-AGI-1 and -2, two tries, in Table 5. */
  readonly arc1?: number;
  readonly arc2?: number;
  /** Layers a supervision step, in Tables 1 and 3. */
  readonly depth?: number;
  /** Forward passes a training step, in Table 1. */
  readonly forwardPasses?: number;
  /** Millions of parameters, in Tables 1 and 4 (there for Sudoku). */
  readonly millions?: number;
  /** Where the paper's row is odd: inconsistent, quoted or without a result. */
  readonly footnote?: string;
}

/** One model of the paper, as its difference from the paper's TRM; one row for each table it is in. */
export interface Variant {
  /** For the command line and the records. */
  readonly id: string;
  readonly rows: readonly PaperRow[];
  readonly model: Partial<ModelConfig>;
  readonly training: Partial<TrainingOptions>;
  /**
   * Id of the row with the same training. If the base asks for raw weights, that row's runs are also scored with
   * theirs, and this row needs no runs.
   */
  readonly rawWeightsOf?: string;
  /** The question this row answers. */
  readonly tests: string;
  /** A decision about our configuration that the paper leaves open. */
  readonly note?: string;
}

/**
 * HRM as published: two networks of four attention layers, one prefix token, one-step gradient, its own halting,
 * no EMA (spec §6).
 */
const hrm: Partial<ModelConfig> = {
  recursion: 'hrm',
  deepRecursions: 2,
  latentRecursions: 2,
  separateNets: true,
  gradient: 'one-step',
  mixer: 'attention',
  positions: 'rotary',
  layers: 4,
  puzzlePrefix: 1,
  halting: 'halt-or-continue',
};
const withoutEma: Partial<TrainingOptions> = { emaRate: 0 };

const quoted = 'the paper quotes this number from the HRM paper';
const offByOne = "the paper's own formula, T(n+1) times the layers, gives one layer fewer";
const outOfMemory = "out of memory on the paper's GPU, so no result";

/**
 * Table 3: k and T with depth and accuracy of HRM (n = k, four layers) and of TRM (n = 2k, two layers);
 * null is out of memory.
 */
const table3: readonly (readonly [
  k: number,
  T: number,
  hrmDepth: number,
  hrmSudoku: number,
  trmDepth: number,
  trmSudoku: number | null,
])[] = [
  [1, 1, 9, 46.4, 7, 63.2],
  [2, 2, 24, 55.0, 20, 81.9],
  [3, 3, 48, 61.6, 42, 87.4],
  [4, 4, 80, 59.5, 72, 84.2],
  [6, 3, 84, 62.3, 78, null],
  [3, 6, 96, 58.8, 84, 85.8],
  [6, 6, 168, 57.5, 156, null],
];

/** Rows of Table 3 by "k,T". */
function table3Row(net: 'HRM' | 'TRM', k: number, T: number): PaperRow {
  const found = table3.find(([rowK, rowT]) => rowK === k && rowT === T);
  if (found === undefined) throw new RangeError(`Table 3 has no row k = ${k}, T = ${T}`);
  const [, , hrmDepth, hrmSudoku, trmDepth, trmSudoku] = found;
  const sudoku = net === 'HRM' ? hrmSudoku : trmSudoku;
  const footnote = k === 1 ? offByOne : sudoku === null ? outOfMemory : undefined;
  return {
    table: 3,
    label: `${net}, k = ${k}, T = ${T}`,
    depthRow: { net, k, T },
    sudoku,
    depth: net === 'HRM' ? hrmDepth : trmDepth,
    ...given({ footnote }),
  };
}

type Written = Omit<Variant, 'training'> & Partial<Pick<Variant, 'training'>>;
/** In the order of the tables. Training options that a row does not name are the base's. */
const written: readonly Written[] = [
  {
    id: 'hrm',
    rows: [
      { table: 1, label: 'HRM', sudoku: 55.0, depth: 24, forwardPasses: 2, millions: 27, footnote: quoted },
      table3Row('HRM', 2, 2),
      { table: 4, label: 'HRM', sudoku: 55.0, maze: 74.5, millions: 27, footnote: quoted },
      { table: 5, label: 'HRM', arc1: 40.3, arc2: 5.0, millions: 27, footnote: quoted },
    ],
    model: hrm,
    training: withoutEma,
    tests: 'The model that TRM simplifies: two networks at two rates, justified by biology and a fixed-point argument.',
  },
  {
    id: 'trm',
    rows: [
      { table: 1, label: 'TRM', statesRecursions: true, sudoku: 87.4, depth: 42, forwardPasses: 1, millions: 5 },
      { table: 2, label: 'TRM y, z (2 features)', sudoku: 87.4 },
      table3Row('TRM', 3, 3),
      {
        table: 4,
        label: 'TRM-MLP',
        sudoku: 87.4,
        maze: 0,
        millions: 5,
        footnote: 'the paper’s has 19M parameters on Maze-Hard',
      },
      { table: 5, label: 'TRM-MLP', arc1: 29.6, arc2: 2.4, footnote: 'the paper’s has 19M parameters on ARC' },
    ],
    model: { mixer: 'mlp', positions: 'none' }, // written out for bases that have attention
    tests: "The paper's model: one network of two layers, called again and again on an answer and a latent.",
  },
  {
    id: 'trm-act',
    rows: [{ table: 1, label: 'w/ ACT', sudoku: 86.1, depth: 42, forwardPasses: 2, millions: 5 }],
    model: { halting: 'halt-or-continue' },
    tests: 'Does learning when to continue, with its second forward pass, help over learning when to halt?',
    note: "the published code's flag for this crashes; this is what it evidently means (spec §2.3)",
  },
  {
    id: 'trm-separate-nets',
    rows: [{ table: 1, label: 'w/ separate f_H, f_L', sudoku: 82.4, depth: 42, forwardPasses: 1, millions: 10 }],
    model: { separateNets: true },
    tests: 'Do the answer and the latent need separate networks?',
  },
  {
    id: 'trm-no-ema',
    rows: [{ table: 1, label: 'no EMA', sudoku: 79.9, depth: 42, forwardPasses: 1, millions: 5 }],
    model: {},
    training: withoutEma,
    rawWeightsOf: 'trm',
    tests: 'What does averaging the weights contribute?',
  },
  {
    id: 'trm-4-layers',
    rows: [{ table: 1, label: 'w/ 4-layers, n = 3', sudoku: 79.5, depth: 48, forwardPasses: 1, millions: 10 }],
    model: { layers: 4, latentRecursions: 3 },
    tests: 'Is a deeper network called less often better than a shallow one called more often?',
  },
  {
    id: 'trm-attention',
    rows: [
      { table: 1, label: 'w/ self-attention', sudoku: 74.7, depth: 42, forwardPasses: 1, millions: 7 },
      {
        table: 4,
        label: 'TRM-Att',
        sudoku: 74.7,
        maze: 85.3,
        millions: 7,
        footnote: 'the published command for Maze-Hard has n = 4',
      },
      {
        table: 5,
        label: 'TRM-Att',
        arc1: 44.6,
        arc2: 7.8,
        millions: 7,
        footnote: 'the published commands for ARC have n = 4',
      },
    ],
    model: { mixer: 'attention', positions: 'rotary' },
    tests: 'Does self-attention mix a small fixed grid better than an MLP over its cells?',
  },
  {
    id: 'trm-t2-n2',
    rows: [{ table: 1, label: 'w/ T = 2, n = 2', sudoku: 73.7, depth: 12, forwardPasses: 1, millions: 5 }],
    model: { deepRecursions: 2, latentRecursions: 2 },
    tests: 'How much does recursion contribute? Here with as few calls a step as HRM.',
  },
  {
    id: 'trm-one-step-gradient',
    rows: [{ table: 1, label: 'w/ 1-step gradient', sudoku: 56.5, depth: 42, forwardPasses: 1, millions: 5 }],
    model: { gradient: 'one-step' },
    tests: 'Must gradient flow through a whole recursion, or do the last two calls suffice, as HRM assumes?',
  },
  {
    id: 'trm-multi-z',
    rows: [{ table: 2, label: 'TRM multi-scale z (n + 1 = 7 features)', reading: 'six z', sudoku: 77.6 }],
    model: { recursion: 'multi-z', latentCount: 6 },
    tests: 'Is one latent per recursion better than a single latent that is refined?',
    note:
      'as in the published code: six latents z and y, seven features in all; mixer, positions and EMA are as in ' +
      'TRM, because the paper does not state them',
  },
  {
    id: 'trm-multi-z-7',
    rows: [{ table: 2, label: 'TRM multi-scale z (n + 1 = 7 features)', reading: 'seven z', sudoku: 77.6 }],
    model: { recursion: 'multi-z', latentCount: 7, latentRecursions: 7 },
    tests: 'The same, but with the table’s seven features read as seven latents z in addition to y.',
    note: 'n = 7, so that every latent is refined; seven calls for z per recursion instead of six',
  },
  {
    id: 'trm-single-z',
    rows: [{ table: 2, label: 'TRM single z (1 feature)', sudoku: 71.9 }],
    model: { recursion: 'single-z' },
    tests: 'Can one latent be both the reasoning and the answer?',
    note: 'as in the published code: unlike in the paper, the last call of a recursion leaves out the puzzle',
  },
  ...table3
    .filter(([k, T]) => !(k === 2 && T === 2))
    .map(
      ([k, T]): Written => ({
        id: `hrm-k${k}-t${T}`,
        rows: [table3Row('HRM', k, T)],
        model: { ...hrm, latentRecursions: k, deepRecursions: T },
        training: withoutEma,
        tests: `How much does HRM gain from recursion with n = ${k}, T = ${T}?`,
        note: 'EMA is off, as in HRM; the paper does not say',
      }),
    ),
  ...table3
    .filter(([k, T]) => !(k === 3 && T === 3))
    .map(
      ([k, T]): Written => ({
        id: `trm-k${k}-t${T}`,
        rows: [table3Row('TRM', k, T)],
        model: { latentRecursions: 2 * k, deepRecursions: T },
        tests: `How much does TRM gain from recursion with n = ${2 * k}, T = ${T}?`,
      }),
    ),
  {
    id: 'direct',
    rows: [
      { table: 4, label: 'Direct pred', sudoku: 0, maze: 0, millions: 27, footnote: quoted },
      { table: 5, label: 'Direct pred', arc1: 21.0, arc2: 0.0, millions: 27, footnote: quoted },
    ],
    model: {
      recursion: 'direct',
      deepRecursions: 1,
      latentRecursions: 1,
      mixer: 'attention',
      positions: 'rotary',
      layers: 8,
      puzzlePrefix: 1,
      halting: 'halt-over-continue',
    },
    training: withoutEma,
    tests: 'How well does a plain transformer of the same size do without recursion?',
    note:
      "heads as in TRM: the published file's 12 heads do not divide its hidden size of 512, " +
      'so its attention would have 131,072 parameters fewer',
  },
];

/** All variants, in the order of the tables. */
export const variants: readonly Variant[] = frozen(
  written.map(({ id, rows, model, training = {}, ...rest }) => ({ id, rows, model, training, ...rest })),
);

/**
 * What a published task fixes of the paper's models: its sizes, n in its command, and the optimizer steps of its run
 * (spec §4.5, §1.14).
 */
export const publishedTasks = {
  sudoku: { label: 'Sudoku-Extreme', model: {}, steps: 65_104 },
  maze: { label: 'Maze-Hard', model: { vocabSize: 6, sequenceLength: 900, latentRecursions: 4 }, steps: 65_104 },
  arc: { label: 'ARC-AGI-1', model: { vocabSize: 12, sequenceLength: 900, latentRecursions: 4 }, steps: 518_226 },
} as const satisfies Readonly<
  Record<string, { readonly label: string; readonly model: Partial<ModelConfig>; readonly steps: number }>
>;

/** Contradictions within the paper, or with its code, that concern more than one row (spec §9.1). */
export const paperOddities: readonly string[] = [
  'Table 1 has 73.7 for T = 2, n = 2 and Table 3 has 81.9 for k = 2, T = 2: in Table 3 a TRM has n = 2k = 4, ' +
    'so they are different models',
  'the text has n = 6 everywhere; the published commands have n = 4 for Maze-Hard and ARC, ' +
    'and FLOP and hours here follow the commands',
  'the text has 60,000 epochs for Sudoku and mazes; the published commands have 50,000, ' +
    'which are 65,104 steps of 768 puzzles',
  "the paper's 19M for TRM-MLP on mazes are 18,795,522; " +
    "the puzzle table and the latents' initial values do not count as parameters",
];

/** The variant with this id. Throws InputError listing the ids. */
export function variant(id: string): Variant {
  const found = variants.find((each) => each.id === id);
  if (found === undefined)
    throw new InputError(
      `variant: expected one of ${variants.map((each) => each.id).join(', ')}, ` +
        `got ${show(id)}${didYouMean(
          id,
          variants.map((each) => each.id),
        )}`,
    );
  return found;
}

/**
 * A model with the variant's changes. The task's sizes and the scale stay the base's, and a base without puzzle
 * embedding stays without. Throws InputError if the changes do not fit this base.
 */
export function applyVariant(base: ModelConfig, { model }: Pick<Variant, 'model'>): ModelConfig {
  const { puzzlePrefix } =
    base.puzzleEmbeddingSize === 0 ? base : { puzzlePrefix: model.puzzlePrefix ?? base.puzzlePrefix };
  return checkConfig({ ...base, ...model, puzzlePrefix });
}

/** The paper's result in a row, percent, for a task's kind of puzzle, whatever the size; null if it has none. */
export function paperResult(row: PaperRow, task: Task): number | null {
  const name = task.kind === 'arc' ? task.set : task.kind;
  return name === 'folder' || name === 'file' ? null : (row[name] ?? null); // the user's own, whatever it holds
}

/** The rows of one of the paper's tables with their variants, in their order. Throws InputError for others. */
export function rowsOfTable(table: PaperRow['table']): { readonly variant: Variant; readonly row: PaperRow }[] {
  checkValue('table', table, oneOf(1, 2, 3, 4, 5));
  return variants.flatMap((each) =>
    each.rows.filter((row) => row.table === table).map((row) => ({ variant: each, row })),
  );
}
