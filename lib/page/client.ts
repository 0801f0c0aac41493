/** The page's side of the worker: requests as promises, jobs under way, and the choice of the fastest backend. */
import type { Backend, Job, Reply, Request, Results } from './protocol.js';

type Call = Request extends infer Each ? (Each extends Request ? Omit<Each, 'id'> : never) : never;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress?: (loaded: number, total: number) => void;
}

/** A worker with an engine. */
export class Thinker {
  readonly backend: Backend;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  /** Jobs that are not stopped yet. */
  #jobs = 0;
  #retired = false;

  private constructor(backend: Backend, script: URL) {
    this.backend = backend;
    this.#worker = new Worker(script, { type: 'module' });
    this.#worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => this.#take(data));
    this.#worker.addEventListener('error', (event) => {
      const error = new Error(event.message || `${script.pathname.split('/').at(-1)} is missing on this server`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  /** Starts a worker on a backend. Rejects with one sentence if the browser cannot. */
  static async open(backend: Backend, script: URL): Promise<Thinker> {
    const thinker = new Thinker(backend, script);
    try {
      await thinker.#call({ call: 'open', backend });
    } catch (error) {
      thinker.close();
      throw error;
    }
    return thinker;
  }

  /** Fetches a model's weights, once. */
  async load(model: string, onProgress?: (loaded: number, total: number) => void): Promise<void> {
    await this.#call({ call: 'load', model }, onProgress);
  }

  /** Starts a job. */
  async start<Kind extends Job['kind']>(job: Job & { readonly kind: Kind }): Promise<RunningJob<Results[Kind]>> {
    const id = this.#last + 1;
    this.#jobs++;
    await this.#call({ call: 'start', job });
    return {
      next: () => this.#call({ call: 'next', job: id }) as Promise<Results[Kind] | undefined>,
      stop: async () => {
        this.#jobs--;
        await this.#call({ call: 'stop', job: id });
      },
    };
  }

  close(): void {
    this.#worker.terminate();
  }

  /** Closes it once every job is stopped and every call answered. */
  retire(): void {
    this.#retired = true;
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (this.#retired && this.#jobs === 0 && this.#waiting.size === 0) this.close();
  }

  #call(call: Call, onProgress?: Waiting['onProgress']): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, ...(onProgress === undefined ? {} : { onProgress }) });
      this.#worker.postMessage({ ...call, id });
    });
  }

  #take(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if ('loaded' in reply) {
      waiting?.onProgress?.(reply.loaded, reply.total);
      return;
    }
    this.#waiting.delete(reply.id);
    if ('error' in reply) waiting?.reject(new Error(reply.error));
    else waiting?.resolve(reply.value);
    this.#closeIfIdle();
  }
}

/** A running job. */
export interface RunningJob<Result> {
  /** The next result; undefined after the last. */
  next(): Promise<Result | undefined>;
  /** Ends it and frees its memory. */
  stop(): Promise<void>;
}

/** Cycles of a trial. */
const trialCycles = 4;

/** Longest first trial of a backend worth waiting for, milliseconds. */
const longestTrial = 20_000;

function tooLong(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error('too slow')), longestTrial));
}

/**
 * A worker on the graphics card, if this browser has one that gives the same answers as `now` in less time; else
 * undefined. A faster engine that rounds differently is of no use.
 */
export async function fasterThinker(
  now: Thinker,
  script: URL,
  model: string,
  puzzles: readonly Int32Array[],
): Promise<Thinker | undefined> {
  for (const backend of await graphicsBackends()) {
    let candidate: Thinker | undefined;
    try {
      candidate = await Thinker.open(backend, script);
      await Promise.race([trial(candidate, model, puzzles), tooLong()]); // the first run compiles
      const [theirs, ours] = [await trial(candidate, model, puzzles), await trial(now, model, puzzles)];
      if (theirs.answers === ours.answers && theirs.milliseconds < ours.milliseconds) return candidate;
    } catch {
      // This backend does not start here, or fails: the current one stays.
    }
    candidate?.close();
  }
  return undefined;
}

/** What WebGPU says of a graphics card; older browsers say less. */
interface Adapter {
  readonly info?: { readonly isFallbackAdapter?: boolean };
}

/** The graphics card backends that this browser offers. One that the processor emulates gains nothing. */
async function graphicsBackends(): Promise<Backend[]> {
  const backends: Backend[] = [];
  const { gpu } = navigator as { readonly gpu?: { requestAdapter(): Promise<Adapter | null> } };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  if (adapter != null && adapter.info?.isFallbackAdapter !== true) backends.push('webgpu');
  if (typeof OffscreenCanvas !== 'undefined') {
    const context = new OffscreenCanvas(1, 1).getContext('webgl2');
    const about = context?.getExtension('WEBGL_debug_renderer_info');
    const renderer = about == null ? '' : String(context?.getParameter(about.UNMASKED_RENDERER_WEBGL));
    if (context != null && !/swiftshader|llvmpipe|software/i.test(renderer)) backends.push('webgl');
  }
  return backends;
}

async function trial(
  thinker: Thinker,
  model: string,
  puzzles: readonly Int32Array[],
): Promise<{ readonly answers: string; readonly milliseconds: number }> {
  await thinker.load(model);
  const job = await thinker.start({ kind: 'many', model, puzzles, seats: puzzles.length });
  const started = performance.now();
  const answers: string[] = [];
  for (let cycle = 0; cycle < trialCycles; cycle++)
    answers.push(...((await job.next())?.results ?? []).map(({ prediction }) => prediction.join()));
  const milliseconds = performance.now() - started;
  await job.stop();
  return { answers: answers.join(';'), milliseconds };
}
