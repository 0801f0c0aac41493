/** The record of one run, the only source of tables and figures about it, and the numbers of it that they quote. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Dataset } from '../data/dataset.js';
import { InputError, show } from '../errors.js';
import { anyObject, checkValue, listOf, objectOf, pathText, text } from '../fields.js';
import { projectRoot } from '../files.js';
import { writeFileAtomic } from '../write-file.js';
import type { ArcVoteResult } from '../train/evaluate-arc.js';
import type { Evaluation } from '../train/evaluate.js';
import { isVote, type ClosingResult } from './closing.js';
import type { Experiment } from './experiment.js';
import { checkRecord } from './record-shape.js';
import { readSealed, recordFiles, sealed } from './sealed.js';

/** Means over a stretch of training, taken from the training batches themselves. */
export interface CurvePoint {
  /** Optimizer steps made at the end of the stretch. */
  readonly step: number;
  /** Mean over seats of the answer loss (stablemax cross-entropy per cell, nats) and of the halting loss. */
  readonly answerLoss: number;
  readonly haltLoss: number;
  /** Over the seats that halted in the stretch, 0 … 1; null when none did. */
  readonly exactAccuracy: number | null;
  readonly cellAccuracy: number | null;
  /** Supervision steps used by the seats that halted, as `StepMetrics` counts them. */
  readonly meanSteps: number | null;
}

/** An evaluation in the course of a run. */
export interface RunEvaluation extends Evaluation {
  /** Optimizer steps made. */
  readonly step: number;
  /** The same model on training puzzles, where the plan asks for them. */
  readonly training?: Evaluation;
}

/** Where and with what a part of a run was made. A run that was stopped and resumed has several sittings. */
export interface Sitting {
  /** Optimizer steps made at its start and at its end; equal if it only evaluated. */
  readonly from: number;
  readonly to: number;
  readonly version: string;
  /** Git commit of the kit, with "+changes" if the tree had uncommitted ones; null outside a git checkout. */
  readonly commit: string | null;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  /** The engine's own description: kind, instruction level or backend. */
  readonly engine: string;
  /** Threads of the engine; null where its backend decides. */
  readonly threads: number | null;
  readonly precision: string;
  /** ISO time at which it ended. */
  readonly finishedAt: string;
}

/** A data set as a run saw it. */
export interface DataSummary {
  readonly name: string;
  readonly sha256: string;
  readonly examples: number;
}

/** What a record says of a data set. */
export function summaryOf({ name, sha256, examples }: Dataset): DataSummary {
  return { name, sha256, examples };
}

/** One run, whole. */
export interface RunRecord {
  readonly schema: typeof recordSchema;
  readonly id: string;
  readonly experiment: Experiment;
  readonly seed: number;
  /** SHA-256 of the weights that the run started from; absent if the seed drew them. */
  readonly start?: string;
  /** SHA-256 of the source text of the custom block it computed with; absent for the kit's. */
  readonly block?: string;
  /** test: the puzzles that it was scored on, which for a search are validation puzzles. */
  readonly data: { readonly train: DataSummary; readonly test: DataSummary };
  readonly model: { readonly parameters: number; readonly depth: number; readonly forwardPasses: number };
  /** In order; at least one. */
  readonly sittings: readonly Sitting[];
  readonly steps: number;
  /** Wall-clock seconds, training and evaluation apart, over all sittings of the run. */
  readonly seconds: { readonly training: number; readonly evaluation: number };
  /** Peak resident memory of the process, bytes; of several sittings the largest. */
  readonly peakMemory: number;
  readonly curve: readonly CurvePoint[];
  /** In order; the last is the final one. */
  readonly evaluations: readonly RunEvaluation[];
  /** Results of the closing evaluations by their names in the experiment. An evaluation without puzzles is missing. */
  readonly closing: Readonly<Record<string, ClosingResult>>;
}

/** Version of the record's form; a reader refuses others. */
export const recordSchema = 'trm-lab/run/2';

/** The evaluation a table quotes: the last one. */
export function finalEvaluation(record: RunRecord): RunEvaluation {
  checkValue('record', record, objectOf({ evaluations: listOf(anyObject) }));
  const last = record.evaluations.at(-1);
  if (last === undefined)
    throw new InputError(`record ${record.id}: expected at least one evaluation, got none; run it again`);
  return last;
}

