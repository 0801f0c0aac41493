/** Which experiment uses what the paper has not: the options of training and halting that differ from its own. */
import { experiments } from '../experiment/experiments.js';
import type { Experiment } from '../experiment/experiment.js';
import { paperConfig } from '../model/config.js';
import { paperTraining } from '../train/options.js';
import { tableOfRows, type Table } from './tables.js';

/** One row an experiment above smoke scale that uses any of them; a dash is the paper's way. */
export function beyondTable(): Table {
  const rows = Object.values(experiments)
    .filter(({ scale }) => scale !== 'smoke')
    .map(beyondRow)
    .filter(({ experiment: _, ...options }) => Object.values(options).some((option) => option !== null));
  return tableOfRows(rows);
}

function beyondRow({ name, model, training }: Experiment): Record<string, string | number | null> {
  const { optimizer, finalRateRatio, decayFraction, supervisionSteps, supervisionCurriculum } = training;
  const { explorationProbability } = model;
  const stages = [
    ...(supervisionCurriculum ?? []).map(([until, steps]) => `${steps} up to ${until}`),
    ...(supervisionSteps === undefined ? [] : [String(supervisionSteps)]),
  ];
  return {
    experiment: name,
    optimizer: optimizer === paperTraining.optimizer ? null : optimizer,
    'rate falls over the last': finalRateRatio === 1 ? null : `${Math.round(100 * decayFraction)} %`,
    'steps a puzzle in training': stages.length === 0 ? null : stages.join(', then '),
    'batches in turn': training.interleavedBatches ?? null,
    'exploration probability':
      explorationProbability === paperConfig.explorationProbability ? null : explorationProbability,
  };
}
