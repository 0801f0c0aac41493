/** Set-up builds an addon of the native engine that does not load anew, and removes an old one where it cannot. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { whyUnavailable } from '../../lib/engine/native/addon.js';
import { projectRoot } from '../../lib/files.js';
import { newFolder } from '../new-folder.js';

const nativeModule = pathToFileURL(path.join(projectRoot(), 'scripts', 'setup', 'native.mjs')).href;

describe('set-up of the native engine', () => {
  it('tells an addon that loads from one that does not, as of another machine', async () => {
    const { whyUnusable } = (await import(nativeModule)) as { whyUnusable(file?: string): string | undefined };
    const file = path.join(newFolder(), 'trm_native.node');
    assert.equal(whyUnusable(file), 'the file is missing');
    writeFileSync(file, 'of another machine');
    assert.match(whyUnusable(file) ?? '', /trm_native\.node/);
    assert.equal(whyUnusable() === undefined, whyUnavailable() === undefined);
  });

  for (const [why, cargo] of [
    ['Rust is missing', undefined],
    ['it does not compile', '#!/bin/sh\ntest "$1" = --version\n'],
  ] as const)
    it(`leaves no addon of other sources to be used where ${why}, as it says`, () => {
      const project = newFolder();
      const at = (...names: string[]): string => path.join(project, ...names);
      cpSync(path.join(projectRoot(), 'scripts', 'setup'), at('scripts', 'setup'), { recursive: true });
      for (const folder of ['bin', 'lib/engine/native/crate']) mkdirSync(at(folder), { recursive: true });
      if (cargo !== undefined) writeFileSync(at('bin', 'cargo'), cargo, { mode: 0o755 });
      const addon = at('lib/engine/native/trm_native.node');
      for (const file of [addon, at('lib/engine/native/crate/Cargo.toml')]) writeFileSync(file, '');
      const program = `
        const { native } = await import(${JSON.stringify(pathToFileURL(at('scripts/setup/native.mjs')).href)});
        console.log(JSON.stringify(await native.work()));`;
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        encoding: 'utf8',
        env: { PATH: at('bin') },
      });
      assert.match(stdout.trim().split('\n').at(-1) ?? stderr, /"fallback".*training uses TensorFlow instead/);
      assert.ok(!existsSync(addon));
    });
});
