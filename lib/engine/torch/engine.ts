/** The engine for GPUs: a PyTorch worker interprets the schedule, and this side implements the contract. */
import type { ModelConfig } from '../../model/config.js';
import { parameterSpecs, type TensorMap } from '../../model/parameters.js';
import type { LatentId } from '../../model/calls.js';
import { buildSchedule } from '../../model/schedule.js';
import type { StoredTensor } from '../../checkpoint/tensor-data.js';
import { CheckedEngine, CheckedState, type Owner } from '../door.js';
import { checkMemory, memoryLimit } from '../memory.js';
import {
  EngineLostError,
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
} from '../engine.js';
import { plainModel } from '../plain-model.js';
import { checkEven, rankCount, torchBytes } from './ranks.js';
import type { Frame } from './wire.js';
import { Worker, type WorkerOptions } from './worker.js';

/** How to compute; all fields are optional. */
export interface TorchOptions extends WorkerOptions {
  /** auto, cpu, cuda, cuda:1, xpu, mps: torch's names (ROCm is cuda). Default auto: a GPU where there is one. */
  readonly device?: string | undefined;
  /** Default auto: bf16 on a GPU that multiplies it in hardware, else float32. */
  readonly precision?: Precision | 'auto' | undefined;
  /** Threads of a rank on a CPU. Default: PyTorch's, or an even share of the cores. */
  readonly threads?: number | undefined;
  /** torch.compile of the networks. Default: on CUDA and ROCm. */
  readonly compile?: boolean | undefined;
}

/** The worker's report once it has a model. */
interface Opened {
  readonly torch: string;
  readonly device: string;
  readonly ranks: number;
  readonly precision: Precision;
  readonly compiled: boolean;
  readonly losses: 'float64' | 'float32';
  /** Threads of each rank on a CPU, null on a GPU. */
  readonly threads: number | null;
  /** Memory of a device that has its own; null if it uses the machine's. */
  readonly bytes: number | null;
}

/** Starts the worker and gives it a model. Throws InputError if PyTorch or the device asked for is missing. */
export async function createTorchEngine(config: ModelConfig, options: TorchOptions = {}): Promise<TorchEngine> {
  const { device = 'auto', precision = 'auto', threads, compile } = options;
  rankCount(options);
  const worker = new Worker(options);
  const { head } = await worker.ask({
    do: 'open',
    model: plainModel(config, buildSchedule(config)),
    specs: parameterSpecs(config).map(({ name, shape, role }) => ({ name, shape, role })),
    device,
    precision,
    threads: threads ?? null,
    compile: compile ?? null,
  });
  return new TorchEngine(config, worker, options.devices ?? 1, head as unknown as Opened);
}

/** Implements the contract, and reports memory and peak speed of the worker. */
export class TorchEngine extends CheckedEngine<TorchState> {
  readonly kind = 'torch';
  readonly precision: Precision;
  readonly description: string;
  readonly threads: number | null;

  readonly #worker: Worker;
  readonly #opened: Opened;
  /** Ranks of this machine. */
  readonly #devices: number;
  #states = 0;

  constructor(config: ModelConfig, worker: Worker, devices: number, opened: Opened) {
    super(config);
    const { torch, device, ranks, precision, compiled, losses, threads } = opened;
    this.precision = precision;
    this.threads = threads;
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

  protected makeState(batchSize: number, owner: Owner): TorchState {
    this.#checkMemory(batchSize, false);
    const number = this.#states++;
    this.#tell({ do: 'state', state: number, seats: batchSize });
    return new TorchState(this, this.#worker, number, batchSize, owner, () =>
      this.#tell({ do: 'free', state: number }),
    );
  }

  protected async infer(state: TorchState, request: InferRequest): Promise<InferResult> {
    const { tensors } = await this.#worker.ask(
      {
        do: 'infer',
        state: state.number,
        average: request.weights === 'average',
        logits: request.wantLogits === true,
      },
      this.#batch(request, state.batchSize),
    );
    return resultOf(tensors);
  }

  protected async train(state: TorchState, request: TrainRequest): Promise<TrainResult> {
    const B = state.batchSize;
    checkEven('training step', B, this.#opened.ranks);
    this.#checkMemory(B, true);
    const { head, tensors } = await this.#worker.ask(
      {
        do: 'train',
        state: state.number,
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

  protected async apply(request: UpdateRequest, count: number): Promise<void> {
    await this.#worker.ask({ do: 'update', update: { ...request, count } });
  }

  protected read(kind: TensorKind): Promise<TensorMap> {
    return this.#read(kind, tensorsOf(kind, this.specs));
  }

  protected async write(kind: TensorKind, tensors: TensorMap): Promise<void> {
    for (const { name, shape } of tensorsOf(kind, this.specs)) {
      const values: StoredTensor = { dtype: 'F32', shape, data: tensors.get(name)!.data };
      await this.#worker.ask({ do: 'write', kind, name }, new Map([['values', values]]));
    }
  }

  protected async clear(): Promise<void> {
    await this.#worker.ask({ do: 'afresh' });
  }

  protected async gradients(): Promise<TensorMap> {
    const gradients = await this.#read('gradient', tensorsOf('average', this.specs));
    if (this.config.puzzleEmbeddingSize === 0) return gradients;
    return new Map([...gradients, ...(await this.#read('gradient', [{ name: localWeights }]))]);
  }

  /** Peak memory of the worker (rank 0) in bytes: on the host, and on a device that has its own. */
  async peakMemory(): Promise<{ readonly host: number; readonly device: number | null }> {
    const { head } = await this.#worker.ask({ do: 'memory' });
    return head as { host: number; device: number | null };
  }

  /** FLOP per second of products of two size × size bfloat16 matrices. */
  async productPeak(size: number): Promise<number> {
    const { head } = await this.#worker.ask({ do: 'peak', size });
    return (head as { flopPerSecond: number }).flopPerSecond;
  }

  protected free(): void {
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

  /** Throws InputError if this many seats cannot fit: a worker that tried would be killed. */
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

  /** Sends a command without waiting. If the worker has ended, the next request shows it. */
  #tell(head: Frame['head']): void {
    this.#worker.ask(head).catch((error: unknown) => {
      if (!(error instanceof EngineLostError)) throw error;
    });
  }
}

/** Latents that the worker holds. */
class TorchState extends CheckedState {
  readonly number: number;
  readonly #worker: Worker;
  readonly #free: () => void;

  constructor(engine: Engine, worker: Worker, number: number, batchSize: number, owner: Owner, free: () => void) {
    super(engine, batchSize, owner);
    this.number = number;
    this.#worker = worker;
    this.#free = free;
  }

  protected async fetch(): Promise<ReadonlyMap<LatentId, Float32Array>> {
    const { tensors } = await this.#worker.ask({ do: 'read_latents', state: this.number });
    return new Map(this.latents.map((latent, i) => [latent, valuesOf(tensors, String(i), Float32Array)]));
  }

  protected async replace(latents: ReadonlyMap<LatentId, Float32Array>): Promise<void> {
    const [B, S, D] = this.shape;
    const tensors = new Map<string, StoredTensor>(
      this.latents.map((latent, i) => [String(i), { dtype: 'F32', shape: [B, S * D], data: latents.get(latent)! }]),
    );
    await this.#worker.ask({ do: 'write_latents', state: this.number }, tensors);
  }

  protected free(): void {
    this.#free();
  }
}

/** The values of a tensor in an answer. Throws EngineLostError if it is missing or of another type. */
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
