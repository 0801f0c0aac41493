/** Maze files in the form of Maze-Hard: what must hold of a line for it to be a maze with a shortest path. */
import { InputError } from '../errors.js';
import { isShortestPath, mazeToken, parseMaze } from './maze.js';
import { readPuzzleCsv } from './puzzle-csv.js';

/** One maze as files hold it, token ids. */
export interface MazePuzzle {
  readonly source: string;
  readonly question: Uint8Array;
  readonly answer: Uint8Array;
  /** In Maze-Hard the cells of the path, S and G included: steps + 1. */
  readonly rating: number;
}

/**
 * Mazes of a file, in order, all of one size. Throws InputError with the line number for a maze of another size, a bad
 * character, a path in the question, or an answer that is not a shortest path through the same maze.
 */
export function readMazeCsv(
  file: string,
  options: { readonly side?: number; readonly limit?: number } = {},
): AsyncGenerator<MazePuzzle> {
  let side = options.side; // the first maze decides where it is not given
  return readPuzzleCsv(
    file,
    ({ source, question: questionText, answer: answerText, rating }) => {
      const question = parseMaze(questionText);
      const answer = parseMaze(answerText);
      side ??= Math.sqrt(question.length);
      if (question.length !== side ** 2 || answer.length !== side ** 2)
        throw new InputError(`expected mazes of ${side ** 2} characters, got ${question.length} and ${answer.length}`);
      if (question.includes(mazeToken.path))
        throw new InputError("expected a question without a path, got one with 'o'");
      if (!isShortestPath(question, answer))
        throw new InputError(
          'expected an answer that marks a shortest path from S to G through the same maze, got another',
        );
      return { source, question, answer, rating };
    },
    options.limit,
  );
}

/** All mazes of a file. */
export async function loadMazeCsv(
  file: string,
  options: { readonly side?: number; readonly limit?: number } = {},
): Promise<MazePuzzle[]> {
  const mazes: MazePuzzle[] = [];
  for await (const maze of readMazeCsv(file, options)) mazes.push(maze);
  return mazes;
}
