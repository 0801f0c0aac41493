/** trm-lab describe: its lists name every experiment and every setting there is, with what each means. */
import assert from 'node:assert/strict';
import { commands } from '../../lib/cli/commands.js';
import { below, helpText, readArguments, type Command } from '../../lib/cli/command.js';
import { describeCommand } from '../../lib/cli/describe.js';
import { train } from '../../lib/cli/train.js';
import { InputError } from '../../lib/errors.js';
import { experiment, experiments } from '../../lib/experiment/experiments.js';
import { readRecords } from '../../lib/experiment/record.js';
import { checkTask } from '../../lib/experiment/task.js';
import { paperOddities } from '../../lib/experiment/variants.js';

async function described(...argv: string[]): Promise<{ readonly text: string; readonly result: unknown }> {
  const lines: string[] = [];
  let result: unknown;
  const code = await describeCommand.run(readArguments(describeCommand, argv), {
    json: false,
    line: (text) => void lines.push(text),
    result: (value) => (result = value),
    note: () => undefined,
  });
  assert.equal(code, 0);
  return { text: lines.join('\n'), result };
}

/** The fields that a check knows, by its complaint about one that it does not. */
function fieldsNamedBy(complain: () => unknown): string[] {
  try {
    complain();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const [, names = ''] = /unknown field zzzzzz, expected one of ([\w, ]+)/.exec(error.message) ?? [];
    if (names !== '') return names.split(', ');
  }
  return assert.fail('the field zzzzzz was not refused');
}

describe('trm-lab describe', () => {
  it('--experiments lists each with what it is and the parameters that its records have', async () => {
    const { text, result } = await described('--experiments');
    const rows = result as { name: string; about: string; parameters: number; flop: number }[];
    assert.deepEqual(
      rows.map(({ name }) => name),
      Object.keys(experiments),
    );
    const recorded = readRecords('data/runs').filter(({ experiment: { name, base } }) => name === base);
    assert.ok(recorded.length > 5);
    for (const {
      experiment: { name },
      model: { parameters },
    } of recorded)
      assert.equal(rows.find((row) => row.name === name)?.parameters, parameters, name);
    for (const { name, about, flop } of rows) {
      assert.ok(text.includes(`${name}: `) && text.includes(`\n  ${about}`), name);
      assert.ok(flop > 0 && !/^the same/i.test(about), `${name}: ${about}`); // an about is printed alone
    }
  });

  it('--settings lists every field that the checks know, with values, the paper’s value and its meaning', async () => {
    const { text, result } = await described('--settings');
    const settings = result as { name: string; kind?: string; values: string; meaning: string }[];
    const named = (part: string, kind?: string): string[] =>
      settings
        .filter((each) => each.kind === kind && each.name.startsWith(`${part}.`))
        .map(({ name }) => name.slice(part.length + 1));
    for (const part of ['model', 'training', 'evaluation'] as const)
      assert.deepEqual(
        named(part),
        fieldsNamedBy(() => experiment('sudoku-4x4', { [part]: { zzzzzz: 1 } })),
      );
    for (const kind of ['sudoku', 'maze', 'arc', 'folder'])
      assert.deepEqual(
        ['kind', ...named('task', kind)],
        fieldsNamedBy(() => checkTask({ kind, zzzzzz: 1 })),
      );
    for (const { name, values, meaning } of settings)
      assert.ok(values !== '' && /^[^*\n]{8,}$/.test(meaning), `${name}: ${values}: ${meaning}`);
    assert.match(
      text,
      /^model\.layers: a whole number from 1 to 64; the paper 2\n {2}Layers of each network\. Paper: 2\.$/m,
    );
    assert.match(text, /^task\.canvas: a whole number from 1 to 30 \(kind arc\)\n {2}Side of the canvas/m);
  });

  it('lists what is odd in the paper itself without numbers, which no row refers to', async () => {
    const { text } = await described('--all');
    const [before = '', after = ''] = text.split('\nOn the paper itself:\n');
    assert.ok(before.includes('\n[13] ') && !before.includes('\n[14] '));
    assert.deepEqual(
      after.split('\n').map((line) => line.slice(0, 2)),
      paperOddities.map(() => '* '),
    );
  });

  it('gives one list at a time, and none with a variant', () => {
    const refused = (...argv: string[]): void =>
      assert.throws(() => readArguments(describeCommand, argv), /expected (one list at a time|no variant with it)$/);
    refused('--all', '--settings');
    refused('trm', '--experiments');
  });
});

describe('the help of a command', () => {
  it('has no line wider than the terminal but its commands, and loses no word', () => {
    const words = (help: string): string[] => help.split(/\s+/);
    for (const command of commands)
      for (const columns of [80, 120]) {
        const help = helpText(command, columns);
        const [, before = ''] = /\n([^]*)\nExample, /.exec(help) ?? [];
        for (const line of before.split('\n')) assert.ok(line.length <= columns, `${command.name}: ${line}`);
        assert.deepEqual(words(help), words(helpText(command)));
      }
    assert.match(helpText(train, 80), /\n {2}--log NAME {12}\S.*\n {22,}\S/);
  });

  it('puts options of one subject below a heading, after its own', () => {
    const own = { about: 'one' } as const;
    const command: Command = {
      ...train,
      options: { ...below('Far', { far: { value: 'N', about: 'two' } }), own },
    };
    assert.match(
      helpText(command),
      /\n {2}--own +one\n {2}--help .*\n {2}--json .*\n\nFar:\n {2}--far N +two\n\nExample/,
    );
    assert.match(helpText(train), /\n\nEngine:\n {2}--engine NAME /);
    assert.ok(!helpText(train).includes('maze-hard-paper'), 'describe --experiments has the long list');
  });
});
