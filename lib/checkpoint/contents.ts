/**
 * Finds the model's weights, their moving average, and the run's configuration in a training script's dictionary.
 */
import { InputError, reasonOf } from '../errors.js';
import { PickleForeign, PickleGlobal, PickleTuple, type PickleDict, type PickleValue } from './pickle.js';
import { PickledTensor, saveAgain } from './pytorch.js';
import type { TensorHandle } from './tensor-data.js';
import { bareName, bareTensors, isAveragedName, isBuffer, isModelName } from './tensor-names.js';

/** Named tensors that belong together. */
export interface WeightSet {
  /** Where in the file, e.g. model or ema.shadow; '' for the file itself. */
  readonly where: string;
  /** By their names in the file, wrappers included. */
  readonly tensors: ReadonlyMap<string, TensorHandle>;
  /** Tensors of a kind that cannot be read, with their kind. */
  readonly unread?: ReadonlyMap<string, string>;
}

/** The contents of a file. */
export interface Contents {
  readonly online: readonly WeightSet[];
  readonly averages: readonly WeightSet[];
  /** Plain data that may be the run's configuration, with its place in the file and its class by the pickle. */
  readonly settings: readonly { readonly where: string; readonly value: unknown; readonly kind: string | undefined }[];
  /** Names of all top-level entries without weights. */
  readonly left: readonly string[];
}

/** Which weights to take where a file has both. */
export type WeightChoice = 'raw' | 'average';

const otherKey = /optim|sched|scaler|backup|collected|teacher|target|momentum|(?:^|_)rng/i;
/** Deeper dictionaries are no training state. */
const deepest = 8;
/** Longer lists hold no state dicts. */
const longestList = 64;
/** Far more tensors than any of these models has; bounded because their names are compared with one another. */
const mostTensors = 10_000;

/** Finds weights and configuration in a pickle's value. */
export function contentsOf(value: PickleValue): Contents {
  const { online, averages, otherNames, withoutNames } = weightsIn(value);
  for (const each of withoutNames) averages.push(...namedAs(online[0], each));
  const taken = [...online, ...averages].map(({ where }) => where.split('.')[0]);
  const others = [...(dictOf(value) ?? [])].filter(
    ([key, each]) => typeof key === 'string' && !(each instanceof PickledTensor) && !taken.includes(key),
  );
  const settings = others
    .filter(([key]) => !otherKey.test(String(key)))
    .map(([key, each]) => ({
      where: String(key),
      value: plain(each),
      kind: each instanceof PickleForeign ? `${each.name.slice(0, 80)}, read as data` : undefined,
    }))
    .filter(({ value: each }) => each !== undefined);
  return {
    online: distinct(online.length + averages.length > 0 ? online : otherNames.slice(0, 1)),
    averages: distinct(averages),
    settings,
    left: others.map(([key]) => String(key)),
  };
}

/** Tensors in a list, as some averages are saved. */
interface TensorList {
  readonly where: string;
  readonly tensors: readonly PickledTensor[];
}

interface FoundWeights {
  readonly online: WeightSet[];
  readonly averages: WeightSet[];
  /** Tensors of other names than a model's, for the message if nothing else is found. */
  readonly otherNames: WeightSet[];
  readonly withoutNames: TensorList[];
}

/** The weights in a pickle's value, at any depth. */
function weightsIn(value: PickleValue): FoundWeights {
  const found: FoundWeights = { online: [], averages: [], otherNames: [], withoutNames: [] };
  const seen = new Set<PickleValue>();
  const visit = (each: PickleValue, where: string, depth: number): void => {
    if (typeof each !== 'object' || each === null || seen.has(each) || depth > deepest || otherKey.test(where)) return;
    seen.add(each);
    if (Array.isArray(each) || each instanceof PickleTuple) {
      const items = Array.isArray(each) ? each : each.items;
      const tensors = items.filter((item) => item instanceof PickledTensor);
      if (tensors.length === items.length && tensors.length > 0 && isAveraged(where))
        found.withoutNames.push({ where, tensors });
      else for (const [i, item] of items.slice(0, longestList).entries()) visit(item, join(where, i), depth + 1);
      return;
    }
    const dict = dictOf(each);
    if (dict === undefined) return;
    const tensors = isModule(dict) ? moduleTensors(dict) : tensorsIn(dict);
    if (tensors.size > mostTensors)
      throw new InputError(`expected a model of at most ${mostTensors} tensors, got ${tensors.size}`);
    if ([...tensors.keys()].some(isModelName)) {
      const { online, averages } = setsOf(where, tensors, dict);
      found.online.push(...online);
      found.averages.push(...averages);
    } else if (tensors.size > 0) {
      found.otherNames.push({ where, tensors });
    }
    if (!isModule(dict)) for (const [key, inner] of dict) visit(inner, join(where, key), depth + 1);
  };
  visit(value, '', 0);
  return found;
}

