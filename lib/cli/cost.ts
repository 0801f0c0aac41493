/** Text about the cost of runs on this machine, before they start. */
import type { EngineOptions } from '../engine/create.js';
import { measuredSpeed, runCost, type MeasuredSpeed, type RunCost } from '../experiment/cost.js';
import type { Experiment } from '../experiment/experiment.js';
import { hashOf } from '../experiment/sealed.js';
import { describe, hoursText, prefixed } from '../model/describe.js';

/** The cost of runs, at the speeds measured on their models. */
export interface MeasuredCost extends MeasuredSpeed {
  /** Of all runs. */
  readonly flop: number;
  readonly hours: number;
  /** Number of models measured, and of runs at once. */
  readonly models: number;
  readonly jobs: number;
}

interface PlannedCost {
  readonly experiment: Experiment;
  readonly cost?: RunCost;
}

/**
 * Measures each model of the runs for about a second, in as many copies at once as runs will work at once. Attention
 * and small layers take more time for the same FLOP than large products, and concurrent runs slow each other down.
 */
export async function measuredCost(
  runs: readonly PlannedCost[],
  engine: EngineOptions,
  jobs = 1,
  measure: typeof measuredSpeed = measuredSpeed,
): Promise<MeasuredCost> {
  const models = new Map<string, { readonly experiment: Experiment; flop: number }>();
  for (const { experiment, cost = runCost(experiment) } of runs) {
    const { model, training } = experiment;
    const key = hashOf({ model, training: [training.batchSize, training.optimizer] });
    const known = models.get(key) ?? { experiment, flop: 0 };
    models.set(key, { experiment, flop: known.flop + cost.training + cost.evaluation });
  }
  const atOnce = Math.min(jobs, runs.length);
  let [flop, seconds, name] = [0, 0, ''];
  for (const { experiment, flop: own } of models.values()) {
    const speeds = await Promise.all(Array.from({ length: atOnce }, () => measure(experiment, engine)));
    flop += own;
    seconds += own / speeds.reduce((sum, { flopPerSecond }) => sum + flopPerSecond, 0);
    name = speeds[0]?.engine ?? name;
  }
  return {
    flop,
    hours: seconds / 3600,
    flopPerSecond: flop / seconds,
    engine: name,
    models: models.size,
    jobs: atOnce,
  };
}

/** The caution that goes with a speed measured in a few training steps. */
export const measuredNow = 'The speed was measured just now; other programs may have slowed it.';

/** "2.2 EFLOP, 3,100 hours (130 days) on this machine at 196 GFLOP/s. The speed was measured just now; …". */
export function costText({ flop, hours, flopPerSecond, models, jobs }: MeasuredCost): string {
  return (
    `${prefixed(flop)}FLOP, ${hoursText(hours)} on this machine${jobs === 1 ? '' : `, ${jobs} runs at once,`} ` +
    `at ${prefixed(flopPerSecond)}FLOP/s${models === 1 ? '' : ` on their ${models} models`}. ${measuredNow}`
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
