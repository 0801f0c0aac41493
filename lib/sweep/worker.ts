/**
 * The process of one run of a sweep: takes its order from the parent, tells how far it is, and stops when the parent is
 * gone.
 */
import { errorText } from '../file-errors.js';
import { work, type WorkOrder } from './work.js';

/** What a worker tells its parent. */
export type WorkerMessage =
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'finished' | 'stopped' | 'taken' }
  | { readonly kind: 'failed'; readonly message: string };

let stop = false;
process.on('disconnect', () => (stop = true));
// A terminal, `timeout` or a service manager sends these to the whole group; the parent decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.once('message', (order) => {
  process.on('message', () => (stop = true)); // any further word means: stop after this step
  void obey(order as WorkOrder);
});

async function obey(order: WorkOrder): Promise<void> {
  try {
    leave({
      kind: await work(order, { shouldStop: () => stop, onShare: (share) => tell({ kind: 'progress', share }) }),
    });
  } catch (error) {
    leave({ kind: 'failed', message: errorText(error) });
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
