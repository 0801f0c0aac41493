/** JSON from any source is read as JSON.parse reads it, or refused before it is: too deep, too much, a name twice. */
import assert from 'node:assert/strict';
import { parseJson, readJson } from '../lib/json.js';

describe('JSON', () => {
  it('is read as JSON.parse reads it, whatever stands in its texts', () => {
    for (const json of ['{"a":{"b":[1,"x:{[\\"\\\\"]},"b":[[],[null]]}', ' "text" ', '0', '[]', '{"":{"":""}}'])
      assert.deepEqual(parseJson(json, { levels: 3, lists: 6, values: 3, names: 3 }), JSON.parse(json));
    for (const json of ['', '{', '{"a"}', ':', '{:1}', '"', '{"\\x":1}', ']]]{}', '{"a":1,}'])
      assert.throws(() => parseJson(json, { levels: 3 }), SyntaxError, json);
  });

  it('is refused in the words of JSON.parse where a name is none', () => {
    for (const json of ['{1:2}', '{1:2,3:4}', '{"a":1,2:3}', '{:1}'])
      assert.throws(
        () => parseJson(json, { levels: 3 }),
        (error) => (error as Error).message === readJson(json, (reason) => reason),
        json,
      );
  });

  it("is refused in its reader's words, which may take it as it is; other errors pass", () => {
    assert.deepEqual(readJson('[1]', String), [1]);
    assert.match(String(readJson('[1', (reason) => reason)), /JSON/);
    assert.equal(
      readJson('[[1]]', (reason) => reason, { levels: 1 }),
      'more than 1 levels of nesting',
    );
    const refuse = (): never => {
      throw new RangeError('no');
    };
    assert.throws(() => readJson('word', refuse), RangeError);
  });

  it('is refused where an object has a name twice, however it is written, and not where two objects have it', () => {
    for (const json of ['{"ab":1,"ab":2}', '[{"ab":{},"\\u0061b":2}]', '{"c":{"ab":1,"d":[{"e":1}],"ab":2}}'])
      assert.throws(() => parseJson(json, { levels: 5 }), /^SyntaxError: "ab" twice in an object$/);
    for (const json of ['[{"ab":1},{"ab":1}]', '{"ab":{"ab":{"ab":1}}}', '{"ab":[{"x":1}],"x":"ab"}'])
      assert.deepEqual(parseJson(json, { levels: 5 }), JSON.parse(json));
  });

  it('is refused beyond its bounds, by what there is too much of, however little of it is JSON', () => {
    for (const [json, bounds, message] of [
      ['[[[1]]]', { levels: 2 }, 'more than 2 levels of nesting'],
      ['['.repeat(1e6), { levels: 2 }, 'more than 2 levels of nesting'],
      ['[[],{}]', { levels: 9, lists: 2 }, 'more than 2 lists'],
      ['[0,0,0,0', { levels: 9, values: 2 }, 'more than 2 values'],
      ['{"a":{"b":{"c":1', { levels: 9, names: 2 }, 'more than 2 names'],
    ] as const)
      assert.throws(() => parseJson(json, bounds), new SyntaxError(message));
  });
});
