/** trm-lab solve: thinks about a puzzle of yours and shows the board after every supervision step. */
import { readFileSync, statSync } from 'node:fs';
import { BoardReader } from '../data/board-text.js';
import { readSudokuFile } from '../data/sudoku-file.js';
import { boardOfTokens, boardText } from '../data/sudoku.js';
import { sigmoid } from '../engine/losses.js';
import { InputError } from '../errors.js';
import { given } from '../fields.js';
import { openModel, shippedCheckpoint } from '../experiment/open.js';
import { ownSudoku, type Puzzle } from '../data/puzzle.js';
import type { Engine } from '../engine/engine.js';
import { percentText } from '../report/tables.js';
import type { SudokuBoards } from '../report/cells.js';
import { boardLines, markLegend } from '../report/text-board.js';
import { judgeSudoku, type JudgedThought } from '../train/thoughts.js';
import { think } from '../train/think.js';
import { assumedLine, loadOptions, refuseIdle, usedInAnswers, weightsOption } from './checkpoint-options.js';
import { numberOf, text, type Command, type Out } from './command.js';
import { engineOptions, readEngineOptions } from './engine-options.js';
import { readChanges } from './experiment-options.js';
import { readSearch, searchOptions, solveUntilSure, type Search } from './solve-until-sure.js';
import { plural } from '../words.js';

/** A board with frames and titles has a few hundred characters; with comments it may have more. */
const longestInput = 1_000_000;

export const solve: Command = {
  name: 'solve',
  summary:
    'Solve your own Sudoku, given as text, in a file or on standard input (-). Prints the board after every ' +
    'supervision step that changes it, how sure the model is, and whether the board is legal and right.',
  positionals: '<puzzle | FILE | ->',
  count: [1, 1],
  options: {
    checkpoint: { value: 'FILE', about: 'a model for boards of this size. Default: the shipped one' },
    set: {
      value: 'model.A=V,…',
      about: 'model settings that the file does not state, or that you want to change, e.g. model.latentRecursions=4',
      settings: () => ({ model: usedInAnswers }),
    },
    weights: weightsOption,
    steps: { value: 'N', range: [1, 4096], about: "supervision steps. Default the model's" },
    ...searchOptions,
    ...engineOptions,
  },
  example: 'solve 1.........3..4.2',
  minutes: 'a second',

  async run(args, out) {
    const [named = ''] = args.positionals;
    const written = await writtenPuzzle(named);
    const puzzle = ownSudoku(written);
    const cells = puzzle.question.length;
    const side = Math.sqrt(cells);
    const supervisionSteps = numberOf(args, 'steps');
    const search = readSearch(args);
    const { model = {} } = readChanges(args);
    const opened = await openModel(text(args, 'checkpoint') ?? shippedCheckpoint(cells), readEngineOptions(args), {
      ...loadOptions(args, model),
      cells,
    });
    const { engine, config, notes, assumed } = opened;
    refuseIdle(config, model, args);
    for (const note of notes) out.note(note);
    try {
      if (config.vocabSize !== side + 2)
        throw new InputError(
          `expected a model for ${side}×${side} boards (${side + 2} tokens), ` +
            `got one for ${config.vocabSize} tokens; choose another --checkpoint`,
        );
      out.line(`puzzle ${textOf(puzzle.question)}`);
      show(out, { question: puzzle.question });
      const solved =
        search === undefined
          ? await thinkAloud(engine, puzzle, supervisionSteps, out)
          : await searchAloud(engine, puzzle, supervisionSteps, search, out);
      if (assumed.length > 0) out.line(assumedLine(assumed));
      const [question, solution] = [puzzle.question, puzzle.solution].map(textOf);
      out.result({ assumed, puzzle: question, solution, ...solved });
      return solved.right ? 0 : 1;
    } finally {
      engine.dispose();
    }
  },
};

/** The result of a puzzle, and what --json prints of it. */
interface Solved {
  readonly right: boolean;
  readonly legal: boolean;
  readonly [more: string]: unknown;
}

/** Supervision steps; undefined for the model's own number. */
type Steps = number | undefined;

/** Searches one form after another until the model is sure, and shows the last answer. */
async function searchAloud(
  engine: Engine,
  puzzle: Puzzle,
  supervisionSteps: Steps,
  search: Search,
  out: Out,
): Promise<Solved> {
  const { surest, sure, form, forms, passes } = await solveUntilSure(engine, puzzle, supervisionSteps, search, out);
  show(out, { question: puzzle.question, answer: surest.tokens, solution: puzzle.solution });
  const thought = { step: passes, prediction: surest.tokens, haltProbability: sigmoid(surest.haltLogit) };
  const answer = judgeSudoku(puzzle, puzzle.question, thought);
  const { board, haltProbability, right } = answer;
  if (!right) out.line('! wrong, · empty');
  out.line(`${sure && !right ? 'a false stop, ' : ''}${verdict(answer, puzzle)}`);
  return { right, legal: answer.illegal === null, sure, board, haltProbability, form, forms, passes };
}