/** A closing evaluation by its name; undefined where it was not made, or is a vote. */
export function closingEvaluation({ closing }: RunRecord, name: string): Evaluation | undefined {
  const result = Object.hasOwn(closing, name) ? closing[name] : undefined;
  return result === undefined || isVote(result) ? undefined : result;
}

/** The run's ARC vote; undefined if it has none. */
export function voteOf({ closing }: RunRecord): ArcVoteResult | undefined {
  return Object.values(closing).find(isVote);
}

/**
 * The share a table quotes, 0 … 1: of puzzles solved whole after the last supervision step; for ARC, of tasks solved
 * in two tries.
 */
export function quotedAccuracy(record: RunRecord): number {
  return voteOf(record)?.passAt[2] ?? finalEvaluation(record).exactAccuracy.at(-1) ?? NaN;
}

/** The number of puzzles behind that share; for ARC, of tasks. */
export function quotedPuzzles(record: RunRecord): number {
  return voteOf(record)?.tasks ?? finalEvaluation(record).puzzles;
}

/** The last sitting of a run, for one-line texts. */
export function lastSitting({ id, sittings }: RunRecord): Sitting {
  const last = sittings.at(-1);
  if (last === undefined) throw new InputError(`record ${id}: expected at least one sitting, got none; run it again`);
  return last;
}

/** The precision of a whole run, "bf16"; "bf16 and float32" where its sittings differ. */
export function precisionOf({ sittings }: RunRecord): string {
  return [...new Set(sittings.map(({ precision }) => precision))].join(' and ');
}

/** Writes a record with a checksum of itself. */
export function writeRecord(file: string, record: RunRecord): void {
  writeFileAtomic(file, `${JSON.stringify(sealed(record), null, 1)}\n`);
}

/**
 * Reads a record; a relative path counts from the project's root. Throws InputError for a file that is truncated, of
 * another schema, or not as it was written.
 */
export function readRecord(file: string): RunRecord {
  checkValue('record', file, pathText);
  return readSealed(path.resolve(projectRoot(), file), recordSchema, checkRecord) as RunRecord;
}

/**
 * All records of a folder, by file name; a relative folder counts from the project's root. Throws InputError for a path
 * that is missing or no folder, a folder that holds only folders of runs, a file that is no record, and two records of
 * one run.
 */
export function readRecords(folder: string): RunRecord[] {
  checkValue('records', folder, pathText);
  const place = path.resolve(projectRoot(), folder);
  if (!existsSync(place)) throw new InputError(`records: expected a folder, found nothing: ${folder}; check the path`);
  const records = recordsSoFar(folder);
  const runs =
    records.length > 0 ? [] : readdirSync(place).filter((name) => existsSync(path.join(place, name, 'record.json')));
  if (runs.length > 0)
    throw new InputError(
      `records: expected them in ${folder} itself, got folders of runs: ${show(runs.slice(0, 8))}; read each one's ` +
        'record.json by readRecord',
    );
  return records;
}

/**
 * A run, followed by a folder's other records of the experiment of its name, changed or not. Throws InputError as
 * readRecords does.
 */
export function withRecorded(run: RunRecord, folder = 'data/runs'): RunRecord[] {
  checkValue('run', run, objectOf({ id: text, experiment: objectOf({ name: text }) }));
  const recorded = readRecords(folder).filter(
    ({ id, experiment: { name } }) => name === run.experiment.name && id !== run.id,
  );
  return [run, ...recorded];
}

/** The records of a folder; none if the folder does not exist yet. Throws InputError as readRecords otherwise. */
export function recordsSoFar(folder: string): RunRecord[] {
  const files = new Map<string, string>();
  return recordFiles(folder).map((file) => {
    const record = readRecord(file);
    const other = files.get(record.id);
    if (other !== undefined)
      throw new InputError(
        `${folder}: expected every run once, got ${record.id} in ${path.basename(other)} and ${path.basename(file)}; ` +
          'remove one of them',
      );
    files.set(record.id, file);
    return record;
  });
}
