// Draws figures/maze-distributions: our hundred shipped mazes beside the test set of Maze-Hard,
// read from where TRM_DATA points.
//   node scripts/data/maze-distributions.mjs     (seconds)
import path from 'node:path';
import { experiment, loadTask, projectRoot, saveFigure } from '../../dist/index.js';
import { mazeNumbers, numbersOfMaze } from '../../dist/data/maze-numbers.js';
import { mazeDistributions } from '../../dist/report/mazes.js';
import { loadMazeFile } from '../../dist/data/maze-file.js';

const { test } = await loadTask(experiment('maze-hard-paper').task);
const ours = await loadMazeFile(path.join(projectRoot(), 'data', 'maze-30x30-generated.csv.gz'));
const samples = [
  { name: 'real mazes (Maze-Hard, test)', mazes: mazeNumbers(test) },
  { name: 'generated ones', mazes: ours.map(({ question }) => numbersOfMaze(question)) },
];
console.log(await saveFigure('maze-distributions', mazeDistributions(samples), 'figures'));
