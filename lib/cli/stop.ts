/**
 * Ctrl-C, SIGTERM and a terminal that is closed: the first asks a long command to save and end, the second ends it at
 * once.
 */
import tty from 'node:tty';
import type { Out } from './command.js';

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const; // exit codes, as shells have them

/**
 * Does work that can be asked to stop. `note` says what the first signal leads to. `terminal`: whether the command has
 * one. Without, as below nohup, work goes on when the terminal is closed, since Node forgets that nohup asks for that.
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
