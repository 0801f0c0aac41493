/** An interpreter of the few pickle instructions that plain data needs; it calls nothing but what its caller allows by name. */

/** What a pickle can build here. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleTuple
  | PickleValue[]
  | PickleDict
  | PickleGlobal
  | PickleObject;
export type PickleDict = Map<PickleValue, PickleValue>;

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** The name of a Python class or function, e.g. "torch.FloatStorage". Nothing is imported. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}

/** Something that an allowed call or a persistent id made. */
export abstract class PickleObject {
  protected abstract readonly kind: string;
}

/** What a pickle may do beyond plain data. */
export interface PickleRules {
  /** Allowed globals by full name, with what calling them makes; undefined: may be named, not called. */
  readonly globals: ReadonlyMap<string, ((args: readonly PickleValue[]) => PickleValue) | undefined>;
  /** The object behind a persistent id. */
  readonly persistent: (id: PickleValue) => PickleValue;
  /** Throws; the message has no file name yet. */
  readonly fail: (problem: string) => never;
}

/** A state dict takes about 60 instructions a tensor. */
const mostInstructions = 500_000;

/** Instructions that are refused, by name, as they appear in pickles met in practice. */
const refused: Readonly<Record<number, string>> = {
  0x30: 'POP',
  0x31: 'POP_MARK',
  0x32: 'DUP',
  0x46: 'FLOAT',
  0x49: 'INT',
  0x4c: 'LONG',
  0x50: 'PERSID',
  0x53: 'STRING',
  0x56: 'UNICODE',
  0x69: 'INST',
  0x6f: 'OBJ',
  0x81: 'NEWOBJ',
  0x82: 'EXT1',
  0x83: 'EXT2',
  0x84: 'EXT4',
  0x8f: 'EMPTY_SET',
  0x91: 'FROZENSET',
  0x92: 'NEWOBJ_EX',
  0x96: 'BYTEARRAY8',
  0x97: 'NEXT_BUFFER',
};

/**
 * Interprets a pickle of protocol 2 to 5 and returns what it builds. Executes nothing: a global not in `rules.globals`,
 * an instruction that plain data does not need, and any damage end in `rules.fail`.
 * Memory is bounded by the pickle's length, as every instruction makes at most one value.
 */
export function unpickle(content: Uint8Array, rules: PickleRules): PickleValue {
  return new Machine(content, rules).run();
}

/** The pickle machine: a stack, marks on it, and a memo of values to use again. */
class Machine {
  readonly #content: Uint8Array;
  readonly #view: DataView;
  readonly #rules: PickleRules;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #at = 0;

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
      case 0x8c: // SHORT_BINUNICODE
      case 0x55:
        return this.#push(this.#text(this.#byte())); // SHORT_BINSTRING
      case 0x58:
        return this.#push(this.#text(this.#view.getUint32(this.#take(4), true))); // BINUNICODE
      case 0x8d:
        return this.#push(this.#text(Number(this.#view.getBigUint64(this.#take(8), true)))); // BINUNICODE8

      case 0x28: // MARK
        this.#marks.push(stack.length);
        return;
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
        return this.#push([]); // EMPTY_LIST
      case 0x61:
        return this.#append(this.#popMany(1)); // APPEND
      case 0x65:
        return this.#append(this.#popToMark()); // APPENDS
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
        return this.#reduce(); // REDUCE
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

  /** Names a class or function, if it is allowed. */
  #global(module: string, name: string): void {
    const full = `${module}.${name}`;
    if (!this.#rules.globals.has(full))
      this.#fail(
        `asks for ${JSON.stringify(full.slice(0, 120))}, which no state dict needs; refused, nothing was executed`,
      );
    this.#push(new PickleGlobal(full));
  }

  #reduce(): void {
    const [callee, args] = this.#popMany(2);
    if (!(callee instanceof PickleGlobal) || !(args instanceof PickleTuple))
      return this.#fail('is damaged: a call of something that is no function');
    const make = this.#rules.globals.get(callee.name);
    if (make === undefined)
      return this.#fail(
        `calls ${JSON.stringify(callee.name)}, which no state dict does; refused, nothing was executed`,
      );
    this.#push(make(args.items));
  }

  /** PyTorch sets the attribute _metadata on the ordered dict; module versions are of no use here. */
  #build(): void {
    const [target, state] = this.#popMany(2);
    if (!(target instanceof Map) || !(state instanceof Map))
      return this.#fail('sets attributes of something other than a dict; refused');
    this.#push(target);
  }

  #append(items: readonly PickleValue[]): void {
    const list = this.#stack.at(-1);
    if (!Array.isArray(list)) return this.#fail('is damaged: appends to something that is no list');
    for (const item of items) list.push(item);
  }

  #setItems(items: readonly PickleValue[]): void {
    const dict = this.#stack.at(-1);
    if (!(dict instanceof Map) || items.length % 2 !== 0)
      return this.#fail('is damaged: sets items of something that is no dict');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i] as PickleValue;
      if (typeof key === 'object' && key !== null) this.#fail('has a dict whose key is neither text nor number');
      dict.set(key, items[i + 1] as PickleValue);
    }
  }

  #remember(index: number): void {
    const top = this.#stack.at(-1);
    if (top === undefined) return this.#fail('is damaged: the stack is empty');
    this.#memo.set(index, top);
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) return this.#fail(`is damaged: recalls value ${index}, which was never stored`);
    this.#push(value);
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
    if (length < 0 || length > 8) return this.#fail('has a whole number of more than 64 bits');
    const start = this.#take(length);
    let bits = 0n;
    for (let i = length - 1; i >= 0; i--) bits = (bits << 8n) | BigInt(this.#content[start + i] as number);
    const value = BigInt.asIntN(8 * length, bits);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
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