/** Thinks about the puzzle as written, and shows the board after every step that changes it. */
async function thinkAloud(engine: Engine, puzzle: Puzzle, supervisionSteps: Steps, out: Out): Promise<Solved> {
  out.line(`after each step: ${markLegend}`);
  const judged: JudgedThought[] = [];
  let before = puzzle.question;
  await think(engine, puzzle.question, {
    ...given({ supervisionSteps }),
    onThought: (thought) => {
      const each = judgeSudoku(puzzle, before, thought);
      if (each.changed.length > 0) {
        for (const line of unchangedLine(judged)) out.line(line);
        out.line(`\nstep ${each.step}: ${judgementText(each)}; ${plural(each.changed.length, 'cell')} changed`);
        show(out, { question: puzzle.question, answer: thought.prediction, before, solution: puzzle.solution });
      }
      judged.push(each);
      before = thought.prediction;
    },
  });
  for (const line of unchangedLine(judged)) out.line(line);
  out.line('');
  const last = judged.at(-1);
  out.line(verdict(last, puzzle));
  return { right: last?.right === true, legal: last?.illegal === null, steps: judged };
}

function textOf(tokens: Int32Array): string {
  return boardText(boardOfTokens(tokens));
}

/** Shows a board, its marks bold on a terminal. */
function show(out: Out, boards: SudokuBoards): void {
  for (const line of boardLines(boards, process.stdout.isTTY)) out.line(line);
}

function verdict(last: JudgedThought | undefined, { solution }: Puzzle): string {
  return last?.right === true
    ? 'right: it agrees with the exact solver, and this is the only solution'
    : `wrong: the only solution is ${textOf(solution)}`;
}

function judgementText({ board, rightCells, illegal, haltProbability }: JudgedThought): string {
  return (
    `${percentText(haltProbability)} sure, ${rightCells} of ${board.length} cells right, ` +
    `${illegal === null ? 'legal' : `not legal (${illegal})`}`
  );
}

/** "steps 4 to 16: no change, 99.1 % sure, …" for final steps without a change; empty if there are none. */
function unchangedLine(judged: readonly JudgedThought[]): string[] {
  const from = judged.reduce((next, { changed }, index) => (changed.length > 0 ? index + 1 : next), 0);
  const [first, last] = [judged[from], judged.at(-1)];
  if (first === undefined || last === undefined) return [];
  const steps = first.step === last.step ? `step ${first.step}` : `steps ${first.step} to ${last.step}`;
  return [`\n${steps}: no change; ${judgementText(last)}`];
}

/** The puzzle as text: the argument itself, or the content of a file or of standard input (-). */
async function writtenPuzzle(named: string): Promise<string> {
  if (named === '-') return boardText(boardOfInput());
  const found = statSync(named, { throwIfNoEntry: false });
  if (found?.isFile() === true) return boardText(await onlyBoard(named));
  if (found !== undefined) {
    const got = found.isDirectory() ? 'a folder' : 'a pipe or a device; give - and send it to standard input';
    throw new InputError(`${named}: expected a Sudoku or a file that holds one, got ${got}`);
  }
  // x is the only letter in a board
  if (/[\\/]|\.[a-wyz]\w*$/i.test(named)) throw new InputError(`file not found: ${named}`);
  return named;
}

/** The board of standard input. */
function boardOfInput(): Uint8Array {
  const input = readFileSync(0, 'utf8');
  if (input.length > longestInput)
    throw new InputError(`standard input: expected one Sudoku, got over ${longestInput} characters`);
  const lines = input.split(/\r?\n/);
  const reader = new BoardReader();
  const [first, second] = lines.flatMap((line, index) => reader.add(line, index + 1));
  reader.end();
  if (first === undefined) throw new InputError('standard input: expected a Sudoku, got none');
  if (second !== undefined) throw new InputError('standard input: expected one Sudoku, got several boards');
  return first.board;
}

/** The board of a file that holds one. */
async function onlyBoard(file: string): Promise<Uint8Array> {
  const boards: Uint8Array[] = [];
  for await (const { question } of readSudokuFile(file, { limit: 2 })) boards.push(question);
  if (boards.length !== 1) throw new InputError(`${file}: expected one Sudoku, got several; give one of them as text`);
  return boards[0]!;
}
