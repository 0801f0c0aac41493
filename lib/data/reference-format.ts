/**
 * Reads and writes the reference's data sets on disk (spec §5.1): folders built by the Python code train here, and
 * folders built here train there.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { InputError, show } from '../errors.js';
import { isObject } from '../fields.js';
import { readJson } from '../json.js';
import { userFile } from '../files.js';
import { readUserFile } from '../user-file.js';
import { augmentedCopy, exampleOf, withHash, type Dataset } from './dataset.js';
import type { Example } from './example.js';
import { isShortestPath, mazeToken, mazeVocabulary } from './maze.js';
import { readNpy } from './npy.js';
import { writeNewFolder } from './new-folder.js';
import { writeSplit, type SplitCounts, type TokenType } from './split-arrays.js';

/** The fields of dataset.json that are used, under their own names. */
interface Metadata {
  readonly ignore_label_id: number | null;
  readonly vocab_size: number;
  readonly seq_len: number;
  readonly num_puzzle_identifiers: number;
  readonly total_groups: number;
}

/** The label of cells that are not scored: in the files of Python's builders and in PyTorch, and in memory here. */
const unscoredByBuilders = -100;
const unscored = 255;

/** Most token values a split may hold in memory here: 1 Gi, a byte each. */
const mostTokens = 2 ** 30;

/** Vocabulary, length and puzzle ids of a folder, from its train/dataset.json alone. */
export function referenceShape(named: string): Pick<Dataset, 'vocabSize' | 'sequenceLength' | 'puzzleIds'> {
  const {
    vocab_size: vocabSize,
    seq_len: sequenceLength,
    num_puzzle_identifiers: puzzleIds,
  } = readMetadata(path.join(userFile(named), 'train'));
  return { vocabSize, sequenceLength, puzzleIds };
}

/**
 * Both splits of a folder, and how their tokens are stored. Throws InputError for any deviation from the format.
 */
export function readReferenceFolder(named: string): {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly types: Readonly<Record<'train' | 'test', TokenType>>;
} {
  const folder = userFile(named);
  const [train, test] = [readSplit(folder, 'train'), readSplit(folder, 'test')];
  for (const key of ['vocabSize', 'sequenceLength', 'puzzleIds'] as const) {
    if (train.set[key] !== test.set[key])
      throw new InputError(
        `${path.basename(folder)}: expected one ${key} in train and test, got ${train.set[key]} and ${test.set[key]}`,
      );
  }
  return { train: train.set, test: test.set, types: { train: train.type, test: test.type } };
}

interface SplitRead {
  readonly set: Dataset;
  readonly type: TokenType;
}

function readSplit(folder: string, split: 'train' | 'test'): SplitRead {
  const metadata = readMetadata(path.join(folder, split));
  const { vocab_size: vocabSize, seq_len: L, num_puzzle_identifiers: puzzleIds } = metadata;
  const at = (part: string): string => path.join(folder, split, `all__${part}.npy`);
  const inputs = readNpy(at('inputs'), { dimensions: 2, most: mostTokens, largest: vocabSize - 1 });
  const [examples = 0, length] = inputs.shape;
  if (length !== L)
    throw new InputError(`${split}/all__inputs.npy: expected ${L} tokens a row as dataset.json says, got ${length}`);
  const { labels, ignore } = readLabels(at('labels'), metadata, inputs.shape);
  const whole = (part: string, most: number, largest: number): Int32Array =>
    Int32Array.from(readNpy(at(part), { dimensions: 1, most, largest }).values);
  const puzzleOffsets = offsets(
    whole('puzzle_indices', examples + 1, examples),
    examples,
    `${split}/all__puzzle_indices.npy`,
  );
  const puzzles = puzzleOffsets.length - 1;
  const groupOffsets = offsets(
    whole('group_indices', puzzles + 1, puzzles),
    puzzles,
    `${split}/all__group_indices.npy`,
  );
  const ids = whole('puzzle_identifiers', puzzles, puzzleIds - 1);
  if (ids.length !== puzzles)
    throw new InputError(
      `${split}/all__puzzle_identifiers.npy: expected one id for each of ${puzzles} puzzles, got ${ids.length}`,
    );
  if (groupOffsets.length - 1 !== metadata.total_groups)
    throw new InputError(
      `${split}/dataset.json: expected total_groups ${groupOffsets.length - 1} as there are, ` +
        `got ${metadata.total_groups}`,
    );
  const side = Math.sqrt(L);
  const tokens = inputs.values as Uint8Array; // at most 256 tokens
  const set = withHash({
    name: `${path.basename(folder)} ${split}`,
    note: '',
    width: Number.isInteger(side) ? side : L,
    height: Number.isInteger(side) ? side : 1,
    vocabSize,
    sequenceLength: L,
    puzzleIds,
    examples,
    inputs: tokens,
    labels,
    ignore,
    puzzleOffsets,
    groupOffsets,
    ids,
    ratings: null,
    augmentation: null,
    ...(areMazes(tokens, L, vocabSize)
      ? { alternative: { name: 'valid shortest path', accepts: isShortestPath } }
      : {}),
  });
  return { set, type: inputs.type === 'int64' ? 'int64' : 'uint8' };
}

