/** Options that nothing reads are refused by name, by every command; what is meant is named where a slip is near. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { commands } from '../../lib/cli/commands.js';
import { readArguments } from '../../lib/cli/command.js';
import { readSettings, refuseUnread } from '../../lib/cli/settings.js';
import { didYouMean, InputError } from '../../lib/errors.js';
import { projectRoot } from '../../lib/files.js';
import { inputError } from '../input-error.js';

const shipped = path.join(projectRoot(), 'data', 'checkpoints', 'sudoku-6x6.safetensors');

function read(line: string): unknown {
  const [name = '', ...args] = line.split(' ');
  const command = commands.find((each) => each.name === name) ?? assert.fail(`no command ${name}`);
  return readArguments(command, args);
}

describe('options that nothing reads', () => {
  for (const [line, message] of [
    [`evaluate ${shipped} --set training.emaRate=0`, /--set: expected fields of task, model, got training\.emaRate$/],
    [`evaluate ${shipped} --set evaluation.puzzles=3`, /expected fields of task, model, got evaluation\.puzzles$/],
    [`evaluate ${shipped} --set model.gradient=one-step`, /got model\.gradient \(used in training only\)$/],
    [`evaluate ${shipped} --variant trm`, /--variant: a checkpoint states its own model; .*--random only$/],
    [`evaluate ${shipped} --noise 1`, /--noise: the first chain has no noise; give --chains 2 or more$/],
    [`evaluate ${shipped} --relabel both`, /--relabel: .*give --votes 2 or more, or --until-sure$/],
    [`evaluate ${shipped} --seed 3`, /--seed: nothing is random without --votes, --chains or --until-sure$/],
    [`evaluate ${shipped} --backend wasm`, /--backend: expected --engine tfjs with it$/],
    [`evaluate ${shipped} --engine tfjs --threads 2`, /--threads: expected --engine native with it$/],
    ['convert a b --set task.side=4', /expected fields of model, got task\.side$/],
    ['data show --set model.layers=3', /expected fields of task, got model\.layers$/],
    ['data check x.csv --experiment sudoku-4x4', /--experiment: expected with show only, got check$/],
    ['data build arc1 --copies 3', /--copies: expected with build sudoku only, got build arc1$/],
    ['data build sudoku --dihedral', /--dihedral: expected with build maze only, got build sudoku$/],
    ['search training.steps=1 --set evaluation.split=test', /evaluation\.split \(a search scores validation puzzles/],
    ['solve 1.........3..4.2 --set model.haltingBias=3', /got model\.haltingBias \(used in training only\)$/],
    ['verify --precision bf16', /Unknown option '--precision'/], // the fixtures are float32
    ['ablate --partition cpu', /--partition: expected --launcher slurm with it$/],
    ['ablate --launcher slurm --jobs 4', /--jobs: expected --launcher local with it; the cluster decides/],
    ['describe --all --gflops 3', /--gflops: expected a variant with it, not --all$/],
    [
      'describe trm --gflops 3 --engine tfjs',
      /--engine: expected no --gflops with it: with --gflops nothing is measured$/,
    ],
    ['train --set training.steps=9 --set model.layers=1', /--set: expected it once, got it twice; write all in one/],
    ['train --seed 1 --seed 2', /--seed: expected it once, got it twice$/],
    ['train --folder=', /train --folder: expected a value, got nothing$/],
    ['evaluate --puzzles=', /--puzzles: expected a value, got nothing$/],
    ['train --set=,', /--set: expected FIELD=VALUE, got ","$/],
  ] as const)
    it(`are refused by name: ${line.replace(shipped, 'CHECKPOINT')}`, () => {
      assert.throws(() => read(line), inputError(message));
    });

  it('are read where they mean something', () => {
    for (const line of [
      `evaluate ${shipped} --set model.deepRecursions=6,task.seed=1 --votes 2 --seed 3 --relabel digits`,
      'evaluate --random 1 --set model.mixer=attention --variant hrm',
      'train --set training.steps=3,evaluation.every=0',
      'train',
      'ablate --launcher slurm --partition cpu',
    ])
      assert.doesNotThrow(() => read(line), line);
  });
});

describe('settings', () => {
  it('are JSON where they can be, else words; a comma inside a value is no end', () => {
    const { model, training } = readSettings('training.supervisionCurriculum=[[0.5,1],[0.8,4]], model.mixer=attention');
    assert.deepEqual(
      { ...training },
      {
        supervisionCurriculum: [
          [0.5, 1],
          [0.8, 4],
        ],
      },
    );
    assert.deepEqual({ ...model }, { mixer: 'attention' });
  });

  it('know no name by inheritance: __proto__ and constructor are unknown fields like any other', () => {
    for (const field of ['__proto__', 'constructor', 'toString']) {
      const settings = readSettings(`model.${field}={"layers":9}`);
      assert.deepEqual(Object.keys(settings.model ?? {}), [field]);
      assert.throws(() => refuseUnread('x', settings, {}), /model\.(__proto__|constructor|toString)/);
      assert.doesNotThrow(() => refuseUnread('x', settings, { model: { except: {} } }), field);
    }
    assert.equal(({} as { layers?: number }).layers, undefined);
  });

  it('are refused where they are none, set twice, or lack their part, which is named', () => {
    for (const [list, message] of [
      ['steps=300', /got "steps=300" \(did you mean training\.steps\?\)$/],
      ['LEARNINGRATE=1', /did you mean training\.learningRate\?/],
      ['T=2', /did you mean model\.T\?/],
      ['interleavedBatches=4', /did you mean training\.interleavedBatches\?/],
      ['augmentations=4', /did you mean task\.augmentations\?/],
      ['modle.layers=2', /did you mean model\?/],
      ['model.layers', /expected task\|model\|training\|evaluation\.FIELD=VALUE, got "model\.layers"$/],
      ['model.layers=1,model.layers=2', /expected model\.layers once, got it twice/],
    ] as const)
      assert.throws(() => readSettings(list), inputError(message), list);
  });

  it('of a hundred thousand spaces are read or refused at once', () => {
    const spaces = ' '.repeat(120_000);
    const started = process.cpuUsage();
    assert.throws(() => readSettings(`model.layers${spaces}`), InputError);
    assert.equal(readSettings(`model.mixer=${spaces}mlp${spaces}`).model?.['mixer'], 'mlp');
    assert.throws(() => readSettings(`${spaces},${spaces}x`), InputError);
    assert.ok(process.cpuUsage(started).user < 1e6); // a backtracking pattern took 13 s
  });
});

describe('a slip of the hand', () => {
  it('is told from another word', () => {
    const known = ['learningRate', 'layers', 'hrm', 'trm'];
    assert.equal(didYouMean('learningrate', known), ' (did you mean learningRate?)');
    assert.equal(didYouMean('hmr', known), ' (did you mean hrm?)'); // two letters swapped
    assert.equal(didYouMean('layrs', known), ' (did you mean layers?)');
    assert.equal(didYouMean('momentum', known), '');
    assert.equal(didYouMean('x'.repeat(1e6), known), '');
  });
});
