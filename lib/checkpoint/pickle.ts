/** Interprets the pickle instructions that torch.save writes; it calls only what its caller allows. */
import type { Fail } from './bytes.js';

/** The values that a pickle can build here. A Python set becomes an array. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleTuple
  | PickleValue[]
  | PickleDict
  | PickleGlobal
  | PickleObject;
export type PickleDict = Map<PickleValue, PickleValue>;

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** A Python class or function by name, e.g. "torch.FloatStorage". Nothing is imported. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}

/** An object made by an allowed call or a persistent id. */
export abstract class PickleObject {
  protected abstract readonly kind: string;
}

/** A Python object as the pickle describes it. Its class was not imported, and nothing was called to make it. */
export class PickleForeign extends PickleObject {
  protected readonly kind = 'foreign';
  /** Its attributes, usually a dict. */
  state: PickleValue = null;
  /** Its content, if its class is a kind of dict or list. */
  readonly entries: PickleDict = new Map();
  readonly items: PickleValue[] = [];
  constructor(
    /** Its class, or the function that would make it. */
    readonly name: string,
    readonly args: readonly PickleValue[],
  ) {
    super();
  }
}

/** What a pickle may build beyond plain data. */
export interface PickleRules {
  /** Globals by full name, with the result of calling them here. A call of any other makes a PickleForeign. */
  readonly globals: ReadonlyMap<string, (args: readonly PickleValue[]) => PickleValue>;
  /** The object behind a persistent id. */
  readonly persistent: (id: PickleValue) => PickleValue;
  /** Throws; the message has no file name yet. */
  readonly fail: Fail;
}

/** A state dict needs about 60 instructions per tensor. */
const mostInstructions = 500_000;
/** In bytes. Python's random generators save integers of 128 bits. */
const longestInteger = 255;

/**
 * Modules and functions that run programs or code. This interpreter would not call them, but a pickle that names one
 * was made to harm whoever opens it in Python, so it is refused as a whole. Four functions with such names are allowed,
 * which restore NumPy's random generators: training scripts save those.
 */
const harmful = new RegExp(
  '^(?:os|posix|nt|subprocess|sys|pty|runpy|importlib|ctypes|socket|shutil|webbrowser|pip|_?pickle|pdb|timeit)\\.|' +
    '^(?:builtins|__builtin__)\\.(?:eval|exec|execfile|compile|open|input|breakpoint|globals|vars|apply)$|' +
    '^(?!numpy\\.random\\._pickle\\.__(?:generator|bit_generator|randomstate)_ctor$|' +
    'numpy\\.random\\.bit_generator\\.__pyx_unpickle_SeedSequence$)[^]*\\.__(?!newobj)',
);

/** Names of refused instructions that occur in practice, for messages. */
const refused: Readonly<Record<number, string>> = {
  0x46: 'FLOAT',
  0x49: 'INT',
  0x4c: 'LONG',
  0x50: 'PERSID',
  0x53: 'STRING',
  0x56: 'UNICODE',
  0x69: 'INST',
  0x6f: 'OBJ',
  0x82: 'EXT1',
  0x83: 'EXT2',
  0x84: 'EXT4',
  0x97: 'NEXT_BUFFER',
};

/**
 * Interprets a pickle of protocol 2 to 5; returns its value and its length, as more bytes may follow it.
 * Executes nothing: an object of a class that is not in `rules.globals` becomes a PickleForeign. A global that runs
 * programs, an instruction that torch.save does not write, and any damage call `rules.fail`.
 * Memory is bounded by the pickle's length, as every instruction makes at most one value.
 */
export function unpickle(
  content: Uint8Array,
  rules: PickleRules,
): { readonly value: PickleValue; readonly length: number } {
  const machine = new Machine(content, rules);
  return { value: machine.run(), length: machine.at };
}

/** The pickle machine: a stack, marks on it, and a memo of values for reuse. */
class Machine {
  readonly #content: Uint8Array;
  readonly #view: DataView;
  readonly #rules: PickleRules;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #at = 0;

  get at(): number {
    return this.#at;
  }

  constructor(content: Uint8Array, rules: PickleRules) {
    this.#content = content;
    this.#view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    this.#rules = rules;
  }

