/** Writes a schedule as text: its calls in the paper's symbols. */
import { InputError, show } from '../errors.js';
import type { Call, Schedule } from './calls.js';

/** "z ← net(y + x + z)". */
function callFormula({ net, write, read }: Call): string {
  return `${write} ← ${net}(${read.join(' + ')})`;
}

/**
 * The calls of one supervision step, one line for each recursion, which ends with an update of the answer. Repeated
 * calls and repeated lines are written once with their count.
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

/** Throws InputError for what is not a schedule. */
export function checkSchedule(schedule: Schedule): void {
  if (!Array.isArray(schedule?.calls))
    throw new InputError(`schedule: expected that of buildSchedule, got ${show(schedule)} without calls`);
}

function gradientNote(calls: readonly Call[]): string {
  const count = calls.filter(({ gradient }) => gradient).length;
  if (count === 0) return '    (no gradient)';
  return count === calls.length ? '    (gradient)' : `    (gradient in the last ${count} calls)`;
}

/** Cuts the calls into recursions: after every call that writes the answer. */
function recursions({ calls, answer, latents }: Schedule): Call[][] {
  // Every call of a model with a single latent writes it: there a recursion ends with a call that leaves x out.
  const ends = ({ write, read }: Call): boolean => write === answer && (latents.length > 1 || !read.includes('x'));
  const parts: Call[][] = [[]];
  for (const call of calls) {
    parts.at(-1)?.push(call);
    if (ends(call)) parts.push([]);
  }
  return parts.filter((part) => part.length > 0);
}

/** Runs of equal items, each with its length. */
function counted(items: readonly string[]): [item: string, times: number][] {
  const runs: [string, number][] = [];
  for (const item of items) {
    const last = runs.at(-1);
    if (last?.[0] === item) last[1] += 1;
    else runs.push([item, 1]);
  }
  return runs;
}