/** A dictionary's online weights and its average, told by its place or by the tensors' prefix. */
function setsOf(
  where: string,
  tensors: ReadonlyMap<string, TensorHandle>,
  dict: PickleDict,
): Pick<FoundWeights, 'online' | 'averages'> {
  const names = [...tensors.keys()];
  const average = isAveraged(where);
  const split = average ? names.filter((name) => !name.startsWith('online_model.')) : names.filter(isAveragedName);
  const apart = new Set(split);
  const rest = names.filter((name) => !apart.has(name));
  const part = (some: readonly string[]): ReadonlyMap<string, TensorHandle> =>
    new Map(some.map((name) => [name, tensors.get(name) as TensorHandle]));
  const unread = new Map(
    [...dict]
      .filter(([key, other]) => typeof key === 'string' && isModelName(key) && other instanceof PickleForeign)
      .map(([key, other]) => [String(key), (other as PickleForeign).name]),
  );
  const at = average || split[0] === undefined ? where : join(where, split[0].split('.')[0] ?? '');
  return {
    online: !average && rest.some(isModelName) ? [{ where, tensors: part(rest), unread }] : [],
    averages: split.length > 0 ? [{ where: at, tensors: part(split), unread }] : [],
  };
}

/** An average saved as a list, with the names of the online weights; none if their numbers differ. */
function namedAs(online: WeightSet | undefined, { where, tensors }: TensorList): WeightSet[] {
  const names = [...(online?.tensors.keys() ?? [])].filter((name) => !isBuffer(bareName(name) ?? name));
  if (names.length !== tensors.length) return [];
  return [{ where, tensors: new Map(names.map((name, i) => [name, tensors[i] as TensorHandle])) }];
}

function isAveraged(where: string): boolean {
  const words = where.replace(/([a-z])(?=[A-Z])/g, '$1_').toLowerCase(); // modelEma is model_ema
  return /(?:^|[_.])(?:ema|swa|shadow|averaged?|polyak)(?:[_.]|$)/.test(words);
}

/** The contents of a safetensors file, which has no dictionaries: an average is recognised by its prefix. */
export function contentsOfTensors(tensors: ReadonlyMap<string, TensorHandle>): Contents {
  const both = [...tensors.keys()].some(isAveragedName) && [...tensors.keys()].some((name) => !isAveragedName(name));
  const part = (average: boolean): WeightSet[] => [
    {
      where: average ? 'names that begin as of an average' : '',
      tensors: new Map([...tensors].filter(([name]) => isAveragedName(name) === average)),
    },
  ];
  const empty = { settings: [], left: [] };
  return both
    ? { online: part(false), averages: part(true), ...empty }
    : { online: [{ where: '', tensors }], averages: [], ...empty };
}

/** The tensors to load, by their names without wrappers, and how they were chosen. */
export interface ChosenWeights {
  readonly tensors: ReadonlyMap<string, TensorHandle>;
  /** Which of several sets of weights were taken and which left; undefined if there is only one. */
  readonly taken?: string;
  /** Assumptions on what neither the file nor the caller says. */
  readonly assumed: readonly string[];
}

/**
 * Chooses between online and averaged weights: by the caller's `choice`, else by the run's configuration (`averaged`),
 * else the average, which evaluations use. The buffers and the puzzle table, which the reference does not average, come
 * from the online weights. Throws InputError if the file lacks the weights asked for, or has several sets of them.
 */
