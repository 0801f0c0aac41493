/** Replays the reference's fixtures on an engine and measures how far every quantity is from PyTorch's. */
import type { Engine, InferResult, TrainResult } from '../engine/engine.js';
import { InputError } from '../errors.js';
import type { LatentId } from '../model/calls.js';
import type { ModelConfig } from '../model/config.js';
import { parameterSpecs, type Tensor, type TensorMap } from '../model/parameters.js';
import { Random } from '../random.js';
import { advance, emptyCarry, firstSteps, lastSteps, refill, type Carry } from './carry.js';
import { scoreBoard, stepMetrics, type StepMetrics } from './metrics.js';
import { checkTraining, paperTraining, updateRequest, type TrainingOptions } from './options.js';
import { Errors, rootMeanSquare, type QuantityReport } from './reference-errors.js';
import { readFixture, type Fixture } from './reference-fixture.js';

/** A fixture on an engine. */
export interface ReferenceReport {
  readonly name: string;
  readonly engine: string;
  readonly passed: boolean;
  readonly quantities: readonly QuantityReport[];
}

/**
 * Tolerances. Summing float32 in another order moves the first step's loss by 3e-7 and its gradients by 2e-5 of their
 * size (measured by perturbing all weights by 1e-7, spec §10). An update amplifies this: AdamATan2 divides by a root of
 * g², so an entry whose gradient is rounding noise moves by up to the learning rate (1e-3 here) in either direction.
 * Parameters are therefore compared by root mean square, and later steps at `afterUpdate`. A recursion with random
 * weights expands: an error in the latents grows up to tenfold a supervision step (measured, the same on three
 * backends). So every training step starts from the reference's latents. The fixtures have none for evaluation, whose
 * tolerance therefore grows tenfold a step.
 */
const tolerances = {
  logits: 2e-4, // absolute, first step; halting logits and latents too
  afterUpdate: 5e-3, // absolute
  growth: 10, // a supervision step of evaluation
  losses: 1e-5, // relative, first step
  lossesAfterUpdate: 1e-3, // relative
  gradients: 1e-3, // root mean square of the difference, relative to that of the tensor
  parameters: 1e-4, // root mean square, absolute
  accuracies: 1e-6, // relative: shares of few cells, so only another prediction could move them further
} as const;

/**
 * Replays a fixture `<name>.safetensors` with `<name>.json` beside it.
 * Throws InputError if a file is missing, damaged or not a fixture.
 */
export async function checkReference(
  file: string,
  createEngine: (config: ModelConfig) => Promise<Engine>,
): Promise<ReferenceReport> {
  const fixture = readFixture(file);
  const engine = await createEngine(fixture.config);
  try {
    const errors = new Errors();
    await replayTraining(fixture, engine, errors);
    await replayEvaluation(fixture, engine, errors);
    const quantities = errors.report();
    return {
      name: fixture.json.name,
      engine: engine.description,
      passed: quantities.every(({ passed }) => passed),
      quantities,
    };
  } finally {
    engine.dispose();
  }
}

async function replayTraining(fixture: Fixture, engine: Engine, errors: Errors): Promise<void> {
  const { json, config } = fixture;
  const options = trainingOf(fixture);
  const state = engine.createState(json.batch_size);
  const random = new Random(0); // never matters: the fixtures explore with probability 0
  await engine.writeTensors('parameters', parametersUnder(fixture, 'init/'));
  let carry = emptyCarry(json.batch_size, config.sequenceLength);
  for (let step = 0; step < json.train_steps; step++) {
    const at = `step${step}`;
    errors.absolute('carry: halted before', carry.halted, fixture.integers(`${at}/halted_before`), 0);
    if (step > 0) {
      const before = (latent: LatentId): Float32Array => fixture.floats(`step${step - 1}/${latentKey(latent)}`);
      await state.write(new Map(engine.schedule.latents.map((latent) => [latent, before(latent)])));
    }
    carry = refill(carry, batchUnder(fixture, `${at}/batch_`));
    const result = await engine.trainStep(state, {
      ...carry.puzzles,
      reset: firstSteps(carry),
      last: lastSteps(carry, config),
      loss: 'stablemax',
      wantLogits: true,
    });
    compareStep(fixture, step, result, await state.read(), errors);
    if (step === 0) await compareGradients(fixture, engine, errors);

    carry = advance(carry, result.haltLogits, result.continueLogits, config, random);
    errors.absolute('carry: halted after', carry.halted, fixture.integers(`${at}/halted_after`), 0);
    errors.absolute('carry: steps', carry.steps, fixture.integers(`${at}/steps_after`), 0);
    compareMetrics(fixture, step, stepMetrics(result, carry), errors);
    await engine.update(updateRequest(step + 1, options));
  }
  await compareWeights(fixture, engine, errors);
  state.dispose();
}

