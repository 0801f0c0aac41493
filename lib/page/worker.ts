/** The engine in a web worker: loads weights, thinks, and answers the page's requests one after another. */
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import * as tf from '@tensorflow/tfjs-core';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { gridForms, sudokuForms } from '../data/relabelling.js';
import { geometryOfCells } from '../data/sudoku.js';
import type { Engine } from '../engine/engine.js';
import { TfjsEngine } from '../engine/tfjs/engine.js';
import { completeWasm } from '../engine/tfjs/wasm.js';
import { InputError } from '../errors.js';
import { checkpointOfBytes } from '../checkpoint/assemble.js';
import { searchForms } from '../train/search.js';
import { thinkOnce } from '../train/think.js';
import type {
  Backend,
  Job,
  ManyJob,
  ManyResult,
  Memory,
  Reply,
  Request,
  SearchJob,
  ThinkJob,
  ThinkResult,
} from './protocol.js';

type Send = (reply: Reply) => void;

const engines = new Map<string, Promise<Engine>>();
const jobs = new Map<number, AsyncIterator<unknown>>();
let backend: Backend = 'wasm';

/** The engine must not be called while it works, so requests wait for earlier ones. */
let queue: Promise<unknown> = Promise.resolve();

addEventListener('message', ({ data }: MessageEvent<Request>) => {
  const send: Send = (reply) => postMessage(reply);
  queue = queue.then(async () => {
    try {
      send({ id: data.id, value: await answer(data, send) });
    } catch (error) {
      send({ id: data.id, error: sentence(error) });
    }
  });
});

async function answer(request: Request, send: Send): Promise<unknown> {
  switch (request.call) {
    case 'open':
      return openBackend(request.backend);
    case 'load':
      return (await engineOf(request.model, (loaded, total) => send({ id: request.id, loaded, total }))).description;
    case 'start':
      jobs.set(request.id, run(request.job));
      return undefined;
    case 'next': {
      const job = jobs.get(request.job);
      const next = await job?.next();
      if (next?.done !== false) jobs.delete(request.job);
      return next?.done === false ? next.value : undefined;
    }
    case 'stop':
      await jobs.get(request.job)?.return?.();
      jobs.delete(request.job);
      return undefined;
    case 'memory': {
      const { numTensors, numBytes } = tf.memory();
      return { tensors: numTensors, bytes: numBytes } satisfies Memory;
    }
  }
}

/** Selects the engine's backend; fetches the code of a graphics backend only if asked for it. */
async function openBackend(wanted: Backend): Promise<void> {
  if (wanted === 'webgl') await import('@tensorflow/tfjs-backend-webgl');
  if (wanted === 'webgpu') await import('@tensorflow/tfjs-backend-webgpu');
  if (wanted === 'wasm') {
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false); // threads need headers that a plain web server does not send
    setWasmPaths(new URL('.', location.href).href);
  }
  if (!(await tf.setBackend(wanted))) throw new InputError(`this browser cannot start ${wanted}`);
  if (wanted === 'wasm') completeWasm();
  backend = wanted;
}

function engineOf(model: string, onProgress: (loaded: number, total: number) => void = () => {}): Promise<Engine> {
  let engine = engines.get(model);
  if (engine === undefined) {
    engine = openEngine(model, onProgress);
    engines.set(model, engine);
    engine.catch(() => engines.delete(model)); // the next request tries again
  }
  return engine;
}

async function openEngine(model: string, onProgress: (loaded: number, total: number) => void): Promise<Engine> {
  const { config, tensors } = checkpointOfBytes(await download(model, onProgress), fileName(model));
  const engine = new TfjsEngine(config, backend);
  await engine.writeTensors('parameters', tensors);
  return engine;
}

async function download(address: string, onProgress: (loaded: number, total: number) => void): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(address);
  } catch {
    throw new InputError(`${fileName(address)} cannot be fetched; check the connection and load the page again`);
  }
  if (!response.ok || response.body === null)
    throw new InputError(`${fileName(address)} is missing on this server (status ${response.status})`);
  const parts: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value);
    loaded += next.value.length;
    onProgress(loaded, Number(new URL(address).searchParams.get('bytes') ?? 0));
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function run(job: Job): AsyncIterator<unknown> {
  switch (job.kind) {
    case 'think':
      return thoughts(job);
    case 'search':
      return search(job);
    case 'many':
      return many(job);
  }
}

async function* thoughts({ model, puzzle }: ThinkJob): AsyncGenerator<ThinkResult> {
  for await (const { results } of many({ kind: 'many', model, puzzles: [puzzle], seats: 1 })) yield results[0]!;
}

async function* search({
  model,
  puzzle,
  forms,
  most,
  seats,
  threshold,
  supervisionSteps,
}: SearchJob): AsyncGenerator<unknown> {
  const engine = await engineOf(model);
  const geometry = geometryOfCells(puzzle.length);
  const drawn =
    forms === 'sudoku' && geometry !== undefined
      ? sudokuForms(geometry)
      : gridForms(Math.sqrt(puzzle.length), engine.config.vocabSize);
  yield* searchForms(engine, puzzle, {
    forms: drawn,
    votes: Math.min(seats, most),
    mostForms: most,
    haltAbove: threshold,
    supervisionSteps,
  });
}

async function* many({ model, puzzles, seats }: ManyJob): AsyncGenerator<ManyResult> {
  const engine = await engineOf(model);
  const L = engine.config.sequenceLength;
  const parts = Array.from({ length: Math.ceil(puzzles.length / seats) }, (_, part) => {
    const own = puzzles.slice(part * seats, (part + 1) * seats);
    const tokens = new Int32Array(own.length * L);
    own.forEach((puzzle, seat) => tokens.set(puzzle, seat * L));
    return { from: part * seats, tokens, state: engine.createState(own.length) };
  });
  try {
    for (let step = 0; ; step++) {
      for (const { from, tokens, state } of parts) {
        const puzzleIds = new Int32Array(state.batchSize);
        const { predictions, haltLogits } = await thinkOnce(engine, state, { tokens, puzzleIds }, step, 'average');
        const results = Array.from(haltLogits, (haltLogit, seat) => ({
          prediction: predictions.slice(seat * L, (seat + 1) * L),
          haltLogit,
        }));
        yield { cycle: step + 1, from, results };
      }
    }
  } finally {
    for (const { state } of parts) state.dispose();
  }
}

function fileName(address: string): string {
  return new URL(address).pathname.split('/').at(-1) ?? address;
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
