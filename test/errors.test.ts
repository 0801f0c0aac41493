/** What error messages show of the values they refuse: short, and of whatever depth. */
import assert from 'node:assert/strict';
import { parseArcTasks } from '../lib/data/arc-json.js';
import { InputError, show, within } from '../lib/errors.js';
import { checkConfig, paperConfig } from '../lib/model/config.js';
import { checkTraining, paperTraining } from '../lib/train/options.js';
import { inputError } from './input-error.js';

/** Deeper than JSON.stringify and String go; JSON.parse goes further. */
const text = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
const deep = JSON.parse(text) as unknown;

describe('a place in error messages', () => {
  it('stands before what is wrong with the input, and before nothing else', () => {
    const bad = (error: Error) => (): never => {
      throw error;
    };
    assert.equal(
      within('a.csv', () => 1),
      1,
    );
    assert.throws(() => within('a.csv', bad(new InputError('no rows'))), new InputError('a.csv: no rows'));
    const fault = new TypeError('ours');
    assert.throws(() => within('a.csv', bad(fault)), fault);
  });
});

describe('values in error messages', () => {
  it('are shown shortly, text quoted, nested ones by kind', () => {
    const shown = [
      1.5,
      'a\n"b"',
      undefined,
      null,
      NaN,
      [1, 'x', [2, [3]], {}, null],
      Array.from({ length: 9 }),
      { a: 1 },
      [],
      () => 0,
    ];
    assert.deepEqual(shown.map(show), [
      '1.5',
      '"a\\n\\"b\\""',
      'undefined',
      'null',
      'NaN',
      '[1, "x", [2, a list], an object, null]',
      'a list',
      'an object',
      '[]',
      'a function',
    ]);
    assert.equal(show('x'.repeat(1e6)).length, 120);
    assert.equal(show(deep), '[[a list]]');
  });

  it('never overflow the stack, however deep a file nests', () => {
    const refused = (read: () => unknown, message: RegExp): void => assert.throws(read, inputError(message));
    refused(
      () =>
        parseArcTasks(
          'set.json',
          `{"a":{"train":[{"input":[[${text}]],"output":[[1]]}],"test":[{"input":[[3]],"output":[[4]]}]}}`,
        ),
      /expected JSON, got more than 8 levels of nesting; .*$/,
    );
    refused(() => checkConfig(deep), /expected an object, got \[\[a list\]\]$/);
    for (const key of Object.keys(paperConfig))
      refused(() => checkConfig({ ...paperConfig, [key]: deep }), new RegExp(`${key}: .*got \\[\\[a list\\]\\]`));
    for (const key of [
      ...Object.keys(paperTraining),
      'supervisionSteps',
      'supervisionCurriculum',
      'interleavedBatches',
    ])
      refused(() => checkTraining({ ...paperTraining, [key]: deep }), new RegExp(`${key}: .*got \\[\\[a list\\]\\]`));
  });
});
