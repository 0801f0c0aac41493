/** The study of thinking wider: its numbers are those of plain evaluations, and a stop changes nothing. */
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { exampleOf, ungrouped, type Dataset } from '../../lib/data/dataset.js';
import { sudokuDataset } from '../../lib/data/sudoku-sets.js';
import type { Engine } from '../../lib/engine/engine.js';
import { InputError, StoppedError } from '../../lib/errors.js';
import { openModel, shippedCheckpoint } from '../../lib/experiment/open.js';
import {
  readWider,
  readWiderRecords,
  widerPlan,
  writeWider,
  type SearchPart,
  type StepsPart,
  type WiderPart,
  type WiderRecord,
} from '../../lib/experiment/wider-record.js';
import { widerStudy } from '../../lib/experiment/wider.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { newFolder } from '../new-folder.js';

const plan = {
  ...widerPlan,
  validationPuzzles: 4,
  testFrom: 3,
  testPuzzles: 7,
  partPuzzles: 4,
  formSteps: 2,
  leastForms: 3,
  mostForms: 5,
  cycles: 6,
  chains: 2,
  chainSteps: 3,
};
const checkpoint = shippedCheckpoint(16);

describe('widerStudy', function () {
  this.timeout(60_000);
  let engine: Engine;
  let sets: { validation: Dataset; test: Dataset };
  let folder: string;
  let record: WiderRecord;
  const study = (more: object = {}): Promise<WiderRecord> =>
    widerStudy({ engine, checkpoint, command: 'by hand', folder, plan, ...sets, ...more });

  before(async () => {
    ({ engine } = await openModel(checkpoint, { precision: 'float32', threads: 1 }));
    sets = await sudokuDataset({
      side: 4,
      source: 'generated',
      trainPuzzles: 1,
      testPuzzles: 10,
      validationPuzzles: 4,
      augmentations: 0,
      minDifficulty: 0,
      seed: 3,
    });
    folder = newFolder();
    record = await study();
  });
  after(() => engine.dispose());

  const parts = <Kind extends WiderPart>(method: WiderPart['method']): Kind[] =>
    record.parts.filter((part) => part.method === method) as Kind[];

  it('cuts its puzzles into parts that leave none out', () => {
    assert.deepEqual(
      record.parts.map(({ method, set, from, puzzles }) => [method, set, from, puzzles]),
      [
        ['search', 'validation', 0, 4],
        ...['search', 'cycles', 'chains'].flatMap((method) => [
          [method, 'test', 3, 4],
          [method, 'test', 7, 3],
        ]),
      ],
    );
  });

  it('counts what a plain evaluation of the same puzzles counts', async () => {
    const { name, note, width, height, vocabSize } = sets.test;
    const own = ungrouped(
      Array.from({ length: 7 }, (_, i) => exampleOf(sets.test, 3 + i)),
      { name, note, width, height, vocabSize },
    );
    const { exactAccuracy } = await evaluate(engine, own, { supervisionSteps: 6 });
    const counted = Array.from({ length: 6 }, (_, step) =>
      parts<StepsPart>('cycles').reduce((sum, { solved }) => sum + solved[step]!, 0),
    );
    assert.deepEqual(
      counted,
      exactAccuracy.map((share) => Math.round(7 * share)),
    );
    // A vote of one form is the puzzle as it stands after the steps of a form.
    const alone = parts<SearchPart>('search')
      .slice(1)
      .reduce((sum, { votes }) => sum + votes[0]!, 0);
    assert.equal(alone, counted[plan.formSteps - 1]);
  });

  it('leaves a sealed record that reads back equal', () => {
    const file = path.join(folder, record.id, 'record.json');
    assert.deepEqual(readWider(file), record);
    assert.deepEqual(readWiderRecords(path.join(folder, record.id)), [record]);
    assert.equal(record.sittings.length, 1);
  });

  it('goes on after a stop to the same parts, in two sittings, and makes none twice', async () => {
    const other = newFolder();
    const seen = new Set<string>();
    const stopping = { folder: other, shouldStop: () => seen.size > 3, onProgress: countParts };
    function countParts({ what }: { what: string }): void {
      seen.add(what);
    }
    await assert.rejects(study(stopping), StoppedError);
    const file = path.join(other, record.id, 'record.json');
    assert.equal(readWider(file).parts.length, 3);
    assert.throws(() => readWiderRecords(path.join(other, record.id)), /4 are missing/);
    const again = await study({ folder: other });
    assert.deepEqual(again.parts, record.parts);
    assert.deepEqual(
      again.sittings.map(({ from, to }) => [from, to]),
      [
        [0, 3],
        [3, 7],
      ],
    );
    assert.equal(again.passes, record.passes);
  });

  it('refuses records that are not what their plan asks for, and sets that are too small', async () => {
    const file = path.join(folder, 'forged.json');
    const [first, ...rest] = record.parts as [SearchPart, ...WiderPart[]];
    const forgeries: (readonly [WiderPart, RegExp])[] = [
      [{ ...first, from: 1 }, /part 1 what its plan asks for/],
      [{ ...first, surer: first.surer.slice(1) }, /part 1 what its plan asks for/],
      [{ ...first, votes: [1] }, /part 1 what its plan asks for/],
      [{ ...first, surer: [[1, 2, 0, 2, 1, 1], ...first.surer.slice(1)] }, /passes and logits rising/],
    ];
    for (const [part, message] of forgeries) {
      writeWider(file, { ...record, parts: [part, ...rest] });
      assert.throws(() => readWider(file), message);
    }
    rmSync(file);
    await assert.rejects(study({ validation: sets.test, test: sets.validation }), InputError);
    assert.ok(!existsSync(file));
  });
});
