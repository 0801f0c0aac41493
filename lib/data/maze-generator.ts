/** Generates mazes by seed with the distribution of Maze-Hard: random walls, S and G far apart. */
import { InputError } from '../errors.js';
import { turn } from '../progress.js';
import type { Random } from '../random.js';
import { canonicalMaze, mazeNeighbours, mazeToken } from './maze.js';

/**
 * Maze-Hard's least number of steps from S to G, 109 at 30×30, scaled to other sizes: paths through random mazes near
 * the percolation threshold grow as side^1.13 (the shortest-path dimension), not as the side.
 */
export function hardDistance(side: number): number {
  return Math.round(109 * (side / 30) ** 1.13);
}

/**
 * Factor on the acceptance weights, so that fewer tries are rejected. A weight above 1 is clipped, which makes grids
 * with few free cells, most of them far, too rare. None is clipped at 10×10 from 20 steps or 30×30 from 109; in small
 * mazes with short paths, the probability lost is 0.01 % at 7×7 from 8 steps, 3.4 % at 7×7 from 3, 14.5 % at 6×6 from
 * 1. A lower value would clip less but draw other mazes than those on record.
 */
const raise = 0.9;

/**
 * One maze (token ids, no path), with the distribution, except for what `raise` clips, of this rejection sampling: p
 * uniform on 0.25 … 0.5; every cell a wall with probability p; S and G any two different free cells; kept if they are
 * at least `leastDistance` steps apart. The order of draws is quicker, and a weight corrects for it: S is any cell;
 * walls are drawn where the search from S arrives, and elsewhere only if it gets far enough, which is rare. A grid with
 * F free cells, n of them far enough, is then kept with probability proportional to n / (F (F − 1)), and G is any of
 * the n. Undefined after `tries` grids without a maze.
 */
export function generateMaze(
  side: number,
  leastDistance: number,
  random: Random,
  tries = 10_000_000,
): Uint8Array | undefined {
  const cells = side * side;
  const neighbours = mazeNeighbours(side);
  const maze = new Uint8Array(cells); // 0 where nothing is drawn yet
  const distances = new Int32Array(cells);
  const queue = new Int32Array(cells);
  let [bits, left] = [0, 0];
  const sixteenBits = (): number => {
    if (left === 0) [bits, left] = [random.uint32(), 2];
    else bits >>>= 16;
    left--;
    return bits & 0xffff;
  };
  for (let attempt = 0; attempt < tries; attempt++) {
    const threshold = 0x4000 + random.integer(0x4000); // p · 2¹⁶
    const start = random.integer(cells);
    if (sixteenBits() < threshold) continue; // S itself would be a wall
    maze.fill(0);
    maze[start] = mazeToken.start;
    distances[start] = 0;
    queue[0] = start;
    let reached = 1;
    for (let head = 0; head < reached; head++) {
      const cell = queue[head]!;
      for (let way = 4 * cell; way < 4 * cell + 4; way++) {
        const neighbour = neighbours[way]!;
        if (neighbour < 0 || maze[neighbour] !== 0) continue; // beyond the edge, or already drawn
        if (sixteenBits() < threshold) {
          maze[neighbour] = mazeToken.wall;
          continue;
        }
        maze[neighbour] = mazeToken.free;
        distances[neighbour] = distances[cell]! + 1;
        queue[reached++] = neighbour;
      }
    }
    if (distances[queue[reached - 1]!]! < leastDistance) continue; // the farthest is last
    let free = 0;
    for (let cell = 0; cell < cells; cell++) {
      if (maze[cell] === 0) maze[cell] = sixteenBits() < threshold ? mazeToken.wall : mazeToken.free;
      if (maze[cell] !== mazeToken.wall) free++;
    }
    let first = reached - 1;
    while (first > 0 && distances[queue[first - 1]!]! >= leastDistance) first--;
    const far = reached - first;
    if (random.uniform() >= (raise * far * cells) / (free * (free - 1))) continue;
    maze[queue[first + random.integer(far)]!] = mazeToken.goal;
    return maze;
  }
  return undefined;
}

/**
 * Mazes of which no two are equal up to turning and mirroring, so that no split of them leaks. Maze i depends on the
 * seed and i only, not on `count`. `onProgress` is called after each try. Throws InputError if too few are found.
 */
export async function generateMazes(
  side: number,
  leastDistance: number,
  count: number,
  random: Random,
  onProgress?: (done: number, total: number) => void,
): Promise<Uint8Array[]> {
  const mazes: Uint8Array[] = [];
  const seen = new Set<string>();
  for (let i = 0; mazes.length < count; i++) {
    // 3,000,000 grids before giving up: 50 times what a 30×30 maze takes.
    const maze = i > 20 * count + 1000 ? undefined : generateMaze(side, leastDistance, random.fork(i), 3_000_000);
    if (maze === undefined)
      throw new InputError(
        `mazes of ${side}×${side}: expected to find ${count} with ${leastDistance} steps or more from S to G, ` +
          `found ${mazes.length}; ask for fewer or shorter ones`,
      );
    const form = canonicalMaze(maze);
    if (!seen.has(form)) mazes.push(maze);
    seen.add(form);
    onProgress?.(mazes.length, count);
    await turn();
  }
  return mazes;
}
