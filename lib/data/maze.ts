/**
 * Mazes: text and tokens, distances and shortest paths, the label rule of Maze-Hard's answers, and symmetries.
 */
import { InputError } from '../errors.js';
import type { Example } from './example.js';
import { turnGrid } from './grid.js';

/** Token ids of a maze (spec §5.1); 0 is padding and never occurs. */
export const mazeToken = { wall: 1, free: 2, start: 3, goal: 4, path: 5 } as const;

/** V: token ids are 0 … 5. */
export const mazeVocabulary = 6;

/** Characters of maze files, indexed by token id. */
const characters = '\0# SGo';

/** Reads a maze written row by row. Throws InputError for a text that is not square, or for another character. */
export function parseMaze(text: string): Uint8Array {
  const side = Math.sqrt(text.length);
  if (!Number.isInteger(side) || side < 2)
    throw new InputError(`maze: expected a square number of characters, got ${text.length}`);
  return Uint8Array.from(text, (character, i) => {
    const token = characters.indexOf(character);
    if (token < 1)
      throw new InputError(
        `maze: expected '#', ' ', 'S', 'G' or 'o', ` +
          `got ${JSON.stringify(character)} at row ${Math.floor(i / side) + 1}, column ${(i % side) + 1}`,
      );
    return token;
  });
}

/** A maze as text, row by row. */
export function mazeText(tokens: Uint8Array): string {
  return String.fromCharCode(...tokens.map((token) => characters.charCodeAt(token)));
}

/** Where a maze starts and ends. Throws InputError unless it has exactly one S and one G. */
export function endsOfMaze(tokens: ArrayLike<number>): { readonly start: number; readonly goal: number } {
  const found = { start: -1, goal: -1 };
  for (const end of ['start', 'goal'] as const) {
    for (let cell = 0; cell < tokens.length; cell++) {
      if (tokens[cell] !== mazeToken[end]) continue;
      if (found[end] >= 0) throw new InputError(`maze: expected one ${characters[mazeToken[end]]}, got several`);
      found[end] = cell;
    }
    if (found[end] < 0) throw new InputError(`maze: expected one ${characters[mazeToken[end]]}, got none`);
  }
  return found;
}

const neighboursBySide = new Map<number, Int32Array>();

/**
 * The neighbours of every cell, [4 · cells], in the label rule's order: down, left, right, up; −1 beyond the edge.
 */
export function mazeNeighbours(side: number): Int32Array {
  let table = neighboursBySide.get(side);
  if (table === undefined) {
    table = new Int32Array(4 * side * side);
    for (let cell = 0; cell < side * side; cell++) {
      const [row, column] = [Math.floor(cell / side), cell % side];
      table.set(
        [
          row + 1 < side ? cell + side : -1,
          column > 0 ? cell - 1 : -1,
          column + 1 < side ? cell + 1 : -1,
          row > 0 ? cell - side : -1,
        ],
        4 * cell,
      );
    }
    neighboursBySide.set(side, table);
  }
  return table;
}

/** Steps from a cell to every other by breadth-first search, [cells]; −1 where there is no path. */
export function mazeDistances(tokens: ArrayLike<number>, from: number): Int32Array {
  const distances = new Int32Array(tokens.length);
  walkMaze(tokens, mazeNeighbours(Math.sqrt(tokens.length)), from, distances, new Int32Array(tokens.length));
  return distances;
}

/**
 * As mazeDistances, into the caller's buffers. Returns the number of cells reached, which stand at the start of
 * `queue`, nearest first.
 */
function walkMaze(
  tokens: ArrayLike<number>,
  neighbours: Int32Array,
  from: number,
  distances: Int32Array,
  queue: Int32Array,
): number {
  distances.fill(-1);
  distances[from] = 0;
  queue[0] = from;
  let reached = 1;
  for (let head = 0; head < reached; head++) {
    const cell = queue[head]!;
    const next = distances[cell]! + 1;
    for (let way = 4 * cell; way < 4 * cell + 4; way++) {
      const neighbour = neighbours[way]!;
      if (neighbour < 0 || distances[neighbour]! >= 0 || tokens[neighbour] === mazeToken.wall) continue;
      distances[neighbour] = next;
      queue[reached++] = neighbour;
    }
  }
  return reached;
}

