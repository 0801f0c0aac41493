/**
 * Sweeps: killed again and again they end with the same records; what is recorded is skipped, what is stale or edited
 * is refused.
 */
import assert from 'node:assert/strict';
import { ChildProcess, fork, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { EventEmitter, once } from 'node:events';
import { hostname } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { change } from '../../lib/experiment/experiment.js';
import { claim, isClaimed } from '../../lib/experiment/claim.js';
import { planTable } from '../../lib/sweep/plan.js';
import { readRecord, writeRecord } from '../../lib/experiment/record.js';
import type { WorkerMessage } from '../../lib/sweep/worker.js';
import { recordsOf, runSweep, status, type SweepRun } from '../../lib/sweep/sweep.js';
import type { WorkOrder } from '../../lib/sweep/work.js';
import { pidNamespace } from '../../lib/processes.js';
import { killedAtRename } from '../kill-at.js';
import { newFolder } from '../new-folder.js';

const plan = planTable(1, 'smoke', 2, ['hrm', 'trm', 'trm-no-ema']);
const engine = { engine: 'native', precision: 'float32', threads: 1 } as const;

describe('sweep', function () {
  this.timeout(180_000);
  let folder: string;
  let whole: { records: string; folder: string };

  before(async () => {
    folder = newFolder();
    whole = { records: path.join(folder, 'records'), folder: path.join(folder, 'runs') };
    const shares: number[] = [];
    const runs = await runSweep(plan, {
      ...whole,
      engine,
      jobs: 2,
      onProgress: (now) => shares.push(now.filter(({ state }) => state === 'finished').length),
    });
    assert.deepEqual(
      runs.map(({ state, message }) => message ?? state),
      new Array(plan.length).fill('finished'),
    );
    assert.ok(shares.length > plan.length && shares.every((share, i) => i === 0 || share >= shares[i - 1]!));
  });

  it('leaves one record a run, and skips them all the second time', async () => {
    assert.equal(readdirSync(whole.records).length, plan.length);
    assert.deepEqual(
      (await status(plan, whole)).map(({ state }) => state),
      new Array(plan.length).fill('recorded'),
    );
    assert.deepEqual(
      recordsOf(
        await status([...plan].reverse(), whole),
        readdirSync(whole.records).map((name) => readRecord(path.join(whole.records, name))),
      ).map(({ seed }) => seed),
      plan.map(({ seed }) => seed).reverse(),
    );
    const before = contents(whole.records);
    let made = 0;
    const onData = (): void => void made++;
    const runs = await status(plan, { ...whole, onData });
    const once = made;
    assert.ok(once > 0);
    assert.deepEqual(await runSweep(runs, { ...whole, engine, onData }), runs);
    assert.equal(made, once, 'no puzzle is made twice');
    assert.deepEqual(contents(whole.records), before);
  });

  it('killed ten times, early and late, ends with the same records as an unbroken one', async function () {
    this.timeout(300_000);
    const broken = { records: path.join(folder, 'broken', 'records'), folder: path.join(folder, 'broken', 'runs') };
    const program = fileURLToPath(new URL('./sweep-child.js', import.meta.url));
    // A run renames 15 files, more where it takes long: the second kill comes among its last ones.
    for (const nth of [1, 14, 2, 2, 3, 3, 2, 4, 3, 2]) {
      // A group of their own: the sweep and its workers, each of which counts its files.
      const args = [...killedAtRename(nth, 'group'), program, broken.records, broken.folder];
      const child = spawn(process.execPath, args, { stdio: 'ignore', detached: true });
      assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL'], `at file ${nth}`);
    }
    const begun = await status(plan, broken);
    assert.ok(begun.some(({ share }) => share > 0) && begun.some(({ state }) => state !== 'recorded'));
    const runs = await runSweep(plan, { ...broken, engine, jobs: 2 });
    assert.ok(
      runs.every(({ state }) => state === 'recorded' || state === 'finished'),
      JSON.stringify(runs.map(({ state, message }) => [state, message])),
    );
    assert.deepEqual(results(broken.records), results(whole.records));
  });

  it('asked to stop, saves and goes on later to the same records', async () => {
    const stopped = { records: path.join(folder, 'stopped', 'records'), folder: path.join(folder, 'stopped', 'runs') };
    const two = plan.slice(0, 2);
    let seen = 0;
    const first = await runSweep(two, {
      ...stopped,
      engine,
      jobs: 1,
      onProgress: () => seen++,
      shouldStop: () => seen > 3,
    });
    assert.ok(first.some(({ state }) => state === 'waiting'));
    const [begun] = await status(two, stopped);
    // A fast machine may have finished the first run when the stop reaches it.
    assert.ok(
      begun!.share > 0 && (begun!.share < 1 || begun!.state === 'recorded'),
      `${begun!.state}, ${begun!.share}: what is done of a run counts when it goes on`,
    );
    const runs = await runSweep(two, { ...stopped, engine });
    assert.deepEqual(
      results(stopped.records),
      results(whole.records).filter(({ id }) => runs.some((run) => run.id === id)),
    );
  });

  it('takes the last word of a worker that comes after its exit', async () => {
    const late = { records: path.join(folder, 'late', 'records'), folder: path.join(folder, 'late', 'runs') };
    const order: string[] = [];
    let said = (): boolean => true;
    // On a busy machine Node gives this order once in some hundred runs: exit, message, close.
    ChildProcess.prototype.emit = function (this: ChildProcess, event: string | symbol, ...rest: unknown[]): boolean {
      const emit = (): boolean => {
        order.push(String(event));
        return EventEmitter.prototype.emit.call(this, event, ...rest);
      };
      if (event === 'close') return setImmediate(() => said() && emit()).hasRef();
      if (event !== 'message' || (rest[0] as WorkerMessage).kind !== 'finished') return emit();
      said = emit;
      return true;
    };
    try {
      const [run] = await runSweep(plan.slice(0, 1), { ...late, engine });
      assert.deepEqual([run?.state, run?.message], ['finished', undefined]);
      assert.deepEqual(order.slice(-3), ['exit', 'message', 'close']);
    } finally {
      Reflect.deleteProperty(ChildProcess.prototype, 'emit');
    }
  });

  it('a worker leaves a TERM or HUP that reaches the whole group to its parent, and finishes', async () => {
    const worker = fork(fileURLToPath(new URL('../../lib/sweep/worker.js', import.meta.url)));
    const exit = new Promise((resolve) => worker.once('close', (...how) => resolve(how)));
    const told: WorkerMessage[] = [];
    worker.on('message', (message: WorkerMessage) => {
      if (told.push(message) === 1) for (const signal of ['SIGTERM', 'SIGHUP'] as const) worker.kill(signal);
    });
    const own = path.join(folder, 'terminated');
    const [first] = await status(plan.slice(0, 1), whole);
    worker.send({
      run: plan[0]!,
      id: first!.id,
      engine,
      folder: path.join(own, 'run'),
      records: path.join(own, 'records'),
    } satisfies WorkOrder);
    assert.deepEqual(await exit, [0, null]);
    assert.deepEqual([told[0]?.kind, told.at(-1)?.kind], ['progress', 'finished']);
  });

  it('refuses what is no plan, and options that there are not', async () => {
    const [run] = planTable(1, 'smoke', 1);
    for (const [plan, options, says] of [
      [[run!.experiment], {}, /plan: expected in place 0 an object with experiment: an object/],
      [[{ ...run, seed: 2.5 }], {}, /plan: expected in place 0 an object with seed: a whole number from 0/],
      [[run], { jobs: NaN }, /jobs: expected a whole number from 1, or nothing, got NaN/],
      [[run], { record: 'x' }, /unknown field record \(did you mean records\?\)/],
      [[run], { engine: { engine: 'natve' } }, /engine: expected auto, native/],
    ] as const)
      await assert.rejects(runSweep(plan as never, options as object), says);
  });

  it('refuses a folder that no record can be written to before a run begins', async () => {
    const file = path.join(folder, 'a-file');
    writeFileSync(file, '');
    const runs = path.join(folder, 'not-begun');
    for (const records of [path.join(file, 'records'), ...(existsSync('/proc/self') ? ['/proc/records'] : [])])
      await assert.rejects(
        runSweep(plan.slice(0, 1), { records, folder: runs, engine }),
        /InputError: .* (cannot be written|expected a folder)/,
      );
    assert.ok(!existsSync(runs));
  });

  it('refuses a stale record, saying what differs, and one that was edited', async () => {
    const other = plan.map((run) => ({
      ...run,
      experiment: change(run.experiment, { training: { learningRate: 0.002 } }),
    }));
    await assert.rejects(status(other, whole), /changed since: training\.learningRate 0\.001 → 0\.002\)/);
    // The same settings on other puzzles, as a file that has changed gives: no seed of them may stand beside the new.
    const later = plan.map((run) => ({ ...run, seed: run.seed + 2, id: `${run.experiment.name}-seed2-00000000` }));
    await assert.rejects(
      status(later as unknown as SweepRun[], whole),
      /expected one of the puzzles of .*-seed2-00000000; their file has changed since/,
    );
    // One from other weights, or with an own block, stands in no table: it is in nobody's way.
    const [first] = await status(plan.slice(0, 1), whole);
    const beside = { ...whole, records: path.join(folder, 'beside') };
    for (const field of ['start', 'block']) {
      const id = `${first!.experiment.name}-seed0-${field}`;
      const record = readRecord(path.join(whole.records, `${first!.id}.json`));
      writeRecord(path.join(beside.records, `${id}.json`), { ...record, id, [field]: '0123abcd' });
    }
    assert.equal((await status(plan.slice(0, 1), beside))[0]?.state, 'waiting');
    const edited = path.join(folder, 'edited');
    const [name] = readdirSync(whole.records);
    mkdirSync(edited);
    writeFileSync(
      path.join(edited, name!),
      readFileSync(path.join(whole.records, name!), 'utf8').replace('"seed": 0', '"seed": 5'),
    );
    await assert.rejects(
      status(plan, { ...whole, records: edited }),
      new RegExp(`${name!.replaceAll('.', '\\.')}.*changed after the run`),
    );
  });

  it('a run that breaks does not stop the others, and says why', async () => {
    const bad = { records: path.join(folder, 'bad', 'records'), folder: path.join(folder, 'bad', 'runs') };
    const two = plan.slice(0, 2);
    const [first] = await status(two, bad);
    mkdirSync(path.join(bad.folder, first!.id), { recursive: true });
    writeFileSync(path.join(bad.folder, first!.id, 'state.safetensors'), 'not a checkpoint');
    const runs = await runSweep(two, { ...bad, engine });
    assert.deepEqual(
      runs.map(({ state }) => state),
      ['failed', 'finished'],
    );
    assert.match(runs[0]?.message ?? '', /state\.safetensors/);
  });

  it('looks again at the end: what another process finished is recorded, and what it left behind is done', async () => {
    const shared = { records: path.join(folder, 'again', 'records'), folder: path.join(folder, 'again', 'runs') };
    const three = plan.slice(0, 3);
    const [finished, left, own] = await status(three, shared);
    const held = [finished!, left!].map(({ id }) => claim(path.join(shared.folder, id)));
    const file = `${finished!.id}.json`;
    const states: string[][] = [];
    const onProgress = (runs: readonly SweepRun[]): void => {
      states.push(runs.map(({ state }) => state));
      if (states.at(-1)![2] !== 'finished' || states.at(-1)![0] !== 'taken') return;
      cpSync(path.join(whole.records, file), path.join(shared.records, file));
      for (const each of held) each?.release();
    };
    assert.deepEqual(
      (await runSweep(three, { ...shared, engine, onProgress })).map(({ state }) => state),
      ['recorded', 'finished', 'finished'],
    );
    assert.deepEqual(states[0], ['taken', 'taken', 'waiting']);
    assert.deepEqual(readdirSync(shared.records).sort(), [finished, left, own].map((run) => `${run!.id}.json`).sort());
  });

  it('leaves a run alone that another process works on', async () => {
    const shared = { records: path.join(folder, 'shared', 'records'), folder: path.join(folder, 'shared', 'runs') };
    const [first] = await status(plan.slice(0, 1), shared);
    const held = claim(path.join(shared.folder, first!.id));
    assert.ok(held !== undefined);
    assert.equal(claim(path.join(shared.folder, first!.id)), undefined);
    assert.deepEqual(
      (await runSweep(plan.slice(0, 1), { ...shared, engine })).map(({ state }) => state),
      ['taken'],
    );
    held.release();
    assert.equal(isClaimed(path.join(shared.folder, first!.id)), false);
    writeFileSync(
      path.join(shared.folder, first!.id, 'claim.json'),
      JSON.stringify({ host: hostname(), namespace: pidNamespace, pid: 2 ** 30 }),
    );
    assert.equal(isClaimed(path.join(shared.folder, first!.id)), false, 'a dead process holds nothing');
    const file = path.join(shared.folder, first!.id, 'claim.json');
    writeFileSync(file, JSON.stringify({ host: hostname(), namespace: pidNamespace, pid: process.pid }));
    assert.equal(isClaimed(path.join(shared.folder, first!.id)), true);
    const longAgo = new Date(Date.now() - 20 * 60_000);
    utimesSync(file, longAgo, longAgo);
    assert.equal(
      isClaimed(path.join(shared.folder, first!.id)),
      false,
      'its number has gone to another process, after a reboot',
    );
  });
});

function contents(records: string): string[] {
  return readdirSync(records)
    .sort()
    .map((name) => readFileSync(path.join(records, name), 'utf8'));
}

/** What runs came to, without when, how fast and on how much memory. */
function results(records: string): { readonly id: string }[] {
  return readdirSync(records)
    .sort()
    .map((name) => {
      const { id, seed, experiment, data, model, steps, curve, evaluations, closing } = readRecord(
        path.join(records, name),
      );
      const timeless = (evaluation: { readonly seconds: number } | undefined): unknown => ({
        ...evaluation,
        seconds: 0,
      });
      return {
        id,
        seed,
        experiment,
        data,
        model,
        steps,
        curve,
        evaluations: evaluations.map(timeless),
        closing: Object.entries(closing).map(([look, result]) => [look, timeless(result)]),
      };
    });
}
