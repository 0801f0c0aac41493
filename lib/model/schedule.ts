/** The recursion as data: which network is called on which latents, in which order, and where gradient flows. */
import type { Call, LatentId, NetId, Schedule, Source } from './calls.js';
import { checkConfig, type ModelConfig } from './config.js';
import { readSchedule } from './own-schedule.js';

/**
 * One supervision step of a TRM in the paper (§4, Figure 3); x is the embedded puzzle, y the answer, z the latent:
 *
 *   def latent_recursion(x, y, z, n):          def deep_recursion(x, y, z, n, T):
 *       for i in range(n):                         with no_grad():
 *           z = net(x, y, z)                           for j in range(T − 1):
 *       y = net(y, z)                                      y, z = latent_recursion(x, y, z, n)
 *       return y, z                                y, z = latent_recursion(x, y, z, n)
 *                                                  return y.detach(), z.detach(), output(y), halt(y)
 *
 * This builds the calls of a configuration (spec §1.11 for TRM and Table 2's variants,
 * §6 for HRM, §7 for Table 1's rows). Throws InputError for an invalid configuration.
 */
export function buildSchedule(config: ModelConfig): Schedule {
  checkConfig(config);
  if (config.schedule !== undefined) return readSchedule(config.schedule);
  const { deepRecursions: T, latentRecursions: n } = config;
  const [fL, fH]: readonly [NetId, NetId] = config.separateNets ? ['fL', 'fH'] : ['net', 'net'];
  const nets = [...new Set([fL, fH])];
  switch (config.recursion) {
    case 'trm':
    case 'hrm': {
      // HRM (spec §6) makes the same calls: its configuration has two networks and the one-step gradient (config.ts).
      const calls = repeat(T, () => [
        ...repeat(n, () => [call(fL, 'z', ['y', 'x', 'z'])]), //  z ← net(x, y, z); the published code adds y + x first
        call(fH, 'y', ['y', 'z']), //                             y ← net(y, z)
      ]);
      return { latents: ['y', 'z'], nets, calls: withGradient(calls, config), answer: 'y' };
    }
    case 'single-z': {
      // Table 2: one latent; the last call of a deep recursion leaves x out (spec §1.11).
      const calls = repeat(T, () => [...repeat(n, () => [call('net', 'z', ['x', 'z'])]), call('net', 'z', ['z'])]);
      return { latents: ['z'], nets, calls: withGradient(calls, config), answer: 'z' };
    }
    case 'multi-z': {
      // Table 2: the i-th call of a deep recursion refines z_i; every call reads the sum of all z.
      const zs = Array.from({ length: config.latentCount }, (_, i): LatentId => `z${i + 1}`);
      const calls = repeat(T, () => [
        ...zs.slice(0, n).map((z) => call(fL, z, [...zs, 'y', 'x'])), // z_i ← net(Σ z_j + y + x)
        call(fH, 'y', [...zs, 'y']), //                                   y ← net(y + Σ z_j)
      ]);
      return { latents: ['y', ...zs], nets, calls: withGradient(calls, config), answer: 'y' };
    }
    case 'direct':
      // A plain transformer (Tables 4 and 5): one call a supervision step; T and n are ignored.
      return { latents: ['y'], nets: ['fH'], calls: [{ ...call('fH', 'y', ['y', 'x']), gradient: true }], answer: 'y' };
  }
}

/** The paper's "depth": sequential layers in a supervision step, T(n + 1) times the layers of the network. */
export function effectiveDepth(config: ModelConfig): number {
  return buildSchedule(config).calls.length * config.layers;
}

/** The paper's "NFP": forward passes per optimizer step. Learning `continue` takes a second one (spec §2.3). */
export function forwardPasses(config: ModelConfig): number {
  return config.halting === 'halt-or-continue' ? 2 : 1;
}

function call(net: NetId, write: LatentId, read: readonly Source[]): Call {
  return { net, write, read, gradient: false };
}

function repeat<Item>(times: number, make: () => readonly Item[]): Item[] {
  return Array.from({ length: times }, make).flat();
}

/**
 * The same calls with gradient in the n + 1 calls of the last deep recursion,
 * or, for one-step, only in the last update of z and the update of y after it.
 */
function withGradient(calls: readonly Call[], { gradient, latentRecursions: n }: ModelConfig): Call[] {
  const from = calls.length - (gradient === 'one-step' ? 2 : n + 1);
  return calls.map((each, i) => ({ ...each, gradient: i >= from }));
}
