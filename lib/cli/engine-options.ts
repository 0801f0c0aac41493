/** The options of every computing command that choose its engine. */
import { torchDevice, type EngineOptions } from '../engine/create.js';
import { checkValue, optional } from '../fields.js';
import { below, choice, numberOf, text, type Arguments } from './command.js';

const torchOnly = (args: Arguments): string | undefined =>
  text(args, 'engine') === 'torch' ? undefined : 'expected --engine torch with it';

export const engineOptions = below('Engine', {
  engine: {
    value: 'NAME',
    about: 'native, tfjs, torch (docs/gpu.md) or auto (native if it is built, else tfjs). Default auto',
  },
  backend: {
    value: 'NAME',
    about: 'tfjs only: tensorflow, wasm, cpu or auto (the fastest that loads). Default auto',
    unread: (args) => (text(args, 'engine') === 'tfjs' ? undefined : 'expected --engine tfjs with it'),
  },
  precision: {
    value: 'NAME',
    about: 'native and torch: float32, bf16 or auto (bf16 if it is faster on the CPU or GPU). Default auto',
  },
  threads: {
    value: 'N',
    range: [1, 256],
    about: 'native, and torch on a CPU: threads per run. Default: one per core; in a sweep, one per run',
    unread: (args) => (text(args, 'engine') === 'tfjs' ? 'expected --engine native with it' : undefined),
  },
  device: {
    value: 'NAME',
    about: 'torch only: cpu, cuda, cuda:1, xpu, mps or auto (a GPU if there is one). Default auto',
    unread: torchOnly,
  },
  devices: {
    value: 'N',
    range: [1, 1024],
    about: 'torch only: GPUs of this machine that share the batch. Default 1',
    unread: torchOnly,
  },
  torchrun: {
    value: 'WORDS',
    about: 'torch only: further arguments of torchrun, written --torchrun="--nnodes=2 …" (docs/slurm.md)',
    unread: torchOnly,
  },
  compile: {
    value: 'WORD',
    about: 'torch only: torch.compile of the networks, on or off. Default on for CUDA and ROCm',
    unread: torchOnly,
  },
});

/** Reads the engine options. Throws InputError for invalid values. */
export function readEngineOptions(args: Arguments): EngineOptions {
  const compile = choice(args, 'compile', ['on', 'off']);
  const device = text(args, 'device');
  checkValue('--device', device, optional(torchDevice));
  return {
    engine: choice(args, 'engine', ['auto', 'native', 'tfjs', 'torch']),
    backend: choice(args, 'backend', ['auto', 'tensorflow', 'wasm', 'cpu']),
    precision: choice(args, 'precision', ['auto', 'float32', 'bf16']),
    threads: numberOf(args, 'threads'),
    torch: {
      device,
      devices: numberOf(args, 'devices'),
      torchrun: text(args, 'torchrun'),
      compile: compile === undefined ? undefined : compile === 'on',
    },
  };
}
