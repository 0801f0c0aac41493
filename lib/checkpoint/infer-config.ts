/** Infers a configuration from a checkpoint's tensor names and shapes, and lists what it had to assume. */
import { InputError } from '../errors.js';
import { checkConfig, innerSize, paperConfig, type ModelConfig, type Recursion } from '../model/config.js';

export type Shapes = ReadonlyMap<string, readonly number[]>;

/** Sequence lengths of the published tasks by vocabulary size: Sudoku, Maze, ARC (spec §5.1). */
const sequenceOfVocabulary: ReadonlyMap<number, number> = new Map([
  [11, 81],
  [6, 900],
  [12, 900],
]);

/**
 * The configuration of a model with these tensors. Fields of `known` take precedence. `cells`, the length of the
 * caller's puzzles, decides where several lengths are possible.
 * `assumed` lists, as "name = value", what neither `known` nor the shapes fix.
 * Throws InputError if the shapes are not a model's, or leave something open that cannot be guessed.
 */
export function inferConfig(
  shapes: Shapes,
  known: Partial<ModelConfig>,
  cells?: number,
): { readonly config: ModelConfig; readonly assumed: readonly string[] } {
  const assumed: string[] = [];
  const assume = <Key extends keyof ModelConfig>(key: Key, value: ModelConfig[Key]): ModelConfig[Key] => {
    const fixed = known[key];
    if (fixed !== undefined) return fixed;
    assumed.push(`${key} = ${String(value)}`);
    return value;
  };
  const [vocabSize, hiddenSize] = sides(shapes, 'embed_tokens.embedding_weight');
  const nets = ['L_level', 'H_level'].filter((net) =>
    [...shapes.keys()].some((name) => name.startsWith(`${net}.layers.`)),
  );
  const [net = 'L_level'] = nets;
  const layers = countWhile((layer) => shapes.has(`${net}.layers.${layer}.mlp.down_proj.weight`));
  if (layers === 0) throw notAModel(shapes, `${net}.layers.0.mlp.down_proj.weight`);
  const mixer = shapes.has(`${net}.layers.0.mlp_t.down_proj.weight`) ? 'mlp' : 'attention';

  const latentCount = countWhile((i) => shapes.has(`L${i + 1}_init`));
  const recursion = inferRecursion(shapes, nets, latentCount, known, assumed);
  const hrm = recursion === 'hrm';
  const mixedPositions =
    mixer === 'mlp'
      ? sides(shapes, `${net}.layers.0.mlp_t.down_proj.weight`)[0]
      : shapes.get('embed_pos.embedding_weight')?.[0];
  const [puzzleIds, puzzleEmbeddingSize] = shapes.has('puzzle_emb.weights')
    ? sides(shapes, 'puzzle_emb.weights')
    : [1, 0];
  const usualPrefix = hrm || recursion === 'direct' ? 1 : paperConfig.puzzlePrefix;
  const { sequenceLength, puzzlePrefix } = inferLengths({
    vocabSize,
    hiddenSize,
    puzzleEmbeddingSize,
    mixedPositions,
    usualPrefix,
    known,
    cells,
    assume,
  });

  const [T, n] = usualRecursions(recursion, latentCount, sequenceLength);
  const inner = sides(shapes, `${net}.layers.0.mlp.down_proj.weight`)[1];
  const mixerInner = mixer === 'mlp' ? sides(shapes, `${net}.layers.0.mlp_t.down_proj.weight`)[1] : undefined;
  const base: ModelConfig = {
    ...paperConfig,
    recursion,
    deepRecursions: recursion === 'direct' ? T : assume('deepRecursions', T),
    latentRecursions: recursion === 'direct' ? n : assume('latentRecursions', n),
    latentCount: Math.max(1, latentCount),
    separateNets: nets.length === 2,
    gradient: hrm ? 'one-step' : assume('gradient', 'last-recursion'),
    mixer,
    positions: shapes.has('embed_pos.embedding_weight')
      ? 'learned'
      : mixer === 'mlp'
        ? 'none'
        : assume('positions', 'rotary'),
    layers,
    hiddenSize,
    heads: mixer === 'mlp' ? paperConfig.heads : assume('heads', Math.max(1, Math.round(hiddenSize / 64))),
    vocabSize,
    sequenceLength,
    puzzlePrefix,
    puzzleEmbeddingSize,
    puzzleIds,
    supervisionSteps: assume('supervisionSteps', 16),
    halting: hrm ? 'halt-or-continue' : assume('halting', 'halt'),
  };
  return { config: checkConfig({ ...base, ...expansionOf(base, inner, mixerInner, known), ...known }), assumed };
}

/** T and n of the published commands. */
function usualRecursions(recursion: Recursion, latentCount: number, sequenceLength: number): readonly [number, number] {
  if (recursion === 'hrm') return [2, 2];
  if (recursion === 'direct') return [1, 1];
  if (recursion === 'multi-z') return [3, Math.min(6, latentCount)];
  return [3, sequenceLength === 900 ? 4 : 6]; // mazes and ARC: spec §4.5
}

/** Which recursion has these latents and networks. */
function inferRecursion(
  shapes: Shapes,
  nets: readonly string[],
  latentCount: number,
  known: Partial<ModelConfig>,
  assumed: string[],
): Recursion {
  if (latentCount > 0) return 'multi-z';
  if (!shapes.has('L_init') && !shapes.has('H_init'))
    throw new InputError(
      'expected start values (H_init, L_init) among the tensors, got trained tensors only, as an average saved alone ' +
        'has them; save it in one dictionary with the online weights, or as FILE_ema beside their FILE',
    );
  if (!shapes.has('L_init')) return 'direct';
  if (!shapes.has('H_init')) return 'single-z';
  if (nets.length < 2) return 'trm';
  if (known.recursion !== undefined) return known.recursion;
  assumed.push('recursion = hrm (two networks; a TRM with separate networks looks the same: say recursion = trm)');
  return 'hrm';
}

