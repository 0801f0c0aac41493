/** What CONTRIBUTING.md tells people to paste works as it stands. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../lib/files.js';

describe('CONTRIBUTING.md', () => {
  it(
    'has an ablation of at most ten lines, which runs (here for seconds, with one seed) ' +
      'and ends with a table and a figure',
    function () {
      this.timeout(300_000); // five seconds on an idle machine
      const script =
        /```js\n([^]*?)```/.exec(readFileSync(path.join(projectRoot(), 'CONTRIBUTING.md'), 'utf8'))?.[1] ??
        assert.fail('no script');
      assert.ok(script.trim().split('\n').length <= 10);
      mkdirSync(path.join(projectRoot(), '.cache'), { recursive: true });
      const folder = mkdtempSync(path.join(projectRoot(), '.cache', 'contributing-'));
      try {
        const library = pathToFileURL(path.join(projectRoot(), 'build', 'lib', 'index.js')).href;
        const changes = [
          ["'./dist/index.js'", `'${library}'`],
          ["'laptop'", "'smoke'"],
          ['[0, 1, 2]', '[0]'],
          ["{ records: 'runs/my-ablation' }", "{ records: 'runs/my-ablation', folder: 'runs' }"],
        ] as const;
        for (const [from] of changes) assert.ok(script.includes(from), from);
        writeFileSync(
          path.join(folder, 'my-ablation.mjs'),
          changes.reduce((text, [from, to]) => text.replaceAll(from, to), script),
        );
        const { status, stdout, stderr } = spawnSync(process.execPath, ['my-ablation.mjs'], {
          cwd: folder,
          encoding: 'utf8',
          env: { ...process.env, TRM_SMOKE: '1' },
        });
        assert.equal(status, 0, stderr);
        for (const name of ['w/ ACT', 'answer-often']) assert.ok(stdout.includes(`| ${name}`), stdout);
        assert.match(stdout, /^build\/figures\/my-ablation\.png$/m);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
