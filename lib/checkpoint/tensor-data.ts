/** Tensors as files store them: element types, their typed arrays, and conversion to float32. */

/** Element types, named as safetensors names them. F16 and BF16 are held as their 16 bits, BOOL as 0 and 1. */
export type Dtype = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U8' | 'BOOL';
export type TensorArray =
  | Float64Array
  | Float32Array
  | Uint16Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array;

/** A dense tensor in its stored element type, row-major. */
export interface StoredTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: TensorArray;
}

/** A tensor that is still in its file. */
export interface TensorHandle {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Reads it; the file must still be open. */
  read(): StoredTensor;
}

interface ArrayType {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): TensorArray;
  new (buffer: ArrayBuffer, offset?: number, length?: number): TensorArray;
}

/** The typed array that holds each element type. */
export const arrayTypes: Readonly<Record<Dtype, ArrayType>> = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

/** Whether an element type is a floating-point one, as toFloat32 requires. */
export function isFloat(dtype: Dtype): boolean {
  return dtype === 'F32' || dtype === 'F64' || dtype === 'F16' || dtype === 'BF16';
}

/** Values of a floating-point tensor as float32: F32 without a copy, F16 and BF16 exactly, F64 rounded. */
export function toFloat32({ dtype, data }: StoredTensor): Float32Array {
  switch (dtype) {
    case 'F32':
      return data as Float32Array;
    case 'F64':
      return Float32Array.from(data as Float64Array);
    case 'BF16': {
      // A bfloat16 is the upper half of a float32.
      const bits = new Uint32Array(data.length);
      for (let i = 0; i < bits.length; i++) bits[i] = (data[i] as number) << 16;
      return new Float32Array(bits.buffer);
    }
    case 'F16': {
      const values = new Float32Array(data.length);
      for (let i = 0; i < values.length; i++) values[i] = halfToNumber(data[i] as number);
      return values;
    }
    default:
      throw new TypeError(`expected a floating tensor, got ${dtype}`);
  }
}

/** IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24; // zero and subnormal
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Number of values in a shape from an untrusted file, or undefined if it is not a shape or too large to count. */
export function countOf(shape: readonly unknown[]): number | undefined {
  if (shape.length > 32) return undefined;
  let count = 1;
  for (const side of shape) {
    if (!Number.isSafeInteger(side) || (side as number) < 0) return undefined;
    count *= side as number;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}
