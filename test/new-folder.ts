/** Folders for tests, removed when all tests are over. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const made: string[] = [];
after(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** The path of a new, empty folder. */
export function newFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'trm-lab-test-'));
  made.push(folder);
  return folder;
}
