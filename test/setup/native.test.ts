/** Set-up builds the native engine anew where its addon is there but does not load. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
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
});
