/**
 * The study of thinking wider: one model, test puzzles that no choice was based on, and the gain from more passes,
 * spent in several ways. Each part is saved when done; together they are one record.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { someOf, type Dataset } from '../data/dataset.js';
import { formsOf } from '../data/forms.js';
import type { Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { given } from '../fields.js';
import { projectRoot } from '../files.js';
import { Random } from '../random.js';
import { evaluate, type EvaluateOptions } from '../train/evaluate.js';
import { evaluateUntilSure } from '../train/until-sure.js';
import { readUserFile } from '../user-file.js';
import { claim, holderText } from './claim.js';
import { kitAtWork, sittingOf } from './provenance.js';
import { summaryOf } from './record.js';
import { hashOf } from './sealed.js';
import {
  partsOf,
  readWider,
  widerPlan,
  widerSchema,
  writeWider,
  type WantedPart,
  type WiderPart,
  type WiderPlan,
  type WiderRecord,
} from './wider-record.js';

/** What a study needs. */
export interface WiderOptions {
  readonly engine: Engine;
  /** Path of the engine's checkpoint; the record identifies it by a hash of its content. */
  readonly checkpoint: string;
  readonly command: string;
  readonly validation: Dataset;
  readonly test: Dataset;
  /** Folder of the record until it is complete. A stopped study continues from there. */
  readonly folder: string;
  readonly plan?: WiderPlan;
  readonly seed?: number;
  readonly shouldStop?: () => boolean;
  /** Passes done and expected. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number; readonly what: string }) => void;
}

/**
 * Makes a study, or the rest of it. Throws InputError if the folder holds another study or is in use, or a set is too
 * small; StoppedError if the caller stops it. Finished parts are kept.
 */
export async function widerStudy(options: WiderOptions): Promise<WiderRecord> {
  const { checkpoint, command, validation, test, folder, plan = widerPlan, seed = 0 } = options;
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
  if (held === undefined)
    throw new InputError(`${folder}: ${holderText(path.join(folder, id))} works on study ${id} there; wait for it`);
  try {
    const file = path.join(folder, id, 'record.json');
    const begun: WiderRecord = existsSync(file)
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
    if (begun.id !== id) throw new InputError(`${file}: expected study ${id}, got ${begun.id}; delete it`);
    return await makeMissing(begun, file, options);
  } finally {
    held.release();
  }
}

/** Makes the parts that a record lacks, and writes it after each. */
async function makeMissing(
  begun: WiderRecord,
  file: string,
  { engine, validation, test, shouldStop, onProgress }: WiderOptions,
): Promise<WiderRecord> {
  const { plan, seed } = begun;
  const kit = kitAtWork();
  const wanted = partsOf(plan);
  const total = wanted.reduce((sum, part) => sum + expectedPasses(plan, part), 0);
  const first = begun.parts.length;
  let record = begun;
  for (const part of wanted.slice(first)) {
    const done = wanted.slice(0, record.parts.length).reduce((sum, each) => sum + expectedPasses(plan, each), 0);
    const set = part.set === 'test' ? test : validation;
    const { passes, seconds, ...result } = await makePart(engine, set, plan, part, seed, {
      ...given({ shouldStop }),
      onProgress: (within) =>
        onProgress?.({
          done: done + (within.done / within.total) * expectedPasses(plan, part),
          total,
          what: `${part.method}, ${part.set} puzzles from ${part.from + 1}`,
        }),
    });
    record = {
      ...record,
      sittings: [...begun.sittings, sittingOf(kit, engine, first, record.parts.length + 1)],
      seconds: record.seconds + seconds,
      passes: record.passes + passes,
      parts: [...record.parts, result],
    };
    writeWider(file, record);
  }
  return record;
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
    const leastForms = set === 'test' ? plan.leastForms : 0; // choosing the threshold needs no votes
    const limits = { supervisionSteps, leastForms, mostForms, haltAbove };
    const found = await evaluateUntilSure(engine, dataset, { ...options, ...limits, forms: formsOf(dataset) });
    const surer = found.each.map((puzzle) =>
      puzzle.surer.flatMap(({ passes, haltLogit, right }) => [passes, Number(haltLogit.toFixed(3)), right ? 1 : 0]),
    );
    const { votes, seconds } = found;
    return { method, set, from, puzzles, surer, votes, passes: found.passes.mean * puzzles, seconds };
  }
  const {
    chains = 1,
    supervisionSteps,
    ...noisy
  } = method === 'chains'
    ? { chains: plan.chains, noise: plan.noise, supervisionSteps: plan.chainSteps }
    : { supervisionSteps: plan.cycles };
  const { exactAccuracy, seconds } = await evaluate(engine, dataset, {
    ...options,
    ...noisy,
    chains,
    supervisionSteps,
  });
  const solved = exactAccuracy.map((share) => Math.round(share * puzzles));
  return { method, set, from, puzzles, solved, passes: puzzles * chains * supervisionSteps, seconds };
}
