/** Changes to latents between supervision steps: start values written out, and noise. */
import type { Engine, LatentState } from '../engine/engine.js';
import type { LatentId } from '../model/calls.js';
import { latentInitName } from '../model/parameters.js';
import type { Random } from '../random.js';

/** Start value of each latent, [D], the same at every position. */
export async function startValues(engine: Engine): Promise<ReadonlyMap<LatentId, Float32Array>> {
  const tensors = await engine.readTensors('parameters');
  return new Map(engine.schedule.latents.map((latent) => [latent, tensors.get(latentInitName(latent))!.data]));
}

/**
 * Calls `edit` on each latent of some seats, [S, D], to change it in place; the latents come in the schedule's order.
 */
export async function editLatents(
  state: LatentState,
  seats: readonly number[],
  edit: (values: Float32Array, latent: LatentId, seat: number) => void,
): Promise<void> {
  if (seats.length === 0) return;
  const latents = await state.read();
  for (const [latent, values] of latents) {
    const size = values.length / state.batchSize;
    for (const seat of seats) edit(values.subarray(seat * size, (seat + 1) * size), latent, seat);
  }
  await state.write(latents);
}

/** Adds σ times a standard normal to every value. */
export function addNoise(values: Float32Array, sigma: number, random: Random): void {
  for (let i = 0; i < values.length; i++) values[i]! += sigma * random.normal();
}