/**
 * The labels of a split, and the one that marks cells that are not scored; null if all cells are. Every such label of
 * the file that is no token becomes 255, unless that is a token.
 */
function readLabels(
  file: string,
  { vocab_size: vocabSize, ignore_label_id: named }: Metadata,
  shape: readonly number[],
): { readonly labels: Uint8Array; readonly ignore: number | null } {
  const free = vocabSize <= unscored ? unscored : undefined;
  const stored = new Map<number, number>();
  if (free !== undefined) stored.set(unscoredByBuilders, free);
  if (free !== undefined && named !== null && named >= vocabSize) stored.set(named, free);
  const read = readNpy(file, { dimensions: 2, most: mostTokens, largest: vocabSize - 1, stored });
  if (read.shape.join() !== shape.join())
    throw new InputError(
      `${path.basename(path.dirname(file))}/${path.basename(file)}: expected the shape of the inputs, ` +
        `${shape.join(' × ')}, got ${read.shape.join(' × ')}`,
    );
  const labels = read.values as Uint8Array;
  const ignore = named !== null && labels.includes(named) ? named : null; // as in Sudoku and maze files
  if (free === undefined || !labels.includes(free)) return { labels, ignore };
  if (ignore !== null) for (let i = 0; i < labels.length; i++) if (labels[i] === ignore) labels[i] = free;
  return { labels, ignore: free };
}

/** The side of the smallest mazes that the kit makes. */
const leastSide = 6;

/** Whether every question is a maze: one S and one G among walls and free cells. */
function areMazes(tokens: Uint8Array, length: number, vocabSize: number): boolean {
  if (vocabSize !== mazeVocabulary || !Number.isInteger(Math.sqrt(length)) || length < leastSide ** 2) return false;
  for (let from = 0; from < tokens.length; from += length) {
    const counts = [0, 0, 0, 0, 0, 0];
    for (let i = from; i < from + length; i++) counts[tokens[i]!]!++;
    if (
      counts[0] !== 0 ||
      counts[mazeToken.start] !== 1 ||
      counts[mazeToken.goal] !== 1 ||
      counts[mazeToken.path] !== 0
    )
      return false;
  }
  return true;
}

/** Checks the first item of each part and the end: rising from 0 to `end`, no part empty. */
function offsets(values: Int32Array, end: number, name: string): Int32Array {
  if (values.length < 1 || values[0] !== 0 || values.at(-1) !== end)
    throw new InputError(
      `${name}: expected offsets from 0 to ${end}, ` +
        `got ${values.length === 0 ? 'none' : `${values[0]} to ${values.at(-1)}`}`,
    );
  const bad = values.findIndex((value, i) => i > 0 && value <= values[i - 1]!);
  if (bad >= 0) throw new InputError(`${name}: expected rising offsets, got ${values[bad]} after ${values[bad - 1]}`);
  return values;
}

/** Reads a split's dataset.json. Throws InputError naming the field that is wrong. */
function readMetadata(folder: string): Metadata {
  const name = `${path.basename(folder)}/dataset.json`;
  const bytes = readUserFile(path.join(folder, 'dataset.json'), 1 << 16);
  const refuse = (reason: string): never => {
    throw new InputError(`${name}: expected JSON, got ${reason}`);
  };
  const parsed = readJson(bytes.toString('utf8'), refuse, { levels: 8 });
  const fields = isObject(parsed) ? parsed : {};
  const limits: Readonly<Record<string, readonly [least: number, most: number]>> = {
    pad_id: [0, 0],
    blank_identifier_id: [0, 0],
    vocab_size: [2, 256],
    seq_len: [1, 65_536],
    num_puzzle_identifiers: [1, 2 ** 31 - 1],
    total_groups: [0, 2 ** 31 - 1],
  };
  const ignored = fields['ignore_label_id'];
  const none = ignored === null || ignored === unscoredByBuilders;
  if (!none && !(typeof ignored === 'number' && Number.isInteger(ignored) && ignored >= 0 && ignored <= 255))
    throw new InputError(
      `${name}: ignore_label_id: expected a whole number from 0 to 255, ${unscoredByBuilders} or null, ` +
        `got ${show(ignored)}`,
    );
  for (const [field, [least, most]] of Object.entries(limits)) {
    const value = fields[field];
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
      throw new InputError(
        `${name}: ${field}: expected ${least === most ? least : `a whole number from ${least} to ${most}`}, ` +
          `got ${show(value)}`,
      );
  }
  const { sets } = fields;
  if (!Array.isArray(sets) || sets.length !== 1 || sets[0] !== 'all')
    throw new InputError(`${name}: sets: expected ["all"], got ${show(sets)}`);
  return { ...(fields as unknown as Metadata), ignore_label_id: none ? null : ignored };
}

