/**
 * Recognises the published puzzle files that are not shipped, fetches them from their public home, and puts them where
 * the kit reads them.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, openSync, renameSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { InputError, show } from '../errors.js';
import { writeError } from '../file-errors.js';
import { dataFolders, kitCommand } from '../files.js';
import { checkPlace, clearAbandoned, makeFolder, removeHalf, temporaryName } from '../write-file.js';
import { readMazeFile } from './maze-file.js';
import { mazeHardFiles } from './maze-sets.js';
import { mazeText } from './maze.js';
import { isGzipped } from './text.js';
import { extremeFiles } from './sudoku-sets.js';
import { completed, readSudokuFile } from './sudoku-file.js';
import { boardText } from './sudoku.js';

export type PuzzleKind = 'sudoku' | 'maze';

/** One published file: its name in the kit, its expected content, and where it is published. */
export interface PublishedFile {
  readonly kind: PuzzleKind;
  /** Name in the data folder. */
  readonly name: string;
  readonly puzzles: number;
  /** Hashes of its questions and answers, and of its ratings (FileContent); absent where we have not seen the file. */
  readonly sha256?: string;
  readonly ratings?: string;
  /** Path below publicHome; absent for files that others derived from published ones. */
  readonly home?: string;
}

/** The files the kit knows by name. */
export const publishedFiles: readonly PublishedFile[] = [
  {
    kind: 'sudoku',
    name: extremeFiles.train,
    puzzles: 1000,
    sha256: '6e20ac1bf298f1fb5eb75e17025e5d4b96e5fc9c293061829caca63642af86ee',
    ratings: 'ab6f8eb090ffc0f8bc2ecfabbe786908d1539b8472488f0cab26f9c483550b57',
    home: 'sapientinc/sudoku-extreme-1k/resolve/main/train.csv',
  },
  {
    kind: 'sudoku',
    name: extremeFiles.wholeTest,
    puzzles: 422_786,
    home: 'sapientinc/sudoku-extreme/resolve/main/test.csv',
  },
  {
    kind: 'sudoku',
    name: extremeFiles.test,
    puzzles: 10_000,
    sha256: 'e4e537a87e4b0c345da960646c7a64f70f1307695ee531bd88dc68157208a36e',
    ratings: 'ecf6cc380d1f2d3b604f5d7e0378c68002642ee689d6efe94b1cc964ed9e0ce3',
  },
  {
    kind: 'sudoku',
    name: extremeFiles.moreTrain,
    puzzles: 51_968,
    sha256: '27ba0d5a5f7b7238d6ce701cab5f08b5be461c3963efc12d42ef8258c1d217e6',
    ratings: 'a64998acf6438ccd86b3b8c7fccf5144a829d3b46fdcd0579a1714bb7c2ed135',
  },
  {
    kind: 'maze',
    name: mazeHardFiles.train,
    puzzles: 1000,
    sha256: '2e785b1bfb95603731059e18269f66ef8f69a46c50c10658282795955809adbc',
    home: 'sapientinc/maze-30x30-hard-1k/resolve/main/train.csv',
  },
  {
    kind: 'maze',
    name: mazeHardFiles.test,
    puzzles: 1000,
    sha256: 'fe7942f5725dfec9e7e290a69728d9661ff84dce1835f99d0ce8d3a3e50c8a00',
    home: 'sapientinc/maze-30x30-hard-1k/resolve/main/test.csv',
  },
];

/** The files of each data set that can be fetched. */
export const fetchable: Readonly<Record<string, readonly PublishedFile[]>> = {
  'sudoku-extreme': publishedFiles.filter(({ kind, home }) => kind === 'sudoku' && home !== undefined),
  'maze-hard': publishedFiles.filter(({ kind, home }) => kind === 'maze' && home !== undefined),
};

/** Where the data sets are published. TRM_DATA_HOME overrides it with a mirror. */
const publicHome = 'https://huggingface.co/datasets';

