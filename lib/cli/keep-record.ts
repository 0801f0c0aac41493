/** The --record of train and wider: a finished record goes where the tables read it. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { shownPath } from '../files.js';
import { writeFileAtomic } from '../write-file.js';
import type { Out } from './command.js';

/** Copies a record to a folder of records. Another record of the same run stays there, and a note says so. */
export function keepRecord(id: string, file: string, folder: string, out: Out): void {
  const place = path.join(folder, `${id}.json`);
  const content = readFileSync(file, 'utf8');
  if (existsSync(place) && readFileSync(place, 'utf8') !== content)
    out.note(
      `--record: ${shownPath(place)} is of an earlier run with the same settings, and stays; ` +
        `to replace it, copy ${shownPath(file)} there`,
    );
  else writeFileAtomic(place, content);
}
