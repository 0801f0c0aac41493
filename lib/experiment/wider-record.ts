/** The record of a study of thinking wider: its plan, the parts in it, and how it is written and read. */
import path from 'node:path';
import { InputError } from '../errors.js';
import {
  between,
  checkFields,
  listOf,
  number,
  objectOf,
  oneOf,
  optional,
  text,
  whole,
  type FieldCheck,
} from '../fields.js';
import { writeFileAtomic } from '../write-file.js';
import type { DataSummary, Sitting } from './record.js';
import { dataSummary, sitting } from './record-shape.js';
import { readSealed, recordFiles, sealed } from './sealed.js';

/** What a study tries, and on how many puzzles. */
export interface WiderPlan {
  /** Puzzles that choose the threshold: the first of the validation set. */
  readonly validationPuzzles: number;
  /** Puzzles that are reported: test puzzles from number `testFrom` on, counted from 0. */
  readonly testFrom: number;
  readonly testPuzzles: number;
  /** Puzzles of a part. */
  readonly partPuzzles: number;
  /** Search: supervision steps of each form, least and most forms of a test puzzle, and the logit that ends it. */
  readonly formSteps: number;
  readonly leastForms: number;
  readonly mostForms: number;
  readonly haltAbove: number;
  /** More cycles: supervision steps of the puzzle as it stands. */
  readonly cycles: number;
  /** Noisy chains (arXiv 2605.19943): how many, their supervision steps, the standard deviation of the noise. */
  readonly chains: number;
  readonly chainSteps: number;
  readonly noise: number;
}

/**
 * The study of the shipped 9×9 model. A form gets eight supervision steps, the most in its training. The run scored the
 * first 2,000 test puzzles, so the study takes the next. The noise is that reported for PTRM.
 */
export const widerPlan: WiderPlan = {
  validationPuzzles: 200,
  testFrom: 2000,
  testPuzzles: 1000,
  partPuzzles: 50,
  formSteps: 8,
  leastForms: 16,
  mostForms: 128,
  haltAbove: 6,
  cycles: 64,
  chains: 8,
  chainSteps: 8,
  noise: 0.3,
};

/** Which puzzles a part is about. */
interface Part {
  readonly set: 'validation' | 'test';
  readonly from: number;
  readonly puzzles: number;
}

/** Puzzles searched in form after form. */
export interface SearchPart extends Part {
  readonly method: 'search';
  /** For each puzzle, the answers surer than all before, flattened: passes, halting logit, 1 if right or 0 if wrong. */
  readonly surer: readonly (readonly number[])[];
  /** Puzzles that the votes of the first 1, 2, … forms solve. */
  readonly votes: readonly number[];
}

/** Puzzles with more supervision steps or with noisy chains: how many are solved after each step. */
export interface StepsPart extends Part {
  readonly method: 'cycles' | 'chains';
  readonly solved: readonly number[];
}

export type WiderPart = SearchPart | StepsPart;

/** The record of a study. */
export interface WiderRecord {
  readonly schema: typeof widerSchema;
  readonly id: string;
  /** The command that makes it again. */
  readonly command: string;
  readonly checkpoint: { readonly name: string; readonly sha256: string };
  readonly seed: number;
  readonly plan: WiderPlan;
  readonly data: { readonly validation: DataSummary; readonly test: DataSummary };
  /** In order; from and to count parts. */
  readonly sittings: readonly Sitting[];
  /** Seconds of all parts, and passes made in them. */
  readonly seconds: number;
  readonly passes: number;
  readonly parts: readonly WiderPart[];
}

/** Version of the record's form. */
export const widerSchema = 'trm-lab/wider/1';

/** Writes the record of a study with its seal, a part a line. */
export function writeWider(file: string, record: WiderRecord): void {
  const { parts, ...rest } = sealed(record) as WiderRecord;
  const lines = parts.map((part) => JSON.stringify(part)).join(',\n');
  writeFileAtomic(file, `${JSON.stringify({ ...rest, parts: [] }, null, 1).slice(0, -4)}[\n${lines}\n]\n}\n`);
}

