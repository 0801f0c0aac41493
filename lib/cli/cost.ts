/** Words for what runs will cost on this machine, before they start. */
import type { EngineOptions } from '../engine/create.js';
import { measuredSpeed, runCost, type RunCost } from '../experiment/cost.js';
import type { Experiment } from '../experiment/experiment.js';
import { hoursText, prefixed } from '../model/describe.js';

/**
 * "2.2 EFLOP, 3,100 hours (130 days) on this machine at 196 GFLOP/s":
 * the speed is measured on the heaviest of the models, which takes a few seconds.
 */
export async function costText(
  runs: readonly { readonly experiment: Experiment; readonly cost?: RunCost }[],
  engine: EngineOptions,
): Promise<string> {
  const costs = runs.map(({ experiment, cost = runCost(experiment) }) => ({
    experiment,
    flop: cost.training + cost.evaluation,
  }));
  const total = costs.reduce((sum, { flop }) => sum + flop, 0);
  const heaviest = costs.reduce((most, each) => (each.flop > most.flop ? each : most));
  const speed = await measuredSpeed(heaviest.experiment, engine);
  return (
    `${prefixed(total)}FLOP, ${hoursText(total / speed / 3600)} on this machine at the ${prefixed(speed)}FLOP/s ` +
    'measured just now, whatever else it is doing'
  );
}
