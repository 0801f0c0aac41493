/** Checks objects from any source against a table with one check a field, and names all their problems at once. */
import { InputError, show, unknownFields } from './errors.js';

/** Undefined if a value is accepted; else what was expected. */
export type FieldCheck = (value: unknown) => string | undefined;

/** A check for every field of `Type`, optional ones included. */
export type Fields<Type = object> = { readonly [Field in keyof Required<Type>]: FieldCheck };

/** One of a few values. */
export const oneOf =
  (...allowed: readonly unknown[]): FieldCheck =>
  (value) =>
    allowed.includes(value)
      ? undefined
      : allowed.length === 1
        ? String(allowed[0])
        : `${allowed.slice(0, -1).join(', ')} or ${String(allowed.at(-1))}`;

/** A whole number; the largest is 2³² − 1 unless given. */
export const whole =
  (least: number, most = 2 ** 32 - 1): FieldCheck =>
  (value) => {
    if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return undefined;
    const limited = most < 2 ** 32 - 1 || (typeof value === 'number' && value > most);
    return `a whole number from ${least}${limited ? ` to ${most}` : ''}`;
  };

/** Any number of a range, both ends included. */
export const between =
  (least: number, most: number): FieldCheck =>
  (value) =>
    typeof value === 'number' && value >= least && value <= most ? undefined : `a number from ${least} to ${most}`;

export const text: FieldCheck = (value) => (typeof value === 'string' ? undefined : 'text');

/** A path; not '', which would mean the current folder. */
export const pathText: FieldCheck = (value) =>
  typeof value === 'string' && value !== '' && value.length < 4096 ? undefined : 'the path of a file or folder';

export const flag: FieldCheck = oneOf(true, false);

/** Any number but NaN and the infinities. */
export const number: FieldCheck = (value) => (Number.isFinite(value) ? undefined : 'a number');

/** Any number from 0 but infinity. */
export const notNegative: FieldCheck = (value) =>
  Number.isFinite(value) && (value as number) >= 0 ? undefined : 'a number from 0';

export const callback: FieldCheck = (value) => (typeof value === 'function' ? undefined : 'a function');

/** Whether something is an object but not a list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields that are not undefined. */
export function given<All extends object>(fields: All): { [Key in keyof All]?: Exclude<All[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as typeof fields;
}

/** Deeply freezes plain data, which must not hold typed arrays. */
export function frozen<Data>(data: Data): Data {
  if (typeof data !== 'object' || data === null) return data;
  Object.values(data).forEach(frozen);
  return Object.freeze(data);
}

/** Any object but a list. */
export const anyObject: FieldCheck = (value) => (isObject(value) ? undefined : 'an object');

/** A list whose every item a check accepts. */
export const listOf =
  (check: FieldCheck, least = 0): FieldCheck =>
  (value) => {
    if (!Array.isArray(value) || value.length < least) return `a list${least > 0 ? ` of at least ${least}` : ''}`;
    for (const [i, each] of value.entries()) {
      const expected = check(each);
      if (expected !== undefined) return `in place ${i} ${expected}`;
    }
    return undefined;
  };

/** A typed array of type `type`, from any realm; of `length` numbers if that is given. */
export const arrayOf =
  (type: 'Int32Array' | 'Uint8Array' | 'Float32Array', length?: number): FieldCheck =>
  (value) =>
    ArrayBuffer.isView(value) &&
    (value as Uint8Array)[Symbol.toStringTag] === type &&
    (length === undefined || (value as Uint8Array).length === length)
      ? undefined
      : `${type === 'Int32Array' ? 'an' : 'a'} ${type}${length === undefined ? '' : ` of ${length}`}`;

/** An object with these fields; others are ignored. */
export const objectOf =
  (checks: Readonly<Record<string, FieldCheck>>): FieldCheck =>
  (value) => {
    if (!isObject(value)) return 'an object';
    for (const [key, check] of Object.entries(checks)) {
      const expected = check(value[key]);
      if (expected !== undefined) return `an object with ${key}: ${expected}`;
    }
    return undefined;
  };

/** A field that may also be absent. */
export const optional =
  (check: FieldCheck): FieldCheck =>
  (value) => {
    const expected = value === undefined ? undefined : check(value);
    return expected === undefined ? undefined : `${expected}, or nothing`;
  };

/** A field that may also be null. */
export const orNull =
  (check: FieldCheck): FieldCheck =>
  (value) => {
    const expected = value === null ? undefined : check(value);
    return expected === undefined ? undefined : `${expected}, or null`;
  };

/**
 * Checks an object from any source and returns it typed. `contradictions` checks fields against one another, once
 * each is valid by itself. Throws InputError naming every unknown, missing or impossible field.
 */
export function checkFields<Type extends object>(
  what: string,
  candidate: unknown,
  checks: Fields<Type>,
  contradictions: (fields: Type) => readonly string[] = () => [],
): Type {
  if (!isObject(candidate)) throw new InputError(`${what}: expected an object, got ${show(candidate)}`);
  const table = Object.entries(checks) as [string, FieldCheck][];
  const problems = unknownFields(
    candidate,
    table.map(([key]) => key),
  );
  for (const [key, check] of table) {
    const value = (candidate as Readonly<Record<string, unknown>>)[key];
    const expected = check(value);
    if (expected !== undefined) problems.push(`${key}: expected ${expected}, got ${show(value)}`);
  }
  if (problems.length === 0) problems.push(...contradictions(candidate as Type));
  if (problems.length > 0) throw new InputError(`${what}: ${problems.join('; ')}`);
  return candidate as Type;
}

/** Throws InputError, beginning with `name`, for a value that a check does not accept. */
export function checkValue(name: string, value: unknown, check: FieldCheck): void {
  const expected = check(value);
  if (expected !== undefined) throw new InputError(`${name}: expected ${expected}, got ${show(value)}`);
}

/** Throws InputError unless every one of the named numbers is whole and at least 1. */
export function checkCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) checkValue(name, value, whole(1));
}

/** Whether work is asked to stop. Throws InputError for an answer such as a promise, which would never stop it. */
export function stopAsked(shouldStop: (() => unknown) | undefined): boolean {
  const answer = shouldStop?.();
  checkValue('shouldStop', answer, optional(flag));
  return answer === true;
}