export function chooseWeights(
  file: string,
  contents: Contents,
  choice: WeightChoice | undefined,
  averaged: { readonly value: boolean; readonly where: string } | undefined,
): ChosenWeights {
  const { online, averages, left } = contents;
  checkChoice(file, contents, choice);
  const [firstOnline, firstAverage] = [online[0], averages[0]];
  const average =
    firstOnline === undefined ||
    (firstAverage !== undefined && (choice ?? (averaged?.value === false ? 'raw' : 'average')) === 'average');
  const bare = bareTensors(file, theOnly(file, average ? averages : online).tensors);
  if (firstOnline === undefined || firstAverage === undefined) return { tensors: bare, assumed: [] };

  const why = choice !== undefined ? `--weights ${choice}` : averaged?.where;
  const assumed = why === undefined ? ['weights = average (--weights raw takes the online ones)'] : [];
  const reason = why === undefined ? '' : `, as ${why} says`;
  const rest = left.length === 0 ? '' : `; left unread: ${list(left)}`;
  const [ofOnline, ofAverage] = [named(firstOnline.where), named(firstAverage.where)];
  if (!average) {
    const taken = `weights: the online ones of ${ofOnline}${reason}; left: the average in ${ofAverage}${rest}`;
    return { tensors: bare, taken, assumed };
  }
  const whole = bareTensors(file, firstOnline.tensors);
  const kept = withDots(bare, whole);
  const added = [...whole.keys()].filter((name) => !kept.has(name));
  const missing = added.filter((name) => !isBuffer(name));
  if (missing.length > 0)
    throw new InputError(
      `${file}: the average in ${ofAverage} lacks ${list(missing)}, which the online weights have; ` +
        '--weights raw takes those',
    );
  const from = added.length === 0 ? '' : `, with ${list(added)} from ${ofOnline}`;
  return {
    tensors: new Map([...kept, ...added.map((name) => [name, whole.get(name) as TensorHandle] as const)]),
    taken: `weights: the average in ${ofAverage}${from}${reason}; left: the online weights of ${ofOnline}${rest}`,
    assumed,
  };
}

/** Throws InputError if a file has no weights, or not those asked for. */
function checkChoice(file: string, { online, averages, left }: Contents, choice: WeightChoice | undefined): void {
  const sets = 'got one set of weights; leave it away';
  const problem =
    online.length + averages.length === 0
      ? 'expected a state dict (names and tensors), got something else' +
        `${left.length === 0 ? '' : ` (${list(left)})`}; save the model's weights in Python: ` +
        'torch.save(model.state_dict(), "weights.pt")'
      : choice === 'average' && averages.length === 0
        ? `--weights average: expected averaged weights beside the online ones, ${sets}`
        : choice === 'raw' && (online.length === 0 || averages.length === 0)
          ? `--weights raw: expected online and averaged weights, ${sets}`
          : undefined;
  if (problem !== undefined) throw new InputError(`${file}: ${problem}`);
}

/** The only set of weights of a kind. Throws InputError for several, or for a tensor that cannot be read. */
function theOnly(file: string, sets: readonly WeightSet[]): WeightSet {
  const set = sets[0] as WeightSet;
  if (sets.length > 1)
    throw new InputError(
      `${file}: holds ${sets.length} different sets of weights, in ${list(sets.map(({ where }) => named(where)))}; ` +
        `save the one you mean in Python: ${saveAgain(file, `d[${JSON.stringify(set.where.split('.')[0])}]`)}`,
    );
  for (const [name, kind] of set.unread ?? [])
    throw new InputError(
      `${file}: ${name.slice(0, 80)} is a ${kind.slice(0, 80)}, which is not read; ` +
        'save it as float32, float16 or bfloat16',
    );
  return set;
}

/** An average under the names of the online weights, which one kind (LitEma) writes without dots. */
function withDots<Value>(average: ReadonlyMap<string, Value>, online: ReadonlyMap<string, Value>): Map<string, Value> {
  const dotless = [...online.keys()].map((name) => [name, name.replaceAll('.', '')] as const);
  return new Map(
    [...average].map(([name, tensor]) => {
      const dotted = /^model_ema\.[^.]+$/.test(name) ? dotless.find(([, ending]) => name.endsWith(ending)) : undefined;
      return [dotted?.[0] ?? name, tensor];
    }),
  );
}

/**
 * A pickle's value as plain data; undefined if it is not plain. An object that appears again is undefined there, so
 * that time stays linear, unless it stands for a number or a text.
 */
export function plain(value: PickleValue, depth = 0, met = new Map<PickleValue, unknown>()): unknown {
  if (value === null || typeof value !== 'object') return typeof value === 'bigint' ? Number(value) : value;
  if (depth > deepest) return undefined;
  if (met.has(value)) return met.get(value);
  met.set(value, undefined);
  const found = plainObject(value, (each) => plain(each, depth + 1, met));
  if (typeof found !== 'object') met.set(value, found);
  return found;
}

