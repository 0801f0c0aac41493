/** Opens a trained model from a checkpoint file, ready to think. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createEngine, type EngineOptions } from '../engine/create.js';
import type { Engine } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { projectRoot } from '../files.js';
import { loadCheckpoint } from '../model/checkpoint.js';
import type { ModelConfig } from '../model/config.js';
import { initialParameters } from '../model/parameters.js';
import type { Random } from '../random.js';

/** A model and where it came from. The caller disposes of the engine. */
export interface OpenModel {
  readonly engine: Engine;
  readonly config: ModelConfig;
  /** What the file says about itself. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What had to be assumed to read the file. */
  readonly notes: readonly string[];
}

/**
 * Opens a safetensors or PyTorch checkpoint; `known` is what the file does not say of its model, or what shall be
 * otherwise. Throws InputError if it is damaged or its shapes make no such model.
 */
export async function openModel(
  file: string,
  options: EngineOptions = {},
  known: Partial<ModelConfig> = {},
): Promise<OpenModel> {
  const { config, tensors, metadata, notes } = loadCheckpoint(file, { config: known });
  const engine = await createEngine(config, options);
  await engine.writeTensors('parameters', tensors);
  return { engine, config, metadata, notes };
}

/** A model with random weights, as training starts with: for measuring what a model of this size costs. */
export async function randomModel(
  config: ModelConfig,
  random: Random,
  options: EngineOptions = {},
): Promise<OpenModel> {
  const engine = await createEngine(config, options);
  await engine.writeTensors('parameters', initialParameters(config, random));
  return { engine, config, metadata: {}, notes: [] };
}

/** The checkpoint that comes with the kit for Sudokus of so many cells. Throws InputError where there is none. */
export function shippedCheckpoint(cells: number): string {
  const side = Math.sqrt(cells);
  const file = path.join(projectRoot(), 'data', 'checkpoints', `sudoku-${side}x${side}.safetensors`);
  if (!existsSync(file))
    throw new InputError(
      `no model for ${side}×${side} boards is shipped: train one (trm-lab train --experiment sudoku-${side}x${side}) and name its model.safetensors as the checkpoint`,
    );
  return file;
}
