/** Statistics of single mazes and of maze sets. */
import { InputError } from '../errors.js';
import { exampleOf, type Dataset } from './dataset.js';
import { kindOfSet } from './forms.js';
import { countShortestPaths, endsOfMaze, mazeAnswer, mazeDistances, mazeText, mazeToken } from './maze.js';
import { meanOf } from './sudoku-numbers.js';

/** One maze in numbers. */
export interface MazeNumbers {
  readonly walls: number;
  /** Steps of a shortest path from S to G. */
  readonly steps: number;
  /** Cells that can be reached from S. */
  readonly reachable: number;
  /** Manhattan distance of S and G. */
  readonly apart: number;
  readonly shortestPaths: number;
}

/** Every maze of a set in numbers. Throws InputError for a set that is not of mazes. */
export function mazeNumbers(dataset: Dataset): MazeNumbers[] {
  checkMazes(dataset);
  return Array.from({ length: dataset.examples }, (_, i) => numbersOfMaze(exampleOf(dataset, i).input));
}

function checkMazes(dataset: Dataset): void {
  const kind = kindOfSet(dataset);
  const { name, vocabSize, width, height } = dataset;
  if (vocabSize !== 6 || width !== height || kind === 'sudoku')
    throw new InputError(`${name}: expected a set of mazes, got ${vocabSize} tokens on ${width} × ${height}`);
}

/** One maze in numbers; token ids. */
export function numbersOfMaze(question: Uint8Array): MazeNumbers {
  const side = Math.sqrt(question.length);
  const { start, goal } = endsOfMaze(question);
  const distances = mazeDistances(question, start);
  return {
    walls: question.reduce((sum, token) => sum + (token === mazeToken.wall ? 1 : 0), 0),
    steps: distances[goal]!,
    reachable: distances.reduce((sum, steps) => sum + (steps >= 0 ? 1 : 0), 0),
    apart: Math.abs(Math.floor(start / side) - Math.floor(goal / side)) + Math.abs((start % side) - (goal % side)),
    shortestPaths: countShortestPaths(question),
  };
}

/** A maze set in one row. */
export function summarizeMazes(dataset: Dataset): Readonly<Record<string, string | number>> {
  const numbers = mazeNumbers(dataset);
  const valuesOf = (key: keyof MazeNumbers): number[] => numbers.map((each) => each[key]);
  const byRule = Array.from({ length: dataset.examples }, (_, i) => exampleOf(dataset, i)).filter(
    ({ input, label }) => mazeText(mazeAnswer(input)) === mazeText(label),
  ).length;
  return {
    set: dataset.name,
    puzzles: dataset.examples,
    cells: dataset.sequenceLength,
    'walls (mean)': meanOf(valuesOf('walls'), 1),
    'steps (mean)': meanOf(valuesOf('steps'), 1),
    'steps (least)': numbers.length === 0 ? '–' : valuesOf('steps').reduce((least, steps) => Math.min(least, steps)),
    'reachable (mean)': meanOf(valuesOf('reachable'), 1),
    'answered by the rule': byRule,
    copies: dataset.augmentation?.copies ?? 0,
    sha256: dataset.sha256.slice(0, 12),
  };
}
