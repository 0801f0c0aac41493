/** The readable engine: a supervision step in TensorFlow.js ops, gradients by autodiff. */
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { innerSize, positionsOf, type ModelConfig } from '../../model/config.js';
import { isNetworkMatrix, latentInitName, sizeOf, type ParameterSpec, type TensorMap } from '../../model/parameters.js';
import type { Call, LatentId } from '../../model/calls.js';
import { given } from '../../fields.js';
import { activationBudget } from '../checks.js';
import { CheckedEngine, CheckedState, type Owner } from '../door.js';
import {
  NotFiniteError,
  localWeights,
  tensorsOf,
  type Engine,
  type InferRequest,
  type InferResult,
  type Precision,
  type TensorKind,
  type TrainRequest,
  type TrainResult,
  type UpdateRequest,
  type Weights,
} from '../engine.js';
import { argmax, sigmoid, stepLosses, type StepLosses } from '../losses.js';
import { adamStep, muonStep, signSgdStep } from '../optimizers.js';
import { callBlock, type Block } from './block.js';
import { answerHead, callNet, embed, haltingHead, rotaryTables, type Rotary, type WeightOf } from './network.js';

type Latents = ReadonlyMap<LatentId, Tensor3D>;

/** The engine on a backend that has been loaded. */
export class TfjsEngine extends CheckedEngine<TfjsState> {
  readonly kind = 'tfjs';
  readonly precision: Precision = 'float32';
  readonly threads = null;
  readonly description: string;

  readonly #backend: string;
  readonly #values = new Map<TensorKind, Map<string, Float32Array>>();
  /** The weights as tensors, made when first used after a change. */
  readonly #onDevice = new Map<Weights, Map<string, Tensor>>();
  readonly #rotary: Rotary | undefined;
  readonly #activationBudget: number;
  readonly #block: Block | undefined;
  #gradients = new Map<string, Float32Array>();
  /** Puzzle ids of the last training step. */
  #seatIds: Int32Array = new Int32Array();

