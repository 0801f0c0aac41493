/** Writes a split as the reference stores it: dataset.json and five NumPy arrays, item by item (spec §5.1). */
import path from 'node:path';
import type { UnfinishedFolder } from './new-folder.js';
import { NpyWriter } from './npy-writer.js';
import type { NpyType } from './npy.js';

/** Element type of inputs and labels; the reference writes Sudoku training sets as int64, all others as uint8. */
export type TokenType = Extract<NpyType, 'uint8' | 'int64'>;

/** The counts of a split, known before it is written. */
export interface SplitCounts {
  readonly groups: number;
  readonly puzzles: number;
  readonly examples: number;
}

/**
 * Takes a split's content in order: the examples of a puzzle, the puzzle's end, and after a group's last puzzle the
 * group's end.
 */
export interface SplitArrays {
  example(input: Uint8Array, label: Uint8Array): void;
  endPuzzle(id: number): void;
  endGroup(): void;
}

/**
 * Writes all__inputs.npy, all__labels.npy, all__puzzle_identifiers.npy, all__puzzle_indices.npy and
 * all__group_indices.npy to a split's folder, and `metadata` as its dataset.json; `fill` gives the content. Inputs and
 * labels are [examples, sequenceLength]. Returns the counts. If `fill` throws, the incomplete files stay: the caller
 * removes the folder.
 */
export function writeSplit(
  out: UnfinishedFolder,
  split: 'train' | 'test',
  counts: SplitCounts,
  tokens: { readonly type: TokenType; readonly sequenceLength: number },
  metadata: string,
  fill: (arrays: SplitArrays) => void,
): SplitCounts {
  const { groups, puzzles, examples } = counts;
  const folder = out.folder(split);
  const opened: [string, NpyWriter][] = [];
  const open = (name: string, type: NpyType, shape: readonly number[]): NpyWriter => {
    const writer = new NpyWriter(path.join(folder, `all__${name}.npy`), type, shape);
    opened.push([`all__${name}.npy`, writer]);
    return writer;
  };
  try {
    const grid = [examples, tokens.sequenceLength];
    const [inputs, labels] = [open('inputs', tokens.type, grid), open('labels', tokens.type, grid)];
    const [ids, puzzleOffsets, groupOffsets] = [
      open('puzzle_identifiers', 'int32', [puzzles]),
      open('puzzle_indices', 'int32', [puzzles + 1]),
      open('group_indices', 'int32', [groups + 1]),
    ];
    let [puzzle, example] = [0, 0];
    puzzleOffsets.write(Int32Array.of(0));
    groupOffsets.write(Int32Array.of(0));
    fill({
      example(input, label) {
        inputs.write(stored(input, tokens.type));
        labels.write(stored(label, tokens.type));
        example++;
      },
      endPuzzle(id) {
        ids.write(Int32Array.of(id));
        puzzleOffsets.write(Int32Array.of(example));
        puzzle++;
      },
      endGroup: () => groupOffsets.write(Int32Array.of(puzzle)),
    });
    while (opened.length > 0) {
      const [name, writer] = opened[0]!;
      out.wrote(`${split}/${name}`, writer.end());
      opened.shift();
    }
  } finally {
    for (const [, writer] of opened) writer.abandon();
  }
  out.text(`${split}/dataset.json`, metadata);
  return counts;
}

/** Tokens as a .npy file stores them; int64 is little-endian. */
function stored(tokens: Uint8Array, type: TokenType): Uint8Array {
  if (type === 'uint8') return tokens;
  const wide = new Uint8Array(8 * tokens.length);
  for (let i = 0; i < tokens.length; i++) wide[8 * i] = tokens[i]!;
  return wide;
}
