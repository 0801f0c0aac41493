// Makes data/sudoku-9x9-public-domain.csv.gz: of the public-domain puzzle bank, the hardest puzzles, no two equivalent.
//   node scripts/data/public-domain-subset.mjs <sudoku_cc0_diabolical_39719.csv.gz>     (two minutes)
import path from 'node:path';
import { linesOf, textOf } from '../../dist/data/text.js';
import { loadSudokuFile, sudokuFileBytes } from '../../dist/data/sudoku-file.js';
import { puzzleClass } from '../../dist/data/sudoku-canonical.js';
import { publicDomainFile } from '../../dist/data/sudoku-sets.js';
import { sudokuGeometry } from '../../dist/data/sudoku.js';
import { projectRoot } from '../../dist/files.js';
import { writeFileAtomic } from '../../dist/write-file.js';

const count = 16_000; // keeps the file under 1.5 MB
const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('expected the path of sudoku_cc0_diabolical_39719.csv.gz');

// The fifth column is the Sukaku Explainer rating of human difficulty, 5.0 to 9.3.
const human = [];
for await (const line of linesOf(textOf(file), file)) human.push(Number(line.split(',')[4]));
const puzzles = (await loadSudokuFile(file)).map((puzzle, i) => ({ puzzle, human: human[i + 1], i }));
puzzles.sort((a, b) => b.human - a.human || b.puzzle.rating - a.puzzle.rating || a.i - b.i);

const geometry = sudokuGeometry(9);
const seen = new Set();
const chosen = [];
for (const { puzzle } of puzzles) {
  const form = puzzleClass(puzzle, geometry);
  if (seen.has(form)) continue;
  seen.add(form);
  chosen.push(puzzle);
  if (chosen.length % 1000 === 0) console.error(`${chosen.length} of ${count}`);
  if (chosen.length === count) break;
}
writeFileAtomic(path.join(projectRoot(), 'data', publicDomainFile), sudokuFileBytes(chosen));
