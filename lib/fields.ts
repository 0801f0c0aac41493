/** Options as a table of fields with a check each: whatever the source, every problem of an object is named at once. */
import { InputError, show, unknownFields } from './errors.js';

/** Undefined if a value may stand there; else what was expected. */
export type FieldCheck = (value: unknown) => string | undefined;

/** A check for every field of `Type`, those that may be absent included. */
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

/** A path; '' would be the folder at hand. */
export const pathText: FieldCheck = (value) =>
  typeof value === 'string' && value !== '' && value.length < 4096 ? undefined : 'the path of a file or folder';

export const flag: FieldCheck = oneOf(true, false);

/** Any number but NaN and the infinities. */
export const number: FieldCheck = (value) => (Number.isFinite(value) ? undefined : 'a number');

/** Any number from 0 but infinity. */
export const notNegative: FieldCheck = (value) =>
  Number.isFinite(value) && (value as number) >= 0 ? undefined : 'a number from 0';

export const callback: FieldCheck = (value) => (typeof value === 'function' ? undefined : 'a function');

/** Whether something is an object and no list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Fields without those that are undefined: what was not given is absent. */
export function given<All extends object>(fields: All): { [Key in keyof All]?: Exclude<All[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as typeof fields;
}

/** Makes plain data without typed arrays unchangeable, to its last part. */
export function frozen<Data>(data: Data): Data {
  if (typeof data !== 'object' || data === null) return data;
  Object.values(data).forEach(frozen);
  return Object.freeze(data);
}

/** Any object that is no list. */
export const anyObject: FieldCheck = (value) => (isObject(value) ? undefined : 'an object');

/** A list of what a check accepts. */
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

/** A typed array of that name, whichever realm it comes from; of so many numbers, if they are counted. */
export const arrayOf =
  (type: 'Int32Array' | 'Uint8Array' | 'Float32Array', length?: number): FieldCheck =>
  (value) =>
    ArrayBuffer.isView(value) &&
    (value as Uint8Array)[Symbol.toStringTag] === type &&
    (length === undefined || (value as Uint8Array).length === length)
      ? undefined
      : `${type === 'Int32Array' ? 'an' : 'a'} ${type}${length === undefined ? '' : ` of ${length}`}`;

/** An object of these fields; others are let be. */
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
 * Checks an object from any source and returns it typed. `contradictions` tells what no field alone can;
 * it is asked once each field is right. Throws InputError naming every unknown, missing or impossible field.
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

/** Throws InputError, under a name, for a value that a check does not accept. */
export function checkValue(name: string, value: unknown, check: FieldCheck): void {
  const expected = check(value);
  if (expected !== undefined) throw new InputError(`${name}: expected ${expected}, got ${show(value)}`);
}

/** Throws InputError unless every one of the named numbers is whole and at least 1. */
export function checkCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) checkValue(name, value, whole(1));
}

/** Whether work is asked to stop. Throws InputError for another answer: a promise would never stop it. */
export function stopAsked(shouldStop: (() => unknown) | undefined): boolean {
  const answer = shouldStop?.();
  checkValue('shouldStop', answer, optional(flag));
  return answer === true;
}