/** Largest accepted download, bytes; the largest file has about 80 MB. */
const largestDownload = 1 << 30;

const mostRedirects = 5;

/**
 * A file's number of puzzles, the hash of its questions and answers in order, and the hash of its ratings, independent
 * of other columns, line ends and compression. `ratings` is null if a Sudoku has none, and absent for mazes.
 */
export interface FileContent {
  readonly puzzles: number;
  readonly sha256: string;
  readonly ratings?: string | null;
}

/** Reads a whole file and checks each puzzle. Throws InputError with the line number for a bad one. */
export async function contentOf(
  file: string,
  kind: PuzzleKind,
  onPuzzle: (done: number) => void = () => undefined,
): Promise<FileContent> {
  const hash = createHash('sha256');
  const ratings = createHash('sha256');
  let rated = true;
  let puzzles = 0;
  const add = (question: string, answer: string): void => {
    hash.update(`${question},${answer}\n`);
    onPuzzle(++puzzles);
  };
  if (kind === 'sudoku')
    for await (const puzzle of readSudokuFile(file)) {
      rated &&= puzzle.rating !== null;
      ratings.update(`${puzzle.rating}\n`);
      add(boardText(puzzle.question), boardText(puzzle.answer ?? completed(puzzle).answer));
    }
  else for await (const { question, answer } of readMazeFile(file)) add(mazeText(question), mazeText(answer));
  return {
    puzzles,
    sha256: hash.digest('hex'),
    ...(kind === 'sudoku' ? { ratings: rated ? ratings.digest('hex') : null } : {}),
  };
}

/** Throws InputError where the ratings of a published file's puzzles differ or are missing. */
export function checkRatings(name: string, { ratings }: FileContent, published: PublishedFile): void {
  if (ratings === undefined || (ratings !== null && ratings === (published.ratings ?? ratings))) return;
  throw new InputError(
    `${name}: expected the ratings of ${published.name}, got ${ratings === null ? 'puzzles without one' : 'others'}; ` +
      'puzzles are chosen and reported by them: bring the published file with its column rating',
  );
}

/** Whether content is that of a published file: equal in number and, if its hash is known, in hash. */
export function isContentOf({ puzzles, sha256 }: FileContent, published: PublishedFile): boolean {
  return puzzles === published.puzzles && (published.sha256 ?? sha256) === sha256;
}

/** Puts a copy of a checked file into the first data folder, gzipped, whole or not at all. Returns its path. */
export async function placeFile(file: string, name: string): Promise<string> {
  const target = path.join(dataFolders()[0]!, name);
  const temporary = temporaryName(target);
  try {
    makeFolder(path.dirname(target));
    clearAbandoned(path.dirname(target));
    const packing = isGzipped(file) ? [] : [createGzip({ level: 9 })];
    const written = createWriteStream(temporary, { flags: 'w', flush: true });
    await pipeline([createReadStream(file), ...packing, written]);
    renameSync(temporary, target);
  } catch (error) {
    removeHalf(temporary);
    throw writeError(error, target);
  }
  return target;
}

/**
 * Fetches a published file, checks number and content, and puts it into the first data folder.
 * Throws InputError where there is no network, the server refuses or is silent for `longestSilence` milliseconds, or
 * the content is not as expected; nothing is left on disk then.
 * `onProgress` counts the bytes received, then the puzzles checked; `onHost` is called where the server redirects to
 * another host.
 */
