/** Starts, asks and ends the Python process, or torchrun's processes, in which the torch engine computes. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { InputError } from '../../errors.js';
import { projectRoot } from '../../files.js';
import type { StoredTensor } from '../../checkpoint/tensor-data.js';
import { EngineLostError } from '../engine.js';
import { frameBytes, FrameReader, type Frame } from './wire.js';

/** How to start it; all fields are optional. */
export interface WorkerOptions {
  /** Ranks on this machine, one per device. Default 1. */
  readonly devices?: number | undefined;
  /** More arguments for torchrun, such as "--nnodes=2 --node-rank=0 --master-addr=node0". */
  readonly torchrun?: string | undefined;
}

/** The Python that has torch: TRM_TORCH_PYTHON, or that of the environment made by set-up. */
export function torchPython(): string {
  const named = process.env['TRM_TORCH_PYTHON'] ?? '';
  return named === '' ? path.join(projectRoot(), '.venv-torch', 'bin', 'python') : named;
}

/** Why there is no torch engine, or undefined if Python exists; whether it has torch shows when it is started. */
export function whyTorchMissing(): string | undefined {
  const python = torchPython();
  if (existsSync(python)) return undefined;
  return process.env['TRM_TORCH_PYTHON'] === python
    ? `TRM_TORCH_PYTHON names ${python}, which is not there`
    : 'PyTorch is not installed here: run npm run setup -- torch, or name a Python that has it in TRM_TORCH_PYTHON';
}

/** The worker's Python file, which lies next to this file's source even if this runs compiled in another folder. */
export const workerFile = path.join(projectRoot(), 'lib', 'engine', 'torch', 'worker.py');

/** The program and arguments that start the ranks of this machine. */
export function workerCommand({ devices = 1, torchrun }: WorkerOptions): readonly [string, ...string[]] {
  const python = torchPython();
  if (devices === 1 && torchrun === undefined) return [python, workerFile];
  const more = torchrun === undefined ? ['--standalone'] : torchrun.split(/\s+/).filter((word) => word !== '');
  return [python, '-m', 'torch.distributed.run', `--nproc-per-node=${devices}`, ...more, workerFile];
}

/** A request that waits for its answer. */
interface Waiting {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
}

/** Milliseconds that processes get to end by themselves, once their pipe is closed, before they are terminated. */
const patience = 20_000;

/** The worker at the other end of a pipe. It answers requests in order. */
export class Worker {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #reader = new FrameReader();
  readonly #waiting: Waiting[] = [];
  /** The last part of its standard error, which shows why it died. */
  #said = '';
  #lost: Error | undefined;
  #answered = false;

  /** Throws InputError if Python is missing. Whether the worker starts shows with the first answer. */
  constructor(options: WorkerOptions) {
    const missing = whyTorchMissing();
    if (missing !== undefined) throw new InputError(`the torch engine is not available: ${missing}`);
    const [program, ...args] = workerCommand(options);
    this.#child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      // Its own process group: Ctrl-C reaches only us, and the whole group can be terminated together.
      detached: true,
      env: { CUBLAS_WORKSPACE_CONFIG: ':4096:8', ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    this.#child.on('error', (error) => this.#lose(`does not start: ${error.message}`));
    this.#child.on('exit', (code, signal) => this.#ended(code, signal));
    this.#child.stdin.on('error', () => undefined); // the worker has died: 'exit' says how
    this.#child.stdout.on('data', (chunk: Uint8Array) => this.#take(chunk));
    this.#child.stderr.on('data', (chunk: Uint8Array) => {
      this.#said = (this.#said + Buffer.from(chunk).toString('utf8')).slice(-65_536);
    });
    (this.#child.stdin as unknown as Socket).unref();
    this.#hold(false);
  }

  /** Process id of the worker, or of torchrun; for tests. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Rejects with EngineLostError if the worker has ended or answers nonsense, with InputError if it does not start. */
  ask(head: Frame['head'], tensors: ReadonlyMap<string, StoredTensor> = new Map()): Promise<Frame> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      this.#waiting.push({ resolve, reject });
      this.#hold(true);
      for (const bytes of frameBytes({ head, tensors })) this.#child.stdin.write(bytes);
    });
  }

  /** Closes its standard input, whereupon it ends. */
  close(): void {
    this.#lost ??= new EngineLostError('the torch engine was disposed of');
    this.#child.stdin.end();
    this.#killLater();
  }

  /** Keeps Node alive exactly while a request waits for its answer or for news of the worker's death. */
  #hold(on: boolean): void {
    const { stdout, stderr } = this.#child as unknown as Record<'stdout' | 'stderr', Socket>;
    for (const each of [this.#child, stdout, stderr]) {
      if (on) each.ref();
      else each.unref();
    }
  }

  #take(chunk: Uint8Array): void {
    if (this.#lost !== undefined) return;
    try {
      for (const frame of this.#reader.push(chunk)) {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) throw new Error('expected no answer, got one');
        this.#answered = true;
        if (this.#waiting.length === 0) this.#hold(false);
        waiting.resolve(frame);
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#lose(`answered nonsense: ${error.message}`);
    }
  }

  /** Waits for the rest of standard error, which may arrive after 'exit'. */
  #ended(code: number | null, signal: string | null): void {
    this.#child.stdin.destroy(); // processes that torchrun leaves behind end by this
    const tell = (): void => this.#lose(`ended (${signal ?? `exit code ${code}`})${this.#cause(signal)}`);
    const { stderr } = this.#child;
    if (stderr.readableEnded || this.#lost !== undefined) return tell();
    const late = setTimeout(tell, 2000);
    if (this.#waiting.length === 0) late.unref();
    stderr.once('close', () => {
      clearTimeout(late);
      tell();
    });
  }

  /** Why it ended: what a worker or torchrun reported, else the last line of a process that no signal killed. */
  #cause(killedBy: string | null): string {
    const own = /worker error: (.*)/.exec(this.#said)?.[1];
    const signal = /Signal \d+ \(\w+\) received by PID \d+/.exec(this.#said)?.[0];
    const last = killedBy === null ? (this.#said.trim().split('\n').at(-1) ?? '') : '';
    const causes = [own, signal].filter((cause) => cause !== undefined);
    const cause = causes.length > 0 ? causes.join('; ') : last.slice(0, 300);
    if (cause === '' && killedBy === null && !this.#answered)
      return ` without a word: ${torchPython()} is no Python that has torch (TRM_TORCH_PYTHON names another)`;
    if (cause === '') return '';
    const remedies = {
      'out of device memory': 'take a smaller batch, or more --devices',
      InvalidCxxCompiler: 'install g++, or say --compile off',
    };
    const remedy = Object.entries(remedies).find(([words]) => cause.includes(words))?.[1];
    return `: ${cause}${remedy === undefined ? '' : `; ${remedy}`}`;
  }

  #lose(what: string): void {
    if (this.#lost === undefined) {
      const message = `the torch worker ${what}`;
      this.#lost = this.#answered ? new EngineLostError(message) : new InputError(message);
    }
    for (const { reject } of this.#waiting.splice(0)) reject(this.#lost);
    this.#hold(false);
    this.#child.stdin.destroy();
    this.#killLater();
  }

  /** Terminates what has not ended by itself in time; torchrun then ends its ranks. */
  #killLater(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    setTimeout(() => {
      try {
        process.kill(-pid, 'SIGTERM');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // no process is left, as it should be
      }
    }, patience).unref();
  }
}
