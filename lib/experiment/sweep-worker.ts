/** The process of one run of a sweep: takes its order from the parent, tells how far it is, and stops when the parent is gone. */
import { InputError } from '../errors.js';
import type { EngineOptions } from '../engine/create.js';
import { claim } from './claim.js';
import type { PlannedRun } from './plan.js';
import { runExperiment } from './run.js';

/** What the parent asks for. */
export interface WorkerOrder {
  readonly run: PlannedRun;
  readonly engine: EngineOptions;
  readonly folder: string;
}

/** What a worker tells its parent. */
export type WorkerMessage =
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'finished' | 'stopped' | 'taken' }
  | { readonly kind: 'failed'; readonly message: string };

const tellEvery = 250; // ms

let stop = false;
process.on('disconnect', () => (stop = true));
process.on('SIGINT', () => undefined); // the terminal sends it to the whole group; the parent decides
process.once('message', (order) => {
  process.on('message', () => (stop = true)); // any further word means: stop after this step
  void obey(order as WorkerOrder);
});

async function obey({ run, engine, folder }: WorkerOrder): Promise<void> {
  const held = claim(folder);
  if (held === undefined) return leave({ kind: 'taken' });
  let toldAt = 0;
  try {
    const outcome = await runExperiment(run.experiment, {
      seed: run.seed,
      engine,
      folder,
      resume: true,
      shouldStop: () => stop,
      onProgress: async ({ share }) => {
        if (Date.now() - toldAt < tellEvery) return;
        toldAt = Date.now();
        tell({ kind: 'progress', share });
        await new Promise(setImmediate); // lets messages in
      },
    });
    outcome.engine.dispose();
    held.release();
    leave({ kind: outcome.record === undefined ? 'stopped' : 'finished' });
  } catch (error) {
    held.release();
    leave({ kind: 'failed', message: error instanceof InputError || !(error instanceof Error) ? String((error as Error).message) : (error.stack ?? error.message) });
  }
}

function tell(message: WorkerMessage): void {
  if (process.connected) process.send?.(message);
}

/** The last word; then nothing keeps the process. */
function leave(message: WorkerMessage): void {
  tell(message);
  if (process.connected) process.disconnect();
}
