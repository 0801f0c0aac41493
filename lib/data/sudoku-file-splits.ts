/** Splits a file of Sudokus into training, test and validation puzzles by seed, equivalent puzzles in one split. */
import path from 'node:path';
import { InputError } from '../errors.js';
import { userFile } from '../files.js';
import { turn } from '../progress.js';
import { Random } from '../random.js';
import { puzzleClass } from './sudoku-canonical.js';
import { completed, readSudokuFile, type SudokuEntry, type SudokuPuzzle } from './sudoku-file.js';
import { boardText, sudokuGeometry } from './sudoku.js';
import { sizeOfAll, type Splits, type SplitSizes } from './splits.js';

/** The fields of SudokuSetOptions that a split needs. */
interface FileSplitOptions extends SplitSizes {
  readonly side: number;
  readonly file?: string;
  readonly minDifficulty: number;
  readonly seed: number;
}

/** Most puzzles of a file that are compared up to symmetry, which takes about a third of a millisecond each. */
const mostCompared = 1_000_000;

/**
 * A file's puzzles, drawn by the seed. Puzzles that are equivalent by symmetry go to one split, so that no test puzzle
 * is equivalent to a training puzzle. Ratings are the file's, or the solver's for all puzzles if any has none.
 */
export async function fileSplits(
  options: FileSplitOptions,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<Splits<readonly SudokuPuzzle[]>> {
  const { side, file = '', trainPuzzles, testPuzzles, validationPuzzles, minDifficulty, seed } = options;
  const name = path.basename(file);
  const entries = new PackedEntries(name, side ** 2);
  for await (const entry of readSudokuFile(userFile(file), { side })) {
    entries.add(entry);
    onProgress(entries.count, Infinity);
  }
  if (testPuzzles === 0 && entries.count > mostCompared)
    throw new InputError(
      `${name}: expected at most ${mostCompared.toLocaleString('en')} puzzles for task.testPuzzles=0, which means ` +
        `all, got ${entries.count.toLocaleString('en')}; say how many`,
    );
  const wanted = testPuzzles === 0 ? Infinity : sizeOfAll(options);
  const boards = new Set<string>();
  const classes = new Map<string, number[]>();
  let [repeated, easy, compared] = [0, 0, 0];
  for (const i of new Random(seed).fork('sudoku file').permutation(entries.count)) {
    onProgress(compared, entries.count);
    await turn();
    if (classes.size >= wanted || compared === mostCompared) break; // enough classes
    compared++;
    const entry = entries.at(i);
    const board = boardText(entry.question);
    if (boards.has(board)) {
      repeated++;
      continue;
    }
    boards.add(board);
    const puzzle = completed(entry);
    if (puzzle.rating < minDifficulty) {
      easy++;
      continue;
    }
    const form = puzzleClass(puzzle, sudokuGeometry(side));
    const others = classes.get(form);
    if (others === undefined) classes.set(form, [i]);
    else others.push(i);
  }
  onProgress(compared, compared);
  const left = [...classes.values()];
  let next = 0;
  const take = (count: number): SudokuPuzzle[] => {
    const taken: number[] = [];
    while (taken.length < count && next < left.length) for (const i of left[next++]!) taken.push(i);
    return taken.slice(0, count).map((i) => completed(entries.at(i)));
  };
  const [train, validation] = [take(trainPuzzles), take(validationPuzzles)];
  const test = take(testPuzzles === 0 ? Infinity : testPuzzles);
  const least = Math.max(1, testPuzzles);
  if (train.length < trainPuzzles || validation.length < validationPuzzles || test.length < least)
    throw new InputError(
      `${name}: expected ${trainPuzzles} training, ${validationPuzzles} validation and ${least} test puzzles, ` +
        `got ${train.length}, ${validation.length} and ${test.length} of ${compared}: ` +
        `${repeated} repeat another, ${easy} are rated under ${minDifficulty}, and symmetric ones stay together; ` +
        'set task.trainPuzzles, task.validationPuzzles and task.testPuzzles to fewer',
    );
  return { train, validation, test };
}

/** A file's entries in a few large arrays: millions of small ones would fill JavaScript's heap. */
class PackedEntries {
  count = 0;
  /** Blocks of `#perBlock` puzzles, each a question and its answer; a missing answer is all blanks. */
  readonly #blocks: Uint8Array[] = [];
  readonly #perBlock = 1 << 14;
  readonly #lines: number[] = [];
  readonly #ratings: number[] = [];
  #rated = true;

  constructor(
    readonly name: string,
    readonly cells: number,
  ) {}

  add({ line, question, answer, rating }: SudokuEntry): void {
    if (this.count % this.#perBlock === 0) this.#blocks.push(new Uint8Array(2 * this.cells * this.#perBlock));
    this.#lines.push(line);
    this.#ratings.push(rating ?? NaN);
    this.#rated &&= rating !== null;
    const boards = this.#boards(this.count++);
    boards.set(question);
    if (answer !== null) boards.set(answer, this.cells);
  }

  /** Entry i; its rating is null unless every entry has one. */
  at(i: number): SudokuEntry {
    const boards = this.#boards(i);
    const [question, answer] = [boards.slice(0, this.cells), boards.slice(this.cells)];
    const [line, rating] = [this.#lines[i]!, this.#ratings[i]!];
    return {
      where: `${this.name}, line ${line}`,
      line,
      source: '',
      question,
      answer: answer.includes(0) ? null : answer,
      rating: this.#rated ? rating : null,
    };
  }

  #boards(i: number): Uint8Array {
    const size = 2 * this.cells;
    const at = (i % this.#perBlock) * size;
    return this.#blocks[Math.floor(i / this.#perBlock)]!.subarray(at, at + size);
  }
}
