/**
 * The names that wrappers put around a model's tensors: a compiler, several devices, a loss head, a trainer, an
 * average.
 */
import { InputError } from '../errors.js';
import { checkRotary } from './rotary.js';
import type { TensorHandle } from './tensor-data.js';

/** Wrappers that may stand anywhere in a name. */
const anywhere = /(?<=^|\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module)\./g;
/** A model's own tensors begin with one of these (spec §8.2). */
const own = /(?:^|\.)((?:embed_tokens|embed_pos|puzzle_emb|rotary_emb|lm_head|q_head|[LH]_level)\.|[LH]\d*_init$)/;
/** Tensors some forks save that the model recomputes, and the counters that averages carry. */
const recomputed = /^(?:rotary_emb\.|puzzle_emb\.local_)|(?:^|\.)(?:n_averaged|initted|num_updates|decay|step)$/;
/** What an average puts before the names of its own copy. */
const averaged = /^(?:ema_model|model_ema|ema_net|ema|averaged_model|swa_model|shadow)\./;

/** Whether a prefix is made of wrappers only, as the reference writes them. */
export function isWrapper(prefix: string): boolean {
  return /^(?:_orig_mod\.|module\.|model\.|inner\.)*$/.test(prefix);
}

/** A tensor's name without wrappers; undefined for one that a model recomputes. */
export function bareName(name: string): string | undefined {
  const unwrapped = name.replace(anywhere, '');
  const match = own.exec(unwrapped);
  const bare =
    match === null
      ? unwrapped.replace(/^(?:module\.|model\.|inner\.)+/, '')
      : unwrapped.slice(match.index + (match[0].startsWith('.') ? 1 : 0));
  return recomputed.test(bare) ? undefined : bare;
}

/** Whether a name is that of a tensor of a TRM or HRM, behind whatever wrappers. */
export function isModelName(name: string): boolean {
  return own.test(name.replace(anywhere, ''));
}

/** Whether a name in a state dict belongs to an average kept beside the model, in a module of its own. */
export function isAveragedName(name: string): boolean {
  return averaged.test(name.replace(anywhere, '').replace(/^(?:module|model)\.(?=ema_|model_ema)/, ''));
}

/** Whether a tensor is never averaged by the reference: start values of the latents, the puzzle table (spec §4.4). */
export function isBuffer(bare: string): boolean {
  return /^[LH]\d*_init$/.test(bare) || bare === 'puzzle_emb.weights';
}

/**
 * Tensors by their names without wrappers. Throws InputError where two become one, or one that the model recomputes is
 * not what it computes.
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
