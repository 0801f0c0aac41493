/** Keeps the finished part of an evaluation in a file, so that an interrupted evaluation can continue from it. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { readJson } from '../json.js';
import { pieces, writeFileAtomic } from '../write-file.js';

/** Where and how the state of an evaluation is kept. */
export interface KeepingOptions {
  /** Folder of the files. A file's name is a hash of all that determines its evaluation's result. */
  readonly folder: string;
  /** true: go on from a file if there is one. false: start over. */
  readonly resume: boolean;
  /** Called if an evaluation is to start over although a file is there, which it would replace. */
  readonly onFound?: (file: string) => void;
  /** Least seconds between two writes. Default 30. */
  readonly every?: number;
  /** Called if an evaluation continues from a file. `done`: puzzles finished before. */
  readonly onResume?: (done: number, file: string) => void;
  /** Called if the first evaluation was to continue, but no file is there, so that it starts over. */
  readonly onNothing?: () => void;
}

const format = 'trm-lab/evaluation/1';

/** The files of one evaluation, or of several that make one result. */
export class Keeping {
  readonly #options: KeepingOptions;
  readonly #files: string[] = [];
  #wentOn = false;

  constructor(options: KeepingOptions) {
    this.#options = options;
  }

  /**
   * Opens the file of an evaluation. `settings`: all that determines its result, except model and engine. Throws
   * InputError for a damaged file.
   */
  async open<State extends { readonly done: number }>(
    engine: Engine,
    settings: Readonly<Record<string, unknown>>,
  ): Promise<Kept<State>> {
    const { config, description, precision, schedule } = engine;
    const hash = createHash('sha256');
    const parts = { format, settings, config, description, precision, schedule };
    // JSON has no Infinity: as null, two thresholds would be one.
    hash.update(
      JSON.stringify(parts, (_, value: unknown) => (value === Infinity || value === -Infinity ? String(value) : value)),
    );
    for (const kind of ['parameters', 'average'] as const) {
      for (const [name, { data }] of await engine.readTensors(kind)) {
        hash.update(name);
        for (const piece of pieces(data)) hash.update(piece);
      }
    }
    const kept = new Kept<State>(hash.digest('hex'), this.#options);
    const { resume, onFound, onNothing } = this.#options;
    if (!resume && existsSync(kept.file)) onFound?.(kept.file);
    if (resume && kept.found === undefined && this.#files.length === 0) onNothing?.();
    this.#files.push(kept.file);
    this.#wentOn ||= kept.found !== undefined;
    return kept;
  }

  /** Whether an evaluation went on from a file. */
  get wentOn(): boolean {
    return this.#wentOn;
  }

  /** Whether there is a file to go on from. */
  get holds(): boolean {
    return this.#files.some((file) => existsSync(file));
  }

  /** Removes the files; for when the result is saved elsewhere. */
  remove(): void {
    for (const file of this.#files.splice(0)) rmSync(file, { force: true });
  }
}

/** The file of one evaluation. `State`: the finished part as plain JSON, with `done` puzzles. */
export class Kept<State extends { readonly done: number }> {
  readonly file: string;
  /** The finished part of an interrupted evaluation. */
  readonly found: State | undefined;
  readonly #key: string;
  readonly #every: number;
  #written = performance.now();
  #latest: (() => State) | undefined;

  constructor(key: string, { folder, resume, every = 30, onResume }: KeepingOptions) {
    this.#key = key;
    this.#every = every;
    this.file = path.join(folder, `evaluation-${key.slice(0, 16)}.json`);
    this.found = resume && existsSync(this.file) ? this.#read() : undefined;
    if (this.found !== undefined) onResume?.(this.found.done, this.file);
  }

  /** Notes that a part is finished. Since some states are large, `state` is called only when the file is written. */
  note(state: () => State): void {
    this.#latest = state;
    if (performance.now() - this.#written >= 1000 * this.#every) this.#flush();
  }

  /**
   * Ends the evaluation, finished or not. A finished one updates a file that exists but creates none. Where several
   * evaluations make one result, each keeps its file until `remove`.
   */
  end(over: boolean): void {
    if (!over || existsSync(this.file)) this.#flush();
  }

  #flush(): void {
    if (this.#latest === undefined) return;
    const state = JSON.stringify(this.#latest());
    writeFileAtomic(this.file, `${JSON.stringify({ format, key: this.#key, sum: this.#sumOf(state), state })}\n`);
    this.#latest = undefined;
    this.#written = performance.now();
  }

  #read(): State {
    const refuse = (got: string): never => {
      throw new InputError(
        `${this.file}: expected what this evaluation had finished, got ${got}; delete the file to start over`,
      );
    };
    const content = readJson(readFileSync(this.file, 'utf8'), refuse);
    const { key, sum, state } = (content ?? {}) as { key?: unknown; sum?: unknown; state?: unknown };
    if (key !== this.#key) return refuse('that of another evaluation');
    if (typeof state !== 'string' || sum !== this.#sumOf(state))
      return refuse('something damaged: its checksum differs');
    return JSON.parse(state) as State;
  }

  #sumOf(state: string): string {
    return createHash('sha256').update(this.#key).update(state).digest('hex');
  }
}
