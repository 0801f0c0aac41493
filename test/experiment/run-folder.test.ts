/** A run's folder is one run's: another's record, model or state is refused by its id, and nothing of it is touched. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { change } from '../../lib/experiment/experiment.js';
import { experiment } from '../../lib/experiment/experiments.js';
import { keepAs, runFiles } from '../../lib/experiment/run-folder.js';
import { runExperiment, type RunOptions, type RunOutcome } from '../../lib/experiment/run.js';
import { temporaryName, writeFileAtomic } from '../../lib/write-file.js';
import { newFolder } from '../new-folder.js';
import { inputError } from '../input-error.js';

const small = experiment('sudoku-smoke', { training: { steps: 6 }, evaluation: { every: 3, closing: [] } });

describe("a run's folder", () => {
  let folder = '';
  beforeEach(() => void (folder = newFolder()));

  async function run(seed: number, options: RunOptions = {}, of = small): Promise<RunOutcome> {
    const engine = { engine: 'native', threads: 1, precision: 'float32' } as const;
    const outcome = await runExperiment(of, { seed, folder, engine, ...options });
    outcome.engine.dispose();
    return outcome;
  }

  const contents = (): Map<string, string> =>
    new Map(readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name), 'base64')]));

  it("with another run's result is refused, started or resumed, and stays as it is", async () => {
    const first = await run(3);
    const before = contents();
    for (const resume of [false, true])
      await assert.rejects(run(4, { resume }), inputError(/expected a state of run .*-seed4-.*, got one of .*-seed3-/));
    assert.deepEqual(contents(), before);
    for (const [gone, message] of [
      ['state', /expected a model of run .*-seed4-.*, got one of .*-seed3-/],
      ['model', /expected a record of run .*-seed4-.*, got one of .*-seed3-/],
    ] as const) {
      rmSync(runFiles(folder)[gone]);
      await assert.rejects(run(4), inputError(message));
    }
    await assert.rejects(
      run(3, { resume: true }),
      inputError(/expected the last checkpoint of this finished run, got none \(state\.safetensors\)/),
    );
    assert.equal((await run(3)).record?.id, first.id);
  });

  it('with a run of other settings is refused, and the error names them', async () => {
    await run(3);
    const longer = change(small, { training: { steps: 8, learningRate: 0.003 } });
    const since = /; changed since: training\.steps 6 → 8, training\.learningRate [\d.]+ → 0\.003, seed 3 → 4; choose/;
    await assert.rejects(run(4, {}, longer), inputError(since));
    rmSync(runFiles(folder).state);
    rmSync(runFiles(folder).model);
    await assert.rejects(run(4, {}, longer), inputError(since), 'the record has the settings too');
  });

  it('with a file of that name which no run has made, or a damaged one, is refused', async () => {
    const { model, state, record } = runFiles(folder);
    for (const [file, content, message] of [
      [model, Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{}')]), /got one of no run/],
      [state, Buffer.from('half'), /to start over, delete this file: .*state\.safetensors/],
      [model, Buffer.from('half'), /to start over, delete this file: .*model\.safetensors/],
      [record, Buffer.from('{"seed": 1'), /record\.json/],
    ] as const) {
      writeFileSync(file, content);
      await assert.rejects(run(1), inputError(message));
      assert.deepEqual(readFileSync(file), content);
      rmSync(file);
    }
    assert.deepEqual(readdirSync(folder), [], 'no claim is left');
  });

  it('is started over by its own run, to the same record; one that was stopped may be kept', async () => {
    const notes: string[] = [];
    const onNote = (note: string): void => void notes.push(note);
    const [first, again] = [await run(1, { onNote }), await run(1, { onNote })];
    assert.equal(notes.length, 1);
    assert.match(notes[0]!, /: this run is finished; it is trained again from the first step/);
    assert.deepEqual(again.record?.curve, first.record?.curve);
    for (const name of readdirSync(folder)) rmSync(path.join(folder, name), { recursive: true });
    let begun = false;
    const stop = { onProgress: () => void (begun = true), shouldStop: () => begun };
    assert.equal((await run(1, stop)).record, undefined);
    const stopped = contents();
    const message = /run .* was stopped at step 1 of 6; continue it with --resume, or .* --restart/;
    await assert.rejects(run(1, { keepStopped: true }), inputError(message));
    assert.deepEqual(contents(), stopped);
    const resumed = await run(1, { keepStopped: true, resume: true });
    assert.deepEqual(resumed.record?.curve, first.record?.curve);
    assert.equal((await run(1, { keepStopped: true })).record?.id, first.id, 'a finished run loses nothing');
    begun = false;
    assert.equal((await run(1, stop)).record, undefined);
    await assert.rejects(run(1, { keepStopped: true }), inputError(message), 'a second training that was stopped');
    notes.length = 0;
    assert.equal((await run(1, { keepStopped: true, resume: true })).record?.id, first.id);
    assert.deepEqual(notes, []);
    await run(1, { resume: true, onNote });
    assert.match(notes.join(), /this run was finished before \(native \w+, float32\); its results are kept/);
  });

  it('with a curve.csv of the user’s own, or planned with other puzzles, is refused', async () => {
    const { curve } = runFiles(folder);
    writeFileSync(curve, 'mine');
    await assert.rejects(run(1), inputError(/curve\.csv: expected no file that no run has made/));
    assert.equal(readFileSync(curve, 'utf8'), 'mine');
    rmSync(curve);
    const id = 'sudoku-smoke-seed1-00000000';
    await assert.rejects(
      run(1, { id }),
      inputError(new RegExp(`expected run ${id}, .* its puzzles have changed since`)),
    );
    assert.deepEqual(readdirSync(folder), []);
  });

  it('is one run at a time, and free again afterwards', async () => {
    let second: Promise<unknown> | undefined;
    await run(1, { onProgress: () => void (second ??= run(1).catch((error: unknown) => error)) });
    assert.ok(
      inputError(
        /: process \d+ on ".+" \(last sign of life \d+ s ago; .* free in 1[45] min \d+ s\) works on a run there/,
      )(await second),
      String(await second),
    );
    assert.ok(!existsSync(path.join(folder, 'claim.json')));
    await run(1, { resume: true });
  });

  it('keeps an earlier checkpoint under a second name, also where the file system has no links', () => {
    const [file, name] = [path.join(folder, 'state'), path.join(folder, 'kept')];
    for (const link of [
      undefined,
      (): never => {
        throw Object.assign(new Error('no links here'), { code: 'ENOTSUP' });
      },
    ]) {
      writeFileSync(name, 'older');
      writeFileAtomic(file, 'first');
      keepAs(file, name, link);
      writeFileAtomic(file, 'second');
      assert.deepEqual([readFileSync(name, 'utf8'), readFileSync(file, 'utf8')], ['first', 'second']);
    }
  });

  it('is cleared of what a killed process left half written, not of what others are writing', async () => {
    const { pid: dead } = spawnSync(process.execPath, ['-e', '0']);
    const [, host] = temporaryName('state').split('.');
    const namespace = process.platform === 'linux' ? `_${statSync('/proc/self/ns/pid').ino}_` : '';
    const name = os.hostname().replaceAll(/[^\w-]/g, '_');
    assert.ok(host!.startsWith(name) && host!.endsWith(namespace), host);
    const left = path.join(folder, `state.safetensors.${host}.${dead}.tmp`);
    const others = [
      `state.safetensors.${host}.${process.ppid}.tmp`,
      `state.safetensors.elsewhere.${dead}.tmp`,
      `state.safetensors.${name}_of_another_container.${dead}.tmp`,
      `notes.${dead}.tmp`,
    ].map((name) => path.join(folder, name));
    for (const file of [left, ...others]) writeFileSync(file, 'half');
    await run(1);
    assert.deepEqual(
      [left, ...others].map((file) => existsSync(file)),
      [false, true, true, true, true],
    );

    const elsewhere = path.join(folder, 'records');
    mkdirSync(elsewhere);
    const half = path.join(elsewhere, `a.json.${host}.${dead}.tmp`);
    writeFileSync(half, 'half');
    writeFileAtomic(path.join(elsewhere, 'b.json'), '{}');
    assert.deepEqual(readdirSync(elsewhere), ['b.json']);
  });
});
