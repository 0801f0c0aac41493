/** Probes: further questions to a trained model, about puzzles other than those its accuracy is counted on. */
import { exampleOf, ungrouped, type Dataset } from '../data/dataset.js';
import { InputError } from '../errors.js';
import { Random } from '../random.js';
import type { Task } from './task.js';

/**
 * one-blank: the scored puzzles with all cells filled in but one, the easiest there are (arXiv 2601.10679).
 * rating-bands: the scored puzzles by how hard their source rates them.
 */
export type ProbeKind = (typeof probeKinds)[number];
const probeKinds = ['one-blank', 'rating-bands'] as const;

/** What an experiment asks: each kind about so many of the scored puzzles. */
export interface ProbePlan {
  readonly kinds: readonly ProbeKind[];
  readonly puzzles: number;
}

/** One evaluation that a probe makes. */
export interface Probe {
  /** As the record names it: the kind, or the band of ratings. */
  readonly name: string;
  readonly dataset: Dataset;
}

/** Guesses of a solver: 0 is solved by logic alone. */
const bands: readonly (readonly [name: string, least: number, below: number])[] = [
  ['rating 0', 0, 1],
  ['rating 1-9', 1, 10],
  ['rating 10-49', 10, 50],
  ['rating 50 and more', 50, Infinity],
];
/** Token of an open cell (spec §5.1). */
const blankToken = 1;

/** Checks what an experiment asks. Throws InputError for unknown kinds, and for tasks other than Sudoku. */
export function checkProbes({ kinds, puzzles }: ProbePlan, task: Task): void {
  if (!Number.isInteger(puzzles) || puzzles < 1)
    throw new InputError(`evaluation.probes.puzzles: expected a whole number from 1, got ${String(puzzles)}`);
  if (!Array.isArray(kinds))
    throw new InputError(`evaluation.probes.kinds: expected a list of ${probeKinds.join(', ')}, got ${String(kinds)}`);
  for (const kind of kinds as readonly unknown[]) {
    if (!(probeKinds as readonly unknown[]).includes(kind))
      throw new InputError(`evaluation.probes.kinds: expected ${probeKinds.join(', ')}, got ${String(kind)}`);
  }
  if (task.kind !== 'sudoku')
    throw new InputError(`evaluation.probes: expected a task of Sudoku puzzles, got ${task.kind}`);
}

/** The evaluations that a plan makes of a scored set. Bands without a puzzle are left out. Throws InputError for a set without ratings. */
export function probesOf({ kinds, puzzles }: ProbePlan, scored: Dataset): Probe[] {
  const count = Math.min(puzzles, scored.examples);
  return kinds.flatMap((kind): Probe[] => {
    if (kind === 'one-blank') return [{ name: kind, dataset: oneBlank(scored, count) }];
    const { ratings } = scored;
    if (ratings === null)
      throw new InputError(`rating-bands: expected a set with ratings, got ${scored.name}, which has none`);
    return bands.flatMap(([name, least, below]): Probe[] => {
      const members = Array.from({ length: count }, (_, i) => i).filter(
        (i) => (ratings[i] ?? NaN) >= least && (ratings[i] ?? NaN) < below,
      );
      return members.length === 0
        ? []
        : [
            {
              name,
              dataset: ungrouped(
                members.map((i) => exampleOf(scored, i)),
                about(scored, name),
              ),
            },
          ];
    });
  });
}

/** The first so many puzzles of a set with every cell filled in but one, drawn from those that were open. */
export function oneBlank(scored: Dataset, count: number): Dataset {
  const examples = Array.from({ length: count }, (_, i) => {
    const { input, label } = exampleOf(scored, i);
    const open = [...input.keys()].filter((cell) => input[cell] === blankToken);
    const easy = label.slice();
    if (open.length > 0) easy[open[new Random(i).fork('one blank').integer(open.length)] ?? 0] = blankToken;
    return { input: easy, label };
  });
  return ungrouped(examples, about(scored, 'one blank cell'));
}

function about({ name, note, width, height, vocabSize }: Dataset, part: string): Parameters<typeof ungrouped>[1] {
  return { name: `${name}, ${part}`, note, width, height, vocabSize };
}
