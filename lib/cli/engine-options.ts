/** The options by which every command that thinks chooses its engine. */
import type { EngineOptions } from '../engine/create.js';
import { choice, integer, text, type Arguments, type Option } from './command.js';

export const engineOptions: Readonly<Record<string, Option>> = {
  engine: { type: 'string', value: 'NAME', about: 'native, tfjs or auto (native where it is built). Default auto' },
  backend: {
    type: 'string',
    value: 'NAME',
    about: 'tfjs only: tensorflow, wasm, cpu or auto (the fastest that loads). Default auto',
    unread: (args) => (text(args, 'engine') === 'tfjs' ? undefined : 'expected --engine tfjs with it'),
  },
  precision: {
    type: 'string',
    value: 'NAME',
    about: 'native only: float32, bf16 or auto (bf16 where the CPU is faster in it). Default auto',
  },
  threads: {
    type: 'string',
    value: 'N',
    about: 'native only: worker threads, 1 to 256. Default one a core, in sweeps one a run',
    unread: (args) => (text(args, 'engine') === 'tfjs' ? 'expected --engine native with it' : undefined),
  },
};

/** Reads them. Throws InputError for other values. */
export function readEngineOptions(args: Arguments): EngineOptions {
  return {
    engine: choice(args, 'engine', ['auto', 'native', 'tfjs']),
    backend: choice(args, 'backend', ['auto', 'tensorflow', 'wasm', 'cpu']),
    precision: choice(args, 'precision', ['auto', 'float32', 'bf16']),
    threads: integer(args, 'threads', 1, 256),
  };
}
