/** Bringing in published files: from a server of our own, and never half. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { generateMazes } from '../../lib/data/maze-generator.js';
import { loadMazeFile } from '../../lib/data/maze-file.js';
import { mazeAnswer, mazeText } from '../../lib/data/maze.js';
import {
  checkRatings,
  contentOf,
  fetchPublished,
  isContentOf,
  placeFile,
  publishedFiles,
  type FileContent,
  type PublishedFile,
} from '../../lib/data/published.js';
import { findDataFile } from '../../lib/files.js';
import { notAtHand } from '../not-at-hand.js';
import { Random } from '../../lib/random.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

const mazes = await generateMazes(10, 15, 3, new Random(1));

describe('published files', () => {
  const text = `source,question,answer,rating\n${mazes
    .map((maze) => `ours,${mazeText(maze)},${mazeText(mazeAnswer(maze))},16\n`)
    .join('')}`;
  const before_ = { data: process.env['TRM_DATA'], home: process.env['TRM_DATA_HOME'] };
  const published: PublishedFile = {
    kind: 'maze',
    name: 'ours.csv.gz',
    puzzles: 3,
    home: 'someone/mazes/resolve/main/train.csv',
  };
  let [folder, data] = ['', ''];
  let server: http.Server;
  /** What the server does with a request. */
  let answer: (url: string, response: http.ServerResponse) => void;

  before((done) => {
    server = http.createServer((request, response) => answer(request.url ?? '', response));
    server.listen(0, '127.0.0.1', done);
  });
  after((done) => void server.close(done));
  beforeEach(() => {
    folder = newFolder();
    data = path.join(folder, 'data');
    process.env['TRM_DATA'] = data;
    process.env['TRM_DATA_HOME'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    for (const [name, value] of [
      ['TRM_DATA', before_.data],
      ['TRM_DATA_HOME', before_.home],
    ] as const) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  it('are fetched from their path, checked and put where the kit reads them', async () => {
    const asked: string[] = [];
    answer = (url, response) => {
      asked.push(url);
      response.end(text);
    };
    const file = path.join(folder, 'mazes.csv');
    writeFileSync(file, text);
    const { sha256 } = await contentOf(file, 'maze');
    const placed = await fetchPublished({ ...published, sha256 });
    assert.deepEqual(asked, ['/someone/mazes/resolve/main/train.csv']);
    assert.equal(placed, findDataFile('ours.csv.gz'));
    assert.equal((await loadMazeFile(placed)).length, 3);
    assert.deepEqual(readdirSync(data), ['ours.csv.gz']);
    assert.equal((await contentOf(placed, 'maze')).sha256, sha256, 'line ends and compression are not content');
  });

  it('on another host say so before anything is fetched; a way without end or protection is refused', async () => {
    const { port } = server.address() as AddressInfo;
    const told: string[] = [];
    const fetched = (): Promise<string> =>
      fetchPublished(
        published,
        () => assert.equal(told.length, 1, 'fetched before it was said'),
        (from, to) => told.push(`${from} ${to}`),
      );
    answer = (url, response) => {
      if (url === '/there') return response.end(text);
      return response.writeHead(302, { location: `http://localhost:${port}/there` }).end();
    };
    await fetched();
    assert.deepEqual(told, [`127.0.0.1:${port} localhost:${port}`]);
    answer = (_, response) => response.writeHead(302, { location: '/again' }).end();
    await assert.rejects(fetched(), /sent on more than 5 times/);
    answer = (_, response) => response.writeHead(302, { location: 'ftp://127.0.0.1/there' }).end();
    await assert.rejects(fetched(), /sent on to ftp:\/\/127\.0\.0\.1, which is not protected; nothing fetched/);
  });

  it('are refused in words, and nothing is left: other content, cut off, not there, no server', async () => {
    const refused = async (file: PublishedFile, message: RegExp): Promise<void> => {
      await assert.rejects(fetchPublished(file), inputError(message), String(message));
      assert.deepEqual(
        readdirSync(folder).flatMap((name) => (name === 'data' ? readdirSync(data) : [name])),
        [],
      );
    };
    answer = (_, response) => response.end(text);
    await refused({ ...published, puzzles: 4 }, /expected 4 puzzles, got 3 .*the published file changed/);
    await refused({ ...published, sha256: 'f'.repeat(64) }, /expected 3 puzzles with content ffffffffffff…, got 3/);
    answer = (_, response) => response.end(text.replace('S', 'x'));
    await refused(published, /line 2: .*got "x"/);
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': text.length });
      response.write(text.slice(0, 100), () => response.destroy());
    };
    await refused(published, /the connection ended before the file did/);
    answer = (_, response) => void response.writeHead(404).end();
    await refused(published, /expected the file, got status 404/);
    answer = (_, response) => void response.writeHead(302, { location: 'http://' }).end();
    await refused(published, /sent on to "http:\/\/", which is no address; nothing fetched/);
    const closed = http.createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    await once(closed.close(), 'close');
    const remedy = 'fetch the file elsewhere and bring it in with npm run trm -- data import';
    for (const [home, message] of [
      [`http://127.0.0.1:${port}`, `\\(ECONNREFUSED\\): there seems to be no network; ${remedy}`],
      ['http://127.0.0.1:9', `\\(bad port\\); ${remedy}`], // fetch refuses such ports by itself
      ['mirror.local', 'TRM_DATA_HOME: expected an address such as https://mirror.example, got "mirror.local"'],
      ['mirror.local:80', 'TRM_DATA_HOME: expected an address .*, got "mirror.local:80"'],
    ] as const) {
      process.env['TRM_DATA_HOME'] = home;
      await refused(published, new RegExp(message));
    }
  });

  it('may come slowly, but not stand still', async () => {
    const sent = async (parts: readonly string[], response: http.ServerResponse): Promise<void> => {
      for (const part of parts) {
        response.write(part);
        await setTimeout(250);
      }
    };
    const fetched = (limit = 300): Promise<string> => fetchPublished(published, undefined, undefined, limit);
    const step = Math.ceil(text.length / 10);
    const parts = Array.from({ length: 10 }, (_, i) => text.slice(i * step, (i + 1) * step));
    answer = (_, response) => void sent(parts, response).then(() => response.end());
    await fetched(2000); // 2.5 s in all
    const silent = /^http:.*train\.csv: nothing came for 0\.3 s; try again$/;
    answer = (_, response) => void sent(parts.slice(0, 3), response);
    await assert.rejects(fetched(), inputError(silent));
    answer = () => undefined;
    await assert.rejects(fetched(), inputError(silent));
    assert.deepEqual(readdirSync(data), ['ours.csv.gz']);
  });

  it('are not asked for where they cannot be put, and no connection outlives a failure', async () => {
    let [asked, left] = [0, 0];
    answer = (_, response) => {
      asked++;
      response.on('close', () => left++);
      response.writeHead(404).write('not the end');
    };
    await assert.rejects(fetchPublished(published), inputError(/status 404/));
    while (left === 0) await setTimeout(10);
    writeFileSync(path.join(folder, 'file'), '');
    process.env['TRM_DATA'] = path.join(folder, 'file', 'below');
    await assert.rejects(fetchPublished(published), inputError(/cannot be written: a part of its path is a file/));
    assert.equal(asked, 1);
    process.env['TRM_DATA_HOME'] = '';
    await assert.rejects(fetchPublished(published), inputError(/cannot be written/), "'' is no mirror");
  });

  it('are recognised by content, and copied whole', async () => {
    const file = path.join(folder, 'mazes.csv');
    writeFileSync(file, text.replaceAll('\n', '\r\n'));
    const content = await contentOf(file, 'maze');
    assert.ok(isContentOf(content, { ...published, sha256: content.sha256 }));
    assert.ok(!publishedFiles.some((each) => isContentOf(content, each)));
    assert.equal((await loadMazeFile(await placeFile(file, 'copy.csv.gz'))).length, 3);
    assert.deepEqual(readdirSync(data), ['copy.csv.gz']);
  });

  it('have their ratings, by which puzzles are chosen and reported', async () => {
    const first = '12..34..2.4..3.1';
    const content = async (rows: readonly string[]): Promise<FileContent> => {
      const file = path.join(folder, 'rated.csv');
      writeFileSync(file, ['puzzle,rating', ...rows].join('\n'));
      return contentOf(file, 'sudoku');
    };
    const rated = await content([`${first},1`, `${first},2`]);
    const known = { kind: 'sudoku', name: 'a.csv.gz', puzzles: 2, ratings: rated.ratings! } as const;
    assert.equal(createHash('sha256').update('1\n2\n').digest('hex'), rated.ratings);
    checkRatings('a', rated, known);
    const other = await content([`${first},1`, `${first},3`]);
    assert.equal(other.sha256, rated.sha256);
    assert.throws(() => checkRatings('a', other, known), /a: expected the ratings of a\.csv\.gz, got others; /);
    const none = await content([`${first},1`, `${first},`]);
    assert.throws(() => checkRatings('a', none, { ...known, ratings: undefined } as never), /got puzzles without one/);
  });

  const missing = publishedFiles
    .filter(({ name, sha256 }) => sha256 !== undefined && findDataFile(name) === undefined)
    .map(({ name }) => name);
  const small = publishedFiles
    .filter(({ puzzles, sha256, name }) => puzzles === 1000 && sha256 !== undefined && !missing.includes(name))
    .map((each) => ({ ...each, file: findDataFile(each.name)! })); // found now: a test looks elsewhere
  (small.length > 0 ? it : notAtHand)(
    'have the content that is written down of ' +
      `them${missing.length === 0 ? '' : ` (not at hand, so not compared: ${missing.join(', ')})`}`,
    async () => {
      for (const each of small) {
        const content = await contentOf(each.file, each.kind);
        assert.ok(isContentOf(content, each), each.name);
        checkRatings(each.name, content, each);
      }
    },
  );
});
