// Proves --launcher slurm on a real cluster of one node, made here and taken down at the end: a sweep goes through as a
// job array, one of its tasks is requeued in the middle, and the records are those of an unbroken local sweep.
// Needs root, and Debian's slurm-wlm and munge: apt-get install slurm-wlm munge. Takes about three minutes.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const sweep = [
  '--table',
  '1',
  '--scale',
  'smoke',
  '--only',
  'hrm,trm,trm-no-ema',
  '--seeds',
  '2',
  '--engine',
  'native',
  '--precision',
  'float32',
  '--threads',
  '1',
];

for (const program of ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scontrol']) {
  if (spawnSync('sh', ['-c', `command -v ${program} || ls /usr/sbin/${program}`]).status !== 0)
    refuse(`expected ${program}; apt-get install slurm-wlm munge`);
}
if (process.getuid?.() !== 0) refuse('expected to be root: the daemons of the cluster need it');

const folder = mkdtempSync(path.join(os.tmpdir(), 'trm-lab-slurm-'));
const pidFiles = ['slurmd.pid', 'slurmctld.pid', 'munged.pid'].map((name) => path.join(folder, name));
let failed = true;
try {
  startCluster();
  await until('the node is idle', () => tool('sinfo', '--noheader', '--format=%T').trim() === 'idle');

  const whole = place('whole');
  say('an unbroken local sweep');
  lab(0, 'ablate', ...sweep, ...whole);

  const array = place('array');
  say('the same as a job array');
  const [, job] =
    /job (\d+): 6 runs submitted/.exec(
      lab(0, 'ablate', ...sweep, ...array, '--launcher', 'slurm', '--time', '00:10:00'),
    ) ?? assert.fail('no job id');
  assert.match(
    lab(0, 'ablate', ...sweep, ...array, '--launcher', 'slurm'),
    /nothing to submit/,
    'what is queued is not submitted twice',
  );
  assert.match(lab(1, 'sweep', 'status', ...array.slice(2)), /6 runs: .*(running|queued)/);

  const runs = array[3];
  const share = (id) =>
    existsSync(path.join(runs, id, 'progress.json'))
      ? JSON.parse(readFileSync(path.join(runs, id, 'progress.json'), 'utf8')).share
      : 0;
  const [orders] = readdirSync(path.join(runs, 'slurm')).map((name) => path.join(runs, 'slurm', name));
  const order = JSON.parse(readFileSync(path.join(orders, 'order.json'), 'utf8'));
  const underWay = () =>
    order.findIndex(
      ({ id }) =>
        existsSync(path.join(runs, id, 'claim.json')) &&
        share(id) > 0 &&
        !existsSync(path.join(array[1], `${id}.json`)),
    );
  await until('a task is under way', () => underWay() >= 0, 50);
  const index = underWay();
  tool('scontrol', 'requeue', `${job}_${index}`);
  say(`task ${index} requeued in the middle`);
  await until('it is back in the queue', () =>
    /PENDING|RUNNING/.test(tool('squeue', '--noheader', '--array', `--jobs=${job}`, '--format=%K %T')),
  );
  // Slurm lets a requeued job wait two minutes.
  await until(
    'every run has its record',
    () => /^6 runs: 6 recorded$/m.test(lab(undefined, 'sweep', 'status', ...array.slice(2))),
    2000,
    300,
  );
  const log = readFileSync(path.join(orders, `${index}.log`), 'utf8');
  assert.equal(log.match(/: start/g)?.length, 2, `expected the requeued task to start twice:\n${log}`);
  assert.match(log, /after 1 restart/);
  assert.deepEqual(results(array[1]), results(whole[1]), 'the records differ from those of the local sweep');
  assert.match(lab(0, 'ablate', ...sweep, ...array, '--launcher', 'slurm'), /nothing to submit/);
  say('the six records are those of the local sweep');
  failed = false;
} finally {
  for (const file of pidFiles) stop(file);
  if (failed) console.error(`what happened is in ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
console.log('1 passed, 0 failed');

function startCluster() {
  const user = (name) => Number(execFileSync('id', ['-u', name], { encoding: 'utf8' }));
  mkdirSync('/run/munge', { recursive: true });
  execFileSync('chown', ['munge:', '/run/munge']);
  const key = path.join(folder, 'munge.key');
  writeFileSync(key, randomBytes(1024));
  execFileSync('chown', ['munge:', key]);
  chmodSync(key, 0o400);
  // munged requires a folder of its own, closed to others.
  const own = path.join(folder, 'munge');
  mkdirSync(own, { mode: 0o755 });
  chmodSync(folder, 0o755);
  execFileSync('chown', ['munge:', own]);
  const socket = path.join(own, 'socket');
  execFileSync(
    'munged',
    [
      `--key-file=${key}`,
      `--socket=${socket}`,
      `--pid-file=${path.join(own, 'munged.pid')}`,
      `--log-file=${path.join(own, 'munged.log')}`,
      `--seed-file=${path.join(own, 'munged.seed')}`,
    ],
    { uid: user('munge'), gid: user('munge'), stdio: 'inherit' },
  );
  pidFiles[2] = path.join(own, 'munged.pid');
  const host = os.hostname().split('.')[0];
  for (const name of ['state', 'spool']) mkdirSync(path.join(folder, name));
  const ports = 20_000 + (process.pid % 20_000);
  writeFileSync(
    path.join(folder, 'slurm.conf'),
    [
      'ClusterName=trm-lab',
      `SlurmctldHost=${host}(127.0.0.1)`,
      'SlurmUser=root',
      'AuthType=auth/munge',
      `AuthInfo=socket=${socket}`,
      `SlurmctldPort=${ports}`,
      `SlurmdPort=${ports + 1}`,
      `StateSaveLocation=${folder}/state`,
      `SlurmdSpoolDir=${folder}/spool`,
      `SlurmctldPidFile=${pidFiles[1]}`,
      `SlurmdPidFile=${pidFiles[0]}`,
      `SlurmctldLogFile=${folder}/slurmctld.log`,
      `SlurmdLogFile=${folder}/slurmd.log`,
      'ProctrackType=proctrack/linuxproc',
      'TaskPlugin=task/none',
      'SchedulerType=sched/backfill',
      'SelectType=select/cons_tres',
      'SelectTypeParameters=CR_Core',
      'ReturnToService=2',
      'MpiDefault=none',
      'JobCompType=jobcomp/none',
      'AccountingStorageType=accounting_storage/none',
      'JobAcctGatherType=jobacct_gather/linux',
      `NodeName=${host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=8000`,
      `PartitionName=all Nodes=${host} Default=YES MaxTime=INFINITE State=UP`,
      '',
    ].join('\n'),
  );
  process.env.SLURM_CONF = path.join(folder, 'slurm.conf');
  execFileSync('slurmctld', [], { stdio: 'inherit' });
  execFileSync('slurmd', [], { stdio: 'inherit' });
}

/** Folders of a sweep as options: --records R --runs F. */
function place(name) {
  return ['--records', path.join(folder, name, 'records'), '--runs', path.join(folder, name, 'runs')];
}

/** Runs trm-lab, expects an exit code if one is given, and returns what it printed. */
function lab(code, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(root, 'dist', 'cli.js'), ...args], {
    encoding: 'utf8',
  });
  if (code !== undefined) assert.equal(status, code, `trm-lab ${args.join(' ')}:\n${stdout}${stderr}`);
  return stdout;
}

/** The results of runs, without times and machines. */
function results(records) {
  return readdirSync(records)
    .sort()
    .map((name) => {
      const { id, seed, steps, data, curve, evaluations, closing } = JSON.parse(
        readFileSync(path.join(records, name), 'utf8'),
      );
      const scores = (evaluation) => evaluation && { ...evaluation, seconds: 0 };
      return {
        id,
        seed,
        steps,
        data,
        curve,
        evaluations: evaluations.map(scores),
        closing: Object.entries(closing).map(([look, result]) => [look, scores(result)]),
      };
    });
}

function tool(program, ...args) {
  return execFileSync(program, args, { encoding: 'utf8' });
}

/** Waits until something is so, looking every `every` milliseconds for at most `seconds`. */
async function until(what, is, every = 200, seconds = 120) {
  const end = Date.now() + 1000 * seconds;
  while (!is()) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain until ${what}`);
    await sleep(every);
  }
  say(what);
}

function stop(pidFile) {
  if (!existsSync(pidFile)) return;
  try {
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

function say(what) {
  console.log(what);
}

function refuse(why) {
  console.error(`slurm-test: ${why}`);
  process.exit(2);
}
