/** A schedule as people read it: its calls in the paper's letters. */
import { InputError, show } from '../errors.js';
import type { Call, Schedule } from './calls.js';

/** "z ← net(y + x + z)". */
function callFormula({ net, write, read }: Call): string {
  return `${write} ← ${net}(${read.join(' + ')})`;
}

/**
 * The calls of one supervision step, one line for each stretch that ends with an update of the answer. Equal calls in
 * a row are counted, and so are equal lines.
 */
export function scheduleText(schedule: Schedule): string {
  checkSchedule(schedule);
  const lines = recursions(schedule).map((calls) => {
    const formulas = counted(calls.map(callFormula)).map(([formula, times]) =>
      times === 1 ? formula : `[${formula}] × ${times}`,
    );
    const oneLine = formulas.join(',  ');
    return `${oneLine.length <= 100 ? oneLine : formulas.join(',\n     ')}${gradientNote(calls)}`;
  });
  return counted(lines)
    .map(([line, times]) => `${times === 1 ? '     ' : `${times} × `.padStart(5)}${line}`)
    .join('\n');
}

/** Throws InputError for what is no schedule. */
export function checkSchedule(schedule: Schedule): void {
  if (!Array.isArray(schedule?.calls))
    throw new InputError(`schedule: expected that of buildSchedule, got ${show(schedule)} without calls`);
}

function gradientNote(calls: readonly Call[]): string {
  const count = calls.filter(({ gradient }) => gradient).length;
  if (count === 0) return '    (no gradient)';
  return count === calls.length ? '    (gradient)' : `    (gradient in the last ${count} calls)`;
}

/** The calls cut after every call that writes the answer and is not followed by another such call. */
function recursions({ calls, answer, latents }: Schedule): Call[][] {
  // A model with a single latent writes nothing else: a recursion then ends where x is left out.
  const ends = ({ write, read }: Call): boolean => write === answer && (latents.length > 1 || !read.includes('x'));
  const parts: Call[][] = [[]];
  for (const call of calls) {
    parts.at(-1)?.push(call);
    if (ends(call)) parts.push([]);
  }
  return parts.filter((part) => part.length > 0);
}

/** Equal neighbours with their number. */
function counted(items: readonly string[]): [item: string, times: number][] {
  const runs: [string, number][] = [];
  for (const item of items) {
    const last = runs.at(-1);
    if (last?.[0] === item) last[1] += 1;
    else runs.push([item, 1]);
  }
  return runs;
}
