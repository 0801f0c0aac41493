/** Loads any file of puzzles as a data set: recognises its kind and reads its puzzles in order. */
import path from 'node:path';
import { InputError } from '../errors.js';
import { checkCounts, given } from '../fields.js';
import { userFile } from '../files.js';
import { isFolder } from '../user-file.js';
import type { Dataset } from './dataset.js';
import { mazeAnswer, mazeText } from './maze.js';
import { holdsMaze, loadMazeFile } from './maze-file.js';
import { mazeSetOf } from './maze-sets.js';
import { isReferenceFolder } from './reference-format.js';
import { completed, readSudokuFile, type SudokuPuzzle } from './sudoku-file.js';
import { sudokuSetOf } from './sudoku-sets.js';
import { firstText } from './text.js';
import { plural } from '../words.js';

/** The kind of a file: JSON is ARC, rows of '#' with S and G are mazes, and anything else must be Sudokus. */
export async function kindOfFile(file: string): Promise<'sudoku' | 'maze' | 'arc' | 'folder'> {
  if (isFolder(file)) return isReferenceFolder(file) ? 'folder' : 'arc';
  const start = await firstText(file);
  const isJson = /^\s*[{[]\s*(["{}[\]]|$)/.test(start) && !/^\s*\[\s*\[\s*\d/.test(start);
  // Sudokus as JSON are read by nothing here, but their reader says so.
  if (isJson && !/"(question|puzzle|quiz|sudoku|board)\w*"\s*:/i.test(start)) return 'arc';
  return holdsMaze(start) ? 'maze' : 'sudoku';
}

/**
 * The Sudokus or mazes of a file, or the first `limit`, in order and unchanged. The exact solver gives answers that a
 * file of Sudokus lacks. The set's note counts these answers, and repeated puzzles. Throws InputError for a damaged
 * file, a Sudoku without exactly one solution, and ARC tasks and folders, which need a task instead.
 */
export async function loadPuzzleFile(named: string, limit?: number): Promise<Dataset> {
  const options = given({ limit });
  checkCounts(options);
  const file = userFile(named);
  const [name, kind] = [path.basename(file), await kindOfFile(file)];
  if (kind === 'maze') {
    const mazes = (await loadMazeFile(file, options)).map(({ question, answer }) => ({
      input: question,
      label: answer,
    }));
    const [first] = mazes;
    if (first === undefined) throw new InputError(`${name}: expected at least one maze after the header, got none`);
    const set = mazeSetOf(mazes, Math.sqrt(first.input.length), name);
    const others = mazes.filter(({ input, label }) => mazeText(mazeAnswer(input)) !== mazeText(label)).length;
    const notes = [
      others === 0
        ? ''
        : `Answers that are another shortest path than this kit's rule picks: ${others} of ${mazes.length}. ` +
          "exact counts the file's path only.",
      repeatedNote(mazes.map(({ input }) => input)),
    ];
    return { ...set, note: notes.filter((each) => each !== '').join(' ') };
  }
  if (kind !== 'sudoku')
    throw new InputError(
      `${name}: expected a file of Sudokus or mazes, got ${kind === 'arc' ? 'ARC tasks' : 'a folder'}`,
    );
  const puzzles: SudokuPuzzle[] = [];
  let unanswered = 0;
  for await (const entry of readSudokuFile(file, options)) {
    puzzles.push(completed(entry));
    unanswered += entry.answer === null ? 1 : 0;
  }
  const [first] = puzzles;
  if (first === undefined) throw new InputError(`${name}: expected at least one Sudoku, got none`);
  const notes = [
    unanswered === 0 ? '' : `The exact solver answered ${unanswered} of the puzzles, which the file does not.`,
    repeatedNote(puzzles.map(({ question }) => question)),
  ];
  const note = notes.filter((each) => each !== '').join(' ');
  return sudokuSetOf(puzzles, Math.sqrt(first.question.length), { name, note, augmentation: null });
}

function repeatedNote(questions: readonly Uint8Array[]): string {
  const repeated = questions.length - new Set(questions.map((question) => question.join(''))).size;
  return repeated === 0 ? '' : `${plural(repeated, 'puzzle')} of the file stand there before, and count again.`;
}
