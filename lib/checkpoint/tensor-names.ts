/**
 * The prefixes that wrappers add to the names of a model's tensors: a compiler, data parallelism, a loss head, a
 * trainer, an average.
 */
import { InputError } from '../errors.js';
import { rotaryBase } from '../model/config.js';
import { isFloat, toFloat32, type TensorHandle } from './tensor-data.js';

/** Wrappers that may occur anywhere in a name. */
const anywhere = /(?<=^|\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module)\./g;
/** The starts of a model's own tensor names (spec §8.2). */
const own = /(?:^|\.)((?:embed_tokens|embed_pos|puzzle_emb|rotary_emb|lm_head|q_head|[LH]_level)\.|[LH]\d*_init$)/;
/** Tensors that some forks save although the model recomputes them, and the counters of averages. */
const recomputed = /^(?:rotary_emb\.|puzzle_emb\.local_)|(?:^|\.)(?:n_averaged|initted|num_updates|decay|step)$/;
/** Prefixes that averages add to the names of their copy. */
const averaged = /^(?:ema_model|model_ema|ema_net|ema|averaged_model|swa_model|shadow)\./;

/** Whether a prefix consists of the reference's wrappers only. */
export function isWrapper(prefix: string): boolean {
  return /^(?:_orig_mod\.|module\.|model\.|inner\.)*$/.test(prefix);
}

/** A tensor's name without wrappers; undefined for a tensor that the model recomputes. */
export function bareName(name: string): string | undefined {
  const unwrapped = name.replace(anywhere, '');
  const match = own.exec(unwrapped);
  const bare =
    match === null
      ? unwrapped.replace(/^(?:module\.|model\.|inner\.)+/, '')
      : unwrapped.slice(match.index + (match[0].startsWith('.') ? 1 : 0));
  return recomputed.test(bare) ? undefined : bare;
}

/** Whether a name is a tensor's of a TRM or HRM, with any wrappers. */
export function isModelName(name: string): boolean {
  return own.test(name.replace(anywhere, ''));
}

/** Whether a name in a state dict belongs to an average, which is kept in its own module next to the model. */
export function isAveragedName(name: string): boolean {
  return averaged.test(name.replace(anywhere, '').replace(/^(?:module|model)\.(?=ema_|model_ema)/, ''));
}

/** Whether the reference never averages a tensor: the latents' start values and the puzzle table (spec §4.4). */
export function isBuffer(bare: string): boolean {
  return /^[LH]\d*_init$/.test(bare) || bare === 'puzzle_emb.weights';
}

/**
 * Tensors by their names without wrappers. Throws InputError if two get the same name, or if a saved rotary table
 * differs from the one that this kit computes.
 */
export function bareTensors(
  file: string,
  tensors: ReadonlyMap<string, TensorHandle>,
): ReadonlyMap<string, TensorHandle> {
  const bare = new Map<string, TensorHandle>();
  for (const [name, tensor] of tensors) {
    const short = bareName(name);
    if (short === undefined) checkRotary(file, name, tensor);
    if (short === undefined) continue;
    if (bare.has(short))
      throw new InputError(
        `${file}: two tensors are called ${JSON.stringify(short)} once prefixes such as "_orig_mod.model.inner." ` +
          'are removed',
      );
    bare.set(short, tensor);
  }
  return bare;
}

/** Wide enough for rotary tables saved in bfloat16. */
const tolerance = 0.01;

/**
 * Throws InputError if a saved tensor is a rotary table of other frequencies, since this kit computes its own.
 */
function checkRotary(file: string, name: string, handle: TensorHandle): void {
  const kind = /rotary_emb\.(inv_freq|cos_cached|sin_cached)$/.exec(name)?.[1];
  if (kind === undefined || !isFloat(handle.dtype)) return;
  const size = handle.shape.at(-1) ?? 0;
  const pairs = kind === 'inv_freq' ? size : size / 2;
  const position = kind === 'inv_freq' ? 1 : (handle.shape.at(-2) ?? 1) - 1; // at 0 all frequencies agree
  const first = kind === 'inv_freq' ? 0 : position * size;
  const values = toFloat32(handle.read());
  for (let i = 0; i < Math.max(1, pairs); i++) {
    const angle = position * rotaryBase ** (-i / pairs);
    const expected = kind === 'inv_freq' ? angle : kind === 'cos_cached' ? Math.cos(angle) : Math.sin(angle);
    if (!(Math.abs(values[first + i]! - expected) <= tolerance * (kind === 'inv_freq' ? expected : 1)))
      throw new InputError(
        `${file}: ${name}: expected the rotary table of base ${rotaryBase.toLocaleString('en')}, with which this kit ` +
          `computes, got another (${values[first + i]} where ${expected.toFixed(6)} belongs)`,
      );
  }
}
