/** Rotary tables that some programs save: this kit computes its own, so they must be the same. */
import { InputError } from '../errors.js';
import { rotaryBase } from '../model/config.js';
import { isFloat, toFloat32, type TensorHandle } from './tensor-data.js';

/** Tables may have been saved in bfloat16. */
const tolerance = 0.01;

/** Throws InputError where a saved tensor is a rotary table of other frequencies. */
export function checkRotary(file: string, name: string, handle: TensorHandle): void {
  const kind = /rotary_emb\.(inv_freq|cos_cached|sin_cached)$/.exec(name)?.[1];
  if (kind === undefined || !isFloat(handle.dtype)) return;
  const size = handle.shape.at(-1) ?? 0;
  const pairs = kind === 'inv_freq' ? size : size / 2;
  const position = kind === 'inv_freq' ? 1 : (handle.shape.at(-2) ?? 1) - 1; // the last: at position 0 all agree
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