/** How to write a folder. */
export interface WriteOptions {
  /** How tokens are stored. Default uint8; the reference's Sudoku training sets are int64. */
  readonly types?: Partial<Readonly<Record<'train' | 'test', TokenType>>>;
  /** Told after each group written. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What was written. */
export interface WrittenFolder {
  readonly train: SplitCounts;
  readonly test: SplitCounts;
  /** SHA-256 over all files' names and hashes; equal sets give equal bytes. */
  readonly sha256: string;
}

/**
 * Writes data sets whose puzzles share the blank id (Sudoku, mazes) as the reference does, with every augmented copy
 * as its own puzzle and one group in memory at a time. The folder appears when it is complete. Throws InputError if
 * it exists and is not empty. ARC sets have their own builder (arc-build.ts).
 */
export function writeReferenceFolder(
  out: string,
  sets: { readonly train: Dataset; readonly test: Dataset },
  options: WriteOptions = {},
): WrittenFolder {
  const total = [sets.train, sets.test].reduce((sum, { groupOffsets }) => sum + groupOffsets.length - 1, 0);
  let done = 0;
  const { result, sha256 } = writeNewFolder(out, (unfinished) => {
    const write = (split: 'train' | 'test'): SplitCounts => {
      const set = sets[split];
      if (set.puzzleIds !== 1) throw new Error(`${set.name} has puzzle ids of its own`);
      const groups = set.groupOffsets.length - 1;
      const versions = 1 + (set.augmentation?.copies ?? 0);
      const counts = { groups, puzzles: set.ids.length * versions, examples: set.examples * versions };
      const tokens = { type: options.types?.[split] ?? 'uint8', sequenceLength: set.sequenceLength };
      return writeSplit(unfinished, split, counts, tokens, metadataText(set, counts), (arrays) => {
        for (let group = 0; group < groups; group++) {
          for (const made of puzzlesOf(set, group)) {
            for (const { input, label } of made) arrays.example(input, label);
            arrays.endPuzzle(0);
          }
          arrays.endGroup();
          options.onProgress?.(++done, total);
        }
      });
    };
    const counted = { train: write('train'), test: write('test') };
    unfinished.text('identifiers.json', JSON.stringify(['<blank>']));
    return counted;
  });
  return { ...result, sha256 };
}

/**
 * dataset.json, byte for byte as Python's json.dump writes it. For Sudoku and mazes the reference counts groups as
 * puzzles.
 */
function metadataText(
  { vocabSize, sequenceLength, puzzleIds, labels, ignore }: Dataset,
  { groups, puzzles, examples }: SplitCounts,
): string {
  const mean = puzzles === 0 ? 0 : examples / puzzles;
  const fields: readonly (readonly [string, number | string])[] = [
    ['pad_id', 0],
    ['ignore_label_id', ignore ?? (labels.includes(0) ? 'null' : 0)],
    ['blank_identifier_id', 0],
    ['vocab_size', vocabSize],
    ['seq_len', sequenceLength],
    ['num_puzzle_identifiers', puzzleIds],
    ['total_groups', groups],
    ['mean_puzzle_examples', Number.isInteger(mean) ? mean.toFixed(1) : mean],
    ['total_puzzles', groups],
    ['sets', '["all"]'],
  ];
  return `{${fields.map(([key, value]) => `"${key}": ${value}`).join(', ')}}`;
}

/** All puzzles of a group that training may draw, each original before its copies. */
function* puzzlesOf({ augmentation, ...set }: Dataset, group: number): Generator<readonly Example[]> {
  for (let puzzle = set.groupOffsets[group]!; puzzle < set.groupOffsets[group + 1]!; puzzle++) {
    const first = set.puzzleOffsets[puzzle]!;
    const originals = Array.from({ length: set.puzzleOffsets[puzzle + 1]! - first }, (_, i) =>
      exampleOf({ augmentation, ...set }, first + i),
    );
    yield originals;
    for (let copy = 1; augmentation !== null && copy <= augmentation.copies; copy++) {
      yield originals.map((original) => augmentedCopy(augmentation, original, puzzle, copy));
    }
  }
}

/** Whether a path is a folder in the reference's form. */
export function isReferenceFolder(named: string): boolean {
  return existsSync(path.join(named, 'train', 'dataset.json'));
}
