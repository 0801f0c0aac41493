/** What an experiment is, in a few lines of text. */
import { parameterCount } from '../model/parameters.js';
import type { ModelConfig } from '../model/config.js';
import type { TrainingOptions } from '../train/options.js';
import { plural } from '../words.js';
import { changesText } from './differences.js';
import { checkExperiment, type Experiment } from './experiment.js';
import { experiments } from './experiments.js';
import { recursionsOf } from './rows.js';

/**
 * An experiment as text, one line for each part, and its changes from the named experiment it is based on. Commands
 * print it first.
 */
export function describeExperiment(experiment: Experiment): string {
  checkExperiment(experiment);
  const { name, about, base, model, training, task } = experiment;
  const count = parameterCount(model);
  const recursions = model.schedule === undefined ? recursionsOf(model) : 'a custom schedule';
  const named = experiments[base];
  const changes = named === undefined ? '' : changesText(named, experiment);
  return [
    `${name}${changes === '' ? '' : name === base ? ', changed' : `, changed from ${base}`}: ${about}`,
    `model: ${model.recursion}, ${model.mixer}, ${plural(model.layers, 'layer')} × ${model.hiddenSize}, ` +
      `${recursions}, ${count.toLocaleString('en')} parameters`,
    `training: ${plural(training.steps, 'step')} of ${training.batchSize} puzzles (${task.kind}), ` +
      `${training.optimizer}, learning rate ${training.learningRate}, weight decay ${training.weightDecay}, EMA ` +
      `${training.emaRate}${beyondThePaper(training, model)}`,
    ...(changes === '' ? [] : [`changed: ${changes}`]),
  ].join('\n');
}

/**
 * ", 1 supervision step a puzzle, 4 after 60 % of the steps, 128 interleaved batches": what a training has that the
 * paper's has not.
 */
function beyondThePaper(
  { supervisionSteps, supervisionCurriculum = [], interleavedBatches }: TrainingOptions,
  model: ModelConfig,
): string {
  const counts = [...supervisionCurriculum.map(([, count]) => count), supervisionSteps ?? model.supervisionSteps];
  const later = supervisionCurriculum
    .map(([until], i) => `, ${counts[i + 1]} after ${Math.round(100 * until)} % of the steps`)
    .join('');
  return [
    ...(supervisionSteps === undefined && later === ''
      ? []
      : [`, ${plural(counts[0]!, 'supervision step')} a puzzle${later}`]),
    ...(interleavedBatches === undefined ? [] : [`, ${interleavedBatches} interleaved batches`]),
  ].join('');
}