  run(): PickleValue {
    if (this.#content[0] !== 0x80)
      this.#fail('expected a pickle of protocol 2 to 5, got something else or protocol 0 or 1');
    for (let count = 0; count < mostInstructions; count++) {
      const instruction = this.#byte();
      if (instruction === 0x2e) return this.#pop(); // STOP
      this.#execute(instruction);
    }
    return this.#fail(`has more than ${mostInstructions} instructions; a state dict needs far fewer`);
  }

  #execute(instruction: number): void {
    const stack = this.#stack;
    switch (instruction) {
      case 0x80: {
        // PROTO
        const protocol = this.#byte();
        if (protocol < 2 || protocol > 5) this.#fail(`expected protocol 2 to 5, got ${protocol}`);
        return;
      }
      case 0x95: // FRAME: a hint about buffering
        this.#take(8);
        return;

      case 0x4e:
        return this.#push(null); // NONE
      case 0x88:
        return this.#push(true); // NEWTRUE
      case 0x89:
        return this.#push(false); // NEWFALSE
      case 0x4a:
        return this.#push(this.#view.getInt32(this.#take(4), true)); // BININT
      case 0x4b:
        return this.#push(this.#byte()); // BININT1
      case 0x4d:
        return this.#push(this.#view.getUint16(this.#take(2), true)); // BININT2
      case 0x8a:
        return this.#push(this.#long(this.#byte())); // LONG1
      case 0x8b:
        return this.#push(this.#long(this.#view.getInt32(this.#take(4), true))); // LONG4
      case 0x47:
        return this.#push(this.#view.getFloat64(this.#take(8), false)); // BINFLOAT
      case 0x8c:
        return this.#push(this.#text(this.#byte())); // SHORT_BINUNICODE
      case 0x55:
      case 0x43:
        return this.#push(this.#bytes(this.#byte())); // SHORT_BINSTRING, SHORT_BINBYTES
      case 0x54:
      case 0x42:
        return this.#push(this.#bytes(this.#view.getUint32(this.#take(4), true))); // BINSTRING, BINBYTES
      case 0x8e:
      case 0x96:
        return this.#push(this.#bytes(this.#wide())); // BINBYTES8, BYTEARRAY8
      case 0x58:
        return this.#push(this.#text(this.#view.getUint32(this.#take(4), true))); // BINUNICODE
      case 0x8d:
        return this.#push(this.#text(this.#wide())); // BINUNICODE8

      case 0x28: // MARK
        this.#marks.push(stack.length);
        return;
      case 0x30: // POP
        if (this.#marks.at(-1) === stack.length) this.#marks.pop();
        else this.#pop();
        return;
      case 0x31: // POP_MARK
        this.#popToMark();
        return;
      case 0x32:
        return this.#push(this.#top()); // DUP
      case 0x29:
        return this.#push(new PickleTuple([])); // EMPTY_TUPLE
      case 0x85:
        return this.#push(new PickleTuple(this.#popMany(1))); // TUPLE1
      case 0x86:
        return this.#push(new PickleTuple(this.#popMany(2))); // TUPLE2
      case 0x87:
        return this.#push(new PickleTuple(this.#popMany(3))); // TUPLE3
      case 0x74:
        return this.#push(new PickleTuple(this.#popToMark())); // TUPLE
      case 0x5d:
      case 0x8f:
        return this.#push([]); // EMPTY_LIST, EMPTY_SET
      case 0x91:
        return this.#push(this.#popToMark()); // FROZENSET
      case 0x61:
        return this.#append(this.#popMany(1)); // APPEND
      case 0x65:
      case 0x90:
        return this.#append(this.#popToMark()); // APPENDS, ADDITEMS
      case 0x7d:
        return this.#push(new Map()); // EMPTY_DICT
      case 0x73:
        return this.#setItems(this.#popMany(2)); // SETITEM
      case 0x75:
        return this.#setItems(this.#popToMark()); // SETITEMS

      case 0x71:
        return this.#remember(this.#byte()); // BINPUT
      case 0x72:
        return this.#remember(this.#view.getUint32(this.#take(4), true)); // LONG_BINPUT
      case 0x94:
        return this.#remember(this.#memo.size); // MEMOIZE
      case 0x68:
        return this.#recall(this.#byte()); // BINGET
      case 0x6a:
        return this.#recall(this.#view.getUint32(this.#take(4), true)); // LONG_BINGET

      case 0x63: {
        // GLOBAL
        const module = this.#line();
        return this.#global(module, this.#line());
      }
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        if (typeof module !== 'string' || typeof name !== 'string')
          return this.#fail('is damaged: a global without a name');
        return this.#global(module, name);
      }
      case 0x52:
      case 0x81:
        return this.#make(...(this.#popMany(2) as [PickleValue, PickleValue])); // REDUCE, NEWOBJ
      case 0x92: {
        // NEWOBJ_EX: class, arguments, named arguments
        const [callee, args] = this.#popMany(3) as [PickleValue, PickleValue, PickleValue];
        return this.#make(callee, args);
      }
      case 0x62:
        return this.#build(); // BUILD
      case 0x51:
        return this.#push(this.#rules.persistent(this.#pop())); // BINPERSID

      default: {
        const name = refused[instruction];
        return name === undefined
          ? this.#fail(`is damaged: no instruction 0x${instruction.toString(16)} at byte ${this.#at - 1}`)
          : this.#fail(`uses the instruction ${name}, which no state dict needs; nothing was executed`);
      }
    }
  }

