/** Tables of checks: every problem of an object is named at once, and what is right passes unchanged. */
import assert from 'node:assert/strict';
import { InputError } from '../lib/errors.js';
import { between, checkFields, flag, given, oneOf, optional, text, whole, type Fields } from '../lib/fields.js';

interface Recipe {
  readonly eggs: number;
  readonly heat: 'low' | 'high';
  readonly salt: number;
  readonly sieved: boolean;
  readonly note?: string;
}
const checks: Fields<Recipe> = {
  eggs: whole(1, 12),
  heat: oneOf('low', 'high'),
  salt: between(0, 0.5),
  sieved: flag,
  note: optional(text),
};
const right = { eggs: 3, heat: 'low', salt: 0.25, sieved: false } as const;

function refusal(candidate: unknown): string {
  try {
    checkFields('recipe', candidate, checks, ({ eggs, heat }) => (eggs > 6 && heat === 'high' ? ['it burns'] : []));
  } catch (error) {
    assert.ok(error instanceof InputError);
    return error.message;
  }
  return 'nothing';
}

describe('tables of fields', () => {
  it('return what is right as it came, with or without what may be absent', () => {
    assert.equal(checkFields('recipe', right, checks), right);
    assert.equal(refusal({ ...right, note: 'for two' }), 'nothing');
    assert.equal(refusal({ ...right, eggs: 12, salt: 0.5 }), 'nothing');
  });

  it('name every problem, what was expected and what came', () => {
    assert.equal(
      refusal({ eggs: '3', heat: 'mild', salt: 0.51, sieved: 1, note: null, oil: 1 }),
      'recipe: unknown field oil, expected one of eggs, heat, salt, sieved, note; ' +
        'eggs: expected a whole number from 1 to 12, got "3"; heat: expected low or high, got "mild"; ' +
        'salt: expected a number from 0 to 0.5, got 0.51; sieved: expected true or false, got 1; ' +
        'note: expected text, or nothing, got null',
    );
    assert.match(refusal({ heat: 'low', salt: NaN, sieved: true }), /eggs: .*got undefined; salt: .*got NaN$/);
    for (const eggs of [0, 13, 1.5, Infinity, [3]])
      assert.match(refusal({ ...right, eggs }), /^recipe: eggs: expected/);
  });

  it('ask for contradictions only where each field is right', () => {
    assert.equal(refusal({ ...right, eggs: 7, heat: 'high' }), 'recipe: it burns');
    assert.doesNotMatch(refusal({ ...right, eggs: 13, heat: 'high' }), /burns/);
  });

  it('take no field from anywhere but the object itself', () => {
    assert.match(refusal(JSON.parse('{ "__proto__": { "eggs": 3 } }')), /unknown field __proto__/);
    for (const none of [null, [right], 'eggs=3', undefined])
      assert.match(refusal(none), /^recipe: expected an object, got /);
  });

  it('leave out what was not given, and keep what is nothing', () => {
    const fields = given({ a: undefined, b: null, c: 0, d: false, e: '' });
    assert.deepEqual(Object.entries(fields), [
      ['b', null],
      ['c', 0],
      ['d', false],
      ['e', ''],
    ]);
  });
});
