/** Checkpoints: a model's configuration and weights in one safetensors file, and those that others saved. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../errors.js';
import { readUserFile } from '../files.js';
import {
  assembleCheckpoint,
  checkTensors,
  wrappers,
  type Checkpoint,
  type LoadOptions,
  type OptionsBeside,
} from './assemble.js';
import { openBytes } from './file-bytes.js';
import { isPyTorchFile, listPyTorch } from './pytorch.js';
import { configFromReference, longestYaml, readReferenceYaml } from './reference-config.js';
import { listSafetensors } from './safetensors.js';
import { writeSafetensors } from './safetensors-file.js';
import type { StoredTensor } from './tensor-data.js';

const format = 'trm-lab/model/1';

/**
 * Writes a checkpoint atomically, float32, with the reference's tensor names. `prefix` goes before every name, for a program that
 * expects the reference's wrappers, e.g. "_orig_mod.model.inner."; loading strips it again.
 * Throws InputError if the tensors are not exactly those of the configuration, or the prefix is none of a wrapper's.
 */
export function saveCheckpoint(
  file: string,
  { config, tensors, metadata = {} }: Pick<Checkpoint, 'config' | 'tensors'> & Partial<Pick<Checkpoint, 'metadata'>>,
  prefix = '',
): void {
  if (prefix.replace(wrappers, '') !== '')
    throw new InputError(
      `prefix: expected a wrapper's such as model.inner. or _orig_mod.model.inner., got ${JSON.stringify(prefix)}`,
    );
  checkTensors(file, config, new Map([...tensors].map(([name, { shape }]) => [name, { dtype: 'F32', shape }])));
  const stored = new Map<string, StoredTensor>(
    [...tensors].map(([name, { shape, data }]) => [prefix + name, { dtype: 'F32', shape, data }]),
  );
  writeSafetensors(file, stored, { ...metadata, format, config: JSON.stringify(config) });
}

/**
 * Reads a checkpoint: ours, any safetensors file with the reference's names, or a state dict saved by PyTorch.
 * Where the file does not hold the configuration, it comes from an all_config.yaml beside it and from the shapes;
 * `notes` says what was assumed or changed. Nothing in the file is executed.
 * Throws InputError if the file is damaged, or listing every missing, unknown and misshaped tensor.
 */
export function loadCheckpoint(
  file: string | Uint8Array,
  options: LoadOptions = {},
): Checkpoint & { readonly notes: readonly string[] } {
  const bytes = openBytes(file);
  try {
    const named = isPyTorchFile(bytes) ? { handles: listPyTorch(bytes), metadata: {} } : listSafetensors(bytes);
    const notes: string[] = [];
    const beside = (): OptionsBeside | undefined => (typeof file === 'string' ? yamlBeside(file) : undefined);
    return { ...assembleCheckpoint(bytes.name, named, options, beside, notes), notes };
  } finally {
    bytes.close();
  }
}

/** The options in the all_config.yaml that the reference leaves beside its checkpoints, if there is one. */
function yamlBeside(checkpoint: string): OptionsBeside | undefined {
  const file = path.join(path.dirname(checkpoint), 'all_config.yaml');
  if (!existsSync(file)) return undefined;
  return {
    file,
    config: configFromReference(readReferenceYaml(readUserFile(file, longestYaml).toString('utf8'), file)),
  };
}