  constructor(config: ModelConfig, backend: string, budget = activationBudget, block?: Block) {
    super(config);
    this.description = `tfjs ${backend}${block === undefined ? '' : ', own block'}`;
    this.#backend = backend;
    this.#rotary = rotaryTables(this.config);
    this.#activationBudget = budget;
    this.#block = block;
    const zeros = (specs: readonly ParameterSpec[]): Map<string, Float32Array> =>
      new Map(specs.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))]));
    this.#values.set('parameters', zeros(this.specs));
    for (const kind of ['average', 'firstMoment', 'secondMoment'] as const)
      this.#values.set(kind, zeros(tensorsOf(kind, this.specs)));
  }

  protected makeState(batchSize: number, owner: Owner): TfjsState {
    return new TfjsState(this, batchSize, owner);
  }

  protected async infer(state: TfjsState, request: InferRequest): Promise<InferResult> {
    await breathe();
    await tf.setBackend(this.#backend);
    const weights = this.#weights(request.weights);
    const [logits, halting] = tf.tidy(() => {
      const x = this.#embed(weights, request.tokens, this.#puzzleRows(request.puzzleIds));
      const after = this.#run(this.schedule.calls, this.#restart(weights, state.tensors, request.reset), x, weights);
      state.keep(after);
      return this.#heads(weights, after);
    });
    return this.#result(await take(logits), await take(halting), request.wantLogits);
  }

  protected async train(state: TfjsState, request: TrainRequest): Promise<TrainResult> {
    await breathe();
    await tf.setBackend(this.#backend);
    const { sequenceLength: L, vocabSize: V, puzzleEmbeddingSize } = this.config;
    const B = state.batchSize;
    const gradients = new Map<string, Float32Array>();
    const logits = new Float32Array(B * L * V);
    const halting = new Float32Array(B * 2);
    const losses = {
      answerLoss: new Float64Array(B),
      haltLoss: new Float64Array(B),
      continueLoss: new Float64Array(B),
    };
    const continueTargets = new Float32Array(B);
    const after: Latents[] = [];
    const local = puzzleEmbeddingSize > 0 ? new Float32Array(B * puzzleEmbeddingSize) : undefined;

    const seats = this.#seatsAtOnce();
    try {
      for (let from = 0; from < B; from += seats)
        tf.tidy(() => {
          const mine = ofSeats(request, from, Math.min(from + seats, B), L);
          const part = this.#trainPart(state.tensors, mine, from, B, after);
          logits.set(part.logits, from * L * V);
          halting.set(part.halting, from * 2);
          for (const key of ['answerLoss', 'haltLoss', 'continueLoss'] as const)
            losses[key].set(part.losses[key], from);
          if (part.continueTargets !== undefined) continueTargets.set(part.continueTargets, from);
          for (const [name, gradient] of part.gradients) {
            if (name === localWeights) local?.set(gradient, from * puzzleEmbeddingSize);
            else addInto(gradients, name, gradient);
          }
        });
    } catch (error) {
      tf.dispose(after.map((latents) => [...latents.values()]));
      // TensorFlow.js itself frees what its tape saved only at the end of a whole backward pass.
      tf.dispose((tf.engine().state.activeTape ?? []).map(({ saved = [] }) => saved));
      throw error;
    }
    if (local !== undefined) gradients.set(localWeights, local);
    state.join(after);
    refuseInfinite(losses, gradients);
    this.#gradients = gradients;
    this.#seatIds = request.puzzleIds;

    return {
      ...this.#result(logits, halting, request.wantLogits),
      ...losses,
      ...(this.config.halting === 'halt-or-continue' ? { continueTargets } : {}),
    };
  }

  /**
   * A training step of the request's seats, which start at seat `from` of `total`; `before`: latents of all seats.
   * Keeps the new latents and adds them to `after`; the caller's tidy frees everything else.
   */
  #trainPart(before: Latents, request: TrainRequest, from: number, total: number, after: Latents[]): TrainedPart {
    const { tokens, puzzleIds, reset } = request;
    const { calls } = this.schedule;
    const firstWithGradient = calls.findIndex(({ gradient }) => gradient);
    const device = this.#weights('raw');
    const names = tensorsOf('average', this.specs).map(({ name }) => name);
    const rows = this.#puzzleRows(puzzleIds);
    const inputs = rows === undefined ? names.map(device) : [...names.map(device), rows];

    // The calls without gradient run off the tape.
    const settled = tf.tidy(() => {
      const x = this.#embed(device, tokens, rows);
      const start = this.#restart(device, slices(before, from, reset.length), reset);
      return [...this.#run(calls.slice(0, firstWithGradient), start, x, device)];
    });

    // The calls with gradient, and the losses, run on the tape.
    let part: Omit<TrainedPart, 'gradients'> | undefined;
    const { grads } = tf.valueAndGrads((...tensors: Tensor[]) => {
      const taped = new Map<string, Tensor>(names.map((name, i) => [name, tensors[i]!]));
      const weights: WeightOf = (name) => taped.get(name) ?? device(name);
      const x = this.#embed(weights, tokens, tensors[names.length] as Tensor2D | undefined);
      const latents = this.#run(calls.slice(firstWithGradient), new Map(settled), x, weights);
      for (const latent of latents.values()) tf.keep(latent);
      after.push(latents);
      // customGrad runs its function off the tape: stepLosses gives value and gradients of the losses in closed form.
      // The tape's inputs are arguments too, with gradient zero: a schedule may read some of them (x, or a network)
      // without gradient only, and tfjs refuses inputs without any gradient.
      const loss = tf.customGrad((logits, halting) => {
        part = this.#losses(latents, x, weights, logits as Tensor, halting as Tensor, request, total);
        const { answerLoss, haltLoss, continueLoss, logitsGradient, haltingGradient } = part.losses;
        const sum = answerLoss.reduce(
          (all, each, seat) => all + each + 0.5 * (haltLoss[seat]! + continueLoss[seat]!),
          0,
        );
        return {
          value: tf.scalar(sum / total),
          gradFunc: (dy: Tensor) => [
            dy.mul(tf.tensor(logitsGradient, (logits as Tensor).shape)),
            dy.mul(tf.tensor(haltingGradient, (halting as Tensor).shape)),
            ...tensors.map(({ shape }) => tf.zeros(shape)),
          ],
        };
      });
      return loss(...this.#heads(weights, latents), ...tensors);
    })(inputs);

    if (part === undefined) throw new Error('the losses were not computed');
    const gradients = new Map(
      grads.map((gradient, i) => [names[i] ?? localWeights, gradient.dataSync() as Float32Array]),
    );
    return { ...part, gradients };
  }

  /** The losses of some of the seats from the heads' logits, [B, L, V] and [B, 2]. */
  #losses(
    latents: Latents,
    x: Tensor3D,
    weights: WeightOf,
    logitsTensor: Tensor,
    haltingTensor: Tensor,
    { labels, last, loss }: TrainRequest,
    total: number,
  ): Omit<TrainedPart, 'gradients'> {
    const logits = logitsTensor.dataSync() as Float32Array;
    const halting = haltingTensor.dataSync() as Float32Array;
    const learnsContinue = this.config.halting === 'halt-or-continue';
    const targets = given({
      continueTargets: learnsContinue ? this.#continueTargets(latents, x, weights, last) : undefined,
    });
    const predictions = argmax(logits, this.config.vocabSize);
    const losses = stepLosses({ logits, labels, predictions, haltingLogits: halting, loss, total, ...targets });
    return { logits, halting, losses, ...targets };
  }

  /** Targets of the continue logits: how sure the model is one step later (spec §2.3). [B] */
  #continueTargets(latents: Latents, x: Tensor3D, weights: WeightOf, last: Uint8Array): Float32Array {
    const [, halting] = this.#heads(weights, this.#run(this.schedule.calls, latents, x, weights));
    const next = halting.dataSync();
    return Float32Array.from(last, (isLast, seat) => {
      const [haltLogit, continueLogit] = [next[2 * seat]!, next[2 * seat + 1]!];
      return sigmoid(isLast === 1 ? haltLogit : Math.max(haltLogit, continueLogit));
    });
  }

  protected async apply(request: UpdateRequest, count: number): Promise<void> {
    for (const { name, role, shape } of this.specs) {
      if (role === 'trained') {
        const trained = {
          parameters: this.#of('parameters').get(name)!,
          average: this.#of('average').get(name)!,
          firstMoment: this.#of('firstMoment').get(name)!,
          secondMoment: this.#of('secondMoment').get(name)!,
          gradient: this.#gradients.get(name)!,
        };
        if (request.optimizer === 'muon' && isNetworkMatrix(name))
          muonStep(trained, shape as [number, number], request);
        else adamStep(trained, count, request);
      } else if (role === 'puzzle-table') {
        signSgdStep(
          this.#of('parameters').get(name)!,
          this.#gradients.get(localWeights)!,
          this.#seatIds,
          request.puzzleLearningRate,
          request.puzzleWeightDecay,
        );
      }
    }
    this.#forgetDevice();
  }

  protected async read(kind: TensorKind): Promise<TensorMap> {
    return new Map(
      tensorsOf(kind, this.specs).map(({ name, shape }) => [name, { shape, data: this.#of(kind).get(name)!.slice() }]),
    );
  }

  protected async write(kind: TensorKind, tensors: TensorMap): Promise<void> {
    for (const { name } of tensorsOf(kind, this.specs)) this.#of(kind).get(name)!.set(tensors.get(name)!.data);
    this.#forgetDevice();
  }

  protected async clear(parameters: TensorMap): Promise<void> {
    await this.write('average', parameters);
    for (const moments of ['firstMoment', 'secondMoment'] as const)
      for (const data of this.#of(moments).values()) data.fill(0);
  }

  protected async gradients(): Promise<TensorMap> {
    const shapes = new Map(this.specs.map(({ name, shape }) => [name, shape]));
    const size = this.config.puzzleEmbeddingSize;
    return new Map(
      [...this.#gradients].map(([name, data]) => [
        name,
        { shape: shapes.get(name) ?? [data.length / size, size], data: data.slice() },
      ]),
    );
  }

  protected free(): void {
    this.#forgetDevice();
    if (this.#rotary !== undefined) tf.dispose([this.#rotary.cos, this.#rotary.sin]);
  }

  /** Runs calls in order; each reads the current latents. */
  #run(calls: readonly Call[], start: Latents, x: Tensor3D, weights: WeightOf): Latents {
    const latents = new Map(start);
    for (const { net, write, read } of calls) {
      const sources = read.map((source) => (source === 'x' ? x : latents.get(source)!));
      const sum = sources.slice(1).reduce((h, source) => h.add(source), sources[0]!);
      const call = [this.config, weights, net, sum, this.#rotary] as const;
      latents.set(write, this.#block === undefined ? callNet(...call) : callBlock(this.#block, ...call));
    }
    return latents;
  }

  /** Answer logits, [B, L, V], and halt and continue logits, [B, 2]. */
  #heads(weights: WeightOf, latents: Latents): [Tensor3D, Tensor2D] {
    const y = latents.get(this.schedule.answer)!;
    return [answerHead(this.config, weights, y), haltingHead(this.config, weights, y)];
  }

  #result(logits: Float32Array, halting: Float32Array, wantLogits = false): InferResult {
    return {
      predictions: argmax(logits, this.config.vocabSize),
      haltLogits: halting.filter((_, i) => i % 2 === 0),
      continueLogits: halting.filter((_, i) => i % 2 === 1),
      ...(wantLogits ? { logits } : {}),
    };
  }

  #embed(weights: WeightOf, tokens: Int32Array, rows: Tensor2D | undefined): Tensor3D {
    const oneHot = tf.oneHot(tf.tensor1d(tokens, 'int32'), this.config.vocabSize).cast('float32');
    return embed(this.config, weights, oneHot as Tensor2D, rows);
  }

  /**
   * Sets the latents of seats with reset to the start values at all positions; other seats keep theirs.
   * Selects rather than multiplies, since the replaced values may be NaN.
   */
  #restart(weights: WeightOf, latents: Latents, reset: Uint8Array): Latents {
    const seats = tf.tensor(reset, [reset.length, 1, 1], 'bool');
    return new Map(
      [...latents].map(([id, latent]) => [
        id,
        tf.where(seats, weights(latentInitName(id)).reshape([1, 1, -1]).broadcastTo(latent.shape), latent) as Tensor3D,
      ]),
    );
  }

  /** The puzzle embedding of each seat, [B, size]. */
  #puzzleRows(ids: Int32Array): Tensor2D | undefined {
    const size = this.config.puzzleEmbeddingSize;
    const table = this.#of('parameters').get('puzzle_emb.weights');
    if (table === undefined) return undefined;
    const rows = new Float32Array(ids.length * size);
    ids.forEach((id, seat) => rows.set(table.subarray(id * size, (id + 1) * size), seat * size));
    return tf.tensor2d(rows, [ids.length, size]);
  }

  #weights(kind: Weights): WeightOf {
    let tensors = this.#onDevice.get(kind);
    if (tensors === undefined) {
      const averaged = kind === 'average' ? this.#of('average') : new Map<string, Float32Array>();
      const used = this.specs.filter(({ role }) => role !== 'puzzle-table');
      tensors = new Map(
        used.map(({ name, shape }) => [
          name,
          tf.keep(tf.tensor(averaged.get(name) ?? this.#of('parameters').get(name)!, [...shape])),
        ]),
      );
      this.#onDevice.set(kind, tensors);
    }
    const found = tensors;
    return (name) => found.get(name)!;
  }

  #forgetDevice(): void {
    for (const tensors of this.#onDevice.values()) tf.dispose([...tensors.values()]);
    this.#onDevice.clear();
  }

  #of(kind: TensorKind): Map<string, Float32Array> {
    return this.#values.get(kind)!;
  }

  /** How many seats fit the budget, by an estimate of what autodiff keeps of every call with gradient. */
  #seatsAtOnce(): number {
    const { config } = this;
    const [S, D] = [positionsOf(config), config.hiddenSize];
    const mixer =
      config.mixer === 'mlp' ? 6 * D * innerSize(config, S) + 8 * S * D : 3 * config.heads * S * S + 12 * S * D;
    const perCall = config.layers * (mixer + 6 * S * innerSize(config, D) + 8 * S * D);
    const calls = this.schedule.calls.filter(({ gradient }) => gradient).length;
    return Math.max(1, Math.floor(this.#activationBudget / (perCall * calls)));
  }
}

/** The results of a training step for one part of a batch. */
interface TrainedPart {
  readonly logits: Float32Array;
  readonly halting: Float32Array;
  readonly losses: StepLosses;
  readonly continueTargets?: Float32Array;
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** Latents as tensors that tf.tidy keeps. */
class TfjsState extends CheckedState {
  tensors: Latents;

  constructor(engine: Engine, batchSize: number, owner: Owner) {
    super(engine, batchSize, owner);
    this.tensors = new Map(this.latents.map((id) => [id, tf.keep(tf.zeros([...this.shape]))]));
  }

  protected async fetch(): Promise<ReadonlyMap<LatentId, Float32Array>> {
    const copy = async (tensor: Tensor): Promise<Float32Array> => ((await tensor.data()) as Float32Array).slice();
    const entries = [...this.tensors].map(async ([id, tensor]) => [id, await copy(tensor)] as const);
    return new Map(await Promise.all(entries));
  }

  protected async replace(latents: ReadonlyMap<LatentId, Float32Array>): Promise<void> {
    this.keep(new Map(this.latents.map((id) => [id, tf.tensor3d(latents.get(id)!, [...this.shape])])));
  }

  /** Replaces the latents and disposes of the old ones. */
  keep(latents: Latents): void {
    const old = this.tensors;
    this.tensors = new Map([...latents].map(([id, tensor]) => [id, tf.keep(tensor)]));
    const stays = new Set([...this.tensors.values()].map(({ id }) => id));
    for (const tensor of old.values()) if (!stays.has(tensor.id)) tensor.dispose();
  }

  /** Replaces the latents by those of all parts of the batch. */
  join(parts: readonly Latents[]): void {
    if (parts.length === 1) return this.keep(parts[0]!);
    this.keep(
      new Map(
        [...this.tensors.keys()].map((id) => [
          id,
          tf.concat(
            parts.map((part) => part.get(id)!),
            0,
          ),
        ]),
      ),
    );
    for (const part of parts) tf.dispose([...part.values()]);
  }

  protected free(): void {
    tf.dispose([...this.tensors.values()]);
  }
}

/** Seats from … from + count − 1 of every latent. */
function slices(latents: Latents, from: number, count: number): Latents {
  return new Map(
    [...latents].map(([id, tensor]) => [id, tf.slice(tensor, [from, 0, 0], [count, tensor.shape[1], tensor.shape[2]])]),
  );
}

/** The request for seats from … to − 1. */
function ofSeats(request: TrainRequest, from: number, to: number, L: number): TrainRequest {
  return {
    tokens: request.tokens.subarray(from * L, to * L),
    labels: request.labels.subarray(from * L, to * L),
    puzzleIds: request.puzzleIds.subarray(from, to),
    reset: request.reset.subarray(from, to),
    last: request.last.subarray(from, to),
    loss: request.loss,
  };
}

function refuseInfinite(
  losses: Pick<StepLosses, 'answerLoss' | 'haltLoss' | 'continueLoss'>,
  gradients: ReadonlyMap<string, Float32Array>,
): void {
  for (const [name, values] of Object.entries(losses))
    if (!values.every(Number.isFinite)) throw new NotFiniteError(`${name} is not finite`);
  for (const [name, values] of gradients)
    if (!values.every(Number.isFinite)) throw new NotFiniteError(`the gradient of ${name} is not finite`);
}

/** A tensor's numbers; disposes of the tensor. */
async function take(tensor: Tensor): Promise<Float32Array> {
  const data = (await tensor.data()) as Float32Array;
  tensor.dispose();
  return data;
}

function addInto(sums: Map<string, Float32Array>, name: string, values: Float32Array): void {
  const sum = sums.get(name);
  if (sum === undefined) sums.set(name, values.slice());
  else for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
}

/**
 * Yields to the event loop: TensorFlow.js never does, and would block Ctrl-C, timers and messages during a run.
 */
function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
