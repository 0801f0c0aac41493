/** What a command is, how its arguments are read, and how its help is written. */
import { parseArgs } from 'node:util';
import { InputError } from '../errors.js';

/** One option of a command. A default of undefined means "not given". */
export interface Option {
  readonly type: 'string' | 'boolean';
  /** What stands for the value in the help, e.g. FILE. */
  readonly value?: string;
  /** Meaning, range and default, in one line. */
  readonly about: string;
}

/** Arguments after parsing: options by name, and what stood without a name. */
export interface Arguments {
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

/** Where a command writes: lines for people, or one JSON value for machines. */
export interface Out {
  readonly json: boolean;
  /** Results, to standard output; left out under --json. */
  line(text: string): void;
  /** The result for machines; printed under --json only. */
  result(value: unknown): void;
  /** What is going on, to standard error, in both modes. */
  note(text: string): void;
}

/** One command of trm-lab. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What may stand without a name, e.g. "<puzzle>"; "" for nothing. */
  readonly positionals: string;
  /** Fewest and most positionals. */
  readonly count: readonly [number, number];
  readonly options: Readonly<Record<string, Option>>;
  readonly example: string;
  /** How long the example takes on two cores. */
  readonly minutes: string;
  /** Returns the exit code; InputError becomes 2. */
  run(args: Arguments, out: Out): Promise<number>;
}

const common: Readonly<Record<string, Option>> = {
  help: { type: 'boolean', about: 'print this help' },
  json: { type: 'boolean', about: 'print one JSON value instead of text' },
};

/** What every command takes. */
export const commonOptions = Object.keys(common);

/** Reads a command's arguments. Throws InputError for an unknown option, a missing value or a wrong count. */
export function readArguments(command: Command, argv: readonly string[]): Arguments {
  const all = { ...command.options, ...common };
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({
      args: [...argv],
      options: Object.fromEntries(Object.entries(all).map(([name, { type }]) => [name, { type }])),
      allowPositionals: true,
    });
  } catch (error) {
    throw new InputError(
      `${firstSentence((error as Error).message)}; known options: ${Object.keys(all)
        .map((name) => `--${name}`)
        .join(' ')} (trm-lab ${command.name} --help)`,
    );
  }
  const [fewest, most] = command.count;
  const { length } = parsed.positionals;
  if (parsed.values['help'] !== true && (length < fewest || length > most)) {
    throw new InputError(
      `trm-lab ${command.name}: expected ` +
        `${command.positionals === '' ? 'no argument without a name' : command.positionals}, ` +
        `got ${length === 0 ? 'nothing' : parsed.positionals.join(' ')} (trm-lab ${command.name} --help)`,
    );
  }
  return { options: parsed.values as Arguments['options'], positionals: parsed.positionals };
}

/** The help text of one command. */
export function helpText(command: Command): string {
  const options = Object.entries({ ...command.options, ...common }).map(
    ([name, { type, value, about }]) => [`--${name}${type === 'string' ? ` ${value ?? 'VALUE'}` : ''}`, about] as const,
  );
  const width = Math.max(...options.map(([left]) => left.length));
  return [
    `trm-lab ${command.name} ${command.positionals}`.trimEnd(),
    '',
    `  ${command.summary}`,
    '',
    ...options.map(([left, about]) => `  ${left.padEnd(width)}  ${about}`),
    '',
    `Example (${command.minutes}):`,
    `  ${command.example}`,
  ].join('\n');
}

/** An option that must be one of a few words. */
export function choice<Word extends string>(args: Arguments, name: string, words: readonly Word[]): Word | undefined {
  const value = args.options[name];
  if (value === undefined) return undefined;
  if (!(words as readonly unknown[]).includes(value))
    throw new InputError(`--${name}: expected one of ${words.join(', ')}, got ${String(value)}`);
  return value as Word;
}

/** An option that must be a number in a range. */
export function number(args: Arguments, name: string, low: number, high: number): number | undefined {
  const text = args.options[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text === '' || !(value >= low && value <= high))
    throw new InputError(`--${name}: expected a number from ${low} to ${high}, got ${String(text)}`);
  return value;
}

/** An option that must be a whole number in a range. */
export function integer(args: Arguments, name: string, low: number, high: number): number | undefined {
  const value = number(args, name, low, high);
  if (value !== undefined && !Number.isInteger(value))
    throw new InputError(`--${name}: expected a whole number from ${low} to ${high}, got ${value}`);
  return value;
}

/** A text option. */
export function text(args: Arguments, name: string): string | undefined {
  const value = args.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** A switch. */
export function flag(args: Arguments, name: string): boolean {
  return args.options[name] === true;
}

function firstSentence(message: string): string {
  return (message.split('. ')[0] ?? message).replace(/\.$/, '');
}
