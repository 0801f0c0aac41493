/** Reads maze files in the form of Maze-Hard, and checks that every row is a maze with a shortest path. */
import path from 'node:path';
import { InputError } from '../errors.js';
import { isShortestPath, mazeToken, parseMaze } from './maze.js';
import { findTable, readPuzzleTable, type CellKind } from './puzzle-table.js';
import { reading, startOf } from './text.js';

/** One maze of a file, as token ids. */
export interface MazePuzzle {
  readonly question: Uint8Array;
  readonly answer: Uint8Array;
  /** In Maze-Hard, the number of path cells, S and G included: steps + 1. */
  readonly rating: number | null;
}

/**
 * Mazes of a file, in order, all of one size. Throws InputError with the line number for a maze of another size, a bad
 * character, a path in the question, or an answer that is not a shortest path through the same maze.
 */
export function readMazeFile(file: string, options: MazeFileOptions = {}): AsyncGenerator<MazePuzzle> {
  return reading(file, (text) => mazesOf(text, path.basename(file), options));
}

interface MazeFileOptions {
  readonly side?: number;
  readonly limit?: number;
}

async function* mazesOf(
  text: AsyncGenerator<string>,
  name: string,
  options: MazeFileOptions,
): AsyncGenerator<MazePuzzle> {
  let { side, limit = Infinity } = options; // the first maze decides the side where it is not given
  const { start, from } = await startOf(text);
  const table = findTable(start.split(/\r\n|\n|\r/).slice(0, 1000), mazeCell);
  if (table === undefined)
    throw new InputError(
      `${name}: expected a table with a column of mazes and one of their answers, the mazes with their paths (o); ` +
        'found no such columns in its first lines',
    );
  const mazes = readPuzzleTable(from(table.skip), name, table, ({ question: text, answer: path, rating }) => {
    const question = parseMaze(text);
    if (path === null) throw new InputError('expected an answer, the maze with its path, got nothing');
    const answer = parseMaze(path);
    side ??= Math.sqrt(question.length);
    if (question.length !== side ** 2 || answer.length !== side ** 2)
      throw new InputError(`expected mazes of ${side ** 2} characters, got ${question.length} and ${answer.length}`);
    if (question.includes(mazeToken.path)) throw new InputError("expected a question without a path, got one with 'o'");
    if (!isShortestPath(question, answer))
      throw new InputError(
        'expected an answer that marks a shortest path from S to G through the same maze, got another',
      );
    return { question, answer, rating };
  });
  for await (const maze of mazes) {
    if (limit-- <= 0) return;
    yield maze;
  }
}

/** The kind of a table's cell: a maze with a path is an answer, one without a path a question. */
function mazeCell(cell: string): CellKind {
  if (!/^(?=.*S)(?=.*G)[# SGo]{36,}$/.test(cell) || !Number.isInteger(Math.sqrt(cell.length))) return undefined;
  return cell.includes('o') ? 'answer' : 'question';
}

/** Whether a text holds a maze. */
export function holdsMaze(text: string): boolean {
  return (text.match(/[# SGo]{36,}/g) ?? []).some((cell) => mazeCell(cell) !== undefined);
}

/** All mazes of a file. */
export async function loadMazeFile(file: string, options: MazeFileOptions = {}): Promise<MazePuzzle[]> {
  const mazes: MazePuzzle[] = [];
  for await (const maze of readMazeFile(file, options)) mazes.push(maze);
  return mazes;
}
