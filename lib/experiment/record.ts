/** The record of one run: everything a table or figure may say about it, and how it is read back without trusting it. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../errors.js';
import { pathError, readUserFile, writeFileAtomic } from '../files.js';
import type { ArcVoteResult } from '../train/evaluate-arc.js';
import type { Evaluation } from '../train/evaluate.js';
import type { PuzzleIdMode } from '../train/seats.js';
import type { Experiment } from './experiment.js';

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
  /** Supervision steps used by the seats that halted. */
  readonly meanSteps: number | null;
}

/** An evaluation in the course of a run. */
export interface RunEvaluation extends Evaluation {
  /** Optimizer steps made. */
  readonly step: number;
  /** What the versions of the tasks voted for; ARC runs, at their end. */
  readonly arc?: ArcVoteResult;
}

/** Where and with what a run was made. */
export interface Provenance {
  readonly version: string;
  /** Git commit of the kit, with "+changes" if the tree had uncommitted ones; null outside a git checkout. */
  readonly commit: string | null;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  /** The engine's own description: kind, instruction level or backend, threads. */
  readonly engine: string;
  readonly precision: string;
  /** ISO time at which the run ended. */
  readonly finishedAt: string;
}

/** A data set as a run saw it. */
export interface DataSummary {
  readonly name: string;
  readonly sha256: string;
  readonly examples: number;
}

/** One run, whole. */
export interface RunRecord {
  readonly schema: typeof recordSchema;
  readonly id: string;
  readonly experiment: Experiment;
  readonly seed: number;
  readonly data: { readonly train: DataSummary; readonly test: DataSummary };
  readonly model: { readonly parameters: number; readonly depth: number; readonly forwardPasses: number };
  readonly provenance: Provenance;
  readonly steps: number;
  /** Wall-clock seconds, training and evaluation apart, over all sittings of the run. */
  readonly seconds: { readonly training: number; readonly evaluation: number };
  /** Peak resident memory of the process, bytes. */
  readonly peakMemory: number;
  readonly curve: readonly CurvePoint[];
  /** In order; the last is the final one. */
  readonly evaluations: readonly RunEvaluation[];
  /** Of the final model on training puzzles, and with more supervision steps than it was trained for, where the experiment asks. */
  readonly onTraining?: Evaluation;
  readonly longer?: Evaluation;
  /** Of the final model with no puzzle's id (blank), or each with that of the next (shuffled): on the puzzles scored, and on training ones. */
  readonly otherIds?: {
    readonly [Mode in Exclude<PuzzleIdMode, 'own'>]?: { readonly scored: Evaluation; readonly training?: Evaluation };
  };
  /** Of the final model, by the names of the probes that the experiment asks for. */
  readonly probes?: Readonly<Record<string, Evaluation>>;
}

/** Version of the record's form; a reader refuses others. */
export const recordSchema = 'trm-lab/run/1';

/** The evaluation a table quotes: the last one. */
export function finalEvaluation(record: RunRecord): RunEvaluation {
  const last = record.evaluations.at(-1);
  if (last === undefined)
    throw new InputError(`record ${record.id}: expected at least one evaluation, got none; run it again`);
  return last;
}

/** The share a table quotes, 0 … 1: of puzzles solved whole after the last supervision step; for ARC, of tasks solved in two tries. */
export function quotedAccuracy(record: RunRecord): number {
  const { arc, exactAccuracy } = finalEvaluation(record);
  return arc?.passAt[2] ?? exactAccuracy.at(-1) ?? NaN;
}

/** How many puzzles that share is of; for ARC, tasks. */
export function quotedPuzzles(record: RunRecord): number {
  const { arc, puzzles } = finalEvaluation(record);
  return arc?.tasks ?? puzzles;
}

/** Writes a record with a checksum of itself. */
export function writeRecord(file: string, record: RunRecord): void {
  writeFileAtomic(file, `${JSON.stringify({ ...record, checksum: checksum(record) }, null, 1)}\n`);
}

/** Reads a record. Throws InputError for a file that is truncated, of another schema, or not as it was written. */
export function readRecord(file: string): RunRecord {
  const name = path.basename(file);
  let parsed: unknown;
  try {
    parsed = JSON.parse(readUserFile(file).toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new InputError(
        `record ${name}: expected JSON, got ${error.message}; the file is truncated or damaged: delete it and run again`,
      );
    throw error;
  }
  const { checksum: written, ...rest } = (typeof parsed === 'object' && parsed !== null ? parsed : {}) as Record<
    string,
    unknown
  >;
  if (rest['schema'] !== recordSchema)
    throw new InputError(
      `record ${name}: expected schema ${recordSchema}, got ${String(rest['schema'])}; it is from another version of the kit or not a record`,
    );
  const record = rest as unknown as RunRecord;
  if (written !== checksum(record))
    throw new InputError(
      `record ${name}: its checksum does not match its content; it was changed after the run, so it is not a result: delete it and run again`,
    );
  return record;
}

/** All records of a folder, by file name; an absent folder holds none. Throws InputError for a file that is no record, and for a path that is no folder. */
export function readRecords(folder: string): RunRecord[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw pathError(error, folder);
  }
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => readRecord(path.join(folder, name)));
}

/** SHA-256 of any plain value, independent of the order in which its fields were set. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex');
}

function checksum(record: RunRecord): string {
  return hashOf(JSON.parse(JSON.stringify(record)));
}

/** JSON with keys sorted at every level. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return `{${fields
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`)
      .join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
