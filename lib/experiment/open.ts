/** Opens a trained model from a checkpoint file, ready to think. */
import path from 'node:path';
import { createEngine, checkEngineOptions, type EngineOptions } from '../engine/create.js';
import type { Engine } from '../engine/engine.js';
import { geometryOfCells } from '../data/sudoku.js';
import { InputError, show } from '../errors.js';
import { anyObject, checkValue, given, isObject } from '../fields.js';
import { projectRoot } from '../files.js';
import type { LoadedCheckpoint } from '../checkpoint/assemble.js';
import { loadCheckpoint, type LoadOptions } from '../checkpoint/checkpoint.js';
import type { ModelConfig } from '../model/config.js';
import { initialParameters, type TensorMap } from '../model/parameters.js';
import { checkBlock } from './own-block.js';
import { longNames, type ModelChanges } from './words.js';
import type { Random } from '../random.js';

/** A model and where it came from. The caller disposes of the engine. */
export interface OpenModel extends Omit<LoadedCheckpoint, 'tensors'> {
  readonly engine: Engine;
}

/**
 * Opens a checkpoint of this kit or of others. `config` changes fields that do not affect the weights, such as T and n.
 * Throws InputError if the file is damaged, its shapes fit no such model, or its block is missing.
 */
export async function openModel(
  file: string,
  options: EngineOptions = {},
  load: Omit<LoadOptions, 'config'> & { readonly config?: ModelChanges } = {},
): Promise<OpenModel> {
  checkEngineOptions(options);
  checkValue('checkpoint', load, anyObject);
  const config = isObject(load.config) ? longNames(load.config) : load.config;
  const { tensors, ...about } = loadCheckpoint(file, { ...load, ...given({ config }) });
  checkBlock(file, about.metadata['block'], options.block);
  return { engine: await engineWith(about.config, tensors, options), ...about };
}

/** A model with random weights, as training starts with: for measuring what a model of this size costs. */
export async function randomModel(
  config: ModelConfig,
  random: Random,
  options: EngineOptions = {},
): Promise<OpenModel> {
  const engine = await engineWith(config, initialParameters(config, random), options);
  return { engine, config, metadata: {}, notes: [], assumed: [] };
}

/** An engine with these weights; disposed of if it refuses them. */
async function engineWith(config: ModelConfig, tensors: TensorMap, options: EngineOptions): Promise<Engine> {
  const engine = await createEngine(config, options);
  try {
    await engine.writeTensors('parameters', tensors);
  } catch (error) {
    engine.dispose();
    throw error;
  }
  return engine;
}

/** The checkpoint that comes with the kit for Sudokus of so many cells. Throws InputError where there is none. */
export function shippedCheckpoint(cells: number): string {
  if (geometryOfCells(cells) === undefined)
    throw new InputError(`cells: expected 16, 36 or 81, those of a Sudoku, got ${show(cells)}`);
  const side = Math.sqrt(cells);
  return path.join(projectRoot(), 'data', 'checkpoints', `sudoku-${side}x${side}.safetensors`);
}
