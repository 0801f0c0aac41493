/** lib/index.ts is a table of contents: groups with a line each, and nothing that no notebook and no page uses. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../lib/files.js';
import * as library from '../lib/index.js';

const read = (file: string): string => readFileSync(path.join(projectRoot(), file), 'utf8');
const filesOf = (folder: string, ending: string): string[] =>
  readdirSync(path.join(projectRoot(), folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`);

describe('lib/index.ts', () => {
  it('every exported value is used by a notebook or named in CONTRIBUTING or docs', () => {
    const cells = filesOf('notebooks', '.ipynb').flatMap((file) =>
      (JSON.parse(read(file)) as { cells: { cell_type: string; source: string[] }[] }).cells
        .filter(({ cell_type }) => cell_type === 'code')
        .map(({ source }) => source.join('')),
    );
    const code = /^```[^]*?^```|`[^`\n]*`/gm; // a name in plain prose may be a word
    const pages = ['CONTRIBUTING.md', ...filesOf('docs', '.md')].flatMap((file) => read(file).match(code) ?? []);
    const used = new Set([...cells, ...pages].flatMap((text) => text.match(/\w+/g) ?? []));
    assert.deepEqual(
      Object.keys(library).filter((name) => !used.has(name)),
      [],
    );
  });

  it('every group opens with a line that says what is in it', () => {
    const [, ...groups] = read('lib/index.ts').trim().split('\n\n');
    assert.ok(groups.length > 5);
    for (const group of groups) assert.match(group, /^\/\/ [A-Z].{20,}\.\nexport /);
  });
});
