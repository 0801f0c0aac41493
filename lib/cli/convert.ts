/**
 * trm-lab convert: a checkpoint of this kit's, of PyTorch or of anyone's safetensors, written as this kit writes it.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { InputError } from '../errors.js';
import { loadCheckpoint, saveCheckpoint } from '../checkpoint/checkpoint.js';
import { parameterCount } from '../model/parameters.js';
import { assumedLine, loadOptions, weightsOption } from './checkpoint-options.js';
import { text, type Command } from './command.js';
import { readChanges } from './experiment-options.js';
import { everyField } from './settings.js';

export const convert: Command = {
  name: 'convert',
  summary:
    "Read a checkpoint (PyTorch's zip files, safetensors; any floating type) and write it as safetensors, float32, " +
    "with the reference's names.",
  positionals: '<from> <to>',
  count: [2, 2],
  options: {
    set: {
      value: 'model.A=V,…',
      about:
        'model settings that the file does not state, e.g. model.puzzlePrefix=16,model.latentRecursions=4. If ' +
        'model.puzzleIds differs from the number of rows in the file, every row of the puzzle table becomes their mean',
      settings: () => ({ model: everyField }),
    },
    weights: weightsOption,
    prefix: {
      value: 'TEXT',
      about:
        'prefix of every tensor name, e.g. _orig_mod.model.inner. for load_state_dict of the published code. ' +
        'Default none',
    },
  },
  example: 'convert step_16275 trm.safetensors',
  minutes: 'seconds',

  run(args, out) {
    const [from = '', to = ''] = args.positionals;
    if (existsSync(to))
      throw new InputError(`${to}: expected a new file, got one that exists; choose another name or remove it`);
    const known = loadOptions(args, readChanges(args).model ?? {});
    const { config, tensors, metadata, notes, assumed } = loadCheckpoint(from, known);
    for (const note of notes) out.note(note);
    saveCheckpoint(
      to,
      {
        config,
        tensors,
        metadata: {
          ...metadata,
          from: path.basename(from),
          ...(assumed.length === 0 ? {} : { assumed: JSON.stringify(assumed) }),
        },
      },
      text(args, 'prefix') ?? '',
    );
    const { recursion, mixer, layers, hiddenSize, deepRecursions, latentRecursions } = config;
    out.line(
      `${to}: ${tensors.size} tensors, ${parameterCount(config).toLocaleString('en')} trainable parameters ` +
        `(${recursion}, ${mixer}, ${layers} layers of ${hiddenSize}, T = ${deepRecursions}, n = ${latentRecursions})`,
    );
    const { block } = metadata;
    if (block !== undefined)
      out.line(
        `trained with a custom block (SHA-256 ${block.slice(0, 8)}…): the new file names it too, but other ` +
          'programs would compute a standard block in its place',
      );
    if (assumed.length > 0) out.line(assumedLine(assumed));
    out.result({ from, to, config, parameters: parameterCount(config), notes, assumed });
    return Promise.resolve(0);
  },
};
