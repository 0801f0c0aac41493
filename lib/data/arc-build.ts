/**
 * Builds an ARC data set with all its versions in the reference's on-disk format. It streams: memory holds the
 * originals and the names of all versions.
 */
import { checkNewFolder } from '../user-file.js';
import { arcTokens, augmentedName, gridRows } from './arc.js';
import { arcDataset, type ArcDataset, type ArcSetOptions } from './arc-sets.js';
import { writeNewFolder } from './new-folder.js';
import { writeSplit, type SplitCounts } from './split-arrays.js';

/** Counts and hash of a built data set. */
export interface BuiltArc {
  readonly train: SplitCounts;
  readonly test: SplitCounts;
  /** Puzzle ids, the blank one included. */
  readonly ids: number;
  /** Number of tasks that have all the versions asked for. */
  readonly full: number;
  /** SHA-256 over all files' names and hashes; equal options give equal bytes. */
  readonly sha256: string;
}

/** Progress of a build. */
export interface BuildProgress {
  readonly stage: 'drawing versions' | 'writing train' | 'writing test';
  readonly done: number;
  readonly total: number;
}

/**
 * Writes train/, test/, identifiers.json and test_puzzles.json as the reference's builder does (spec §5.1, §5.5), with
 * ids in order of first appearance after the blank one. The folder appears when it is complete. Throws InputError if it
 * exists and is not empty.
 */
export function buildArc(
  options: ArcSetOptions,
  folder: string,
  onProgress: (progress: BuildProgress) => void = () => undefined,
): BuiltArc {
  checkNewFolder(folder);
  const { train, test } = arcDataset(options);
  const { versions } = train;
  const names = ['<blank>'];
  const firstId = new Map<string, number>();
  let full = 0;
  versions.entries.forEach(({ task }, puzzle) => {
    firstId.set(task.id, names.length);
    const count = versions.count(puzzle);
    if (count > options.augmentations) full++;
    for (let version = 0; version < count; version++)
      names.push(augmentedName(task.id, versions.augmentation(puzzle, version)));
    onProgress({ stage: 'drawing versions', done: puzzle + 1, total: versions.entries.length });
  });

  const { result, sha256 } = writeNewFolder(folder, (out) => {
    const write = (split: 'train' | 'test', { versions, sequenceLength }: ArcDataset): SplitCounts => {
      const { entries } = versions;
      const counts = entries.map((_, puzzle) => versions.count(puzzle));
      const puzzles = counts.reduce((sum, count) => sum + count, 0);
      const examples = entries.reduce((sum, { pairs }, puzzle) => sum + pairs.length * counts[puzzle]!, 0);
      const metadata = {
        pad_id: arcTokens.pad,
        ignore_label_id: arcTokens.pad,
        blank_identifier_id: 0,
        vocab_size: arcTokens.vocabSize,
        seq_len: sequenceLength,
        num_puzzle_identifiers: names.length,
        total_groups: entries.length,
        mean_puzzle_examples: examples / puzzles,
        total_puzzles: puzzles,
        sets: ['all'],
      };
      const tokens = { type: 'uint8', sequenceLength } as const;
      const size = { groups: entries.length, puzzles, examples };
      return writeSplit(out, split, size, tokens, JSON.stringify(metadata), (arrays) => {
        let done = 0;
        entries.forEach(({ task }, group) => {
          for (let version = 0; version < counts[group]!; version++) {
            for (const { input, label } of versions.examples(group, version)) arrays.example(input, label);
            arrays.endPuzzle(firstId.get(task.id)! + version);
            done++;
          }
          arrays.endGroup();
          onProgress({ stage: `writing ${split}`, done, total: puzzles });
        });
      });
    };
    const built = { train: write('train', train), test: write('test', test) };
    out.text('identifiers.json', JSON.stringify(names));
    out.text(
      'test_puzzles.json',
      JSON.stringify(
        Object.fromEntries(
          test.versions.entries.map(({ task }) => [task.id, { train: plain(task.train), test: plain(task.test) }]),
        ),
      ),
    );
    return built;
  });
  return { ...result, ids: names.length, full, sha256 };
}

function plain(pairs: ArcDataset['versions']['entries'][number]['pairs']): unknown {
  return pairs.map(({ input, output }) => ({ input: gridRows(input), output: gridRows(output) }));
}
