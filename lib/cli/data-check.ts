/**
 * trm-lab data check: checks puzzle files line by line, and folders in the reference's format; counts repeats and shows
 * distributions.
 */
import path from 'node:path';
import { readMazeFile } from '../data/maze-file.js';
import { mazeSetOf } from '../data/maze-sets.js';
import { overlapOf } from '../data/overlap.js';
import { kindOfFile } from '../data/puzzle-file.js';
import { readReferenceFolder } from '../data/reference-format.js';
import { completed, readSudokuFile } from '../data/sudoku-file.js';
import { canonicalSudoku } from '../data/sudoku-canonical.js';
import { boardText, sudokuGeometry } from '../data/sudoku.js';
import { InputError } from '../errors.js';
import { numbersOfMaze } from '../data/maze-numbers.js';
import { checkSet, mazeTokenNames, spreadText, type SetCheck } from '../data/set-check.js';
import { checkArc } from './data-arc.js';
import { choice, type Arguments, type Out } from './command.js';
import { Progress } from '../progress.js';

/** Checks a puzzle file or a folder; the content tells its kind. */
export async function checkData(named: string, args: Arguments, out: Out): Promise<number> {
  const file = path.resolve(named);
  const kind = await kindOfFile(file);
  if (args.options['side'] !== undefined && kind !== 'sudoku')
    throw new InputError(`--side: expected a file of Sudokus, got ${named}, which is checked as ${kind}`);
  if (kind === 'folder') return checkFolder(file, out);
  if (kind === 'arc') return checkArc(file, out);
  return kind === 'maze' ? checkMazes(file, out) : checkSudokus(file, args, out);
}

/** Most Sudokus that are compared up to symmetry, at a third of a millisecond each. */
const mostCompared = 100_000;

/**
 * Checks that every puzzle is legal and has one solution, which equals the file's answer if given. Counts puzzles that
 * are equal or equivalent.
 */
async function checkSudokus(file: string, args: Arguments, out: Out): Promise<number> {
  const name = path.basename(file);
  const asked = choice(args, 'side', ['4', '6', '9']);
  const progress = new Progress();
  const [boards, forms] = [new Set<string>(), new Set<string>()];
  const [ratings, counts]: [number[], number[]] = [[], new Array<number>(10).fill(0)];
  let [givens, solved, unrated, side] = [0, 0, 0, 9];
  const options = asked === undefined ? {} : { side: Number(asked) };
  for await (const entry of readSudokuFile(file, options)) {
    const puzzle = completed(entry);
    side = Math.sqrt(puzzle.question.length);
    if (entry.answer === null) solved++;
    if (entry.rating === null) unrated++;
    ratings.push(puzzle.rating);
    givens += puzzle.question.reduce((count, digit) => count + (digit === 0 ? 0 : 1), 0);
    for (const digit of puzzle.answer) counts[digit]!++;
    boards.add(boardText(puzzle.question));
    if (ratings.length <= mostCompared) forms.add(canonicalSudoku(puzzle, sudokuGeometry(side)));
    progress.update('checking', 'puzzles', ratings.length, Infinity);
  }
  const puzzles = ratings.length;
  const mixed = unrated > 0 && unrated < puzzles;
  if (mixed) {
    ratings.length = 0; // mixed scales: a training on the file would use the solver's ratings for all
    for await (const entry of readSudokuFile(file, options)) {
      ratings.push(completed({ ...entry, rating: null }).rating);
      progress.update('rating', 'puzzles', ratings.length, puzzles);
    }
  }
  const compared = Math.min(puzzles, mostCompared);
  const easy = ratings.filter((rating) => rating === 0).length;
  out.line(
    `${name}: ${puzzles} puzzles of ${side}×${side}, each legal with exactly one solution; ` +
      `${(givens / puzzles).toFixed(1)} givens on average`,
  );
  if (solved > 0) out.line(`${solved} of them without an answer in the file: the exact solver's is used`);
  if (unrated > 0)
    out.line(`${unrated} of them without a rating in the file: ${mixed ? 'all ' : ''}rated by the solver's guesses`);
  out.line(
    `${puzzles - boards.size} repeated, ${compared - forms.size} ` +
      `${compared < puzzles ? `of the first ${compared.toLocaleString('en')} ` : ''}` +
      (side === 9 ? "whose solution is equivalent to another's" : 'equivalent to another'),
  );
  out.line(`rating ${spreadText(ratings)}; ${((100 * easy) / puzzles).toFixed(1)} % need no guess`);
  out.line(
    `digits of the answers, %: ${counts
      .slice(1, side + 1)
      .map((count) => ((100 * count) / (puzzles * side * side)).toFixed(1))
      .join(' ')}`,
  );
  out.result({
    file: name,
    kind: 'sudoku',
    side,
    puzzles,
    solved,
    unrated,
    repeated: puzzles - boards.size,
    compared,
    equivalent: compared - forms.size,
    meanGivens: givens / puzzles,
    meanRating: ratings.reduce((sum, rating) => sum + rating, 0) / puzzles,
  });
  return 0;
}

