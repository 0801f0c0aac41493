/** trm-lab data as a user meets it, run in this process: build, check, import, get. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readArguments } from '../../lib/cli/command.js';
import { dataCommand } from '../../lib/cli/data.js';
import { ungrouped, type Dataset } from '../../lib/data/dataset.js';
import { generateMazes } from '../../lib/data/maze-generator.js';
import { mazeAnswer, mazeText } from '../../lib/data/maze.js';
import { writeReferenceFolder } from '../../lib/data/reference-format.js';
import { solveSudoku } from '../../lib/data/sudoku-solver.js';
import { parseBoard, sudokuGeometry, tokensOfBoard } from '../../lib/data/sudoku.js';
import { InputError } from '../../lib/errors.js';
import { Random } from '../../lib/random.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

async function run(...argv: string[]): Promise<{ readonly lines: string[]; readonly result: Record<string, unknown> }> {
  const lines: string[] = [];
  let result: unknown;
  assert.equal(
    await dataCommand.run(readArguments(dataCommand, argv), {
      json: false,
      line: (text) => void lines.push(text),
      result: (value) => (result = value),
      note: () => undefined,
    }),
    0,
  );
  return { lines, result: result as Record<string, unknown> };
}

describe('trm-lab data', () => {
  let folder = '';
  beforeEach(() => void (folder = newFolder()));

  it('builds the same bytes from one seed and others from another, and what it built is sound', async () => {
    for (const [kind, options] of [
      ['maze', ['--side', '10', '--min-difficulty', '15', '--dihedral']],
      ['sudoku', ['--side', '6', '--copies', '3']],
    ] as const) {
      const hashes = [];
      for (const [name, seed] of [
        ['a', '0'],
        ['b', '0'],
        ['c', '1'],
      ] as const) {
        hashes.push(
          (
            await run(
              'build',
              kind,
              ...options,
              '--train',
              '6',
              '--test',
              '4',
              '--seed',
              seed,
              '--out',
              path.join(folder, kind + name),
            )
          ).result['sha256'],
        );
      }
      assert.equal(hashes[0], hashes[1]);
      assert.notEqual(hashes[0], hashes[2]);
      const { result, lines } = await run('check', path.join(folder, `${kind}a`));
      const [train, test] = result['sets'] as {
        kind: string;
        groups: number;
        puzzles: number;
        repeated: number;
        equivalent: number;
        severalSolutions: number | null;
        againstRule: number | null;
        labelShares: number[];
      }[];
      assert.deepEqual(
        [train!.kind, train!.groups, train!.puzzles, test!.groups, result['shared']],
        [kind, 6, kind === 'maze' ? 48 : 24, 4, 0],
      );
      assert.deepEqual([train!.repeated, train!.equivalent, train!.severalSolutions ?? train!.againstRule], [0, 0, 0]);
      if (kind === 'sudoku')
        assert.ok(
          train!.labelShares.slice(2).every((share) => Math.abs(share - 1 / 6) < 1e-12),
          'each digit as often as any',
        );
      assert.match(lines.at(-1)!, /^0 of 4 test puzzles are in the training set, 0 are equivalent to a training/);
    }
  });

  it('counts every test puzzle of a folder that training has, as it is or in another form', async () => {
    const board = parseBoard('1..4..1..1..4..1');
    const renamed = board.map((digit) => (digit === 0 ? 0 : 5 - digit));
    const other = parseBoard('12......34......');
    const set = (name: string, boards: readonly Uint8Array[]): Dataset =>
      ungrouped(
        boards.map((each) => {
          const answer = solveSudoku(each, sudokuGeometry(4)).solution!;
          return { input: tokensOfBoard(each), label: tokensOfBoard(answer) };
        }),
        { name, note: '', width: 4, height: 4, vocabSize: 6 },
      );
    const out = path.join(folder, 'leak');
    writeReferenceFolder(out, { train: set('train', [board, other]), test: set('test', [board, board, renamed]) });
    const { lines, result } = await run('check', out);
    assert.deepEqual([result['same'], result['shared']], [2, 3], 'renaming digits 1 to 4, 2 to 3 and back');
    assert.match(lines.at(-1)!, /^2 of 3 test puzzles are in the training set, 3 are equivalent to a training puzzle$/);
    assert.match(lines[3]!, /^leak test: 3 groups, .*; 1 groups repeat another, 2 are equivalent to another$/);
  });

  it('rates all Sudokus of a file by the solver where one has no rating, as a training on it does', async () => {
    const file = path.join(folder, 's.csv');
    const answer = '1234341221434321';
    const rows = [`.${answer.slice(1)},${answer},70`, `1.${answer.slice(2)},${answer},`];
    writeFileSync(file, `question,answer,rating\n${rows[0]}\n`);
    assert.deepEqual((await run('check', file)).result['meanRating'], 70);
    writeFileSync(file, `question,answer,rating\n${rows.join('\n')}\n`);
    const { result, lines } = await run('check', file);
    assert.deepEqual([result['unrated'], result['meanRating']], [1, 0], 'one blank needs no guess');
    assert.ok(lines.includes("1 of them without a rating in the file: all rated by the solver's guesses"));
  });

  it('checks maze files by what is in them: repeats, copies in disguise, answers beside the rule', async () => {
    const file = path.join(folder, 'm.csv');
    const [maze] = (await generateMazes(10, 15, 1, new Random(4))) as [Uint8Array];
    const mirrored = Uint8Array.from(maze, (_, i) => maze[10 * Math.floor(i / 10) + 9 - (i % 10)]!);
    const mirror = (text: string): string =>
      text
        .match(/.{10}/g)!
        .map((row) => [...row].reverse().join(''))
        .join('');
    const answer = mazeText(mazeAnswer(maze));
    writeFileSync(
      file,
      `source,question,answer,rating\n${[
        [mazeText(maze), answer],
        [mazeText(maze), answer],
        [mazeText(mirrored), mirror(answer)],
      ]
        .map((pair) => `x,${pair.join(',')},1\n`)
        .join('')}`,
    );
    const { result } = await run('check', file);
    const byRule = mirror(answer) === mazeText(mazeAnswer(mirrored)) ? 0 : 1;
    assert.deepEqual(
      [result['kind'], result['examples'], result['repeated'], result['equivalent'], result['againstRule']],
      ['maze', 3, 1, 2, byRule],
    );
    await assert.rejects(
      run('import', 'maze', file),
      (error) =>
        error instanceof InputError &&
        /3 sound puzzles, but expected the content of one of maze_30x30_hard_1k_train/.test(error.message) &&
        /; to train on your own mazes, give a folder .*: --set task\.kind=folder,/.test(error.message),
    );
  });

  it('refuses what it cannot do, and leaves nothing', async () => {
    const out = path.join(folder, 'out');
    for (const [argv, message] of [
      [['build', 'maze'], /expected --out FOLDER/],
      [['build', 'chess'], /expected show \| check FILE\|FOLDER \| build sudoku\|maze\|arc1\|arc2 .*got build chess/],
      [['build', 'maze', '--side', '5', '--out', out], /side: expected a whole number from 6 to 30, got 5/],
      [['build', 'sudoku', '--side', '5', '--out', out], /side: expected 4, 6 or 9, got 5/],
      [
        ['build', 'sudoku', '--source', 'magic', '--out', out],
        /source: expected generated, public-domain, sudoku-extreme or file, got "magic"/,
      ],
      [
        ['build', 'sudoku', '--side', '4', '--train', '9', '--test', '2', '--min-difficulty', '50', '--out', out],
        /rating 50 or more/,
      ],
      [
        ['build', 'sudoku', '--augmentations', '3', '--out', out],
        /data --augmentations: expected with build arc1, build arc2 only, got build sudoku$/,
      ],
      [
        ['build', 'arc1', '--copies', '3', '--train', '9', '--source', 'generated', '--out', out],
        /data --copies: expected with build sudoku only, got build arc1$/,
      ],
      [
        ['build', 'maze', '--copies', '3', '--out', out],
        /data --copies: expected with build sudoku only, got build maze$/,
      ],
      [['show', '--side', '6'], /data --side: expected with check, build sudoku, build maze only, got show$/],
      [
        ['get', 'sudoku-extreme', '--out', out],
        /data --out: expected with build sudoku, build maze, build arc1, build arc2 only, got get$/,
      ],
      [['get', 'chess'], /expected sudoku-extreme or maze-hard, got chess/],
      [['check', folder], /expected a folder with train\/dataset.json/],
      [['check', path.join(folder, 'none.csv')], /file not found/],
    ] as const) {
      await assert.rejects(run(...argv), inputError(message), String(message));
    }
    assert.deepEqual(readdirSync(folder), []);
  });
});