/** The training options of a fixture. */
function trainingOf({ json }: Fixture): TrainingOptions {
  return checkTraining({
    ...paperTraining,
    steps: json.train_steps,
    warmupSteps: 0,
    batchSize: json.batch_size,
    learningRate: json.optimizer.lr,
    beta1: json.optimizer.beta1,
    beta2: json.optimizer.beta2,
    weightDecay: json.optimizer.weight_decay,
    puzzleLearningRate: json.puzzle_emb_optimizer.lr,
    puzzleWeightDecay: json.puzzle_emb_optimizer.weight_decay,
    emaRate: json.ema,
  });
}

/** Compares what a training step gives: logits, halting logits and their targets, latents. */
function compareStep(
  fixture: Fixture,
  step: number,
  result: TrainResult,
  latents: ReadonlyMap<LatentId, Float32Array>,
  errors: Errors,
): void {
  const [when, close] = step === 0 ? ['first step: ', tolerances.logits] : ['later steps: ', tolerances.afterUpdate];
  const compare = (what: string, mine: Float32Array, name: string): void =>
    errors.absolute(`${when}${what}`, mine, fixture.floats(`step${step}/${name}`), close);
  compare('logits', result.logits ?? new Float32Array(), 'logits');
  compare('halt logits', result.haltLogits, 'q_halt_logits');
  compare('continue logits', result.continueLogits, 'q_continue_logits');
  if (fixture.has(`step${step}/target_q_continue`))
    compare('continue targets', result.continueTargets ?? new Float32Array(), 'target_q_continue');
  for (const [latent, values] of latents) compare('latents', values, latentKey(latent));
}

function compareMetrics({ json }: Fixture, step: number, mine: StepMetrics, errors: Errors): void {
  const [when, close] =
    step === 0 ? ['first step: ', tolerances.losses] : ['later steps: ', tolerances.lossesAfterUpdate];
  const expected = json.metrics[step];
  if (expected === undefined)
    throw new InputError(
      `${json.name}.json: expected metrics of ${json.train_steps} steps, got ${json.metrics.length}`,
    );
  const loss = mine.answerLoss + 0.5 * (mine.haltLoss + mine.continueLoss);
  errors.relative(
    `${when}losses`,
    [loss, mine.answerLoss, mine.haltLoss],
    [expected['loss_sum'], expected['lm_loss'], expected['q_halt_loss']],
    close,
  );
  if (expected['q_continue_loss'] !== undefined)
    errors.relative(`${when}continue loss`, [mine.continueLoss], [expected['q_continue_loss']], close);
  errors.relative(
    'accuracies',
    [mine.count, mine.cellAccuracy, mine.exactAccuracy, mine.haltingAccuracy, mine.steps],
    [
      expected['count'],
      expected['accuracy'],
      expected['exact_accuracy'],
      expected['q_halt_accuracy'],
      expected['steps'],
    ],
    tolerances.accuracies,
  );
}

async function compareWeights(fixture: Fixture, engine: Engine, errors: Errors): Promise<void> {
  for (const [kind, prefix, quantity] of [
    ['parameters', 'final/', 'parameters after all steps'],
    ['average', 'ema/', 'their average'],
  ] as const) {
    const mine = await engine.readTensors(kind);
    for (const [name, { data }] of fixture.under(prefix)) {
      const tensor = mine.get(stripped(name));
      if (tensor !== undefined) errors.rootMeanSquare(quantity, tensor.data, data, tolerances.parameters, 1);
      else errors.missing(quantity, name);
    }
  }
}

