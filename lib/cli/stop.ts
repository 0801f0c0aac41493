/** Ctrl-C and SIGTERM: the first asks a long command to save and end, the second ends it at once. */
import type { Out } from './command.js';

const signals = { SIGINT: 130, SIGTERM: 143 } as const; // exit codes, as shells have them

/** Does work that can be asked to stop. `note` says what the first signal leads to. */
export async function stoppable<Result>(
  out: Out,
  note: string,
  work: (shouldStop: () => boolean) => Promise<Result>,
): Promise<Result> {
  let asked = false;
  const handlers = Object.entries(signals).map(([signal, code]) => {
    const stop = (): void => {
      if (asked) process.exit(code);
      asked = true;
      out.note(`\n${note}; once more to end at once`);
    };
    return [signal, stop] as const;
  });
  for (const [signal, stop] of handlers) process.on(signal, stop);
  try {
    return await work(() => asked);
  } finally {
    for (const [signal, stop] of handlers) process.off(signal, stop);
  }
}
