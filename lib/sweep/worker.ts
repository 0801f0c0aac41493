/**
 * The process of one run of a sweep: takes its order from the parent, reports progress, and stops when the parent ends.
 */
import { errorText } from '../file-errors.js';
import { work, type WorkOrder } from './work.js';

/** A worker's messages to its parent. */
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

/** Sends the last message; nothing then keeps the process alive. */
function leave(message: WorkerMessage): void {
  tell(message);
  if (process.connected) process.disconnect();
}