async function compareGradients(fixture: Fixture, engine: Engine, errors: Errors): Promise<void> {
  const gradients = await engine.readGradients();
  for (const [name, { data }] of fixture.under('grad0/')) {
    const mine = gradients.get(stripped(name));
    if (mine === undefined) errors.missing('gradients', name);
    else
      errors.rootMeanSquare('gradients', mine.data, data, tolerances.gradients, Math.max(rootMeanSquare(data), 1e-6));
  }
}

/** Evaluation is made with the raw final weights: every row thinks all steps, none halts early. */
async function replayEvaluation(fixture: Fixture, engine: Engine, errors: Errors): Promise<void> {
  const { config, json } = fixture;
  await engine.writeTensors('parameters', parametersUnder(fixture, 'final/', 'init/'));
  const batch = batchUnder(fixture, 'eval/batch_');
  const size = batch.puzzleIds.length;
  const state = engine.createState(size);
  let last: Pick<InferResult, 'predictions' | 'haltLogits'> = {
    predictions: new Int32Array(),
    haltLogits: new Float32Array(),
  };
  for (let step = 0; step < config.supervisionSteps; step++) {
    const result = await engine.inferStep(state, {
      tokens: batch.tokens,
      puzzleIds: batch.puzzleIds,
      reset: new Uint8Array(size).fill(step === 0 ? 1 : 0),
      weights: 'raw',
      wantLogits: true,
    });
    const close = tolerances.logits * tolerances.growth ** step;
    errors.absolute(
      `evaluation step ${step + 1}: logits`,
      result.logits ?? new Float32Array(),
      fixture.floats(`eval/step${step}/logits`),
      close,
    );
    errors.absolute(
      `evaluation step ${step + 1}: halt logits`,
      result.haltLogits,
      fixture.floats(`eval/step${step}/q_halt_logits`),
      close,
    );
    last = result;
  }
  state.dispose();
  const scores = Array.from({ length: size }, (_, seat) =>
    scoreBoard(last.predictions, batch.labels, seat, config.sequenceLength),
  );
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  errors.relative(
    'evaluation: accuracies',
    [
      sum(scores.map(({ cells, rightCells }) => rightCells / Math.max(cells, 1))),
      sum(scores.map(({ exact }) => (exact ? 1 : 0))),
      sum(scores.map(({ exact }, seat) => (last.haltLogits[seat]! >= 0 === exact ? 1 : 0))),
    ],
    [json.eval_metrics['accuracy'], json.eval_metrics['exact_accuracy'], json.eval_metrics['q_halt_accuracy']],
    tolerances.accuracies,
  );
}

function latentKey(latent: LatentId): string {
  return latent === 'y' ? 'z_H' : `z_L${latent.slice(1)}`;
}

function stripped(name: string): string {
  return name.replace(/^inner\./, '');
}

function batchUnder(fixture: Fixture, prefix: string): Carry['puzzles'] {
  return {
    tokens: fixture.integers(`${prefix}inputs`),
    labels: fixture.integers(`${prefix}labels`),
    puzzleIds: fixture.integers(`${prefix}puzzle_identifiers`),
  };
}

/** The model's tensors under a prefix; buffers that are missing there come from `fallback`. */
function parametersUnder(fixture: Fixture, prefix: string, fallback = prefix): TensorMap {
  const [stored, others] = [fixture.under(prefix), fixture.under(fallback)];
  const tensors = new Map<string, Tensor>();
  for (const { name } of parameterSpecs(fixture.config)) {
    const tensor = stored.get(`inner.${name}`) ?? others.get(`inner.${name}`);
    if (tensor === undefined)
      throw new InputError(`${fixture.json.name}.safetensors: expected ${prefix}inner.${name}, got no such tensor`);
    tensors.set(name, tensor);
  }
  return tensors;
}