/** Reads the record of a study, complete or not. Throws InputError as readRecord. */
export function readWider(file: string): WiderRecord {
  return readSealed(file, widerSchema, (name, content) => {
    const { plan, parts } = checkFields(name, content, recordShape) as unknown as WiderRecord;
    const wanted = partsOf(plan);
    for (const [i, part] of parts.entries()) {
      const [asked, length] = [wanted[i], lengthsOf(part)];
      const fits = ['method', 'set', 'from', 'puzzles'].every(
        (key) => part[key as keyof Part] === asked?.[key as 'set'],
      );
      if (!fits || String(length) !== String(expectedLengths(plan, part)))
        throw new InputError(`${name}: expected in part ${i + 1} what its plan asks for, got something else`);
    }
  }) as WiderRecord;
}

/** The complete studies of a folder, by file name. Throws InputError as readRecords, and for one that is not done. */
export function readWiderRecords(folder: string): WiderRecord[] {
  return recordFiles(folder).map((file) => {
    const record = readWider(file);
    const missing = partsOf(record.plan).length - record.parts.length;
    if (missing !== 0 || record.sittings.length === 0)
      throw new InputError(`record ${path.basename(file)}: expected all parts, ${missing} are missing; finish it`);
    return record;
  });
}

/** How long the lists of a part are, and how long its plan has them. */
function lengthsOf(part: WiderPart): (number | undefined)[] {
  return part.method === 'search' ? [part.surer?.length, part.votes?.length] : [part.solved?.length];
}
function expectedLengths({ leastForms, cycles, chainSteps }: WiderPlan, { method, set, puzzles }: WiderPart): number[] {
  return { search: [puzzles, set === 'test' ? leastForms : 0], cycles: [cycles], chains: [chainSteps] }[method];
}

/** A part that a plan asks for. */
export type WantedPart = Part & { readonly method: WiderPart['method'] };

/** The parts of a study in order: first those that choose the threshold, then those that are reported. */
export function partsOf({ validationPuzzles, testFrom, testPuzzles, partPuzzles }: WiderPlan): WantedPart[] {
  const cut = (method: WiderPart['method'], set: Part['set'], from: number, count: number): WantedPart[] =>
    Array.from({ length: Math.ceil(count / partPuzzles) }, (_, i) => ({
      method,
      set,
      from: from + i * partPuzzles,
      puzzles: Math.min(partPuzzles, count - i * partPuzzles),
    }));
  return [
    ...cut('search', 'validation', 0, validationPuzzles),
    ...(['search', 'cycles', 'chains'] as const).flatMap((method) => cut(method, 'test', testFrom, testPuzzles)),
  ];
}

/** Per puzzle triples: passes rise, logits rise, and an answer is right or not. */
const surerAnswers: FieldCheck = (value) => {
  const expected = listOf(number)(value);
  if (expected !== undefined) return expected;
  const numbers = value as readonly number[];
  const rises = (at: number): boolean => numbers.every((each, i) => i % 3 !== at || i < 3 || each >= numbers[i - 3]!);
  const judged = numbers.every((each, i) => i % 3 !== 2 || each === 0 || each === 1);
  return numbers.length % 3 === 0 && rises(0) && rises(1) && judged
    ? undefined
    : 'passes, logit, 0 or 1 in a row, passes and logits rising';
};
const counts = listOf(whole(0));
const summary = objectOf(dataSummary);
const recordShape = {
  schema: text,
  id: text,
  command: text,
  checkpoint: objectOf({ name: text, sha256: text }),
  seed: whole(0),
  plan: objectOf({
    ...Object.fromEntries(Object.keys(widerPlan).map((field) => [field, whole(1, 1e6)])),
    testFrom: whole(0, 1e6),
    haltAbove: between(0, 1000),
    noise: between(0, 100),
  }),
  data: objectOf({ validation: summary, test: summary }),
  sittings: listOf(objectOf(sitting)),
  seconds: number,
  passes: number,
  parts: listOf(
    objectOf({
      method: oneOf('search', 'cycles', 'chains'),
      set: oneOf('validation', 'test'),
      from: whole(0),
      puzzles: whole(1),
      surer: optional(listOf(surerAnswers)),
      votes: optional(counts),
      solved: optional(counts),
    }),
  ),
};
