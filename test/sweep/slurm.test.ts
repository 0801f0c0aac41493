/** Sweeps as Slurm arrays: the script as a whole string, resources worked out by hand, nothing submitted twice. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { claim } from '../../lib/experiment/claim.js';
import { runCost } from '../../lib/experiment/cost.js';
import { planTable } from '../../lib/sweep/plan.js';
import { writeRecord } from '../../lib/experiment/record.js';
import {
  arrayScript,
  arrays,
  prepareArrays,
  readQueue,
  scriptOf,
  submitArray,
  taskResources,
  taskStatus,
  type SlurmOptions,
} from '../../lib/sweep/slurm.js';
import { status } from '../../lib/sweep/sweep.js';
import { notedShare, type WorkOrder } from '../../lib/sweep/work.js';
import { recordOf } from '../report/records.js';
import { newFolder } from '../new-folder.js';

const plan = planTable(1, 'smoke', 1, ['hrm', 'trm']);

describe('slurm', () => {
  let folder = '';
  const { PATH } = process.env;
  beforeEach(() => void (folder = newFolder()));
  afterEach(() => void (process.env['PATH'] = PATH));

  it('writes one task a run, requeued and told to save before its time is up', () => {
    const array = { folder: "/share/100 %/it's", orders: [0, 1, 2].map(() => ({}) as WorkOrder) };
    const lines = arrayScript({
      ...array,
      resources: { threads: 4, megabytes: 640, minutes: 90 },
      options: { partition: 'cpu', args: ['--account=lab', '--gres=gpu:1'] },
    }).split('\n');
    assert.deepEqual(lines.slice(0, 15), [
      '#!/bin/bash',
      '#SBATCH --job-name=trm-lab',
      '#SBATCH --array=0-2',
      '#SBATCH --ntasks=1',
      '#SBATCH --cpus-per-task=4',
      '#SBATCH --mem=640M',
      '#SBATCH --time=90',
      '#SBATCH --requeue',
      '#SBATCH --open-mode=append',
      '#SBATCH --signal=B:TERM@60',
      `#SBATCH --output="/share/100 %%/it's/%a.log"`,
      '#SBATCH --partition=cpu',
      '#SBATCH --account=lab',
      '#SBATCH --gres=gpu:1',
      '',
    ]);
    assert.match(
      lines[16] ?? '',
      /^exec '.*' '.*slurm-task\.js' '\/share\/100 %\/it'\\''s\/order\.json' "\$SLURM_ARRAY_TASK_ID"$/,
    );
    assert.match(
      arrayScript({
        ...array,
        resources: { threads: 1, megabytes: 64, minutes: 5 },
        options: { time: '1-00:30:00' },
      }),
      /^#SBATCH --time=1-00:30:00$/m,
    );
  });

  it('refuses options that would smuggle lines into the script, or make another array of it', () => {
    const script = (options: SlurmOptions): string =>
      arrayScript({
        folder: '/x',
        orders: [{} as WorkOrder],
        resources: { threads: 1, megabytes: 64, minutes: 5 },
        options,
      });
    assert.throws(() => script({ partition: 'a\nrm -rf' }), /--partition: expected names/);
    assert.throws(() => script({ time: 'soon' }), /--time: expected MINUTES/);
    assert.throws(() => script({ args: ['gres=gpu:1'] }), /--slurm-args: expected options such as/);
    for (const arg of ['--array=0-3', '--arr=0-3', '-a0-3', '-a=0-3', '--output=x', '--wrap=ls', '--no-requeue'])
      assert.throws(() => script({ args: [arg] }), /--slurm-args: expected options that the array leaves open/, arg);
    assert.throws(() => script({ args: ['--time=5'] }), /got --time=5: use --time$/);
    for (const arg of ['--gres=gpu:1', '--account=lab', '--mem=4G', '--exclusive', '-Aname', '--nodes=1'])
      assert.match(script({ args: [arg] }), new RegExp(`^#SBATCH ${arg}$`, 'm'));
  });

  describe('on a cluster that takes short arrays', () => {
    const many = planTable(1, 'smoke', 6, ['hrm', 'trm']); // 12 runs
    const lengths = (prepared: readonly { readonly orders: readonly unknown[] }[]): number[] =>
      prepared.map(({ orders }) => orders.length);
    const places = (): { records: string; folder: string } => ({
      records: path.join(folder, 'records'),
      folder: path.join(folder, 'runs'),
    });
    /** Stands for a program of Slurm. */
    const program = (name: string, lines: string): void => {
      writeFileSync(path.join(folder, name), `#!/bin/bash\n${lines}\n`, { mode: 0o755 });
      process.env['PATH'] = `${folder}:${PATH}`;
    };

    it('arrays are as long as its MaxArraySize allows, every run in one of them', async () => {
      program('scontrol', 'echo "MaxArraySize            = 5"; echo "MaxJobCount = 10000"');
      const prepared = await prepareArrays(many, places());
      assert.deepEqual(lengths(prepared), [5, 5, 2]);
      assert.equal(new Set(prepared.flatMap(({ orders }) => orders.map(({ id }) => id))).size, 12);
      assert.equal(new Set(prepared.map((array) => scriptOf(array))).size, 3);
      assert.match(readFileSync(scriptOf(prepared[2]!), 'utf8'), /--array=0-1$/m);
    });

    it('what sbatch refuses is said, and nothing counts as submitted', async () => {
      program('sbatch', 'echo "sbatch: error: invalid account" >&2; exit 1');
      const [array] = await prepareArrays(many, places());
      assert.throws(() => submitArray(array!), /^InputError: sbatch: sbatch: error: invalid account$/);
      assert.deepEqual(arrays(places().folder), []);
    });
  });

  it('asks for half as much again as a measured run took', () => {
    const [run] = plan;
    assert.ok(run !== undefined);
    const cost = runCost(run.experiment);
    // one record that computed exactly this, on two threads, in 1,000 s and with 300 MiB
    const { evaluation, training, model } = run.experiment;
    const scored = (
      puzzles: number,
      supervisionSteps = model.supervisionSteps,
    ): ReturnType<typeof recordOf>['evaluations'][number] => ({
      step: training.steps,
      puzzles,
      supervisionSteps,
      exactAccuracy: [1],
      cellAccuracy: [1],
      haltingAccuracy: [1],
      seconds: 1,
    });
    const record = {
      ...recordOf(run.experiment, 0, [1]),
      steps: training.steps,
      seconds: { training: 900, evaluation: 100 },
      peakMemory: 300 * 2 ** 20,
      evaluations: [scored(evaluation.puzzles), scored(20)],
      closing: {
        'raw-weights': scored(10),
        training: scored(10),
        'one-blank': scored(10),
        longer: scored(10, 20),
      },
    };
    const measured = { ...record, sittings: [{ ...record.sittings[0]!, threads: 2 }] };
    const runs = [{ experiment: run.experiment, cost }];
    // 1,500 s; 450 MiB in whole 64s
    assert.deepEqual(taskResources(runs, [measured], { threads: 2 }), { threads: 2, megabytes: 512, minutes: 25 });
    assert.equal(
      taskResources(runs, [measured], { threads: 4 }).minutes,
      13,
      'twice the threads, half the time: 12.5 minutes',
    );
    const megabytes = (peakMemory: number): number =>
      taskResources(runs, [{ ...measured, peakMemory }], { threads: 2 }).megabytes;
    assert.deepEqual([megabytes(1), megabytes(10 * 2 ** 30)], [taskResources(runs, []).megabytes, 15 * 1024]);
    for (const kind of ['tfjs', 'torch'] as const)
      assert.deepEqual(
        taskResources(runs, [measured], { engine: kind }),
        taskResources(runs, [], { engine: kind }),
        'a record of another engine tells nothing',
      );
    const [sitting] = measured.sittings;
    const slow = { ...measured, sittings: [{ ...sitting!, engine: 'torch 2.9 cpu' }] };
    assert.equal(taskResources(runs, [slow], { engine: 'torch', threads: 2 }).minutes, 25);
  });

  it('counts on the slowest recorded speed for runs that were never measured, on 10 GFLOP/s without records', () => {
    const [run] = plan;
    assert.ok(run !== undefined);
    const runs = [{ experiment: run.experiment, cost: { training: 5e13, evaluation: 1e13 } }];
    assert.equal(taskResources(runs, []).minutes, 200); // 2 · 6e13 / 1e10 s
    assert.ok(taskResources(runs, []).megabytes >= 384 && taskResources(runs, []).megabytes % 64 === 0);
    assert.equal(
      taskResources([{ ...runs[0]!, cost: runCost(run.experiment) }], []).minutes,
      5,
      'never less than five minutes',
    );
  });

  it('prepares what is missing: neither what is recorded, nor what another process works on', async () => {
    const places = { records: path.join(folder, 'records'), folder: path.join(folder, 'runs') };
    mkdirSync(path.join(places.folder, 'slurm', '.DS_Store'), { recursive: true });
    const [array] = await prepareArrays(plan, places);
    assert.ok(array !== undefined);
    assert.match(path.basename(array.folder), /^0-/);
    assert.deepEqual(
      array.orders.map(({ run }) => run.experiment.variant),
      ['hrm', 'trm'],
    );
    assert.deepEqual(JSON.parse(readFileSync(path.join(array.folder, 'order.json'), 'utf8')), array.orders);
    assert.match(readFileSync(scriptOf(array), 'utf8'), /--array=0-1/);
    assert.deepEqual(arrays(places.folder), [], 'not submitted');

    const [hrm, trm] = await status(plan, places);
    writeRecord(path.join(places.records, `${hrm!.id}.json`), { ...recordOf(hrm!.experiment, 0, [1]), id: hrm!.id });
    const held = claim(path.join(places.folder, trm!.id));
    assert.deepEqual(await prepareArrays(plan, places), []);
    held!.release();
    const [rest] = await prepareArrays(plan, places);
    assert.deepEqual(
      rest?.orders.map(({ id }) => id),
      [trm!.id],
    );
    assert.match(path.basename(rest!.folder), /^1-/);
  });

  it('tells where tasks stand by their records, claims and logs once Slurm has forgotten them', async () => {
    const places = { records: path.join(folder, 'records'), folder: path.join(folder, 'runs') };
    const [array] = await prepareArrays(plan, places);
    assert.ok(array !== undefined);
    const [hrm, trm] = array.orders;
    writeFileSync(path.join(array.folder, '1.log'), 'start\nOut of memory\n');
    const submitted = { ...array, job: '1' };
    writeFileSync(
      path.join(folder, 'squeue'),
      '#!/bin/sh\necho "slurm_load_jobs error: Invalid job id specified" >&2\nexit 1\n',
      { mode: 0o755 },
    );
    process.env['PATH'] = `${folder}:${PATH}`;
    assert.deepEqual(taskStatus(submitted), [
      { id: hrm!.id, state: 'lost', share: 0, note: 'no log' },
      { id: trm!.id, state: 'lost', share: 0, note: 'Out of memory' },
    ]);
    const held = claim(trm!.folder);
    writeFileSync(path.join(trm!.folder, 'progress.json'), '{"share":0.25}');
    mkdirSync(places.records);
    writeFileSync(path.join(places.records, `${hrm!.id}.json`), '{}');
    assert.deepEqual(
      taskStatus(submitted).map(({ state, share }) => [state, share]),
      [
        ['recorded', 1],
        ['running', 0.25],
      ],
    );
    held!.release();
    writeFileSync(path.join(trm!.folder, 'progress.json'), '{"sha');
    assert.equal(notedShare(trm!.folder), 0, 'half a file says nothing');
  });

  it("reads Slurm's queue, where tasks that ended count no more", () => {
    assert.deepEqual(
      [...readQueue('0 COMPLETED\n1 RUNNING\n2 PENDING\n10 REQUEUE_HOLD\n3 TIMEOUT\n')],
      [
        [1, 'RUNNING'],
        [2, 'PENDING'],
        [10, 'REQUEUE_HOLD'],
      ],
    );
  });

  it('says what is missing where there is no Slurm', async () => {
    const [array] = await prepareArrays(plan, {
      records: path.join(folder, 'records'),
      folder: path.join(folder, 'runs'),
    });
    process.env['PATH'] = folder;
    assert.throws(
      () => submitArray(array!),
      /sbatch: not found on this machine; --launcher slurm needs one that can submit/,
    );
  });

  it('asks for a time limit on GPUs, of which no record tells the speed', async () => {
    const places = { records: path.join(folder, 'records'), folder: path.join(folder, 'runs') };
    const onGpus = { ...places, engine: { engine: 'torch' as const } };
    await assert.rejects(
      prepareArrays(plan, onGpus),
      /^InputError: --time: expected the time limit of a task, got none/,
    );
    assert.match(
      arrayScript((await prepareArrays(plan, { ...onGpus, slurm: { time: '1:00:00' } }))[0]!),
      /time=1:00:00/,
    );
  });

  it('prepares without asking Slurm, where an earlier array is unfinished, if it is only to be written', async () => {
    const places = { records: path.join(folder, 'records'), folder: path.join(folder, 'runs') };
    const [earlier] = await prepareArrays(plan, places);
    writeFileSync(path.join(earlier!.folder, 'job.json'), '{"job":"7"}');
    process.env['PATH'] = folder;
    await assert.rejects(prepareArrays(plan, places), /squeue: not found/);
    const [again] = await prepareArrays(plan, { ...places, dry: true });
    assert.deepEqual(
      again?.orders.map(({ id }) => id),
      earlier!.orders.map(({ id }) => id),
    );
  });

  it('a task that is started anew takes over its own claim, no other', () => {
    const run = path.join(folder, 'run');
    mkdirSync(run);
    writeFileSync(path.join(run, 'claim.json'), JSON.stringify({ host: 'another', pid: 1, job: '7_3' }));
    assert.equal(claim(run, '7_4'), undefined);
    assert.equal(claim(run), undefined);
    const held = claim(run, '7_3');
    assert.ok(held !== undefined);
    held.release();
  });
});
