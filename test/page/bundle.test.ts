/**
 * The page's bundle is for browsers: no module of Node's comes in, and its sources are typed without Node. The page
 * itself has only links that lead somewhere.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { projectRoot } from '../../lib/files.js';
import { newFolder } from '../new-folder.js';

interface Input {
  readonly imports: readonly { readonly path: string; readonly external?: boolean }[];
}
type Bundle = (folder: string, entries?: Record<string, string>) => Promise<{ inputs: Record<string, Input> }>;

describe('the bundle of the page', function () {
  this.timeout(120_000);
  const folder = newFolder();
  let bundle: Bundle;
  let pageText: (notebooks: boolean) => string;
  before(async () => {
    ({ bundle, pageText } = (await import(path.join(projectRoot(), 'scripts', 'site', 'page.mjs'))) as {
      bundle: Bundle;
      pageText: typeof pageText;
    });
  });

  it('holds the interpreter of the schedule, the checkpoint reader and the search, and no module of Node', async () => {
    const { inputs } = await bundle(folder);
    const ours = Object.entries(inputs).filter(([name]) => name.startsWith('lib/'));
    for (const name of [
      'engine/tfjs/network',
      'model/schedule',
      'checkpoint/safetensors',
      'train/think',
      'train/search',
    ])
      assert.ok(inputs[`lib/${name}.ts`] !== undefined, name);
    const foreign = ours.flatMap(([name, { imports }]) =>
      imports
        .filter(({ path: to, external }) => external === true || to.startsWith('(disabled)') || to.startsWith('node:'))
        .map(({ path: to }) => `${name} imports ${to}`),
    );
    assert.deepEqual(foreign, []);
  });

  it('cannot be made with a file that reads files', async () => {
    const entries = { probe: path.join(projectRoot(), 'lib', 'checkpoint', 'checkpoint.ts') };
    await assert.rejects(bundle(folder, entries), /node:fs/);
  });

  it('stands on a page that links to notebooks where these have pages, and to nothing where they have none', () => {
    const linked = (notebooks: boolean): string[] =>
      Array.from(pageText(notebooks).matchAll(/href="([^"]*\.html)"/g), ([, to]) => to!);
    assert.deepEqual(linked(false), []);
    assert.ok(linked(true).includes('index.html'));
    for (const to of linked(true).filter((name) => name !== 'index.html'))
      assert.ok(existsSync(path.join(projectRoot(), 'notebooks', to.replace('.html', '.ipynb'))), to);
    for (const notebooks of [false, true]) assert.doesNotMatch(pageText(notebooks), /<!--/);
  });

  it('is typed for browsers, without the types of Node', () => {
    const compiler = path.join(
      path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
      'bin',
      'tsc',
    );
    const { status, stdout } = spawnSync(
      process.execPath,
      [compiler, '-p', 'lib/page/tsconfig.json', '--pretty', 'false'],
      {
        cwd: projectRoot(),
        encoding: 'utf8',
      },
    );
    assert.equal(stdout, '');
    assert.equal(status, 0);
  });
});
