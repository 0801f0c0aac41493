/** trm-lab data: what data sets an experiment uses, and whether a file of puzzles is sound. */
import path from 'node:path';
import { linesOf } from '../data/lines.js';
import { readSudokuCsv } from '../data/sudoku-csv.js';
import { puzzleClass } from '../data/sudoku-sets.js';
import { boardText, sudokuGeometry } from '../data/sudoku.js';
import { InputError } from '../errors.js';
import { loadTask } from '../experiment/task.js';
import { summarizeSudokus, sudokuOverlap } from '../report/puzzles.js';
import { arcBuildOptions, buildArcSet, checkArcFile, showArc } from './data-arc.js';
import { choice, type Arguments, type Command, type Out } from './command.js';
import { experimentOptions, readExperiment } from './experiment-options.js';
import { TerminalProgress } from './progress.js';

export const dataCommand: Command = {
  name: 'data',
  summary: "Show an experiment's data sets and their overlap, or check a file of puzzles line by line, or build an ARC set in the reference's format.",
  positionals: '<show | check FILE | build arc1|arc2>',
  count: [1, 2],
  options: { ...experimentOptions, side: { type: 'string', value: 'N', about: 'check: boards of 4, 6 or 9 a side. Default 9' }, ...arcBuildOptions },
  example: 'trm-lab data check data/sudoku-9x9-public-domain.csv.gz',
  minutes: 'half a minute',

  async run(args, out) {
    const [verb, file] = args.positionals;
    if (verb === 'show' && file === undefined) return show(args, out);
    if (verb === 'check' && file !== undefined) return /\.json(\.gz)?$/.test(file) ? checkArcFile(file, out) : check(file, args, out);
    if (verb === 'build' && (file === 'arc1' || file === 'arc2')) return buildArcSet(file, args, out);
    throw new InputError(`trm-lab data: expected show, check FILE, or build arc1|arc2, got ${args.positionals.join(' ')}`);
  },
};

async function show(args: Arguments, out: Out): Promise<number> {
  const { task } = readExperiment(args);
  const data = await loadTask(task);
  if (task.kind === 'arc') return showArc(data, out);
  const { train, test, validation } = data;
  const sets = [train, test, validation].filter(({ examples }) => examples > 0);
  for (const set of sets) out.line(Object.entries(summarizeSudokus(set)).map(([key, value]) => `${key} ${value}`).join(' · '));
  const overlaps = sets.slice(1).map((set) => sudokuOverlap(train, set));
  for (const overlap of overlaps) out.line(Object.entries(overlap).map(([key, value]) => `${key} ${value}`).join(' · '));
  if (train.note !== '') out.line(train.note);
  out.result({ sets: sets.map(summarizeSudokus), overlaps });
  return 0;
}

/** Every line must be a legal puzzle with exactly one solution; puzzles that are the same or equivalent are counted. */
async function check(file: string, args: Arguments, out: Out): Promise<number> {
  const side = Number(choice(args, 'side', ['4', '6', '9']) ?? '9');
  const geometry = sudokuGeometry(side);
  const progress = new TerminalProgress();
  const boards = new Set<string>();
  const forms = new Set<string>();
  let total = -1; // the header is no puzzle
  for await (const line of linesOf(path.resolve(file))) if (line !== '') total++;
  let puzzles = 0;
  let givens = 0;
  for await (const puzzle of readSudokuCsv(path.resolve(file), { side, unique: true })) {
    puzzles++;
    givens += puzzle.question.reduce((count, digit) => count + (digit === 0 ? 0 : 1), 0);
    boards.add(boardText(puzzle.question));
    forms.add(puzzleClass(puzzle, geometry));
    progress.update('checking', 'puzzles', puzzles, total);
  }
  progress.end();
  if (puzzles === 0) throw new InputError(`${path.basename(file)}: expected at least one puzzle after the header, got none`);
  out.line(`${path.basename(file)}: ${puzzles} puzzles, each legal with exactly one solution; ${(givens / puzzles).toFixed(1)} givens on average`);
  out.line(`${puzzles - boards.size} repeated, ${puzzles - forms.size} ${side === 4 ? 'repeated' : 'equivalent to another'}`);
  out.result({ file: path.basename(file), puzzles, repeated: puzzles - boards.size, equivalent: puzzles - forms.size, meanGivens: givens / puzzles });
  return 0;
}
