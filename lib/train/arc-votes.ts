/**
 * Votes on ARC answers (spec §5.8): every version of a task proposes a grid,
 * the grids are counted, and the first k are tried.
 */
import { gridHash, gridOfRows, gridRows, longestSide, type ArcPair } from '../data/arc.js';
import type { Grid } from '../data/grid.js';
import {
  anyObject,
  arrayOf,
  between,
  checkFields,
  checkValue,
  listOf,
  notNegative,
  objectOf,
  text,
  whole,
  type FieldCheck,
} from '../fields.js';

/** Tries at which success is reported; the paper's tables quote two. */
export const triesReported = [1, 2, 5, 10, 100, 1000] as const;

/** A grid that was proposed for one test pair. */
export interface ArcCandidate {
  readonly grid: Grid;
  readonly votes: number;
  /** Mean over its votes of how likely the model thought itself right, 0 … 1. */
  readonly haltProbability: number;
}

/** How many tasks the votes solve. */
export interface ArcScore {
  readonly tasks: number;
  /** Test pairs, and the predictions counted for them. */
  readonly pairs: number;
  readonly votes: number;
  /** By k: mean over tasks of the share of test pairs whose answer is among the first k candidates. */
  readonly passAt: Readonly<Record<number, number>>;
}

/** A task's test pairs: what was asked, and what is right. */
export interface ArcQuestions {
  readonly task: { readonly id: string };
  readonly pairs: readonly ArcPair[];
}

/** All votes as plain JSON: of each test pair the grids proposed, with their votes and sum of halting probabilities. */
export type StoredVotes = readonly (readonly [
  question: string,
  candidates: readonly (readonly [rows: readonly string[], votes: number, haltSum: number])[],
])[];

const side = whole(0, longestSide);
const shape = objectOf({ rows: side, columns: side, cells: arrayOf('Uint8Array') });

const gridCheck: FieldCheck = (value) => {
  const { rows, columns, cells } = (value ?? {}) as Grid;
  const expected = shape(value);
  if (expected !== undefined || (cells.length === rows * columns && cells.every((colour) => colour < 10)))
    return expected;
  return `${rows} × ${columns} colours from 0 to 9`;
};

const voteFields = { task: text, pair: whole(0), grid: gridCheck, haltProbability: between(0, 1) };

const questionsOf = (pair: FieldCheck): FieldCheck =>
  listOf(objectOf({ task: objectOf({ id: text }), pairs: listOf(pair) }));

/** A list with one check for each part. */
const tuple =
  (...checks: readonly FieldCheck[]): FieldCheck =>
  (value) =>
    Array.isArray(value) && value.length === checks.length
      ? checks.map((check, i) => check(value[i])).find((expected) => expected !== undefined)
      : `a list of ${checks.length}`;

const rowsCheck: FieldCheck = (value) =>
  listOf(text)(value) ??
  (/^\d*$/.test((value as string[]).join('')) && new Set((value as string[]).map(({ length }) => length)).size < 2
    ? undefined
    : 'rows of digits, all as long');

const storedCheck = listOf(tuple(text, listOf(tuple(rowsCheck, whole(1), notNegative))));

/** Votes for answers to the test pairs of tasks; votes of several models may be pooled. */
export class ArcVotes {
  /** By test pair (keyOf), and then by the hash of the grid proposed. */
  readonly #ballots = new Map<string, Map<string, { readonly grid: Grid; votes: number; haltSum: number }>>();

  /**
   * Counts a grid as a vote for test pair `pair` (from 0) of a task. The grid is restored to the task's own orientation
   * and colours. Throws InputError for an impossible vote, as all methods do for impossible arguments.
   */
  add(task: string, pair: number, grid: Grid, haltProbability: number): void {
    checkFields('vote', { task, pair, grid, haltProbability }, voteFields);
    const question = keyOf(task, pair);
    const ballot = this.#ballots.get(question) ?? new Map<string, { grid: Grid; votes: number; haltSum: number }>();
    this.#ballots.set(question, ballot);
    const key = gridHash(grid);
    const candidate = ballot.get(key) ?? { grid: { ...grid, cells: grid.cells.slice() }, votes: 0, haltSum: 0 };
    ballot.set(key, candidate);
    candidate.votes++;
    candidate.haltSum += haltProbability;
  }

  /** Everything counted so far. */
  stored(): StoredVotes {
    return [...this.#ballots].map(([question, ballot]) => [
      question,
      [...ballot.values()].map(({ grid, votes, haltSum }) => [
        gridRows(grid).map((row) => row.join('')),
        votes,
        haltSum,
      ]),
    ]);
  }

  /** Replaces the votes counted so far by stored ones. */
  restore(stored: StoredVotes): void {
    checkValue('votes', stored, storedCheck);
    this.#ballots.clear();
    for (const [question, candidates] of stored) {
      const ballot = new Map(
        candidates.map(([rows, votes, haltSum]) => {
          const grid = gridOfRows(rows.map((row) => Array.from(row, Number)));
          return [gridHash(grid), { grid, votes, haltSum }];
        }),
      );
      this.#ballots.set(question, ballot);
    }
  }

  /** Candidates for a test pair: most votes first, then surest, then first proposed. */
  candidates(task: string, pair: number): ArcCandidate[] {
    const ballot = this.#ballots.get(keyOf(task, pair));
    return [...(ballot?.values() ?? [])]
      .map(({ grid, votes, haltSum }) => ({ grid, votes, haltProbability: haltSum / votes }))
      .sort((a, b) => b.votes - a.votes || b.haltProbability - a.haltProbability);
  }

  /** Scores the votes against the answers. */
  score(questions: readonly ArcQuestions[]): ArcScore {
    checkValue('questions', questions, questionsOf(objectOf({ output: gridCheck })));
    const solved = new Map<number, number>(triesReported.map((k) => [k, 0]));
    let [pairs, votes] = [0, 0];
    for (const { task, pairs: asked } of questions) {
      asked.forEach(({ output }, pair) => {
        const candidates = this.candidates(task.id, pair);
        const right = gridHash(output);
        const rank = candidates.findIndex(({ grid }) => gridHash(grid) === right);
        for (const k of triesReported) if (rank >= 0 && rank < k) solved.set(k, solved.get(k)! + 1 / asked.length);
        pairs++;
        votes += candidates.reduce((sum, candidate) => sum + candidate.votes, 0);
      });
    }
    const tasks = questions.length;
    return {
      tasks,
      pairs,
      votes,
      passAt: Object.fromEntries([...solved].map(([k, sum]) => [k, tasks === 0 ? 0 : sum / tasks])),
    };
  }

  /** Two attempts for every test pair, in the form that ARC Prize takes; a lone candidate is tried twice. */
  submission(questions: readonly ArcQuestions[]): ArcSubmission {
    checkValue('questions', questions, questionsOf(anyObject));
    return Object.fromEntries(
      questions.map(({ task, pairs }) => [
        task.id,
        pairs.map((_, pair) => {
          const [first, second = first] = this.candidates(task.id, pair);
          return {
            attempt_1: first === undefined ? [] : gridRows(first.grid),
            attempt_2: second === undefined ? [] : gridRows(second.grid),
          };
        }),
      ]),
    );
  }
}

/** Task id → one entry a test pair, grids as rows of colours. */
export type ArcSubmission = Readonly<
  Record<
    string,
    readonly {
      readonly attempt_1: readonly (readonly number[])[];
      readonly attempt_2: readonly (readonly number[])[];
    }[]
  >
>;

function keyOf(task: string, pair: number): string {
  return `${task} ${pair}`;
}
