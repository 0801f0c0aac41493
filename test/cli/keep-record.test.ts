import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Out } from '../../lib/cli/command.js';
import { keepRecord } from '../../lib/cli/keep-record.js';
import { newFolder } from '../new-folder.js';

describe('--record', () => {
  it('keeps a finished record once, and never overwrites another of the same run', () => {
    const folder = newFolder();
    const [file, kept] = [path.join(folder, 'record.json'), path.join(folder, 'records')];
    const notes: string[] = [];
    const out: Out = { json: false, line: assert.fail, result: assert.fail, note: (said) => void notes.push(said) };
    const keeps = (content: string): string => {
      writeFileSync(file, content);
      keepRecord('a-run', file, kept, out);
      assert.deepEqual(readdirSync(kept), ['a-run.json']);
      return readFileSync(path.join(kept, 'a-run.json'), 'utf8');
    };
    assert.equal(keeps('first'), 'first');
    assert.equal(keeps('first'), 'first');
    assert.deepEqual(notes, []);
    assert.equal(keeps('second'), 'first');
    assert.equal(notes.length, 1);
    assert.match(
      notes[0]!,
      /^--record: .*a-run\.json is of an earlier run with the same settings, and stays; to replace/,
    );
  });
});