  /** Names a class or function. */
  #global(module: string, name: string): void {
    const full = `${module}.${name}`;
    if (harmful.test(full))
      this.#fail(
        `asks for ${JSON.stringify(full.slice(0, 120))}, which runs programs and which no checkpoint needs; ` +
          'refused, nothing was executed; do not open the file in Python',
      );
    this.#push(new PickleGlobal(full));
  }

  /** Pushes the result of a call of a class or function: by the rules, else a PickleForeign that records the call. */
  #make(callee: PickleValue, args: PickleValue): void {
    if (!(callee instanceof PickleGlobal || callee instanceof PickleForeign) || !(args instanceof PickleTuple))
      return this.#fail('is damaged: a call of something that is no function');
    const make = callee instanceof PickleGlobal ? this.#rules.globals.get(callee.name) : undefined;
    this.#push(make === undefined ? new PickleForeign(callee.name, args.items) : make(args.items));
  }

  /** Sets attributes of foreign objects. Those that PyTorch sets on dicts and parameters are of no use here. */
  #build(): void {
    const [target, state] = this.#popMany(2) as [PickleValue, PickleValue];
    if (typeof target !== 'object' || target === null) return this.#fail('is damaged: sets attributes of no object');
    if (target instanceof PickleForeign) target.state = state;
    this.#push(target);
  }

  #append(items: readonly PickleValue[]): void {
    const top = this.#top();
    const list = top instanceof PickleForeign ? top.items : top;
    if (!Array.isArray(list)) return this.#fail('is damaged: appends to something that is no list');
    for (const item of items) list.push(item);
  }

  #setItems(items: readonly PickleValue[]): void {
    const top = this.#top();
    const dict = top instanceof PickleForeign ? top.entries : top;
    if (!(dict instanceof Map) || items.length % 2 !== 0)
      return this.#fail('is damaged: sets items of something that is no dict');
    for (let i = 0; i < items.length; i += 2) dict.set(items[i] as PickleValue, items[i + 1] as PickleValue);
  }

  #remember(index: number): void {
    this.#memo.set(index, this.#top());
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) return this.#fail(`is damaged: recalls value ${index}, which was never stored`);
    this.#push(value);
  }

  #top(): PickleValue {
    const top = this.#stack.at(-1);
    return top === undefined ? this.#fail('is damaged: the stack is empty') : top;
  }

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  #pop(): PickleValue {
    return this.#popMany(1)[0] as PickleValue;
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length - (this.#marks.at(-1) ?? 0) < count) return this.#fail('is damaged: the stack is empty');
    return this.#stack.splice(this.#stack.length - count);
  }

  #popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    return mark === undefined ? this.#fail('is damaged: no mark on the stack') : this.#stack.splice(mark);
  }

  /** A whole number of `length` bytes, little-endian, two's complement. */
  #long(length: number): number | bigint {
    if (length < 0 || length > longestInteger)
      return this.#fail(`has a whole number of more than ${longestInteger} bytes`);
    const start = this.#take(length);
    let bits = 0n;
    for (let i = length - 1; i >= 0; i--) bits = (bits << 8n) | BigInt(this.#content[start + i] as number);
    const value = BigInt.asIntN(8 * length, bits);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  #bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#content.slice(start, start + length);
  }

  /** A length of 64 bits. */
  #wide(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  #text(length: number): string {
    const start = this.#take(length);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        this.#content.subarray(start, start + length),
      );
    } catch (error) {
      if (error instanceof TypeError) return this.#fail('is damaged: text that is not UTF-8');
      throw error;
    }
  }

  /** Text up to the end of the line. */
  #line(): string {
    const end = this.#content.indexOf(0x0a, this.#at);
    if (end < 0) return this.#fail('is truncated');
    const text = this.#text(end - this.#at);
    this.#at = end + 1;
    return text;
  }

  #byte(): number {
    return this.#content[this.#take(1)] as number;
  }

  /** Steps over `length` bytes and returns where they start. */
  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.#content.length) return this.#fail('is truncated');
    this.#at = start + length;
    return start;
  }

  #fail(problem: string): never {
    return this.#rules.fail(problem);
  }
}
