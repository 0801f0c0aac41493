/** Any file of puzzles as a data set: its kind, its order, its answers; and the forms of what it holds. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { exampleOf, someOf } from '../../lib/data/dataset.js';
import { formsOf, kindOfSet } from '../../lib/data/forms.js';
import { generateMazes } from '../../lib/data/maze-generator.js';
import { isShortestPath, mazeAnswer, mazeText } from '../../lib/data/maze.js';
import { kindOfFile, loadPuzzleFile } from '../../lib/data/puzzle-file.js';
import { relabel } from '../../lib/data/relabelling.js';
import { boardOfTokens, boardText } from '../../lib/data/sudoku.js';
import { InputError } from '../../lib/errors.js';
import { Random } from '../../lib/random.js';
import { newFolder } from '../new-folder.js';

const mazes = await generateMazes(7, 5, 3, new Random(3));

describe('loadPuzzleFile', () => {
  let folder = '';
  beforeEach(() => void (folder = newFolder()));
  const write = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const mazeFile = (): string =>
    write(
      'mazes.csv',
      ['question,answer', ...mazes.map((maze) => `${mazeText(maze)},${mazeText(mazeAnswer(maze))}`), ''].join('\n'),
    );

  it('takes all Sudokus in order, and the exact solver gives the answers that are missing', async () => {
    const file = write('list.txt', '1.........3..4.2\n12433421....3412\n'.replace('3421....', '4321....'));
    const set = await loadPuzzleFile(file);
    assert.deepEqual([set.name, set.examples, set.width, set.vocabSize], ['list.txt', 2, 4, 6]);
    const boards = [0, 1].map((i) => {
      const { input, label } = exampleOf(set, i);
      return [input, label].map((tokens) => boardText(boardOfTokens(tokens)));
    });
    assert.deepEqual(boards, [
      ['1.........3..4.2', '1243432121343412'], // worked by hand
      ['12434321....3412', '1243432121343412'],
    ]);
    assert.equal((await loadPuzzleFile(file, 1)).examples, 1);
    assert.equal(set.note, 'The exact solver answered 2 of the puzzles, which the file does not.');
    const again = write('again.csv', `question,answer\n${'1.........3..4.2,1243432121343412\n'.repeat(3)}`);
    assert.equal((await loadPuzzleFile(again)).note, '2 puzzles of the file stand there before, and count again.');
    assert.equal(kindOfSet(set), 'sudoku');
    assert.equal(formsOf(set).count, Infinity);
  });

  it('takes mazes, whose eight forms are the maze turned and mirrored', async () => {
    const set = await loadPuzzleFile(mazeFile());
    assert.deepEqual([set.examples, set.width, set.alternative?.name], [3, 7, 'valid shortest path']);
    assert.deepEqual(
      mazes.map((_, i) => mazeText(exampleOf(set, i).input)),
      mazes.map(mazeText),
    );
    const forms = formsOf(set);
    assert.equal(forms.count, 8);
    for (let form = 0; form < 8; form++) {
      const turned = forms.draw(form, new Random(0));
      const [question, answer] = [mazes[0]!, mazeAnswer(mazes[0]!)].map((tokens) =>
        relabel(Int32Array.from(tokens), turned),
      ) as [Int32Array, Int32Array];
      assert.ok(isShortestPath(question, answer), String(form));
    }
    const some = someOf(set, [0]);
    assert.deepEqual([kindOfSet(some), some.alternative, some.examples], ['maze', set.alternative, 1]);
    assert.throws(() => formsOf({ ...set, ignore: 0 }), /expected Sudoku puzzles or mazes/);
  });

  it('refuses what has several answers, and what is another kind of task', async () => {
    const task = { train: [{ input: [[1]], output: [[2]] }], test: [{ input: [[1]], output: [[2]] }] };
    const arc = write('task.json', JSON.stringify({ abcd1234: task }));
    mkdirSync(path.join(folder, 'tasks'));
    assert.deepEqual(
      await Promise.all([arc, mazeFile(), path.join(folder, 'tasks')].map(kindOfFile)),
      ['arc', 'maze', 'arc'], // a folder that is not in the reference's form can hold ARC tasks only
    );
    await assert.rejects(loadPuzzleFile(arc), /expected a file of Sudokus or mazes, got ARC tasks/);
    const open = write('open.txt', '1...............\n');
    await assert.rejects(loadPuzzleFile(open), (error: Error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /open.txt, line 1: expected exactly one solution, got several/);
      return true;
    });
    await assert.rejects(loadPuzzleFile(path.join(folder, 'none.txt')), InputError);
  });
});