/** Objects become their attributes, entries or items, each by `inner`. */
function plainObject(value: Extract<PickleValue, object>, inner: (each: PickleValue) => unknown): unknown {
  if (value instanceof Uint8Array || value instanceof PickledTensor || value instanceof PickleGlobal) return undefined;
  if (Array.isArray(value)) return value.slice(0, longestList).map(inner);
  if (value instanceof PickleTuple) return value.items.slice(0, longestList).map(inner);
  if (value instanceof PickleForeign && /^numpy\.(?:_core|core)\.multiarray\.scalar$/.test(value.name))
    return numpyScalar(value);
  const dict = dictOf(value);
  if (dict !== undefined) {
    const wrapped = dict.get('_content') ?? dict.get('_val'); // OmegaConf's containers and values
    if (wrapped !== undefined) return inner(wrapped);
    return Object.fromEntries(
      [...dict].filter(([key]) => typeof key === 'string').map(([key, each]) => [key as string, inner(each)]),
    );
  }
  if (!(value instanceof PickleForeign)) return undefined;
  if (value.items.length > 0) return value.items.slice(0, longestList).map(inner);
  return value.args.length === 1 ? inner(value.args[0] as PickleValue) : undefined;
}

/** A value that is a dictionary, or the dictionary of its entries or attributes. */
function dictOf(value: PickleValue): PickleDict | undefined {
  if (value instanceof Map) return value;
  if (!(value instanceof PickleForeign)) return undefined;
  if (value.entries.size > 0) return value.entries;
  const state =
    value.state instanceof PickleTuple ? value.state.items.find((each) => each instanceof Map) : value.state;
  if (!(state instanceof Map)) return undefined;
  const fields = state.get('__dict__'); // pydantic keeps its fields there
  return fields instanceof Map ? fields : state;
}

function tensorsIn(dict: PickleDict): Map<string, PickledTensor> {
  const tensors = new Map<string, PickledTensor>();
  for (const [key, each] of dict) if (typeof key === 'string' && each instanceof PickledTensor) tensors.set(key, each);
  return tensors;
}

/** Whether these are the attributes of a module that was saved whole, not as a state dict. */
function isModule(dict: PickleDict): boolean {
  return dict.get('_parameters') instanceof Map && dict.get('_modules') instanceof Map;
}

/** The tensors of a module and its submodules, named as in its state dict. */
function moduleTensors(dict: PickleDict, prefix = '', depth = 0): Map<string, PickledTensor> {
  const tensors = new Map<string, PickledTensor>();
  for (const key of ['_parameters', '_buffers']) {
    const own = dict.get(key);
    if (own instanceof Map) for (const [name, tensor] of tensorsIn(own)) tensors.set(prefix + name, tensor);
  }
  const modules = dict.get('_modules');
  if (modules instanceof Map && depth < 2 * deepest)
    for (const [name, module] of modules) {
      const inner = module instanceof PickleForeign ? dictOf(module) : undefined;
      if (inner === undefined) continue;
      for (const entry of moduleTensors(inner, `${prefix}${String(name)}.`, depth + 1)) tensors.set(...entry);
    }
  return tensors;
}

/** The value of numpy.float64(0.5) and the like, pickled as a type such as f8 and bytes. */
function numpyScalar({ args: [type, bytes] }: PickleForeign): unknown {
  const code = type instanceof PickleForeign ? type.args[0] : undefined;
  if (typeof code !== 'string' || !(bytes instanceof Uint8Array)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const readers: Readonly<Record<string, () => number | boolean>> = {
    f8: () => view.getFloat64(0, true),
    f4: () => view.getFloat32(0, true),
    i8: () => Number(view.getBigInt64(0, true)),
    i4: () => view.getInt32(0, true),
    i2: () => view.getInt16(0, true),
    i1: () => view.getInt8(0),
    u8: () => Number(view.getBigUint64(0, true)),
    u4: () => view.getUint32(0, true),
    u2: () => view.getUint16(0, true),
    u1: () => view.getUint8(0),
    b1: () => view.getUint8(0) === 1,
  };
  return bytes.length === Number(code.slice(1)) ? readers[code]?.() : undefined;
}

/** The distinct sets: a script may save one dictionary under two names. */
function distinct(sets: readonly WeightSet[]): WeightSet[] {
  const identity = ({ tensors }: WeightSet): string =>
    [...tensors].map(([name, tensor]) => `${name} ${tensor instanceof PickledTensor ? tensor.identity : ''}`).join();
  return sets.filter((set, i) => sets.findIndex((other) => identity(other) === identity(set)) === i);
}

function join(where: string, key: PickleValue): string {
  return where === '' ? String(key) : `${where}.${String(key)}`;
}

function named(where: string): string {
  return where === '' ? 'the file' : where;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 4).map((name) => reasonOf(name.slice(0, 60)));
  return names.length > 4 ? `${shown.join(', ')} and ${names.length - 4} more` : shown.join(', ');
}
