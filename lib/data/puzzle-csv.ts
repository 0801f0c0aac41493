/** Puzzle files of the form source,question,answer,rating, one puzzle a line, plain or gzipped, read one line at a time. */
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { InputError } from '../errors.js';
import { atLine, linesOf } from './lines.js';

/** One line as text. */
export interface PuzzleRow {
  readonly source: string;
  readonly question: string;
  readonly answer: string;
  /** Difficulty as the source rates it. */
  readonly rating: number;
}

/**
 * Puzzles of a file, in order, each made of its line by `read`; an InputError that `read` throws is given the line number.
 * Throws InputError for another header, fewer than four fields, or a rating that is no number from 0.
 */
export async function* readPuzzleCsv<Puzzle>(
  file: string,
  read: (row: PuzzleRow) => Puzzle,
  limit = Infinity,
): AsyncGenerator<Puzzle> {
  const name = path.basename(file);
  let number = 0;
  let puzzles = 0;
  for await (const line of linesOf(file)) {
    number++;
    if (puzzles >= limit) return;
    if (number === 1) {
      if (!/^source,question,answer,rating(,|$)/.test(line))
        throw new InputError(
          `${name}, line 1: expected the header source,question,answer,rating, got ${JSON.stringify(line.slice(0, 80))}`,
        );
      continue;
    }
    if (line === '') continue;
    puzzles++;
    yield atLine(name, number, () => {
      const fields = line.split(',');
      const [source, question, answer, ratingText] = fields;
      if (source === undefined || question === undefined || answer === undefined || ratingText === undefined)
        throw new InputError(`expected four fields or more, got ${fields.length}`);
      const rating = Number(ratingText);
      if (ratingText.trim() === '' || !Number.isFinite(rating) || rating < 0)
        throw new InputError(`expected a rating from 0, got ${JSON.stringify(ratingText)}`);
      return read({ source, question, answer, rating });
    });
  }
  if (number === 0)
    throw new InputError(`${name}: expected the header source,question,answer,rating, got an empty file`);
}

/** A gzipped file of puzzles; the same puzzles give the same bytes. */
export function puzzleCsvBytes(rows: readonly PuzzleRow[]): Uint8Array {
  const lines = rows.map(({ source, question, answer, rating }) => `${source},${question},${answer},${rating}`);
  return gzipSync(`source,question,answer,rating\n${lines.join('\n')}\n`, { level: 9 }); // Node writes modification time 0
}