/** Checks that every line is a maze with a shortest path, and counts those that follow the label rule. */
async function checkMazes(file: string, out: Out): Promise<number> {
  const name = path.basename(file);
  const progress = new Progress();
  const examples: { readonly input: Uint8Array; readonly label: Uint8Array }[] = [];
  for await (const { question, answer } of readMazeFile(file)) {
    examples.push({ input: question, label: answer });
    progress.update('reading', 'mazes', examples.length, Infinity);
  }
  const [first] = examples;
  if (first === undefined) throw new InputError(`${name}: expected at least one maze after the header, got none`);
  const side = Math.sqrt(first.input.length);
  const set = mazeSetOf(examples, side, name);
  const found = checkSet(set, (done, all) => progress.update('checking', 'mazes', done, all));
  const numbers = examples.map(({ input }) => numbersOfMaze(input));
  out.line(
    `${name}: ${found.examples} mazes of ${side}×${side}, each with a shortest path; ` +
      `${found.examples - (found.againstRule ?? 0)} of them follow the label rule (down, left, right, up)`,
  );
  out.line(
    `${found.repeated} repeated, ${found.equivalent} equal to another up to turning and mirroring; ` +
      `${numbers.filter(({ shortestPaths }) => shortestPaths === 1).length} with only one shortest path`,
  );
  for (const [what, key] of [
    ['steps from S to G', 'steps'],
    ['walls', 'walls'],
    ['cells within reach', 'reachable'],
  ] as const)
    out.line(`${what}: ${spreadText(numbers.map((each) => each[key]))}`);
  out.line(`cells of the answers, %: ${shares(found.labelShares, mazeTokenNames)}`);
  out.result({ file: name, ...found });
  return 0;
}

/** Checks both splits of a folder in the reference's format, example by example, and what they share. */
function checkFolder(folder: string, out: Out): number {
  const { train, test } = readReferenceFolder(folder);
  const progress = new Progress();
  const found = [train, test].map((set) =>
    checkSet(set, (done, total) => progress.update(`checking ${set.name}`, 'examples', done, total)),
  );
  /** 9×9 Sudokus are compared by their solutions; only Sudokus and mazes have forms. */
  const likeness = (kind: SetCheck['kind'], count: number, other: string): string =>
    kind === 'other'
      ? ''
      : kind === 'sudoku' && train.width === 9
        ? `, ${count} have a solution equivalent to that of ${other}`
        : `, ${count} are equivalent to ${other}`;
  const overlap = overlapOf(train, test, (done, total) => progress.update('comparing', 'puzzles', done, total));
  for (const {
    set,
    kind,
    groups,
    puzzles,
    examples,
    repeated,
    equivalent,
    severalSolutions,
    againstRule,
    labelShares,
  } of found) {
    out.line(
      `${set}: ${groups} groups, ${puzzles} puzzles, ${examples} ` +
        `examples${kind === 'other' ? '' : ', every answer right'}; ${repeated} groups repeat another` +
        likeness(kind, equivalent, 'another'),
    );
    if (severalSolutions !== null) out.line(`  ${severalSolutions} questions have several solutions`);
    if (againstRule !== null) out.line(`  ${againstRule} answers do not follow the label rule`);
    out.line(`  tokens of the answers, %: ${shares(labelShares, kind === 'maze' ? mazeTokenNames : [])}`);
  }
  const { 'in the training set': same, 'there in disguise': shared } = overlap;
  out.line(
    `${same} of ${test.examples} test puzzles are in the training set` +
      likeness(found[1]!.kind, shared, 'a training puzzle'),
  );
  out.result({ sets: found, same, shared });
  return 0;
}

function shares(values: readonly number[], names: readonly string[]): string {
  return values
    .flatMap((share, token) => (share === 0 ? [] : [`${names[token] ?? token} ${(100 * share).toFixed(1)}`]))
    .join(', ');
}
