/** The engine for GPUs: a worker in PyTorch interprets the schedule; this side keeps the contract. */
import { InputError } from '../../errors.js';
import { positionsOf, type ModelConfig } from '../../model/config.js';
import { parameterSpecs, type ParameterSpec, type TensorMap } from '../../model/parameters.js';
import type { LatentId, Schedule } from '../../model/calls.js';
import { buildSchedule } from '../../model/schedule.js';
import type { StoredTensor } from '../../checkpoint/tensor-data.js';
import { checkBatchSize, checkInfer, checkLatents, checkTensors, checkTrain } from '../checks.js';
import { checkMemory, memoryLimit } from '../memory.js';
import {
  EngineLostError,
  NotFiniteError,
  localWeights,
  tensorsOf,
  type Engine,
  type InferRequest,
  type InferResult,
  type LatentState,
  type Precision,
  type TensorKind,
  type TrainRequest,
  type TrainResult,
  type UpdateRequest,
} from '../engine.js';
import { plainModel } from '../plain-model.js';
import { checkEven, rankCount, torchBytes } from './ranks.js';
import type { Frame } from './wire.js';
import { Worker, type WorkerOptions } from './worker.js';

/** How to compute; all fields may be left out. */
export interface TorchOptions extends WorkerOptions {
  /** auto, cpu, cuda, cuda:1, xpu, mps: torch's names (ROCm is cuda). Default auto: a GPU where there is one. */
  readonly device?: string | undefined;
  /** Default auto: bf16 on a GPU that multiplies it, else float32. */
  readonly precision?: Precision | 'auto' | undefined;
  /** Threads of a rank on a CPU. Default: PyTorch's, or an even share of the cores. */
  readonly threads?: number | undefined;
  /** torch.compile of the networks. Default: on CUDA and ROCm. */
  readonly compile?: boolean | undefined;
}

/** What the worker says of itself when it has a model. */
interface Opened {
  readonly torch: string;
  readonly device: string;
  readonly ranks: number;
  readonly precision: Precision;
  readonly compiled: boolean;
  readonly losses: 'float64' | 'float32';
  /** Of each rank on a CPU, null on a GPU. */
  readonly threads: number | null;
  /** Of a device that has memory of its own; null where it is the machine's. */
  readonly bytes: number | null;
}

/** Starts the worker and gives it a model. Throws InputError if there is no PyTorch, or not the device asked for. */
export async function createTorchEngine(config: ModelConfig, options: TorchOptions = {}): Promise<TorchEngine> {
  const { device = 'auto', precision = 'auto', threads, compile } = options;
  const schedule = buildSchedule(config);
  const specs = parameterSpecs(config);
  rankCount(options);
  const worker = new Worker(options);
  const { head } = await worker.ask({
    do: 'open',
    model: plainModel(config, schedule),
    specs: specs.map(({ name, shape, role }) => ({ name, shape, role })),
    device,
    precision,
    threads: threads ?? null,
    compile: compile ?? null,
  });
  return new TorchEngine(config, schedule, specs, worker, options.devices ?? 1, head as unknown as Opened);
}

/** The contract, and what else torch's worker can tell. */
export class TorchEngine implements Engine {
  readonly kind = 'torch';
  readonly config: ModelConfig;
  readonly schedule: Schedule;
  readonly precision: Precision;
  readonly description: string;
  readonly threads: number | null;
  optimizerSteps = 0;

  readonly #specs: readonly ParameterSpec[];
  readonly #worker: Worker;
  readonly #opened: Opened;
  /** Ranks of this machine. */
  readonly #devices: number;
  #states = 0;
  /** Whether the worker holds gradients that no update has used. */
  #pending = false;

  constructor(
    config: ModelConfig,
    schedule: Schedule,
    specs: readonly ParameterSpec[],
    worker: Worker,
    devices: number,
    opened: Opened,
  ) {
    const { torch, device, ranks, precision, compiled, losses, threads } = opened;
    this.config = config;
    this.schedule = schedule;
    this.precision = precision;
    this.threads = threads;
    this.#specs = specs;
    this.#worker = worker;
    this.#opened = opened;
    this.#devices = devices;
    this.description = [
      `torch ${torch} ${device}`,
      ranks === 1 ? '' : ` × ${ranks}`,
      compiled ? ', compiled' : '',
      losses === 'float64' ? '' : ', losses in float32',
    ].join('');
  }

