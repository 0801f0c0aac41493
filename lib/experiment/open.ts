/** Opens a trained model from a checkpoint file, ready to think. */
import { createEngine, type EngineOptions } from '../engine/create.js';
import type { Engine } from '../engine/engine.js';
import { loadCheckpoint } from '../model/checkpoint.js';
import type { ModelConfig } from '../model/config.js';

/** A model and where it came from. The caller disposes of the engine. */
export interface OpenModel {
  readonly engine: Engine;
  readonly config: ModelConfig;
  /** What the file says about itself. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What had to be assumed to read the file. */
  readonly notes: readonly string[];
}

/** Opens a safetensors or PyTorch checkpoint. Throws InputError if it is damaged or its shapes make no model. */
export async function openModel(file: string, options: EngineOptions = {}): Promise<OpenModel> {
  const { config, tensors, metadata, notes } = loadCheckpoint(file);
  const engine = await createEngine(config, options);
  await engine.writeTensors('parameters', tensors);
  return { engine, config, metadata, notes };
}
