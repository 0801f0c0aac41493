/** Set-up says what to do where packages are missing, wholly or in part. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../lib/files.js';
import { newFolder } from '../new-folder.js';

const setUpModule = pathToFileURL(path.join(projectRoot(), 'scripts', 'setup.mjs')).href;

describe('set-up', () => {
  it('names the package that is missing or of another version, and the command that brings it', async () => {
    const { lackingPackage } = (await import(setUpModule)) as { lackingPackage(project?: string): string | undefined };
    const folder = newFolder();
    const write = (place: string, content: object): void => {
      mkdirSync(path.join(folder, place), { recursive: true });
      writeFileSync(path.join(folder, place, 'package.json'), JSON.stringify(content));
    };
    write('.', { dependencies: { yaml: '2.9.1', ours: '^1.0.0' } });
    assert.equal(lackingPackage(folder), 'the packages are not installed; first run: npm ci');
    write('node_modules/typescript', {});
    assert.equal(lackingPackage(folder), 'package yaml: expected version 2.9.1, got none; run: npm ci');
    write('node_modules/yaml', { version: '2.9.0' });
    assert.equal(lackingPackage(folder), 'package yaml: expected version 2.9.1, got 2.9.0; run: npm ci');
    writeFileSync(path.join(folder, 'node_modules/yaml/package.json'), '{"version": "2.9');
    assert.equal(
      lackingPackage(folder),
      'package yaml: expected version 2.9.1, got none that is complete; run: npm ci',
    );
    write('node_modules/yaml', { version: '2.9.1' });
    assert.equal(lackingPackage(folder), 'package ours: expected version ^1.0.0, got none; run: npm ci');
    write('node_modules/ours', { version: '1.2.0' });
    assert.equal(lackingPackage(folder), undefined);
    assert.equal(lackingPackage(), undefined);
  });
});
