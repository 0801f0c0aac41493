/** What a command is, how its arguments are read, and how its help is written. */
import { parseArgs } from 'node:util';
import { didYouMean, InputError } from '../errors.js';
import { kitCommand } from '../files.js';
import { wrapped } from '../words.js';
import { readSettings, refuseUnread, type ReadSettings } from './settings.js';

/** One option of a command. A default of undefined means "not given". */
export interface Option {
  /** Name of the value in the help, e.g. FILE. Absent: a switch, which takes no value. */
  readonly value?: string;
  /** Meaning and default, in one line. */
  readonly about: string;
  /** Least and greatest value of a number. Absent: the option is text. */
  readonly range?: readonly [number, number];
  /** A number that need not be whole. */
  readonly fraction?: true;
  /** Heading of the help below which the option is listed, after the command's own options. Absent: none. */
  readonly heading?: string;
  /**
   * Why this use of the command ignores the option, and what to do instead; undefined if the option is read. Absent: it
   * is always read.
   */
  unread?(args: Arguments): string | undefined;
  /** For options that hold settings (settings.ts): the settings that this use of the command reads. */
  settings?(args: Arguments): ReadSettings;
}

/** Parsed arguments: options by name, and positionals. */
export interface Arguments {
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

/** The output of a command: lines for people, or one JSON value for programs. */
export interface Out {
  readonly json: boolean;
  /** A line of the result, to standard output; omitted under --json. */
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
  /** Positionals in the help, e.g. "<puzzle>"; "" for none. */
  readonly positionals: string;
  /** Fewest and most positionals. */
  readonly count: readonly [number, number];
  readonly options: Readonly<Record<string, Option>>;
  /** An example, as written after the name of the program. */
  readonly example: string;
  /** How long the example takes on two cores. */
  readonly minutes: string;
  /** Returns the exit code; InputError becomes 2. */
  run(args: Arguments, out: Out): Promise<number>;
}

const common: Readonly<Record<string, Option>> = {
  help: { about: 'print this help' },
  json: { about: 'print one JSON value instead of text' },
};

/** Longest argument: paths and changes are far shorter, and no pattern may take long on one. */
const longestArgument = 10_000;

/**
 * Reads a command's arguments. Throws InputError for an unknown option, a missing value, a wrong number of positionals,
 * and everything that this use of the command would ignore.
 */
export function readArguments(command: Command, argv: readonly string[]): Arguments {
  const long = argv.find((argument) => argument.length > longestArgument);
  if (long !== undefined)
    throw new InputError(
      `${command.name}: expected arguments of at most ${longestArgument} characters, got ${long.length}; ` +
        'name a file instead',
    );
  const all = { ...command.options, ...common };
  let parsed: {
    values: Record<string, unknown>;
    positionals: string[];
    tokens: readonly { readonly kind: string; readonly name?: string }[];
  };
  try {
    parsed = parseArgs({
      args: withNegatives(argv, all),
      options: Object.fromEntries(
        Object.entries(all).map(([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' }]),
      ),
      allowPositionals: true,
      tokens: true,
    });
  } catch (error) {
    throw new InputError(
      `${unknownOption((error as Error).message, Object.keys(all))}; known options: ${Object.keys(all)
        .map((name) => `--${name}`)
        .join(' ')} (${kitCommand} ${command.name} --help)`,
    );
  }
  // Only the last value of a repeated option would count.
  const given = parsed.tokens.flatMap(({ name }) => name ?? []);
  const twice = given.find((name, i) => given.indexOf(name) < i && all[name]?.value !== undefined);
  if (twice !== undefined)
    throw new InputError(
      `${command.name} --${twice}: expected it once, got it twice` +
        (all[twice]?.settings === undefined ? '' : '; write all in one, separated by commas'),
    );
  // An unset shell variable gives an empty value, and as a folder this would be the current one.
  const [empty] = Object.entries(parsed.values).find(([, value]) => String(value).trim() === '') ?? [];
  if (empty !== undefined) throw new InputError(`${command.name} --${empty}: expected a value, got nothing`);
  if (parsed.positionals.some((word) => word.trim() === ''))
    throw new InputError(`${command.name}: expected ${command.positionals}, got an empty word; is a variable unset?`);
  const [fewest, most] = command.count;
  const { length } = parsed.positionals;
  if (parsed.values['help'] !== true && (length < fewest || length > most)) {
    throw new InputError(
      `${command.name}: ` +
        `${command.positionals === '' ? 'this command takes options only' : `expected ${command.positionals}`}, ` +
        `got ${length === 0 ? 'nothing' : parsed.positionals.join(' ')} (${kitCommand} ${command.name} --help)`,
    );
  }
  const args = { options: parsed.values as Arguments['options'], positionals: parsed.positionals };
  for (const [name, value] of Object.entries(args.options)) checkNumber(name, all[name], value);
  if (args.options['help'] !== true) refuseUnreadOptions(command, args);
  return args;
}

/** Throws InputError unless the value is a number in the option's range. */
function checkNumber(name: string, option: Option | undefined, value: unknown): void {
  if (option?.range === undefined) return;
  const { range, fraction } = option;
  const [least, most] = range;
  const number = Number(value);
  if (!(number >= least && number <= most && (fraction === true || Number.isInteger(number))))
    throw new InputError(
      `--${name}: expected a ${fraction === true ? '' : 'whole '}number from ${least} to ${most}, got ${String(value)}`,
    );
}

/** Joins negative numbers to their options, since the parser would take them for options. */
function withNegatives(argv: readonly string[], options: Readonly<Record<string, Option>>): string[] {
  const joined: string[] = [];
  for (const argument of argv) {
    const before = joined.at(-1) ?? '';
    const takes = before.startsWith('--') && options[before.slice(2)]?.value !== undefined;
    if (takes && /^-[\d.]/.test(argument)) joined[joined.length - 1] = `${before}=${argument}`;
    else joined.push(argument);
  }
  return joined;
}

function refuseUnreadOptions(command: Command, args: Arguments): void {
  for (const name of Object.keys(args.options)) {
    const option = command.options[name];
    const reason = option?.unread?.(args);
    if (reason !== undefined) throw new InputError(`${command.name} --${name}: ${reason}`);
    if (option?.settings !== undefined)
      refuseUnread(command.name, readSettings(text(args, name) ?? ''), option.settings(args));
  }
}

/** The same options, ignored wherever `reason` gives a reason. */
export function unreadWhere(
  reason: (args: Arguments) => string | undefined,
  options: Readonly<Record<string, Option>>,
): Readonly<Record<string, Option>> {
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => [
      name,
      { ...option, unread: (args) => reason(args) ?? option.unread?.(args) } satisfies Option,
    ]),
  );
}

/** The same options below a heading of the help. */
export function below(heading: string, options: Readonly<Record<string, Option>>): Readonly<Record<string, Option>> {
  return Object.fromEntries(Object.entries(options).map(([name, option]) => [name, { ...option, heading }]));
}

/** The help text of one command, on a terminal of so many columns. */
export function helpText(command: Command, columns = Infinity): string {
  const options = Object.entries({ ...command.options, ...common }).map(([name, option]) => ({
    left: `--${name}${option.value === undefined ? '' : ` ${option.value}`}`,
    about: option.about + rangeText(option),
    heading: option.heading ?? '',
  }));
  const width = Math.max(...options.map(({ left }) => left.length));
  const headings = [...new Set(['', ...options.map(({ heading }) => heading)])];
  return [
    `${kitCommand} ${command.name} ${command.positionals}`.trimEnd(),
    '',
    row('', command.summary, columns),
    '',
    ...headings.flatMap((each) => [
      ...(each === '' ? [] : ['', `${each}:`]),
      ...options
        .filter(({ heading }) => heading === each)
        .map(({ left, about }) => row(`${left.padEnd(width)}  `, about, columns)),
    ]),
    '',
    `Example, ${command.minutes}:`,
    `  ${kitCommand} ${command.example}`,
  ].join('\n');
}

/** A row of a help text: `left`, and its meaning, wrapped in a column of its own. */
export function row(left: string, about: string, columns: number): string {
  const indent = 2 + left.length;
  return `  ${left}${wrapped(about, columns - indent, `\n${' '.repeat(indent)}`)}`;
}

/** The range of options that take any number. */
export const anyNumber = 1e9;

function rangeText({ range }: Option): string {
  if (range === undefined) return '';
  return ` (${range[0]} ${range[1] === anyNumber ? 'or more' : `to ${range[1]}`})`;
}

/** An option that must be one of a few words. */
export function choice<Word extends string>(args: Arguments, name: string, words: readonly Word[]): Word | undefined {
  const value = args.options[name];
  if (value === undefined) return undefined;
  if (!(words as readonly unknown[]).includes(value))
    throw new InputError(
      `--${name}: expected one of ${words.join(', ')}, got ${String(value)}${didYouMean(String(value), words)}`,
    );
  return value as Word;
}

/** A number option: readArguments has checked its range. */
export function numberOf(args: Arguments, name: string): number | undefined {
  const value = text(args, name);
  return value === undefined ? undefined : Number(value);
}

/** --seed, which fixes what `about` says. */
export function seedOption(about: string): Option {
  return { value: 'N', range: [0, 2 ** 32 - 1], about: `${about}. Default 0` };
}

/** The value of --seed. */
export function seedOf(args: Arguments): number {
  return numberOf(args, 'seed') ?? 0;
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

/** The parser's first sentence, and the option that may have been meant. */
function unknownOption(message: string, known: readonly string[]): string {
  const sentence = (message.split('. ')[0] ?? message).replace(/\.$/, '');
  if (/'-[\d.]'/.test(sentence)) return `${sentence}; put an argument that begins with - after --`;
  return (
    sentence +
    didYouMean(
      /'(--[\w-]+)'/.exec(sentence)?.[1] ?? '',
      known.map((name) => `--${name}`),
    )
  );
}
