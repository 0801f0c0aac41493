/**
 * Files as people have them, by kind: spreadsheets, lists, print-outs, ARC's forms; each gives its right value or one
 * sentence.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { readArcTasks } from '../../lib/data/arc-json.js';
import { exampleOf, type Dataset } from '../../lib/data/dataset.js';
import { gridRows } from '../../lib/data/arc.js';
import { ownSudoku } from '../../lib/data/puzzle.js';
import { loadMazeFile } from '../../lib/data/maze-file.js';
import { readReferenceFolder } from '../../lib/data/reference-format.js';
import { completed, loadSudokuFile, readSudokuFile, type SudokuPuzzle } from '../../lib/data/sudoku-file.js';
import { puzzleClass } from '../../lib/data/sudoku-canonical.js';
import { generateSudoku, sudokuDataset } from '../../lib/data/sudoku-sets.js';
import { drawSudokuRelabelling, relabel } from '../../lib/data/relabelling.js';
import { boardOfTokens, boardText, sudokuGeometry, tokensOfBoard } from '../../lib/data/sudoku.js';
import { textOf } from '../../lib/data/text.js';
import { InputError } from '../../lib/errors.js';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { loadTask } from '../../lib/experiment/task.js';
import { projectRoot } from '../../lib/files.js';
import { Random } from '../../lib/random.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

const fixtures = path.join(projectRoot(), 'test', 'data', 'fixtures');

/** The three puzzles of the fixtures with their answers. */
const puzzles = [
  '.21....7....4.....3......696..74.8.............96..1..4...5.3...761.3.8.........2',
  '....1.....45..216.6..5..9...9..8.2..78..45........389.51..........8...1.......572',
  '5..2.8.6....7....1.....4.98...8..73.....76...2..1..8....36......59.8......1...2..',
];
const answers = [
  '921365478865497231347218569613749825284531796759682143492856317576123984138974652',
  '329618745845792163671534928493186257782945631156273894517329486264857319938461572',
  '594218367386795421172364598415829736938576142267143859823651974759482613641937285',
];
const [puzzle, answer] = [puzzles[0]!, answers[0]!];
const rowsOf = (board: string): string[] => board.match(/.{9}/g)!;
const framed = rowsOf(puzzle)
  .map((row, i) => `${i % 3 === 0 ? '+---+---+---+\n' : ''}|${row.match(/.../g)!.join('|')}|\n`)
  .join('');

const folder = newFolder();

function write(content: string | Uint8Array, name = 'file.txt'): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

async function read(file: string): Promise<SudokuPuzzle[]> {
  const found: SudokuPuzzle[] = [];
  for await (const entry of readSudokuFile(file)) found.push(completed(entry));
  return found;
}

const texts = (found: readonly SudokuPuzzle[]): string[][] =>
  found.map((each) => [boardText(each.question), boardText(each.answer)]);
const all = puzzles.map((each, i) => [each, answers[i]!]);

