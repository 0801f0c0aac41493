/** A program in Python's place that is none: what it does is one error, and the process does not end before that. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../../lib/files.js';
import { newFolder } from '../../new-folder.js';

describe('a torch worker that does not start', function () {
  this.timeout(60_000);
  const folder = newFolder();

  const library = (name: string): string =>
    pathToFileURL(path.join(projectRoot(), 'build', 'lib', ...name.split('/'))).href;
  const program = `
    import { createTorchEngine } from '${library('engine/torch/engine.js')}';
    import { paperConfig } from '${library('model/config.js')}';
    await createTorchEngine(paperConfig).catch((error) => console.log(String(error)));`;

  for (const [name, lines, said] of [
    [
      'dies late, with a reason',
      'sleep 1; echo "worker error: no such luck" >&2; exit 3',
      /exit code 3\): no such luck$/,
    ],
    [
      'closes its pipes first',
      'exec >&- 2>&-; sleep 1; exit 4',
      /exit code 4\) without a word: .* is no Python that has/,
    ],
    ['says nothing', 'exit 0', /exit code 0\) without a word: .*python.*\(TRM_TORCH_PYTHON names another\)$/],
    ['talks', 'echo "Hello, this is no frame"; exec sleep 5', /answered nonsense: expected a frame's length, got \d+$/],
  ] as const)
    it(name, () => {
      const python = path.join(folder, 'python');
      writeFileSync(python, `#!/bin/sh\n${lines}\n`);
      chmodSync(python, 0o755);
      // In a process of its own, which nothing else keeps alive.
      const { stdout, status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        encoding: 'utf8',
        env: { ...process.env, TRM_TORCH_PYTHON: python },
      });
      assert.equal(status, 0, stderr);
      assert.match(stdout.trim(), /^InputError: the torch worker /);
      assert.match(stdout.trim(), said);
    });
});
