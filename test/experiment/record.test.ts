/** Records: written and read back equal, and refused when they are not what was written. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { experiment } from '../../lib/experiment/experiments.js';
import { projectRoot } from '../../lib/files.js';
import { hashOf } from '../../lib/experiment/sealed.js';
import {
  finalEvaluation,
  readRecord,
  readRecords,
  withRecorded,
  recordSchema,
  recordsSoFar,
  writeRecord,
  type RunRecord,
} from '../../lib/experiment/record.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

const record: RunRecord = {
  schema: recordSchema,
  id: 'sudoku-4x4-seed0-00000000',
  experiment: experiment('sudoku-4x4'),
  seed: 0,
  data: { train: { name: 'train', sha256: 'a', examples: 1 }, test: { name: 'test', sha256: 'b', examples: 1 } },
  model: { parameters: 1, depth: 42, forwardPasses: 1 },
  sittings: [
    {
      from: 0,
      to: 10,
      version: '0',
      commit: null,
      node: 'v20',
      platform: 'x',
      cpu: 'y',
      cores: 2,
      engine: 'z',
      threads: 2,
      precision: 'float32',
      finishedAt: '2026-01-01T00:00:00.000Z',
    },
  ],
  steps: 10,
  seconds: { training: 1.25, evaluation: 0.5 },
  peakMemory: 1,
  curve: [{ step: 10, answerLoss: 0.1, haltLoss: 0.2, exactAccuracy: null, cellAccuracy: null, meanSteps: null }],
  evaluations: [
    {
      step: 10,
      puzzles: 1,
      supervisionSteps: 1,
      exactAccuracy: [0.123456789],
      cellAccuracy: [1],
      haltingAccuracy: [1],
      seconds: 0.1,
    },
  ],
  closing: {},
};

describe('run record', () => {
  let folder = '';
  let file = '';
  beforeEach(() => {
    folder = newFolder();
    file = path.join(folder, 'run.json');
    writeRecord(file, record);
  });

  it('stands before the recorded runs of its experiment, changed or not, and never twice', () => {
    const seeds = [1, 2].map((seed) => ({ ...record, seed, id: `${record.id}-${seed}` }));
    const other = { ...record, id: 'other', experiment: { ...record.experiment, name: 'other' } };
    for (const each of [...seeds, other]) writeRecord(path.join(folder, `${each.id}.json`), each);
    assert.deepEqual(withRecorded(record, folder), [record, ...seeds]);
    assert.deepEqual(withRecorded(seeds[1]!, folder), [seeds[1], record, seeds[0]]);
    assert.throws(() => withRecorded(undefined as never, folder), /^InputError: run: expected an object/);
  });

  it('reads back equal', () => {
    assert.deepEqual(readRecord(file), record);
    assert.deepEqual(readRecords(folder), [record]);
    assert.deepEqual(recordsSoFar(path.join(folder, 'absent')), []);
    assert.throws(
      () => readRecords(path.join(folder, 'absent')),
      /records: expected a folder, found nothing: .*absent/,
    );
  });

  it('is read by its path from the project’s root, and looked for where it lies', () => {
    assert.deepEqual(readRecord(path.relative(projectRoot(), file)), record);
    assert.throws(() => readRecord(7 as never), /record: expected the path of a file or folder, got 7/);
    assert.throws(() => readRecords(file), /run\.json: expected a folder, got a file/);
    const runs = path.join(folder, 'runs');
    mkdirSync(path.join(runs, 'plain'), { recursive: true });
    assert.deepEqual(readRecords(runs), []);
    writeRecord(path.join(runs, 'mine', 'record.json'), record);
    assert.throws(() => readRecords(runs), /got folders of runs: \["mine"\]; read each/);
    assert.deepEqual(recordsSoFar(runs), []);
    writeRecord(path.join(runs, 'run.json'), record);
    assert.deepEqual(readRecords(runs), [record]);
    assert.throws(() => finalEvaluation({} as never), /record: expected an object with evaluations/);
  });

  it('is refused where it lies in a folder twice: a seed counts once', () => {
    writeRecord(path.join(folder, 'copy.json'), record);
    assert.throws(
      () => readRecords(folder),
      inputError(/expected every run once, got sudoku-4x4-seed0-00000000 in copy\.json and run\.json; remove/),
    );
  });

  it('is read after the file of its puzzles has moved, since only a run needs that', () => {
    const tasks = path.join(folder, 'tasks', 'mine.json');
    const pair = { input: [[1]], output: [[2]] };
    mkdirSync(path.dirname(tasks));
    writeFileSync(tasks, JSON.stringify({ a: { train: [pair], test: [pair] }, b: { train: [pair], test: [pair] } }));
    const own = experiment('arc-smoke', { task: { set: 'file', file: tasks, validationTasks: 0 } });
    writeRecord(file, { ...record, experiment: own });
    rmSync(tasks);
    assert.deepEqual(readRecord(file).experiment, own);
    const changed = { ...own, model: { ...own.model, layers: 0 } };
    writeRecord(file, { ...record, experiment: changed });
    assert.throws(() => readRecord(file), /layers: expected/);
  });

  it('is refused by name after a number was edited by hand', () => {
    const text = readFileSync(file, 'utf8');
    const edited = text.replace('0.123456789', '0.993456789');
    assert.notEqual(edited, text);
    writeFileSync(file, edited);
    assert.throws(() => readRecord(file), inputError(/record run\.json: its checksum does not match/));
  });

  it('is refused by name when truncated at any of a hundred places', () => {
    const text = readFileSync(file, 'utf8');
    for (let i = 1; i <= 100; i++) {
      writeFileSync(file, text.slice(0, Math.floor(((text.length - 2) * i) / 100)));
      assert.throws(() => readRecord(file), inputError('record run.json'));
    }
  });

  it('is refused when from another schema', () => {
    writeFileSync(file, readFileSync(file, 'utf8').replace(recordSchema, 'trm-lab/run/0'));
    assert.throws(() => readRecord(file), /expected schema trm-lab\/run\/2, got "trm-lab\/run\/0"/);
  });

  it('hashes by content, not by the order of fields', () => {
    assert.equal(hashOf({ a: 1, b: [1, { c: 2, d: 3 }] }), hashOf({ b: [1, { d: 3, c: 2 }], a: 1 }));
    assert.notEqual(hashOf({ a: 1 }), hashOf({ a: 2 }));
  });

  it('is refused by name where a right seal covers what is no record', () => {
    const forgeries: readonly (readonly [fields: object, message: RegExp])[] = [
      [{ schema: recordSchema, id: 'x', seed: 0 }, /experiment: expected an object, got undefined/],
      [{ ...record, sittings: [] }, /sittings: expected a list of at least 1/],
      [{ ...record, sittings: [{}] }, /sittings: expected in place 0 an object with from: a whole number/],
      [{ ...record, evaluations: [{ step: 1 }] }, /evaluations: expected in place 0 an object with puzzles/],
      [{ ...record, closing: { vote: { passAt: null } } }, /closing: expected in place 0 an object with passAt/],
      [{ ...record, seed: '0' }, /seed: expected a whole number/],
      [{ ...record, extra: 1 }, /unknown field extra/],
      [{ ...record, experiment: { ...record.experiment, model: {} } }, /recursion: expected/],
      [{ ...record, experiment: { ...record.experiment, task: { kind: 'weird' } } }, /task: kind: expected .*"weird"/],
      [{ ...record, experiment: { ...record.experiment, name: 'a\u001b[31m' } }, /with name: a name without slashes/],
      [
        { ...record, evaluations: [{ ...record.evaluations[0], supervisionSteps: 16 }] },
        /expected accuracies of 16 supervision steps, got 1 at step 10/,
      ],
      [
        { ...record, evaluations: [record.evaluations[0], record.evaluations[0]] },
        /expected evaluations in the order of their steps, got 10 after 10/,
      ],
    ];
    for (const [fields, message] of forgeries) {
      writeRecord(file, fields as RunRecord);
      assert.throws(() => readRecord(file), inputError(message), String(message));
    }
  });

  it('is refused at once where it is nested deep or far too long', () => {
    for (const json of [`{"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, '['.repeat(10_000_000)]) {
      writeFileSync(file, json);
      assert.throws(() => readRecord(file), /expected JSON, got more than 32 levels of nesting; /);
    }
    truncateSync(file, 600e6);
    assert.throws(() => readRecord(file), /expected at most 16777216 bytes, got 600000000/);
  });
});
