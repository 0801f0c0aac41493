/** Reads and checks schedules that are written by hand. */
import { InputError } from '../errors.js';
import type { Call, NetId, Schedule } from './calls.js';

/** Enough for any useful schedule; keeps a typing error from filling the memory. */
const mostCalls = 4096;

/** Networks in the order of the kit's own schedules. */
const netOrder: readonly NetId[] = ['net', 'fL', 'fH'];

/** "4 × z ← net(y + x + z)  (no gradient)": times, write, net, sources, and whether it is without gradient. */
const callPattern = /^(?:(\d+)\s*[×x*]\s*)?(y|z\d*)\s*(?:←|<-|=)\s*(net|fL|fH)\s*\(([^()]*)\)\s*(\(no gradient\))?$/u;

/**
 * Reads a schedule, one call a line (or between semicolons):
 *
 *   4 × z ← net(y + x + z)  (no gradient)
 *   2 × z ← net(y + x + z)
 *   y ← net(y + z)
 *
 * A number repeats its line; ← may be written = and × may be written *. Latents are y and z, or y and z1, z2, …;
 * x is the puzzle. Networks are net, or fL and fH for two. The heads read the answer from y, or from z without a y.
 * Calls without gradient come first, since no gradient flows back through their results.
 * Throws InputError saying which line is wrong, and why.
 */
export function readSchedule(text: string): Schedule {
  const calls: Call[] = [];
  for (const written of text
    .split(/[\n;]/)
    .map((part) => part.trim())
    .filter((part) => part !== '')) {
    const [, times = '1', write, net, sources = '', constant] =
      callPattern.exec(written) ??
      refuse(`expected lines like "2 × z ← net(y + x + z)", got ${JSON.stringify(written)}`);
    const read = sources.split('+').map((source) => source.trim());
    for (const source of read)
      if (!/^(x|y|z\d*)$/.test(source))
        refuse(`expected to read x, y, z or z1, z2, …, got ${JSON.stringify(source)} in ${JSON.stringify(written)}`);
    if (new Set(read).size !== read.length) refuse(`expected every source once, got ${JSON.stringify(written)}`);
    if (calls.length + Number(times) > mostCalls || Number(times) < 1)
      refuse(`expected 1 to ${mostCalls} calls in all, got ${times} more in ${JSON.stringify(written)}`);
    const call = { net, write, read, gradient: constant === undefined } as Call;
    if (calls.at(-1)?.gradient === true && !call.gradient)
      refuse(`expected calls without gradient before those with it, got ${JSON.stringify(written)} after them`);
    for (let i = 0; i < Number(times); i++) calls.push(call);
  }
  const latents = [...new Set(calls.map(({ write }) => write))].sort();
  const answer = latents.includes('y') ? 'y' : 'z';
  const nets = netOrder.filter((each) => calls.some(({ net }) => net === each));
  const unwritten = calls.flatMap(({ read }) => read).find((source) => source !== 'x' && !latents.includes(source));
  if (unwritten !== undefined)
    refuse(`expected every latent that is read to be written, got none that writes ${unwritten}`);
  if (!calls.some(({ read }) => read.includes('x'))) refuse('expected a call that reads x, the puzzle, got none');
  if (!calls.some(({ write, gradient }) => write === answer && gradient))
    refuse(`expected a call with gradient that writes the answer ${answer}, got none`);
  if (nets.includes('net') && nets.length > 1)
    refuse(`expected one network, net, or two, fL and fH, got ${nets.join(', ')}`);
  return { calls, latents, nets, answer };
}

function refuse(why: string): never {
  throw new InputError(`schedule: ${why}`);
}