/**
 * The answer of a maze: a shortest path from S to G. Of several, Maze-Hard's label rule takes the one that goes, from S
 * on, to the first neighbour that is one step nearer to G, in the order down, left, right, up. Path cells of the
 * question count as free. Throws InputError if there is no path from S to G, or not one S and one G.
 */
export function mazeAnswer(question: Uint8Array): Uint8Array {
  const { start, goal } = endsOfMaze(question);
  const toGoal = mazeDistances(question, goal);
  if (toGoal[start]! < 0) throw new InputError('maze: expected a way from S to G, got none');
  const neighbours = mazeNeighbours(Math.sqrt(question.length));
  const answer = question.map((token) => (token === mazeToken.path ? mazeToken.free : token));
  for (let cell = start; toGoal[cell]! > 1; ) {
    for (let way = 4 * cell; way < 4 * cell + 4; way++) {
      const neighbour = neighbours[way]!;
      if (neighbour < 0 || toGoal[neighbour] !== toGoal[cell]! - 1) continue;
      cell = neighbour;
      break;
    }
    answer[cell] = mazeToken.path;
  }
  return answer;
}

/** How many shortest paths lead from S to G; exact below 2⁵³. */
export function countShortestPaths(question: Uint8Array): number {
  const { start, goal } = endsOfMaze(question);
  const neighbours = mazeNeighbours(Math.sqrt(question.length));
  const distances = new Int32Array(question.length);
  const queue = new Int32Array(question.length);
  const reached = walkMaze(question, neighbours, start, distances, queue);
  const ways = new Float64Array(question.length);
  ways[start] = 1;
  for (const cell of queue.subarray(0, reached)) {
    for (let way = 4 * cell; way < 4 * cell + 4; way++) {
      const neighbour = neighbours[way]!;
      if (neighbour >= 0 && distances[neighbour] === distances[cell]! + 1) ways[neighbour]! += ways[cell]!;
    }
  }
  return ways[goal]!;
}

/**
 * Whether an answer marks any shortest path from S to G: walls, S and G are as in the question, and the path cells are
 * exactly one shortest path over free cells. Exact match, in contrast, accepts only one of the shortest paths.
 */
export function isShortestPath(question: ArrayLike<number>, answer: ArrayLike<number>): boolean {
  let marked = 0;
  for (let cell = 0; cell < question.length; cell++) {
    const [asked, given] = [question[cell], answer[cell]];
    if (asked === mazeToken.free || asked === mazeToken.path) {
      if (given === mazeToken.path) marked++;
      else if (given !== mazeToken.free) return false;
    } else if (given !== asked) return false;
  }
  const { start, goal } = endsOfMaze(question);
  const shortest = mazeDistances(question, start)[goal]!;
  if (shortest < 1 || marked !== shortest - 1) return false; // with so few cells, any path from S to G uses all of them
  const onlyMarked = Uint8Array.from(answer, (token) => (token === mazeToken.free ? mazeToken.wall : token));
  return mazeDistances(onlyMarked, start)[goal] === shortest;
}

/** A maze in another orientation (ids of spec §5.4), with a new answer: the turned one would break the label rule. */
export function turnMaze({ input }: Example, id: number): Example {
  const side = Math.sqrt(input.length);
  const { cells } = turnGrid({ rows: side, columns: side, cells: input }, id);
  return { input: cells, label: mazeAnswer(cells) };
}

/** A text that is the same for all eight orientations of a maze: the smallest of their texts. */
export function canonicalMaze(question: Uint8Array): string {
  const side = Math.sqrt(question.length);
  const images = Array.from({ length: 8 }, (_, id) =>
    mazeText(turnGrid({ rows: side, columns: side, cells: question }, id).cells),
  );
  return images.reduce((least, image) => (image < least ? image : least));
}
