/**
 * Ctrl-C, SIGTERM and the closing of the terminal: the first makes a long command save and end, the second ends it at
 * once.
 */
import tty from 'node:tty';
import type { Out } from './command.js';

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const; // exit codes as in shells

/**
 * Does work that can be asked to stop. `note`: what the first signal does. `terminal`: whether the command has one;
 * else, as below nohup, work survives the closing of the terminal, since Node does not keep nohup's setting.
 */
export async function stoppable<Result>(
  out: Out,
  note: string,
  work: (shouldStop: () => boolean) => Promise<Result>,
  terminal = [0, 1, 2].some((stream) => tty.isatty(stream)),
): Promise<Result> {
  let asked = false;
  const handlers = Object.entries(signals).map(([signal, code]) => {
    const stop = (): void => {
      if (signal === 'SIGHUP' && (asked || !terminal)) return; // the shell repeats what the terminal said
      if (asked) process.exit(code);
      asked = true;
      out.note(`\n${note}; interrupt again to stop at once`);
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