export async function fetchPublished(
  published: PublishedFile,
  onProgress: (what: 'bytes' | 'puzzles', done: number, total: number) => void = () => undefined,
  onHost: (from: string, to: string) => void = () => undefined,
  longestSilence = 60_000,
): Promise<string> {
  const { kind, name, puzzles, home } = published;
  if (home === undefined) throw new Error(`${name} is published nowhere`);
  const mirror = process.env['TRM_DATA_HOME'] ?? '';
  if (mirror !== '' && !(/^https?:/i.test(mirror) && URL.canParse(mirror)))
    throw new InputError(`TRM_DATA_HOME: expected an address such as https://mirror.example, got ${show(mirror)}`);
  const url = `${(mirror === '' ? publicHome : mirror).replace(/\/$/, '')}/${home}`;
  const temporary = temporaryName(path.join(dataFolders()[0]!, `${name.replace(/\.gz$/, '')}.download`));
  checkPlace(temporary);
  clearAbandoned(path.dirname(temporary));
  const stop = new AbortController();
  const silence = setTimeout(() => {
    stop.abort(new InputError(`${url}: nothing came for ${longestSilence / 1000} s; try again`));
  }, longestSilence);
  let bytes = 0;
  try {
    const response = await reach(url, stop.signal, onHost);
    const total = Number(response.headers.get('content-length') ?? 0);
    const counted = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        silence.refresh();
        bytes += chunk.length;
        if (bytes > largestDownload)
          throw new InputError(`${url}: expected at most ${largestDownload} bytes, got more`);
        onProgress('bytes', bytes, Math.max(bytes, total));
        yield chunk;
      }
    };
    try {
      await pipeline(
        Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]),
        counted,
        createWriteStream(temporary, { fd: openSync(temporary, 'w'), flush: true }),
      ); // opened now: a stream that opens its file later may do so after the file was removed
    } catch (error) {
      if (error instanceof InputError || (error as NodeJS.ErrnoException).syscall === 'write') throw error;
      throw new InputError(`${url}: the connection ended before the file did (${(error as Error).message}); try again`);
    }
    const content = await contentOf(temporary, kind, (done) => onProgress('puzzles', done, puzzles));
    if (!isContentOf(content, published))
      throw new InputError(
        `${url}: expected ${puzzles} ` +
          `puzzles${published.sha256 === undefined ? '' : ` with content ${published.sha256.slice(0, 12)}…`}, ` +
          `got ${content.puzzles} with ${content.sha256.slice(0, 12)}…; the published file changed`,
      );
    checkRatings(url, content, published);
    return await placeFile(temporary, name);
  } finally {
    clearTimeout(silence);
    stop.abort(); // a connection that was left open would keep the process alive
    removeHalf(temporary);
  }
}

/** The response after all redirects. `onHost` is told of another host before anything is fetched from it. */
async function reach(url: string, signal: AbortSignal, onHost: (from: string, to: string) => void): Promise<Response> {
  let at = new URL(url);
  for (let hop = 0; hop <= mostRedirects; hop++) {
    const response = await ask(at, signal);
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) {
      if (response.ok && response.body !== null) return response;
      throw new InputError(
        `${url}: expected the file, got status ${response.status}; see data/README.md for where the data is published`,
      );
    }
    await response.body?.cancel();
    if (!URL.canParse(location, at.href))
      throw new InputError(`${url}: sent on to ${show(location)}, which is no address; nothing fetched`);
    const next = new URL(location, at);
    if (next.protocol !== at.protocol && next.protocol !== 'https:')
      throw new InputError(
        `${url}: sent on to ${next.protocol}//${next.host}, which is not protected; nothing fetched`,
      );
    if (next.host !== at.host) onHost(at.host, next.host);
    at = next;
  }
  throw new InputError(`${url}: sent on more than ${mostRedirects} times`);
}

/** What a machine without a network, or without a way to the server, gives as the reason. */
const noNetwork = ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ENETUNREACH'];

async function ask(url: URL, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { signal, redirect: 'manual' });
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { cause, message } = error as { readonly cause?: NodeJS.ErrnoException; readonly message: string };
    const reason = cause?.code ?? cause?.message ?? message;
    throw new InputError(
      `cannot reach ${url.href} (${reason})${noNetwork.includes(reason) ? ': there seems to be no network' : ''}; ` +
        `fetch the file elsewhere and bring it in with ${kitCommand} data import`,
    );
  }
}