describe('Sudoku files of every kind', () => {
  for (const name of [
    'kaggle-1m.csv',
    'own-quoted-rows.csv',
    'own-norating.csv',
    'own.csv',
    'plain.sdm',
    'gz-named.csv',
  ])
    it(`${name}: three puzzles, each with its only solution`, async () => {
      assert.deepEqual(texts(await read(path.join(fixtures, 'sudoku', name))), all);
    });
  for (const name of ['pretty.sdk', 'under.txt'])
    it(`${name}: one board`, async () => {
      assert.deepEqual(texts(await read(path.join(fixtures, 'sudoku', name))), all.slice(0, 1));
    });

  const zeros = puzzles.map((each) => each.replaceAll('.', '0'));
  const cells = (board: string, separator: string): string =>
    [...board.replaceAll('.', ' ')].map((c) => c.trim()).join(separator);
  const table = (separator: string, end = '\n'): string =>
    [
      ['id', 'Puzzle', 'Solution', 'clues', 'Difficulty'],
      ...puzzles.map((each, i) => [i, each, answers[i]!, 23, i / 2]),
    ]
      .map((row) => row.join(separator) + end)
      .join('');
  const kinds: readonly (readonly [string, string | Uint8Array, number?])[] = [
    ['semicolons and CRLF', table(';', '\r\n')],
    ['tabs', table('\t')],
    ['bars', table('|')],
    ['old Mac line ends', table(',', '\r')],
    ['a byte-order mark', `\ufeff${table(',')}`],
    ['UTF-16 of either order', Buffer.from(`\ufeff${table('\t')}`, 'utf16le')],
    ['UTF-16 of the other order', Buffer.from(`\ufeff${table('\t')}`, 'utf16le').swap16()],
    ["Excel's separator line", `sep=;\r\n${table(';', '\r\n')}`],
    [
      'trailing commas and empty rows',
      `${table(',', ',,\n')},,,,,,\n\n,,,,,,\n`.replace('Difficulty,,', 'Difficulty,,'),
    ],
    [
      'an index without a name',
      `,quizzes,solutions\n${zeros.map((each, i) => `${i},${each},${answers[i]}\n`).join('')}`,
    ],
    [
      'another order of columns',
      `solution,x,QUESTION\n${puzzles.map((each, i) => `${answers[i]},a b,${each}\n`).join('')}`,
    ],
    ['names that nobody knows', `start,end\n${zeros.map((each, i) => `${each},${answers[i]}\n`).join('')}`],
    ['no header', zeros.map((each, i) => `${each},${answers[i]}\n`).join('')],
    ['no header and more columns', zeros.map((each, i) => `${i};${each};7.2;6.6;${answers[i]}\n`).join('')],
    ['a column alone', `puzzle\n${puzzles.join('\n')}\n`],
    ['quotes around all', `"puzzle"\n${puzzles.map((each) => `"${each}"\n`).join('')}`],
    [
      'quoted line ends',
      `puzzle,solution\n${puzzles.map((each, i) => `"${rowsOf(each).join('\n')}",${answers[i]}\n`).join('')}`,
    ],
    ['one cell a column', puzzles.map((each) => `${cells(each, ',')}\n`).join('')],
    ['one cell a column, the answer too', puzzles.map((each, i) => `${cells(each + answers[i]!, ';')}\n`).join('')],
    [
      'one cell a column, with a header and an index',
      [
        ['', ...Array.from({ length: 81 }, (_, i) => i)].join(','),
        ...zeros.map((each, i) => `${i},${cells(each, ',')}`),
      ]
        .map((row) => `${row}\n`)
        .join(''),
    ],
    [
      'nine rows of nine columns',
      puzzles
        .map(
          (each) =>
            `${rowsOf(each)
              .map((row) => `${cells(row, ',')}\n`)
              .join('')}\n`,
        )
        .join(''),
    ],
    ['a list with comments', `# from a newspaper\n\n${puzzles.map((each) => `${each} # easy\n`).join('')}`],
    ['a bank: hash, board, rating', zeros.map((each) => `0000183b305c ${each}  1.2\n`).join('')],
    [
      'boards under titles',
      puzzles.map((each, i) => `Grid 0${i + 1}\n${rowsOf(each.replaceAll('.', '0')).join('\n')}\n`).join(''),
    ],
    [
      'boards with their answers below',
      puzzles.map((each, i) => `${rowsOf(each).join('\n')}\nAnswer\n${rowsOf(answers[i]!).join('\n')}\n\n`).join(''),
    ],
    ['frames of stars', `*-----------*\n${framed.replaceAll('+---+---+---+', '|---+---+---|')}*-----------*\n`, 1],
    [
      'frames of the alphabet of boxes',
      `┌───┬───┬───┐\n${framed.replaceAll('+---+---+---+', '├───┼───┼───┤').replaceAll('|', '│')}└───┴───┴───┘\n`,
      1,
    ],
    ['sections', `#A me\n[Puzzle]\n${rowsOf(puzzle).join('\n')}\n[State]\n${rowsOf(answer).join('\n')}\n`, 1],
    ['boards under headings', puzzles.map((each) => `[Hard ones]\n${rowsOf(each).join('\n')}\n`).join('')],
    [
      'answers under a heading, an unsolved one among them',
      `[Unsolved]\n${puzzles.map((each, i) => `${each}\n${i === 1 ? '' : `[Solution]\n${answers[i]}\n`}`).join('')}`,
    ],
    ['a word of digits as a title', `Easy9x9_20240115\n${rowsOf(puzzle).join('\n')}\n`, 1],
    [
      'numbers and notes beside',
      `puzzle,mask,state,score,made\n${puzzles
        .map(
          (each) => `${each},${each.replace(/\d/g, '1').replaceAll('.', '0')},${each},2.3333333333333335,2024-01-15\n`,
        )
        .join('')}`,
    ],
    [
      'a table whose first answer is missing, in a column of any name',
      `puzzle,key\n${puzzles.map((each, i) => `${each},${i === 0 ? '' : answers[i]}\n`).join('')}`,
    ],
    [
      'a list of lists',
      `[${rowsOf(zeros[0]!)
        .map((row) => `[${[...row].join(', ')}]`)
        .join(',\n ')}]\n`,
      1,
    ],
    ['dashes for blanks', `${rowsOf(puzzle.replaceAll('.', '-')).join('\n')}\n`, 1],
    ['stars for blanks', `${puzzle.replaceAll('.', '*')}\n`, 1],
    ['x for blanks, spaces between', `${[...puzzle.replaceAll('.', 'x')].join(' ')}\n`, 1],
    ['gzipped', gzipSync(table(','))],
  ];
  for (const [name, content, count = 3] of kinds)
    it(`${name}: the same puzzles`, async () => {
      assert.deepEqual(texts(await read(write(content))), all.slice(0, count));
    });

  it('ratings are the file’s, and the solver’s guesses where it has none', async () => {
    const rated = await read(write(table(',')));
    assert.deepEqual(
      rated.map(({ rating }) => rating),
      [0, 0.5, 1],
    );
    const plain = await read(write(puzzles.join('\n')));
    assert.deepEqual(
      plain.map(({ rating }) => rating),
      [13, 7, 4],
    );
  });

  it('what is none of them is refused in one sentence', async () => {
    for (const [content, message] of [
      [rowsOf(puzzle).slice(1).join('\n'), /expected 9 rows of 9 cells, got 8, from line 1 on$/],
      [
        rowsOf(puzzle).join('\n').replace('.21', '.2'),
        /line 2: expected 8 cells as in line 1|line 1: expected a row of 4, 6 or 9/,
      ],
      [
        `${puzzle}\n${puzzle.slice(1)}\n`,
        /line 2: expected a row of 4, 6 or 9 cells or a board of 16, 36 or 81, got 80/,
      ],
      [`${puzzle}\n${puzzle.replace('.21', 'z21')}\n`, /line 2: Sudoku board: expected digits .*got "z"/],
      [`${puzzle}\n1234123412341234\n`, /line 2: /],
      [`${answer}\n`, /line 1: expected a board with blanks, or the answer of the one before/],
      [`puzzle,quiz\n${puzzle},${puzzle}\n`, /expected one column of questions, got puzzle, quiz/],
      [`a,b\n${puzzle},${puzzle}\n`, /expected one column of puzzles and one of answers, got 2 and 0/],
      [`puzzle,rating\n${puzzle},easy\n`, /line 2: expected a rating from 0 or nothing, got "easy"/],
      [`puzzle,solution\n${puzzle},${answers[1]}\n`, /line 2: expected an answer that keeps the givens/],
      [`puzzle\n${'.'.repeat(81)}\n`, /line 2: expected exactly one solution, got several/],
      [`puzzle\n11${puzzle.slice(2)}\n`, /line 2: expected a legal puzzle, but 1 appears twice in row 1/],
      [
        `puzzle,solution\n"${puzzle},${answer}\n`,
        /line [123]: expected a row of a table \(RFC 4180\), got a stray quote/,
      ],
      [
        `${puzzle}\n[Solution]\n${answers[1]}\n`,
        /line 3: expected a board with blanks, or the answer of the one before/,
      ],
      [`${puzzle}\n${puzzle.replaceAll('.', 'O')}\n`, /line 2: Sudoku board: expected digits .*got "O"/],
      [`${puzzle} ${answer.slice(1)}\n`, /line 1: expected an answer of 81 cells, got "21.* of 80$/],
      [`${puzzle} ${answer}5\n`, /line 1: expected an answer of 81 cells, got "92.* of 82$/],
      [`${puzzle} ${answer.slice(0, 80)}x\n`, /line 1: expected a full answer behind the puzzle, got one with a blank/],
      [`puzzle,key\n${puzzle},${answer.slice(1)}\n`, /line 2: expected one board a row, got another of 80 .* column 2/],
      [`puzzle,key\n${puzzle},\n${puzzles[1]},${'1'.repeat(81)}\n`, /line 3: expected an answer that keeps the givens/],
      [`puzzle,rating,difficulty\n${puzzle},1,2\n`, /expected one column of ratings, got rating and difficulty/],
      [
        'question,answer\n#####S..#####G..#########,x\n',
        /line 2: found no Sudoku in .*; or a maze of 6×6 or more cells in /,
      ],
      ['{"question": "', /got JSON or XML/],
      ['PK\x03\x04\x14\x00', /a workbook or a zip archive; save the sheet as CSV/],
      ['PAR1\x15', /a Parquet file; save it as CSV/],
      [`${puzzle}\u0000`, /expected a text file, got a binary one/],
      ['\n'.repeat(5000), /1000 lines without one/],
      [`${'#\n'.repeat(5000)}${puzzle}`, /1000 lines without one/],
      [`puzzle,solution\n${',\n'.repeat(5000)}`, /expected a puzzle, got 1000 empty rows/],
    ] as const)
      await assert.rejects(
        read(write(content)),
        (error) => error instanceof InputError && message.test(error.message) && !error.message.includes('\n'),
        String(message),
      );
  });

  it('refused or left early, is closed', async () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    if (!existsSync('/proc/self/fd')) return assert.ok(process.platform !== 'linux');
    const sudokus = write(`puzzle\n${`${puzzle}\n`.repeat(3000)}`, 'long.csv');
    const neither = write(`a,b\n${`${puzzle},${puzzle}\n`.repeat(3000)}`, 'neither.csv');
    const before = open();
    for (let i = 0; i < 10; i++) {
      await assert.rejects(read(neither), InputError);
      await assert.rejects(loadMazeFile(neither), InputError);
      assert.equal((await loadSudokuFile(sudokus, { limit: 2 })).length, 2);
    }
    assert.ok(open() < before + 5, `${open()} open files, ${before} before`);
  });

  it('a small file that unpacks to a large one is refused on the way', async () => {
    const file = write(gzipSync(Buffer.alloc(40e6, `${puzzle}\n`), { level: 9 }));
    let length = 0;
    await assert.rejects(
      async () => {
        for await (const text of textOf(file)) length += text.length;
      },
      inputError(/unpacks to at most 100 times its size/),
    );
    assert.ok(length < 2 ** 25);
  });

  it('a board of one’s own is read in the same forms', () => {
    for (const text of [puzzle, framed, rowsOf(puzzle.replaceAll('.', '_')).join('\n'), [...puzzle].join(' ')])
      assert.equal(boardText(boardOfTokens(ownSudoku(text).solution)), answer);
    assert.throws(() => ownSudoku(`${puzzle}\n${puzzle}`), /expected one Sudoku board, got 2/);
  });
});

describe('a file of one’s own', () => {
  const geometry = sudokuGeometry(6);
  /** 30 puzzles, each in four disguises. */
  const disguised = (): string => {
    const lines = Array.from({ length: 30 }, (_, i) => {
      const random = new Random(1).fork(i);
      const { question } = generateSudoku(geometry, random);
      const copies = [1, 2, 3].map((copy) =>
        boardOfTokens(relabel(tokensOfBoard(question), drawSudokuRelabelling(geometry, random.fork(copy)))),
      );
      return [question, ...copies].map((board) => `${boardText(board)}\n`).join('');
    });
    return `puzzle\n${lines.join('')}`;
  };
  const classesOf = (set: Dataset): Set<string> =>
    new Set(
      Array.from({ length: set.examples }, (_, i) => {
        const { input, label } = exampleOf(set, i);
        return puzzleClass({ question: boardOfTokens(input), answer: boardOfTokens(label) }, geometry);
      }),
    );
  const options = { side: 6, source: 'file', augmentations: 0, minDifficulty: 0, seed: 0 } as const;

  it('is split by the seed, and no test puzzle is a training puzzle in disguise', async () => {
    const task = { ...options, file: write(disguised()), trainPuzzles: 40, testPuzzles: 30, validationPuzzles: 5 };
    const { train, test, validation } = await sudokuDataset(task);
    assert.deepEqual([train.examples, test.examples, validation.examples], [40, 30, 5]);
    const [a, b, c] = [train, test, validation].map(classesOf) as [Set<string>, Set<string>, Set<string>];
    assert.equal(new Set([...a, ...b, ...c]).size, a.size + b.size + c.size);
    assert.ok(a.size < 40, 'disguises of a training puzzle train too');
    assert.equal((await sudokuDataset(task)).test.sha256, test.sha256);
    assert.notEqual((await sudokuDataset({ ...task, seed: 1 })).test.sha256, test.sha256);
    const rest = await sudokuDataset({ ...task, testPuzzles: 0 });
    assert.ok(rest.test.examples >= 30 && train.sha256 === rest.train.sha256);
  });

  it('is refused with counts where too few are left', async () => {
    const file = write(disguised());
    await assert.rejects(
      sudokuDataset({ ...options, file, trainPuzzles: 110, testPuzzles: 50, validationPuzzles: 0 }),
      /expected 110 training, 0 validation and 50 test puzzles, got \d+, 0 and \d+ of 120: .*set task.trainPuzzles/,
    );
    await assert.rejects(
      sudokuDataset({ ...options, side: 9, file, trainPuzzles: 1, testPuzzles: 1, validationPuzzles: 0 }),
      /line 2: expected boards of 81 cells, got 36/,
    );
  });

  it('is a change of any Sudoku experiment, and goes with its source', () => {
    const file = write(disguised());
    const base = change(experiment('sudoku-6x6'), {
      task: { source: 'file', file, trainPuzzles: 40, testPuzzles: 30 },
    });
    assert.equal(base.task.kind === 'sudoku' && base.task.file, file);
    assert.equal('file' in change(base, { task: { source: 'generated' } }).task, false);
    assert.throws(
      () => change(experiment('sudoku-6x6'), { task: { source: 'file' } }),
      /source file: expected a file, got undefined/,
    );
    assert.throws(() => change(experiment('sudoku-6x6'), { task: { file } }), /source generated: expected no file/);
    assert.throws(
      () => change(base, { task: { trainPuzzles: 2 ** 32 - 1 } }),
      /trainPuzzles: expected a whole number from 1 to/,
    );
  });
});

describe('ARC tasks of every kind', () => {
  const arc = path.join(fixtures, 'arc');
  const solved = (file: string): unknown =>
    readArcTasks(file).map(({ id, test }) => [id, test.map(({ output }) => gridRows(output))]);
  it('challenges take their answers from the solutions beside them', () => {
    assert.deepEqual(solved(path.join(arc, 'challenges.json')), [
      [
        'aaaa0001',
        [
          [
            [0, 0],
            [2, 0],
          ],
        ],
      ],
    ]);
    assert.throws(
      () => readArcTasks(path.join(arc, 'solutions.json')),
      /if these are solutions, name the file of challenges/,
    );
  });
  it('challenges with answers of their own must have those of the solutions beside them', () => {
    const first = { input: [[1]], output: [[2]] };
    const second = { input: [[3]], output: [[4, 4]] };
    const task = { train: [first], test: [first, second] };
    const beside = (answers: unknown): string => {
      write(JSON.stringify({ a: answers }), 'both_solutions.json');
      return write(JSON.stringify({ a: task }), 'both_challenges.json');
    };
    assert.deepEqual(solved(beside([[[2]], [[4, 4]]])), [['a', [[[2]], [[4, 4]]]]]);
    for (const [answers, message] of [
      [
        [[[2]], [[4, 5]]],
        'both_challenges.json, task a, test pair 2: expected the answer that both_solutions.json has, ' +
          'got another one; remove the wrong one of the two',
      ],
      [[[[2]]], 'both_challenges.json, task a: expected 2 answers in both_solutions.json, got 1'],
    ] as const)
      assert.throws(() => readArcTasks(beside(answers)), new InputError(message));
  });
  it('a folder is its tasks', () => {
    assert.deepEqual(
      readArcTasks(path.join(arc, 'tasks')).map(({ id }) => id),
      ['aaaa0001', 'aaaa0002'],
    );
  });
  it('a byte-order mark is no part of it', () => {
    assert.deepEqual(
      readArcTasks(path.join(arc, 'bom.json')).map(({ id }) => id),
      ['bom'],
    );
  });
  const pair = { input: [[1]], output: [[2]] };
  it('a list of pairs is one task that trains, a list of tasks is those', () => {
    const [task] = readArcTasks(write(JSON.stringify([pair, pair]), 'rule.json'));
    assert.deepEqual([task!.id, task!.train.length, task!.test.length], ['rule', 2, 0]);
    const listed = readArcTasks(
      write(
        gzipSync(
          JSON.stringify([
            { id: 'a', train: [pair], test: [pair] },
            { train: [pair], test: [pair] },
            { id: null, task_id: 7, train: [pair], test: [pair] },
          ]),
        ),
        'tasks.json',
      ),
    );
    assert.deepEqual(
      listed.map(({ id }) => id),
      ['a', 'tasks-2', '7'],
    );
  });
  it('what is none of them is refused in one sentence', () => {
    const task = { train: [pair], test: [{ input: [[1]] }] };
    for (const [name, text, message] of [
      [
        'x.json',
        JSON.stringify({ a: task }),
        /test pair 1, output: expected an answer, got nothing; without it nothing can be scored/,
      ],
      [
        'arc_challenges.json',
        JSON.stringify({ a: task }),
        /expected an answer here or in arc_solutions.json beside the file/,
      ],
      ['x.json', '['.repeat(1e6), /expected JSON, got more than 8 levels of nesting; .* no ARC file$/],
      ['x.json', `{"a":[${'0,'.repeat(8_000_001)}0]}`, /expected JSON, got more than 8000000 values; .* no ARC file$/],
      ['x.json', '[1,2', /expected JSON, got .*the file is truncated or damaged/],
      ['x.json', `{"a":${JSON.stringify(task)},"a":{}}`, /x\.json: expected JSON, got "a" twice in an object; /],
      [
        'x.json',
        `{"ab":${JSON.stringify(task)},"\\u0061b":{}}`,
        /x\.json: expected JSON, got "ab" twice in an object; /,
      ],
      ['x.json', `${JSON.stringify(task)}\n`.repeat(2), /it holds one value a line: write tasks as one object by id/],
      ['x.json', 'version https://git-lfs.github.com/spec/v1\n', /a Git LFS pointer; fetch the file itself/],
      ['x.json', '<!DOCTYPE html>', /a web page; download the file itself/],
    ] as const)
      assert.throws(() => readArcTasks(write(text, name)), inputError(message), String(message));
    write(JSON.stringify({ train: [pair], test: [pair] }), 'twice/a.json');
    write(JSON.stringify({ a: { train: [pair], test: [pair] } }), 'twice/b.json');
    assert.throws(() => readArcTasks(path.join(folder, 'twice')), /twice: expected every task once, got "a" twice/);
    write('{}', 'twice/notes/readme.txt');
    assert.throws(() => readArcTasks(path.join(folder, 'twice')), /got "a" twice/); // a folder without tasks is none
    write(JSON.stringify({ train: [pair], test: [pair] }), 'twice/more/c.json');
    assert.throws(
      () => readArcTasks(path.join(folder, 'twice')),
      /twice: expected all tasks in one folder, got 2 \.json files in it and others in more; name one of these/,
    );
    assert.throws(() => readArcTasks(path.join(folder, 'none.json')), /file not found/);
    mkdirSync(path.join(folder, 'loop'));
    symlinkSync('a.json', path.join(folder, 'loop', 'a.json'));
    for (const named of ['loop', 'loop/a.json'])
      assert.throws(
        () => readArcTasks(path.join(folder, named)),
        /a\.json: expected a file, got a link that leads back/,
      );
  });

  it('any set of tasks trains: demonstrations train, test pairs test', async () => {
    const { task } = change(experiment('arc-smoke'), {
      task: {
        set: 'file',
        file: path.join(arc, 'tasks'),
        canvas: 10,
        maxTasks: 0,
        validationTasks: 1,
        augmentations: 2,
      },
    });
    const { train, test, validation } = await loadTask(task);
    assert.deepEqual([train.examples, test.examples, validation.examples, train.puzzleIds], [2, 1, 1, 7]);
    assert.match(test.name, /^ARC tasks test within 10×10/);
    assert.throws(
      () => change(experiment('arc-smoke'), { task: { set: 'file', file: arc, testSubset: 'training' } }),
      /expected none with set file/,
    );
    assert.throws(
      () => change(experiment('arc-smoke'), { task: { set: 'file' } }),
      /set file: expected a file, got undefined/,
    );
  });
});

describe('folders of any builder', () => {
  it('ignore_label_id null scores every label', () => {
    const { train, test } = readReferenceFolder(path.join(fixtures, 'ignore-null'));
    assert.deepEqual([train.ignore, test.ignore, train.examples, test.examples], [null, null, 12, 6]);
  });
});
