/**
 * Checks a data set in memory: every answer, how many puzzles repeat, and the distribution of tokens and ratings.
 */
import { exampleOf, type Dataset } from './dataset.js';
import { kindOfSet } from './forms.js';
import { isShortestPath, mazeAnswer, mazeText, mazeToken } from './maze.js';
import { canonicalForm } from './overlap.js';
import { solveSudoku } from './sudoku-solver.js';
import { boardOfTokens, boardText, findClash, geometryOfCells, type SudokuGeometry } from './sudoku.js';
import { InputError } from '../errors.js';

/** The result of checking a set; shares are 0 … 1. */
export interface SetCheck {
  readonly set: string;
  readonly kind: 'sudoku' | 'maze' | 'other';
  readonly groups: number;
  readonly puzzles: number;
  readonly examples: number;
  /** Among the first puzzles of all groups: identical repeats, and repeats of a form (identical ones included). */
  readonly repeated: number;
  readonly equivalent: number;
  /**
   * Sudoku: first puzzles of groups that have several solutions. Mazes: answers that break the label rule. Null for
   * other sets.
   */
  readonly severalSolutions: number | null;
  readonly againstRule: number | null;
  /** Share of each token among the scored labels: the class balance. */
  readonly labelShares: readonly number[];
}

/**
 * Checks every example of a set, and the first one of each group for repeats. Throws InputError naming the first
 * example with a wrong answer (checkAnswer).
 */
export function checkSet(set: Dataset, onProgress: (done: number, total: number) => void = () => undefined): SetCheck {
  const kind = kindOfSet(set);
  const firsts = new Set(Array.from(set.groupOffsets.subarray(0, -1), (puzzle) => set.puzzleOffsets[puzzle]!));
  const [boards, forms] = [new Set<string>(), new Set<string>()];
  let [severalSolutions, againstRule] = [0, 0];
  const counts = new Float64Array(set.vocabSize);
  for (let i = 0; i < set.examples; i++) {
    const { input, label } = exampleOf(set, i);
    checkAnswer(set, i);
    for (const token of label) if (token !== set.ignore) counts[token]!++;
    if (kind === 'maze' && mazeText(mazeAnswer(input)) !== mazeText(label)) againstRule++;
    if (firsts.has(i)) {
      boards.add(canonicalForm('other', set, i));
      forms.add(canonicalForm(kind, set, i));
      if (hasSeveralSolutions(set, i)) severalSolutions++;
    }
    onProgress(i + 1, set.examples);
  }
  const scored = counts.reduce((sum, count) => sum + count, 0);
  return {
    set: set.name,
    kind,
    groups: firsts.size,
    puzzles: set.ids.length,
    examples: set.examples,
    repeated: firsts.size - boards.size,
    equivalent: firsts.size - forms.size,
    severalSolutions: kind === 'sudoku' ? severalSolutions : null,
    againstRule: kind === 'maze' ? againstRule : null,
    labelShares: Array.from(counts, (count) => (scored === 0 ? 0 : count / scored)),
  };
}

/**
 * Throws InputError for an example whose answer is wrong: a Sudoku that breaks a rule or changes a given, a maze whose
 * path is not a shortest one.
 */
export function checkAnswer(set: Dataset, i: number): void {
  const kind = kindOfSet(set);
  const { input, label } = exampleOf(set, i);
  const wrong =
    kind === 'sudoku'
      ? wrongSudoku(input, label, geometryOfCells(set.sequenceLength)!)
      : kind === 'maze' && !isShortestPath(input, label)
        ? 'the answer is not a shortest path through the maze'
        : undefined;
  if (wrong !== undefined) throw new InputError(`${set.name}, example ${i + 1}: ${wrong}`);
}

/** Whether an example is a Sudoku with more than one solution. */
export function hasSeveralSolutions(set: Dataset, i: number): boolean {
  if (kindOfSet(set) !== 'sudoku') return false;
  const { input } = exampleOf(set, i);
  return !input.includes(0) && solveSudoku(boardOfTokens(input), geometryOfCells(set.sequenceLength)!).solutions > 1;
}

function wrongSudoku(input: Uint8Array, label: Uint8Array, geometry: SudokuGeometry): string | undefined {
  const [question, answer] = [boardOfTokens(input), boardOfTokens(label)];
  if (input.includes(0) || label.includes(0)) return 'padding in a board';
  const changed = question.findIndex((digit, cell) => digit !== 0 && digit !== answer[cell]);
  if (changed >= 0) return `the answer changes the given in cell ${changed + 1} of ${boardText(question)}`;
  if (answer.includes(0)) return 'the answer has a blank';
  const clash = findClash(answer, geometry);
  return clash === undefined ? undefined : `the answer breaks a rule: ${clash}`;
}

/** Minimum, maximum, mean and quartiles of some numbers, as text. */
export function spreadText(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return `${at(0)} to ${sorted.at(-1)}, mean ${mean.toFixed(2)}, quartiles ${at(0.25)}, ${at(0.5)}, ${at(0.75)}`;
}

/** Names of maze tokens, by id, for a line of shares. */
export const mazeTokenNames: readonly string[] = [
  'padding',
  ...Object.entries(mazeToken)
    .sort(([, left], [, right]) => left - right)
    .map(([name]) => name),
];
