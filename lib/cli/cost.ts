/** Words for what runs will cost on this machine, before they start. */
import type { EngineOptions } from '../engine/create.js';
import { measuredSpeed, runCost, type MeasuredSpeed, type RunCost } from '../experiment/cost.js';
import type { Experiment } from '../experiment/experiment.js';
import { describe, hoursText, prefixed } from '../model/describe.js';

/** What runs cost, at the speed that was measured on the heaviest of their models, which takes a few seconds. */
export interface MeasuredCost extends MeasuredSpeed {
  /** Of all runs. */
  readonly flop: number;
  readonly hours: number;
}

interface PlannedCost {
  readonly experiment: Experiment;
  readonly cost?: RunCost;
}

export async function measuredCost(runs: readonly PlannedCost[], engine: EngineOptions): Promise<MeasuredCost> {
  const costs = runs.map(({ experiment, cost = runCost(experiment) }) => ({
    experiment,
    flop: cost.training + cost.evaluation,
  }));
  const flop = costs.reduce((sum, each) => sum + each.flop, 0);
  const heaviest = costs.reduce((most, each) => (each.flop > most.flop ? each : most));
  const speed = await measuredSpeed(heaviest.experiment, engine);
  return { ...speed, flop, hours: flop / speed.flopPerSecond / 3600 };
}

/** "2.2 EFLOP, 3,100 hours (130 days) on this machine at 196 GFLOP/s". */
export function costText({ flop, hours, flopPerSecond }: MeasuredCost): string {
  return (
    `${prefixed(flop)}FLOP, ${hoursText(hours)} on this machine at the ${prefixed(flopPerSecond)}FLOP/s ` +
    'measured just now, whatever else it is doing'
  );
}

/** "torch 2.15.0 NVIDIA H200, compiled: 81.3 ms a step; ends Sat, 28 Nov 2026 20:07". */
export function paceText({ engine, hours, flopPerSecond }: MeasuredCost, { model, training }: Experiment): string {
  const { flopPerTrainingStep } = describe(model, { batchSize: training.batchSize });
  const end = new Date(Date.now() + hours * 3_600_000);
  const ms = Number((1000 * (flopPerTrainingStep / flopPerSecond)).toPrecision(3));
  return (
    `${engine}: ${ms.toLocaleString('en')} ms a step; ` +
    `ends ${end.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })}`
  );
}