/** L and P by the first that fixes them: the caller, the positions that a layer mixes (S = P + L), published tasks. */
function inferLengths(facts: {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly puzzleEmbeddingSize: number;
  readonly mixedPositions: number | undefined;
  readonly usualPrefix: number;
  readonly known: Partial<ModelConfig>;
  readonly cells: number | undefined;
  readonly assume: (key: 'sequenceLength' | 'puzzlePrefix', value: number) => number;
}): { readonly sequenceLength: number; readonly puzzlePrefix: number } {
  const { vocabSize, hiddenSize, puzzleEmbeddingSize, mixedPositions: S, usualPrefix, known, cells, assume } = facts;
  const leastPrefix = Math.ceil(puzzleEmbeddingSize / hiddenSize);
  const published = sequenceOfVocabulary.get(vocabSize);
  if (S === undefined) {
    // Attention with rotary positions has no tensor that shows the sequence length.
    if (known.sequenceLength === undefined && published === undefined && cells === undefined) {
      throw new InputError(
        `the tensors do not tell how long a puzzle is, and a vocabulary of ${vocabSize} is ` +
          "none of the published tasks'; give it: --set model.sequenceLength=N",
      );
    }
    return {
      sequenceLength: assume('sequenceLength', cells ?? published ?? 1),
      puzzlePrefix: puzzleEmbeddingSize === 0 ? 0 : assume('puzzlePrefix', Math.max(usualPrefix, leastPrefix)),
    };
  }
  if (known.sequenceLength !== undefined)
    return { sequenceLength: known.sequenceLength, puzzlePrefix: S - known.sequenceLength };
  if (known.puzzlePrefix !== undefined)
    return { sequenceLength: S - known.puzzlePrefix, puzzlePrefix: known.puzzlePrefix };
  if (puzzleEmbeddingSize === 0) return { sequenceLength: S, puzzlePrefix: 0 };
  const prefix = prefixOf(S, [...new Set([usualPrefix, 1, leastPrefix])], leastPrefix, published, cells);
  if (prefix === undefined)
    throw new InputError(
      `the tensors mix ${S} positions, prefix and puzzle together, and do not tell them apart; ` +
        'give the prefix: --set model.puzzlePrefix=N (16 in the published TRM, 1 in HRM)',
    );
  const puzzlePrefix = assume('puzzlePrefix', prefix);
  return { sequenceLength: S - puzzlePrefix, puzzlePrefix };
}

/** The prefix that leaves a published task's length, else the only usual one that leaves a square, else `cells`. */
function prefixOf(
  positions: number,
  usual: readonly number[],
  least: number,
  published: number | undefined,
  cells: number | undefined,
): number | undefined {
  if (published !== undefined && positions - published >= least) return positions - published;
  const possible = usual.filter((prefix) => prefix >= least && positions - prefix >= 4);
  const boards = possible.filter((prefix) => Number.isInteger(Math.sqrt(positions - prefix)));
  if (boards.length === 1) return boards[0];
  return possible.find((prefix) => positions - prefix === cells);
}

/** An expansion and an innerMultiple that give the stored inner sizes; the reference's if possible. */
function expansionOf(
  base: ModelConfig,
  inner: number,
  mixerInner: number | undefined,
  known: Partial<ModelConfig>,
): Pick<ModelConfig, 'expansion' | 'innerMultiple'> {
  const expansions = known.expansion === undefined ? [4, 2, 3, 1, 1.5, 6, 8] : [known.expansion];
  const multiples = known.innerMultiple === undefined ? [256, 32, 128, 64, 16, 8, 4, 2, 1] : [known.innerMultiple];
  for (const expansion of expansions) {
    for (const innerMultiple of multiples) {
      const config = { ...base, expansion, innerMultiple };
      const fits =
        innerSize(config, base.hiddenSize) === inner &&
        (mixerInner === undefined || innerSize(config, base.puzzlePrefix + base.sequenceLength) === mixerInner);
      if (fits) return { expansion, innerMultiple };
    }
  }
  const sizes = mixerInner === undefined ? String(inner) : `${inner} and ${mixerInner}`;
  throw new InputError(
    `no usual expansion gives inner sizes of ${sizes} for a hidden size of ${base.hiddenSize}; ` +
      'give both: --set model.expansion=X,model.innerMultiple=N',
  );
}

/** Rows and columns of a matrix that every model has. Throws InputError if it is missing. */
function sides(shapes: Shapes, name: string): readonly [number, number] {
  const shape = shapes.get(name);
  if (shape === undefined) throw notAModel(shapes, name);
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === undefined || columns === undefined || rows < 1 || columns < 1)
    throw new InputError(`${name}: expected a matrix, got shape [${shape.join(', ')}]`);
  return [rows, columns];
}

function notAModel(shapes: Shapes, name: string): InputError {
  const names = [...shapes.keys()].slice(0, 4).map((each) => JSON.stringify(each.slice(0, 60)));
  const got = shapes.size === 0 ? 'none' : `${shapes.size}: ${names.join(', ')}…`;
  return new InputError(`expected the tensors of a TRM or HRM, ${name} among them, got ${got}`);
}

/** How many of 0, 1, 2, … satisfy `holds` before the first that does not. */
function countWhile(holds: (i: number) => boolean): number {
  let count = 0;
  while (holds(count)) count++;
  return count;
}
