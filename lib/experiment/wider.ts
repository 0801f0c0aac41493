/**
 * The study of thinking wider: one model, puzzles nothing was chosen by, and what more passes bring in several ways.
 * It is made in parts, each saved when it is done, and leaves one record.
 */
import path from 'node:path';
import { someOf, type Dataset } from '../data/dataset.js';
import { formsOf } from '../data/forms.js';
import type { Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import {
  between,
  checkFields,
  given,
  listOf,
  objectOf,
  oneOf,
  optional,
  text,
  whole,
  number,
  type FieldCheck,
} from '../fields.js';
import { projectRoot } from '../files.js';
import { readUserFile } from '../user-file.js';
import { writeFileAtomic } from '../write-file.js';
import { Random } from '../random.js';
import { evaluate, type EvaluateOptions } from '../train/evaluate.js';
import { evaluateUntilSure } from '../train/until-sure.js';
import { claim } from './claim.js';
import { sittingOf } from './provenance.js';
import { hashOf, readSealed, recordFiles, sealed } from './sealed.js';
import { summaryOf, type DataSummary, type Sitting } from './record.js';
import { sitting } from './record-shape.js';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';

/** What is tried, on how many puzzles. */
export interface WiderPlan {
  /** Puzzles by which the threshold is chosen: the first of the validation set. */
  readonly validationPuzzles: number;
  /** Puzzles that are reported: those of the test set from this one on, counted from 0. */
  readonly testFrom: number;
  readonly testPuzzles: number;
  /** Puzzles of a part. */
  readonly partPuzzles: number;
  /** Search: supervision steps a form, forms of every test puzzle, most forms of one, the logit that ends it. */
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
 * The study of the shipped 9×9 model. Forms have the eight steps that its training gave a puzzle at most. The run's own
 * test puzzles are the first 2,000, so these are the next. The noise is the one reported for PTRM.
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
  /** Of each puzzle, the answers surer than all before: passes, halting logit, 1 if right and 0 if wrong; in a row. */
  readonly surer: readonly (readonly number[])[];
  /** Puzzles that the votes of the first 1, 2, … forms solve. */
  readonly votes: readonly number[];
}

/** Puzzles thought about longer, or in noisy chains: how many are solved after each supervision step. */
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

const widerSchema = 'trm-lab/wider/1';

/** What a study needs. */
export interface WiderOptions {
  readonly engine: Engine;
  /** Path of the checkpoint that the engine holds; its content is named by its hash. */
  readonly checkpoint: string;
  readonly command: string;
  readonly validation: Dataset;
  readonly test: Dataset;
  /** Folder of the record while it is not complete. A stopped study goes on from there. */
  readonly folder: string;
  readonly plan?: WiderPlan;
  readonly seed?: number;
  readonly shouldStop?: () => boolean;
  /** Passes done and expected. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number; readonly what: string }) => void;
}

/**
 * Makes a study, or what is left of it. Throws InputError where its folder holds another's or is in use, or the sets
 * are too small; Interrupted where the caller stops it: what is done is kept.
 */
export async function widerStudy(options: WiderOptions): Promise<WiderRecord> {
  const { engine, checkpoint, command, validation, test, folder, plan = widerPlan, seed = 0 } = options;
  for (const [name, set, wanted] of [
    ['validation', validation, plan.validationPuzzles],
    ['test', test, plan.testFrom + plan.testPuzzles],
  ] as const)
    if (set.examples < wanted)
      throw new InputError(`${set.name}: expected at least ${wanted} ${name} puzzles, got ${set.examples}`);
  const sha256 = createHash('sha256').update(readUserFile(checkpoint)).digest('hex');
  const data = { validation: summaryOf(validation), test: summaryOf(test) };
  const name = path.basename(checkpoint, '.safetensors');
  const id = `${name}-seed${seed}-${hashOf([sha256, plan, data]).slice(0, 8)}`;
  const held = claim(path.join(folder, id));
  if (held === undefined) throw new InputError(`${folder}: another process works on study ${id} there; wait for it`);
  try {
    const file = path.join(folder, id, 'record.json');
    let record: WiderRecord = existsSync(file)
      ? readWider(file)
      : {
          schema: widerSchema,
          id,
          command,
          checkpoint: { name: path.relative(projectRoot(), path.resolve(checkpoint)), sha256 },
          seed,
          plan,
          data,
          sittings: [],
          seconds: 0,
          passes: 0,
          parts: [],
        };
    if (record.id !== id) throw new InputError(`${file}: expected study ${id}, got ${record.id}; delete it`);
    const wanted = partsOf(plan);
    const total = wanted.reduce((sum, part) => sum + expectedPasses(plan, part), 0);
    const before = record.sittings;
    const first = record.parts.length;
    for (const part of wanted.slice(first)) {
      const done = wanted.slice(0, record.parts.length).reduce((sum, each) => sum + expectedPasses(plan, each), 0);
      const { passes, seconds, ...result } = await makePart(
        engine,
        part.set === 'test' ? test : validation,
        plan,
        part,
        seed,
        {
          ...given({ shouldStop: options.shouldStop }),
          onProgress: (within) =>
            options.onProgress?.({
              done: done + (within.done / within.total) * expectedPasses(plan, part),
              total,
              what: `${part.method}, ${part.set} puzzles from ${part.from + 1}`,
            }),
        },
      );
      record = {
        ...record,
        sittings: [...before, sittingOf(engine, first, record.parts.length + 1)],
        seconds: record.seconds + seconds,
        passes: record.passes + passes,
        parts: [...record.parts, result],
      };
      writeWider(file, record);
    }
    return record;
  } finally {
    held.release();
  }
}

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

type WantedPart = Part & { readonly method: WiderPart['method'] };

/** The parts of a study, in their order: what the threshold is chosen by, then what is reported. */
function partsOf({ validationPuzzles, testFrom, testPuzzles, partPuzzles }: WiderPlan): WantedPart[] {
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

/** About how many passes a part takes: those of a search are a guess. */
function expectedPasses(plan: WiderPlan, { method, set, puzzles }: WantedPart): number {
  if (method === 'cycles') return puzzles * plan.cycles;
  if (method === 'chains') return puzzles * plan.chains * plan.chainSteps;
  const { formSteps, leastForms, mostForms } = plan;
  const each = set === 'validation' ? 0.25 * mostForms : leastForms + 0.15 * (mostForms - leastForms);
  return Math.round(puzzles * formSteps * each);
}

async function makePart(
  engine: Engine,
  all: Dataset,
  plan: WiderPlan,
  { method, set, from, puzzles }: WantedPart,
  seed: number,
  watch: Pick<EvaluateOptions, 'shouldStop' | 'onProgress'>,
): Promise<WiderPart & { readonly passes: number; readonly seconds: number }> {
  const dataset = someOf(
    all,
    Array.from({ length: puzzles }, (_, i) => from + i),
  );
  const options = { ...watch, random: new Random(seed).fork(set).fork(from) };
  if (method === 'search') {
    const { formSteps: supervisionSteps, mostForms, haltAbove } = plan;
    const leastForms = set === 'test' ? plan.leastForms : 0; // votes are not what the threshold is chosen by
    const limits = { supervisionSteps, leastForms, mostForms, haltAbove };
    const found = await evaluateUntilSure(engine, dataset, { ...options, ...limits, forms: formsOf(dataset) });
    const surer = found.each.map((puzzle) =>
      puzzle.surer.flatMap(({ passes, haltLogit, right }) => [passes, Number(haltLogit.toFixed(3)), right ? 1 : 0]),
    );
    const { votes, seconds } = found;
    return { method, set, from, puzzles, surer, votes, passes: found.passes.mean * puzzles, seconds };
  }
  const chains = method === 'chains' ? plan.chains : 1;
  const supervisionSteps = method === 'chains' ? plan.chainSteps : plan.cycles;
  const { exactAccuracy, seconds } = await evaluate(engine, dataset, {
    ...options,
    chains,
    noise: plan.noise,
    supervisionSteps,
  });
  const solved = exactAccuracy.map((share) => Math.round(share * puzzles));
  return { method, set, from, puzzles, solved, passes: puzzles * chains * supervisionSteps, seconds };
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
const summary = objectOf({ name: text, sha256: text, examples: whole(0) });
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