  createState(batchSize: number): LatentState {
    checkBatchSize(batchSize);
    this.#checkMemory(batchSize, false);
    const number = this.#states++;
    const values = positionsOf(this.config) * this.config.hiddenSize;
    this.#tell({ do: 'state', state: number, seats: batchSize });
    return new TorchState(this.#worker, number, batchSize, this.schedule.latents, values, () =>
      this.#tell({ do: 'free', state: number }),
    );
  }

  async inferStep(state: LatentState, request: InferRequest): Promise<InferResult> {
    checkInfer(this.config, state, request);
    const { tensors } = await this.#worker.ask(
      {
        do: 'infer',
        state: numberOf(state),
        average: request.weights === 'average',
        logits: request.wantLogits === true,
      },
      this.#batch(request, state.batchSize),
    );
    return resultOf(tensors);
  }

  async trainStep(state: LatentState, request: TrainRequest): Promise<TrainResult> {
    checkTrain(this.config, state, request);
    const B = state.batchSize;
    checkEven('training step', B, this.#opened.ranks);
    this.#checkMemory(B, true);
    this.#pending = false;
    const { head, tensors } = await this.#worker.ask(
      {
        do: 'train',
        state: numberOf(state),
        softmax: request.loss === 'softmax',
        logits: request.wantLogits === true,
      },
      new Map<string, StoredTensor>([
        ...this.#batch(request, B),
        ['labels', { dtype: 'I32', shape: [B, this.config.sequenceLength], data: request.labels }],
        ['last', { dtype: 'U8', shape: [B], data: request.last }],
      ]),
    );
    if (typeof head['notFinite'] === 'string') throw new NotFiniteError(head['notFinite']);
    this.#pending = true;
    return {
      ...resultOf(tensors),
      answerLoss: valuesOf(tensors, 'answerLoss', Float64Array),
      haltLoss: valuesOf(tensors, 'haltLoss', Float64Array),
      continueLoss: valuesOf(tensors, 'continueLoss', Float64Array),
      ...(this.config.halting === 'halt-or-continue'
        ? { continueTargets: valuesOf(tensors, 'continueTargets', Float32Array) }
        : {}),
    };
  }

  async update(request: UpdateRequest): Promise<void> {
    if (!this.#pending) throw new InputError('update needs the gradients of a training step; call trainStep first');
    this.#pending = false;
    await this.#worker.ask({ do: 'update', update: { ...request, count: this.optimizerSteps + 1 } });
    this.optimizerSteps++;
  }

  readTensors(kind: TensorKind): Promise<TensorMap> {
    return this.#read(kind, tensorsOf(kind, this.#specs));
  }

  async writeTensors(kind: TensorKind, tensors: TensorMap): Promise<void> {
    checkTensors(tensorsOf(kind, this.#specs), tensors, kind);
    for (const { name, shape } of tensorsOf(kind, this.#specs)) {
      const values: StoredTensor = { dtype: 'F32', shape, data: tensors.get(name)!.data };
      await this.#worker.ask({ do: 'write', kind, name }, new Map([['values', values]]));
    }
    this.#pending = false;
    if (kind !== 'parameters') return;
    await this.#worker.ask({ do: 'afresh' });
    this.optimizerSteps = 0;
  }

  setOptimizerSteps(steps: number): void {
    this.optimizerSteps = steps;
  }

  async readGradients(): Promise<TensorMap> {
    const gradients = await this.#read('gradient', tensorsOf('average', this.#specs));
    if (this.config.puzzleEmbeddingSize === 0) return gradients;
    return new Map([...gradients, ...(await this.#read('gradient', [{ name: localWeights }]))]);
  }

  /** Most bytes that the worker (rank 0) has held: of the host's memory, and of the device's where it has its own. */
  async peakMemory(): Promise<{ readonly host: number; readonly device: number | null }> {
    const { head } = await this.#worker.ask({ do: 'memory' });
    return head as { host: number; device: number | null };
  }

  /** FLOP a second of products of two square bfloat16 matrices of that size. */
  async productPeak(size: number): Promise<number> {
    const { head } = await this.#worker.ask({ do: 'peak', size });
    return (head as { flopPerSecond: number }).flopPerSecond;
  }

  dispose(): void {
    this.#worker.close();
  }

  async #read(kind: TensorKind | 'gradient', specs: readonly { readonly name: string }[]): Promise<TensorMap> {
    const replies = await Promise.all(specs.map(({ name }) => this.#worker.ask({ do: 'read', kind, name })));
    return new Map(
      specs.map(({ name }, i) => {
        const shape = replies[i]!.tensors.get('values')?.shape ?? [];
        return [name, { shape, data: valuesOf(replies[i]!.tensors, 'values', Float32Array) }];
      }),
    );
  }

  /** Throws InputError where so many seats cannot fit: a worker that tried would be killed. */
  #checkMemory(seats: number, learning: boolean): void {
    const { ranks, precision, compiled, bytes } = this.#opened;
    const here = bytes === null ? this.#devices : 1; // ranks that share one memory
    checkMemory(
      `a batch of ${seats}`,
      torchBytes(this.config, { seats: (seats / ranks) * here, ranks: here, learning, precision, compiled }),
      'take fewer seats (training.batchSize, in an evaluation --batch-size), or more --devices',
      bytes ?? memoryLimit(),
      bytes === null ? 'this process may use' : 'the device has',
    );
  }

  #batch({ tokens, puzzleIds, reset }: Omit<InferRequest, 'weights'>, B: number): Map<string, StoredTensor> {
    return new Map<string, StoredTensor>([
      ['tokens', { dtype: 'I32', shape: [B, this.config.sequenceLength], data: tokens }],
      ['puzzleIds', { dtype: 'I32', shape: [B], data: puzzleIds }],
      ['reset', { dtype: 'U8', shape: [B], data: reset }],
    ]);
  }

  /** A command whose failure shows with the next question: the worker has then ended. */
  #tell(head: Frame['head']): void {
    this.#worker.ask(head).catch((error: unknown) => {
      if (!(error instanceof EngineLostError)) throw error;
    });
  }
}

/** Latents that the worker holds. */
class TorchState implements LatentState {
  readonly batchSize: number;
  readonly number: number;
  readonly #worker: Worker;
  readonly #latents: readonly LatentId[];
  readonly #perSeat: number;
  readonly #free: () => void;

  constructor(
    worker: Worker,
    number: number,
    batchSize: number,
    latents: readonly LatentId[],
    perSeat: number,
    free: () => void,
  ) {
    this.batchSize = batchSize;
    this.number = number;
    this.#worker = worker;
    this.#latents = latents;
    this.#perSeat = perSeat;
    this.#free = free;
  }

  async read(): Promise<ReadonlyMap<LatentId, Float32Array>> {
    const { tensors } = await this.#worker.ask({ do: 'read_latents', state: this.number });
    return new Map(this.#latents.map((latent, i) => [latent, valuesOf(tensors, String(i), Float32Array)]));
  }

  async write(latents: ReadonlyMap<LatentId, Float32Array>): Promise<void> {
    checkLatents(latents, this.#latents, this.batchSize * this.#perSeat);
    const shape = [this.batchSize, this.#perSeat];
    const tensors = new Map<string, StoredTensor>(
      this.#latents.map((latent, i) => [String(i), { dtype: 'F32', shape, data: latents.get(latent)! }]),
    );
    await this.#worker.ask({ do: 'write_latents', state: this.number }, tensors);
  }

  dispose(): void {
    this.#free();
  }
}

function numberOf(state: LatentState): number {
  if (!(state instanceof TorchState)) throw new TypeError('latents: expected a state made by this engine');
  return state.number;
}

/** The values of a tensor in an answer. Throws EngineLostError where they are not what the wire promises. */
function valuesOf<Values>(tensors: Frame['tensors'], name: string, type: new (length: number) => Values): Values {
  const data = tensors.get(name)?.data;
  if (!(data instanceof type)) throw new EngineLostError(`the torch worker answered nonsense: no ${type.name} ${name}`);
  return data;
}

function resultOf(tensors: Frame['tensors']): InferResult {
  const halting = valuesOf(tensors, 'halting', Float32Array);
  return {
    predictions: valuesOf(tensors, 'predictions', Int32Array),
    haltLogits: halting.filter((_, i) => i % 2 === 0),
    continueLogits: halting.filter((_, i) => i % 2 === 1),
    ...(tensors.has('logits') ? { logits: valuesOf(tensors, 'logits', Float32Array) } : {}),
  };
}
